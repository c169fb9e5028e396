"""Subjects of NATS are heard while somebody listens, from the first moment on, and cost nothing while nobody does."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from chassis_events import MonitoredNats, beside, monitored_nats
from nats.aio.msg import Msg
from orkestra.chassis import streams
from orkestra.chassis.hearing import Hearing
from orkestra.chassis.streams import Nats
from orkestra.cli.servers import start
from orkestra.testkit import eventually

ONE = "one.task.*"
OTHER = "other.task.*"
LINGER = "orkestra.chassis.hearing.LINGER_SECONDS"
BEGIN = "orkestra.chassis.hearing.BEGIN_SECONDS"


@dataclass(frozen=True)
class Room:
    """A process that hears, and one that publishes."""

    nats: Nats
    hearing: Hearing
    publisher: Nats
    heard: list[str] = field(default_factory=list)
    missed: list[frozenset[str]] = field(default_factory=list)

    async def publish(self, subject: str) -> None:
        await self.publisher.client.publish(subject)
        await self.publisher.reached()

    async def hears(self, subject: str) -> bool:
        """Whether a message comes, once."""
        self.heard.clear()
        await self.publish(subject)
        await self.nats.reached()
        await asyncio.sleep(0)
        return self.heard == [subject]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MonitoredNats]:
    with monitored_nats(tmp_path) as one:
        yield one


@contextlib.asynccontextmanager
async def room_at(server: MonitoredNats) -> AsyncIterator[Room]:
    heard: list[str] = []
    missed: list[frozenset[str]] = []

    async def hear(message: Msg) -> None:
        heard.append(message.subject)

    nats, publisher = [await streams.connect(server.url, name=name) for name in ("hearing", "publishing")]
    hearing = Hearing(nats, hear, missed.append)
    try:
        async with beside(hearing.run()):
            yield Room(nats, hearing, publisher, heard, missed)
    finally:
        await nats.close()
        await publisher.close()


@pytest.fixture
async def room(server: MonitoredNats) -> AsyncIterator[Room]:
    async with room_at(server) as one:
        await one.nats.connected()
        await one.publisher.connected()
        yield one


async def test_a_subject_is_subscribed_to_once_while_somebody_listens_and_no_longer(
    server: MonitoredNats, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LINGER, 0.3)
    assert await server.heard("one") == []
    async with room.hearing.listening(ONE):
        assert await server.heard("one") == [ONE]
        async with room.hearing.listening(ONE, OTHER):
            assert (await server.heard("one"), await server.heard("other")) == ([ONE], [OTHER])
        await eventually(lambda: _is_heard(server, "other", []))
        assert await server.heard("one") == [ONE], "somebody still listens"
    await eventually(lambda: _is_heard(server, "one", []))


async def test_who_comes_back_soon_finds_the_same_subscription(
    server: MonitoredNats, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room.hearing.listening(ONE):
        pass
    assert await server.heard("one") == [ONE]
    monkeypatch.setattr(BEGIN, 60.0)
    with server.silent():
        began = time.monotonic()
        async with room.hearing.listening(ONE):
            assert time.monotonic() - began < 1, "no word of the server is waited for"
    assert room.missed == []


async def test_what_is_published_at_once_is_heard(room: Room) -> None:
    for number in range(50):
        subject = f"at-once-{number}.task.created"
        async with room.hearing.listening(f"at-once-{number}.task.*"):
            assert await room.hears(subject)
    assert room.missed == []


async def test_who_listens_to_one_subject_hears_nothing_of_another(room: Room) -> None:
    async with room.hearing.listening(ONE):
        assert not await room.hears("other.task.created")
        assert await room.hears("one.task.created")


async def test_after_a_loss_who_listens_is_told_and_hears_again(server: MonitoredNats, room: Room) -> None:
    async with room.hearing.listening(ONE):
        server.process.kill()
        await eventually(lambda: not room.nats.is_connected)
        assert room.missed == []
        start(server)
        await eventually(lambda: room.missed == [{ONE}])
        await room.publisher.connected()
        assert await room.hears("one.task.created")
    assert await server.heard("one") == [ONE]


async def test_who_comes_while_nats_is_away_begins_at_once_and_is_told_afterwards(
    server: MonitoredNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BEGIN, 60.0)
    server.process.kill()
    async with room_at(server) as room:
        began = time.monotonic()
        async with room.hearing.listening(ONE), room.hearing.listening(OTHER):
            assert time.monotonic() - began < 1
            start(server)
            await eventually(lambda: room.missed == [{ONE, OTHER}])
            await room.publisher.connected()
            assert await room.hears("one.task.created")
            assert await room.hears("other.task.created")


async def test_nobody_waits_long_for_nats_that_is_silent(
    server: MonitoredNats, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BEGIN, 0.3)
    with server.silent():
        stack = contextlib.AsyncExitStack()
        async with asyncio.timeout(5):
            await stack.enter_async_context(room.hearing.listening(ONE))
    async with stack:
        await eventually(lambda: room.missed == [{ONE}])
        assert await room.hears("one.task.created")
    assert room.nats.connections == 1, "the connection was not harmed by what was given up"


async def test_nothing_is_subscribed_to_after_the_end_and_a_new_beginning_hears_what_is_listened_to(
    server: MonitoredNats, room: Room
) -> None:
    missed: list[frozenset[str]] = []

    async def hear(_: Msg) -> None:
        pass

    hearing = Hearing(room.nats, hear, missed.append)
    async with contextlib.AsyncExitStack() as stack:
        async with beside(hearing.run()):
            await stack.enter_async_context(hearing.listening(ONE))
            assert await server.heard("one") == [ONE]
        await eventually(lambda: _is_heard(server, "one", []))
        async with beside(hearing.run()):
            await eventually(lambda: missed == [{ONE}])
            assert await server.heard("one") == [ONE]


async def _is_heard(server: MonitoredNats, prefix: str, subjects: list[str]) -> bool:
    return await server.heard(prefix) == subjects
