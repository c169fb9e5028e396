"""Traces as headers carry them: taken as they are, passed on, and never taken from nonsense."""

import pytest
from opentelemetry import context, trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from orkestra.wire import tracing

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
QUESTION = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("orkestra.wire.tracing.tracer", provider.get_tracer("test"))
    return exporter


@pytest.mark.parametrize("flags", ["00", "01"])
def test_a_trace_goes_on_as_it_came(flags: str) -> None:
    given = {"traceparent": f"00-{TRACE}-{SPAN}-{flags}"}
    passed: dict[str, str] = {}
    token = context.attach(tracing.trace_of(given))
    tracing.pass_on(passed)
    context.detach(token)
    assert passed == given


def test_the_state_of_a_trace_goes_on_with_it() -> None:
    given = {"traceparent": QUESTION, "tracestate": "vendor=1"}
    passed: dict[str, str] = {}
    token = context.attach(tracing.trace_of(given))
    tracing.pass_on(passed)
    context.detach(token)
    assert passed == given


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}x-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
    ],
)
def test_what_is_no_trace_begins_none(given: str) -> None:
    found = trace.get_current_span(tracing.trace_of({"traceparent": given})).get_span_context()
    assert not found.is_valid


def test_what_happens_to_a_question_from_elsewhere_is_told_in_the_questions_trace(spans: InMemorySpanExporter) -> None:
    passed: dict[str, str] = {}
    with tracing.server_span("zoo.v1.Zoo/Answer", {}) as _:
        own = trace.get_current_span().get_span_context()
        tracing.pass_on_trace(QUESTION, "task completed", passed)
    told, request = spans.get_finished_spans()
    assert told.context is not None
    assert told.parent is not None
    assert (told.name, told.context.trace_id, told.parent.span_id) == ("task completed", int(TRACE, 16), int(SPAN, 16))
    assert [link.context.trace_id for link in told.links] == [own.trace_id]
    assert [link.context.trace_id for link in request.links] == [int(TRACE, 16)]
    assert passed["traceparent"] == f"00-{TRACE}-{told.context.span_id:016x}-01"


def test_what_happens_within_the_questions_trace_goes_on_in_it(spans: InMemorySpanExporter) -> None:
    passed: dict[str, str] = {}
    with tracing.server_span("zoo.v1.Zoo/Ask", {"traceparent": QUESTION}):
        tracing.pass_on_trace(QUESTION, "task created", passed)
    [request] = spans.get_finished_spans()
    assert request.context is not None
    assert passed["traceparent"] == f"00-{TRACE}-{request.context.span_id:016x}-01"


async def test_a_call_is_measured_with_how_it_ended(spans: InMemorySpanExporter) -> None:
    measured: list[tuple[str, str]] = []
    tracing.measure_calls(server=lambda rpc, status, _: measured.append((rpc, status)), client=None)
    try:
        with tracing.server_span("zoo.v1.Zoo/Ask", {}) as span:
            span.end_with(None)
        with tracing.server_span("zoo.v1.Zoo/Ask", {}):
            pass  # cancelled: nobody said how it ended
    finally:
        tracing.measure_calls(server=None, client=None)
    assert measured == [("zoo.v1.Zoo/Ask", "OK"), ("zoo.v1.Zoo/Ask", "CANCELLED")]
