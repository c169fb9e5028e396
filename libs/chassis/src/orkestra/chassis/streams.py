"""The connection to NATS and the two streams of the installation."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Self

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import BadRequestError
from orkestra.chassis.access import NatsAccess
from orkestra.chassis.certificates import Certificates
from orkestra.chassis.logs import get_logger
from orkestra.chassis.settings import secret
from orkestra.wire import Unavailable
from pydantic import SecretStr

EVENTS = "ORKESTRA_EVENTS"
EVENT_SUBJECTS = "orkestra.v1.>"
DEAD = "ORKESTRA_DEAD"
DEAD_SUBJECTS = "orkestra_dead.>"
KEPT = timedelta(days=7)
DEAD_KEPT = timedelta(days=30)
DUPLICATE_WINDOW = timedelta(minutes=2)
MAX_MESSAGE_BYTES = 256 * 1024
REQUEST_SECONDS = 2.0
_RETRY_SECONDS = 1.0

logger = get_logger(__name__)


class _Client(Client):
    """Shows, and checks against, the newest certificates whenever it connects."""

    def __init__(self, access: NatsAccess) -> None:
        super().__init__()
        self._certificates = Certificates(access.tls) if access.tls else None

    @property
    def ssl_context(self) -> ssl.SSLContext:
        """What the next connection is secured with."""
        return super().ssl_context if self._certificates is None else self._certificates.context()


class Nats:
    """A connection that is made, and made again, in the background for ever."""

    def __init__(self, client: Client, *, replicas: int) -> None:
        self.client = client
        self.jetstream: JetStreamContext = client.jetstream(timeout=REQUEST_SECONDS)
        self.connections = 0
        self.on_loss: set[Callable[[], None]] = set()
        self._replicas = replicas
        self._connected = asyncio.Event()
        self._connecting: asyncio.Task[None] | None = None

    @classmethod
    def opening(cls, url: str, *, name: str, replicas: int, access: NatsAccess) -> Self:
        """Return the connection while it is being made."""
        opened = cls(_Client(access), replicas=replicas)
        opened._connecting = asyncio.create_task(opened._connect(url, name, access))
        return opened

    @property
    def is_connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._connected.is_set()

    async def connected(self) -> None:
        """Return when there is a connection."""
        await self._connected.wait()

    async def reached(self) -> None:
        """Return when the server has taken in all that was sent before, and all that a new connection sends again.

        Nobody listens to what is asked here, which the server says at once and in turn. nats-py's own `flush` would not
        do: its ping overtakes what is still to be written, and the answer to one that was given up ends its reading.
        """
        while True:
            await self.connected()
            with suppress(TimeoutError):
                try:
                    await self.client.request(self.client.new_inbox(), timeout=REQUEST_SECONDS)
                except nats.errors.NoRespondersError:
                    if self.is_connected:
                        return

    async def check(self) -> None:
        """Raise Unavailable where NATS does not answer."""
        if not self.client.is_connected:
            raise Unavailable("NATS_UNAVAILABLE", "NATS cannot be reached.")
        await self.jetstream.account_info()

    async def ensure_streams(self) -> StreamInfo:
        """Create the streams where they are absent; return what the event stream is."""
        await self._ensure(
            StreamConfig(name=DEAD, subjects=[DEAD_SUBJECTS], max_age=DEAD_KEPT.total_seconds(), **self._common())
        )
        return await self._ensure(
            StreamConfig(name=EVENTS, subjects=[EVENT_SUBJECTS], max_age=KEPT.total_seconds(), **self._common())
        )

    async def close(self) -> None:
        """End the connection; what was published before is flushed, for at most 2 seconds."""
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.wait((self._connecting,))
        if self.client.is_connected:
            try:
                await asyncio.wait_for(self.client.flush(timeout=2), timeout=2)
            except (TimeoutError, nats.errors.Error):
                logger.warning("nats was not flushed")
        if not self.client.is_closed:
            with suppress(AssertionError):  # nats-py's, where no connection was begun yet
                await self.client.close()

    def _common(self) -> dict[str, Any]:
        return {
            "retention": RetentionPolicy.LIMITS,
            "storage": StorageType.FILE,
            "num_replicas": self._replicas,
            "duplicate_window": DUPLICATE_WINDOW.total_seconds(),
            "max_msg_size": MAX_MESSAGE_BYTES,
            "allow_direct": True,
        }

    async def _ensure(self, config: StreamConfig) -> StreamInfo:
        try:
            return await self.jetstream.add_stream(config)
        except BadRequestError as other:  # an operator set other limits: theirs hold
            info = await self.jetstream.stream_info(str(config.name))
            logger.debug("stream has a configuration of its own", stream=config.name, detail=other.description)
            return info

    async def _connect(self, url: str, name: str, access: NatsAccess) -> None:
        while True:
            try:
                await self.client.connect(
                    url,
                    name=name,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=1,
                    connect_timeout=2,
                    ping_interval=5,
                    max_outstanding_pings=2,
                    drain_timeout=5,
                    allow_reconnect=True,
                    disconnected_cb=self._lost,
                    reconnected_cb=self._made,
                    error_cb=self._failed,
                    **access.options(),
                )
            except (OSError, TimeoutError, nats.errors.Error) as away:
                logger.warning("nats cannot be reached", error=str(away))
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                break
        await self._made()

    async def _made(self) -> None:
        self.connections += 1
        self._connected.set()
        logger.info("nats is connected", connections=self.connections)

    async def _lost(self) -> None:
        self._connected.clear()
        for told in tuple(self.on_loss):
            told()

    async def _failed(self, error: Exception) -> None:
        logger.debug("nats reports", error=str(error) or type(error).__name__)


async def connect(url: str | SecretStr, *, name: str, replicas: int = 1, access: NatsAccess | None = None) -> Nats:
    """Return a connection to NATS at once; it is made in the background and made again whenever it is lost."""
    return Nats.opening(secret(url), name=name, replicas=replicas, access=access or NatsAccess())
