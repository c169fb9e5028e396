"""Credentials that are tried out: whoever presents many that are no good is not listened to for a while."""

import asyncio
import math
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from orkestra.chassis.logs import get_logger
from orkestra.chassis.ratelimit import Counts, Limit, counted_as
from orkestra.wire import ResourceExhausted, Unauthenticated

REMEMBERED = 10_000

K = TypeVar("K")
V = TypeVar("V")

log = get_logger(__name__)


class Guesses:
    """Counts by address the different credentials that were refused; replicas share the count where they share a table.

    A credential that was good here before is no guess, and one that is refused again and again is one guess. So
    callers who share an address with somebody who guesses go on, and a client with a key that was revoked locks out
    nobody.
    """

    def __init__(self, limits: Counts, limit: Limit) -> None:
        self._limits = limits
        self._limit = limit
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._counted: OrderedDict[tuple[str, bytes], None] = OrderedDict()
        self._open_at: OrderedDict[str, float] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def watch(self, address: str, digest: bytes) -> AsyncIterator[None]:
        """Around the question whether a credential is good.

        Raises ResourceExhausted("RATE_LIMITED"), without that question, for a credential that is not known while its
        address has too many refusals. At most as many as the limit are asked for one address at once.
        """
        address = counted_as(address)
        if digest in self._good:
            async with self._noting(address, digest):
                yield
            return
        turns = self._turns.setdefault(address, asyncio.Semaphore(self._limit.quota))
        async with turns:
            self._refuse(address)
            async with self._noting(address, digest):
                yield

    @asynccontextmanager
    async def _noting(self, address: str, digest: bytes) -> AsyncIterator[None]:
        try:
            yield
        except Unauthenticated:
            if digest not in self._good:
                await self._count(address, digest)
            raise
        _remember(self._good, digest, None)

    def _refuse(self, address: str) -> None:
        left = self._open_at.get(address, 0.0) - asyncio.get_running_loop().time()
        if left > 0:
            raise ResourceExhausted(
                "RATE_LIMITED",
                f"Too many credentials that came from your address were not good; try again in {math.ceil(left)} s.",
                retry_after=left,
            )

    async def _count(self, address: str, digest: bytes) -> None:
        if (address, digest) in self._counted:
            return
        _remember(self._counted, (address, digest), None)
        for standing in await self._limits.take((self._limit, address)):
            if not standing.admitted or standing.remaining == 0:
                closed = max(standing.retry_after, standing.limit.spacing)
                _remember(self._open_at, address, asyncio.get_running_loop().time() + closed)
                log.warning("credentials_tried_out", address=address, seconds=round(closed, 1))


def _remember(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
