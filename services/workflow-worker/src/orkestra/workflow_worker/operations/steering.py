"""What is asked of a running run: to stop, or to hear a signal."""

from uuid import uuid4

from orkestra.chassis.operations import Tx, operation
from orkestra.v1.workflow import CancelWorkflowRequest, SignalWorkflowRequest, Workflow, WorkflowStatus
from orkestra.wire import Context, Unavailable
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import Base, sql, visible_run


class Steering(Base):
    """The rpcs that reach into runs."""

    async def cancel_workflow(self, ctx: Context, request: CancelWorkflowRequest) -> Workflow:
        run = await self._record_cancel(ctx, request)
        if run.run_id is None or run.status is not WorkflowStatus.RUNNING:
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
        if run.run_id is None:
            raise Unavailable("WORKFLOW_NOT_STARTED", "Temporal has not started the run yet.", retry_after=2.0)
        heard = await self.engine.signal(
            run.workflow_id,
            request.signal,
            payload=request.payload,
            request_id=f"{tx.ctx.subject}/{tx.ctx.request_id or uuid4()}",
        )
        if not heard:  # it has ended, and its row is not told yet
            raise rules.not_running(run)
        return run
