"""How a list is read: whose tasks are walked, what is held against each, and where a page begins."""

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from orkestra.rules.permissions import audiences_of
from orkestra.rules.states import LIVE
from orkestra.rules.terms import MAX_TERM, Term, words_of
from orkestra.v1.task import CountTasksRequest, ListTasksRequest, TaskFilter, TaskScope, TaskSort, TaskStatus
from orkestra.wire import FieldError, InvalidArgument, Principal

EVERYONE: Final = "all"
MAX_QUERY: Final = 200
MAX_WORDS: Final = 10
MAX_WANTED: Final = 10
FIRST: Final = {TaskSort.DUE: "-infinity", TaskSort.NEWEST: "infinity"}

Filters = ListTasksRequest | CountTasksRequest | TaskFilter
_BEHIND_FIGURES: Final = {
    *("created_after", "created_before", "completed_after", "completed_before"),
    *("breached", "escalated"),
}


@dataclass(frozen=True, slots=True)
class Audience:
    """Whose tasks are walked: all that they see or what is offered to them, of one type or of every."""

    name: str
    is_offered: bool = False
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Which audiences a list walks, and what it holds against each task it meets."""

    audiences: list["Audience"]
    group: str | None = None
    assignee: str | None = None
    statuses: list[TaskStatus] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    due_after: datetime | None = None
    due_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    completed_after: datetime | None = None
    completed_before: datetime | None = None
    breached: bool | None = None
    escalated: bool | None = None


def reading_of(principal: Principal, request: Filters, *, scope: TaskScope, assignee: str | None) -> Reading:
    """Return how to list what `principal` may see; the narrowest audience is walked, the rest are filters.

    Raises InvalidArgument with every filter that cannot be.
    """
    terms, faults = _wanted(request)
    if faults:
        message = f"{faults[0].path}: {faults[0].message}"
        raise InvalidArgument("REQUEST_INVALID", message, errors=faults)
    audiences, group = _walked(principal, request, scope=scope, assignee=assignee)
    return Reading(
        audiences=audiences,
        group=group,
        assignee=assignee,
        statuses=_statuses(request),
        terms=terms,
        due_after=request.due_after,
        due_before=request.due_before,
        **(request.model_dump(include=_BEHIND_FIGURES) if isinstance(request, ListTasksRequest) else {}),
    )


def page_token(sort: TaskSort, place: str, task_id: str) -> str:
    """Return the opaque text that stands for what was last on a page."""
    return base64.urlsafe_b64encode(json.dumps([sort, place, task_id]).encode()).decode().rstrip("=")


def place_of(sort: TaskSort, token: str | None) -> tuple[str, str]:
    """Return the time and the task id after which a page begins; refuses a token that is not of this order."""
    if token is None:
        return FIRST[sort], ""
    try:
        named, place, task_id = json.loads(
            base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        )
        if place != "infinity":
            datetime.fromisoformat(place)
        if named == sort:
            return place, str(task_id).replace("\x00", "")
    except (ValueError, TypeError, binascii.Error):
        pass
    message = "This is not a page token of this list."
    error = FieldError("page_token", "invalid", message)
    raise InvalidArgument("REQUEST_INVALID", f"page_token: {message}", errors=[error])


def _statuses(request: Filters) -> list[TaskStatus]:
    if request.status is not None:
        return [request.status]
    return sorted(TaskStatus if not isinstance(request, CountTasksRequest) and request.every_status else LIVE)


def _walked(
    principal: Principal, request: Filters, *, scope: TaskScope, assignee: str | None
) -> tuple[list[Audience], str | None]:
    """Return the audiences to walk, and the group that is still a filter."""
    seen = audiences_of(principal)
    group = None if request.group is None else f"group:{request.group}"
    places = [Audience(f"user:{person}", is_offered=True, type=name) for person, name in sorted_places(principal)]
    if scope == TaskScope.MINE:
        mine = [one for one in seen if not one.startswith("group:") and one != EVERYONE]
        return [*(Audience(one, is_offered=True) for one in mine), *places], group
    if scope == TaskScope.GROUPS:
        seen, places = [f"group:{name}" for name in sorted(principal.groups)], []
    elif EVERYONE in seen:
        seen, places = [EVERYONE], []
    if group is not None and (group in seen or EVERYONE in seen):
        return [Audience(group)], None
    if assignee is not None and EVERYONE in seen and group is None:
        return [Audience(f"user:{assignee}")], None
    return [*(Audience(one) for one in seen), *places], group


def sorted_places(principal: Principal) -> list[tuple[str, str | None]]:
    """Return whose place the principal takes, in one order."""
    return sorted(principal.stands_for, key=lambda place: (place[0], place[1] or ""))


def _wanted(request: Filters) -> tuple[list[Term], list[FieldError]]:
    """Return the terms that a task must have, and what is wrong with the filters."""
    faults = list(filter_faults(request))
    named = (("type", request.type), ("correlation", request.correlation), ("workflow", request.workflow_id))
    wanted: list[Term] = [(kind, name) for kind, name in named if name is not None]
    if request.priority is not None:
        wanted.append(("priority", request.priority.value))
    wanted += [("tag", tag) for tag in request.tags]
    wanted += [("data", value) for value in request.data]
    wanted += [("word", word) for word in words_of((request.q or "")[:MAX_QUERY], MAX_WORDS)]
    return list(dict.fromkeys(wanted)), faults


def filter_faults(request: Filters) -> Iterator[FieldError]:
    """Yields what is wrong with the filters of a list."""
    query = (request.q or "").strip()
    if len(query) > MAX_QUERY:
        yield FieldError("q", "too_long", f"At most {MAX_QUERY} characters.")
    elif query and not words_of(query, MAX_WORDS):
        yield FieldError("q", "no_words", "Name a word to search for.")
    for name in ("tags", "data"):
        if len(getattr(request, name)) > MAX_WANTED:
            yield FieldError(name, "too_many_items", f"At most {MAX_WANTED}.")
    for position, value in enumerate(request.data):
        if not value.partition("=")[0] or "=" not in value or len(value) > MAX_TERM:
            yield FieldError(f"data[{position}]", "invalid", "A path and a value, such as order.id=2041.")
