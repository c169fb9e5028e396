"""Votes on a task with an approval policy, and the decision that they come to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from orkestra import forms
from orkestra.rules.approvals import Voters, decided, standing
from orkestra.rules.changes import Change, Decision, changed
from orkestra.rules.creation import check_size
from orkestra.rules.deciding import Issue, answer_errors, change, decide, kept_late, refusal_of_revision
from orkestra.rules.permissions import is_barred
from orkestra.rules.undoing import ended_or_submitted
from orkestra.v1.task import DecidedBy, Task, TaskStatus, Vote, VoteChoice, VoteTaskRequest
from orkestra.wire import Error, FailedPrecondition, InvalidArgument, Principal


def decide_vote(  # noqa: PLR0913 - what is known of a vote beside the task
    task: Task,
    principal: Principal,
    now: datetime,
    request: VoteTaskRequest,
    *,
    locale: str = "en",
    issue: Issue | None = None,
    strangers: frozenset[str] = frozenset(),
    voters: Voters | None = None,
    window: timedelta = timedelta(),
) -> Decision:
    """Records the principal's vote in place of the one before, and completes the task where that decides it.

    `voters` are all to whom the task is offered, None where nobody knows them. The result is what the last voter of
    the winning side has filled in; for the length of `window` the vote that decides can be taken back. A vote that
    comes after the task expired or was cancelled is kept as late_answer.
    """
    errors = check_size(request.data, "data")

    def effect(task: Task) -> tuple[Change, ...] | Error:
        if task.approval_policy is None:
            message = "The task has no approval policy; complete it."
            return FailedPrecondition("TASK_TAKES_NO_VOTES", message, current=task)
        if errors:
            return InvalidArgument("DATA_INVALID", "The vote cannot be kept.", errors=errors)
        refusal = refusal_of_revision(task, request.revision)
        if refusal is not None:
            return refusal
        try:
            data = _checked(task, request, locale=locale, strangers=strangers)
        except forms.Invalid as exc:
            return InvalidArgument("DATA_INVALID", "The vote does not fit the form.", errors=answer_errors(exc))
        voted = _voted(task, principal, now, request.choice, data)
        choice = decided(task.approval_policy, voted.task.votes, _who_may_vote(task, voters))
        if choice is None:
            return (voted,)
        done = _completed(voted.task, now, choice, issue)
        return (voted, ended_or_submitted(voted.task, done, principal, now, window))

    decision = decide("vote", task, principal, now, version=request.version, effect=effect)
    answer = {"data": request.data, "outcome": request.choice.value}
    return decision if errors else kept_late(decision, principal, now, answer)


def _checked(task: Task, request: VoteTaskRequest, *, locale: str, strangers: frozenset[str]) -> dict[str, Any]:
    schema = task.form or forms.check(None)
    outcome = request.choice.value if forms.outcomes_of(schema) else None
    return forms.validate(schema, request.data, outcome, locale=locale, strangers=strangers)


def _voted(task: Task, principal: Principal, now: datetime, choice: VoteChoice, data: Mapping[str, Any]) -> Change:
    """Returns the change by a vote; it is the newest of all and the only one of its voter."""
    counted = set((task.approval_policy and task.approval_policy.from_groups) or {})
    groups = sorted(counted & principal.groups) if principal.kind == "user" else []
    vote = Vote(voter=principal.subject, choice=choice, data=dict(data), groups=groups, voted_at=now)
    votes = [each for each in task.votes if each.voter != principal.subject]
    after = changed(task, now, **standing(task, [*votes, vote]))
    return change("vote_cast", task, after, now, principal=principal)


def _completed(task: Task, now: datetime, choice: VoteChoice, issue: Issue | None) -> Task:
    ours = [vote for vote in task.votes if vote.choice == choice] or task.votes
    values = {"result": ours[-1].data, "outcome": choice.value, "completed_by": ours[-1].voter, "completed_at": now}
    ended = {"status": TaskStatus.COMPLETED, "decided_by": DecidedBy.PERSON, "saved": None, "saved_at": None}
    after = changed(task, now, **values, **ended)
    return after.model_copy(update={"receipt": issue(after) if issue else None})


def _who_may_vote(task: Task, voters: Voters | None) -> Voters | None:
    if voters is None or task.allow_agents:
        return None
    return {voter: groups for voter, groups in voters.items() if not is_barred(voter, task)}
