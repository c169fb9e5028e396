"""What is asked of a run: to stop, to hear a signal or an update, to answer a query, to end at once."""

import hashlib
from typing import Any
from uuid import uuid4

import asyncpg
from orkestra.chassis.operations import Tx, operation, read
from orkestra.v1.workflow import (
    CancelWorkflowRequest,
    GetWorkflowRequest,
    QueryWorkflowRequest,
    QueryWorkflowResponse,
    ResetPoint,
    ResetWorkflowRequest,
    SignalWorkflowRequest,
    TerminateWorkflowRequest,
    UpdateWorkflowRequest,
    UpdateWorkflowResponse,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import AlreadyExists, Context, Error, FailedPrecondition, Unavailable, dumps
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import Base, sql, tell, visible_run
from orkestra.workflow_worker.operations.ending import terminate_run


class Steering(Base):
    """The rpcs that reach into runs."""

    async def cancel_workflow(self, ctx: Context, request: CancelWorkflowRequest) -> Workflow:
        """Ask the run to stop; a repeated request asks nothing more, as the run may have been taken back since."""
        run = await self._record_cancel(ctx, request)
        if ctx.reply.replayed or run.run_id is None or run.status is not WorkflowStatus.RUNNING:
            return run
        try:
            await self.engine.cancel(run.workflow_id, request.reason or "cancelled")
        except Unavailable:
            return run  # the sweep tells Temporal later
        async with self.database.transaction(ctx.tenant_id) as conn:
            await sql.note_cancel_delivered.execute(conn, tenant_id=ctx.tenant_id, workflow_id=run.workflow_id)
        return run

    @operation
    async def _record_cancel(self, tx: Tx, request: CancelWorkflowRequest) -> Workflow:
        run = await visible_run(tx, request.workflow_id)
        rules.check_may_cancel(tx.ctx.principal, run)
        if run.status is not WorkflowStatus.RUNNING:
            raise rules.not_running(run)
        asked = await sql.request_cancel.one(
            tx.conn, Workflow, tenant_id=tx.tenant_id, workflow_id=run.workflow_id, reason=request.reason
        )
        return asked or await visible_run(tx, request.workflow_id)

    @operation
    async def signal_workflow(self, tx: Tx, request: SignalWorkflowRequest) -> Workflow:
        """Signal the run inside the transaction, so that a request id is kept if and only if Temporal has the signal.

        Where the commit is lost, the repeated request carries the same id to Temporal, which drops the second signal.
        """
        rules.check_signal(request)
        run = await visible_run(tx, request.workflow_id)
        rules.check_may_signal(tx.ctx.principal, run)
        if run.status is not WorkflowStatus.RUNNING:
            raise rules.not_running(run)
        rules.check_started(run)
        heard = await self.engine.signal(
            run.workflow_id,
            request.signal,
            tenant_id=tx.tenant_id,
            payload=request.payload,
            request_id=f"{tx.ctx.subject}/{tx.ctx.request_id or uuid4()}",
        )
        if not heard:  # it has ended, and its row is not told yet
            raise rules.not_running(run)
        return run

    async def query_workflow(self, ctx: Context, request: QueryWorkflowRequest) -> QueryWorkflowResponse:
        """Ask whoever runs it; one that has ended answers too, for as long as Temporal keeps its history."""
        rules.check_asked("query", request.query, request.payload)
        run = await self._seen_run(ctx, GetWorkflowRequest(workflow_id=request.workflow_id))
        rules.check_started(run)
        known, answer = await self.engine.query(
            run.workflow_id, request.query, tenant_id=run.tenant_id, payload=request.payload
        )
        if not known:
            raise rules.not_running(run)
        return QueryWorkflowResponse(result=_as_json(answer))

    @read
    async def _seen_run(self, tx: Tx, request: GetWorkflowRequest) -> Workflow:
        return await visible_run(tx, request.workflow_id)

    async def update_workflow(self, ctx: Context, request: UpdateWorkflowRequest) -> UpdateWorkflowResponse:
        """Admit the update once for its request id; Temporal gives the same answer to the same update id."""
        rules.check_asked("update", request.update, request.payload)
        run = await self._admit_update(ctx, request)
        asked = f"{ctx.tenant_id}/{ctx.subject}/{ctx.request_id or uuid4()}"
        going_on, answer = await self.engine.update(
            run.workflow_id,
            request.update,
            tenant_id=run.tenant_id,
            payload=request.payload,
            update_id=hashlib.sha256(asked.encode()).hexdigest(),
        )
        if not going_on:
            raise rules.not_running(run)
        return UpdateWorkflowResponse(result=_as_json(answer))

    @operation
    async def _admit_update(self, tx: Tx, request: UpdateWorkflowRequest) -> Workflow:
        run = await visible_run(tx, request.workflow_id)
        rules.check_may_signal(tx.ctx.principal, run)
        if run.status is not WorkflowStatus.RUNNING:
            raise rules.not_running(run)
        rules.check_started(run)
        return run

    @operation
    async def terminate_workflow(self, tx: Tx, request: TerminateWorkflowRequest) -> Workflow:
        run = await visible_run(tx, request.workflow_id)
        rules.check_may_cancel(tx.ctx.principal, run)
        return await terminate_run(tx, run, self.engine, reason=request.reason or "terminated")

    @operation
    async def reset_workflow(self, tx: Tx, request: ResetWorkflowRequest) -> Workflow:
        """Take the run back, with its row running again first, so that a business id that is taken refuses in time.

        Where the commit is lost, the repeated request carries the same id to Temporal, which resets once for it.
        """
        run = await visible_run(tx, request.workflow_id)
        rules.check_may_cancel(tx.ctx.principal, run)
        rules.check_started(run)
        named = {"tenant_id": tx.tenant_id, "workflow_id": run.workflow_id}
        try:
            await sql.reopen_run.execute(tx.conn, **named)
        except asyncpg.UniqueViolationError:
            raise AlreadyExists("BUSINESS_ID_TAKEN", f"Another run with {run.business_id} is running.") from None
        run_id = await self.engine.reset(
            run.workflow_id,
            to_first=request.point is ResetPoint.FIRST_STEP,
            reason=request.reason or "reset",
            request_id=f"{tx.ctx.subject}/{tx.ctx.request_id or uuid4()}",
        )
        if run_id is None:
            raise FailedPrecondition(
                "RESET_IMPOSSIBLE", "Temporal knows no step of this run to go back to.", current=run
            )
        again = await sql.note_reset.one(tx.conn, Workflow, **named, run_id=run_id)
        assert again is not None  # noqa: S101 - it was read in this transaction, and runs are not deleted
        await tell(tx, "reset", again)
        return again


def _as_json(answer: Any) -> Any:
    try:
        dumps(answer)
    except (Error, TypeError, ValueError):
        raise FailedPrecondition("ANSWER_NOT_JSON", "What the run's code answered is not JSON.") from None
    return answer
