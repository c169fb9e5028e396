"""Webhooks of outside systems, signed as Standard Webhooks 1.0 says (standardwebhooks.com)."""

import base64
import hashlib
import hmac
import time
from collections.abc import Sequence

from orkestra.notification_service.channels.posting import Poster
from orkestra.notification_service.channels.secrets import WEBHOOK_PREFIX
from orkestra.notification_service.rules import Outcome, Parcel
from orkestra.wire import dumps


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
    key = base64.b64decode(secret.removeprefix(WEBHOOK_PREFIX))
    signed = hmac.new(key, f"{message_id}.{at}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(signed).decode()}"
