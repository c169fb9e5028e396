"""The undo window: an answer that is given and can be taken back until its time is over."""

from datetime import datetime, timedelta
from typing import Any, Final

from orkestra.rules.approvals import standing
from orkestra.rules.changes import Change, Decision, changed
from orkestra.rules.creation import MAX_TEXT
from orkestra.rules.deciding import change, decide
from orkestra.v1.task import PutTaskSettingsRequest, Submission, Task, TaskStatus, UndoTaskRequest
from orkestra.wire import Error, FieldError, InvalidArgument, Principal

LONGEST_WINDOW: Final = timedelta(hours=1)


def ended_or_submitted(task: Task, done: Task, principal: Principal, now: datetime, window: timedelta) -> Change:
    """Returns the end of a task that is `done`, or, where there is an undo window, the answer that waits for its end.

    Until then the task is live and nobody else hears what was answered; nothing but taking it back changes it.
    """
    if not window:
        return change("completed", task, done, now, principal=principal)
    submission = Submission(
        completed_by=done.completed_by or principal.subject,
        submitted_by=principal.subject,
        submitted_at=now,
        undo_until=now + window,
        acted_for=done.acted_for,
        outcome=done.outcome,
        result=done.result,
        receipt=done.receipt,
    )
    values: dict[str, Any] = {"submission": submission}
    if task.approval_policy is None:
        held = {name: getattr(done, name) for name in ("assignee", "claimed_at", "acted_for")}
        values |= {"status": TaskStatus.CLAIMED, **held}
    return change("submitted", task, changed(task, now, **values), now, principal=principal)


def decide_undo(task: Task, principal: Principal, now: datetime, request: UndoTaskRequest) -> Decision:
    """Takes the answer back: its person holds the task again, with what they had filled in as partial values.

    Where votes decided, the vote that did is gone. The clocks run on as if nothing had been answered.
    """

    def effect(task: Task) -> Change | Error:
        if len((request.reason or "").encode(errors="replace")) > MAX_TEXT:
            errors = [FieldError("reason", "too_large", "At most 16 KiB.")]
            return InvalidArgument("REASON_TOO_LARGE", "The reason is too long.", errors=errors)
        after = changed(task, now, submission=None, **_as_before(task, now))
        return change("undone", task, after, now, principal=principal, reason=request.reason)

    return decide("undo", task, principal, now, version=request.version, effect=effect)


def check_settings(request: PutTaskSettingsRequest) -> list[FieldError]:
    """Returns what is wrong with a tenant's settings of tasks."""
    most = int(LONGEST_WINDOW.total_seconds())
    if 0 <= request.undo_seconds <= most:
        return []
    return [FieldError("undo_seconds", "out_of_range", f"0 to {most} seconds.")]


def _as_before(task: Task, now: datetime) -> dict[str, Any]:
    given = task.submission
    if given is None:
        return {}
    if task.approval_policy is not None:
        return standing(task, [vote for vote in task.votes if vote.voter != given.submitted_by])
    return {"saved": given.result, "saved_at": now}
