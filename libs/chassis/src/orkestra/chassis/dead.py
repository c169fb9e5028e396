"""Dead letters: events that a consumer could not handle, listed and given to the consumers again."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from orkestra.chassis.streams import DEAD

OWN = ("orkestra-", "Nats-")
"""How the headers begin that burying an event has added."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One event that `consumer` gave up, with why; `place` names it."""

    place: int
    consumer: str
    reason: str
    died_at: datetime | None
    subject: str
    headers: dict[str, str]
    data: bytes

    @property
    def tenant_id(self) -> str | None:
        """The tenant whose event it is, where it says so."""
        return self.headers.get("ce-tenant")

    @property
    def event_id(self) -> str | None:
        return self.headers.get("ce-id")

    @property
    def event(self) -> str:
        """What happened, such as task.completed."""
        return ".".join(self.subject.split(".")[3:])

    @property
    def resource_id(self) -> str | None:
        subject = self.headers.get("ce-subject")
        return None if subject is None else unquote(subject)


async def dead_letters(
    jetstream: JetStreamContext, *, consumer: str | None = None, tenant_id: str | None = None
) -> AsyncIterator[DeadLetter]:
    """Return every dead letter, oldest first; none where there is no stream yet."""
    subject = f"orkestra_dead.{consumer or '*'}.orkestra.v1.{tenant_id or '*'}.>"
    place = 1
    while True:
        try:
            message = await jetstream.get_msg(DEAD, seq=place, subject=subject, next=True)
        except NotFoundError:
            return
        letter = _read(message)
        yield letter
        place = letter.place + 1


async def dead_letter(jetstream: JetStreamContext, place: int) -> DeadLetter | None:
    """Return one dead letter, None where it is there no more."""
    try:
        return _read(await jetstream.get_msg(DEAD, seq=place))
    except NotFoundError:
        return None


async def replay(jetstream: JetStreamContext, letter: DeadLetter) -> int:
    """Put the event on the stream again, take it off the dead letters, and return its new place.

    Every consumer sees it, with the id that it had: whoever has handled it passes over it. Cut off in between, the
    letter stays, and replaying it once more is safe too.
    """
    headers = {name: value for name, value in letter.headers.items() if not name.startswith(OWN)}
    headers["Nats-Msg-Id"] = f"replay-{letter.place}-{letter.event_id or ''}"
    published = await jetstream.publish(letter.subject, letter.data, headers=headers)
    await jetstream.delete_msg(DEAD, letter.place)
    return published.seq


def _read(message: RawStreamMsg) -> DeadLetter:
    headers = dict(message.headers or {})
    _, consumer, subject = str(message.subject).split(".", 2)
    return DeadLetter(
        place=int(message.seq or 0),
        consumer=headers.get("orkestra-consumer", consumer),
        reason=headers.get("orkestra-reason", ""),
        died_at=message.time if isinstance(message.time, datetime) else None,
        subject=headers.get("orkestra-subject", subject),
        headers=headers,
        data=message.data or b"",
    )
