"""The figures of this process on their way to an OTLP receiver, as often as asked for."""

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from orkestra.chassis.metrics import INSTRUMENTS, REGISTRY, Instrument
from orkestra.chassis.telemetry import EXPORT_SECONDS, resource
from prometheus_client.samples import Sample

SCOPE = InstrumentationScope("orkestra")
CUMULATIVE = AggregationTemporality.CUMULATIVE
logger = logging.getLogger(__name__)


class Figures:
    """Sends every figure of this process, summed up since its start."""

    def __init__(self, service: str, *, otlp_endpoint: str, every: float) -> None:
        url = f"{otlp_endpoint.rstrip('/')}/v1/metrics"
        self._exporter = OTLPMetricExporter(endpoint=url, timeout=EXPORT_SECONDS)
        self._resource = resource(service)
        self._every = every
        self._began = time.time_ns()

    async def run(self) -> None:
        """Send until cancelled, and once more at the end; a receiver that is away misses figures, nothing else."""
        try:
            while True:
                await asyncio.sleep(self._every)
                await asyncio.to_thread(self._send)
        finally:
            await asyncio.to_thread(self._send)

    def _send(self) -> None:
        metrics = [self._metric(one, samples) for one, samples in _collected()]
        scopes = [ScopeMetrics(SCOPE, metrics, "")]
        try:
            self._exporter.export(MetricsData([ResourceMetrics(self._resource, scopes, "")]))
        except Exception:  # the edge of a loop: figures are never worth a process
            logger.warning("figures were not sent", exc_info=True)

    def _metric(self, one: Instrument, samples: Iterable[Sample]) -> Metric:
        data: Sum | Gauge | Histogram
        if one.kind == "histogram":
            data = Histogram(self._histograms(one, samples), CUMULATIVE)
        else:
            points = [self._point(one, sample) for sample in samples]
            data = Sum(points, CUMULATIVE, is_monotonic=True) if one.kind == "counter" else Gauge(points)
        return Metric(one.name, one.about, one.unit, data)

    def _point(self, one: Instrument, sample: Sample) -> NumberDataPoint:
        return NumberDataPoint(_attributes(one, sample.labels), self._began, time.time_ns(), sample.value)

    def _histograms(self, one: Instrument, samples: Iterable[Sample]) -> list[HistogramDataPoint]:
        series: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
        for sample in samples:
            key = tuple(sorted((name, value) for name, value in sample.labels.items() if name != "le"))
            series.setdefault(key, []).append(sample)
        return [self._histogram(one, dict(key), parts) for key, parts in series.items()]

    def _histogram(self, one: Instrument, labels: Mapping[str, str], parts: Iterable[Sample]) -> HistogramDataPoint:
        bounds: list[float] = []
        counts: list[int] = []
        total, below = 0.0, 0
        for sample in parts:
            if sample.name.endswith("_sum"):
                total = sample.value
            elif sample.name.endswith("_bucket"):
                counts.append(int(sample.value) - below)
                below = int(sample.value)
                if sample.labels["le"] != "+Inf":
                    bounds.append(float(sample.labels["le"]))
        return HistogramDataPoint(
            attributes=_attributes(one, labels),
            start_time_unix_nano=self._began,
            time_unix_nano=time.time_ns(),
            count=below,
            sum=total,
            bucket_counts=counts,
            explicit_bounds=bounds,
            min=None,  # type: ignore[arg-type]  # Prometheus does not keep it, and OTLP does not ask for it
            max=None,  # type: ignore[arg-type]
        )


def _collected() -> Iterable[tuple[Instrument, list[Sample]]]:
    for family in REGISTRY.collect():
        one = INSTRUMENTS.get(family.name)
        samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
        if one is not None and samples:
            yield one, samples


def _attributes(one: Instrument, labels: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes that have a value, by the names that OpenTelemetry gives them."""
    named = {attribute: labels.get(attribute.replace(".", "_"), "") for attribute in one.attributes}
    return {name: value for name, value in named.items() if value}
