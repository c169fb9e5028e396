"""Every decision about a task: what it was, who asks, what time it is; out come the changes or a refusal."""

from datetime import datetime, timedelta
from typing import Any

from orkestra import forms
from orkestra.rules.actions import digests_of
from orkestra.rules.approvals import Voters, check_reachable, resolved, tally_of
from orkestra.rules.calendars import pinned
from orkestra.rules.changes import Change, Decision, changed
from orkestra.rules.clocks import due, last_moment, retimed, start, wake_in
from orkestra.rules.creation import MAX_TEXT, check_create, check_size
from orkestra.rules.deciding import Issue, answer_errors, change, decide, kept_late, refusal_of_revision
from orkestra.rules.ids import mint_task_id
from orkestra.rules.permissions import is_barred, is_installation, may
from orkestra.rules.provenance import provenance_of
from orkestra.rules.states import REASONS, step
from orkestra.rules.substitutes import acting_for, stood_for
from orkestra.rules.undoing import ended_or_submitted
from orkestra.rules.working_time import HORIZON
from orkestra.v1.task import (
    ApprovalPolicy,
    Calendar,
    CancelTaskRequest,
    ClaimTaskRequest,
    ClockState,
    CompleteTaskRequest,
    CreateTaskRequest,
    DecidedBy,
    Priority,
    Sla,
    Task,
    TaskStatus,
)
from orkestra.wire import (
    Error,
    FailedPrecondition,
    FieldError,
    InvalidArgument,
    PermissionDenied,
    Principal,
)


def decide_create(
    request: CreateTaskRequest,
    principal: Principal,
    now: datetime,
    *,
    tenant_id: str,
    random_bits: int,
    calendar: Calendar | None = None,
    voters: Voters | None = None,
) -> Decision:
    """Returns the task to store. People are named by their ids already; `calendar` is the one that the policy names.

    `voters` are all to whom a task with an approval policy is offered, None where nobody knows them.

    Raises InvalidArgument TASK_INVALID with every error, and PermissionDenied where the principal may not ask, may not
    ask for that person, or names a run without being a worker.
    """
    _refuse_create(request, principal)
    schema, errors = check_create(request, has_calendar=calendar is not None)
    sla = None if errors else _started(request, schema, now, calendar)
    errors += _distance_errors(sla, now)
    if errors:
        raise InvalidArgument("TASK_INVALID", "The task cannot be opened as it is.", errors=errors)
    bound = digests_of(request.title, request.description, request.context, schema)
    task = Task(
        task_id=request.task_id or mint_task_id(now, random_bits),
        tenant_id=tenant_id,
        status=TaskStatus.OPEN,
        version=1,
        revision=1,
        created_at=now,
        updated_at=now,
        status_since=now,
        form=schema,
        priority=request.priority or Priority.NORMAL,
        requested_by=(request.requested_by if is_installation(principal) else None) or principal.subject,
        sla=sla,
        action_digest=bound and bound.action,
        **_as_asked(request),
        **_as_approved(request.approval_policy),
    )
    errors = _voter_errors(task, voters)
    if errors:
        raise InvalidArgument("TASK_INVALID", "The task cannot be opened as it is.", errors=errors)
    return Decision(task, (Change("created", None, task, now, principal.subject),))


def decide_claim(task: Task, principal: Principal, now: datetime, request: ClaimTaskRequest) -> Decision:
    """Gives an open task to the principal."""

    def effect(task: Task) -> Change:
        held = {"assignee": principal.subject, "acted_for": acting_for(principal, task), "claimed_at": now}
        after = changed(task, now, status=TaskStatus.CLAIMED, **held)
        return change("claimed", task, after, now, principal=principal)

    return decide("claim", task, principal, now, version=request.version, effect=effect)


def decide_complete(
    task: Task,
    principal: Principal,
    now: datetime,
    request: CompleteTaskRequest,
    *,
    locale: str = "en",
    issue: Issue | None = None,
    strangers: frozenset[str] = frozenset(),
    window: timedelta = timedelta(),
) -> Decision:
    """Records the answer of the assignee, or of a candidate who claims by it.

    `issue` makes the receipt of a task with an action; `strangers` are people and groups that the tenant does not have;
    for the length of `window` the answer can be taken back.
    An answer that does not fit the form is refused (InvalidArgument DATA_INVALID) with every error. One that comes
    after the task expired or was cancelled is kept as the change late_answer and refused.
    """
    errors = check_size(request.data, "data")

    def effect(task: Task) -> Change | Error:
        if errors:
            return InvalidArgument("DATA_INVALID", "The answer cannot be kept.", errors=errors)
        refusal = _is_passed_by(task, principal, request)
        if refusal is not None:
            return refusal
        schema = task.form or forms.check(None)
        try:
            result = forms.validate(schema, request.data, request.outcome, locale=locale, strangers=strangers)
        except forms.Invalid as exc:
            return InvalidArgument("DATA_INVALID", "The answer does not fit the form.", errors=answer_errors(exc))
        values = {"result": result, "outcome": request.outcome, "completed_by": principal.subject}
        values["acted_for"] = acting_for(principal, task)
        held = {"assignee": principal.subject, "claimed_at": task.claimed_at or now, "completed_at": now}
        decided = {"status": TaskStatus.COMPLETED, "decided_by": DecidedBy.PERSON, "saved": None, "saved_at": None}
        after = changed(task, now, **values, **held, **decided)
        after = after.model_copy(update={"receipt": issue(after) if issue else None})
        return ended_or_submitted(task, after, principal, now, window)

    decision = decide("complete", task, principal, now, version=request.version, effect=effect)
    answer = {"data": request.data, "outcome": request.outcome}
    return decision if errors else kept_late(decision, principal, now, answer)


def decide_cancel(task: Task, principal: Principal, now: datetime, request: CancelTaskRequest) -> Decision:
    """Ends a live task without an answer."""

    def effect(task: Task) -> Change | Error:
        if len((request.reason or "").encode(errors="replace")) > MAX_TEXT:
            errors = [FieldError("reason", "too_large", "At most 16 KiB.")]
            return InvalidArgument("REASON_TOO_LARGE", "The reason is too long.", errors=errors)
        after = changed(task, now, status=TaskStatus.CANCELLED, reason=request.reason)
        return change("cancelled", task, after, now, principal=principal, reason=request.reason)

    return decide("cancel", task, principal, now, version=request.version, effect=effect)


def decide_advance(task: Task, principal: Principal, now: datetime) -> Decision:
    """Performs what is due. For workers; anyone else is refused and changes nothing."""
    refusal = may("advance", principal, task)
    if refusal:
        return Decision(task, refusal=refusal)
    changes = due(task, now)
    return Decision(changes[-1].task if changes else task, changes)


def end_with_run(task: Task, now: datetime, reason: str) -> Decision:
    """Cancels what is live of a run that has ended. What is due comes first; what was answered stays as it is."""
    changes = due(task, now)
    task = changes[-1].task if changes else task
    if step(task, "cancel") != TaskStatus.CANCELLED:
        return Decision(task, changes)
    after = changed(task, now, status=TaskStatus.CANCELLED, reason=reason)
    after = after.model_copy(update={"sla": retimed(after)})
    return Decision(after, (*changes, Change("cancelled", task, after, now, None, reason)))


def clock_state(task: Task, now: datetime) -> ClockState:
    """Returns what AdvanceClock answers for a task whose due steps have been performed."""
    return ClockState(
        task_id=task.task_id,
        status=task.status,
        version=task.version,
        wake_in=wake_in(task, now),
        result=task.result,
        outcome=task.outcome,
        completed_by=task.completed_by,
        decided_by=task.decided_by,
        reason=task.reason,
        receipt=task.receipt,
        change_request=task.change_requests[-1] if task.status == TaskStatus.WAITING else None,
        provenance=provenance_of(task),
    )


def _is_passed_by(task: Task, principal: Principal, request: CompleteTaskRequest) -> Error | None:
    """Returns why the answer is not to what the task is now, or not the holder's."""
    if task.approval_policy is not None:
        return FailedPrecondition("VOTES_DECIDE", "Votes decide on this task; cast yours.", current=task)
    refusal = refusal_of_revision(task, request.revision)
    if refusal is not None:
        return refusal
    if task.status == TaskStatus.CLAIMED and task.assignee not in {principal.subject, *stood_for(principal, task)}:
        reason = "TASK_CLAIMED_BY_ANOTHER"
        return FailedPrecondition(reason, REASONS[reason], current=task)
    return None


def _refuse_create(request: CreateTaskRequest, principal: Principal) -> None:
    if principal.roles <= {"auditor"} and not is_installation(principal):
        raise PermissionDenied("CREATE_NOT_ALLOWED", "Your role does not allow asking for tasks.")
    if is_installation(principal):
        return
    if request.workflow_id or request.first_run_id or request.requested_by:
        raise PermissionDenied("RUN_NOT_YOURS", "Only a worker opens tasks in the name of a run or of someone else.")
    if principal.kind == "agent" and request.allow_agents:
        raise PermissionDenied("AGENTS_NOT_ALLOWED", "An agent cannot let agents decide; leave allow_agents out.")
    person = request.on_behalf_of
    is_self = principal.kind == "user" and person == principal.subject
    if person and not is_self and principal.on_behalf_of.isdisjoint({person, "*"}):
        raise PermissionDenied("ON_BEHALF_OF_NOT_GRANTED", "Your key was not granted to act for this person.")


def _as_asked(request: CreateTaskRequest) -> dict[str, Any]:
    asked = {
        name: getattr(request, name)
        for name in (
            "workflow_id",
            "first_run_id",
            "key",
            "on_behalf_of",
            "title",
            "description",
            "type",
            "correlation",
            "context",
            "input",
            "draft",
            "assignee",
            "max_revisions",
            "four_eyes",
        )
    }
    lists = ("tags", "candidate_users", "candidate_groups", "excluded_users", "allow_agents")
    return asked | {name: list(dict.fromkeys(getattr(request, name))) for name in lists}


def _as_approved(policy: ApprovalPolicy | None) -> dict[str, Any]:
    if policy is None:
        return {}
    policy = resolved(policy)
    return {"approval_policy": policy, "tally": tally_of(policy, [])}


def _voter_errors(task: Task, voters: Voters | None) -> list[FieldError]:
    if task.approval_policy is None or voters is None or task.allow_agents:
        return []
    fit = [groups for voter, groups in voters.items() if not is_barred(voter, task)]
    return list(check_reachable(task.approval_policy, fit))


def _started(
    request: CreateTaskRequest, schema: dict[str, Any], now: datetime, calendar: Calendar | None
) -> Sla | None:
    policy = request.sla
    if policy is None:
        return None
    if policy.default_result is not None:
        result = forms.validate(schema, policy.default_result, policy.default_outcome)
        policy = policy.model_copy(update={"default_result": result})
    if calendar is None:
        return start(policy, now)
    return start(policy, now, hours=pinned(calendar, now), calendar_version=calendar.version)


def _distance_errors(sla: Sla | None, now: datetime) -> list[FieldError]:
    last = None if sla is None else last_moment(sla)
    if last is None or last < now + HORIZON:
        return []
    return [FieldError("sla.calendar", "open_too_seldom", "On this calendar a deadline would be 20 years away.")]
