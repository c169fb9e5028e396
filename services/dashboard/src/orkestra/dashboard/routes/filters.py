"""Which tasks a list shows: read from the address, asked of the room, kept in a view."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.task import ListTasksRequest, Priority, TaskFilter, TaskScope, TaskSort, TaskStatus

SCOPES = {"mine": N_("Mine"), "groups": N_("My groups"), "all": N_("All")}
STATUSES = {
    "": N_("To do"),
    "open": N_("Open"),
    "claimed": N_("Claimed"),
    "waiting": N_("Waiting"),
    "completed": N_("Completed"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired"),
    "any": N_("Every status"),
}
PRIORITIES = {"urgent": N_("Urgent"), "high": N_("High"), "normal": N_("Normal"), "low": N_("Low")}
DUE = {"overdue": N_("Overdue"), "today": N_("Due today"), "week": N_("Due within 7 days")}
CLOCKS = {"breached": N_("Missed a deadline"), "escalated": N_("Escalated")}
SORTS = {"due": N_("By due time"), "newest": N_("Newest first")}
CHOICES: Mapping[str, Mapping[str, str]] = {
    "status": STATUSES,
    "priority": PRIORITIES,
    "due": DUE,
    "clock": CLOCKS,
    "sort": SORTS,
}
TEXTS = ("q", "type", "tag", "group", "assignee", "correlation")
DAYS = ("asked_from", "asked_until", "completed_from", "completed_until")
"""Days, the last one included, in the caller's zone."""
PASSING = ("due", "clock", *DAYS)
"""What a view does not keep: it outlives a day, and what became of clocks is looked for once."""
MOST = 200
"""Characters of a filter."""


def scope_of(visit: Visit) -> str:
    """Returns the scope that the address names, else where the caller's work is."""
    scope = visit.query("scope")
    if scope in SCOPES:
        return str(scope)
    return "groups" if scope is None and visit.access.groups else "mine"


def filters_of(visit: Visit) -> dict[str, str]:
    """Returns the filters of the address; what is unknown or empty is left out."""
    return known({name: visit.query(name) or "" for name in (*CHOICES, *TEXTS, *DAYS)})


def known(given: Mapping[str, str]) -> dict[str, str]:
    """Returns those of the filters that there are."""
    chosen = {name: given.get(name, "") for name, values in CHOICES.items() if given.get(name) in values}
    texts = {name: given.get(name, "").strip()[:MOST] for name in TEXTS}
    days = {name: given.get(name, "") for name in DAYS if _day(given.get(name))}
    found = {name: value for name, value in (chosen | texts | days).items() if value}
    if found.get("sort") == "due":
        del found["sort"]
    return found


def request_of(visit: Visit, scope: str, filters: Mapping[str, str]) -> ListTasksRequest:
    """Returns the filters as the room reads them; days end in the caller's zone."""
    given = _asked(filters) | _due(visit, filters.get("due")) | _between(visit, filters)
    if filters.get("clock"):
        given[filters["clock"]] = True
    return ListTasksRequest(**given, scope=TaskScope(scope))


def filter_of(scope: str, filters: Mapping[str, str]) -> TaskFilter:
    """Returns what a view keeps: everything but days and due windows, which would stand still."""
    return TaskFilter(**_asked(filters), scope=TaskScope(scope))


def query_of(kept: TaskFilter) -> dict[str, str]:
    """Returns what a view keeps as the address says it."""
    given = {
        "scope": kept.scope,
        "status": "any" if kept.every_status else kept.status,
        "priority": kept.priority,
        "sort": kept.sort if kept.sort == TaskSort.NEWEST else None,
        "q": kept.q,
        "type": kept.type,
        "tag": " ".join(kept.tags),
        "group": kept.group,
        "assignee": kept.assignee,
        "correlation": kept.correlation,
    }
    return {name: str(value) for name, value in given.items() if value}


def inbox_href(path: str = "/inbox", **query: str) -> str:
    """Returns the address of a list with its filters."""
    return f"{path}?{urlencode({name: value for name, value in query.items() if value})}"


def _asked(filters: Mapping[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {name: filters.get(name) for name in ("q", "type", "group", "assignee", "correlation")}
    if filters.get("tag"):
        given["tags"] = filters["tag"].split()
    if filters.get("status") == "any":
        given["every_status"] = True
    for name, kind in (("status", TaskStatus), ("priority", Priority), ("sort", TaskSort)):
        if filters.get(name) in list(kind):
            given[name] = kind(filters[name])
    return {name: value for name, value in given.items() if value is not None}


def _between(visit: Visit, filters: Mapping[str, str]) -> dict[str, Any]:
    """Returns when tasks were asked and completed; a list of days reads along the index of the newest."""
    found: dict[str, Any] = {}
    for name, field in (("asked", "created"), ("completed", "completed")):
        first, last = _day(filters.get(f"{name}_from")), _day(filters.get(f"{name}_until"))
        if first:
            found[f"{field}_after"] = midnight(visit, first)
        if last:
            found[f"{field}_before"] = midnight(visit, last + timedelta(days=1))
    return found if not found or filters.get("sort") else found | {"sort": TaskSort.NEWEST}


def midnight(visit: Visit, day: date) -> datetime:
    """Returns the moment at which a day begins where the caller is."""
    return datetime(day.year, day.month, day.day, tzinfo=visit.words.zone).astimezone(UTC)


def _day(typed: str | None) -> date | None:
    """Returns a day that was typed; None for none, and at the ends of the calendar, where no zone has whole years."""
    try:
        day = date.fromisoformat(typed) if typed else None
    except ValueError:
        return None
    return day if day is None or date.min.year < day.year < date.max.year else None


def _due(visit: Visit, window: str | None) -> dict[str, datetime]:
    now = datetime.now(visit.words.zone)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    ends = {"overdue": now, "today": midnight, "week": now + timedelta(days=7)}
    return {"due_before": ends[window].astimezone(UTC)} if window in ends else {}
