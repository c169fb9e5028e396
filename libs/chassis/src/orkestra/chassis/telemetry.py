"""Traces: to OTLP where an address is given; without one, ids are passed on and cost next to nothing."""

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import NonRecordingSpan, NoOpTracer, Span, SpanContext, SpanKind
from orkestra.wire.tracing import pass_on, trace_of

EXPORT_SECONDS = 2.0
BATCH_MILLISECONDS = 1000
_NOTHING = nullcontext()
_ids = RandomIdGenerator()
_chosen_span_id: ContextVar[int | None] = ContextVar("chosen_span_id", default=None)

tracer = trace.get_tracer(__name__)


def resource(service: str) -> Resource:
    """Return how this process names itself to whoever receives its traces and figures."""
    return Resource.create({"service.name": service, "service.namespace": "orkestra"})


def configure(service: str, *, otlp_endpoint: str | None) -> Callable[[], None]:
    """Set the tracer provider of this process; return what sends the last spans, for at most 3 seconds."""
    if otlp_endpoint is None:
        trace.set_tracer_provider(_Silent())
        return lambda: None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - a slow import

    provider = TracerProvider(resource=resource(service), id_generator=_Ids(), shutdown_on_exit=False)
    exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=BATCH_MILLISECONDS))
    trace.set_tracer_provider(provider)

    def finish() -> None:
        provider.force_flush(3000)
        provider.shutdown()

    return finish


def step(
    name: str, *, kind: SpanKind = SpanKind.CLIENT, attributes: Mapping[str, str] | None = None
) -> AbstractContextManager[object]:
    """Return a span around a part of what is recorded; nothing where nothing is."""
    if not trace.get_current_span().is_recording():
        return _NOTHING
    return tracer.start_as_current_span(name, kind=kind, attributes=attributes)


@contextmanager
def publishing(subject: str, headers: MutableMapping[str, str]) -> Iterator[None]:
    """Open a span in the trace that the headers name, and put it into them; nothing where nobody records that trace."""
    span = tracer.start_span(f"publish {_event_of(subject)}", trace_of(headers), kind=SpanKind.PRODUCER)
    if not span.is_recording():
        yield
        return
    span.set_attributes({"messaging.system": "nats", "messaging.message.id": headers.get("ce-id", "")})
    pass_on(headers, span)
    with trace.use_span(span, end_on_exit=True):
        yield


def record(
    name: str, traceparent: str, *, span_id: int, began: datetime, ended: datetime, attributes: Mapping[str, Any]
) -> None:
    """Record what took from `began` to `ended`, perhaps days, under an id that others could know before it ended."""
    chosen = _chosen_span_id.set(span_id)
    try:
        span = tracer.start_span(
            name, trace_of({"traceparent": traceparent}), attributes=attributes, start_time=_nanoseconds(began)
        )
    finally:
        _chosen_span_id.reset(chosen)
    span.end(_nanoseconds(ended))


class _Ids(RandomIdGenerator):
    """Random ids, but for a span whose id was chosen."""

    def generate_span_id(self) -> int:
        return _chosen_span_id.get() or super().generate_span_id()


class _Silent(trace.TracerProvider):
    """Records nothing; a trace that comes in goes on as it is, and what comes in without one begins one."""

    def get_tracer(self, *_arguments: object, **_named: object) -> trace.Tracer:
        return _SilentTracer()


class _SilentTracer(NoOpTracer):
    def start_span(
        self,
        name: str,  # noqa: ARG002 - the interface's
        context: Any = None,
        kind: SpanKind = SpanKind.INTERNAL,
        *_arguments: object,
        **_named: object,
    ) -> Span:
        parent = trace.get_current_span(context)
        if kind is SpanKind.CLIENT or parent.get_span_context().is_valid:
            return parent
        return NonRecordingSpan(SpanContext(_ids.generate_trace_id(), _ids.generate_span_id(), is_remote=False))


def _event_of(subject: str) -> str:
    """Return aggregate and event of a subject `orkestra.v1.<tenant>.<aggregate>.<event>`."""
    return ".".join(subject.rsplit(".", 2)[-2:])


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000) * 1000
