"""One HTTP POST to an address that a tenant chose: guarded, bounded, never redirected."""

import asyncio
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpcore
from orkestra.chassis.outbound import GuardedNetwork, RefusedTarget
from orkestra.notification_service.channels.guard import ANSWER_BYTES, Guard
from orkestra.notification_service.rules import Outcome

MOST_CONNECTIONS = 200


class Poster:
    """Sends bodies and tells how it went; no answer is read beyond 16 KiB."""

    def __init__(self, guard: Guard, *, seconds: float) -> None:
        self._guard = guard
        self._seconds = seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=50,
            keepalive_expiry=10,
            network_backend=GuardedNetwork(guard.addresses),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def post(self, url: str, *, headers: Mapping[str, str], body: bytes) -> tuple[Outcome, bytes]:
        """Return how it went and the beginning of the answer; a redirect is a refusal."""
        if not self._guard.is_acceptable(url):
            return Outcome(delivered=False, error="refused: this address is not sent to"), b""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._post(url, headers, body)
        except RefusedTarget:
            return Outcome(delivered=False, error="refused: the name leads to an address that is not public"), b""
        except (TimeoutError, httpcore.TimeoutException):
            return Outcome(delivered=False, error=f"timeout: no answer within {self._seconds:g} seconds"), b""
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as failed:
            return Outcome(delivered=False, error=f"unreachable: {type(failed).__name__}: {failed}"[:300]), b""

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes) -> tuple[Outcome, bytes]:
        given = list({"user-agent": "Orkestra", "content-type": "application/json", **headers}.items())
        async with self._pool.stream("POST", url, headers=given, content=body) as answer:
            said = b""
            async for part in answer.aiter_stream():
                said += part
                if len(said) > ANSWER_BYTES:
                    break
        return _outcome(answer), said[:ANSWER_BYTES]


def _outcome(answer: httpcore.Response) -> Outcome:
    status = answer.status
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(delivered=True, response_status=status)
    asked = {name.lower(): value for name, value in answer.headers}.get(b"retry-after")
    error = "redirect: not followed" if status < HTTPStatus.BAD_REQUEST else f"answered {status}"
    return Outcome(
        delivered=False,
        response_status=status,
        error=error,
        is_gone=status == HTTPStatus.GONE,
        asked_pause=None if asked is None else _pause(asked.decode("latin-1").strip()),
    )


def _pause(text: str) -> timedelta | None:
    """Read Retry-After (RFC 9110): seconds or a date."""
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 86_400))  # a receiver may send any number of digits
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(at - datetime.now(UTC), timedelta()) if at.tzinfo else None
