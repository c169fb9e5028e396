"""Asking whoever wants a decision for changes, and their answer; meanwhile the clocks stand still."""

from datetime import datetime, timedelta
from typing import Any, Final

from orkestra.rules.changes import Change, Decision, changed
from orkestra.rules.clocks import reopened, stopped
from orkestra.rules.creation import check_text
from orkestra.rules.deciding import change, decide
from orkestra.rules.durations import parse_duration
from orkestra.rules.revising import revised
from orkestra.v1.task import AnswerTaskRequest, ChangeRequest, RequestChangesRequest, Task, TaskStatus
from orkestra.wire import Error, FailedPrecondition, FieldError, InvalidArgument, Principal

MAX_ROUNDS: Final = 5
ANSWER_WITHIN: Final = timedelta(hours=24)


def decide_request_changes(task: Task, principal: Principal, now: datetime, request: RequestChangesRequest) -> Decision:
    """Asks the requester; the task waits, until answer_by at the latest, and as often as its max_revisions says."""

    def effect(task: Task) -> Change | Error:
        errors = check_text("message", request.message)
        within = ANSWER_WITHIN
        try:
            within = parse_duration(request.answer_within) if request.answer_within else within
        except ValueError as exc:
            errors.append(FieldError("answer_within", "duration_invalid", str(exc)))
        if errors:
            return InvalidArgument("CHANGES_INVALID", "The changes cannot be asked for like this.", errors=errors)
        rounds, most = len(task.change_requests), task.max_revisions or MAX_ROUNDS
        if rounds >= most:
            rounds_said = "1 round" if most == 1 else f"{most} rounds"
            message = f"The task allows {rounds_said} of changes, and no more; now decide on it as it is."
            return FailedPrecondition("CHANGES_EXHAUSTED", message, current=task)
        asked = ChangeRequest(
            round=rounds + 1,
            message=request.message,
            asked_by=principal.subject,
            asked_at=now,
            answer_by=now + within,
        )
        values = {"change_requests": [*task.change_requests, asked], "sla": stopped(task.sla, asked.answer_by)}
        after = changed(task, now, status=TaskStatus.WAITING, **values)
        return change("changes_requested", task, after, now, principal=principal)

    return decide("request_changes", task, principal, now, version=request.version, effect=effect)


def decide_answer(task: Task, principal: Principal, now: datetime, request: AnswerTaskRequest) -> Decision:
    """Gives the task back to its reviewer with the answer and what it replaces; the clocks run on.

    New context or a new form is a new revision. The action stays where a new context names none, so that nobody takes
    four eyes off a task by answering.
    """

    def effect(task: Task) -> Change | Error:
        values, errors = _replaced(task, request)
        if errors:
            return InvalidArgument("ANSWER_INVALID", "The answer cannot be taken as it is.", errors=errors)
        answered = {"answer": request.message, "answered_at": now, "answered_by": principal.subject}
        after = changed(task, now, status=TaskStatus.CLAIMED, **values, **reopened(task, now, **answered))
        return change("answered", task, after, now, principal=principal)

    return decide("answer", task, principal, now, version=request.version, effect=effect)


def _replaced(task: Task, request: AnswerTaskRequest) -> tuple[dict[str, Any], list[FieldError]]:
    errors = check_text("message", request.message)
    values = revised(task, errors, context=request.context, form=request.form, draft=request.draft)
    return values, errors
