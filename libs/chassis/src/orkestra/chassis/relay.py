"""The outbox relay: what was committed is published, at least once, by one relay per schema at a time."""

import asyncio
import time
from collections.abc import Sequence

import asyncpg
import nats.errors
from nats.js.errors import NoStreamResponseError
from orkestra.chassis.database import Database, prepare_connection, session_settings
from orkestra.chassis.flight import Flight
from orkestra.chassis.logs import get_logger
from orkestra.chassis.metrics import OLDEST, PENDING, RELAYS
from orkestra.chassis.resend import lost_after, send_again, settled_until
from orkestra.chassis.settings import secret
from orkestra.chassis.sql import Connection, Queries
from orkestra.chassis.streams import Nats
from pydantic import SecretStr

STANDBY_SECONDS = 1.0
LOOK_SECONDS = 1.0
VERIFY_SECONDS = 10.0
PRUNE_SECONDS = 60.0
PRUNE_BATCH = 5000
MEASURE_SECONDS = 5.0
LAST_SECONDS = 1.0
_FAILED = (OSError, TimeoutError, nats.errors.Error, asyncpg.PostgresError, asyncpg.InterfaceError)

sql = Queries("""
-- lock
-- The first number keeps relays apart from other users of advisory locks.
select pg_try_advisory_lock(7061, hashtext(:schema))

-- unpublished
-- By seq, never by a watermark: what commits late has an older seq than what was sent.
select seq, event_id, subject, payload, headers, created_at from outbox
where published_at is null and seq <> all(:sent::bigint[]) order by seq limit :limit

-- waiting
-- Counted no further than that: the age says the rest.
select count(*) as pending,
       coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as age
from (select created_at from outbox where published_at is null order by seq limit 10000) as unpublished

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

    def __init__(self, dsn: str | SecretStr, stream: Nats, *, schema: str, of: Sequence[Database] = ()) -> None:
        """Relay `schema`; what the databases `of` this process commit it hears of at once."""
        self._dsn = secret(dsn)
        self._nats = stream
        self._schema = schema
        self._news = asyncio.Event()
        self._look_at = 0.0
        self.is_active = False
        for database in of:
            database.relay = self

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

    def hear(self, *_news: object) -> None:
        """Look for what was committed."""
        self._look_at = 0.0
        self._news.set()

    async def _with_connection(self) -> None:
        settings = session_settings(self._schema) | {"synchronous_commit": "off"}  # a lost mark is a publish more
        conn = await asyncpg.connect(self._dsn, timeout=2, command_timeout=10, server_settings=settings)
        flight = Flight(self._nats, schema=self._schema, land=self._news.set)
        try:
            await prepare_connection(conn)
            await conn.add_listener(f"{self._schema}_outbox", self.hear)
            while not await sql.lock.value(conn, schema=self._schema):
                await self._wait(STANDBY_SECONDS)
            self.is_active = True
            RELAYS.labels(self._schema).set(1)
            logger.info("relay is active", schema=self._schema)
            await self._relay(conn, flight)
        finally:
            self.is_active = False
            for figure in (RELAYS, PENDING, OLDEST):
                figure.labels(self._schema).set(0)
            flight.abandon()
            await _mark_last(conn, flight)
            conn.terminate()  # frees the lock also where the server cannot be told

    async def _relay(self, conn: Connection, flight: Flight) -> None:
        loop = asyncio.get_running_loop()
        verified_at = pruned_at = measured_at = float("-inf")
        connection, settled = -1, 0
        await self._measure(conn)
        while True:
            while not await self._is_connected():
                await self._measure(conn)
            if connection != self._nats.connections or loop.time() - verified_at > VERIFY_SECONDS:
                connection = self._nats.connections
                await flight.mark(conn)
                settled = await self._verify(conn, settled)
                verified_at = loop.time()
            if loop.time() - pruned_at > PRUNE_SECONDS:
                await self._prune(conn)
                pruned_at = loop.time()
            if loop.time() - measured_at > MEASURE_SECONDS:
                await self._measure(conn)
                measured_at = loop.time()
            try:
                await self._send(conn, flight)
            except NoStreamResponseError:
                verified_at = float("-inf")
                self._look_at = 0.0

    async def _send(self, conn: Connection, flight: Flight) -> None:
        """Send what was committed, mark what the stream has, and wait for more of either."""
        flight.check()
        self._news.clear()
        if time.monotonic() >= self._look_at and flight.room > 0:
            self._look_at = time.monotonic() + LOOK_SECONDS
            room = flight.room
            rows = await sql.unpublished.rows(conn, sent=flight.seqs, limit=room)
            flight.send(rows)
            if len(rows) == room:
                self._look_at = 0.0
        if flight.mark_in == 0.0:
            await flight.mark(conn)
        waits = [LOOK_SECONDS, flight.mark_in]
        if flight.room > 0:
            waits.append(self._look_at - time.monotonic())
        await self._wait(min(seconds for seconds in waits if seconds is not None))

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
        """Return where there is something to do, after `seconds` at the latest."""
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    async def _verify(self, conn: Connection, settled: int) -> int:
        """Send again what the stream has lost: it was recreated, or its last writes did not reach the disk.

        What every consumer had handled by the last look, `settled`, is left out: nobody waits behind it then. It is
        known by this connection only: of a database that was restored nobody knows who has handled what. Returns up
        to where it is settled now.
        """
        await self._nats.ensure_streams()
        kept = await lost_after(conn, self._nats.jetstream)
        if kept is None:
            return await settled_until(self._nats.jetstream)
        count = await send_again(conn, kept=kept, settled=settled)
        logger.warning("stream has lost events; sending them again", schema=self._schema, events=count)
        return 0

    async def _prune(self, conn: Connection) -> None:
        for query in (sql.prune_events, sql.prune_requests):
            while await query.execute(conn, batch=PRUNE_BATCH) == PRUNE_BATCH:
                logger.info("pruned", schema=self._schema, query=query.name)


async def _mark_last(conn: Connection, flight: Flight) -> None:
    """Write the last marks, where the database still takes them."""
    try:
        async with asyncio.timeout(LAST_SECONDS):
            await flight.mark(conn)
    except _FAILED as failed:
        logger.debug("the last events were not marked", error=repr(failed))
