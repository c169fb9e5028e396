"""The clocks of a task: what is due when, and what a due step does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orkestra.rules.changes import Change, changed
from orkestra.rules.durations import offset, parse_duration
from orkestra.rules.states import LIVE
from orkestra.rules.states import step as next_status
from orkestra.v1.task import (
    Assignment,
    DecidedBy,
    EscalationStep,
    Sla,
    SlaClock,
    SlaEnd,
    SlaPolicy,
    Task,
    TaskStatus,
)


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A point in time that a clock is heading for. Steps come before a breach or the end at the same time."""

    at: datetime
    rank: int
    position: int = -1


_STEP, _CLAIM_MISSED, _END, _ANSWER_MISSED = 0, 1, 2, 3


def start(policy: SlaPolicy, now: datetime) -> Sla:
    """Returns the clocks of a policy that `check_policy` has let pass, both started now."""
    sla = Sla(policy=policy, breached=False, escalation_level=0, claim_started_at=now, complete_started_at=now)
    return _timed(
        sla.model_copy(
            update={"claim_by": _add(now, policy.claim), "complete_by": _add(now, policy.complete)},
        ),
        TaskStatus.OPEN,
    )


def moments(sla: Sla, status: TaskStatus) -> Iterator[Moment]:
    """Yields what the clocks are heading for, in no order: nothing after the end, the answer alone while it waits."""
    if status == TaskStatus.WAITING and sla.answer_by:
        yield Moment(sla.answer_by, _ANSWER_MISSED)
    if status not in LIVE or status == TaskStatus.WAITING:
        return
    is_open = status == TaskStatus.OPEN
    for position, step in enumerate(sla.policy.escalate):
        if position not in sla.performed_steps and (is_open or step.clock != SlaClock.CLAIM):
            yield Moment(step_at(sla, step), _STEP, position)
    if is_open and sla.claim_by and not sla.breached:
        yield Moment(sla.claim_by, _CLAIM_MISSED)
    if sla.complete_by and not (sla.policy.at_end == SlaEnd.KEEP and sla.breached):
        yield Moment(sla.complete_by, _END)


def step_at(sla: Sla, step: EscalationStep) -> datetime:
    """Returns when a step is due, measured from the start of its clock as it last began."""
    is_claim = step.clock == SlaClock.CLAIM
    began = sla.claim_started_at if is_claim else sla.complete_started_at
    total = sla.policy.claim if is_claim else sla.policy.complete
    if began is None:
        raise ValueError("A clock that has never been started has no steps.")
    return began + offset(step.after, parse_duration(total) if total else None)


def due(task: Task, now: datetime) -> tuple[Change, ...]:
    """Returns what the clocks do by `now`, performed in order, each step once. A moment is due when it has come."""
    changes: list[Change] = []
    while True:
        change = _next_change(task, now)
        if change is None:
            return tuple(changes)
        changes.append(change)
        task = change.task


def wake_in(task: Task, now: datetime) -> timedelta | None:
    """Returns how long until a clock has something to do; zero where it has already; None where it never will."""
    if task.sla is None:
        return None
    found = min(moments(task.sla, task.status), default=None)
    return None if found is None else max(timedelta(), found.at - now)


def retimed(task: Task) -> Sla | None:
    """Returns the clocks with `next_step_at` as it follows from the status."""
    return task.sla and _timed(task.sla, task.status)


def claim_restarted(sla: Sla | None, now: datetime) -> Sla | None:
    """Returns the clocks with the time to claim begun again; the time to complete runs on."""
    if sla is None:
        return None
    return sla.model_copy(update={"claim_started_at": now, "claim_by": _add(now, sla.policy.claim)})


def stopped(sla: Sla | None, answer_by: datetime) -> Sla:
    """Returns the clocks of a task that waits for its requester. A task without a policy has but this one."""
    if sla is None:
        sla = Sla(policy=SlaPolicy(), breached=False, escalation_level=0)
    return sla.model_copy(update={"answer_by": answer_by})


def reopened(task: Task, at: datetime, **answered: Any) -> dict[str, Any]:
    """Returns the fields of a waiting task that goes back to its reviewer at `at`, answered or not.

    Every deadline moves by the time that the clocks stood still.
    """
    *before, asked = task.change_requests
    closed = asked.model_copy(update={**answered, "closed_at": at})
    return {"change_requests": [*before, closed], "sla": _moved(task.sla, at - asked.asked_at)}


def _moved(sla: Sla | None, duration: timedelta) -> Sla | None:
    if sla is None or sla.policy == SlaPolicy():
        return None
    moments = ("claim_by", "complete_by", "claim_started_at", "complete_started_at")
    moved = {name: at + duration for name in moments if (at := getattr(sla, name)) is not None}
    return sla.model_copy(update={**moved, "answer_by": None})


def _timed(sla: Sla, status: TaskStatus) -> Sla:
    found = min(moments(sla, status), default=None)
    return sla.model_copy(update={"next_step_at": found and found.at})


def _add(now: datetime, duration: str | None) -> datetime | None:
    return now + parse_duration(duration) if duration else None


def _next_change(task: Task, now: datetime) -> Change | None:
    moment = min(moments(task.sla, task.status), default=None) if task.sla else None
    if moment is None or moment.at > now or task.sla is None:
        return None
    if moment.rank == _ANSWER_MISSED:
        after = changed(task, now, status=next_status(task.status, "take_back"), **reopened(task, moment.at))
        after = after.model_copy(update={"sla": retimed(after)})
        return Change("updated", task, after, now, reason="Nobody answered in time.")
    if moment.rank == _STEP:
        return _performed(task, task.sla, moment.position, now)
    if moment.rank == _CLAIM_MISSED or task.sla.policy.at_end == SlaEnd.KEEP:
        return _told(task, "sla_breached", now, sla=task.sla.model_copy(update={"breached": True}))
    return _ended(task, task.sla, now)


def _ended(task: Task, sla: Sla, now: datetime) -> Change:
    sla = sla.model_copy(update={"breached": True})
    if sla.policy.at_end != SlaEnd.DEFAULT:
        return _told(task, "expired", now, status=next_status(task.status, "expire"), sla=sla)
    answer = {"result": sla.policy.default_result, "outcome": sla.policy.default_outcome}
    decided = {"decided_by": DecidedBy.POLICY, "completed_at": now}
    status = next_status(task.status, "decide_by_policy")
    return _told(task, "completed", now, status=status, sla=sla, **answer, **decided)


def _performed(task: Task, sla: Sla, position: int, now: datetime) -> Change:
    step = sla.policy.escalate[position]
    performed = [*sla.performed_steps, position]
    sla = sla.model_copy(update={"performed_steps": performed, "escalation_level": len(performed)})
    values: dict[str, Any] = {}
    if step.priority:
        values["priority"] = step.priority
    if step.assign_to:
        sla = claim_restarted(sla, now) or sla
        values |= {**assigned(step.assign_to), "status": next_status(task.status, "reassign"), "claimed_at": None}
    if step.add_group:
        groups = values.get("candidate_groups", task.candidate_groups)
        values["candidate_groups"] = groups if step.add_group in groups else [*groups, step.add_group]
    event = "escalated" if values else "reminder_due"
    change = _told(task, event, now, sla=sla, **values)
    return Change(event, task, change.task, now, step=step)


def assigned(assignment: Assignment) -> dict[str, Any]:
    """Returns the fields that an assignment sets: one person alone is the assignee, others are candidates."""
    if len(assignment.users) == 1 and not assignment.groups:
        return {"assignee": assignment.users[0], "candidate_users": [], "candidate_groups": []}
    users, groups = list(assignment.users), list(assignment.groups)
    return {"assignee": None, "candidate_users": users, "candidate_groups": groups}


def _told(task: Task, event: str, now: datetime, **values: Any) -> Change:
    after = changed(task, now, **values)
    after = after.model_copy(update={"sla": retimed(after)})
    return Change(event, task, after, now)
