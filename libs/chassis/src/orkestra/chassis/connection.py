"""A connection that sends statements ahead of the next one, so that what answers nothing of use costs no trip."""

import asyncio
from typing import Any, cast

import asyncpg
from orkestra.chassis.logs import get_logger

logger = get_logger(__name__)
_HEADER = 5
"""Bytes of a message before its content: its type, and its length without the type."""
_READY, _ERROR = b"Z", b"E"
_UNASKED = b"ANS"
"""Notifications, notices and changed settings, which the server sends when it likes."""


class AheadConnection(asyncpg.Connection):
    """asyncpg's connection with `send_ahead`.

    asyncpg waits for the answer of each statement before it sends the next. Of BEGIN, and of the COMMIT of what only
    read, nobody needs the answer; PostgreSQL takes the next statement meanwhile.
    """

    __slots__ = ("_ahead",)

    def __init__(self, protocol: Any, transport: asyncio.Transport, *given: Any) -> None:
        super().__init__(protocol, transport, *given)
        self._ahead = Ahead(protocol, transport)
        transport.set_protocol(self._ahead)

    def send_ahead(self, statements: str) -> None:
        """Send statements without parameters while no other is under way; their answers are left out.

        A server that refuses one of them is not asked again: the connection is cut, and whoever uses it is told.
        """
        self._ahead.send(statements)


class Ahead(asyncio.Protocol):
    """Stands between transport and driver, and takes out the answers to what was sent ahead."""

    def __init__(self, driver: asyncio.BaseProtocol, transport: asyncio.Transport) -> None:
        self._driver = cast(asyncio.Protocol, driver)
        self._transport = transport
        self._awaited = 0
        self._begun = b""

    def send(self, statements: str) -> None:
        """Send one simple query."""
        content = statements.encode() + b"\0"
        self._awaited += 1
        self._transport.write(b"Q" + (len(content) + 4).to_bytes(4, "big") + content)

    def data_received(self, data: bytes) -> None:
        """Hand on what belongs to the driver."""
        if self._awaited:
            data = self._without_answers(self._begun + data)
        if data:
            self._driver.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the driver."""
        self._driver.connection_lost(exc)

    def eof_received(self) -> bool | None:
        """Tell the driver."""
        return self._driver.eof_received()

    def pause_writing(self) -> None:
        """Tell the driver."""
        self._driver.pause_writing()

    def resume_writing(self) -> None:
        """Tell the driver."""
        self._driver.resume_writing()

    def _without_answers(self, data: bytes) -> bytes:
        """Return what is left of the messages; one that has not come whole is kept until the rest is there."""
        kept: list[bytes] = []
        at = 0
        while self._awaited and len(data) >= at + _HEADER:
            end = at + 1 + int.from_bytes(data[at + 1 : at + _HEADER], "big")
            if end > len(data):
                break
            kind = data[at : at + 1]
            if kind == _ERROR:
                logger.error("statement_refused", said=_said(data[at + _HEADER : end]))
                self._transport.abort()  # the next statement may be on its way already, and must not stand alone
                return b""
            if kind == _READY:
                self._awaited -= 1
            elif kind in _UNASKED:
                kept.append(data[at:end])
            at = end
        rest = data[at:]
        self._begun, rest = (rest, b"") if self._awaited else (b"", rest)
        return b"".join((*kept, rest))


def _said(error: bytes) -> str:
    """Return code and message of what the server refused."""
    fields = {part[:1]: part[1:].decode(errors="replace") for part in error.split(b"\0") if part}
    return f"{fields.get(b'C', '')}: {fields.get(b'M', '')}"
