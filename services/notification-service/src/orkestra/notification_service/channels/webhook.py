"""Webhooks of outside systems, signed as Standard Webhooks 1.0 says (standardwebhooks.com)."""

import base64
import hashlib
import hmac
import time
from collections.abc import Sequence

from orkestra.notification_service.channels.posting import Poster
from orkestra.notification_service.rules import Outcome, Parcel
from orkestra.wire import dumps

PREFIX = "whsec_"


class Secrets:
    """Secrets made of one key of the installation: none is stored, and the database alone signs nothing."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def webhook(self, webhook_id: str, generation: int) -> str:
        """Return the secret of a webhook; each generation has its own."""
        return PREFIX + base64.b64encode(self.derived(f"webhook\0{webhook_id}\0{generation}")).decode()

    def derived(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose (HMAC-SHA256, RFC 2104)."""
        return hmac.new(self._key, purpose.encode(), hashlib.sha256).digest()


class WebhookChannel:
    """Sends events as `{"type", "timestamp", "data"}`; the id of the event is the same with every try."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def send(self, parcel: Parcel, *, url: str, secrets: Sequence[str]) -> Outcome:
        """Send one event, signed with each secret."""
        body = dumps(parcel.content).encode()
        at = str(int(time.time()))
        signatures = " ".join(sign(secret, parcel.event_id, at, body) for secret in secrets)
        headers = {"webhook-id": parcel.event_id, "webhook-timestamp": at, "webhook-signature": signatures}
        outcome, _ = await self._poster.post(url, headers=headers, body=body)
        return outcome


def sign(secret: str, message_id: str, at: str, body: bytes) -> str:
    """Return the signature of a message, with its version."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"
