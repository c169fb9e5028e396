"""Messages that a consumer has in hand: one resource's in order, some resources' at once."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import nats.errors
from nats.aio.msg import Msg
from orkestra.chassis.logs import get_logger

HEARTBEAT_SECONDS = 10.0
MOST = 400
AT_ONCE = 16
"""Handled at once: more would keep each other waiting for connections, and all of them be too late."""
logger = get_logger(__name__)


class InHand:
    """Settles what it is given, that of `at_once` resources at a time."""

    def __init__(self, settle: Callable[[Msg], Awaitable[None]], *, at_once: int = AT_ONCE) -> None:
        self._settle = settle
        self._turns = asyncio.Semaphore(at_once)
        self._queues: dict[str, deque[Msg]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = 0
        self._settled = asyncio.Event()
        self._fault: Exception | None = None

    def give(self, message: Msg) -> None:
        """Settle the message once those of the same resource that came before it are."""
        key = (message.headers or {}).get("ce-subject", "")
        self._held += 1
        queue = self._queues.get(key)
        if queue is not None:
            queue.append(message)
            return
        self._queues[key] = deque((message,))
        task = asyncio.create_task(self._in_order(key))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def room(self) -> None:
        """Return when there is room for more; raises what kept a message from being settled."""
        while self._held >= MOST and self._fault is None:
            self._settled.clear()
            await self._settled.wait()
        if self._fault is not None:
            raise self._fault

    async def finish(self) -> None:
        """Return when nothing is left in hand; where the caller is cancelled, what is left is too."""
        try:
            while self._tasks:
                await asyncio.wait(self._tasks)
        finally:
            for task in self._tasks:
                task.cancel()

    async def keep_alive(self) -> None:
        """Keep NATS from delivering again what is still in hand, for ever."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            try:
                for message in [message for queue in self._queues.values() for message in queue]:
                    await message.in_progress()
            except (OSError, nats.errors.Error) as away:  # then they are delivered again, which does no harm
                logger.debug("nats was not told of events in hand", error=repr(away))

    async def _in_order(self, key: str) -> None:
        queue = self._queues[key]
        try:
            while queue:
                async with self._turns:
                    await self._settle(queue[0])
                self._drop(queue)
        except Exception as fault:  # the consumer ends by it, and NATS delivers again what is left
            self._fault = self._fault or fault
        finally:
            while queue:
                self._drop(queue)
            del self._queues[key]

    def _drop(self, queue: deque[Msg]) -> None:
        queue.popleft()
        self._held -= 1
        self._settled.set()
