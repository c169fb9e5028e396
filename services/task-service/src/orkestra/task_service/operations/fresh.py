"""Ends of tasks as they are committed, for those who wait for them in this process."""

import asyncio
import time
from collections import deque

from orkestra.chassis.drain import Drain
from orkestra.chassis.notifications import Waiter
from orkestra.v1.task import EndedTask

AT_ONCE = 100
MOST_KEPT = 500
KEPT_SECONDS = 1.0


class FreshEnds:
    """Ends that were committed in this process just now; each goes to one of those who wait for them here.

    Nothing is promised: what nobody has asked for within a second is dropped, and so is what comes while nobody asks.
    Its event wakes the run.
    """

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self._ends: deque[tuple[float, EndedTask]] = deque(maxlen=MOST_KEPT)
        self._waiting: deque[Waiter] = deque()
        self._asked_at = float("-inf")
        self._draining: asyncio.Task[None] | None = None

    def add(self, end: EndedTask) -> None:
        """Hand an end over to whoever waits, or asks very soon."""
        now = time.monotonic()
        if self._waiting or now - self._asked_at < KEPT_SECONDS:
            self._ends.append((now, end))
        self._wake_one()

    async def take(self, seconds: float) -> list[EndedTask]:
        """Return what has ended, as soon as anything has; nothing after `seconds`, or when the process drains."""
        ends = self._fresh()
        if not ends and seconds > 0 and not self._drain.draining:
            await self._wait(seconds)
            ends = self._fresh()
        self._asked_at = time.monotonic()
        return ends

    async def _wait(self, seconds: float) -> None:
        waiter = Waiter()
        self._waiting.append(waiter)
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain_all())
        try:
            await waiter.wait(seconds)
        except asyncio.CancelledError:
            if waiter not in self._waiting:  # it was woken for an end that another may have
                self._wake_one()
            raise
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    async def _drain_all(self) -> None:
        await self._drain.wait()
        for waiter in self._waiting:
            waiter.wake()

    def _wake_one(self) -> None:
        if self._waiting:
            self._waiting.popleft().wake()

    def _fresh(self) -> list[EndedTask]:
        ends: list[EndedTask] = []
        oldest = time.monotonic() - KEPT_SECONDS
        while self._ends and len(ends) < AT_ONCE:
            at, end = self._ends.popleft()
            if at >= oldest:
                ends.append(end)
        return ends
