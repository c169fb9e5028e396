"""The tasks extension of MCP (SEP-2663): a call that asks people answers a handle, backed by the task row itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import require_client_extension
from mcp.server.mcpserver.tools import Tool
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, INVALID_PARAMS, CallToolRequestParams, CallToolResult, RequestParams, TextContent
from orkestra.mcp_gateway.tools.answering import answer, is_live, open_request, shown, task_answer, waiting_for
from orkestra.mcp_gateway.tools.arguments import tool_error
from orkestra.mcp_gateway.tools.asking import AskingTools
from orkestra.mcp_gateway.tools.rooms import Rooms
from orkestra.v1.task import AnswerTaskRequest, CancelTaskRequest, ChangeRequest, Task, TaskStatus
from orkestra.v1.workflow import AnswerNeeded
from orkestra.wire import Error, FailedPrecondition, NotFound
from pydantic import Field

TASKS = "io.modelcontextprotocol/tasks"
VERSIONS = frozenset({"2026-07-28"})
POLL_MS = 1000
DECLINED = "The requester declined to answer."
MESSAGE = {"type": "string", "title": "Answer", "minLength": 1}
ANSWER = {"type": "object", "properties": {"message": MESSAGE}, "required": ["message"]}

RequestContext = ServerRequestContext[Any, Any]


class HandleParams(RequestParams):
    """Names a handle."""

    task_id: str = Field(alias="taskId", min_length=1, max_length=200)


class UpdateParams(HandleParams):
    """Answers to what a handle asked."""

    input_responses: dict[str, Any] = Field(alias="inputResponses")


@dataclass(frozen=True)
class Handle:
    """A task, and how many requests for changes its client knew when the handle was given.

    A client that cannot be asked gets the next request as this handle's result: it answers by task_answer, and
    task_wait gives the next handle. So what a handle said in the end stays said.
    """

    task_id: str
    known: int

    @classmethod
    def of(cls, task: Task) -> "Handle":
        """Returns the handle for a task as it is now."""
        return cls(task.task_id, sum(request.closed_at is not None for request in task.change_requests))

    @classmethod
    def read(cls, text: str) -> "Handle":
        """Returns the handle that `str` made; raises MCPError for any other text."""
        task_id, dot, known = text.partition(".")
        if dot and not (known.isascii() and known.isdigit()):
            raise _unknown()
        return cls(task_id, int(known) if dot else 0)

    def __str__(self) -> str:
        return f"{self.task_id}.{self.known}" if self.known else self.task_id

    def asked(self, task: Task) -> ChangeRequest | None:
        """Returns the request for changes that came after the handle."""
        return task.change_requests[self.known] if len(task.change_requests) > self.known else None


class Handles(Extension):
    """ask_human, request_approval and task_wait answer handles to clients that declare the extension."""

    identifier = TASKS

    def __init__(self, rooms: Rooms, asking: AskingTools, tools: Mapping[str, Tool]) -> None:
        self._rooms = rooms
        self._asking = asking
        self._tools = tools

    def methods(self) -> Sequence[MethodBinding]:
        """tasks/get, tasks/update and tasks/cancel."""
        return [
            MethodBinding("tasks/get", HandleParams, self.get, VERSIONS),
            MethodBinding("tasks/update", UpdateParams, self.update, VERSIONS),
            MethodBinding("tasks/cancel", HandleParams, self.cancel, VERSIONS),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: RequestContext, call_next: CallNext
    ) -> HandlerResult:
        """Answers a handle where the task is live and the client holds handles; else as everyone is answered."""
        if not _declares(ctx) or params.name not in {*self._asking.waiting, "task_wait"}:
            return await call_next(ctx)
        try:
            task, told = await self._task_of(params)
            caller = await self._rooms.caller()
        except Error as refusal:
            return CallToolResult(content=[TextContent(type="text", text=str(tool_error(refusal)))], is_error=True)
        if task.requested_by != caller.subject:
            return await call_next(ctx)  # a person waits for a task of another: no handle is theirs
        if not is_live(task) or open_request(task) is not None:
            return task_answer(task, told)
        return {"resultType": "task", **_described(Handle.of(task), task, "working", waiting_for(task))}

    async def get(self, ctx: RequestContext, params: HandleParams) -> HandlerResult:
        """Says where the task of a handle stands, and with its end what the call would have answered."""
        require_client_extension(ctx, TASKS)
        return {"resultType": "complete", **await self.state(ctx, params.task_id)}

    async def state(self, ctx: RequestContext, handle_text: str) -> dict[str, Any]:
        """Returns what a handle stands for now, whole; raises MCPError where the caller holds no such handle."""
        handle = Handle.read(handle_text)
        task = await self._own(handle.task_id)
        return _state(handle, task, may_elicit=_elicits(ctx))

    async def update(self, ctx: RequestContext, params: UpdateParams) -> HandlerResult:
        """Passes the answer of the client's user on to the reviewer who asked; other answers are ignored."""
        require_client_extension(ctx, TASKS)
        task = await self._own(Handle.read(params.task_id).task_id)
        for request in task.change_requests:
            given = params.input_responses.get(_key(request))
            if isinstance(given, dict) and request == open_request(task):
                await self._tell(task.task_id, given)
        return {"resultType": "complete"}

    async def cancel(self, ctx: RequestContext, params: HandleParams) -> HandlerResult:
        """Takes the task back; one that has ended stays as it is."""
        require_client_extension(ctx, TASKS)
        task = await self._own(Handle.read(params.task_id).task_id)
        if is_live(task):
            request = CancelTaskRequest(task_id=task.task_id, reason="The requester took it back.")
            try:
                await self._rooms.tasks.cancel_task(request)
            except FailedPrecondition:  # it ended meanwhile
                pass
            except Error as refusal:
                raise _failed(refusal) from refusal
        return {"resultType": "complete"}

    async def _task_of(self, params: CallToolRequestParams) -> tuple[Task, str]:
        given = self._tools[params.name].fn_metadata.validate_arguments(dict(params.arguments or {}))
        if params.name in self._asking.waiting:
            return await self._asking.open(self._asking.waiting[params.name](**given))
        return await self._rooms.task(given["task_id"]), ""

    async def _own(self, task_id: str) -> Task:
        """Returns the task that the caller itself asked for; to everyone else there is none."""
        try:
            task = await self._rooms.task(task_id)
            caller = await self._rooms.caller()
        except NotFound:
            raise _unknown() from None
        except Error as refusal:
            raise _failed(refusal) from refusal
        if task.requested_by != caller.subject:
            raise _unknown()
        return task

    async def _tell(self, task_id: str, given: dict[str, Any]) -> None:
        content = given.get("content")
        message = content.get("message") if isinstance(content, dict) and given.get("action") == "accept" else None
        said = message if isinstance(message, str) and message.strip() else DECLINED
        try:
            await self._rooms.tasks.answer_task(AnswerTaskRequest(task_id=task_id, message=said))
        except FailedPrecondition:  # another answer was faster, or the task ended
            pass
        except Error as refusal:
            raise _failed(refusal) from refusal


def _state(handle: Handle, task: Task, *, may_elicit: bool) -> dict[str, Any]:
    asked = handle.asked(task)
    if asked is not None and not may_elicit:
        return _described(handle, task, "completed", "The reviewer asks you something.") | _result(_asks(task, asked))
    last = open_request(task)
    if last is not None:
        state = _described(handle, task, "input_required", "The reviewer asks you something.")
        return state | {"inputRequests": {_key(last): _elicitation(last)}}
    if is_live(task):
        return _described(handle, task, "working", waiting_for(task))
    if task.status is TaskStatus.CANCELLED:
        return _described(handle, task, "cancelled", task.reason or "The task was cancelled.")
    return _described(handle, task, "completed", f"The task is {task.status}.") | _result(task_answer(task))


def _described(handle: Handle, task: Task, status: str, message: str) -> dict[str, Any]:
    return {
        "taskId": str(handle),
        "status": status,
        "statusMessage": message,
        "createdAt": task.created_at.isoformat(),
        "lastUpdatedAt": task.updated_at.isoformat(),
        "ttlMs": None,
        "pollIntervalMs": POLL_MS,
    }


def _result(result: CallToolResult) -> dict[str, Any]:
    return {"result": result.model_dump(mode="json", by_alias=True, exclude_none=True)}


def _asks(task: Task, asked: ChangeRequest) -> CallToolResult:
    content = shown(task, ("task_id", "workflow_id", "title")) | {"status": TaskStatus.WAITING.value}
    content["answer_needed"] = shown(AnswerNeeded(task_id=task.task_id, message=asked.message))
    return answer(
        content,
        "The reviewer asks you for changes or information: `answer_needed` says what. "
        f"Call task_answer with task_id {task.task_id}, then task_wait.",
    )


def _elicitation(asked: ChangeRequest) -> dict[str, Any]:
    message = f"The reviewer of your request asks: {asked.message}"
    return {"method": "elicitation/create", "params": {"mode": "form", "message": message, "requestedSchema": ANSWER}}


def _key(request: ChangeRequest) -> str:
    return f"changes-{request.round}"


def _declares(ctx: RequestContext) -> bool:
    capabilities = ctx.session.client_capabilities
    return bool(capabilities and capabilities.extensions and TASKS in capabilities.extensions)


def _elicits(ctx: RequestContext) -> bool:
    capabilities = ctx.session.client_capabilities
    return capabilities is not None and capabilities.elicitation is not None


def _unknown() -> MCPError:
    return MCPError(INVALID_PARAMS, "Task not found")


def _failed(refusal: Error) -> MCPError:
    return MCPError(INTERNAL_ERROR, f"{refusal.reason}: {refusal}", data={"reason": refusal.reason})
