"""Events taken out of the streams: those that are old, and those that tell who a person is."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from urllib.parse import unquote

from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from orkestra.chassis.streams import DEAD, EVENTS

ERASED = b"@erased.invalid"
"""What the address of an erased person ends with."""


def subjects_of(tenant_id: str, events: str = ">") -> tuple[tuple[str, str], ...]:
    """Return the streams with the subjects of a tenant's events, all or those named."""
    return (EVENTS, f"orkestra.v1.{tenant_id}.{events}"), (DEAD, f"orkestra_dead.*.orkestra.v1.{tenant_id}.{events}")


async def purge_before(jetstream: JetStreamContext, stream: str, subject: str, before: datetime) -> int:
    """Delete what a stream was told of a subject before a time; return how many messages."""
    try:
        state = (await jetstream.stream_info(stream)).state
    except NotFoundError:
        return 0
    low, high = state.first_seq, state.last_seq + 1
    while low < high:  # the first message that is young enough
        middle = (low + high) // 2
        found = await _at(jetstream, stream, subject, middle)
        if found is None or _told_at(found) >= before:
            high = middle
        else:
            low = int(found.seq or middle) + 1
    kept = state.messages
    await jetstream.purge_stream(stream, seq=low, subject=subject)
    return max(0, kept - (await jetstream.stream_info(stream)).state.messages)


async def erase_told(jetstream: JetStreamContext, tenant_id: str, user_id: str) -> int:
    """Delete what was told of a person before their erasure, and why they cancelled tasks; return how many messages."""
    gone = 0
    for events in ("identity.*", "task.cancelled"):
        for stream, subject in subjects_of(tenant_id, events):
            async for message in _all(jetstream, stream, subject):
                if _tells_of(message, user_id):
                    await jetstream.delete_msg(stream, int(message.seq or 0))
                    gone += 1
    return gone


def _tells_of(message: RawStreamMsg, user_id: str) -> bool:
    data = message.data or b""
    if (message.headers or {}).get("ce-type", "").endswith("task.cancelled"):
        return f'"actor":"{user_id}"'.encode() in data
    about = unquote((message.headers or {}).get("ce-subject", ""))
    return about == user_id and ERASED not in data


async def _all(jetstream: JetStreamContext, stream: str, subject: str) -> AsyncIterator[RawStreamMsg]:
    place = 1
    while (message := await _at(jetstream, stream, subject, place)) is not None:
        yield message
        place = int(message.seq or place) + 1


async def _at(jetstream: JetStreamContext, stream: str, subject: str, place: int) -> RawStreamMsg | None:
    """Return the first message of a subject from a place on, None where there is none."""
    try:
        return await jetstream.get_msg(stream, seq=place, subject=subject, next=True)
    except NotFoundError:
        return None


def _told_at(message: RawStreamMsg) -> datetime:
    told: object = message.time
    if isinstance(told, datetime):
        return told if told.tzinfo else told.replace(tzinfo=UTC)
    return datetime.fromisoformat(str(told)[:19]).replace(tzinfo=UTC)
