"""Messages to people, in their language: what each channel then dresses in its own way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orkestra.notification_service.channels.secrets import Secrets
from orkestra.notification_service.rules import WORK, Parcel, language_of, say

LONGEST_TITLE = 200
_WORK = frozenset(kind.value for kind in WORK)
_PRIORITIES = {"urgent": "Urgent", "high": "High priority"}


@dataclass(frozen=True, slots=True)
class Link:
    """Where a person can go on."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is told."""

    text: str
    title: str | None
    priority: str | None
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """What one message says."""

    language: str
    subject: str
    greeting: str | None
    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    settings: Link | None = None


class Writer:
    """Writes messages; links lead to pages of the dashboard, where it is known where that is."""

    def __init__(self, secrets: Secrets, *, dashboard_url: str | None) -> None:
        self._secrets = secrets
        self._base = None if dashboard_url is None else dashboard_url.rstrip("/")

    def message(self, tenant_id: str, parcels: Sequence[Parcel], *, locale: str | None, name: str | None) -> Message:
        """Return one message about everything that is due for somebody."""
        language = language_of(locale)
        items = tuple(self._item(tenant_id, parcel, language) for parcel in parcels)
        first = items[0]
        subject = f"{first.title}: {first.text}" if first.title else first.text
        if len(items) > 1:
            subject = say("{count} things are new", language, count=len(items))
        has_decision = any(len(item.links) > 1 for item in items)
        note = say("Opening a link decides nothing: you confirm on the page that it opens.", language)
        settings = None
        if self._base is not None:
            settings = Link(say("Choose what you are told", language), f"{self._base}/settings/notifications")
        greeting = None if name is None else say("Hello {name},", language, name=_line(name))
        return Message(language, _line(subject), greeting, items, (note,) if has_decision else (), settings)

    def mail_link(self, token: str, *, is_invitation: bool, until: str, locale: str | None, name: str) -> Message:
        """Return the message with which a person sets a password."""
        language = language_of(locale)
        if is_invitation:
            subject, text = "You are invited to Orkestra", "Set your password with this link to sign in."
        else:
            subject = "Set a new password for Orkestra"
            text = "A new password was asked for. If that was not you, do nothing: your password stays."
        links = (
            () if self._base is None else (Link(say("Set the password", language), f"{self._base}/password/{token}"),)
        )
        return Message(
            language,
            say(subject, language),
            say("Hello {name},", language, name=_line(name)),
            (Item(say(text, language), None, None, links),),
            (say("The link works once, until {time}.", language, time=until),),
        )

    def _item(self, tenant_id: str, parcel: Parcel, language: str) -> Item:
        content = parcel.content
        group = content.get("group")
        text = say(content["text"], language, **({"group": group} if group else {}))
        title = content.get("title")
        urgency = _PRIORITIES.get(str(content.get("priority")))
        return Item(
            text,
            _line(title)[:LONGEST_TITLE] if title else None,
            say(urgency, language) if urgency else None,
            tuple(self._links(tenant_id, parcel.delivery_id, content, language)),
        )

    def _links(self, tenant_id: str, delivery_id: str, content: dict[str, Any], language: str) -> list[Link]:
        if self._base is None:
            return []
        if content.get("workflow_id"):
            return [Link(say("Open the workflow", language), f"{self._base}/workflows/{content['workflow_id']}")]
        if not content.get("task_id"):
            return []
        links = [Link(say("Open the task", language), f"{self._base}/tasks/{content['task_id']}")]
        if content["kind"] in _WORK and content.get("version") is not None:
            token = self._secrets.link_token(tenant_id, delivery_id)
            links.append(Link(say("Decide", language), f"{self._base}/confirm/{token}"))
        return links


def _line(text: str) -> str:
    """Return a text as one line: a title that breaks a line breaks no header and no layout."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
