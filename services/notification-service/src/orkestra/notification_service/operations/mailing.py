"""What of the news goes where besides the feed: by the wishes of each person and group, when they want it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from orkestra.notification_service import rules
from orkestra.notification_service.operations.deliveries import Letter
from orkestra.notification_service.operations.wishes import Directory
from orkestra.v1.identity import MailLink
from orkestra.v1.notification import Channel, Notification, Preferences
from orkestra.v1.task import Task

EVENT_TYPE = "notification"
MAIL_LINK = "mail_link"
"""Type of the letters that are links to set a password."""


@dataclass(frozen=True, slots=True)
class Place:
    """A lane to somebody, and when it may be used."""

    lane: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Where one piece of news goes."""

    silent: frozenset[str] = frozenset()
    """People who do not want it in their feed."""
    people: Mapping[str, Sequence[Place]] = field(default_factory=dict)
    groups: Sequence[tuple[str, rules.News, Place]] = ()

    def to_person(self, user_id: str, entry: Notification, cause: str, about: Mapping[str, object]) -> list[Letter]:
        """Return the letters to a person about an entry of their feed."""
        content = {
            "kind": entry.kind.value,
            "text": entry.text,
            "title": entry.title,
            "task_id": entry.task_id,
            "workflow_id": entry.workflow_id,
            "notification_id": None if user_id in self.silent else entry.notification_id,
            **about,
        }
        return [
            Letter(place.lane, cause, entry.notification_id, EVENT_TYPE, content, place.at)
            for place in self.people.get(user_id, ())
        ]

    def to_groups(self, task: Task, cause: str) -> list[Letter]:
        """Return the letters to the places where groups talk."""
        return [
            Letter(
                place.lane,
                cause,
                f"{cause}:{group}",
                EVENT_TYPE,
                {
                    "kind": news.kind.value,
                    "text": rules.group_text(news.kind),
                    "group": group,
                    "title": task.title,
                    "task_id": task.task_id,
                    "version": task.version,
                    "priority": task.priority.value,
                },
                place.at,
            )
            for group, news, place in self.groups
        ]


class Mailing:
    """Knows which channels are set up and what everybody wants."""

    def __init__(self, directory: Directory, channels: Collection[Channel], wake: Callable[[], None]) -> None:
        self._directory = directory
        self._channels = frozenset(channels) - {Channel.IN_APP}
        self.wake = wake

    async def mail_link(self, link: MailLink) -> None:
        """Have a link mailed to its person, whatever they want otherwise; nothing where there is no mail."""
        if Channel.EMAIL not in self._channels:
            return
        lane = f"{Channel.EMAIL}:user:{link.user_id}"
        letter = Letter(lane, link.link_id, link.link_id, MAIL_LINK, {"link_id": link.link_id})
        if await self._directory.put_mail_link(link, letter):
            self.wake()

    def plan(
        self, wishes: Mapping[str, Preferences], told: Sequence[tuple[str, rules.News]], *, is_urgent: bool
    ) -> Plan:
        """Return where news go: to those who are told, and to their groups where those are named.

        `wishes` are those of the `owners_of` what is told.
        """
        now = datetime.now(UTC)
        silent: set[str] = set()
        people: dict[str, list[Place]] = {}
        for user_id, news in told:
            wish = wishes.get(f"user:{user_id}")
            channels = rules.channels_for(wish, news.kind, is_group=False)
            if Channel.IN_APP not in channels:
                silent.add(user_id)
            at = rules.send_at(wish, wish.time_zone if wish else None, now, is_urgent=is_urgent)
            people[user_id] = [Place(f"{one}:user:{user_id}", at) for one in sorted(channels & self._channels)]
        to_groups = []
        for group, news in _groups(told).items():
            wish = wishes.get(f"group:{group}")
            at = rules.send_at(wish, wish.time_zone if wish else None, now, is_urgent=is_urgent)
            channels = rules.channels_for(wish, news.kind, is_group=True)
            to_groups += [(group, news, Place(f"{one}:group:{group}", at)) for one in sorted(channels & self._channels)]
        return Plan(frozenset(silent), people, to_groups)


def owners_of(told: Sequence[tuple[str, rules.News]]) -> list[str]:
    """Return whose wishes say where news go."""
    return [*(f"user:{user_id}" for user_id, _ in told), *(f"group:{group}" for group in _groups(told))]


def _groups(told: Sequence[tuple[str, rules.News]]) -> dict[str, rules.News]:
    """Return the groups that are named, each with the first news that name it."""
    groups: dict[str, rules.News] = {}
    for _, news in told:
        for group in news.groups:
            groups.setdefault(group, news)
    return groups
