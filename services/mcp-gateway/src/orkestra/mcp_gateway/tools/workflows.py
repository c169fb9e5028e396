"""The tools about workflows: start one, wait for its result, look at it, signal it, stop it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from orkestra.chassis.metrics import held
from orkestra.mcp_gateway.tools.answering import (
    WORKFLOW_ENDED,
    WORKFLOW_STATE,
    answer,
    schema_of,
    shown,
    workflow_answer,
)
from orkestra.mcp_gateway.tools.arguments import (
    CREATES,
    READS,
    STOPS,
    IdempotencyKey,
    OnBehalfOf,
    PageToken,
    WaitSeconds,
    WorkflowId,
    again,
    published,
    refusals_told,
)
from orkestra.mcp_gateway.tools.rooms import Rooms
from orkestra.v1.workflow import (
    CancelWorkflowRequest,
    Definition,
    GetDefinitionRequest,
    GetWorkflowRequest,
    GetWorkflowResultRequest,
    Handoff,
    ListDefinitionsRequest,
    ListWorkflowsRequest,
    ListWorkflowsResponse,
    SignalWorkflowRequest,
    StartWorkflowRequest,
    Workflow,
    WorkflowStatus,
)
from pydantic import Field, WithJsonSchema

SLICE_SECONDS = 1
"""A wait asks the room again this often, so that progress is told and a revoked key ends it."""
ANSWER_SECONDS = 5.0
HANDOFF = {"type": "object", "description": "As context of ask_human, without data."}
LISTED = ("workflow_id", "definition", "status", "business_id", "started_at", "notice")

Status = Literal["running", "completed", "failed", "cancelled", "terminated", "timed_out"]


@dataclass(frozen=True, kw_only=True)
class WorkflowTools:
    """The tools, on behalf of whoever calls."""

    rooms: Rooms

    def all(self) -> Sequence[Tool]:
        """Returns every tool as it is served."""
        state, ended = schema_of(Workflow, WORKFLOW_STATE), schema_of(Workflow, WORKFLOW_ENDED)
        listed = {"type": "array", "items": {"type": "object"}}
        definition = schema_of(Definition, (), definitions=listed)
        page = schema_of(ListWorkflowsResponse, ("next_page_token",), workflows=listed)
        return [
            published(self.workflow_definitions, READS, definition),
            published(self.workflow_start, CREATES, state),
            published(self.workflow_result, READS, ended),
            published(self.workflow_status, READS, ended),
            published(self.workflow_list, READS, page),
            published(self.workflow_signal, CREATES, state),
            published(self.workflow_cancel, STOPS, state),
        ]

    @refusals_told
    async def workflow_definitions(self, name: str | None = None) -> CallToolResult:
        """List the workflows that can be started; with a name, that one with the schemas of its input and result."""
        if name is None:
            known = await self.rooms.workflows.list_definitions(ListDefinitionsRequest())
            listed = [shown(one, ("name", "version", "description")) for one in known.definitions]
            return answer({"definitions": listed}, "Call again with a name to see what the input must look like.")
        one = await self.rooms.workflows.get_definition(GetDefinitionRequest(name=name))
        seen = shown(one, ("name", "version", "description", "input_schema", "output_schema"))
        return answer({"definitions": [seen]}, "Call workflow_start with this definition and a fitting input.")

    @refusals_told
    async def workflow_start(
        self,
        definition: Annotated[str, Field(description="From workflow_definitions, such as customer-support.")],
        input: Annotated[dict[str, Any], Field(description="Fits its input_schema.")],  # noqa: A002 - as agents expect
        handoff: Annotated[Handoff | None, WithJsonSchema(HANDOFF)] = None,
        on_behalf_of: OnBehalfOf = None,
        business_id: Annotated[str | None, Field(description="Your own id for the case.")] = None,
        idempotency_key: IdempotencyKey = None,
    ) -> CallToolResult:
        """Start a workflow, for example to hand a case over to people. Returns at once with its workflow_id."""
        request = StartWorkflowRequest(
            definition=definition, input=input, handoff=handoff, on_behalf_of=on_behalf_of, business_id=business_id
        )
        client = self.rooms.workflows
        workflow = await client.start_workflow(request, request_id=idempotency_key)
        return workflow_answer(workflow, again(client))

    @refusals_told
    async def workflow_result(
        self, workflow_id: WorkflowId, ctx: Context, wait_seconds: WaitSeconds = 30
    ) -> CallToolResult:
        """Wait for a workflow to end and return its result, or its state when the wait is over."""
        until = time.monotonic() + wait_seconds
        workflow = await self._look(workflow_id, wait=0)
        while _is_awaited(workflow) and not self.rooms.drain.draining:
            left = until - time.monotonic()
            if left <= 0:
                break
            await ctx.report_progress(wait_seconds - left, wait_seconds, "The workflow is running.")
            workflow = await self._look(workflow_id, wait=min(SLICE_SECONDS, max(1, round(left))))
        return workflow_answer(workflow)

    @refusals_told
    async def workflow_status(self, workflow_id: WorkflowId) -> CallToolResult:
        """Look at a workflow without waiting."""
        return workflow_answer(await self.rooms.workflows.get_workflow(GetWorkflowRequest(workflow_id=workflow_id)))

    @refusals_told
    async def workflow_list(
        self, status: Status | None = None, definition: str | None = None, page_token: PageToken = None
    ) -> CallToolResult:
        """List workflows that you may see, newest first."""
        wanted = None if status is None else WorkflowStatus(status)
        request = ListWorkflowsRequest(status=wanted, definition=definition, page_size=20, page_token=page_token)
        page = await self.rooms.workflows.list_workflows(request)
        content = {"workflows": [shown(one, LISTED) for one in page.workflows], **shown(page, ("next_page_token",))}
        return answer(content, "Call workflow_status with a workflow_id to see more.")

    @refusals_told
    async def workflow_signal(
        self,
        workflow_id: WorkflowId,
        signal: str,
        payload: Any = None,
        idempotency_key: IdempotencyKey = None,
    ) -> CallToolResult:
        """Send a running workflow a signal that its definition waits for."""
        request = SignalWorkflowRequest(workflow_id=workflow_id, signal=signal, payload=payload)
        client = self.rooms.workflows
        workflow = await client.signal_workflow(request, request_id=idempotency_key)
        return workflow_answer(workflow, again(client))

    @refusals_told
    async def workflow_cancel(
        self, workflow_id: WorkflowId, reason: str | None = None, idempotency_key: IdempotencyKey = None
    ) -> CallToolResult:
        """Ask a workflow to stop; its open tasks are cancelled."""
        request = CancelWorkflowRequest(workflow_id=workflow_id, reason=reason)
        client = self.rooms.workflows
        workflow = await client.cancel_workflow(request, request_id=idempotency_key)
        return workflow_answer(workflow, again(client))

    async def _look(self, workflow_id: str, *, wait: int) -> Workflow:
        """Asks for the run, at its end or after `wait` seconds; at once where this process ends meanwhile."""
        request = GetWorkflowResultRequest(workflow_id=workflow_id, wait=wait)
        asking = asyncio.create_task(self.rooms.workflows.get_workflow_result(request, timeout=wait + ANSWER_SECONDS))
        ending = asyncio.create_task(self.rooms.drain.wait())
        try:
            with held():
                await asyncio.wait([asking, ending], return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
        finally:
            asking.cancel()
            ending.cancel()
        return await self.rooms.workflows.get_workflow_result(request.model_copy(update={"wait": 0}))


def _is_awaited(workflow: Workflow) -> bool:
    return workflow.status is WorkflowStatus.RUNNING and workflow.answer_needed is None
