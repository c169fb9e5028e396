"""What happens to tasks and workflows, heard from NATS: for calls that wait and for clients that listen."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from urllib.parse import unquote

from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated
from nats.aio.msg import Msg
from orkestra.chassis.hearing import Hearing
from orkestra.chassis.streams import Nats

ANY = "*"
"""In the place of a tenant: callers that have none."""
URIS = {
    "task": ("orkestra://tasks/{key}", "orkestra://tasks/{key}/conversation"),
    "workflow": ("orkestra://workflows/{key}",),
}


class News:
    """Hears the events of a tenant once per replica, over core NATS, while somebody of it waits or listens.

    Nothing is kept: whoever waits looks again from time to time, and streams end when something may have been missed,
    so that clients listen and read again.
    """

    def __init__(self, nats: Nats) -> None:
        self.bus = InMemorySubscriptionBus()
        self.losses = 0
        """How often something may have been missed."""
        self._nats = nats
        self._hearing = Hearing(nats, self._on_message, lambda _: self._lose())
        self._waiting: dict[str, set[asyncio.Event]] = {}

    async def run(self) -> None:
        """Hear what NATS brings, for ever."""
        self._nats.on_loss.add(self._lose)
        try:
            await self._hearing.run()
        finally:
            self._nats.on_loss.discard(self._lose)

    @asynccontextmanager
    async def of_tenant(self, tenant_id: str | None, *aggregates: str) -> AsyncIterator[None]:
        """Has what happens to tasks, or workflows, of a tenant heard for the length of the block."""
        subjects = (f"orkestra.v1.{tenant_id or ANY}.{aggregate}.*" for aggregate in aggregates)
        async with self._hearing.listening(*subjects):
            yield

    async def hear(self, aggregate: str, key: str) -> None:
        """Tell everyone who waits for, or listens to, the task or workflow `key`."""
        for event in self._waiting.get(key, ()):
            event.set()
        for uri in URIS.get(aggregate, ()):
            await self.bus.publish(ResourceUpdated(uri=uri.format(key=key)))

    @contextmanager
    def of(self, key: str) -> Iterator[asyncio.Event]:
        """Gives an event that is set at each news about `key`; whoever waits clears it."""
        event = asyncio.Event()
        self._waiting.setdefault(key, set()).add(event)
        try:
            yield event
        finally:
            self._waiting[key].discard(event)
            if not self._waiting[key]:
                del self._waiting[key]

    async def _on_message(self, message: Msg) -> None:
        key = (message.headers or {}).get("ce-subject")
        if key is not None:
            await self.hear(message.subject.split(".")[3], unquote(key))

    def _lose(self) -> None:
        self.losses += 1
