"""Words and times as one person reads them: language, time zone, names of states."""

import gettext
import io
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
from orkestra.dashboard.routes.kinds import shown_in
from orkestra.v1.identity import User
from orkestra.v1.task import TaskHistoryEntry
from orkestra.wire import Error

CATALOGS = Path(__file__).parent.parent / "translations"
LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "fr": "Français"}
LANGUAGES = tuple(LANGUAGE_NAMES)


def N_(text: str) -> str:  # noqa: N802  gettext's own name for it
    """Marks a text for the catalog; it is translated where it is shown."""
    return text


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
    "voted": N_("Voted"),
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
REFUSALS = {
    "ATTACHMENT_TOO_LARGE": N_("The file is too large."),
    "ATTACHMENT_TYPE_REFUSED": N_("Files of this kind are not taken here, or the file is not what its name says."),
    "ATTACHMENTS_TOO_MANY": N_("This task has as many files as a task may have."),
    "ATTACHMENT_IN_USE": N_("A vote names this file."),
    "ATTACHING_NOT_ALLOWED": N_("You may look at this task, and not attach files to it."),
    "SESSION_REQUIRED": N_("Sign in first."),
    "SIGN_IN_REFUSED": N_("E-mail address or password is not right."),
    "SIGN_IN_INCOMPLETE": N_("Enter your e-mail address and your password."),
    "PASSWORD_SIGN_IN_OFF": N_("Nobody signs in by password here: use your provider."),
    "PERSON_UNKNOWN": N_("Nobody here is known by what the provider says. Ask an admin to add your e-mail address."),
    "EMAIL_NOT_VERIFIED": N_("The provider has not verified your e-mail address."),
    "PROVIDER_REFUSED": N_("The provider refused to sign you in."),
    "PROVIDER_ANSWER_INVALID": N_("The provider's answer cannot be trusted, so you are not signed in. Begin again."),
    "PROVIDER_UNAVAILABLE": N_("The provider does not answer right now. Try again."),
    "PROVIDER_NOT_FOUND": N_("Nobody signs in there: choose one of the ways on this page."),
    "SESSION_ENDED": N_("This session has ended: sign in again."),
    "MAIL_LINK_NOT_FOUND": N_("This link was used, replaced or has expired. Ask for a new one."),
    "PASSWORD_WRONG": N_("This is not the current password."),
    "RATE_LIMITED": N_("Too many requests: wait a moment."),
    "CONFIRMATION_NOT_FOUND": N_("This link is not one of yours. Open the task from your inbox."),
    "CONFIRMATION_EXPIRED": N_("This link is too old. Open the task from your inbox."),
    "CONFIRMATION_USED": N_("This link was used already. Open the task from your inbox."),
    "EMAIL_TAKEN": N_("Somebody else here has this address."),
    "USER_NOT_FOUND": N_("There is no such person."),
    "LAST_ADMIN": N_("This is the last admin; make somebody else one first."),
    "GROUP_NOT_FOUND": N_("There is no such group."),
    "GROUP_EXISTS": N_("There is a group of this id already."),
    "CALENDAR_EXISTS": N_("There is a calendar of this id already."),
    "CALENDAR_NOT_FOUND": N_("There is no such calendar."),
    "WEBHOOK_NOT_FOUND": N_("There is no such webhook."),
    "WEBHOOK_URL_REFUSED": N_("This address cannot be told anything: it is inside our own network, or not allowed."),
    "ROLE_REQUIRED": N_("Your role does not let you do this."),
    "SIGN_IN_EXPIRED": N_("This sign-in has expired, or was begun in another browser. Begin it again."),
    "SIGN_IN_LOCKED": N_("Too many wrong passwords for this address: wait before you try again."),
    "USER_DISABLED": N_("This account is disabled: ask an admin."),
    "TENANT_SUSPENDED": N_("This organisation is suspended: ask who runs this installation."),
    "TENANT_REQUIRED": N_("This address is known in several organisations: say which."),
    "PAGE_NOT_FOUND": N_("There is no such page."),
    "TASK_NOT_FOUND": N_("There is no such task."),
    "WORKFLOW_NOT_FOUND": N_("There is no such run."),
    "TASK_NOT_OPEN": N_("Somebody else was faster, or the task has ended."),
    "NOT_A_CANDIDATE": N_("The task is not offered to you."),
    "NOT_THE_ASSIGNEE": N_("Only the person who holds the task, or a manager, may do this."),
    "NOT_THE_REQUESTER": N_("Only whoever asked, or a manager, may do this."),
    "NOT_A_MANAGER": N_("Only managers and admins may do this."),
    "FOUR_EYES_REQUIRED": N_("Whoever asked for it cannot decide on it as well."),
    "EXCLUDED_FROM_TASK": N_("You are excluded from deciding on this task."),
    "ASSIGNED_TO_ANOTHER": N_("The task is offered to one person, and that is not you."),
    "VERSION_MISMATCH": N_("It has changed meanwhile: look again."),
    "REVISION_MISMATCH": N_("The question has changed since you opened it."),
    "FIGURES_NOT_VISIBLE": N_("Only managers, admins and auditors see figures."),
    "FORM_STALE": N_("This form is from an earlier session. Go back, reload, send again."),
    "OTHER_SITE": N_("This was sent from another site and is not taken."),
}
KINDS_OF_REFUSAL = {
    401: N_("Sign in first."),
    403: N_("You may not do this."),
    404: N_("There is no such thing."),
    409: N_("This is not possible now."),
    412: N_("It has changed meanwhile: look again."),
    413: N_("This is too large."),
    422: N_("Something that was sent cannot be taken."),
    429: N_("Too many requests: wait a moment."),
    503: N_("This cannot be reached at the moment: try again soon."),
    500: N_("Something went wrong on our side."),
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
        return format_date(day, "d MMM", locale=self._locale)

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
        """Return why something was not done: in English as the room says it, else what kind of refusal it is."""
        if self.language == LANGUAGES[0]:
            return str(refused)
        said = self.text(
            REFUSALS.get(refused.reason) or KINDS_OF_REFUSAL.get(refused.http_status) or KINDS_OF_REFUSAL[500]
        )
        return said if refused.reason in REFUSALS else f"{said} ({str(refused).rstrip('.')})"

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
        return Locale.parse(self.language)


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
