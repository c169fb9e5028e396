"""What happens, as the REST door tells it: server-sent events that are read on after each break."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orkestra.wire import Error, Internal, InvalidArgument, loads

if TYPE_CHECKING:
    from orkestra.sdk.rest import Rest

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class Happened:
    """An event that the caller may see.

    `type` is such as task.completed, `subject` the resource's id, `data` the resource without its large and private
    fields. `place` is where to go on reading later. The type `reset` says that the place asked for is no longer known,
    so that something may have been missed: read lists anew.
    """

    place: str
    type: str
    id: str = ""
    subject: str = ""
    version: int = 0
    time: datetime | None = None
    data: dict[str, Any] | None = None


async def follow(rest: "Rest", after: str | None, patience: float) -> AsyncGenerator[Happened, None]:
    """Yield what happens, each event once; raises where the door refuses, or is away for longer than `patience`."""
    place, known = after, deque[str](maxlen=REMEMBERED)
    pause, away_since = FIRST_PAUSE, None
    while True:
        try:
            async for now, told in messages(rest.lines("/v1/events", place)):
                place, pause, away_since = now, FIRST_PAUSE, None
                if told is not None and (not told.id or told.id not in known):
                    known.append(told.id)
                    yield told
        except Error as refused:
            away_since = away_since or time.monotonic()
            pause = max(pause, refused.retry_after or 0.0)
            is_final = isinstance(refused, Internal) or not refused.retryable
            if is_final or time.monotonic() + pause - away_since > patience:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)


async def messages(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, Happened | None]]:
    """Yield each message's place, and its event where it has one (HTML Living Standard, 9.2.6)."""
    place, data = "", list[str]()
    async for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "id":
            place = value
        elif name == "data":
            data.append(value)
        elif not line and place:
            yield place, None if not data else _read(place, data)
            data = []


def _read(place: str, data: Iterable[str]) -> Happened:
    try:
        told = loads("\n".join(data))
        given = {name: value for name, value in told.items() if name in Happened.__slots__ and name != "time"}
        at = datetime.fromisoformat(told["time"]) if "time" in told else None
        return Happened(**{**given, "place": place, "time": at})
    except (InvalidArgument, AttributeError, TypeError, ValueError) as error:
        raise Internal("ANSWER_UNREADABLE", "The stream holds no events: is this address a REST door?") from error
