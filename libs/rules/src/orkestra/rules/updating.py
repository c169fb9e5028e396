"""Changes of a live task by a manager or whoever asked: how urgent, until when, under which tags, and what is asked."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from orkestra.rules.changes import Change, Decision, changed
from orkestra.rules.clocks import next_step, perform, without_policy
from orkestra.rules.creation import MAX_TEXT, check_tags
from orkestra.rules.deciding import change, decide
from orkestra.rules.revising import revised
from orkestra.rules.states import REASONS
from orkestra.rules.working_time import HORIZON
from orkestra.v1.task import EscalateTaskRequest, Sla, Task, TaskStatus, UpdateTaskRequest
from orkestra.wire import Error, FailedPrecondition, FieldError, InvalidArgument, Principal

_CONTENT: Final = ("title", "description", "context", "form")
_WHAT: Final = ("priority", "claim_by", "complete_by", "add_tags", "remove_tags", *_CONTENT)


def decide_update(task: Task, principal: Principal, now: datetime, request: UpdateTaskRequest) -> Decision:
    """Changes what the request gives and leaves the rest; new content is a new revision.

    A due time is one on the clock, whatever the calendar. On a task whose policy has no time to complete it is a goal:
    past it the task is breached and stays open.
    """

    def effect(task: Task) -> Change | Error:
        has_dates = request.claim_by is not None or request.complete_by is not None
        if has_dates and task.status == TaskStatus.WAITING:
            return FailedPrecondition("TASK_WAITING", REASONS["TASK_WAITING"], current=task)
        errors = [*_request_errors(request), *_date_errors(task, request, now)]
        content = {name: value for name in _CONTENT if (value := getattr(request, name)) is not None}
        values = revised(task, errors, **content) if content else {}
        values["tags"] = _tags(task, request, errors)
        if errors:
            return InvalidArgument("UPDATE_INVALID", "The task cannot be changed like this.", errors=errors)
        values["sla"] = _dated(task, request) if has_dates else task.sla
        after = changed(task, now, **values, priority=request.priority or task.priority)
        return change("updated", task, after, now, principal=principal, reason=request.reason)

    return decide("update", task, principal, now, version=request.version, effect=effect)


def decide_escalate(task: Task, principal: Principal, now: datetime, request: EscalateTaskRequest) -> Decision:
    """Performs the next step of the chain now; it is not performed again when its time comes."""

    def effect(task: Task) -> Change | Error:
        errors = list(_reason_errors(request.reason))
        if errors:
            return InvalidArgument("REASON_TOO_LARGE", "The reason is too long.", errors=errors)
        position = next_step(task)
        if position is None:
            return FailedPrecondition("NO_STEP_LEFT", "The chain of the task has no step left.", current=task)
        return replace(perform(task, position, now), actor=principal.subject, reason=request.reason)

    return decide("escalate", task, principal, now, version=request.version, effect=effect)


def _request_errors(request: UpdateTaskRequest) -> Iterator[FieldError]:
    if not any(getattr(request, name) not in (None, []) for name in _WHAT):
        yield FieldError("", "required", f"Say what changes: one of {', '.join(_WHAT)}.")
    yield from _reason_errors(request.reason)


def _reason_errors(reason: str | None) -> Iterator[FieldError]:
    if len((reason or "").encode(errors="replace")) > MAX_TEXT:
        yield FieldError("reason", "too_large", "At most 16 KiB.")


def _date_errors(task: Task, request: UpdateTaskRequest, now: datetime) -> Iterator[FieldError]:
    for name in ("claim_by", "complete_by"):
        at = getattr(request, name)
        if at is not None and not now < at < now + HORIZON:
            yield FieldError(name, "out_of_range", "A due time lies ahead, by less than 20 years.")
    if request.claim_by is not None and task.status != TaskStatus.OPEN:
        yield FieldError("claim_by", "not_running", "The time to claim runs only while the task is open.")


def _dated(task: Task, request: UpdateTaskRequest) -> Sla:
    sla = task.sla or without_policy(task.created_at)
    values: dict[str, Any] = {}
    if request.claim_by is not None:
        began = sla.claim_started_at or task.status_since or task.created_at
        values |= {"claim_by": request.claim_by, "claim_missed_at": None, "claim_started_at": began}
    if request.complete_by is not None:
        values |= {"complete_by": request.complete_by, "complete_missed_at": None}
    return sla.model_copy(update=values)


def _tags(task: Task, request: UpdateTaskRequest, errors: list[FieldError]) -> list[str]:
    errors += check_tags(request.add_tags, "add_tags")
    kept = [tag for tag in task.tags if tag not in request.remove_tags]
    tags = list(dict.fromkeys([*kept, *request.add_tags]))
    if len(tags) > len(task.tags):
        errors += check_tags(tags)
    return tags
