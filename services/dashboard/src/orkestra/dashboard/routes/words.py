"""Words and times as one person reads them: language, time zone, names of states."""

import gettext
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_time, get_day_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from fastapi import Request
from orkestra.dashboard.routes.kinds import N_, shown_in
from orkestra.dashboard.routes.refusals import FAULTS, KINDS_OF_REFUSAL, PLACES, REFUSALS
from orkestra.v1.identity import User
from orkestra.v1.task import TaskHistoryEntry
from orkestra.wire import Error, FieldError

CATALOGS = Path(__file__).parent.parent / "translations"
LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "fr": "Français"}
LANGUAGES = tuple(LANGUAGE_NAMES)
DAYS_KEPT = 2048
"""Written days that are remembered: a year in each language, and more."""


DURATIONS = ((86400, N_("d")), (3600, N_("h")), (60, N_("min")))
MOMENT = N_("< 1 min")
SCRIPT = {
    "moment": MOMENT,
    "left": N_("{time} left"),
    "over": N_("{time} over"),
    "kept": N_("Draft kept"),
    "kept_here": N_("Kept in this tab"),
    "picked": N_("{n} chosen"),
    "sending": "{name}: {share} %",
    "sent": N_("Attached."),
    "not_sent": N_("It could not be sent. Try again."),
    "kept_for_now": N_("Kept in this tab; saving is tried again when you type"),
}
"""What app.js says; it has no words of its own."""
STATUSES = {
    "open": N_("Open"),
    "claimed": N_("Claimed"),
    "waiting": N_("Waiting for an answer"),
    "completed": N_("Completed"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired"),
    "running": N_("Running"),
    "failed": N_("Failed"),
    "terminated": N_("Terminated"),
    "timed_out": N_("Timed out"),
}
EVENTS = {
    "started": N_("Started"),
    "scheduled": N_("Scheduled"),
    "cancel_requested": N_("Asked to stop"),
    "left_out": N_("Left out"),
    "fired": N_("Rang"),
    "received": N_("Received"),
    "sent": N_("Sent"),
    "released_by_manager": N_("Released"),
    "receipt_redeemed": N_("Receipt used"),
    "created": N_("Asked"),
    "claimed": N_("Claimed"),
    "released": N_("Released"),
    "attached": N_("File attached"),
    "attachment_removed": N_("File removed"),
    "assigned": N_("Assigned"),
    "delegated": N_("Delegated"),
    "updated": N_("Changed"),
    "vote_cast": N_("Voted"),
    "submitted": N_("Answered; it can be taken back"),
    "undone": N_("Answer taken back"),
    "completed": N_("Completed"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired: the time ran out"),
    "escalated": N_("Escalated"),
    "reminded": N_("Reminded"),
    "reminder_due": N_("Reminded"),
    "breached": N_("Past its due time"),
    "sla_breached": N_("Past its due time"),
    "changes_requested": N_("Changes requested"),
    "answered": N_("Answered"),
    "commented": N_("Commented"),
    "late_answer": N_("Answered too late; kept, not used"),
}
PRIORITIES = {"low": N_("Low"), "normal": N_("Normal"), "high": N_("High"), "urgent": N_("Urgent")}
ROLES = {"user": N_("Customer"), "assistant": N_("Assistant"), "system": N_("System"), "tool": N_("Tool")}


@dataclass(frozen=True)
class Words:
    """One person's language and time zone; `zone_known` is false where the browser's is to be used."""

    language: str
    zone: ZoneInfo
    zone_known: bool
    text: Callable[[str], str]
    plural: Callable[[str, str, int], str]

    def moment(self, at: datetime) -> str:
        """Return date and time in the person's zone; UTC says that it is UTC."""
        local = shown_in(self.zone, at)
        now = datetime.now(self.zone)
        if local.date() == now.date():
            shown = format_time(local, "short", locale=self._locale)
        elif local.year == now.year:
            day = format_date(local, "d MMM", locale=self._locale)
            shown = f"{day}, {format_time(local, 'short', locale=self._locale)}"
        else:
            shown = format_datetime(local, "medium", locale=self._locale)
        return shown if self.zone_known else f"{shown} UTC"

    def full_moment(self, at: datetime) -> str:
        """Return the whole date and time with its zone."""
        return format_datetime(shown_in(self.zone, at), "long", locale=self._locale)

    def day(self, day: date) -> str:
        """Return a day of the last year."""
        return _day(day, self.language)

    @property
    def units(self) -> list[tuple[str, int]]:
        """Units of time with their seconds, the largest first."""
        return [(self.text(unit), size) for size, unit in DURATIONS]

    @property
    def weekdays(self) -> list[str]:
        """The names of the days of a week, Monday first."""
        names = get_day_names("wide", locale=self._locale)
        return [names[day] for day in range(7)]

    @property
    def language_name(self) -> str:
        """The language in its own words."""
        return LANGUAGE_NAMES[self.language]

    def status(self, status: str) -> str:
        return self.text(STATUSES.get(status, status))

    def priority(self, priority: str) -> str:
        return self.text(PRIORITIES.get(priority, priority))

    def event(self, entry: TaskHistoryEntry) -> str:
        return self.text(EVENTS.get(entry.event, entry.event.replace("_", " ").capitalize()))

    def happened(self, event: str) -> str:
        """Return what happened to a run, a step or a task."""
        return self.text(EVENTS.get(event) or STATUSES.get(event) or event.replace("_", " ").capitalize())

    def refusal(self, refused: Error) -> str:
        """Return why something was not done: in English as the room says it, else by its reason or kind."""
        if self.language == LANGUAGES[0]:
            return str(refused)
        kind = KINDS_OF_REFUSAL.get(refused.http_status, KINDS_OF_REFUSAL[500])
        return self.text(REFUSALS.get(refused.reason, kind))

    def fault(self, error: FieldError) -> str:
        """Return what is wrong with a field: in English as the room says it, else by the code of its error."""
        known = self.language != LANGUAGES[0] and FAULTS.get(error.code)
        return self.text(known) if known else error.message

    def place(self, error: FieldError) -> str:
        """Return what a field is called on the page, with its number in a list; unknown ones as they are."""
        parts = re.findall(r"[a-z_]+|(?<!\d)\d{1,4}(?!\d)", error.path)
        label = next((self.text(PLACES[part]) for part in reversed(parts) if part in PLACES), None)
        number = next((f" {int(part) + 1}" for part in parts if part.isdecimal()), "")
        return error.path if label is None else f"{label}{number}"

    def role(self, role: str) -> str:
        return self.text(ROLES.get(role, role.capitalize()))

    def left(self, seconds: float) -> str:
        """Return how much time is left, or by how much it is over, in at most two units."""
        told = SCRIPT["left"] if seconds >= 0 else SCRIPT["over"]
        return self.text(told).format(time=self.duration(abs(seconds)))

    def duration(self, seconds: float) -> str:
        """Return a length of time in at most two units."""
        rest = int(seconds)
        parts = []
        for size, unit in DURATIONS:
            count, rest = divmod(rest, size)
            if count:
                parts.append(f"{count} {self.text(unit)}")
        return " ".join(parts[:2]) or self.text(MOMENT)

    @property
    def script(self) -> dict[str, Any]:
        """What app.js says, in the person's language."""
        units = [(size, self.text(unit)) for size, unit in DURATIONS]
        return {"units": units, **{name: self.text(text) for name, text in SCRIPT.items()}}

    @property
    def _locale(self) -> Locale:
        return _locale(self.language)


@lru_cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


@lru_cache(maxsize=DAYS_KEPT)
def _day(day: date, language: str) -> str:
    return format_date(day, "d MMM", locale=_locale(language))


def seconds_left(at: datetime) -> float:
    """Returns the seconds until a moment, negative where it is over."""
    return (at - datetime.now(UTC)).total_seconds()


def words_for(request: Request, user: User | None) -> Words:
    """Returns the words for a person, or for a browser before anybody has signed in."""
    language = _language(request, user)
    zone = _zone(user.time_zone if user else None)
    catalog = _catalog(language)
    return Words(language, zone or ZoneInfo("UTC"), zone is not None, catalog.gettext, catalog.ngettext)


def _language(request: Request, user: User | None) -> str:
    accepted = request.headers.get("accept-language", "").split(",")
    for wanted in ((user.locale or "") if user else "", *(part.partition(";")[0] for part in accepted)):
        try:
            language = Locale.parse(wanted.strip(), sep="-").language
        except (ValueError, UnknownLocaleError):
            continue
        if language in LANGUAGES:
            return language
    return LANGUAGES[0]


def _zone(name: str | None) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache
def _catalog(language: str) -> gettext.NullTranslations:
    path = CATALOGS / language / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(path.read_bytes()), locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
