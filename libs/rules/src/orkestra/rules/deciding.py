"""What every decision has in common: due steps first, then who, in which state, and on which version."""

from collections.abc import Callable
from datetime import datetime

from orkestra.rules.changes import Change, Decision
from orkestra.rules.clocks import due, retimed
from orkestra.rules.permissions import may
from orkestra.rules.states import REASONS, step
from orkestra.v1.task import Task, TaskStatus
from orkestra.wire import Error, FailedPrecondition, Principal, VersionMismatch

Effect = Callable[[Task], Change | Error]


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
    return Decision(found.task, (*changes, found))


def refusal_of_state(operation: str, task: Task) -> FailedPrecondition | None:
    """Returns why the operation is not possible in the state of the task; None where it is."""
    outcome = step(task.status, operation)
    if isinstance(outcome, TaskStatus):
        return None
    return FailedPrecondition(outcome, REASONS[outcome].format(status=task.status), current=task)


def change(
    event: str, before: Task, after: Task, now: datetime, *, principal: Principal, reason: str | None = None
) -> Change:
    """Returns what the principal did, with the clocks as they follow from the status."""
    after = after.model_copy(update={"sla": retimed(after)})
    return Change(event, before, after, now, principal.subject, reason)
