"""How tasks leave and enter their tables: read under the lock, written with audience, history and events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NoReturn

import asyncpg
from orkestra.chassis import literals
from orkestra.chassis.operations import Tx
from orkestra.rules import (
    Absence,
    Change,
    Decision,
    acting_for,
    check_of,
    clock_state,
    kept_draft,
    next_at,
    offered_by_name,
    places_of,
    shown_to,
    terms_of,
)
from orkestra.rules.terms import Term
from orkestra.task_service.operations.fresh import FreshEnds
from orkestra.task_service.operations.routing import given
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.rules import LIVE, event_of, is_claim_plain, offers_of, recorded
from orkestra.v1.task import ClaimTaskRequest, EndedTask, Task, TaskStatus
from orkestra.wire import Error, Model, NotFound, Principal
from orkestra.wire.tracing import current_traceparent

LATE_ANSWER = "late_answer"
_TAKES = ("claimed", "completed")
CLOCK = "clock"
_FIELDS = frozenset(Task.model_fields)
_SEARCHED = ("title", "description", "context", "form", "tags", "priority")


@dataclass(frozen=True, slots=True)
class Locked:
    """A task under its row lock, with what was read in the same trip."""

    task: Task
    now: datetime
    """When the lock was held."""
    undo_window: timedelta
    """For how long an answer of the tenant can be taken back."""
    absences: Sequence[Absence] | None
    """Empty where nobody of the tenant is away; None where that is to be asked."""


async def acting(tx: Tx) -> Principal:
    """Return the caller with the places that they take at the moment; the transaction goes on as that."""
    principal = tx.ctx.principal
    if principal.kind != "user":
        return principal
    rows = await sql.absences_before.rows(tx.conn, subject=principal.subject)
    _take_places(tx, [(row["user_id"], row["substitute"], row["task_types"]) for row in rows])
    return tx.ctx.principal


async def locked(tx: Tx, task_id: str) -> tuple[Task, datetime]:
    """Return the task under its row lock and the time at which the lock was held, as `locked_to_answer`."""
    held = await locked_to_answer(tx, task_id)
    return held.task, held.now


async def locked_to_answer(tx: Tx, task_id: str) -> Locked:
    """Return the task under its row lock; refuses an id that is not known.

    The caller takes the places that are theirs at the moment, as by `acting`.
    """
    principal = tx.ctx.principal
    person = principal.subject if principal.kind == "user" else None
    row = await sql.lock_task.row(tx.conn, task_id=task_id, subject=person)
    if row is None:
        raise not_found(task_id)
    _take_places(tx, row["absences"] or [])
    tx.continue_trace(row["traceparent"])
    return Locked(task_of(row), row["now"], row["undo_window"], None if row["is_anybody_away"] else [])


def _take_places(tx: Tx, absences: Iterable[tuple[str, str, list[str]]]) -> None:
    away = absences_of(absences)
    if away:
        principal = tx.ctx.principal
        tx.ctx = replace(tx.ctx, principal=replace(principal, stands_for=places_of(principal.subject, away)))


async def insert(tx: Tx, change: Change) -> bool:
    """Store a new task; False, and nothing stored, where its id or key is taken."""
    task = change.task
    before, after = recorded(change)
    stored = await sql.create_task.value(
        tx.conn,
        **_columns(
            task,
            "tenant_id task_id workflow_id first_run_id key requested_by on_behalf_of title description type tags "
            "correlation form input draft assignee candidate_users candidate_groups excluded_users allow_agents "
            "four_eyes action_digest priority status version revision max_revisions status_since created_at updated_at",
        ),
        **_clock_columns(task),
        **_audience_columns(task),
        **_term_columns(terms_of(task)),
        context=_json(task.context),
        approval_policy=_json(task.approval_policy),
        tally=_json(task.tally),
        actor=change.actor,
        door=tx.ctx.door,
        before=before,
        after=after,
        traceparent=current_traceparent(),
    )
    if stored is None:
        return False
    await _link_check(tx, task)
    await emit(tx, change)
    return True


async def claim(tx: Tx, request: ClaimTaskRequest) -> tuple[Task, Task, list[Absence]] | None:
    """Claim the task for the caller in one statement; return it before and after, None where that was not possible.

    With it comes who is away of those to whom it is offered by name: seldom anybody, so that is asked only then.
    Audience and history are written while the caller goes on; what fails there fails the commit.

    Whether the caller may is asked of the task before, by whoever called this, while all can still be undone.
    """
    row = await sql.claim_task.row(tx.conn, task_id=request.task_id, version=request.version, subject=tx.ctx.subject)
    if row is None:
        return None
    named = (row["task_id"], row["was_assignee"], tx.ctx.door)
    tx.send_ahead(f"SELECT follow_claim({', '.join(literals.text(each) for each in named)})")
    tx.continue_trace(row["traceparent"])
    after = task_of(row)
    old = ("assignee", "updated_at", "status_since", "time_to_claim")
    was = {"status": TaskStatus.OPEN, **{name: row[f"was_{name}"] for name in old}}
    before = after.model_copy(update={**was, "claimed_at": None, "version": after.version - 1})
    return before, after, await absences_after(tx, after) if row["is_somebody_away"] else []


async def store(
    tx: Tx, seen: Task, decision: Decision, *, clock_door: str = CLOCK, absences: Sequence[Absence] | None = None
) -> Decision:
    """Write what was decided about `seen`, which is still locked: row, audience, history and events.

    `clock_door` is the door that history names where nobody did it. Returns the decision with what groups made of it.
    """
    decision = await given(tx, decision)
    changes = [change for change in decision.changes if change.event != LATE_ANSWER]
    if changes:
        await _save(tx, seen, changes, clock_door)
        await _change_terms(tx, seen, changes[-1].task)
        await _end_check(tx, changes[-1].task)
        await emit(tx, *changes, absences=absences)
    for change in decision.changes:
        if change.event == LATE_ANSWER:
            await _record_late_answer(tx, change)
    return decision


async def emit(tx: Tx, *changes: Change, absences: Sequence[Absence] | None = None) -> None:
    """Tell of changes once they are committed: whoever takes the place of somebody whose work it is hears it too."""
    if absences is None:
        absences = await absences_after(tx, *(task for one in changes for task in (one.before, one.task) if task))
    for change in changes:
        task, payload = change.task, event_of(change, absences)
        await tx.emit(aggregate="task", event=change.event, payload=payload, key=task.task_id, version=task.version)


async def absences_after(tx: Tx, *tasks: Task) -> list[Absence]:
    """Return who is away now of the people to whom the tasks are offered by name, and of their substitutes."""
    people = {person for task in tasks for person in offered_by_name(task)}
    if not people:
        return []
    rows = await sql.absences_after.rows(tx.conn, people=sorted(people))
    return absences_of((row["user_id"], row["substitute"], row["task_types"]) for row in rows)


def absences_of(rows: Iterable[tuple[str, str, list[str]]]) -> list[Absence]:
    """Return absences as the statements tell them."""
    return [Absence(user_id, substitute, frozenset(types)) for user_id, substitute, types in rows]


async def decided(
    tx: Tx,
    seen: Task,
    decision: Decision,
    absences: Sequence[Absence] | None = None,
    *,
    told: FreshEnds | None = None,
) -> Task:
    """Store what was decided about `seen` and return it as the caller is shown it; refuse only after that is safe.

    Where it ends the task of a run, that is `told` at once, too.
    """
    decision = await store(tx, seen, decision, absences=absences)
    if told is not None and seen.status in LIVE:
        _hand_over(tx, decision.task, told)
    if decision.refusal is not None:
        await refuse(tx, decision.refusal)
    return shown_to(tx.ctx.principal, decision.task)


def _hand_over(tx: Tx, task: Task, told: FreshEnds) -> None:
    if task.workflow_id is None or task.status in LIVE:
        return
    state = clock_state(task, task.updated_at)
    end = EndedTask(tenant_id=tx.tenant_id, workflow_id=task.workflow_id, state=state, traceparent=tx.traceparent)
    tx.afterwards(partial(told.add, end))


async def refuse(tx: Tx, refusal: Error) -> NoReturn:
    """Commit what has been written and refuse the call: due steps and late answers outlive the refusal."""
    await tx.commit()
    raise shown_refusal(tx, refusal)


def shown_refusal(tx: Tx, refusal: Error) -> Error:
    """Return the refusal with the task as the caller is shown it."""
    if isinstance(refusal.current, Task):
        refusal.current = shown_to(tx.ctx.principal, refusal.current)
    return refusal


def not_found(task_id: str) -> NotFound:
    """Return what is said of an id that is unknown, hidden from the caller or another tenant's."""
    return NotFound("TASK_NOT_FOUND", f"There is no task {task_id[:100]}.")


def task_of(row: asyncpg.Record) -> Task:
    """Return the task of a row; private columns are left out."""
    return Task.model_validate({name: value for name, value in row.items() if name in _FIELDS})


async def _save(tx: Tx, seen: Task, changes: list[Change], clock_door: str) -> None:
    task = changes[-1].task
    await sql.save_task.execute(
        tx.conn,
        **_columns(
            task,
            "task_id status assignee candidate_users candidate_groups priority outcome result completed_by decided_by "
            "acted_for reason version updated_at claimed_at completed_at form draft revision action_digest title "
            "description tags delegated_by status_since time_to_claim time_active time_waiting time_paused",
        ),
        **_clock_columns(task),
        **_audience_columns(task),
        **_history_columns(tx, changes, clock_door),
        seen_version=seen.version,
        context=_json(task.context),
        change_requests=[one.model_dump(mode="json", exclude_none=True) for one in task.change_requests],
        receipt=_json(task.receipt),
        votes=[vote.model_dump(mode="json", exclude_none=True) for vote in task.votes],
        tally=_json(task.tally),
        saved=task.saved if task.status in LIVE else None,
        saved_at=task.saved_at if task.status in LIVE else None,
        submission=_json(task.submission),
        told_at=_told_at(task),
    )


async def _change_terms(tx: Tx, seen: Task, task: Task) -> None:
    """Have the task found by what it says now; most changes change nothing of that."""
    if all(getattr(seen, name) == getattr(task, name) for name in _SEARCHED):
        return
    before, after = terms_of(seen), terms_of(task)
    await sql.change_terms.execute(
        tx.conn,
        tenant_id=tx.tenant_id,
        task_id=task.task_id,
        **_term_columns(before - after, "gone_"),
        **_term_columns(after - before, "new_"),
    )


async def _link_check(tx: Tx, task: Task) -> None:
    """Note the task with the escalation check that led to it."""
    check_id = check_of(task)
    if check_id is not None:
        named = {"check_id": check_id, "task_id": task.task_id, "requested_by": task.requested_by}
        await sql.link_escalation_check.execute(tx.conn, **named)


async def _end_check(tx: Tx, task: Task) -> None:
    """Note with the escalation check what became of its task."""
    may_name_one = check_of(task) is not None or task.revision > 1  # a later context may no longer say it
    if task.status in LIVE or not may_name_one:
        return
    await sql.end_escalation_check.execute(
        tx.conn,
        **_columns(task, "task_id outcome decided_by"),
        task_status=task.status,
        kept_draft=kept_draft(task),
        ended_at=task.updated_at,
    )


async def _record_late_answer(tx: Tx, change: Change) -> None:
    _, after = recorded(change)
    await sql.record_late_answer.execute(
        tx.conn,
        task_id=change.task.task_id,
        event=change.event,
        at=change.at,
        actor=change.actor,
        door=tx.ctx.door,
        reason=change.reason,
        after=after,
    )


def _columns(task: Task, names: str) -> dict[str, object]:
    return {name: getattr(task, name) for name in names.split()}


def _clock_columns(task: Task) -> dict[str, object]:
    sla = task.sla
    return {
        "sla": _json(sla),
        "due_at": None if sla is None else sla.complete_by,
        "next_step_at": next_at(task),
        "is_claim_plain": is_claim_plain(task),
    }


def _audience_columns(task: Task) -> dict[str, object]:
    offers = offers_of(task)
    return {"audience": list(offers), "offered": list(offers.values())}


def _term_columns(terms: frozenset[Term], prefix: str = "") -> dict[str, object]:
    listed = sorted(terms)
    return {f"{prefix}kinds": [kind for kind, _ in listed], f"{prefix}terms": [term for _, term in listed]}


def _acted_for(principal: Principal, change: Change) -> str | None:
    """Return whose place the actor took."""
    if change.before is None or change.actor != principal.subject:
        return None
    return change.task.acted_for if change.event in _TAKES else acting_for(principal, change.before)


def _history_columns(tx: Tx, changes: list[Change], clock_door: str) -> dict[str, object]:
    entries = [recorded(change) for change in changes]
    return {
        "events": [change.event for change in changes],
        "ats": [change.at for change in changes],
        "actors": [change.actor for change in changes],
        "acted_fors": [_acted_for(tx.ctx.principal, change) for change in changes],
        "doors": [clock_door if change.actor is None else tx.ctx.door for change in changes],
        "reasons": [change.reason for change in changes],
        "befores": [before for before, _ in entries],
        "afters": [after for _, after in entries],
    }


def _told_at(task: Task) -> datetime | None:
    """Return when its end is told, which the sweep makes up for; None where nothing has ended yet."""
    if task.submission is not None:
        return task.submission.undo_until
    return None if task.status in LIVE else task.updated_at


def _json(value: Model | None) -> dict[str, Any] | None:
    return None if value is None else value.model_dump(mode="json", exclude_none=True)
