"""Rows of an outbox on their way: published as they come, marked together once the stream has them."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial

import asyncpg
from nats.js.api import PubAck
from nats.js.errors import APIError, NoStreamResponseError
from orkestra.chassis.metrics import PUBLISHED, RELAY_LAG
from orkestra.chassis.sql import Connection, Queries
from orkestra.chassis.streams import EVENTS, REQUEST_SECONDS, Nats
from orkestra.chassis.telemetry import publishing

MOST = 500
MARK_AT_ONCE = 100
MARK_SECONDS = 0.2
"""How long a mark may wait for others; one that is lost meanwhile is a publish more, which the stream drops."""

sql = Queries("""
-- mark_published
update outbox set published_at = clock_timestamp(), stream_seq = sent.stream_seq
from unnest(:seqs::bigint[], :stream_seqs::bigint[]) as sent (seq, stream_seq)
where outbox.seq = sent.seq
""")


class Flight:
    """What was sent and is not yet marked; `land` is called when the relay has something to do about it."""

    def __init__(self, stream: Nats, *, schema: str, land: Callable[[], None]) -> None:
        self._nats = stream
        self._schema = schema
        self._land = land
        self._sending: dict[int, asyncio.Task[PubAck]] = {}
        self._landed: dict[int, int] = {}
        self._mark_at = 0.0
        self._faults: list[BaseException] = []

    @property
    def seqs(self) -> list[int]:
        """The rows that are not to be sent again."""
        return [*self._sending, *self._landed]

    @property
    def room(self) -> int:
        """How many more rows may be sent before others are marked."""
        return MOST - len(self._sending) - len(self._landed)

    @property
    def mark_in(self) -> float | None:
        """Seconds until marks are due, None where there are none to write."""
        if not self._landed:
            return None
        return 0.0 if len(self._landed) >= MARK_AT_ONCE else max(0.0, self._mark_at - time.monotonic())

    def send(self, rows: Sequence[asyncpg.Record]) -> None:
        """Publish the rows in their order, without waiting for the stream's word."""
        for row in rows:
            task = asyncio.create_task(self._publish(row))
            self._sending[row["seq"]] = task
            task.add_done_callback(partial(self._end, row))

    def check(self) -> None:
        """Raise what kept rows from being published since the last look; what says most comes first."""
        faults, self._faults = self._faults, []
        if faults:
            raise min(faults, key=_rank)

    async def mark(self, conn: Connection) -> None:
        """Write down where in the stream the published rows are."""
        landed = dict(self._landed)
        if landed:
            await sql.mark_published.execute(conn, seqs=list(landed), stream_seqs=list(landed.values()))
            for seq in landed:
                del self._landed[seq]

    def abandon(self) -> None:
        """Wait for no answer any more; what was not marked is sent again by whoever comes next."""
        for task in self._sending.values():
            task.cancel()

    def _end(self, row: asyncpg.Record, done: asyncio.Task[PubAck]) -> None:
        del self._sending[row["seq"]]
        if done.cancelled():
            return
        fault = done.exception()
        if fault is not None:
            self._faults.append(fault)
            self._land()
            return
        if not self._landed:
            self._mark_at = time.monotonic() + MARK_SECONDS
        self._landed[row["seq"]] = done.result().seq
        PUBLISHED.labels(self._schema).inc()
        RELAY_LAG.labels(self._schema).observe(max(0.0, time.time() - row["created_at"].timestamp()))
        if len(self._landed) in (1, MARK_AT_ONCE):
            self._land()

    async def _publish(self, row: asyncpg.Record) -> PubAck:
        event_id = row["event_id"]
        headers = row["headers"] | {
            "ce-id": event_id,
            "ce-time": row["created_at"].isoformat(),
            "Nats-Msg-Id": event_id,
        }
        with publishing(row["subject"], headers):
            return await self._nats.jetstream.publish(
                row["subject"], row["payload"], timeout=REQUEST_SECONDS, stream=EVENTS, headers=headers
            )


def _rank(fault: BaseException) -> int:
    if isinstance(fault, NoStreamResponseError):
        return 0
    return 2 if isinstance(fault, APIError) else 1
