"""A channel that outlives the certificates it was opened with."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import grpc

RETIRED_SECONDS = 120.0
"""How long calls may set out on, and then stay on, a channel that was followed by another: longer than deadlines."""


class RenewedChannel(grpc.aio.Channel):
    """Opened again whenever there are new credentials; calls under way end on the connection that they began on."""

    def __init__(
        self,
        opened: Callable[[grpc.ChannelCredentials], grpc.aio.Channel],
        newest: Callable[[], grpc.ChannelCredentials],
    ) -> None:
        self._opened = opened
        self._newest = newest
        self._known = newest()
        self._channel = opened(self._known)
        self._retired: dict[asyncio.Task[None], grpc.aio.Channel] = {}

    def _current(self) -> grpc.aio.Channel:
        newest = self._newest()
        if newest is not self._known:
            before, self._known = self._channel, newest
            self._channel = self._opened(newest)
            retiring = asyncio.get_running_loop().create_task(_retire(before))
            self._retired[retiring] = before
            retiring.add_done_callback(self._retired.pop)
        return self._channel

    async def close(self, grace: float | None = None) -> None:
        """Close it, and what it was before."""
        retired = dict(self._retired)
        for retiring in retired:
            retiring.cancel()
        await asyncio.gather(*(one.close(grace) for one in (self._channel, *retired.values())))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self.close()

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Return the state of the newest connection."""
        return self._current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Return when the newest connection is in another state."""
        await self._current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Return when there is a connection."""
        await self._current().channel_ready()

    def unary_unary(self, *args: Any, **options: Any) -> Any:
        """Return a call of this kind on the newest connection."""
        return self._current().unary_unary(*args, **options)

    def unary_stream(self, *args: Any, **options: Any) -> Any:
        """Return a call of this kind on the newest connection."""
        return self._current().unary_stream(*args, **options)

    def stream_unary(self, *args: Any, **options: Any) -> Any:
        """Return a call of this kind on the newest connection."""
        return self._current().stream_unary(*args, **options)

    def stream_stream(self, *args: Any, **options: Any) -> Any:
        """Return a call of this kind on the newest connection."""
        return self._current().stream_stream(*args, **options)


async def _retire(channel: grpc.aio.Channel) -> None:
    await asyncio.sleep(RETIRED_SECONDS)
    await channel.close(RETIRED_SECONDS)
