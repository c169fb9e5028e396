"""Connections to addresses that somebody outside has named: nowhere but where it is allowed, whatever a name says."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import httpcore

LOOK_UP_SECONDS = 3.0
_REFUSED: Final = tuple(
    ipaddress.ip_network(one)
    for one in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/3", "::/8", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23"),
        *("2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/9", "ff00::/8"),
    )
)
"""What is not public: private, shared, loopback, link-local, reserved, and IPv4 behind IPv6."""

LookUp = Callable[[str, int], Awaitable[list[str]]]


class RefusedTarget(Exception):  # noqa: N818 - what it is, not that it went wrong
    """A name led to an address that nothing may be sent to."""


def is_refused(address: str, *, development: bool) -> bool:
    """Return whether nothing may be sent to an IP address; development allows loopback, and that alone."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        return is_refused(str(ip.ipv4_mapped), development=development)
    if development and ip.is_loopback:
        return False
    return any(ip in network for network in _REFUSED) or not ip.is_global


async def system_look_up(host: str, port: int) -> list[str]:
    """Return the addresses of a host as this machine knows them; OSError where it has none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


async def public_addresses(look_up: LookUp, host: str, port: int, *, development: bool) -> list[str]:
    """Return the IP addresses of a host; raises RefusedTarget where one of them is not public."""
    async with asyncio.timeout(LOOK_UP_SECONDS):
        addresses = await look_up(host, port)
    if any(is_refused(address, development=development) for address in addresses):
        raise RefusedTarget(f"{host} leads to an address that nothing may be sent to.")
    return addresses


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to the addresses that a guard has seen, so that no second look-up can lead elsewhere."""

    def __init__(self, addresses: LookUp) -> None:
        self._addresses = addresses
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
            addresses = await self._addresses(host, port)
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
