"""Connections to addresses that tenants choose: nowhere but to the public Internet, whatever a name resolves to."""

import re
from urllib.parse import urlsplit

from orkestra.chassis.outbound import LookUp, RefusedTarget, public_addresses, system_look_up
from orkestra.wire import FieldError, InvalidArgument

ANSWER_BYTES = 16_384
LONGEST_URL = 2000


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
        return await public_addresses(self._look_up, host, port, development=self._development)

    def is_acceptable(self, url: str) -> bool:
        """Return whether an address may be sent to as it is spelled."""
        try:
            check_url(url, path="url", development=self._development)
        except InvalidArgument:
            return False
        return True


def check_url(url: str, *, path: str, development: bool) -> tuple[str, int]:
    """Return host and port of an address that may be sent to as it is spelled; refuses every other."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
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
