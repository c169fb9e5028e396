"""One span per call on either side, and the trace that leads from one to the other (W3C trace context)."""

from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from orkestra.wire.errors import Error

tracer = trace.get_tracer("orkestra.wire")


class CallSpan:
    """The span of one call."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def set_tenant(self, tenant_id: str | None) -> None:
        """Say for which tenant the call acts."""
        if tenant_id is not None:
            self._span.set_attribute("orkestra.tenant_id", tenant_id)

    def end_with(self, refusal: Error | None) -> None:
        """Record how the call ended; only what is our fault marks the span as failed."""
        if refusal is None:
            self._span.set_attribute("rpc.grpc.status_code", 0)
            return
        self._span.set_attribute("rpc.grpc.status_code", int(refusal.code.value[0]))
        self._span.set_attribute("error.type", refusal.reason)
        if refusal.http_status >= 500:
            self._span.set_status(Status(StatusCode.ERROR, refusal.message))


@contextmanager
def server_span(rpc: str, metadata: Mapping[str, str]) -> Iterator[CallSpan]:
    """Continue the caller's trace while its call is served."""
    with tracer.start_as_current_span(
        rpc,
        context=propagate.extract(metadata),
        kind=SpanKind.SERVER,
        attributes=_attributes(rpc),
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        yield CallSpan(span)


@contextmanager
def client_span(rpc: str, metadata: MutableMapping[str, str]) -> Iterator[CallSpan]:
    """Open a span around a call and write its trace context into the call's metadata."""
    with tracer.start_as_current_span(
        rpc,
        kind=SpanKind.CLIENT,
        attributes=_attributes(rpc),
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        propagate.inject(metadata)
        yield CallSpan(span)


def _attributes(rpc: str) -> dict[str, str]:
    service, _, method = rpc.partition("/")
    return {"rpc.system": "grpc", "rpc.service": service, "rpc.method": method}
