"""What people, workers and the clock decide about a task: one serialized state machine under the row lock."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from orkestra.chassis.operations import Tx, operation
from orkestra.rules import (
    Decision,
    Voters,
    clock_state,
    decide_advance,
    decide_cancel,
    decide_claim,
    decide_complete,
    decide_release,
    decide_vote,
    may,
    shown_to,
)
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.contents import with_files
from orkestra.task_service.operations.reading import seen_task
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.storing import (
    claim,
    decided,
    emit,
    locked,
    locked_to_answer,
    not_found,
    shown_refusal,
    task_of,
)
from orkestra.v1.task import (
    AdvanceClockRequest,
    CancelTaskRequest,
    ClaimTaskRequest,
    ClockState,
    CompleteTaskRequest,
    ReleaseTaskRequest,
    Task,
    VoteTaskRequest,
)
from orkestra.wire import Context

Decide = Callable[[Task, datetime], Decision]


class Deciding(Base):
    """The rpcs that change a task."""

    @operation
    async def claim_task(self, tx: Tx, request: ClaimTaskRequest) -> Task:
        """Give the open task to the caller; one of many wins."""
        principal = tx.ctx.principal
        claimed = await claim(tx, request)
        if claimed is not None:
            before, after, absences = claimed
            decision = decide_claim(before, principal, after.updated_at, request)
            if decision.refusal is not None:
                raise shown_refusal(tx, decision.refusal)  # nothing was due before it, so all of it is undone
            await emit(tx, decision.changes[-1], absences=absences)
            return shown_to(principal, after)
        return await _decided(tx, request.task_id, lambda task, now: decide_claim(task, tx.ctx.principal, now, request))

    @operation
    async def release_task(self, tx: Tx, request: ReleaseTaskRequest) -> Task:
        """Put the caller's task back for its candidates."""
        return await _decided(
            tx, request.task_id, lambda task, now: decide_release(task, tx.ctx.principal, now, request)
        )

    @operation
    async def complete_task(self, tx: Tx, request: CompleteTaskRequest) -> Task:
        """Record the answer, where it fits the form; one that comes too late is kept in history and refused."""
        held = await locked_to_answer(tx, request.task_id)
        seen, principal = held.task, tx.ctx.principal
        strangers: frozenset[str] = frozenset()
        if may("complete", principal, seen) is None:
            data, strangers = await self._named(tx, seen, request.data)
            request = request.model_copy(update={"data": data})
        decision = decide_complete(
            seen,
            principal,
            held.now,
            request,
            locale=tx.ctx.locale,
            issue=self.receipt_key.issue,
            strangers=strangers,
            window=held.undo_window,
        )
        return await decided(tx, seen, decision, held.absences, told=self.fresh_ends)

    @operation
    async def vote_task(self, tx: Tx, request: VoteTaskRequest) -> Task:
        """Record the caller's vote, and complete the task where that decides it."""
        voters = await self._voters_of(tx, request.task_id)
        held = await locked_to_answer(tx, request.task_id)
        seen, principal = held.task, tx.ctx.principal
        strangers: frozenset[str] = frozenset()
        if may("vote", principal, seen) is None:
            data, strangers = await self._named(tx, seen, request.data)
            request = request.model_copy(update={"data": data})
        decision = decide_vote(
            seen,
            principal,
            held.now,
            request,
            locale=tx.ctx.locale,
            issue=self.receipt_key.issue,
            strangers=strangers,
            voters=voters,
            window=held.undo_window,
        )
        return await decided(tx, seen, decision, held.absences, told=self.fresh_ends)

    async def _named(self, tx: Tx, task: Task, data: Any) -> tuple[Any, frozenset[str]]:
        """Return an answer with its people and files named as they are kept, and those that nobody knows."""
        data, people = await self.people.picked(tx, task.form or {}, data)
        data, files = await with_files(tx, task, data)
        return data, people | files

    async def _voters_of(self, tx: Tx, task_id: str) -> Voters | None:
        """Return who may vote, before any lock; None where the policy decides without knowing."""
        task = await seen_task(tx, task_id)
        policy = task.approval_policy
        if policy is None or (policy.veto and policy.finish_early) or may("vote", tx.ctx.principal, task):
            return None
        return await self.people.voters(tx, [*task.candidate_users, task.assignee], task.candidate_groups)

    @operation
    async def cancel_task(self, tx: Tx, request: CancelTaskRequest) -> Task:
        """End the live task without an answer."""
        return await _decided(
            tx, request.task_id, lambda task, now: decide_cancel(task, tx.ctx.principal, now, request)
        )

    async def advance_clock(self, ctx: Context, request: AdvanceClockRequest) -> ClockState:
        """Perform the steps that are due and say what to wait for.

        Mostly nothing is: the task is then read in one trip, and neither waited for nor locked.
        """
        async with self.database.statement() as conn:
            row = await sql.look_at_task.row(conn, tenant_id=ctx.tenant_id, task_id=request.task_id)
        if row is None:
            raise not_found(request.task_id)
        seen, now = task_of(row), row["now"]
        decision = decide_advance(seen, ctx.principal, now)
        if decision.refusal is not None or decision.changes:  # who is refused hears it with the places that are theirs
            return await self._advance(ctx, request)
        return clock_state(seen, now)

    @operation
    async def _advance(self, tx: Tx, request: AdvanceClockRequest) -> ClockState:
        seen, now = await locked(tx, request.task_id)
        decision = decide_advance(seen, tx.ctx.principal, now)
        await decided(tx, seen, decision)
        return clock_state(decision.task, now)


async def _decided(tx: Tx, task_id: str, decide: Decide) -> Task:
    """Decide about the locked task and store what follows."""
    seen, now = await locked(tx, task_id)
    return await decided(tx, seen, decide(seen, now))
