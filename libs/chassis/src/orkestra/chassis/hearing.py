"""Subjects of NATS that are heard while somebody in this process listens, and cost nothing while nobody does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from orkestra.chassis.streams import Nats

LINGER_SECONDS = 10.0
"""How long a subject is heard after its last listener went: people go from page to page."""
BEGIN_SECONDS = 2.0
"""Longest time that a listener waits until NATS knows of it."""


@dataclass(eq=False, slots=True)
class _Subject:
    name: str
    listeners: int = 0
    until: float = 0.0
    """When it is heard no longer, where nobody listens; of the loop's clock."""
    subscription: Subscription | None = None
    is_heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Whether NATS knows of the subscription."""
    has_missed: bool = False
    """Whether something may have been missed since it was heard last, or since its first listener began."""


class Hearing:
    """Tells `hear` each message of the subjects that are listened to, once for this process.

    Nothing is kept for later. `missed` is told the names of the subjects that are heard again after a loss of the
    connection, or later than their first listener began: something may have been missed before.
    """

    def __init__(
        self, nats: Nats, hear: Callable[[Msg], Awaitable[None]], missed: Callable[[frozenset[str]], None]
    ) -> None:
        self._nats = nats
        self._hear = hear
        self._missed = missed
        self._subjects: dict[str, _Subject] = {}
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Begin to hear what is listened to, and end what nobody listens to any more, until cancelled."""
        self._nats.on_loss.add(self._lose)
        try:
            while True:
                self._changed.clear()
                await self._begin()
                await self._end(self._left())
                await self._pause()
        finally:
            self._nats.on_loss.discard(self._lose)
            self._lose()
            await self._end(list(self._subjects.values()))

    @asynccontextmanager
    async def listening(self, *names: str) -> AsyncIterator[None]:
        """Have these subjects heard for the length of the block: what is published after it began is not missed.

        Where NATS is away, or silent for 2 seconds, the block begins nevertheless, and `missed` is told when they are
        heard.
        """
        subjects = [self._subjects.setdefault(name, _Subject(name)) for name in names]
        for subject in subjects:
            subject.listeners += 1
        try:
            await self._until_heard(subjects)
            yield
        finally:
            for subject in subjects:
                subject.listeners -= 1
                subject.until = asyncio.get_running_loop().time() + LINGER_SECONDS
            self._changed.set()

    async def _until_heard(self, subjects: Sequence[_Subject]) -> None:
        unheard = [subject for subject in subjects if not subject.is_heard.is_set()]
        if not unheard:
            return
        self._changed.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(BEGIN_SECONDS if self._nats.is_connected else 0):
                for subject in unheard:
                    await subject.is_heard.wait()
        for subject in unheard:
            subject.has_missed |= not subject.is_heard.is_set()

    async def _begin(self) -> None:
        if not self._unheard():
            return
        await self._nats.connected()
        unheard = self._unheard()
        for subject in unheard:
            if subject.subscription is None:
                subject.subscription = await self._nats.client.subscribe(subject.name, cb=self._hear)
        await self._nats.reached()
        missed = frozenset(subject.name for subject in unheard if subject.has_missed)
        for subject in unheard:
            subject.is_heard.set()
            subject.has_missed = False
        if missed:
            self._missed(missed)

    def _unheard(self) -> list[_Subject]:
        return [subject for subject in self._subjects.values() if not subject.is_heard.is_set()]

    def _left(self) -> list[_Subject]:
        """Take out the subjects that nobody has come back to."""
        now = asyncio.get_running_loop().time()
        left = [subject for subject in self._subjects.values() if not subject.listeners and subject.until <= now]
        for subject in left:
            del self._subjects[subject.name]
        return left

    async def _end(self, subjects: Sequence[_Subject]) -> None:
        for subject in subjects:
            subscription, subject.subscription = subject.subscription, None
            if subscription is not None and not self._nats.client.is_closed:
                await subscription.unsubscribe()

    async def _pause(self) -> None:
        """Return at a change, or when the next subject has been left for long enough."""
        ends = [subject.until for subject in self._subjects.values() if not subject.listeners]
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min(ends, default=None)):
                await self._changed.wait()

    def _lose(self) -> None:
        """Note that nothing is heard now; nats-py subscribes again by itself."""
        for subject in self._subjects.values():
            subject.is_heard.clear()
            subject.has_missed = True
        self._changed.set()
