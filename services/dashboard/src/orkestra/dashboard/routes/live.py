"""What is new, told to open pages: events from NATS, fanned out to those who may hear of them (server-sent events)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from nats.aio.msg import Msg
from orkestra.chassis.drain import Drain
from orkestra.chassis.events import Event, Poison, read_event
from orkestra.chassis.logs import get_logger
from orkestra.chassis.streams import Nats
from orkestra.v1.events import TaskEvent
from orkestra.wire import dumps

SUBJECTS = "orkestra.v1.*.task.*"
MOST_WAITING = 500
"""Events that wait for one slow page; beyond that it is told to look again at everything."""

log = get_logger(__name__)


@dataclass(eq=False)
class Listener:
    """One open page."""

    tenant_id: str
    audiences: frozenset[str]
    waiting: "asyncio.Queue[str]" = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))

    def tell(self, message: str) -> None:
        """Queue a message; a page that does not keep up is told to start over instead."""
        try:
            self.waiting.put_nowait(message)
        except asyncio.QueueFull:
            while not self.waiting.empty():
                self.waiting.get_nowait()
            self.waiting.put_nowait(message_of("reset", {}))


class Live:
    """Hears every task event once for this process. What is published on a stream also reaches plain subscribers."""

    def __init__(self, nats: Nats) -> None:
        self._nats = nats
        self._listeners: set[Listener] = set()

    async def run(self) -> None:
        """Hear events until cancelled; after a loss of the connection every page is told to look again."""
        self._nats.on_loss.add(self._lost)
        try:
            await self._nats.connected()
            subscription = await self._nats.client.subscribe(SUBJECTS, cb=self._hear)
            try:
                await asyncio.Event().wait()
            finally:
                with suppress(Exception):
                    await subscription.unsubscribe()
        finally:
            self._nats.on_loss.discard(self._lost)

    @contextmanager
    def listening(self, tenant_id: str, audiences: frozenset[str]) -> Iterator[Listener]:
        """Return a listener that is told for the length of the block."""
        listener = Listener(tenant_id, audiences)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def _lost(self) -> None:
        asyncio.get_running_loop().create_task(self._reset_when_back())

    async def _reset_when_back(self) -> None:
        await self._nats.connected()
        for listener in tuple(self._listeners):
            listener.tell(message_of("reset", {}))

    async def _hear(self, message: Msg) -> None:
        try:
            event = read_event(message.headers or {}, message.data)
            told = event.payload(TaskEvent)
        except Poison as unreadable:
            log.warning("an event cannot be shown", reason=str(unreadable))
            return
        text = message_of("task", _shown(event, told))
        audience = frozenset(told.audience)
        for listener in tuple(self._listeners):
            if listener.tenant_id == event.tenant_id and not listener.audiences.isdisjoint(audience):
                listener.tell(text)


def message_of(name: str, data: dict[str, Any]) -> str:
    """Return one server-sent event (HTML Living Standard, 9.2)."""
    return f"event: {name}\ndata: {dumps(data)}\n\n"


def _shown(event: Event, told: TaskEvent) -> dict[str, Any]:
    task = told.task
    return {
        "id": event.id,
        "task_id": event.key,
        "event": event.event,
        "version": event.version,
        "status": task.status,
        "title": task.title,
        "workflow_id": task.workflow_id,
        "actor": told.actor,
    }


async def until_drained(drain: Drain, listener: Listener, *, seconds: float) -> AsyncIterator[str | None]:
    """Yield each message, None after `seconds` without one; end when the process drains."""
    while not drain.draining:
        message = None
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                message = await listener.waiting.get()
        yield message
