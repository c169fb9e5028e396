"""What happens to tasks and workflows, heard from NATS: for calls that wait and for clients that listen."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated
from nats.aio.msg import Msg
from orkestra.chassis.streams import Nats

SUBJECTS = ("orkestra.v1.*.task.*", "orkestra.v1.*.workflow.*")
URIS = {
    "task": ("orkestra://tasks/{key}", "orkestra://tasks/{key}/conversation"),
    "workflow": ("orkestra://workflows/{key}",),
}


class News:
    """Hears every event once per replica, over core NATS.

    Nothing is kept: whoever waits looks again from time to time, and streams end when the connection was lost, so that
    clients listen and read again.
    """

    def __init__(self) -> None:
        self.bus = InMemorySubscriptionBus()
        self.losses = 0
        """How often something may have been missed."""
        self._waiting: dict[str, set[asyncio.Event]] = {}

    async def run(self, nats: Nats) -> None:
        """Hear what `nats` brings, for ever."""
        nats.on_loss.add(self._lose)
        await nats.connected()
        subscriptions = [await nats.client.subscribe(subject, cb=self._on_message) for subject in SUBJECTS]
        try:
            await asyncio.Event().wait()
        finally:
            nats.on_loss.discard(self._lose)
            for subscription in subscriptions:
                if not nats.client.is_closed:
                    await subscription.unsubscribe()

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
