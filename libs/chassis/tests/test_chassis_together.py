"""Events that are handled together: those of a tenant that come close to each other; by themselves where need be."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from chassis_events import beside, connected, messages
from nats.js.errors import NotFoundError
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from orkestra.chassis.consumer import Consumer
from orkestra.chassis.events import Event, Poison
from orkestra.chassis.metrics import REGISTRY
from orkestra.chassis.streams import DEAD, EVENTS, Nats
from orkestra.chassis.together import Together
from orkestra.testkit import eventually
from orkestra.wire import Unavailable
from orkestra.wire.tracing import current_traceparent


@pytest.fixture
async def nats(nats_url: str) -> AsyncIterator[Nats]:
    async with connected(nats_url) as opened:
        yield opened


class Handled:
    """Notes what it is given together; stands still at `held`, and fails with what `fails` says of an event."""

    def __init__(self, nats: Nats) -> None:
        self.kind = f"thing_{uuid4().hex}"
        self.tenant = str(uuid4())
        self.nats = nats
        self.parts: list[list[str]] = []
        self.fails: dict[str, list[Exception]] = {}
        self.held: str | None = None
        self.gate = asyncio.Event()

    async def __call__(self, events: Sequence[Event]) -> None:
        ids = [event.id for event in events]
        self.parts.append(ids)
        if self.held in ids:
            await self.gate.wait()
        for one in ids:
            if self.fails.get(one):
                raise self.fails[one].pop(0)

    @property
    def ids(self) -> list[str]:
        return [one for part in self.parts for one in part]

    async def come(self, *ids: str, tenant: str | None = None, trace_id: str | None = None) -> None:
        """Publish events; of a resource named by the first letter of the id."""
        for one in ids:
            headers = {
                "ce-id": one,
                "ce-type": f"orkestra.v1.{self.kind}.changed",
                "ce-subject": one[0],
                "ce-tenant": tenant or self.tenant,
                "ce-version": "1",
                "ce-time": datetime.now(UTC).isoformat(),
                "Nats-Msg-Id": f"{self.kind}-{one}",
            }
            if trace_id is not None:
                headers["traceparent"] = f"00-{trace_id}-b7ad6b7169203331-01"
            await self.nats.jetstream.publish(f"orkestra.v1.{self.tenant}.{self.kind}.changed", b"{}", headers=headers)

    async def in_hand(self, count: int) -> None:
        """Wait until so many have been handed out and are not done."""

        async def handed_out() -> bool:
            try:
                info = await self.nats.jetstream.consumer_info(EVENTS, self.kind)
            except NotFoundError:  # it is not made yet
                return False
            return (info.num_pending, info.num_ack_pending) == (0, count)

        await eventually(handed_out, timeout=30)

    async def dead(self) -> list[tuple[str, str]]:
        found = [message for message in await messages(self.nats, DEAD) if self.kind in str(message.subject)]
        return [((one.headers or {})["ce-id"], (one.headers or {})["orkestra-reason"]) for one in found]

    def count(self, outcome: str) -> float:
        labels = {"orkestra_consumer": self.kind, "orkestra_outcome": outcome}
        return REGISTRY.get_sample_value("orkestra_events_handled_total", labels) or 0.0


@asynccontextmanager
async def consuming(handled: Handled, *, seconds: float = 0.3, most: int = 100) -> AsyncIterator[Consumer]:
    together = Together(handled, seconds, most)
    consumer = Consumer(handled.nats, handled.kind, [f"orkestra.v1.*.{handled.kind}.*"], together)
    async with beside(consumer.run()):
        yield consumer


@asynccontextmanager
async def gathering(handled: Handled, *ids: str, most: int = 100) -> AsyncIterator[Consumer]:
    """Hold the consumer at a first event until these have come."""
    handled.held = "first"
    await handled.come("first")
    async with consuming(handled, most=most) as consumer:
        await eventually(lambda: handled.parts == [["first"]])
        await handled.come(*ids)
        await handled.in_hand(1 + len(ids))
        handled.gate.set()
        yield consumer


async def test_what_comes_together_is_handled_together_in_its_order(nats: Nats) -> None:
    handled = Handled(nats)
    async with gathering(handled, "a1", "b1", "a2", "c1"):
        await handled.in_hand(0)
    assert handled.parts == [["first"], ["a1", "b1", "a2", "c1"]]
    assert (handled.count("done"), handled.count("retried"), handled.count("dead")) == (5, 0, 0)


async def test_no_tenant_waits_for_another_and_none_is_mixed_with_another(nats: Nats) -> None:
    handled, other = Handled(nats), str(uuid4())
    handled.held = "a1"
    await handled.come("a1")
    async with consuming(handled):
        await eventually(lambda: handled.parts == [["a1"]])
        await handled.come("x1", "x2", tenant=other)
        await eventually(lambda: sorted(handled.ids) == ["a1", "x1", "x2"])
        await handled.in_hand(1)
        handled.gate.set()
        await handled.in_hand(0)
    assert all("a1" not in part or part == ["a1"] for part in handled.parts)


async def test_no_more_are_handled_together_than_may_be(nats: Nats) -> None:
    handled = Handled(nats)
    async with gathering(handled, "a1", "b1", "c1", "d1", "e1", most=2):
        await handled.in_hand(0)
    assert handled.parts == [["first"], ["a1", "b1"], ["c1", "d1"], ["e1"]]


async def test_poison_among_others_is_dead_alone_and_a_resources_order_stays(nats: Nats) -> None:
    handled = Handled(nats)
    handled.fails["b1"] = [Poison("It says nothing."), Poison("It says nothing.")]
    async with gathering(handled, "a1", "b1", "a2", "b2", "c1"):
        await eventually(handled.dead, timeout=30)
        await handled.in_hand(0)
    assert await handled.dead() == [("b1", "It says nothing.")]
    assert (handled.count("done"), handled.count("retried"), handled.count("dead")) == (5, 0, 1)
    together, *alone = handled.parts[1:]
    assert together == ["a1", "b1", "a2", "b2", "c1"]
    assert sorted(alone) == [["a1"], ["a2"], ["b1"], ["b2"], ["c1"]]
    assert alone.index(["a1"]) < alone.index(["a2"])
    assert alone.index(["b1"]) < alone.index(["b2"])


async def test_one_that_has_to_wait_holds_up_no_other(nats: Nats) -> None:
    handled = Handled(nats)
    handled.fails["b1"] = [Unavailable("AWAY", "It is away.") for _ in range(3)]
    async with gathering(handled, "a1", "b1", "c1"):
        await eventually(lambda: handled.count("retried") >= 1, timeout=30)
        await handled.in_hand(0)
    assert await handled.dead() == []
    assert (handled.count("done"), handled.count("retried")) == (4, 2)
    assert handled.parts[-2:] == [["b1"], ["b1"]]


async def test_a_stop_gathers_no_more_and_nothing_is_lost(nats: Nats) -> None:
    handled = Handled(nats)
    await handled.come("a1", "b1")
    async with consuming(handled, seconds=600) as consumer:
        await handled.in_hand(2)
        assert handled.parts == []
        await consumer.stop()
    async with consuming(handled):  # what the first has not begun
        await handled.in_hand(0)
    assert sorted(handled.ids) == ["a1", "b1"]


async def test_nothing_is_acknowledged_before_all_is_done(nats: Nats) -> None:
    handled = Handled(nats)

    async def die(events: Sequence[Event]) -> None:
        await handled(events)
        if "c1" in handled.ids:
            raise asyncio.CancelledError

    await handled.come("a1", "b1", "c1")
    consumer = Consumer(nats, handled.kind, [f"orkestra.v1.*.{handled.kind}.*"], Together(die, 0.3))
    running = asyncio.create_task(consumer.run())
    await eventually(lambda: "c1" in handled.ids)
    running.cancel()
    await asyncio.wait((running,))
    info = await nats.jetstream.consumer_info(EVENTS, handled.kind)
    assert info.num_ack_pending == len(handled.parts[-1])  # they come again


async def test_each_event_is_handled_in_its_own_trace(nats: Nats, monkeypatch: pytest.MonkeyPatch) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("orkestra.chassis.consumer.tracer", provider.get_tracer("test"))
    handled, told = Handled(nats), dict[str, str | None]()
    traces = {name: trace.format_trace_id(number) for number, name in enumerate(("a1", "b1"), start=1)}

    async def tell(events: Sequence[Event]) -> None:
        await handled(events)
        for event in events:
            with event.traced():
                told[event.id] = current_traceparent()

    handled.held = "first"
    await handled.come("first")
    consumer = Consumer(nats, handled.kind, [f"orkestra.v1.*.{handled.kind}.*"], Together(tell, 0.3))
    running = asyncio.create_task(consumer.run())
    await eventually(lambda: handled.parts == [["first"]])
    for one, trace_id in traces.items():
        await handled.come(one, trace_id=trace_id)
    await handled.in_hand(3)
    handled.gate.set()
    await handled.in_hand(0)
    await consumer.stop()
    running.cancel()
    await asyncio.wait((running,))
    assert handled.parts == [["first"], ["a1", "b1"]]
    assert {one: (told[one] or "")[3:35] for one in traces} == traces
    names = [f"{handled.kind} {handled.kind}.changed"] * 3
    assert [span.name for span in exporter.get_finished_spans()] == names
    assert {f"{span.context.trace_id:032x}" for span in exporter.get_finished_spans()} >= set(traces.values())
