"""Tenants that were deleted are forgotten: every row, every event, and whatever comes late."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import asyncpg
import grpc
import nats.errors
from nats.js.errors import NotFoundError
from orkestra.chassis.database import Database
from orkestra.chassis.logs import get_logger
from orkestra.chassis.sql import Queries
from orkestra.chassis.streams import DEAD, EVENTS, Nats
from orkestra.v1.identity import DeletedTenant, IdentityServiceClient, ListDeletedTenantsRequest
from orkestra.wire import Error

LOOK_SECONDS = 5.0
ROWS_AT_ONCE = 2000
BATCH_SECONDS = 30.0
PAGE = 100
AGAIN_AFTER = (timedelta(), timedelta(minutes=1), timedelta(minutes=10))
"""Tokens last half a minute, and what is in hand may still be written: so it is forgotten again."""
LATE = timedelta(days=1)
"""A deletion older than this, heard of anew, is gone over once."""

_FAILED = (Error, OSError, TimeoutError, nats.errors.Error, asyncpg.PostgresError, asyncpg.InterfaceError)

sql = Queries("""
-- forget_tenant
select forget_tenant(:tenant_id, :at_most)
""")
logger = get_logger(__name__)


class Deletions(Protocol):
    """Knows which tenants were deleted."""

    async def page(self, token: str | None) -> tuple[list[DeletedTenant], str | None]:
        """Return a page of deletions, newest first, and the token of the next."""


class DeletionsOfIdentity:
    """Asks identity-service, with the installation's key."""

    def __init__(self, channel: grpc.aio.Channel, token: Callable[[], Awaitable[str]]) -> None:
        self._client = IdentityServiceClient(channel, token)

    async def page(self, token: str | None) -> tuple[list[DeletedTenant], str | None]:
        """Return a page of deletions, newest first, and the token of the next."""
        answer = await self._client.list_deleted_tenants(ListDeletedTenantsRequest(page_size=PAGE, page_token=token))
        return list(answer.deleted_tenants), answer.next_page_token


async def _nothing(_tenant_id: str) -> None:
    """What comes before the rows where nothing else is kept."""


@dataclass
class Forgetting:
    """Forgets deleted tenants in one schema and in the streams; `run` is a loop of the process.

    It asks who was deleted in the place of waiting to be told, so that a service that was down for any time, or was
    restored from a backup, still does it. `first` removes what is kept elsewhere, while the rows still say where; it is
    repeated until it and everything after it has passed.
    """

    sweep: Database
    stream: Nats
    deletions: Deletions
    first: Callable[[str], Awaitable[None]] = _nothing
    every: float = LOOK_SECONDS
    _due: dict[str, list[datetime]] = field(default_factory=dict)
    """Of each deleted tenant that is known, when it is to be forgotten again."""

    def has_forgotten(self, tenant_id: str) -> bool:
        """Say whether the tenant was deleted, as far as it is known here: nothing is to be kept of it any more."""
        return tenant_id in self._due

    async def run(self) -> None:
        """Forget for ever; what cannot be reached is tried again."""
        while True:
            await self.once()
            await asyncio.sleep(self.every)

    async def once(self) -> None:
        """Learn of new deletions and forget whoever is due."""
        try:
            await self._learn()
        except _FAILED as away:
            logger.warning("deleted tenants are not known", schema=self.sweep.schema, error=repr(away))
        for tenant_id, due in self._due.items():
            if due and due[0] <= datetime.now(UTC):
                await self._attend(tenant_id, due)

    async def forget(self, tenant_id: str) -> int:
        """Forget a tenant now; return how many rows it had. Cut off anywhere, it is repeated whole."""
        await self.first(tenant_id)
        rows, gone = 0, ROWS_AT_ONCE
        while gone:
            async with self.sweep.unscoped(seconds=BATCH_SECONDS) as conn:
                gone = await sql.forget_tenant.value(conn, tenant_id=tenant_id, at_most=ROWS_AT_ONCE)
            rows += gone
        await self._purge(EVENTS, f"orkestra.v1.{tenant_id}.>")
        await self._purge(DEAD, f"orkestra_dead.*.orkestra.v1.{tenant_id}.>")
        return rows

    async def _learn(self) -> None:
        """Read deletions from the newest to the first page on which all are known."""
        token, now = None, datetime.now(UTC)
        while True:
            deleted, token = await self.deletions.page(token)
            news = [one for one in deleted if one.tenant_id not in self._due]
            for one in news:
                passes = AGAIN_AFTER if now - one.deleted_at < LATE else AGAIN_AFTER[:1]
                self._due[one.tenant_id] = [now + after for after in passes]
            if token is None or not news:
                return

    async def _attend(self, tenant_id: str, due: list[datetime]) -> None:
        try:
            rows = await self.forget(tenant_id)
        except _FAILED as away:
            logger.warning("a deleted tenant waits", schema=self.sweep.schema, tenant_id=tenant_id, error=repr(away))
        else:
            del due[0]
            logger.info("forgot a deleted tenant", schema=self.sweep.schema, tenant_id=tenant_id, rows=rows)

    async def _purge(self, stream: str, subject: str) -> None:
        try:
            await self.stream.jetstream.purge_stream(stream, subject=subject)
        except NotFoundError:
            logger.debug("there is no stream", stream=stream)
