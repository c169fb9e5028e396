"""What is shown of runs to those who may see them."""

from functools import partial

from orkestra.chassis.notifications import hold
from orkestra.chassis.operations import Tx, read
from orkestra.v1.workflow import (
    GetWorkflowRequest,
    GetWorkflowResultRequest,
    ListWorkflowsRequest,
    ListWorkflowsResponse,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import Context, FieldError, InvalidArgument
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import RUN_NEWS, sql
from orkestra.workflow_worker.operations.defining import Defining

LONGEST_WAIT = 50


class Reading(Defining):
    """The rpcs that change nothing."""

    async def get_workflow(self, ctx: Context, request: GetWorkflowRequest) -> Workflow:
        run = await self._read_run(ctx, request)
        if run.status is not WorkflowStatus.RUNNING:
            return run
        definition = await self.definition_of_run(ctx, run)
        return run.model_copy(update={"notice": await self.engine.notice(definition.task_queue)})

    async def _read_run(self, ctx: Context, request: GetWorkflowRequest) -> Workflow:
        """Read the run in one trip; refuses (NotFound) one that the caller may not see as if it were not there."""
        async with self.database.statement() as conn:
            run = await sql.look_at_run.one(conn, Workflow, tenant_id=ctx.tenant_id, workflow_id=request.workflow_id)
        if run is None or not rules.may_see(ctx.principal, run):
            raise rules.run_not_found(request.workflow_id)
        return run

    @read
    async def list_workflows(self, tx: Tx, request: ListWorkflowsRequest) -> ListWorkflowsResponse:
        size = rules.page_size(request.page_size)
        labels = rules.labels_asked(request)
        runs = await sql.list_runs.all(
            tx.conn,
            Workflow,
            tenant_id=tx.tenant_id,
            before=rules.page_start(request.page_token, prefix="wf_"),
            requested_by=None if rules.may("see_every_run", tx.ctx.principal) else tx.ctx.subject,
            status=request.status,
            definition=request.definition,
            business_id=request.business_id,
            schedule_id=request.schedule_id,
            started_after=request.started_after,
            started_before=request.started_before,
            label_names=[name for name, _ in labels],
            label_values=[value for _, value in labels],
            page_size=size + 1,
        )
        page = [run.model_copy(update={"input": None, "result": None, "handoff": None}) for run in runs[:size]]
        more = len(runs) > size
        return ListWorkflowsResponse(
            workflows=page, next_page_token=rules.page_token(page[-1].workflow_id) if more else None
        )

    async def get_workflow_result(self, ctx: Context, request: GetWorkflowResultRequest) -> Workflow:
        wait = request.wait or 0
        if not 0 <= wait <= LONGEST_WAIT:
            fault = FieldError("wait", "out_of_range", f"Between 0 and {LONGEST_WAIT} seconds.")
            raise InvalidArgument("REQUEST_INVALID", f"wait: {fault.message}", errors=[fault])
        named = GetWorkflowRequest(workflow_id=request.workflow_id)
        async with self.notifications.listen(RUN_NEWS, request.workflow_id) as waiter:
            return await hold(
                partial(self.get_workflow, ctx, named),
                kind=Workflow,
                until=lambda run: run.status is not WorkflowStatus.RUNNING or run.answer_needed is not None,
                waiter=waiter,
                drain=self.drain,
                seconds=wait,
            )
