"""Measures events: from the commit in a room to the consumer's handler, one at a time and at a steady rate."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from orkestra.chassis import streams
from orkestra.chassis.consumer import Consumer
from orkestra.chassis.database import Database
from orkestra.chassis.events import Event
from orkestra.chassis.operations import events_transaction
from orkestra.v1.events import TaskEvent
from orkestra.v1.task import Priority, Task, TaskStatus

from bench.calls import task_database

AGGREGATE = "bench"
"""Of no subject that a service listens to."""
SINGLE = 200
PAUSE_SECONDS = 0.02
PER_TRANSACTION = 10
SUSTAINED = 2000
RATE = 2050
"""Offered a second: somewhat more than is to be sustained."""
LATE_SECONDS = 30.0


@dataclass(frozen=True)
class Flow:
    """Median milliseconds of single events by the outbox and by a bare publish; a second's handled events."""

    outbox_ms: float
    bare_ms: float
    per_second: float
    steady_ms: float


class Arrivals:
    """When each event reached the handler, by its key."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}
        self._changed = asyncio.Event()

    async def handle(self, event: Event) -> None:
        """Note the time."""
        self.at[event.key] = time.perf_counter()
        self._changed.set()

    async def have(self, count: int) -> None:
        """Wait until that many have come; raises TimeoutError where they do not."""
        async with asyncio.timeout(LATE_SECONDS):
            while len(self.at) < count:
                self._changed.clear()
                await self._changed.wait()


@asynccontextmanager
async def consuming(info: dict[str, Any], subject: str) -> AsyncIterator[Arrivals]:
    """Consume durably, as a service does."""
    stream = await streams.connect(info["nats"], name="bench")
    arrivals = Arrivals()
    consumer = Consumer(stream, f"bench-{uuid4().hex[:8]}", [subject], arrivals.handle)
    running = asyncio.create_task(consumer.run())
    try:
        yield arrivals
    finally:
        await consumer.stop()
        running.cancel()
        await stream.close()


class Source:
    """task-service's outbox, written as task-service writes it; its own relay publishes."""

    def __init__(self, database: Database, tenant_id: str) -> None:
        self._database, self._tenant_id = database, tenant_id
        at = datetime.now(UTC)
        task = Task(
            task_id="task_bench",
            tenant_id=tenant_id,
            title="A question",
            status=TaskStatus.OPEN,
            priority=Priority.NORMAL,
            version=1,
            revision=1,
            created_at=at,
            updated_at=at,
        )
        self._payload = TaskEvent(task=task, audience=["all"])

    async def emit(self, event: str, keys: list[str]) -> float:
        """Commit one event for each key in one transaction; the time at which that was done."""
        async with events_transaction(self._database, self._tenant_id) as tx:
            for key in keys:
                await tx.emit(aggregate=AGGREGATE, event=event, payload=self._payload, key=key, version=1)
        return time.perf_counter()


async def flow(info: dict[str, Any], tenant_id: str, *, seconds: int) -> Flow:
    """Measure single events by both ways in turns, then a steady rate for some seconds."""
    async with task_database(info) as database:
        source = Source(database, tenant_id)
        outbox_ms, bare_ms = await single(info, tenant_id, source)
        per_second, steady_ms = await steady(info, tenant_id, source, seconds=seconds)
    return Flow(outbox_ms, bare_ms, per_second, steady_ms)


async def single(info: dict[str, Any], tenant_id: str, source: Source) -> tuple[float, float]:
    """Return the medians of one event at a time: commit → handler, and bare publish → handler."""
    subject = f"orkestra.v1.{tenant_id}.{AGGREGATE}.ticked"
    times: tuple[list[float], list[float]] = ([], [])
    bare = await streams.connect(info["nats"], name="bench-bare")
    try:
        async with consuming(info, subject) as arrivals:
            for number in range(SINGLE):
                key = f"single-{number}"
                began = await (source.emit("ticked", [key]) if number % 2 == 0 else _publish(bare, tenant_id, key))
                await arrivals.have(number + 1)
                times[number % 2].append((arrivals.at[key] - began) * 1000)
                await asyncio.sleep(PAUSE_SECONDS)
    finally:
        await bare.close()
    return statistics.median(times[0][5:]), statistics.median(times[1][5:])


async def _publish(stream: streams.Nats, tenant_id: str, key: str) -> float:
    began = time.perf_counter()
    headers = {"ce-id": uuid4().hex, "ce-subject": key, "ce-tenant": tenant_id, "ce-version": "1"}
    headers |= {"ce-specversion": "1.0", "ce-source": "bench", "ce-type": f"orkestra.v1.{AGGREGATE}.ticked"}
    headers |= {"ce-time": "2026-01-01T00:00:00Z", "content-type": "application/json"}
    await stream.jetstream.publish(f"orkestra.v1.{tenant_id}.{AGGREGATE}.ticked", b"{}", headers=headers)
    return began


async def steady(info: dict[str, Any], tenant_id: str, source: Source, *, seconds: int) -> tuple[float, float]:
    """Commit events at the rate; return how many a second were handled, and their median milliseconds."""
    committed: dict[str, float] = {}

    async def commit(keys: list[str]) -> None:
        committed.update(dict.fromkeys(keys, await source.emit("flowed", keys)))

    async with consuming(info, f"orkestra.v1.{tenant_id}.{AGGREGATE}.flowed") as arrivals:
        began = time.perf_counter()
        under_way: set[asyncio.Task[None]] = set()
        for number in range(0, RATE * seconds, PER_TRANSACTION):
            await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
            task = asyncio.create_task(commit([f"steady-{n}" for n in range(number, number + PER_TRANSACTION)]))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)
        await arrivals.have(RATE * seconds)
    took = max(arrivals.at.values()) - began
    waited = [(arrivals.at[key] - at) * 1000 for key, at in committed.items()]
    return RATE * seconds / took, statistics.median(waited)
