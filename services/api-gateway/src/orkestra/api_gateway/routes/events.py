"""`GET /v1/events`: what happens that the caller may see, as server-sent events that can be resumed."""

import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from nats.aio.msg import Msg
from orkestra.api_gateway.routes.problems import limits_of
from orkestra.api_gateway.routes.serving import Caller, Door
from orkestra.api_gateway.routes.stream import Place, Reader
from orkestra.chassis.credentials import principal_of
from orkestra.chassis.drain import Drain
from orkestra.chassis.events import Poison, read_event
from orkestra.chassis.logs import get_logger
from orkestra.chassis.metrics import held
from orkestra.rules import audiences_of
from orkestra.v1.identity import AccessToken
from orkestra.wire import Error, PermissionDenied, ResourceExhausted, dumps, loads

PATH = "/v1/events"
CHECK_SECONDS = 1.0
"""How often the caller of an open stream is checked again, and how long one look into the stream takes."""
BEAT_SECONDS = 10.0
RETRY_MILLISECONDS = 1000
MOST_STREAMS = 20
"""Streams that one key or person may have open at one replica."""

log = get_logger(__name__)


def serve_events(door: Door) -> Callable[[Request], Awaitable[Response]]:
    """Returns the function that answers `GET /v1/events`."""
    opened: Counter[str] = Counter()

    async def events(request: Request) -> Response:
        caller = Caller(door, request)
        access = await caller.admit()
        if access.tenant_id is None:
            raise PermissionDenied("TENANT_REQUIRED", "This credential belongs to no tenant, and events to one.")
        if opened[access.subject] >= MOST_STREAMS:
            raise ResourceExhausted(
                "STREAMS_TOO_MANY", f"At most {MOST_STREAMS} streams are open for one caller; close one.", retry_after=5
            )
        reader = await door.events.read(access.tenant_id, request.headers.get("last-event-id"))
        stream = _Stream(reader, caller, access, door.drain)
        headers = limits_of(request) | {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream.counted(opened), headers=headers, media_type="text/event-stream")

    return events


@dataclass
class _Stream:
    """One open stream: each event once, in the order of the installation's stream."""

    reader: Reader
    caller: Caller
    access: AccessToken
    drain: Drain

    async def counted(self, opened: "Counter[str]") -> AsyncIterator[str]:
        """Yields the stream's text, and is one of the caller's open streams meanwhile."""
        opened[self.access.subject] += 1
        try:
            with held():
                async for text in self._texts():
                    yield text
        finally:
            opened[self.access.subject] -= 1
            self.reader.close()

    async def _texts(self) -> AsyncIterator[str]:
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        if self.reader.was_reset:
            yield _text(self.reader.place, {"type": "reset"}, name="reset")
        beaten = time.monotonic()
        while not self.drain.draining:
            messages = await self.reader.take(CHECK_SECONDS, self.drain)
            if messages is None or not await self._may_go_on():
                return  # the caller comes back, and hears why it may not, or goes on where it was
            audiences = set(audiences_of(principal_of(self.access)))
            shown = [text for text in (self._shown(message, audiences) for message in messages) if text]
            if shown or time.monotonic() - beaten >= BEAT_SECONDS:
                beaten = time.monotonic()
                yield "".join(shown) or f"id: {self.reader.place}\n\n"

    async def _may_go_on(self) -> bool:
        try:
            self.access = await self.caller.check()
        except Error:
            return False
        return True

    def _shown(self, message: Msg, audiences: set[str]) -> str | None:
        """Returns the event as this caller sees it; None where it is not for the caller."""
        place = self.reader.at(message)
        try:
            event = read_event(message.headers or {}, message.data)
            data = loads(message.data)
        except (Poison, Error) as unreadable:
            log.warning("an event cannot be shown", reason=str(unreadable))
            return None
        if not isinstance(data, dict) or audiences.isdisjoint(data.pop("audience", None) or ()):
            return None
        told: dict[str, Any] = {"id": event.id, "type": f"{event.aggregate}.{event.event}", "subject": event.key}
        told |= {"version": event.version, "time": event.time.isoformat(), "data": data}
        return _text(place, told)


def _text(place: Place, told: dict[str, Any], *, name: str | None = None) -> str:
    """Returns one server-sent event (HTML Living Standard, 9.2)."""
    named = "" if name is None else f"event: {name}\n"
    return f"id: {place}\n{named}data: {dumps(told)}\n\n"
