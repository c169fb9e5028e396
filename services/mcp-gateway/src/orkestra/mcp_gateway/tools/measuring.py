"""How long each message takes, by method and tool."""

import time
from collections.abc import Container
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.types import CallToolResult
from orkestra.chassis.metrics import duration

METHODS = frozenset(
    {
        "initialize",
        "server/discover",
        "ping",
        "tools/list",
        "tools/call",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "prompts/list",
        "prompts/get",
        "subscriptions/listen",
        "tasks/get",
        "tasks/update",
        "tasks/cancel",
    }
)
OTHER = "_OTHER"
"""What callers make up is no figure's name."""
SERVED = duration(
    "mcp.server.operation.duration",
    "MCP messages served, by tool where one is called; error.type is there where it went wrong.",
    "mcp.method.name",
    "gen_ai.tool.name",
    "error.type",
)


class Measured:
    """MCP middleware: measures every message."""

    def __init__(self, tools: Container[str]) -> None:
        self._tools = tools

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        method = ctx.method if ctx.method in METHODS else OTHER
        named = str((ctx.params or {}).get("name", "")) if method == "tools/call" else ""
        tool = named if not named or named in self._tools else OTHER
        began, fault = time.perf_counter(), OTHER
        try:
            result = await call_next(ctx)
            fault = "tool_error" if isinstance(result, CallToolResult) and result.is_error else ""
        except Exception as error:
            fault = type(error).__name__
            raise
        finally:
            SERVED.labels(method, tool, fault).observe(time.perf_counter() - began)
        return result
