"""Transactions on one schema: a tenant's, or none's; a database that is away is Unavailable within 3 seconds."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, Self
from urllib.parse import urlsplit

import asyncpg
from orkestra.chassis.connection import AheadConnection
from orkestra.chassis.logs import get_logger
from orkestra.chassis.metrics import CONNECTIONS, MOST_CONNECTIONS, WAITING_FOR_CONNECTIONS
from orkestra.chassis.pool import Pool
from orkestra.chassis.settings import secret
from orkestra.wire import Unavailable, dumps
from pydantic import SecretStr

NO_TENANT = "00000000-0000-0000-0000-000000000000"
"""Tenant of what happens above tenants; no row of a tenant bears it."""

CONNECT_SECONDS = 1.5
TRANSACTION_SECONDS = 2.8
RETRY_SECONDS = 1.0
logger = get_logger(__name__)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,  # no room on its disk, no memory, no connection left
    asyncpg.PostgresIOError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
)


class Hears(Protocol):
    """What publishes the events of a schema: this process' relay."""

    @property
    def is_active(self) -> bool:
        """Whether it is this process that publishes them now."""
        ...

    def hear(self) -> None:
        """Look for what was committed."""
        ...


class Database:
    """A pool of connections to one schema with one role.

    `relay` is who hears, in this process, of events that were committed; without one it hears by PostgreSQL.
    """

    def __init__(self, pool: Pool, *, schema: str) -> None:
        self.schema = schema
        self.relay: Hears | None = None
        self._pool = pool

    @classmethod
    async def connect(cls, dsn: str | SecretStr, *, schema: str, max_size: int = 10) -> Self:
        """Open a pool; connections are made when first needed, so a database that is away does not stop a start."""

        async def connection() -> AheadConnection:
            conn = await asyncpg.connect(
                secret(dsn),
                connection_class=AheadConnection,
                timeout=CONNECT_SECONDS,
                statement_cache_size=500,
                max_cached_statement_lifetime=0,
                server_settings=session_settings(schema),
            )
            try:
                await prepare_connection(conn)
            except BaseException:  # cancelled, too: nobody else knows of the connection
                conn.terminate()
                raise
            return conn

        pool = Pool(connection, max_size=max_size)
        _show(pool, urlsplit(secret(dsn)).username or schema)
        return cls(pool, schema=schema)

    async def close(self) -> None:
        """Close every connection; those still in use are cut."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(
        self, tenant_id: str, *, seconds: float = TRANSACTION_SECONDS
    ) -> AsyncIterator[AheadConnection]:
        """Yield a connection inside a transaction that sees and writes only `tenant_id`'s rows; commit at the end.

        Raises Unavailable("DATABASE_UNAVAILABLE") where the database does not answer within `seconds`.
        """
        async with self.opened(tenant_statement(tenant_id), seconds=seconds) as conn:
            yield conn
            await conn.execute("COMMIT")

    @asynccontextmanager
    async def reading(self, tenant_id: str) -> AsyncIterator[AheadConnection]:
        """Like `transaction`, read only: nobody waits for its end."""
        begin = tenant_statement(tenant_id).replace("BEGIN", "BEGIN READ ONLY", 1)
        async with self._acquired(TRANSACTION_SECONDS) as conn:
            conn.send_ahead(begin)
            yield conn
            conn.send_ahead("COMMIT")

    @asynccontextmanager
    async def unscoped(self, *, seconds: float = TRANSACTION_SECONDS) -> AsyncIterator[AheadConnection]:
        """Yield a connection inside a transaction without a tenant; for roles and tables that have none."""
        async with self._acquired(seconds) as conn:
            await conn.execute("BEGIN")  # not ahead: without a tenant, nothing stops a statement that stands alone
            yield conn
            await conn.execute("COMMIT")

    @asynccontextmanager
    async def statement(self, *, seconds: float = TRANSACTION_SECONDS) -> AsyncIterator[AheadConnection]:
        """Yield a connection without a transaction, for one statement in one trip.

        For roles that need no tenant, and for functions of the schema that set theirs.
        """
        async with self._acquired(seconds) as conn:
            yield conn

    @asynccontextmanager
    async def opened(
        self, begin: str, *, asks: bool = False, seconds: float = TRANSACTION_SECONDS
    ) -> AsyncIterator[AheadConnection]:
        """Yield a connection in the tenant's transaction that `begin` begins; the caller commits.

        `begin` travels with the first statement; where it `asks` something that may be refused, it is waited for.
        """
        async with self._acquired(seconds) as conn:
            if asks:
                await conn.execute(begin)
            else:
                conn.send_ahead(begin)
            yield conn
            if conn.is_in_transaction():
                raise RuntimeError("a transaction was left open")

    async def check(self) -> None:
        """Raise Unavailable where the database does not answer within a second."""
        async with self._acquired(1) as conn:
            await conn.execute("BEGIN READ ONLY; COMMIT")

    @asynccontextmanager
    async def _acquired(self, seconds: float) -> AsyncIterator[AheadConnection]:
        """Yield a connection; what the caller began it also ends, but where it fails: then it is rolled back."""
        limit = asyncio.timeout(seconds)
        conn: AheadConnection | None = None
        ended = False
        try:
            async with limit:
                conn = await self._pool.acquire()
                yield conn
                ended = True
        except _AWAY as away:
            raise unavailable() from away
        except asyncpg.InternalClientError as broken:  # the driver has lost its place, and with it the connection
            if conn is not None:
                conn.terminate()
            raise unavailable() from broken
        except asyncpg.InterfaceError as broken:
            if conn is None or conn.is_closed():
                raise unavailable() from broken
            raise
        finally:
            if ended and conn is not None:
                self._pool.release(conn)
            elif conn is not None:
                await self._roll_back(conn, cut=limit.expired())

    async def _roll_back(self, conn: AheadConnection, *, cut: bool) -> None:
        """End what runs on `conn`; cut it where that is not sure."""
        clean = False
        try:
            if not cut and not conn.is_closed():
                await conn.execute("ROLLBACK", timeout=1)  # also where a cancelled BEGIN may still take effect
                clean = True
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as broken:
            logger.debug("connection is cut", error=repr(broken))
        finally:
            if not clean:
                conn.terminate()
            self._pool.release(conn)


def _show(pool: Pool, name: str) -> None:
    """Have the figures of a pool read where they are asked for; of two with one name the newer is shown."""
    CONNECTIONS.labels(name, "used").set_function(lambda: pool.used)
    CONNECTIONS.labels(name, "idle").set_function(lambda: pool.idle)
    WAITING_FOR_CONNECTIONS.labels(name).set_function(lambda: pool.waiting)
    MOST_CONNECTIONS.labels(name).set(pool.size)


def tenant_statement(tenant_id: str) -> str:
    """Return what begins a tenant's transaction, in one trip (`SET LOCAL` takes no parameters)."""
    return f"BEGIN; {set_tenant(tenant_id)}"


def set_tenant(tenant_id: str) -> str:
    """Return the statement that scopes the running transaction to `tenant_id`; refuses what is not a UUID."""
    if not _UUID.fullmatch(tenant_id):
        raise ValueError(f"{tenant_id!r} is not the id of a tenant")
    return f"SET LOCAL app.tenant_id = '{tenant_id}'"


def unavailable() -> Unavailable:
    """Return what a caller is told while the database is away."""
    return Unavailable(
        "DATABASE_UNAVAILABLE", "The database cannot be reached; try again shortly.", retry_after=RETRY_SECONDS
    )


def session_settings(schema: str) -> dict[str, str]:
    """Return what every session of a service sets; the limits free what a lost client left behind."""
    return {
        "application_name": f"orkestra-{schema}",
        "search_path": schema,
        "timezone": "UTC",
        "jit": "off",
        "statement_timeout": "30s",
        "idle_in_transaction_session_timeout": "30s",
        "client_connection_check_interval": "5s",
    }


async def prepare_connection(conn: asyncpg.Connection) -> None:
    """Make json exact and uuid text on `conn`."""
    for name in ("json", "jsonb"):
        await conn.set_type_codec(name, schema="pg_catalog", encoder=dumps, decoder=json.loads)
    await conn.set_type_codec("uuid", schema="pg_catalog", encoder=str, decoder=str)
