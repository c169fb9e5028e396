"""What every decision has in common: due steps first, then who, in which state, and on which version."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from orkestra import forms
from orkestra.rules.changes import Change, Decision
from orkestra.rules.clocks import due, retimed
from orkestra.rules.creation import as_field_errors
from orkestra.rules.permissions import may
from orkestra.rules.states import REASONS, step
from orkestra.v1.task import Receipt, Task, TaskStatus
from orkestra.wire import Error, FailedPrecondition, FieldError, Principal, VersionMismatch

Effect = Callable[[Task], Change | tuple[Change, ...] | Error]
Issue = Callable[[Task], Receipt | None]
LATE: Final = (TaskStatus.EXPIRED, TaskStatus.CANCELLED)


def decide(
    operation: str, task: Task, principal: Principal, now: datetime, *, version: int | None, effect: Effect
) -> Decision:
    """Performs what is due, then asks in turn: allowed, possible in this state, still the version that was seen."""
    changes = due(task, now)
    task = changes[-1].task if changes else task
    refusal = may(operation, principal, task) or refusal_of_state(operation, task)
    if refusal is None and version is not None and version != task.version:
        message = f"The task has changed since version {version}; it is now at {task.version}."
        refusal = VersionMismatch("VERSION_MISMATCH", message, current=task)
    if refusal is not None:
        return Decision(task, changes, refusal)
    found = effect(task)
    if isinstance(found, Error):
        return Decision(task, changes, found)
    found = found if isinstance(found, tuple) else (found,)
    return Decision(found[-1].task, (*changes, *found))


def refusal_of_state(operation: str, task: Task) -> FailedPrecondition | None:
    """Returns why the operation is not possible in the state of the task; None where it is."""
    outcome = step(task, operation)
    if isinstance(outcome, TaskStatus):
        return None
    return FailedPrecondition(outcome, REASONS[outcome].format(status=task.status), current=task)


def change(
    event: str, before: Task, after: Task, now: datetime, *, principal: Principal, reason: str | None = None
) -> Change:
    """Returns what the principal did, with the clocks as they follow from the status."""
    after = after.model_copy(update={"sla": retimed(after)})
    return Change(event, before, after, now, principal.subject, reason)


def refusal_of_revision(task: Task, revision: int | None) -> VersionMismatch | None:
    """Returns why an answer is not to what the task is now; None where it is, or nothing is said."""
    if revision is None or revision == task.revision:
        return None
    message = f"What you decide on has changed since revision {revision}; look at it again."
    return VersionMismatch("REVISION_MISMATCH", message, current=task)


def kept_late(decision: Decision, principal: Principal, now: datetime, answer: Mapping[str, Any]) -> Decision:
    """Returns the decision with an answer that came after the task expired or was cancelled kept in its history."""
    if not isinstance(decision.refusal, FailedPrecondition) or decision.task.status not in LATE:
        return decision
    late = Change("late_answer", decision.task, decision.task, now, principal.subject, details={"late_answer": answer})
    refusal = decision.refusal
    message = f"{refusal.message} Your answer is kept in its history."
    told = type(refusal)(refusal.reason, message, current=refusal.current)
    return Decision(decision.task, (*decision.changes, late), told)


def answer_errors(exc: forms.Invalid) -> list[FieldError]:
    """Returns what is wrong with an answer as errors of the request that holds it in `data`."""
    about_outcome = [each for each in exc.problems if each.code in ("outcome_required", "unknown_outcome")]
    about_data = [each for each in exc.problems if each not in about_outcome]
    return as_field_errors(about_outcome) + as_field_errors(about_data, "data")
