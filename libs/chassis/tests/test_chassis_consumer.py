"""Consumers: every event is handled until it is done, and only poison is put aside."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
from chassis_events import beside, connected, messages, nats_server, restart_without_store
from orkestra.chassis.consumer import Consumer
from orkestra.chassis.events import Event, Poison
from orkestra.chassis.inhand import AT_ONCE
from orkestra.chassis.streams import DEAD, Nats
from orkestra.cli.servers import start
from orkestra.testkit import eventually
from orkestra.v1.events import GroupEvent
from orkestra.wire import FailedPrecondition, Unavailable

TENANT = str(uuid4())


@pytest.fixture
async def nats(nats_url: str) -> AsyncIterator[Nats]:
    async with connected(nats_url) as opened:
        yield opened


class Seen:
    """Handles events; `fails` says with what, by event id, as often as it is listed."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.tried: list[str] = []
        self.fails: dict[str, list[Exception]] = {}

    async def __call__(self, event: Event) -> None:
        self.tried.append(event.id)
        if failures := self.fails.get(event.id):
            raise failures.pop(0) if len(failures) > 1 else failures[0]
        self.events.append(event)

    @property
    def ids(self) -> list[str]:
        return [event.id for event in self.events]


@contextlib.asynccontextmanager
async def consuming(
    nats: Nats, handler: Callable[[Event], Awaitable[None]], *, aggregate: str, name: str | None = None
) -> AsyncIterator[Consumer]:
    consumer = Consumer(nats, name or f"consumer-{uuid4().hex}", [f"orkestra.v1.*.{aggregate}.*"], handler)
    async with beside(consumer.run()):
        yield consumer


async def publish(nats: Nats, aggregate: str, event_id: str, *, key: str = "one", data: bytes = b"{}") -> None:
    headers = {
        "ce-id": event_id,
        "ce-type": f"orkestra.v1.{aggregate}.changed",
        "ce-subject": key,
        "ce-tenant": TENANT,
        "ce-version": "1",
        "ce-time": "2026-01-01T00:00:00+00:00",
        "Nats-Msg-Id": event_id,
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }
    await nats.jetstream.publish(f"orkestra.v1.{TENANT}.{aggregate}.changed", data, headers=headers)


def aggregate() -> str:
    return f"thing_{uuid4().hex}"


async def dead(nats: Nats, kind: str) -> list[tuple[str, str]]:
    """Event id and reason of what is dead."""
    found = [(message.headers or {}) for message in await messages(nats, DEAD) if kind in str(message.subject)]
    return [(headers.get("ce-id", ""), headers["orkestra-reason"]) for headers in found]


async def test_events_of_one_resource_are_handled_in_order(nats: Nats) -> None:
    kind, seen = aggregate(), Seen()
    ids = [uuid4().hex for _ in range(30)]
    for number, event_id in enumerate(ids):
        await publish(nats, kind, event_id, key=f"group-{number % 3}")
    async with consuming(nats, seen, aggregate=kind):
        await eventually(lambda: len(seen.ids) == 30)
    for rest in range(3):
        assert [event.id for event in seen.events if event.key == f"group-{rest}"] == ids[rest::3]


async def test_what_was_missed_is_handled_some_at_a_time(nats: Nats) -> None:
    kind, at_once, most, done = aggregate(), 0, 0, 0
    for number in range(AT_ONCE * 3):
        await publish(nats, kind, uuid4().hex, key=f"resource-{number}")

    async def handle(_event: Event) -> None:
        nonlocal at_once, most, done
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1
        done += 1

    async with consuming(nats, handle, aggregate=kind):
        await eventually(lambda: done == AT_ONCE * 3)
    assert 1 < most <= AT_ONCE


async def test_an_event_is_tried_again_until_what_it_needs_is_back(nats: Nats) -> None:
    kind, seen, stuck, other = aggregate(), Seen(), uuid4().hex, uuid4().hex
    away = Unavailable("SERVICE_UNAVAILABLE", "away")
    seen.fails[stuck] = [away, ConnectionRefusedError("away"), away, away]
    await publish(nats, kind, stuck)
    await publish(nats, kind, other)
    async with consuming(nats, seen, aggregate=kind):
        await eventually(lambda: seen.tried.count(stuck) >= 4)
        seen.fails.clear()
        await eventually(lambda: set(seen.ids) == {stuck, other})
    assert await dead(nats, kind) == []


async def test_poison_goes_to_the_dead_letters_with_its_reason_and_holds_up_nobody(nats: Nats) -> None:
    kind, seen = aggregate(), Seen()
    unreadable, refused, poison, good = (uuid4().hex for _ in range(4))
    seen.fails[refused] = [FailedPrecondition("RUN_ENDED", "The run has ended.")]
    seen.fails[poison] = [Poison("It says nothing.")]

    async def handle(event: Event) -> None:
        await seen(event)
        if event.id == unreadable:
            event.payload(GroupEvent)

    for event_id in (unreadable, refused, poison, good):
        await publish(nats, kind, event_id, data=b'{"group": NaN}')
    async with consuming(nats, handle, aggregate=kind):
        await eventually(lambda: _has(nats, kind, 3))
        await eventually(lambda: good in seen.ids)
    reasons = dict(await dead(nats, kind))
    assert reasons[refused] == "RUN_ENDED: The run has ended."
    assert reasons[poison] == "It says nothing."
    assert reasons[unreadable].startswith("The data is not a GroupEvent")
    assert len(seen.tried) == 4


async def test_a_message_that_is_no_event_is_dead(nats: Nats) -> None:
    kind, seen = aggregate(), Seen()
    await nats.jetstream.publish(f"orkestra.v1.{TENANT}.{kind}.changed", b"not an event")
    async with consuming(nats, seen, aggregate=kind):
        await eventually(lambda: _has(nats, kind, 1))
    assert await dead(nats, kind) == [("", "The header ce-type is absent.")]


async def test_a_bug_is_tried_five_times_and_then_dead(nats: Nats) -> None:
    kind, seen, event_id = aggregate(), Seen(), uuid4().hex
    seen.fails[event_id] = [KeyError("secret detail")]
    await publish(nats, kind, event_id)
    async with consuming(nats, seen, aggregate=kind):
        await eventually(lambda: _has(nats, kind, 1), timeout=60)
    assert await dead(nats, kind) == [(event_id, "HANDLER_FAILED: KeyError")]
    assert len(seen.tried) == 5


async def test_a_stopped_consumer_finishes_what_is_in_hand_and_the_next_goes_on(nats: Nats) -> None:
    kind, name = aggregate(), f"consumer-{uuid4().hex}"
    first, second = uuid4().hex, uuid4().hex
    entered, gate, done = asyncio.Event(), asyncio.Event(), Seen()

    async def hold(event: Event) -> None:
        entered.set()
        await gate.wait()
        await done(event)

    await publish(nats, kind, first)
    async with consuming(nats, hold, aggregate=kind, name=name) as consumer:
        await entered.wait()
        stopping = asyncio.create_task(consumer.stop())
        await publish(nats, kind, second)
        gate.set()
        await stopping
        assert done.ids == [first]
    async with consuming(nats, done, aggregate=kind, name=name):
        await eventually(lambda: done.ids == [first, second])


async def test_a_stopped_consumer_hands_back_what_it_has_not_begun(nats: Nats) -> None:
    kind, name, release, begun, seen = aggregate(), f"consumer-{uuid4().hex}", asyncio.Event(), set[str](), Seen()
    ids = {uuid4().hex for _ in range(AT_ONCE * 2)}
    for event_id in ids:
        await publish(nats, kind, event_id, key=event_id)

    async def hold(event: Event) -> None:
        begun.add(event.id)
        await release.wait()

    async with consuming(nats, hold, aggregate=kind, name=name) as consumer:
        await eventually(lambda: len(begun) == AT_ONCE)
        stopping = asyncio.create_task(consumer.stop())
        await asyncio.sleep(0.1)
        release.set()
        await stopping
    async with consuming(nats, seen, aggregate=kind, name=name):
        await eventually(lambda: set(seen.ids) == ids - begun, timeout=10)  # ACK_WAIT_SECONDS would be 30
    assert len(begun) == AT_ONCE


async def test_an_event_continues_its_trace(nats: Nats) -> None:
    kind, seen = aggregate(), Seen()
    await publish(nats, kind, uuid4().hex)
    async with consuming(nats, seen, aggregate=kind):
        await eventually(lambda: len(seen.events) == 1)
    assert seen.events[0].traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_consumer_survives_kill_of_the_server_and_loss_of_its_store(tmp_path: Path) -> None:
    kind, seen = aggregate(), Seen()
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats, consuming(nats, seen, aggregate=kind):
            await publish(nats, kind, "1")
            await eventually(lambda: seen.ids == ["1"])
            server.process.kill()
            start(server)
            await eventually(lambda: _published(nats, kind, "2"), timeout=60)
            await eventually(lambda: seen.ids == ["1", "2"], timeout=60)
            restart_without_store(server)
            await eventually(lambda: _published(nats, kind, "3"), timeout=60)
            await eventually(lambda: seen.ids == ["1", "2", "3"], timeout=60)


async def test_an_unanswered_event_is_delivered_again_to_another_process(tmp_path: Path) -> None:
    kind, name = aggregate(), "consumer-shared"
    entered = asyncio.Event()

    async def die(_event: Event) -> None:
        entered.set()
        raise asyncio.CancelledError

    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats:
            await publish(nats, kind, "1")
            async with consuming(nats, die, aggregate=kind, name=name):
                await entered.wait()
            info = await nats.jetstream.consumer_info("ORKESTRA_EVENTS", name)
            assert info.num_ack_pending == 1
            assert info.config.max_deliver == -1


async def _has(nats: Nats, kind: str, count: int) -> bool:
    try:
        return len(await dead(nats, kind)) >= count
    except TimeoutError:  # the server is busy with others
        return False


async def _published(nats: Nats, kind: str, event_id: str) -> bool:
    await nats.connected()
    try:
        await nats.ensure_streams()
        await publish(nats, kind, event_id)
    except Exception:  # the server is on its way back
        return False
    return True
