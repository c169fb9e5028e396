"""Executions that Temporal keeps of what is to be forgotten: found and deleted."""

from collections.abc import AsyncIterator, Iterable

from orkestra.workflow_worker.channels.bounds import TENANT_MEMO, Bounded, bounded, unavailable
from orkestra.workflow_worker.rules import ASK_HUMAN, FIRE_SCHEDULE
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest, ListWorkflowExecutionsRequest
from temporalio.service import RPCError

LOOK_SECONDS = 10.0
PAGE = 500
OURS = f"ExecutionStatus = 'Running' OR WorkflowType = '{ASK_HUMAN}' OR WorkflowType = '{FIRE_SCHEDULE}'"


class Clearing(Bounded):
    """Deletes executions with their histories; one that runs is ended by that."""

    async def delete_runs(self, workflow_ids: Iterable[str]) -> None:
        """Delete every execution of these runs, and of what they started."""
        wanted = list(workflow_ids)
        for workflow_id in wanted:  # the newest, which lists may not show yet
            await self._delete(WorkflowExecution(workflow_id=workflow_id))
        named = ", ".join(f"'{workflow_id}'" for workflow_id in wanted)
        async for found in self._listed(f"RootWorkflowId IN ({named})"):
            await self._delete(found.execution)

    async def delete_of_tenant(self, tenant_id: str) -> None:
        """Delete what still runs of a tenant, and the small workflows of its tasks and schedules that have ended."""
        whose = f'"{tenant_id}"'.encode()
        async for found in self._listed(OURS):
            if found.memo.fields[TENANT_MEMO].data == whose:
                await self._delete(found.execution)

    async def _delete(self, execution: WorkflowExecution) -> None:
        request = DeleteWorkflowExecutionRequest(namespace=self._client.namespace, workflow_execution=execution)
        await self._unless_gone("DeleteWorkflowExecution", self._service.delete_workflow_execution(request))

    async def _listed(self, query: str) -> AsyncIterator[WorkflowExecutionInfo]:
        request = ListWorkflowExecutionsRequest(namespace=self._client.namespace, page_size=PAGE, query=query)
        while True:
            try:
                async with bounded(LOOK_SECONDS):
                    page = await self._service.list_workflow_executions(request)
            except RPCError as error:
                raise unavailable() from error
            for found in page.executions:
                yield found
            if not page.next_page_token:
                return
            request.next_page_token = page.next_page_token
