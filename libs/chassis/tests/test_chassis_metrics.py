"""Figures: declared once, shown to Prometheus, and sent to OTLP under the names of the semantic conventions."""

import asyncio
from contextlib import suppress

import pytest
from orkestra.chassis import metrics
from orkestra.chassis.figures import Figures
from orkestra.chassis.pool import Pool
from orkestra.testkit.otlp import receiving
from prometheus_client import generate_latest


async def sent_by(figures: Figures) -> None:
    """Run until the figures that are sent at the end have been sent."""
    running = asyncio.create_task(figures.run())
    await asyncio.sleep(0)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


async def test_what_prometheus_sees_goes_to_otlp_by_its_own_names() -> None:
    metrics.SERVED.labels("zoo.v1.ZooService/Feed", "OK").observe(0.03)
    metrics.SERVED.labels("zoo.v1.ZooService/Feed", "OK").observe(40.0)
    metrics.REDELIVERED.labels("zoo").inc(3)
    with receiving() as received:
        await sent_by(Figures("zoo-service", otlp_endpoint=received.url, every=60))
    calls = received.metrics["zoo-service", "rpc.server.call.duration"]
    point = next(
        one for one in calls.histogram.data_points if one.attributes[0].value.string_value == "zoo.v1.ZooService/Feed"
    )
    assert (calls.unit, point.count) == ("s", 2)
    assert point.sum == pytest.approx(40.03)
    assert sum(point.bucket_counts) == 2
    assert point.bucket_counts[list(point.explicit_bounds).index(0.05)] == 1
    assert point.bucket_counts[-1] == 1
    again = received.metrics["zoo-service", "orkestra.events.redelivered"]
    assert again.sum.is_monotonic
    assert {one.as_double for one in again.sum.data_points if one.attributes[0].value.string_value == "zoo"} == {3.0}
    assert received.metrics["zoo-service", "process.memory.usage"].gauge.data_points[0].as_double > 1_000_000


async def test_a_receiver_that_is_away_costs_nothing_but_the_figures() -> None:
    with receiving() as received:
        closed = received.url
    await sent_by(Figures("zoo-service", otlp_endpoint=closed, every=60))


def test_every_sample_belongs_to_a_declared_figure() -> None:
    shown = {family.name for family in metrics.REGISTRY.collect()}
    assert shown == set(metrics.INSTRUMENTS)
    assert b"rpc_server_call_duration_seconds" in generate_latest(metrics.REGISTRY)


async def test_a_held_call_is_counted_while_it_is_held() -> None:
    before = metrics.REGISTRY.get_sample_value("orkestra_waits_held") or 0
    with metrics.held():
        assert metrics.REGISTRY.get_sample_value("orkestra_waits_held") == before + 1
    assert metrics.REGISTRY.get_sample_value("orkestra_waits_held") == before


def test_an_unused_pool_shows_that_it_is_empty() -> None:
    async def never() -> object:
        raise AssertionError("nobody asked for a connection")

    pool = Pool(never, max_size=3)  # type: ignore[arg-type]  # never called
    assert (pool.used, pool.idle, pool.waiting, pool.size) == (0, 0, 0, 3)
