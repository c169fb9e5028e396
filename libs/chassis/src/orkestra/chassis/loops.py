"""Background loops that outlive their own failures."""

import asyncio
from collections.abc import Awaitable, Callable

from orkestra.chassis.logs import get_logger

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0

logger = get_logger(__name__)


class Loops:
    """Coroutines kept running until told to stop."""

    def __init__(self) -> None:
        self._waiting: list[tuple[str, Callable[[], Awaitable[None]]]] = []
        self._running: list[asyncio.Task[None]] = []

    def add(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Register a loop for `start`."""
        self._waiting.append((name, run))

    def start(self) -> None:
        """Start what was added."""
        self._running += [asyncio.create_task(_keep(name, run), name=name) for name, run in self._waiting]
        self._waiting.clear()

    async def stop(self) -> None:
        """Cancel every loop and wait for its end, at most 5 seconds."""
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=5)


async def _keep(name: str, run: Callable[[], Awaitable[None]]) -> None:
    pause = FIRST_PAUSE
    loop = asyncio.get_running_loop()
    while True:
        started = loop.time()
        try:
            await run()
        except Exception:  # the edge of a loop: whatever ended it, it starts again
            logger.exception("loop failed", loop=name)
        if loop.time() - started > LONGEST_PAUSE * 2:
            pause = FIRST_PAUSE
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
