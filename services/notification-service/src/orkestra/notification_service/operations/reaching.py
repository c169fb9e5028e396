"""Whom events of tasks reach, and where each wants to hear of them: read once for all that are heard together."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from orkestra.chassis.database import Database
from orkestra.chassis.sql import Connection
from orkestra.notification_service import rules
from orkestra.notification_service.operations.base import sql
from orkestra.notification_service.operations.mailing import Mailing, Plan, owners_of
from orkestra.notification_service.operations.people import Groups, members_of
from orkestra.notification_service.operations.wishes import wishes_of
from orkestra.rules import Absence, substitutes_of
from orkestra.v1.events import TaskEvent
from orkestra.v1.task import Priority


@dataclass(frozen=True, slots=True)
class Heard:
    """An event of a task."""

    event_id: str
    name: str
    event: TaskEvent
    traced: Callable[[], AbstractContextManager[object]] = nullcontext
    """Has what is done inside belong to its trace."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be written of an event: who is told what, and where else it goes."""

    heard: Heard
    told: Sequence[tuple[str, rules.News]] = ()
    plan: Plan = field(default_factory=Plan)

    @property
    def cause(self) -> str:
        """What makes it the same told again."""
        return rules.cause_of(self.heard.name, self.heard.event_id, self.heard.event.task)

    @property
    def settled_version(self) -> int:
        """The version before which nothing asks anybody to act any more."""
        return rules.settled_version(self.heard.name, self.heard.event)

    def pieces(self, most: int) -> list["Telling"]:
        """Return the same in pieces that tell at most so many people."""
        starts = range(0, max(len(self.told), 1), most)
        return [replace(self, told=self.told[start : start + most]) for start in starts]


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is meant: members of groups, those who are away, and accounts that are told nothing."""

    members: Mapping[str, Sequence[str]]
    absences: Sequence[Absence] = ()
    disabled: frozenset[str] = frozenset()


class Reaching:
    """Knows whom events reach."""

    def __init__(self, database: Database, groups: Groups, mailing: Mailing) -> None:
        self._database = database
        self._groups = groups
        self._mailing = mailing

    async def tellings(self, tenant_id: str, heard: Sequence[Heard]) -> list[Telling]:
        """Return what is to be written of each event; nothing is open while identity-service is asked for groups."""
        news = {one.event_id: rules.news_of(one.name, one.event) for one in heard}
        every = [each for one in news.values() for each in one]
        users = {user_id for one in every for user_id in one.users if rules.is_person(user_id)}
        groups = {group for one in every for group in one.groups}
        if not users and not groups:
            return [Telling(one) for one in heard]
        async with self._database.reading(tenant_id) as conn:
            whom = await whom_of(conn, users, groups)
            if not (unknown := groups - whom.members.keys()):
                return await self._planned(conn, heard, news, whom)
        await self._groups.learn(tenant_id, unknown)
        async with self._database.reading(tenant_id) as conn:
            return await self._planned(conn, heard, news, await whom_of(conn, users, groups))

    async def _planned(
        self, conn: Connection, heard: Sequence[Heard], news: Mapping[str, list[rules.News]], whom: Whom
    ) -> list[Telling]:
        tellings = [Telling(one, _reached(one.event, news[one.event_id], whom)) for one in heard]
        owners = {owner for one in tellings for owner in owners_of(one.told)}
        wishes = await wishes_of(conn, owners) if owners else {}
        return [
            replace(
                one,
                plan=self._mailing.plan(wishes, one.told, is_urgent=one.heard.event.task.priority == Priority.URGENT),
            )
            for one in tellings
        ]


async def whom_of(conn: Connection, users: set[str], groups: set[str]) -> Whom:
    """Return who is meant by the names of people and groups; groups that are not known are left out."""
    members = await members_of(conn, groups) if groups else {}
    row = await sql.whom.row(conn, people=sorted(users)) if users else None
    if row is None:
        return Whom(members)
    absences = [Absence(one["user_id"], one["substitute"], frozenset(one["task_types"])) for one in row["absences"]]
    return Whom(members, absences, frozenset(row["disabled"]))


def _reached(event: TaskEvent, news: list[rules.News], whom: Whom) -> list[tuple[str, rules.News]]:
    """Return whom an event reaches, and with which news."""
    reached = rules.told(
        news,
        whom.members,
        actor=event.actor,
        standing_in=lambda people: substitutes_of(people, event.task.type, whom.absences),
    )
    return [(user_id, one) for user_id, one in reached.items() if user_id not in whom.disabled]
