"""Calendars and the escalation policy in the settings: when clocks run, and when agents may go on alone."""

from collections.abc import Sequence

from fastapi.responses import Response
from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.settings import Trouble, attempt, page
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.task import (
    Calendar,
    CreateCalendarRequest,
    DeleteCalendarRequest,
    EscalationRule,
    GetCalendarRequest,
    GetEscalationPolicyRequest,
    Holiday,
    ListCalendarsRequest,
    OpenHours,
    PutEscalationPolicyRequest,
    UpdateCalendarRequest,
    Weekday,
    WorkingHours,
)
from orkestra.wire import FieldError, InvalidArgument

PAGE = 100
FREE_RULES = 3
KEPT = 0.9
"""The share of drafts that people are to keep where the tenant has said none, as the room has it."""
MOST_RULES = 50


async def calendars(visit: Visit) -> Response:
    """Lists the calendars of the tenant."""
    return await _calendars(visit, Trouble())


async def create_calendar(visit: Visit) -> Response:
    """Keeps a calendar."""
    calendar_id = visit.value("calendar_id") or ""

    async def act() -> Calendar:
        request = CreateCalendarRequest(
            calendar_id=calendar_id,
            name=visit.value("name") or "",
            group_id=visit.value("group_id"),
            working_hours=_hours(visit),
        )
        return await visit.tasks.create_calendar(request, request_id=visit.request_id)

    return await attempt(visit, act, _calendars, f"/settings/calendars/{calendar_id}")


async def calendar(visit: Visit) -> Response:
    """Shows one calendar."""
    return await _calendar(visit, Trouble())


async def change_calendar(visit: Visit) -> Response:
    """Replaces a calendar; live tasks keep the hours that they began with."""

    async def act() -> Calendar:
        request = UpdateCalendarRequest(
            calendar_id=_calendar_id(visit),
            name=visit.value("name") or "",
            group_id=visit.value("group_id"),
            working_hours=_hours(visit),
            version=visit.number("version"),
        )
        return await visit.tasks.update_calendar(request)

    return await attempt(visit, act, _calendar, f"/settings/calendars/{_calendar_id(visit)}")


async def delete_calendar(visit: Visit) -> Response:
    """Removes a calendar."""
    request = DeleteCalendarRequest(calendar_id=_calendar_id(visit), version=visit.number("version"))
    return await attempt(visit, lambda: visit.tasks.delete_calendar(request), _calendar, "/settings/calendars")


async def policy(visit: Visit) -> Response:
    """Shows from which confidence on agents may go on alone."""
    return await _policy(visit, Trouble())


async def put_policy(visit: Visit) -> Response:
    """Replaces the policy; a rule without a topic is left out."""

    async def act() -> object:
        rules = [rule for rule in (_rule(visit, row) for row in range(MOST_RULES)) if rule is not None]
        target = _share(visit, "kept_target")
        wanted = None if target is None else target / 100
        request = PutEscalationPolicyRequest(rules=rules, kept_target=wanted, version=visit.number("version"))
        return await visit.tasks.put_escalation_policy(request)

    return await attempt(visit, act, _policy, "/settings/policy")


async def _calendars(visit: Visit, trouble: Trouble) -> Response:
    found = await visit.tasks.list_calendars(ListCalendarsRequest(page_size=PAGE))
    shown = [(each, _in_words(visit, each.working_hours)) for each in found.calendars]
    typed = {name: visit.value(name) or "" for name in ("calendar_id", "name", "group_id", "time_zone", "holidays")}
    week = {day.value: visit.value(f"hours.{day.value}") or "" for day in Weekday}
    return await page(
        visit, "calendars", "settings_calendars.html", trouble, found=shown, typed=typed, week=_week(visit, week)
    )


async def _calendar(visit: Visit, trouble: Trouble) -> Response:
    found = await visit.tasks.get_calendar(GetCalendarRequest(calendar_id=_calendar_id(visit)))
    hours = found.working_hours
    given = {
        day.value: ", ".join(f"{each.opens}-{each.closes}" for each in hours.hours if each.weekday == day)
        for day in Weekday
    }
    typed = {
        "name": found.name,
        "group_id": found.group_id or "",
        "time_zone": hours.time_zone,
        "holidays": "\n".join(f"{each.date} {each.name or ''}".strip() for each in hours.holidays),
    }
    if trouble.problem:
        given = {day.value: visit.value(f"hours.{day.value}") or "" for day in Weekday}
        typed = {name: visit.value(name) or "" for name in typed}
    return await page(
        visit, "calendars", "settings_calendar.html", trouble, calendar=found, typed=typed, week=_week(visit, given)
    )


async def _policy(visit: Visit, trouble: Trouble) -> Response:
    found = await visit.tasks.get_escalation_policy(GetEscalationPolicyRequest())
    rules: Sequence[EscalationRule | None] = [*found.rules, *([None] * FREE_RULES if visit.is_manager else [])]
    names = await visit.names(found.updated_by)
    target = 100 * (KEPT if found.kept_target is None else found.kept_target)
    return await page(
        visit,
        "policy",
        "settings_policy.html",
        trouble,
        policy=found,
        rules=rules,
        names=names,
        kept_target=visit.value("kept_target") or f"{target:g}",
        suggested=_suggested(visit),
    )


def _suggested(visit: Visit) -> str | None:
    """Returns the threshold that the figures suggested, where the reader comes from there."""
    try:
        found = float(visit.query("suggested") or "")
    except ValueError:
        return None
    return f"{found:g}" if 0 <= found <= 1 else None


def _rule(visit: Visit, row: int) -> EscalationRule | None:
    topic = visit.value(f"rules.{row}.topic")
    if topic is None:
        return None
    threshold = _share(visit, f"rules.{row}.threshold")
    if threshold is None:
        message = visit.words.text(N_("Say from which confidence on, such as 0.8."))
        raise InvalidArgument("REQUEST_INVALID", message, errors=[FieldError(topic, "confidence_missing", message)])
    return EscalationRule(topic=topic, threshold=threshold, sample_rate=_share(visit, f"rules.{row}.sample_rate"))


def _share(visit: Visit, name: str) -> float | None:
    typed = visit.value(name)
    try:
        return float(typed.replace(",", ".")) if typed else None
    except ValueError as unreadable:
        message = visit.words.text(N_("This is not a number between 0 and 1."))
        raise InvalidArgument(
            "REQUEST_INVALID", message, errors=[FieldError(typed or "", "not_a_share", message)]
        ) from unreadable


def _hours(visit: Visit) -> WorkingHours:
    """Returns the hours as they were typed: 09:00-12:00, 13:00-17:00 for each day; a holiday a line."""
    found = []
    for day in Weekday:
        for part in (visit.value(f"hours.{day.value}") or "").replace("–", "-").split(","):  # noqa: RUF001  typed so too
            opens, dash, closes = part.partition("-")
            if part.strip():
                found.append(OpenHours(weekday=day, opens=opens.strip(), closes=closes.strip() if dash else ""))
    holidays = []
    for line in (visit.value("holidays") or "").splitlines():
        date, _, name = line.strip().partition(" ")
        holidays += [Holiday(date=date, name=name.strip() or None)] if date else []
    return WorkingHours(time_zone=visit.value("time_zone") or "", hours=found, holidays=holidays)


def _week(visit: Visit, given: dict[str, str]) -> list[tuple[str, str, str]]:
    names = visit.words.weekdays
    return [(day.value, names[place], given[day.value]) for place, day in enumerate(Weekday)]


def _in_words(visit: Visit, hours: WorkingHours) -> str:
    """Returns the open days of a calendar in a line."""
    names = visit.words.weekdays
    days = [names[place] for place, day in enumerate(Weekday) if any(each.weekday == day for each in hours.hours)]
    return f"{hours.time_zone} · {', '.join(days)}"


def _calendar_id(visit: Visit) -> str:
    return str(visit.request.path_params["calendar_id"])
