"""Tells when the row of a workflow has been committed: NOTIFY from a trigger, LISTEN here; both sides pay the same."""

import asyncio
from typing import Self

import asyncpg


class Rows:
    """Waits for the first row of a workflow id."""

    def __init__(self, conn: asyncpg.Connection) -> None:
        self._conn = conn
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._early: dict[str, str] = {}

    @classmethod
    async def listen(cls, dsn: str, channel: str) -> Self:
        rows = cls(await asyncpg.connect(dsn))
        await rows._conn.add_listener(channel, rows._heard)
        return rows

    async def close(self) -> None:
        await self._conn.close()

    async def of(self, workflow_id: str) -> str:
        """Return what the row told besides its workflow id, as soon as it is committed."""
        if (early := self._early.pop(workflow_id, None)) is not None:
            return early
        future = self._waiting.setdefault(workflow_id, asyncio.get_running_loop().create_future())
        return await asyncio.wait_for(future, 60)

    def _heard(self, _conn: object, _pid: int, _channel: str, payload: object) -> None:
        workflow_id, _, rest = str(payload).partition(" ")
        if (future := self._waiting.pop(workflow_id, None)) is not None:
            future.set_result(rest)
        else:
            self._early[workflow_id] = rest
