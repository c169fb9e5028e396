"""Secrets made of a key of the installation: none is stored, and the database alone signs and opens nothing."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

WEBHOOK_PREFIX = "whsec_"


class Secrets:
    """Makes secrets and tokens again whenever they are needed, and seals what has to be stored.

    All is made of the first key; what was made of an older one is accepted, and webhooks are signed with both.
    """

    def __init__(self, key: bytes, *older: bytes) -> None:
        self._keys = (key, *older)
        seals = [Fernet(base64.urlsafe_b64encode(_derived(one, "sealed addresses"))) for one in self._keys]
        self._sealing = MultiFernet(seals)

    def webhook(self, webhook_id: str, generation: int) -> str:
        """Return the secret of a webhook; each generation has its own."""
        return self.webhooks(webhook_id, generation)[0]

    def webhooks(self, webhook_id: str, generation: int) -> list[str]:
        """Return the secrets that receivers may know of a generation, by each key."""
        purpose = f"webhook\0{webhook_id}\0{generation}"
        return [WEBHOOK_PREFIX + base64.b64encode(_derived(key, purpose)).decode() for key in self._keys]

    def link_token(self, tenant_id: str, delivery_id: str) -> str:
        """Return what a link in one message carries: which message it is, and a proof that we wrote it."""
        return _link_token(self._keys[0], tenant_id, delivery_id)

    def open_link_token(self, tenant_id: str, token: str) -> str | None:
        """Return the message that a token was made of in a tenant, None where it was not."""
        delivery_id = f"delivery_{token.partition('.')[0]}"
        ours = (_link_token(key, tenant_id, delivery_id).encode() for key in self._keys)
        return delivery_id if any(hmac.compare_digest(one, token.encode()) for one in ours) else None

    def seal(self, text: str) -> str:
        """Return a text as it may be stored (Fernet: AES-128-CBC and HMAC-SHA256)."""
        return self._sealing.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str | None:
        """Return what was sealed, None where it was sealed with a key that is not there."""
        try:
            return self._sealing.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None


def _link_token(key: bytes, tenant_id: str, delivery_id: str) -> str:
    proof = _derived(key, f"link\0{tenant_id}\0{delivery_id}")
    return f"{delivery_id.removeprefix('delivery_')}.{base64.urlsafe_b64encode(proof).decode().rstrip('=')}"


def _derived(key: bytes, purpose: str) -> bytes:
    """Return 32 bytes for one purpose (HMAC-SHA256, RFC 2104)."""
    return hmac.new(key, purpose.encode(), hashlib.sha256).digest()
