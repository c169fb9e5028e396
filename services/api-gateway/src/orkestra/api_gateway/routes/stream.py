"""A tenant's part of the event stream, read from a place on."""

import asyncio
import re
from dataclasses import dataclass
from typing import Self

import nats.errors
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamInfo
from orkestra.chassis.drain import Drain
from orkestra.chassis.logs import get_logger
from orkestra.chassis.streams import EVENTS, Nats
from orkestra.wire import Unavailable

BATCH = 100
FORGOTTEN_SECONDS = 30.0
"""How long NATS keeps a reader that no longer asks."""

log = get_logger(__name__)
_AWAY = (OSError, TimeoutError, nats.errors.Error)


@dataclass(frozen=True)
class Place:
    """After which message of which incarnation of the stream; a stream that was made anew counts from one again."""

    incarnation: str
    sequence: int

    @classmethod
    def of(cls, info: StreamInfo) -> Self:
        """Returns the stream's end."""
        return cls(_incarnation(info), info.state.last_seq)

    @classmethod
    def named(cls, text: str | None, info: StreamInfo) -> Self | None:
        """Returns the place that `str` made `text` of; None where the stream does not have it, or no longer."""
        found = re.fullmatch(r"([0-9a-f]{1,20})-([0-9]{1,18})", text or "")
        if found is None or found[1] != _incarnation(info):
            return None
        sequence = int(found[2])
        return cls(found[1], sequence) if info.state.first_seq - 1 <= sequence <= info.state.last_seq else None

    def __str__(self) -> str:
        return f"{self.incarnation}-{self.sequence}"


class EventStream:
    """Opens readers of the installation's event stream."""

    def __init__(self, connection: Nats) -> None:
        self._nats = connection

    async def read(self, tenant_id: str, last: str | None) -> "Reader":
        """Returns a reader of what follows the place `last`, or the end; Unavailable while NATS is away."""
        if not self._nats.client.is_connected:
            raise _unavailable()
        try:
            info = await self._nats.ensure_streams()
            place = Place.named(last, info)
            start = place or Place.of(info)
            subject, config = f"orkestra.v1.{tenant_id}.>", _after(start)
            pull = await self._nats.jetstream.pull_subscribe(subject, stream=EVENTS, config=config)
        except _AWAY as away:
            raise _unavailable() from away
        return Reader(self._nats, pull, start, was_reset=last is not None and place is None)


class Reader:
    """Reads on from a place; `place` moves along."""

    def __init__(
        self, connection: Nats, pull: JetStreamContext.PullSubscription, place: Place, *, was_reset: bool
    ) -> None:
        self.place = place
        self.was_reset = was_reset
        """Whether the place that was asked for is older than what is kept, or of another stream."""
        self._nats = connection
        self._pull = pull
        self._closing: asyncio.Task[None] | None = None

    async def take(self, seconds: float, drain: Drain) -> list[Msg] | None:
        """Returns what has come, waiting `seconds` for the first; None where it cannot go on, or the process ends."""
        fetching = asyncio.ensure_future(self._pull.fetch(BATCH, timeout=seconds))
        ending = asyncio.ensure_future(drain.wait())
        try:
            await asyncio.wait([fetching, ending], return_when=asyncio.FIRST_COMPLETED)
            return fetching.result() if fetching.done() else None
        except TimeoutError:
            return []
        except _AWAY as away:
            log.info("a reader of events was interrupted", error=repr(away))
            return None
        finally:
            fetching.cancel()
            ending.cancel()

    def at(self, message: Msg) -> Place:
        """Returns where `message` is, which is then this reader's place."""
        self.place = Place(self.place.incarnation, message.metadata.sequence.stream)
        return self.place

    def close(self) -> None:
        """Stops reading; NATS forgets the reader by itself where it cannot be told."""
        self._closing = asyncio.ensure_future(self._forget())

    async def _forget(self) -> None:
        if not self._nats.client.is_connected:
            return
        try:
            found = await self._pull.consumer_info()
            await self._pull.unsubscribe()
            await self._nats.jetstream.delete_consumer(EVENTS, found.name)
        except _AWAY:
            return


def _after(place: Place) -> ConsumerConfig:
    return ConsumerConfig(
        deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
        opt_start_seq=place.sequence + 1,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=FORGOTTEN_SECONDS,
        mem_storage=True,
        num_replicas=1,
    )


def _incarnation(info: StreamInfo) -> str:
    return "0" if info.created is None else f"{int(info.created.timestamp() * 1_000_000):x}"


def _unavailable() -> Unavailable:
    return Unavailable("EVENTS_UNAVAILABLE", "Events cannot be read right now; try again.", retry_after=2.0)
