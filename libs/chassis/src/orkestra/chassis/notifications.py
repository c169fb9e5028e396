"""PostgreSQL LISTEN for code that waits in this process, such as long polls."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg
from orkestra.chassis.database import Database
from orkestra.chassis.drain import Drain
from orkestra.chassis.logs import get_logger
from orkestra.chassis.metrics import HELD
from orkestra.chassis.settings import secret
from orkestra.wire import Unavailable
from pydantic import SecretStr

RECHECK_SECONDS = 5.0
"""Waiting code looks again at least this often, whatever was or was not heard."""
_RECONNECT_SECONDS = 0.5
_TELL = """
select set_config('synchronous_commit', 'off', true), pg_notify($1, payload) from unnest($2::text[]) as payload
"""
"""Without waiting for the disk, on which nothing is written."""
_ALIVE_SECONDS = 5.0

T = TypeVar("T")
logger = get_logger(__name__)


class Waiter:
    """Waits for news about one thing."""

    def __init__(self) -> None:
        self._are_news = False
        self._told: object = None
        self._waiting: asyncio.Future[bool] | None = None

    async def wait(self, seconds: float) -> bool:
        """Return True when there may be news since the last wait, False after `seconds` without; one waits at a time.

        Who waits goes on in the next turn of the loop.
        """
        if not self._are_news:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            late = loop.call_later(seconds, _settle, self._waiting, False)
            try:
                if not await self._waiting:
                    return False
            finally:
                late.cancel()
                self._waiting = None
        self._are_news = False
        return True

    def wake(self, told: object = None) -> None:
        """Say that there may be news, or what they are."""
        self._told = told or self._told
        self._are_news = True
        if self._waiting is not None:
            _settle(self._waiting, True)

    def told(self) -> object:
        """Return the news once, None where it is to be looked for."""
        told, self._told = self._told, None
        return told


def _settle(waiting: "asyncio.Future[bool]", is_news: bool) -> None:
    if not waiting.done():
        waiting.set_result(is_news)


class Notifications:
    """One connection that listens on the channels given, for ever; `run` is a loop of the process."""

    def __init__(self, dsn: str | SecretStr, *channels: str) -> None:
        self._dsn = secret(dsn)
        self._channels = channels
        self._waiters: defaultdict[tuple[str, str], set[Waiter]] = defaultdict(set)

    async def run(self) -> None:
        """Listen until cancelled; after a lost connection everyone who waits looks again."""
        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as lost:
                logger.warning("listening was interrupted", error=str(lost))
            except Exception:  # the edge of a loop: drivers raise more than they document
                logger.exception("listening failed")
            await asyncio.sleep(_RECONNECT_SECONDS)

    @asynccontextmanager
    async def listen(self, channel: str, payload: str) -> AsyncIterator[Waiter]:
        """Yield a waiter that is woken by `pg_notify(channel, payload)`; look at the state after entering."""
        if channel not in self._channels:
            raise ValueError(f"nobody listens on {channel}")
        waiter, key = Waiter(), (channel, payload)
        self._waiters[key].add(waiter)
        try:
            yield waiter
        finally:
            self._waiters[key].discard(waiter)
            if not self._waiters[key]:
                del self._waiters[key]

    def tell(self, channel: str, payload: str, state: object) -> None:
        """Wake those who wait here with the state, once it is committed; others hear of it by PostgreSQL."""
        for waiter in self._waiters.get((channel, payload), ()):
            waiter.wake(state)

    async def _listen(self) -> None:
        conn = await asyncpg.connect(self._dsn, timeout=2, server_settings={"application_name": "orkestra-listen"})
        try:
            for channel in self._channels:
                await conn.add_listener(channel, self._hear)
            ended = asyncio.Event()
            conn.add_termination_listener(lambda _: ended.set())
            self._wake_all()
            while not ended.is_set():
                await conn.execute("select 1", timeout=2)
                await _elapsed(ended, _ALIVE_SECONDS)
        finally:
            conn.terminate()

    def _hear(self, _conn: object, _pid: int, channel: str, payload: object) -> None:
        for waiter in self._waiters.get((channel, str(payload)), ()):
            waiter.wake()

    def _wake_all(self) -> None:
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.wake()


class Others:
    """Tells of news by NOTIFY after they were committed, in nobody's way; who is not told looks in a while."""

    def __init__(self, database: Database, channel: str) -> None:
        self._database = database
        self._channel = channel
        self._news: list[str] = []
        self._are_there = asyncio.Event()

    def tell(self, payload: str) -> None:
        """Have those told who wait for `payload` in other processes."""
        self._news.append(payload)
        self._are_there.set()

    async def run(self) -> None:
        """Tell for ever, together what came meanwhile."""
        while True:
            await self._are_there.wait()
            await self.flush()

    async def flush(self) -> None:
        """Tell what was not told yet; at the end of a process, too, for its loops end with what they have in hand."""
        self._are_there.clear()
        news = list(self._news)
        if not news:
            return
        try:
            async with self._database.statement() as conn:
                await conn.execute(_TELL, self._channel, news)
        except (Unavailable, asyncpg.PostgresError) as away:
            logger.info("others were not told", channel=self._channel, count=len(news), error=repr(away))
        del self._news[: len(news)]  # where this was cancelled they are told once more


async def _elapsed(ended: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await ended.wait()
    except TimeoutError:
        return


async def hold(
    look: Callable[[], Awaitable[T]],
    *,
    until: Callable[[T], bool],
    waiter: Waiter,
    drain: Drain,
    seconds: float,
    kind: type[T] | None = None,
) -> T:
    """Look, and again at each news, `until` the state is the one waited for.

    News of the kind given are the state, and nobody looks. Returns the state so far after `seconds` or when the process
    is told to end.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    state = await look()
    draining = asyncio.create_task(drain.wait())
    draining.add_done_callback(lambda _: waiter.wake())
    HELD.inc()
    try:
        while not until(state) and not drain.draining and (left := deadline - loop.time()) > 0:
            await waiter.wait(min(left, RECHECK_SECONDS))
            told = waiter.told()
            state = told if kind is not None and isinstance(told, kind) else await look()
    finally:
        HELD.dec()
        draining.cancel()
    return state
