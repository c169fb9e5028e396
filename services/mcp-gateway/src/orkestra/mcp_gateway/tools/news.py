"""What happens to tasks and workflows, heard from NATS: for calls that wait and for clients that listen."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from mcp.server.subscriptions import InMemorySubscriptionBus, ResourceUpdated, ServerEvent
from nats.aio.msg import Msg
from orkestra.chassis.streams import Nats

SUBJECTS = ("orkestra.v1.*.task.*", "orkestra.v1.*.workflow.*")
URIS = {
    "task": ("orkestra://tasks/{key}", "orkestra://tasks/{key}/conversation"),
    "workflow": ("orkestra://workflows/{key}",),
}


class Bus(InMemorySubscriptionBus):
    """Knows whether anybody listens; most of the time nobody does."""

    def __init__(self) -> None:
        super().__init__()
        self._listening: set[object] = set()

    @property
    def is_listened_to(self) -> bool:
        """Say whether a client listens."""
        return bool(self._listening)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Tell the listener of what is published, until what is returned is called."""
        unsubscribe, token = super().subscribe(listener), object()
        self._listening.add(token)

        def end() -> None:
            self._listening.discard(token)
            unsubscribe()

        return end


class News:
    """Hears every event once per replica, over core NATS.

    Nothing is kept: whoever waits looks again from time to time, and streams end when the connection was lost, so that
    clients listen and read again.
    """

    def __init__(self) -> None:
        self.bus = Bus()
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
        if not self._waiting and not self.bus.is_listened_to:
            return
        key = (message.headers or {}).get("ce-subject")
        if key is not None:
            await self.hear(message.subject.split(".")[3], unquote(key))

    def _lose(self) -> None:
        self.losses += 1
