"""One span per call on either side, and the trace that leads from one to the other (W3C Trace Context)."""

import re
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar, Token
from functools import lru_cache
from types import TracebackType
from typing import Self

from opentelemetry import context, trace
from opentelemetry.context import Context as TraceContext
from opentelemetry.trace import Link, NonRecordingSpan, Span, SpanContext, SpanKind, Status, StatusCode, TraceFlags
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from orkestra.wire.errors import Error

Measure = Callable[[str, str, float], None]
"""Takes what was called, how it ended as gRPC names it, and the seconds that it took."""

_W3C = TraceContextTextMapPropagator()
_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
NOWHERE = TraceContext()
CUT = "CANCELLED"
"""How a call ended that nobody waited for any more."""

tracer = trace.get_tracer("orkestra.wire")
running_tenant: ContextVar[str | None] = ContextVar("running_tenant", default=None)
"""Tenant that the running code works for, as logs name it."""


class _Measures:
    """Where the durations of calls go."""

    server: Measure | None = None
    client: Measure | None = None


def measure_calls(*, server: Measure | None, client: Measure | None) -> None:
    """Have every call of this process measured: those that it serves, and those that it makes."""
    _Measures.server, _Measures.client = server, client


def trace_of(carrier: Mapping[str, str]) -> TraceContext:
    """Return the trace that headers name; none where they name none."""
    given = carrier.get("traceparent")
    if given is None:
        return NOWHERE
    plain = None if "tracestate" in carrier else _TRACEPARENT.fullmatch(given)
    if plain is None:
        return _W3C.extract(carrier, NOWHERE)
    trace_id, span_id, flags = plain.groups()
    named = SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))
    return trace.set_span_in_context(NonRecordingSpan(named), NOWHERE) if named.is_valid else NOWHERE


def pass_on(carrier: MutableMapping[str, str], span: Span | None = None) -> None:
    """Write the running trace, or that of `span`, into headers."""
    running = (span or trace.get_current_span()).get_span_context()
    if not running.is_valid:
        return
    carrier["traceparent"] = f"00-{running.trace_id:032x}-{running.span_id:016x}-{running.trace_flags:02x}"
    if running.trace_state:
        carrier["tracestate"] = running.trace_state.to_header()


def current_traceparent() -> str | None:
    """Return the running trace as one header holds it."""
    carrier: dict[str, str] = {}
    pass_on(carrier)
    return carrier.get("traceparent")


def is_recording() -> bool:
    """Say whether what runs now is recorded; what costs something is done only then."""
    return trace.get_current_span().is_recording()


def pass_on_trace(traceparent: str, name: str, carrier: MutableMapping[str, str]) -> None:
    """Write into headers the trace that `traceparent` names, in which `name` happens now.

    Where the running code belongs to another trace, such as a person's request about a question that an agent asked,
    the question's trace gets a span of its own, and each of the two leads to the other by a link.
    """
    running = trace.get_current_span()
    if running.get_span_context().trace_id == _trace_id(traceparent):
        pass_on(carrier)
        return
    links = [Link(running.get_span_context())] if running.get_span_context().is_valid else []
    span = tracer.start_span(name, trace_of({"traceparent": traceparent}), links=links)
    span.end()
    if running.is_recording():
        running.add_link(span.get_span_context())
    pass_on(carrier, span)


class CallSpan:
    """The span of one call, current while it is entered."""

    def __init__(self, span: Span, rpc: str, measure: Measure | None) -> None:
        self._span = span
        self._rpc = rpc
        self._measure = measure
        self._status = CUT
        self._began = time.perf_counter()
        self._attached: Token[TraceContext] | None = None

    def __enter__(self) -> Self:
        self._attached = context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._attached is not None:
            context.detach(self._attached)
        self._span.end()
        if self._measure is not None:
            self._measure(self._rpc, self._status, time.perf_counter() - self._began)

    def set_tenant(self, tenant_id: str | None) -> None:
        """Say for which tenant the call acts."""
        running_tenant.set(tenant_id)
        if tenant_id is not None:
            self._span.set_attribute("orkestra.tenant_id", tenant_id)

    def end_with(self, refusal: Error | None) -> None:
        """Record how the call ended; only what is our fault marks the span as failed."""
        self._status = "OK" if refusal is None else refusal.code.name
        if not self._span.is_recording():
            return
        if refusal is None:
            self._span.set_attribute("rpc.grpc.status_code", 0)
            return
        self._span.set_attribute("rpc.grpc.status_code", int(refusal.code.value[0]))
        self._span.set_attribute("error.type", refusal.reason)
        if refusal.http_status >= 500:
            self._span.set_status(Status(StatusCode.ERROR, refusal.message))


def server_span(rpc: str, metadata: Mapping[str, str]) -> CallSpan:
    """Continue the caller's trace while its call is served."""
    span = tracer.start_span(rpc, trace_of(metadata), kind=SpanKind.SERVER, attributes=_attributes(rpc))
    return CallSpan(span, rpc, _Measures.server)


def client_span(rpc: str, metadata: MutableMapping[str, str]) -> CallSpan:
    """Open a span around a call and write its trace context into the call's metadata."""
    span = tracer.start_span(rpc, kind=SpanKind.CLIENT, attributes=_attributes(rpc))
    pass_on(metadata, span)
    return CallSpan(span, rpc, _Measures.client)


@lru_cache(maxsize=1000)
def _attributes(rpc: str) -> Mapping[str, str]:
    service, _, method = rpc.partition("/")
    return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}


def _trace_id(traceparent: str) -> int:
    """Return the trace id of a header, 0 where there is none."""
    try:
        return int(traceparent[3:35], 16)
    except ValueError:
        return 0
