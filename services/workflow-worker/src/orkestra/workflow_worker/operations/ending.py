"""How a run ends: the first end that is reported or found is the one."""

from functools import partial

from orkestra.chassis.operations import Tx, operation
from orkestra.v1.workflow import Failure, ReportEndRequest, ReportEndResponse, Workflow, WorkflowStatus
from orkestra.wire import FieldError, InvalidArgument
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import RUN_NEWS, Base, Engine, run_of, sql, tell, workflow_of
from orkestra.workflow_worker.operations.tracing import record_run, trace_of_run
from orkestra.workflow_worker.rules import End


class Ending(Base):
    """The rpc by which workers report ends."""

    @operation
    async def report_end(self, tx: Tx, request: ReportEndRequest) -> ReportEndResponse:
        rules.check_may("report_end", tx.ctx.principal)
        if request.status is WorkflowStatus.RUNNING:
            fault = FieldError("status", "invalid", "An end is reported.")
            raise InvalidArgument("REQUEST_INVALID", "Running is no end.", errors=[fault])
        end = End(request.run_id, request.status, request.result, request.failure)
        tx.send_ahead("SET LOCAL app.is_told = 'yes'")
        ended = await end_run(tx, request.workflow_id, end)
        if ended is None:
            await run_of(tx, request.workflow_id)
        else:
            tx.afterwards(partial(self.notifications.tell, RUN_NEWS, ended.workflow_id, ended))
            tx.afterwards(partial(self.others.tell, ended.workflow_id))
        return ReportEndResponse()


async def end_run(tx: Tx, workflow_id: str, end: End) -> Workflow | None:
    """Record the first end of a run with its event; None where it has ended before or is not there."""
    row = await sql.end_run.row(
        tx.conn,
        tenant_id=tx.tenant_id,
        workflow_id=workflow_id,
        status=end.status,
        run_id=end.run_id,
        result=end.result,
        failure=None if end.failure is None else end.failure.model_dump(),
    )
    if row is None:
        return None
    ended, traceparent = workflow_of(row), row["traceparent"]
    if traceparent is not None:
        record_run(ended, traceparent)
        tx.continue_trace(trace_of_run(ended.workflow_id, traceparent))
    await tell(tx, end.status, ended)
    return ended


async def terminate_run(tx: Tx, run: Workflow, engine: Engine, *, reason: str) -> Workflow:
    """End a running run by force, in Temporal and then in its row with the event.

    Where the commit is lost, the sweep finds the end in Temporal and records it.
    """
    if run.status is not WorkflowStatus.RUNNING:
        raise rules.not_running(run)
    rules.check_started(run)
    if not await engine.terminate(run.workflow_id, reason):  # it has ended, and its row is not told yet
        raise rules.not_running(run)
    failure = Failure(type="TERMINATED", message=reason)
    ended = await end_run(tx, run.workflow_id, End(run.run_id or "", WorkflowStatus.TERMINATED, failure=failure))
    return ended or await run_of(tx, run.workflow_id)
