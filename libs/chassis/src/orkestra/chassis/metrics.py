"""What a process measures: each figure is declared once, by the name and unit that OpenTelemetry gives it.

A name of the semantic conventions is used where there is one. Prometheus sees the same figures by its own spelling.
"""

import os
import resource
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import prometheus_client
from orkestra.wire.tracing import measure_calls
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
"""Buckets of durations, as the semantic conventions advise."""
_UNITS = {"s": "_seconds", "By": "_bytes"}


@dataclass(frozen=True, slots=True)
class Instrument:
    """One figure: what it is called, what it counts and by which attributes."""

    name: str
    kind: str
    """counter, gauge or histogram."""
    unit: str
    about: str
    attributes: tuple[str, ...]

    @property
    def prometheus_name(self) -> str:
        """The name at /metrics, without the endings of a counter's or histogram's samples."""
        return self.name.replace(".", "_") + _UNITS.get(self.unit, "")


REGISTRY = CollectorRegistry()
INSTRUMENTS: dict[str, Instrument] = {}
"""What this process exposes, by Prometheus name."""


def counter(name: str, unit: str, about: str, *attributes: str) -> Counter:
    """Declare something that only grows."""
    one = _declared(name, "counter", unit, about, attributes)
    return Counter(one.prometheus_name, about, _labels(one), registry=REGISTRY)


def from_zero(figure: Counter, *labels: tuple[str, ...]) -> None:
    """Show what these labels count from the start: Prometheus sees no growth to a figure's first value.

    For what an alert waits for; the first time would go unnoticed.
    """
    for values in labels:
        figure.labels(*values)


def gauge(name: str, unit: str, about: str, *attributes: str) -> Gauge:
    """Declare something that grows and shrinks."""
    one = _declared(name, "gauge", unit, about, attributes)
    return Gauge(one.prometheus_name, about, _labels(one), registry=REGISTRY)


def duration(name: str, about: str, *attributes: str) -> Histogram:
    """Declare a duration in seconds."""
    one = _declared(name, "histogram", "s", about, attributes)
    return Histogram(one.prometheus_name, about, _labels(one), buckets=SECONDS, registry=REGISTRY)


def _declared(name: str, kind: str, unit: str, about: str, attributes: tuple[str, ...]) -> Instrument:
    one = Instrument(name, kind, unit, about, attributes)
    INSTRUMENTS[one.prometheus_name] = one
    return one


def _labels(one: Instrument) -> list[str]:
    return [attribute.replace(".", "_") for attribute in one.attributes]


_CALL = ("rpc.method", "rpc.response.status_code")
SERVED = duration("rpc.server.call.duration", "Rpcs served.", *_CALL)
CALLED = duration("rpc.client.call.duration", "Rpcs made, tries included.", *_CALL)
HTTP = duration(
    "http.server.request.duration",
    "HTTP requests served.",
    "http.request.method",
    "http.route",
    "http.response.status_code",
)
CONNECTIONS = gauge(
    "db.client.connection.count",
    "{connection}",
    "Connections to PostgreSQL by state: used or idle.",
    "db.client.connection.pool.name",
    "db.client.connection.state",
)
MOST_CONNECTIONS = gauge(
    "db.client.connection.max",
    "{connection}",
    "Connections that a pool may open.",
    "db.client.connection.pool.name",
)
WAITING_FOR_CONNECTIONS = gauge(
    "db.client.connection.pending_requests",
    "{request}",
    "Transactions that wait for a connection.",
    "db.client.connection.pool.name",
)
EMITTED = counter(
    "orkestra.events",
    "{event}",
    "What became true: events committed to the outbox, such as task created, task escalated, workflow completed.",
    "orkestra.aggregate",
    "orkestra.event",
)
PUBLISHED = counter("orkestra.outbox.published", "{event}", "Events published from the outbox.", "orkestra.schema")
PENDING = gauge("orkestra.outbox.pending", "{event}", "Events not yet published, up to 10000.", "orkestra.schema")
OLDEST = gauge("orkestra.outbox.age", "s", "Age of the oldest event not yet published.", "orkestra.schema")
RELAYS = gauge("orkestra.relay.active", "{relay}", "1 where this process relays the schema.", "orkestra.schema")
RELAY_LAG = duration("orkestra.relay.lag", "From an event's transaction to its publication.", "orkestra.schema")
HANDLED = counter(
    "orkestra.events.handled",
    "{event}",
    "Events by how handling them went: done, retried, or dead (put on the dead-letter stream).",
    "orkestra.consumer",
    "orkestra.outcome",
)
REDELIVERED = counter(
    "orkestra.events.redelivered", "{event}", "Events that had been delivered before.", "orkestra.consumer"
)
CONSUMER_LAG = duration("orkestra.consumer.lag", "From an event's transaction to its handling.", "orkestra.consumer")
PROCESSED = duration("messaging.process.duration", "Handling one event.", "orkestra.consumer")
BACKLOG = gauge("orkestra.consumer.pending", "{event}", "Events that wait for the consumer.", "orkestra.consumer")
CERTIFICATE_REMAINING = gauge(
    "orkestra.certificate.remaining",
    "s",
    "Until this process's own certificate ends, by whom it is shown to; 0 where it has, or cannot be used.",
    "orkestra.peer",
)
CERTIFICATE_LIFETIME = gauge(
    "orkestra.certificate.lifetime", "s", "From the beginning to the end of that certificate.", "orkestra.peer"
)
HELD = gauge("orkestra.waits.held", "{call}", "Calls that are held until something happens.")


@contextmanager
def held() -> Iterator[None]:
    """Count a call as held for the length of the block."""
    HELD.inc()
    try:
        yield
    finally:
        HELD.dec()


def configure() -> None:
    """Measure every call that this process serves or makes."""
    prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # the package has no type for it
    measure_calls(server=_served, client=_called)


def _served(rpc: str, status: str, seconds: float) -> None:
    SERVED.labels(rpc, status).observe(seconds)


def _called(rpc: str, status: str, seconds: float) -> None:
    CALLED.labels(rpc, status).observe(seconds)


class _OwnProcess(Collector):
    """Processor time and memory of this process, read when they are asked for."""

    cpu = _declared("process.cpu.time", "counter", "s", "Processor time used.", ("cpu.mode",))
    memory = _declared("process.memory.usage", "gauge", "By", "Memory in use (resident set).", ())
    uptime = _declared("process.uptime", "gauge", "s", "Time since the start.", ())
    began = time.monotonic()

    def collect(self) -> Iterable[Metric]:
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu = CounterMetricFamily(self.cpu.prometheus_name, self.cpu.about, labels=["cpu_mode"])
        cpu.add_metric(["user"], used.ru_utime)
        cpu.add_metric(["system"], used.ru_stime)
        yield cpu
        yield GaugeMetricFamily(self.memory.prometheus_name, self.memory.about, value=_resident_bytes(used.ru_maxrss))
        age = time.monotonic() - self.began
        yield GaugeMetricFamily(self.uptime.prometheus_name, self.uptime.about, value=age)


def _resident_bytes(most_kilobytes: int) -> float:
    """Return the resident set; where /proc does not tell, the most it has been."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return most_kilobytes * 1024.0
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


REGISTRY.register(_OwnProcess())
