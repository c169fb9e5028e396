"""Connections to addresses that tenants choose: nowhere but to the public Internet, whatever a name resolves to."""

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable, Iterable
from urllib.parse import urlsplit

import httpcore
from orkestra.notification_service.rules import is_refused
from orkestra.wire import FieldError, InvalidArgument

LOOK_UP_SECONDS = 3.0
ANSWER_BYTES = 16_384
LONGEST_URL = 2000


LookUp = Callable[[str, int], Awaitable[list[str]]]


async def system_look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host as this machine knows them; OSError where it has none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class RefusedTarget(Exception):  # noqa: N818 - what it is, not that it went wrong
    """A name led to an address that nothing may be sent to."""


class Guard:
    """Looks names up and refuses private, loopback, link-local and other addresses that are not public."""

    def __init__(self, *, development: bool, look_up: LookUp | None = None) -> None:
        self._development = development
        self._look_up = look_up or system_look_up

    async def check(self, url: str) -> None:
        """Refuse, in words for whoever registers it, an address that nothing may be sent to."""
        host, port = check_url(url, path="url", development=self._development)
        try:
            await self.addresses(host, port)
        except (OSError, UnicodeError):
            raise refused_url("url", f"The name {host!r:.100} cannot be looked up.") from None
        except RefusedTarget:
            message = "The name leads to a private, loopback, link-local or reserved address."
            raise refused_url("url", message) from None

    async def addresses(self, host: str, port: int) -> list[str]:
        """Return the IP addresses of a host; raises RefusedTarget where one of them is not public."""
        async with asyncio.timeout(LOOK_UP_SECONDS):
            addresses = await self._look_up(host, port)
        if any(is_refused(address, development=self._development) for address in addresses):
            raise RefusedTarget(f"{host} leads to an address that nothing may be sent to.")
        return addresses

    def is_acceptable(self, url: str) -> bool:
        """Return whether an address may be sent to as it is spelled."""
        try:
            check_url(url, path="url", development=self._development)
        except InvalidArgument:
            return False
        return True


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that the guard has seen, so that no second look-up can lead elsewhere."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as httpcore calls it
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers."""
        try:
            addresses = await self._guard.addresses(host, port)
        except (OSError, UnicodeError) as unknown:
            raise httpcore.ConnectError(f"{host} cannot be looked up") from unknown
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as refused:
                failed = refused
        raise failed

    async def sleep(self, seconds: float) -> None:
        """Wait as the pool asks."""
        await asyncio.sleep(seconds)


def check_url(url: str, *, path: str, development: bool) -> tuple[str, int]:
    """Return host and port of an address that may be sent to as it is spelled; refuses every other."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if len(url) > LONGEST_URL or not url.isascii() or re.search(r"[\s\x00-\x1f\x7f\\]", url) or not host:
        raise refused_url(path, "This is not the address of a receiver, such as https://example.com/hooks.")
    if parts.scheme != "https" and not (development and parts.scheme == "http"):
        raise refused_url(path, "A receiver's address begins with https://.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise refused_url(path, "A receiver's address has no user, no password and no fragment.")
    return host, port or (443 if parts.scheme == "https" else 80)


def refused_url(path: str, message: str) -> InvalidArgument:
    """Return the refusal of an address."""
    return InvalidArgument("WEBHOOK_URL_REFUSED", message, errors=[FieldError(path, "refused", message)])
