"""What tools take: shared arguments, their checks, and refusals told so that a model can correct itself."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any, ParamSpec, TypeVar

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.types import CallToolResult, ToolAnnotations
from orkestra.mcp_gateway.tools.rooms import MOST_WAIT
from orkestra.v1.task import AgentInfo, ConversationMessage, Link, TaskContext
from orkestra.wire import Error, RpcClient, parse
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

A = TypeVar("A", bound=ArgModelBase)
P = ParamSpec("P")
Told = Callable[P, Awaitable[CallToolResult]]

READS = ToolAnnotations(read_only_hint=True)
CREATES = ToolAnnotations(destructive_hint=False)
REPEATS = ToolAnnotations(destructive_hint=False, idempotent_hint=True)
STOPS = ToolAnnotations(destructive_hint=True, idempotent_hint=True)
ADVICE = {
    "invalid_argument": "Correct what is named and call the tool again.",
    "unauthenticated": "The key of this connection is no longer good; ask the user for another one.",
    "permission_denied": "This key may not do that; do not try again, tell the user.",
    "not_found": "Check the id or the name; nothing of that name is visible to this key.",
    "already_exists": "It exists already; use that one, or choose another name.",
    "failed_precondition": "Its state does not allow this; look at the state before you go on.",
    "version_mismatch": "It has changed meanwhile; read it again before you go on.",
    "conflict": "The same call is still running; call again in a few seconds with the same idempotency_key.",
    "too_large": "Send less, for example a summary instead of everything.",
    "resource_exhausted": "Wait before you call again.",
    "unavailable": "This passes; call again in a few seconds.",
    "deadline_exceeded": "It may have worked; call again with the same idempotency_key, or look at the state.",
    "internal": "This is a fault of the server and not of the call; tell the user if it happens again.",
}
ARGUMENTS = {  # a room's name of a field: the argument that it came from
    "candidate_groups": "groups",
    "candidate_users": "assignees",
    "priority": "urgency",
    "sla.complete": "deadline",
}
AGENT = "{name, model, prompt_version, confidence: 0..1, trace_id, check_id}"
SHORTENED = frozenset({"title", "pattern", "minLength", "maxLength", "format", "minItems", "minimum"})

WorkflowId = Annotated[str, Field(min_length=1, max_length=200)]
TaskId = Annotated[str, Field(min_length=1, max_length=200)]
OnBehalfOf = Annotated[str | None, Field(description="E-mail or user id.")]
IdempotencyKey = Annotated[str | None, Field(pattern=r"^[\x21-\x7e]{1,255}$")]
PageToken = str | None
WaitSeconds = Annotated[int, Field(ge=0, le=MOST_WAIT)]


def _listed(items: str) -> WithJsonSchema:
    """Says in words what the items are; their checks know it exactly."""
    return WithJsonSchema({"type": "array", "items": {"type": "object"}, "description": items})


class Background(BaseModel):
    """What a person needs so that nothing is lost on the way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    conversation: Annotated[list[ConversationMessage], _listed("[{role, text}]")] = []
    summary: str | None = None
    data: dict[str, Any] | None = None
    links: Annotated[list[Link], _listed("[{label, url}]")] = []
    agent: Annotated[AgentInfo | None, WithJsonSchema({"type": "object", "description": AGENT})] = None

    def context(self) -> TaskContext:
        """Returns it as a task takes it."""
        return TaskContext(
            conversation=self.conversation, summary=self.summary, data=self.data, links=self.links, agent=self.agent
        )


def check_arguments(tool: Tool, given: Mapping[str, Any]) -> None:
    """Raises InvalidArgument for unknown, wrong and missing arguments, at any depth."""
    parse(tool.fn_metadata.arg_model, dict(given))


def published(
    call: Callable[..., Awaitable[CallToolResult]], annotations: ToolAnnotations, answers: dict[str, Any]
) -> Tool:
    """Returns the tool as it is listed: closed to unknown arguments, terse, with the schema of what it answers.

    Every word of a tool list is paid for by each conversation of each agent; the checks know more than it tells.
    """
    tool = Tool.from_function(call, annotations=annotations)
    tool.fn_metadata.output_schema = answers
    return tool.model_copy(update={"parameters": _closed(tool.parameters)})


def published_form(
    call: Callable[[A, Context], Awaitable[CallToolResult]],
    arguments: type[A],
    annotations: ToolAnnotations,
    answers: dict[str, Any],
) -> Tool:
    """Returns a tool whose arguments are the fields of one model, as it is listed."""

    async def with_fields(ctx: Context, **given: Any) -> CallToolResult:
        return await call(arguments(**given), ctx)

    return Tool(
        fn=with_fields,
        name=call.__name__,
        description=inspect.getdoc(call) or "",
        parameters=_closed(arguments.model_json_schema(by_alias=True)),
        fn_metadata=FuncMetadata(arg_model=arguments, output_schema=answers),
        is_async=True,
        context_kwarg="ctx",
        annotations=annotations,
    )


def refusals_told(call: Told[P]) -> Told[P]:
    """Makes a room's refusal an error that tells the model what to do next."""

    @functools.wraps(call)
    async def told(*given: P.args, **named: P.kwargs) -> CallToolResult:
        try:
            return await call(*given, **named)
        except Error as refusal:
            raise tool_error(refusal) from refusal

    return told


def tool_error(refusal: Error) -> ToolError:
    """Returns what a model is told: the sentence, the reason, every field, and what to do next."""
    sentence = str(refusal)
    for error in refusal.errors:
        sentence = sentence.replace(f"{error.path}: ", f"{_argument(error.path)}: ")
    lines = [f"{refusal.reason}: {sentence}"]
    lines += [f"- {_argument(error.path)}: {error.message}" for error in refusal.errors if error.path]
    if refusal.retry_after is not None:
        lines.append(f"Try again in {max(1, round(refusal.retry_after + 0.5))} s.")
    lines.append(ADVICE[refusal.kind])
    return ToolError("\n".join(lines))


def again(client: RpcClient) -> str:
    """Says so where the last answer is the stored one of an earlier call."""
    return "This was done before, by a call with the same idempotency_key. " if client.replayed else ""


def _argument(path: str) -> str:
    for field, argument in ARGUMENTS.items():
        if path == field or path.startswith((f"{field}.", f"{field}[")):
            return f"{argument}{path.removeprefix(field)}"
    return path


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    plain = {key: value for key, value in schema.items() if key != "description"}
    closed: dict[str, Any] = _terse(plain, schema.get("$defs", {}))
    return closed | {"additionalProperties": False}


def _terse(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """Leaves out what only repeats a name, or what a refusal says well enough, and puts definitions in place."""
    if isinstance(schema, list):
        return [_terse(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        inner = dict(definitions[schema["$ref"].rpartition("/")[2]])
        inner.pop("description", None)
        return _terse(inner | {key: value for key, value in schema.items() if key != "$ref"}, definitions)
    if "anyOf" in schema:
        kinds = [kind for kind in schema["anyOf"] if kind.get("type") != "null"]
        if len(kinds) == 1:
            return _terse(kinds[0] | {key: value for key, value in schema.items() if key != "anyOf"}, definitions)
    terse: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "properties":
            terse[key] = {name: _terse(field, definitions) for name, field in value.items()}
        elif key not in SHORTENED | {"$defs", "additionalProperties"} and not (key == "default" and not value):
            terse[key] = _terse(value, definitions)
    return terse
