"""The tools about workflows: start one, wait for its result, look at it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import grpc
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult, TextContent, ToolAnnotations
from orkestra.chassis.drain import Drain
from orkestra.mcp_gateway.tools.arguments import published, tool_error
from orkestra.v1.workflow import (
    GetWorkflowRequest,
    GetWorkflowResultRequest,
    Handoff,
    StartWorkflowRequest,
    Workflow,
    WorkflowServiceClient,
    WorkflowStatus,
)
from orkestra.wire import Error
from pydantic import Field

SLICE_SECONDS = 5
"""A wait asks the room again this often, so that progress is told and a revoked key ends it."""
ANSWER_SECONDS = 5.0
MOST_WAIT = 50
SHOWN = frozenset({"workflow_id", "definition", "status", "result", "failure", "notice", "business_id"})
"""Fields of a run that an agent is shown; the rest is what it sent itself, or of no use to it."""

WorkflowId = Annotated[str, Field(min_length=1, max_length=200, description="As workflow_start answered it.")]


@dataclass(frozen=True, kw_only=True)
class WorkflowTools:
    """The tools, on behalf of whoever calls: `token` brings the running request's token."""

    channel: grpc.aio.Channel
    token: Callable[[], Awaitable[str]]
    drain: Drain

    def all(self) -> Sequence[Tool]:
        """Returns every tool as it is served."""
        starts = ToolAnnotations(
            title="Start a workflow", read_only_hint=False, destructive_hint=False, idempotent_hint=False
        )
        tools = [
            Tool.from_function(self.workflow_start, annotations=starts),
            Tool.from_function(self.workflow_result, annotations=_reads("Wait for a workflow's result")),
            Tool.from_function(self.workflow_status, annotations=_reads("Look at a workflow")),
        ]
        return [published(tool, Workflow, fields=SHOWN) for tool in tools]

    async def workflow_start(
        self,
        definition: Annotated[str, Field(description="Name of the workflow, such as customer-support.")],
        input: Annotated[  # noqa: A002 - the name that agents expect
            dict[str, Any], Field(description="What the workflow needs, as its schema says.")
        ],
        handoff: Annotated[
            Handoff | None, Field(description="Conversation, summary and links that the person should see.")
        ] = None,
        on_behalf_of: Annotated[str | None, Field(description="User id or e-mail of the person you ask for.")] = None,
        business_id: Annotated[str | None, Field(description="Your own id for the case.")] = None,
        idempotency_key: Annotated[
            str | None,
            Field(pattern=r"^[\x21-\x7e]{1,255}$", description="Same key, same call: one workflow, also if repeated."),
        ] = None,
    ) -> CallToolResult:
        """Start a workflow, for example to hand a question over to a person. Returns at once with its workflow_id."""
        request = StartWorkflowRequest(
            definition=definition, input=input, handoff=handoff, on_behalf_of=on_behalf_of, business_id=business_id
        )
        client = self._client()
        try:
            workflow = await client.start_workflow(request, request_id=idempotency_key)
        except Error as refusal:
            raise tool_error(refusal) from refusal
        again = " It was started before, by a call with the same idempotency_key." if client.replayed else ""
        return _answer(workflow, f"The workflow is {workflow.status}.{again} {_next(workflow)}")

    async def workflow_result(
        self,
        workflow_id: WorkflowId,
        ctx: Context,
        wait_seconds: Annotated[
            int, Field(ge=0, le=MOST_WAIT, description="How long to wait for the end; a person may need longer.")
        ] = 30,
    ) -> CallToolResult:
        """Wait for a workflow to end and return its result, or its state so far when the wait is over."""
        until = time.monotonic() + wait_seconds
        try:
            workflow = await self._look(workflow_id, wait=0)
            while workflow.status is WorkflowStatus.RUNNING and not self.drain.draining:
                left = until - time.monotonic()
                if left <= 0:
                    break
                await ctx.report_progress(wait_seconds - left, wait_seconds, "The workflow is running.")
                workflow = await self._look(workflow_id, wait=min(SLICE_SECONDS, max(1, round(left))))
        except Error as refusal:
            raise tool_error(refusal) from refusal
        return _answer(workflow, f"The workflow is {workflow.status}. {_next(workflow)}")

    async def workflow_status(self, workflow_id: WorkflowId) -> CallToolResult:
        """Look at a workflow without waiting."""
        try:
            workflow = await self._client().get_workflow(GetWorkflowRequest(workflow_id=workflow_id))
        except Error as refusal:
            raise tool_error(refusal) from refusal
        return _answer(workflow, f"The workflow is {workflow.status}. {_next(workflow)}")

    async def _look(self, workflow_id: str, *, wait: int) -> Workflow:
        """Asks for the run, at its end or after `wait` seconds; at once where this process ends meanwhile."""
        request = GetWorkflowResultRequest(workflow_id=workflow_id, wait=wait)
        asking = asyncio.create_task(self._client().get_workflow_result(request, timeout=wait + ANSWER_SECONDS))
        ending = asyncio.create_task(self.drain.wait())
        try:
            await asyncio.wait([asking, ending], return_when=asyncio.FIRST_COMPLETED)
            if asking.done():
                return asking.result()
        finally:
            asking.cancel()
            ending.cancel()
        return await self._client().get_workflow_result(request.model_copy(update={"wait": 0}))

    def _client(self) -> WorkflowServiceClient:
        return WorkflowServiceClient(self.channel, self.token, door="mcp")


def _reads(title: str) -> ToolAnnotations:
    return ToolAnnotations(title=title, read_only_hint=True, idempotent_hint=True)


def _answer(workflow: Workflow, told: str) -> CallToolResult:
    """Returns the run as an agent is shown it, and a sentence that says what to do next."""
    shown = workflow.model_dump(mode="json", include=set(SHOWN))
    text = json.dumps({key: value for key, value in shown.items() if value is not None}, ensure_ascii=False)
    content = [TextContent(type="text", text=text), TextContent(type="text", text=told)]
    return CallToolResult(content=list(content), structured_content=shown)


def _next(workflow: Workflow) -> str:
    match workflow.status:
        case WorkflowStatus.RUNNING:
            notice = f"Note: {workflow.notice} " if workflow.notice else ""
            return (
                f"{notice}Call workflow_result with workflow_id {workflow.workflow_id} to wait for its result. "
                "A person may need minutes or hours: you may tell the user so and ask again later."
            )
        case WorkflowStatus.COMPLETED:
            return "Its result is in `result`."
        case _:
            return "It ended without a result; `failure` says why, if it is known. Do not wait for it any longer."
