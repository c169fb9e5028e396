"""Messages that a consumer has in hand: those of one lane in order, those of some lanes at once."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice

import nats.errors
from nats.aio.msg import Msg
from orkestra.chassis.logs import get_logger

HEARTBEAT_SECONDS = 10.0
MOST = 400
AT_ONCE = 16
"""Handled at once: more would keep each other waiting for connections, and all of them be too late."""
logger = get_logger(__name__)


def resource_of(message: Msg) -> str:
    """Return what a message is about."""
    return (message.headers or {}).get("ce-subject", "")


def tenant_of(message: Msg) -> str:
    """Return whose resource a message is about."""
    return (message.headers or {}).get("ce-tenant", "")


class InHand:
    """Settles what it is given, that of as many lanes at a time as there are `turns`.

    Up to `most` of a lane are settled together; where fewer are there, more are waited for, for `seconds`.
    """

    def __init__(
        self,
        settle: Callable[[Sequence[Msg]], Awaitable[None]],
        *,
        turns: asyncio.Semaphore,
        lane_of: Callable[[Msg], str] = resource_of,
        most: int = 1,
        seconds: float = 0.0,
    ) -> None:
        self._settle = settle
        self._turns = turns
        self._lane_of = lane_of
        self._most = most
        self._seconds = seconds
        self._finishing = asyncio.Event()
        self._queues: dict[str, deque[Msg]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._held = 0
        self._settled = asyncio.Event()
        self._fault: Exception | None = None

    def give(self, message: Msg) -> None:
        """Settle the message once those of the same lane that came before it are, or together with them."""
        lane = self._lane_of(message)
        self._held += 1
        queue = self._queues.get(lane)
        if queue is not None:
            queue.append(message)
            return
        self._queues[lane] = deque((message,))
        task = asyncio.create_task(self._in_order(lane))
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
        """Return when what has begun is done; the rest is handed back. Where the caller is cancelled, all ends."""
        self._finishing.set()
        await self._end()

    async def all_settled(self) -> None:
        """Return when all that was given is settled; raises what kept a message from being so."""
        await self._end()
        await self.room()

    async def _end(self) -> None:
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

    async def _in_order(self, lane: str) -> None:
        queue = self._queues[lane]
        try:
            while queue:
                if len(queue) < self._most:
                    await self._gather()
                async with self._turns:
                    part = list(islice(queue, self._most))
                    await (_hand_back(part) if self._finishing.is_set() else self._settle(part))
                self._drop(queue, len(part))
        except Exception as fault:  # the consumer ends by it, and NATS delivers again what is left
            self._fault = self._fault or fault
        finally:
            self._drop(queue, len(queue))
            del self._queues[lane]

    async def _gather(self) -> None:
        """Wait for what else comes soon, unless this is the end."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._finishing.wait()
        except TimeoutError:
            return

    def _drop(self, queue: deque[Msg], count: int) -> None:
        for _ in range(count):
            queue.popleft()
        self._held -= count
        self._settled.set()


async def _hand_back(messages: Sequence[Msg]) -> None:
    """Let another process have them now, and not only when we are found to be gone."""
    try:
        for message in messages:
            await message.nak()
    except (OSError, nats.errors.Error) as away:
        logger.debug("nats was not told of what is handed back", error=repr(away))
