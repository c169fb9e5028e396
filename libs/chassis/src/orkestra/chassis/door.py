"""What every request at a door carries in and out: a request id, a trace, a bounded body; and a line in the log."""

import asyncio
import re
import secrets
import time
from collections.abc import AsyncIterable, Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from orkestra.chassis.logs import get_logger
from orkestra.chassis.metrics import HTTP
from orkestra.wire import DeadlineExceeded, TooLarge
from orkestra.wire.tracing import pass_on, trace_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PASSED_ON = ("traceparent", "tracestate")
_LISTENED_TO = 8
"""How many times the limit is read of a body before a client that goes on sending is cut off."""
_PRIVATE = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
"""What is said of every answer that says nothing else: it is its caller's, and of the type that it names."""

BODY_SECONDS = 30.0
"""How long a body may take to come."""

log = get_logger(__name__)
tracer = trace.get_tracer("orkestra.chassis.door")


async def read_body(chunks: AsyncIterable[bytes], *, declared: str, limit: int, seconds: float = BODY_SECONDS) -> bytes:
    """Return a body of at most `limit` bytes; raise TooLarge BODY_TOO_LARGE for a larger one.

    `declared` is the Content-Length. What is somewhat too large is read to its end and dropped: a client that is cut
    off while it sends does not hear why. Raises DeadlineExceeded where it does not come within `seconds`.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _read(chunks, declared=declared, limit=limit)
    except TimeoutError:
        raise DeadlineExceeded("REQUEST_TIMED_OUT", f"The body did not come within {seconds:g} seconds.") from None


async def _read(chunks: AsyncIterable[bytes], *, declared: str, limit: int) -> bytes:
    refusal = TooLarge("BODY_TOO_LARGE", f"A body is at most {limit} bytes.")
    if declared.isdigit() and int(declared) > limit * _LISTENED_TO:
        raise refusal
    body, length = bytearray(), 0
    async for chunk in chunks:
        length += len(chunk)
        if length > limit * _LISTENED_TO:
            raise refusal
        if length <= limit:
            body += chunk
    if length > limit:
        raise refusal
    return bytes(body)


class Envelope:
    """ASGI: takes or makes `X-Request-Id` and `traceparent`, answers with both, and logs the request.

    The request id is in `scope["state"]["request_id"]`. An exception that nobody answered is logged and ends here.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        request_id = given.get("x-request-id", "")
        if _REQUEST_ID.fullmatch(request_id) is None:
            request_id = f"req_{secrets.token_hex(16)}"
        scope.setdefault("state", {})["request_id"] = request_id
        with tracer.start_as_current_span(scope["method"], context=trace_of(given), kind=SpanKind.SERVER) as span:
            await self._serve(scope, receive, _Answer(send, request_id), span)

    async def _serve(self, scope: Scope, receive: Receive, answer: "_Answer", span: Span) -> None:
        began = time.perf_counter()
        try:
            await self._app(scope, receive, answer)
        except Exception:
            log.exception("request_failed", request_id=answer.request_id, path=_path(scope))
            if answer.status is None:
                await answer.last_resort()
        seconds = time.perf_counter() - began
        _describe(span, scope, answer.status)
        HTTP.labels(_method(scope), _route(scope), str(answer.status or "")).observe(seconds)
        log.info(
            "request",
            request_id=answer.request_id,
            method=scope["method"],
            path=_path(scope),
            status=answer.status,
            milliseconds=round(seconds * 1000, 1),
        )


class _Answer:
    """Sends the answer with the headers that belong on each."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self.request_id = request_id
        self.status: int | None = None
        carrier: dict[str, str] = {}
        pass_on(carrier)
        self._trace = [(name.encode(), carrier[name].encode()) for name in _PASSED_ON if name in carrier]

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = message.get("headers", ())
            named = {name.lower() for name, _ in given}
            kept = (header for header in _PRIVATE if header[0] not in named)
            message["headers"] = [*given, *kept, (b"x-request-id", self.request_id.encode()), *self._trace]
        await self._send(message)

    async def last_resort(self) -> None:
        """Answer 500 without a word about why."""
        await self({"type": "http.response.start", "status": 500, "headers": [(b"content-length", b"0")]})
        await self._send({"type": "http.response.body", "body": b""})


def _describe(span: Span, scope: Scope, status: int | None) -> None:
    route = _route(scope)
    if route:
        span.update_name(f"{scope['method']} {route}")
        span.set_attribute("http.route", route)
    span.set_attribute("http.request.method", scope["method"])
    if status is not None:
        span.set_attribute("http.response.status_code", status)
    if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        span.set_status(Status(StatusCode.ERROR))


def _path(scope: Scope) -> str:
    """Return the path as it is logged: what a link's token stands for must not be read in a log."""
    path: str = scope["path"]
    token = scope.get("path_params", {}).get("token")
    return path.replace(token, "{token}") if token else path


def _route(scope: Scope) -> str:
    """Return the path as it is declared, empty where none was found: what callers make up is no figure's name."""
    route: str = getattr(scope.get("route"), "path", "")
    return route


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "_OTHER"
