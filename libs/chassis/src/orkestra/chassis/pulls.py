"""Messages of a durable consumer as they arrive, by pull requests that overlap."""

import asyncio
import json
from contextlib import suppress
from types import TracebackType
from typing import Self

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from orkestra.chassis.streams import EVENTS, Nats

IN_FLIGHT = 400
EXPIRES_SECONDS = 5.0
SILENCE_SECONDS = EXPIRES_SECONDS + 2
LAST_SECONDS = 2.0


class Interrupted(OSError):  # noqa: N818 - a state, not a fault
    """The connection or the consumer went away; says which."""


class Pull:
    """An open pull on a consumer: `take` what has arrived; on exit what nobody took is handed back."""

    def __init__(self, nats: Nats, consumer: str) -> None:
        self._nats = nats
        self._consumer = consumer
        self._inbox = nats.client.new_inbox()
        self._arrived: asyncio.Queue[Msg | None] = asyncio.Queue()
        self._wanted = 0
        self._fault: str | None = None
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> Self:
        self._subscription = await self._nats.client.subscribe(self._inbox, cb=self._arrive)
        self._nats.on_loss.add(self._lose)
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._nats.on_loss.discard(self._lose)
        if not self._nats.client.is_connected or self._subscription is None:
            return
        with suppress(TimeoutError, nats.errors.Error):
            async with asyncio.timeout(LAST_SECONDS):
                await self._subscription.drain()  # type: ignore[no-untyped-call]  # what was sent by then arrives first
        while not self._arrived.empty():
            message = self._arrived.get_nowait()
            if message is not None:
                await message.nak()

    def nudge(self) -> None:
        """Let `take` return now."""
        self._arrived.put_nowait(None)

    async def take(self) -> list[Msg]:
        """Return what has arrived, waiting for the first; nothing after a nudge or silence. Raises Interrupted."""
        await self._ask()
        messages: list[Msg] = []
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                first = await self._arrived.get()
        except TimeoutError:  # not even the pull's end was told: the consumer may be gone
            self._wanted = 0
            await self._nats.jetstream.consumer_info(EVENTS, self._consumer)
            return messages
        if first is not None:
            messages.append(first)
        while not self._arrived.empty():
            message = self._arrived.get_nowait()
            if message is not None:
                messages.append(message)
        if self._fault is not None and not messages:
            raise Interrupted(self._fault)
        return messages

    async def _ask(self) -> None:
        """Keep the server allowed to send: ask again when half of what was asked for has come."""
        if self._wanted > IN_FLIGHT // 2:
            return
        batch = IN_FLIGHT - self._wanted
        self._wanted = IN_FLIGHT
        request = {"batch": batch, "expires": int(EXPIRES_SECONDS * 1e9)}
        await self._nats.client.publish(
            f"$JS.API.CONSUMER.MSG.NEXT.{EVENTS}.{self._consumer}", json.dumps(request).encode(), reply=self._inbox
        )

    async def _arrive(self, message: Msg) -> None:
        headers = message.headers or {}
        status = headers.get("Status")
        if status is None:
            self._wanted -= 1
            self._arrived.put_nowait(message)
            return
        if status in ("404", "408"):
            self._wanted = max(0, self._wanted - int(headers.get("Nats-Pending-Messages", "0")))
            self._arrived.put_nowait(None)
        elif status != "100":
            self._lose(f"{status} {headers.get('Description', '')}".strip())

    def _lose(self, fault: str = "the connection was lost") -> None:
        self._fault = fault
        self._arrived.put_nowait(None)
