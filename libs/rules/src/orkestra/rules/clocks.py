"""The clocks of a task: what is due when, and what a due step does."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orkestra.rules.changes import Change, changed
from orkestra.rules.durations import offset, parse_duration
from orkestra.rules.states import LIVE
from orkestra.rules.states import step as next_status
from orkestra.rules.working_time import WorkingTime, working_time
from orkestra.v1.task import (
    Assignment,
    DecidedBy,
    EscalationStep,
    Sla,
    SlaClock,
    SlaEnd,
    SlaPolicy,
    Submission,
    Task,
    TaskStatus,
    WorkingHours,
)


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """A point in time that a clock is heading for. Steps come before a breach or the end at the same time."""

    at: datetime
    rank: int
    position: int = -1


_STEP, _CLAIM_MISSED, _END, _ANSWER_MISSED = 0, 1, 2, 3


def start(
    policy: SlaPolicy, now: datetime, *, hours: WorkingHours | None = None, calendar_version: int | None = None
) -> Sla:
    """Returns the clocks of a policy that `check_policy` has let pass, both started now and measured on the hours."""
    counting = working_time(hours)
    sla = Sla(
        policy=policy,
        claim_by=_add(counting, now, policy.claim),
        complete_by=_add(counting, now, policy.complete),
        breached=False,
        escalation_level=0,
        claim_started_at=now,
        complete_started_at=now,
        hours=hours,
        calendar_version=calendar_version,
    )
    return _timed(sla, TaskStatus.OPEN)


def moments(sla: Sla, status: TaskStatus) -> Iterator[Moment]:
    """Yields what the clocks are heading for, in no order: nothing after the end, the answer alone while it waits."""
    if status == TaskStatus.WAITING and sla.answer_by:
        yield Moment(sla.answer_by, _ANSWER_MISSED)
    if status not in LIVE or status == TaskStatus.WAITING:
        return
    is_open, counting = status == TaskStatus.OPEN, working_time(sla.hours)
    for position, step in enumerate(sla.policy.escalate):
        if position not in sla.performed_steps and (is_open or step.clock != SlaClock.CLAIM):
            yield Moment(_step_at(sla, step, counting), _STEP, position)
    if is_open and sla.claim_by and sla.claim_missed_at is None:
        yield Moment(sla.claim_by, _CLAIM_MISSED)
    if sla.complete_by and sla.complete_missed_at is None:
        yield Moment(sla.complete_by, _END)


def last_moment(sla: Sla) -> datetime | None:
    """Returns the latest moment that new clocks are heading for."""
    found = max(moments(sla, TaskStatus.OPEN), default=None)
    return None if found is None else found.at


def next_step(task: Task) -> int | None:
    """Returns the position of the step of the chain that comes next; None where none is left."""
    if task.sla is None:
        return None
    steps = [moment for moment in moments(task.sla, task.status) if moment.rank == _STEP]
    return min(steps).position if steps else None


def _step_at(sla: Sla, step: EscalationStep, counting: WorkingTime) -> datetime:
    """Returns when a step is due, measured from the start of its clock as it last began; a share is one of its time."""
    is_claim = step.clock == SlaClock.CLAIM
    began = sla.claim_started_at if is_claim else sla.complete_started_at
    by = sla.claim_by if is_claim else sla.complete_by
    if began is None:
        raise ValueError("A clock that has never been started has no steps.")
    return counting.after(began, offset(step.after, counting.between(began, by) if by else None))


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
    at = next_at(task)
    return None if at is None else max(timedelta(), at - now)


def next_at(task: Task) -> datetime | None:
    """Returns when a clock has something to do next: the end of the undo window alone, where there is an answer."""
    if task.submission is not None:
        return task.submission.undo_until
    found = min(moments(task.sla, task.status), default=None) if task.sla else None
    return None if found is None else found.at


def retimed(task: Task) -> Sla | None:
    """Returns the clocks with `next_step_at` as it follows from the status."""
    if task.sla is not None and task.submission is not None:
        return task.sla.model_copy(update={"next_step_at": None})
    return task.sla and _timed(task.sla, task.status)


def claim_restarted(sla: Sla | None, now: datetime) -> Sla | None:
    """Returns the clocks with the time to claim begun again; the time to complete runs on."""
    if sla is None:
        return None
    claim_by = _add(working_time(sla.hours), now, sla.policy.claim)
    return sla.model_copy(update={"claim_started_at": now, "claim_by": claim_by, "claim_missed_at": None})


def stopped(sla: Sla | None, answer_by: datetime) -> Sla:
    """Returns the clocks of a task that waits for its requester. A task without a policy has but this one."""
    return (sla or without_policy(None)).model_copy(update={"answer_by": answer_by})


def without_policy(began: datetime | None) -> Sla:
    """Returns the clocks of a task without a policy: nothing runs but what is set by hand, and nothing ever ends it."""
    return Sla(policy=SlaPolicy(), breached=False, escalation_level=0, complete_started_at=began)


def reopened(task: Task, at: datetime, **answered: Any) -> dict[str, Any]:
    """Returns the fields of a waiting task that goes back to its reviewer at `at`, answered or not.

    Every deadline moves by what its calendar counts of the time that the clocks stood still.
    """
    *before, asked = task.change_requests
    closed = asked.model_copy(update={**answered, "closed_at": at})
    return {"change_requests": [*before, closed], "sla": _moved(task.sla, asked.asked_at, at)}


def _moved(sla: Sla | None, stopped_at: datetime, at: datetime) -> Sla | None:
    if sla is None or (sla.policy == SlaPolicy() and sla.complete_by is None and sla.claim_by is None):
        return None
    counting = working_time(sla.hours)
    paused = counting.between(stopped_at, at)
    names = ("claim_by", "complete_by", "claim_started_at", "complete_started_at")
    moved = {name: counting.after(old, paused) for name in names if (old := getattr(sla, name)) is not None}
    return sla.model_copy(update={**moved, "answer_by": None})


def _timed(sla: Sla, status: TaskStatus) -> Sla:
    found = min(moments(sla, status), default=None)
    return sla.model_copy(update={"next_step_at": found and found.at})


def _add(counting: WorkingTime, now: datetime, duration: str | None) -> datetime | None:
    return counting.after(now, parse_duration(duration)) if duration else None


def _next_change(task: Task, now: datetime) -> Change | None:
    if task.submission is not None:
        return None if task.submission.undo_until > now else _settled(task, task.submission, now)
    moment = min(moments(task.sla, task.status), default=None) if task.sla else None
    if moment is None or moment.at > now or task.sla is None:
        return None
    if moment.rank == _ANSWER_MISSED:
        status = next_status(task, "take_back")
        after = changed(task, now, moment.at, status=status, **reopened(task, moment.at))
        after = after.model_copy(update={"sla": retimed(after)})
        return Change("updated", task, after, now, reason="Nobody answered in time.")
    if moment.rank == _STEP:
        return perform(task, moment.position, now)
    missed = "claim_missed_at" if moment.rank == _CLAIM_MISSED else "complete_missed_at"
    sla = task.sla.model_copy(update={"breached": True, missed: moment.at})
    if moment.rank == _CLAIM_MISSED or _is_kept(sla):
        return _told(task, "sla_breached", now, sla=sla)
    return _ended(task, sla, now)


def _is_kept(sla: Sla) -> bool:
    """Whether the task stays open at its end: a due time that no policy knows of ends nothing."""
    return sla.policy.at_end == SlaEnd.KEEP or sla.policy.complete is None


def _ended(task: Task, sla: Sla, now: datetime) -> Change:
    if sla.policy.at_end != SlaEnd.DEFAULT:
        return _told(task, "expired", now, status=next_status(task, "expire"), sla=sla)
    answer = {"result": sla.policy.default_result, "outcome": sla.policy.default_outcome}
    decided = {"decided_by": DecidedBy.POLICY, "completed_at": now}
    status = next_status(task, "decide_by_policy")
    return _told(task, "completed", now, status=status, sla=sla, **answer, **decided)


def _settled(task: Task, given: Submission, now: datetime) -> Change:
    """Returns the end of a task with the answer that can be taken back no more; it ended when it was given."""
    answer = {name: getattr(given, name) for name in ("result", "outcome", "completed_by", "acted_for", "receipt")}
    ended = {"decided_by": DecidedBy.PERSON, "completed_at": given.submitted_at, "saved": None, "saved_at": None}
    status = next_status(task, "settle")
    after = changed(task, now, given.submitted_at, status=status, submission=None, **answer, **ended)
    return Change("completed", task, after.model_copy(update={"sla": retimed(after)}), now)


def perform(task: Task, position: int, now: datetime) -> Change:
    """Returns what a step of the chain does; it is then performed, and never again."""
    if task.sla is None:
        raise ValueError("A task without clocks has no steps.")
    step = task.sla.policy.escalate[position]
    performed = [*task.sla.performed_steps, position]
    sla = task.sla.model_copy(update={"performed_steps": performed, "escalation_level": len(performed)})
    values: dict[str, Any] = {}
    if step.priority:
        values["priority"] = step.priority
    if step.assign_to:
        sla = claim_restarted(sla, now) or sla
        status = next_status(task, "reassign")
        nobody = {"claimed_at": None, "acted_for": None, "delegated_by": None}
        values |= {**assigned(step.assign_to), **nobody, "status": status}
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
