"""The outbox relay: what was committed is published, at least once, by one relay per schema at a time."""

import asyncio
import time
from collections.abc import Sequence

import asyncpg
import nats.errors
from nats.js.api import PubAck
from nats.js.errors import APIError, NoStreamResponseError
from orkestra.chassis.database import prepare_connection, session_settings
from orkestra.chassis.logs import get_logger
from orkestra.chassis.metrics import OLDEST, PENDING, PUBLISHED, RELAY_LAG, RELAYS
from orkestra.chassis.resend import lost_after
from orkestra.chassis.settings import secret
from orkestra.chassis.sql import Connection, Queries
from orkestra.chassis.streams import EVENTS, REQUEST_SECONDS, Nats
from orkestra.chassis.telemetry import publishing
from pydantic import SecretStr

BATCH = 500
STANDBY_SECONDS = 1.0
LOOK_SECONDS = 1.0
VERIFY_SECONDS = 10.0
PRUNE_SECONDS = 60.0
PRUNE_BATCH = 5000
MEASURE_SECONDS = 5.0
_FAILED = (OSError, TimeoutError, nats.errors.Error, asyncpg.PostgresError, asyncpg.InterfaceError)

sql = Queries("""
-- lock
-- The first number keeps relays apart from other users of advisory locks.
select pg_try_advisory_lock(7061, hashtext(:schema))

-- unpublished
-- By seq, never by a watermark: what commits late has an older seq than what was sent.
select seq, event_id, subject, payload, headers, created_at from outbox
where published_at is null order by seq limit :batch

-- waiting
-- Counted no further than that: the age says the rest.
select count(*) as pending,
       coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as age
from (select created_at from outbox where published_at is null order by seq limit 10000) as unpublished

-- mark_published
update outbox set published_at = clock_timestamp(), stream_seq = sent.stream_seq
from unnest(:seqs::bigint[], :stream_seqs::bigint[]) as sent (seq, stream_seq)
where outbox.seq = sent.seq

-- unmark_after
update outbox set published_at = null, stream_seq = null where stream_seq > :stream_seq

-- prune_events
-- The oldest come first by seq, which has an index.
delete from outbox where created_at < now() - interval '3 days' and published_at is not null
and seq in (select seq from outbox order by seq limit :batch)

-- prune_requests
delete from request_keys where (tenant_id, principal, rpc, request_id) in (
    select tenant_id, principal, rpc, request_id from request_keys
    where created_at < now() - interval '24 hours' limit :batch
)
""")
logger = get_logger(__name__)


class Relay:
    """Publishes the outbox of one schema while it holds the schema's advisory lock; others stand by."""

    def __init__(self, dsn: str | SecretStr, stream: Nats, *, schema: str) -> None:
        self._dsn = secret(dsn)
        self._nats = stream
        self._schema = schema
        self._committed = asyncio.Event()
        self.is_active = False

    async def run(self) -> None:
        """Relay until cancelled; every lost connection is made again."""
        while True:
            try:
                await self._with_connection()
            except _FAILED as failed:
                logger.warning("relay was interrupted", schema=self._schema, error=repr(failed))
            except Exception:  # the edge of a loop: drivers raise more than they document
                logger.exception("relay failed", schema=self._schema)
            await asyncio.sleep(STANDBY_SECONDS / 2)

    async def _with_connection(self) -> None:
        settings = session_settings(self._schema) | {"synchronous_commit": "off"}  # a lost mark is a publish more
        conn = await asyncpg.connect(self._dsn, timeout=2, command_timeout=10, server_settings=settings)
        try:
            await prepare_connection(conn)
            await conn.add_listener(f"{self._schema}_outbox", self._hear)
            while not await sql.lock.value(conn, schema=self._schema):
                await self._wait(STANDBY_SECONDS)
            self.is_active = True
            RELAYS.labels(self._schema).set(1)
            logger.info("relay is active", schema=self._schema)
            await self._relay(conn)
        finally:
            self.is_active = False
            for figure in (RELAYS, PENDING, OLDEST):
                figure.labels(self._schema).set(0)
            conn.terminate()  # frees the lock also where the server cannot be told

    async def _relay(self, conn: Connection) -> None:
        loop = asyncio.get_running_loop()
        verified_at = pruned_at = measured_at = float("-inf")
        connection = -1
        await self._measure(conn)
        while True:
            while not await self._is_connected():
                await self._measure(conn)
            if connection != self._nats.connections or loop.time() - verified_at > VERIFY_SECONDS:
                connection = self._nats.connections
                await self._verify(conn)
                verified_at = loop.time()
            if loop.time() - pruned_at > PRUNE_SECONDS:
                await self._prune(conn)
                pruned_at = loop.time()
            if loop.time() - measured_at > MEASURE_SECONDS:
                await self._measure(conn)
                measured_at = loop.time()
            self._committed.clear()
            try:
                more = await self._publish_batch(conn)
            except NoStreamResponseError:
                verified_at = float("-inf")
                more = True
            if not more:
                await self._wait(LOOK_SECONDS)

    async def _is_connected(self) -> bool:
        """Return True once there is a connection, False after a while without."""
        try:
            async with asyncio.timeout(MEASURE_SECONDS):
                await self._nats.connected()
        except TimeoutError:
            return False
        return True

    async def _measure(self, conn: Connection) -> None:
        """Keep the figures of what waits, also while nothing can be published."""
        row = await sql.waiting.row(conn)
        if row is not None:
            PENDING.labels(self._schema).set(row["pending"])
            OLDEST.labels(self._schema).set(row["age"])

    async def _wait(self, seconds: float) -> None:
        """Return at the next commit that may have written events, after `seconds` at the latest."""
        try:
            async with asyncio.timeout(seconds):
                await self._committed.wait()
        except TimeoutError:
            return

    async def _publish_batch(self, conn: Connection) -> bool:
        """Publish what is waiting, at most a batch; say whether there may be more."""
        rows = await sql.unpublished.rows(conn, batch=BATCH)
        if not rows:
            return False
        outcomes = await asyncio.gather(*(self._publish(row) for row in rows), return_exceptions=True)
        sent = [(row["seq"], ack.seq) for row, ack in zip(rows, outcomes, strict=True) if isinstance(ack, PubAck)]
        if sent:
            seqs, stream_seqs = zip(*sent, strict=True)
            await sql.mark_published.execute(conn, seqs=list(seqs), stream_seqs=list(stream_seqs))
            PUBLISHED.labels(self._schema).inc(len(sent))
            self._note_lag(rows)
        _raise_first(outcomes)
        return len(rows) == BATCH or self._committed.is_set()

    def _note_lag(self, rows: Sequence[asyncpg.Record]) -> None:
        lag, now = RELAY_LAG.labels(self._schema), time.time()
        for row in rows:
            lag.observe(max(0.0, now - row["created_at"].timestamp()))

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

    async def _verify(self, conn: Connection) -> None:
        """Send again what the stream has lost: it was recreated, or its last writes did not reach the disk."""
        await self._nats.ensure_streams()
        kept = await lost_after(conn, self._nats.jetstream)
        if kept is not None:
            count = await sql.unmark_after.execute(conn, stream_seq=kept)
            logger.warning("stream has lost events; sending them again", schema=self._schema, events=count)

    async def _prune(self, conn: Connection) -> None:
        for query in (sql.prune_events, sql.prune_requests):
            while await query.execute(conn, batch=PRUNE_BATCH) == PRUNE_BATCH:
                logger.info("pruned", schema=self._schema, query=query.name)

    def _hear(self, *_news: object) -> None:
        self._committed.set()


def _raise_first(outcomes: Sequence[PubAck | BaseException]) -> None:
    for outcome in outcomes:
        if isinstance(outcome, NoStreamResponseError):
            raise outcome
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, APIError):
            raise outcome
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
