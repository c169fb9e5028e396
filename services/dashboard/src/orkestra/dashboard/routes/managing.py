"""What is done with a task beside answering it: hand it on, give it to somebody, push it up, change it, end it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from fastapi.responses import Response
from orkestra.dashboard.routes.fields import Option
from orkestra.dashboard.routes.kinds import typed_moment
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.pickers import groups_of, people_of
from orkestra.dashboard.routes.task import LIVE, Seen, look, show
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.task import (
    AssignTaskRequest,
    CancelTaskRequest,
    DelegateTaskRequest,
    EscalateTaskRequest,
    Priority,
    Task,
    UpdateTaskRequest,
)
from orkestra.wire import Error, Unauthenticated


async def manage(visit: Visit) -> Response:
    """Shows what the caller may do with the task beside answering it."""
    return await _page(visit, await look(visit))


async def assign(visit: Visit) -> Response:
    """Gives the task to a person or to groups."""
    request = AssignTaskRequest(
        task_id=_task_id(visit),
        assignee=visit.value("assignee"),
        candidate_groups=visit.values("candidate_groups"),
        reason=visit.value("reason") or "",
    )
    return await _done(visit, lambda: visit.tasks.assign_task(request, request_id=visit.request_id))


async def delegate(visit: Visit) -> Response:
    """Hands the caller's task to somebody who may do it too."""
    request = DelegateTaskRequest(
        task_id=_task_id(visit), assignee=visit.value("assignee") or "", reason=visit.value("reason") or ""
    )
    return await _done(visit, lambda: visit.tasks.delegate_task(request, request_id=visit.request_id))


async def escalate(visit: Visit) -> Response:
    """Performs the next step of the chain now."""
    request = EscalateTaskRequest(task_id=_task_id(visit), reason=visit.value("reason"))
    return await _done(visit, lambda: visit.tasks.escalate_task(request, request_id=visit.request_id))


async def change(visit: Visit) -> Response:
    """Changes priority, due time and tags."""
    priority = visit.value("priority")
    request = UpdateTaskRequest(
        task_id=_task_id(visit),
        priority=Priority(priority) if priority in list(Priority) else None,
        complete_by=_moment(visit, visit.value("complete_by")),
        add_tags=(visit.value("add_tags") or "").split(),
        remove_tags=(visit.value("remove_tags") or "").split(),
        reason=visit.value("reason"),
    )
    return await _done(visit, lambda: visit.tasks.update_task(request, request_id=visit.request_id))


async def cancel_task(visit: Visit) -> Response:
    """Ends the task without an answer."""
    request = CancelTaskRequest(task_id=_task_id(visit), reason=visit.value("reason"))
    return await _done(visit, lambda: visit.tasks.cancel_task(request, request_id=visit.request_id))


async def _done(visit: Visit, send: Callable[[], Awaitable[Task]]) -> Response:
    try:
        await send()
    except Unauthenticated:
        raise
    except Error as refused:
        seen = await look(visit)
        words = visit.words
        faults = (f"{words.place(error)}: {words.fault(error)}" for error in refused.errors)
        told = " ".join(faults) or words.refusal(refused)
        if seen.managing and seen.task.status in LIVE:
            return await _page(visit, seen, status=refused.http_status, problem=told)
        return await show(visit, seen, status=refused.http_status, problem=told)
    return go(f"/tasks/{_task_id(visit)}")


async def _page(visit: Visit, seen: Seen, *, status: int = 200, problem: str | None = None) -> Response:
    people: list[Option] | None = None
    groups: list[Option] | None = None
    if seen.managing & {"assign", "delegate"}:
        people, groups = await asyncio.gather(people_of(visit), groups_of(visit))
    return await visit.page(
        "manage.html",
        status=status,
        current="inbox",
        task=seen.task,
        managing=seen.managing if seen.task.status in LIVE else frozenset(),
        people=people,
        groups=groups,
        problem=problem,
        typed=_typed(visit),
        priorities=[(each.value, visit.words.priority(each.value)) for each in Priority],
    )


def _typed(visit: Visit) -> dict[str, Any]:
    names = ("assignee", "reason", "priority", "complete_by", "add_tags", "remove_tags")
    return {name: visit.value(name) or "" for name in names}


def _moment(visit: Visit, typed: str | None) -> datetime | None:
    """Returns a moment that was typed in the person's zone."""
    try:
        return typed_moment(typed, visit.words.zone)
    except ValueError:
        return None


def _task_id(visit: Visit) -> str:
    return str(visit.request.path_params["task_id"])
