"""A receiver of OTLP/HTTP for tests: keeps the spans and figures that processes send."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """One span as a receiver sees it; ids are hexadecimal, `parent_id` is empty for a root."""

    name: str
    service: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    links: tuple[str, ...]
    """Trace ids that it leads to."""
    nanoseconds: tuple[int, int]


@dataclass
class Received:
    """What has arrived at `url` so far."""

    url: str
    spans: dict[str, ReceivedSpan] = field(default_factory=dict)
    """By id: what is sent again after an answer that came late is the same span."""
    metrics: dict[tuple[str, str], Metric] = field(default_factory=dict)
    """The newest of each, by service and name."""

    def of_trace(self, trace_id: str) -> list[ReceivedSpan]:
        """Return the spans of one trace."""
        return [span for span in tuple(self.spans.values()) if span.trace_id == trace_id]

    def take(self, path: str, body: bytes) -> None:
        """Keep one request."""
        if path.endswith("/v1/traces"):
            self.spans.update({span.span_id: span for span in spans_of(ExportTraceServiceRequest.FromString(body))})
        elif path.endswith("/v1/metrics"):
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                service = _values(resource.resource.attributes).get("service.name", "")
                for scope in resource.scope_metrics:
                    self.metrics.update({(service, metric.name): metric for metric in scope.metrics})


def spans_of(request: ExportTraceServiceRequest) -> list[ReceivedSpan]:
    """Return the spans of one export."""
    return [
        ReceivedSpan(
            name=span.name,
            service=_values(resource.resource.attributes).get("service.name", ""),
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            attributes=_values(span.attributes),
            links=tuple(link.trace_id.hex() for link in span.links),
            nanoseconds=(span.start_time_unix_nano, span.end_time_unix_nano),
        )
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


@contextmanager
def receiving() -> Iterator[Received]:
    """Receive OTLP/HTTP on a free port for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            received.take(self.path, gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_words: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received = Received(f"http://127.0.0.1:{server.server_port}")
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        serving.start()
        try:
            yield received
        finally:
            server.shutdown()
            serving.join()


def _values(attributes: Any) -> dict[str, Any]:
    pairs: list[KeyValue] = list(attributes)
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return None if kind is None else getattr(value, kind)
