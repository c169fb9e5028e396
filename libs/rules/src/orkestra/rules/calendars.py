"""What a calendar must be, and how a task keeps the hours that it began with."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from orkestra.rules.working_time import MINUTES_A_DAY, minute_of
from orkestra.v1.task import Calendar, CreateCalendarRequest, UpdateCalendarRequest, Weekday, WorkingHours
from orkestra.wire import FieldError

ALWAYS_NAME: Final = "always"
GROUP_PREFIX: Final = "group:"
MAX_SPANS: Final = 50
MAX_HOLIDAYS: Final = 400
MAX_NAME: Final = 200
_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", re.ASCII)
_ZONE: Final = re.compile(r"UTC|(?!posix/|right/)[A-Za-z_]+(?:/[A-Za-z0-9_+-]+){1,2}", re.ASCII)
_CLOCK: Final = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d|24:00", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_YEARLY: Final = re.compile(r"\d\d-\d\d", re.ASCII)
_LEAP_YEAR: Final = "2000-"
_DAYS_OF_LEAP_YEAR: Final = 366


def check_calendar(request: CreateCalendarRequest | UpdateCalendarRequest) -> list[FieldError]:
    """Return everything that is wrong with a calendar, each with its path."""
    return [*_name_errors(request), *check_hours(request.working_hours, "working_hours")]


def check_hours(hours: WorkingHours, path: str) -> list[FieldError]:
    """Return what is wrong with working hours: zone, times, overlaps, holidays, and hours that never come."""
    return [
        *_zone_errors(hours.time_zone, f"{path}.time_zone"),
        *_opening_errors(hours, f"{path}.hours"),
        *_holiday_errors(hours, f"{path}.holidays"),
    ]


def is_always(name: str | None) -> bool:
    """Whether a policy names no calendar that somebody keeps."""
    return name in (None, ALWAYS_NAME)


def group_of(name: str) -> str | None:
    """Return the group whose calendar a policy names; None where it names a calendar by its id."""
    return name.removeprefix(GROUP_PREFIX) if name.startswith(GROUP_PREFIX) else None


def pinned(calendar: Calendar, now: datetime) -> WorkingHours:
    """Return the hours that a task keeps: without what holidays are called, and without those that are over."""
    begin = (now - timedelta(days=2)).date()
    kept = [
        each.model_copy(update={"name": None})
        for each in calendar.working_hours.holidays
        if _YEARLY.fullmatch(each.date) or date.fromisoformat(each.date) >= begin
    ]
    return calendar.working_hours.model_copy(update={"holidays": kept})


def _name_errors(request: CreateCalendarRequest | UpdateCalendarRequest) -> Iterator[FieldError]:
    if request.calendar_id == ALWAYS_NAME:
        yield FieldError("calendar_id", "reserved", "always is the calendar that every tenant has.")
    elif _ID.fullmatch(request.calendar_id) is None:
        yield FieldError("calendar_id", "not_a_slug", "1 to 64 lower-case letters, digits and dashes.")
    if not 0 < len(request.name.strip()) <= len(request.name) <= MAX_NAME:
        yield FieldError("name", "wrong_length", f"1 to {MAX_NAME} characters.")


def _zone_errors(zone: str, path: str) -> Iterator[FieldError]:
    try:
        is_known = _ZONE.fullmatch(zone) is not None and ZoneInfo(zone) is not None
    except (ValueError, OSError, KeyError):
        is_known = False
    if not is_known:
        yield FieldError(path, "unknown_zone", "A time zone is an IANA name, such as Europe/Berlin.")


def _opening_errors(hours: WorkingHours, path: str) -> Iterator[FieldError]:
    if not hours.hours:
        yield FieldError(path, "required", "A calendar without hours would never let a clock run.")
    if len(hours.hours) > MAX_SPANS:
        yield FieldError(path, "too_many_items", f"At most {MAX_SPANS} spans of hours.")
        return
    spans: dict[Weekday, list[tuple[int, int, int]]] = {}
    for position, each in enumerate(hours.hours):
        wrong = [name for name in ("opens", "closes") if _CLOCK.fullmatch(getattr(each, name)) is None]
        for name in wrong:
            yield FieldError(f"{path}[{position}].{name}", "not_a_time", "A time of day is HH:MM, 24:00 its end.")
        if wrong:
            continue
        opens, closes = minute_of(each.opens), minute_of(each.closes)
        if not opens < closes <= MINUTES_A_DAY:
            message = "Closes after it opens; hours that go on after midnight are hours of the next day as well."
            yield FieldError(f"{path}[{position}].closes", "not_after_opens", message)
        spans.setdefault(each.weekday, []).append((opens, closes, position))
    for of_day in spans.values():
        for (_, closes, _), (opens, _, position) in pairwise(sorted(of_day)):
            if opens < closes:
                message = "These hours overlap others of the same weekday."
                yield FieldError(f"{path}[{position}]", "overlaps", message)


def _holiday_errors(hours: WorkingHours, path: str) -> Iterator[FieldError]:
    if len(hours.holidays) > MAX_HOLIDAYS:
        yield FieldError(path, "too_many_items", f"At most {MAX_HOLIDAYS} holidays.")
        return
    seen: set[str] = set()
    for position, each in enumerate(hours.holidays):
        if not _is_day(each.date):
            yield FieldError(f"{path}[{position}].date", "not_a_date", "A day is YYYY-MM-DD, or MM-DD for every year.")
        if each.date in seen:
            yield FieldError(f"{path}[{position}].date", "duplicate", "This day is named twice.")
        seen.add(each.date)
        if each.name is not None and len(each.name) > MAX_NAME:
            yield FieldError(f"{path}[{position}].name", "too_long", f"At most {MAX_NAME} characters.")
    if len({each for each in seen if _YEARLY.fullmatch(each) and _is_day(each)}) == _DAYS_OF_LEAP_YEAR:
        yield FieldError(path, "never_open", "With a holiday on every day of the year no clock would ever run.")


def _is_day(text: str) -> bool:
    whole = f"{_LEAP_YEAR}{text}" if _YEARLY.fullmatch(text) else text
    try:
        return _DATE.fullmatch(whole) is not None and date.fromisoformat(whole).year > 1
    except ValueError:
        return False
