"""Refusals before MCP's own answers begin: a JSON-RPC error with the HTTP status that says it."""

import math

from orkestra.wire import Error, dumps
from starlette.responses import Response

SERVER_ERROR = -32000
"""JSON-RPC's code for what the server itself defines."""

PARSE_ERROR = -32700
INVALID_REQUEST = -32600


def respond(
    refusal: Error, headers: dict[str, str], *, code: int = SERVER_ERROR, status: int | None = None
) -> Response:
    """Returns the HTTP answer that says why; its status is the refusal's own unless another is given."""
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after)))
    errors = [{"path": error.path, "code": error.code, "message": error.message} for error in refusal.errors]
    data = {"reason": refusal.reason, **({"errors": errors} if errors else {})}
    error = {"code": code, "message": f"{refusal.reason}: {refusal}", "data": data}
    body = dumps({"jsonrpc": "2.0", "id": None, "error": error})
    return Response(body, status or refusal.http_status, headers=headers, media_type="application/json")
