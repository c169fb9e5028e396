"""Checks a tool's arguments as they came, and says every refusal so that a model can correct itself."""

from collections.abc import Mapping
from typing import Any

from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.tools import Tool
from orkestra.wire import Error, dumps, parse
from pydantic import BaseModel

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


def check_arguments(tool: Tool, given: Mapping[str, Any]) -> None:
    """Raises InvalidArgument for unknown, wrong and missing arguments, at any depth."""
    arguments: type[BaseModel] = tool.fn_metadata.arg_model
    parse(arguments, dict(given))


def published(tool: Tool, answer: type[BaseModel], *, fields: frozenset[str]) -> Tool:
    """Returns the tool as it is listed: closed to unknown arguments, answering `fields` of `answer`, and terse.

    Every word of a tool list is paid for by each conversation of each agent.
    """
    schema = answer.model_json_schema(mode="serialization")
    shown = {name: value for name, value in schema["properties"].items() if name in fields}
    definitions = {name: value for name, value in schema.get("$defs", {}).items() if f'/{name}"' in dumps(shown)}
    tool.fn_metadata.output_schema = _terse(
        {"type": "object", "properties": shown, "required": list(shown), "$defs": definitions}
    )
    return tool.model_copy(update={"parameters": _terse(_closed(tool.parameters))})


def tool_error(refusal: Error) -> ToolError:
    """Returns what a model is told: the sentence, the reason, every field, and what to do next."""
    lines = [f"{refusal.reason}: {refusal}"]
    lines += [f"- {error.path}: {error.message}" for error in refusal.errors if error.path]
    if refusal.retry_after is not None:
        lines.append(f"Try again in {max(1, round(refusal.retry_after + 0.5))} s.")
    lines.append(ADVICE[refusal.kind])
    return ToolError("\n".join(lines))


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _closed(value) for key, value in schema.items()}
    return inner | {"additionalProperties": False} if isinstance(schema.get("properties"), dict) else inner


def _terse(schema: Any) -> Any:
    """Leaves out what only repeats a name or says nothing: titles, null defaults, and long ways to say nullable."""
    if isinstance(schema, list):
        return [_terse(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    terse = {
        key: {name: _terse(field) for name, field in value.items()} if key in ("properties", "$defs") else _terse(value)
        for key, value in schema.items()
        if key in ("properties", "$defs") or not (key == "title" or (key == "default" and value is None))
    }
    match terse.get("anyOf"):
        case [{"type": str(kind), **more}, {"type": "null"}]:
            del terse["anyOf"]
            return terse | more | {"type": [kind, "null"]}
    return terse
