"""Whose work a task is: given back, given to others by a manager, handed on by whoever has it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from orkestra.rules.approvals import check_groups
from orkestra.rules.changes import Change, Decision, changed
from orkestra.rules.clocks import claim_restarted
from orkestra.rules.creation import check_candidates, check_text
from orkestra.rules.deciding import change, decide
from orkestra.rules.permissions import needs_four_eyes
from orkestra.rules.states import REASONS
from orkestra.v1.task import AssignTaskRequest, DelegateTaskRequest, ReleaseTaskRequest, Task, TaskStatus
from orkestra.wire import Error, FailedPrecondition, FieldError, InvalidArgument, Principal


def decide_release(task: Task, principal: Principal, now: datetime, request: ReleaseTaskRequest) -> Decision:
    """Puts a task back for its candidates, claimed or only given to one person; the time to claim begins again.

    Whoever was delegated to gives it back to the one who delegated.
    """

    def effect(task: Task) -> Change | Error:
        if task.assignee is None:
            reason = "TASK_NOT_CLAIMED"
            return FailedPrecondition(reason, REASONS[reason].format(status=task.status), current=task)
        back_to = task.delegated_by if task.assignee == principal.subject else None
        after = _given(task, now, assignee=back_to)
        return change("released", task, after, now, principal=principal)

    return decide("release", task, principal, now, version=request.version, effect=effect)


def decide_assign(task: Task, principal: Principal, now: datetime, request: AssignTaskRequest) -> Decision:
    """Gives the task to one person, to new candidates, or to both; people are named by their ids already.

    It is open then and its time to claim begins again. Candidates that are not named stay; where nobody in particular
    is, they may claim it.
    """

    def effect(task: Task) -> Change | Error:
        errors = check_text("reason", request.reason)
        errors += check_candidates(request.candidate_users, request.candidate_groups)
        candidates = {"candidate_users": request.candidate_users, "candidate_groups": request.candidate_groups}
        named = {name: list(dict.fromkeys(names)) for name, names in candidates.items()}
        values: dict[str, Any] = named if any(named.values()) else {}
        if values and task.approval_policy is not None:
            errors += check_groups(task.approval_policy, named["candidate_groups"], path="candidate_groups")
        if request.assignee is not None:
            errors += _barred(task, request.assignee)
        elif not values:
            errors.append(FieldError("assignee", "required", "Name a person, candidates, or both."))
        if errors:
            return InvalidArgument("ASSIGNMENT_INVALID", "The task cannot be assigned like this.", errors=errors)
        after = _given(task, now, assignee=request.assignee, **values)
        return change("assigned", task, after, now, principal=principal, reason=request.reason)

    return decide("assign", task, principal, now, version=request.version, effect=effect)


def decide_delegate(
    task: Task, principal: Principal, now: datetime, request: DelegateTaskRequest, *, groups: Iterable[str]
) -> Decision:
    """Hands the task to a candidate, named by id already; `groups` are those of that person.

    It is open then, for that person alone, and its time to claim begins again. A release gives it back.
    """

    def effect(task: Task) -> Change | Error:
        errors = [*check_text("reason", request.reason), *_barred(task, request.assignee)]
        if request.assignee == task.assignee:
            errors.append(FieldError("assignee", "already_assigned", "The task is this person's already."))
        elif request.assignee not in task.candidate_users and set(groups).isdisjoint(task.candidate_groups):
            errors.append(FieldError("assignee", "not_a_candidate", "Only candidates of the task take it on."))
        if errors:
            return InvalidArgument("ASSIGNMENT_INVALID", "The task cannot be delegated like this.", errors=errors)
        after = _given(task, now, assignee=request.assignee, delegated_by=task.assignee)
        return change("delegated", task, after, now, principal=principal, reason=request.reason)

    return decide("delegate", task, principal, now, version=request.version, effect=effect)


def _given(task: Task, now: datetime, *, delegated_by: str | None = None, **values: Any) -> Task:
    held = {"claimed_at": None, "acted_for": None, "delegated_by": delegated_by, "sla": claim_restarted(task.sla, now)}
    return changed(task, now, status=TaskStatus.OPEN, **held, **values)


def _barred(task: Task, user: str) -> Iterator[FieldError]:
    """Yield why a person could not decide on the task at all."""
    if user in task.excluded_users:
        yield FieldError("assignee", "excluded", "This person is excluded from deciding on the task.")
    if user in (task.requested_by, task.on_behalf_of) and needs_four_eyes(task):
        yield FieldError("assignee", "four_eyes", "Whoever asked for it cannot decide on it as well.")
