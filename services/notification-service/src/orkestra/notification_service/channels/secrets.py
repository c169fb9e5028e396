"""Secrets made of one key of the installation: none is stored, and the database alone signs and opens nothing."""

import base64
import hashlib
import hmac

from cryptography.fernet import Fernet, InvalidToken

WEBHOOK_PREFIX = "whsec_"


class Secrets:
    """Makes secrets and tokens again whenever they are needed, and seals what has to be stored."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._sealing = Fernet(base64.urlsafe_b64encode(self._derived("sealed addresses")))

    def webhook(self, webhook_id: str, generation: int) -> str:
        """Return the secret of a webhook; each generation has its own."""
        return WEBHOOK_PREFIX + base64.b64encode(self._derived(f"webhook\0{webhook_id}\0{generation}")).decode()

    def link_token(self, tenant_id: str, delivery_id: str) -> str:
        """Return what a link in one message carries: which message it is, and a proof that we wrote it."""
        proof = self._derived(f"link\0{tenant_id}\0{delivery_id}")
        return f"{delivery_id.removeprefix('delivery_')}.{base64.urlsafe_b64encode(proof).decode().rstrip('=')}"

    def open_link_token(self, tenant_id: str, token: str) -> str | None:
        """Return the message that a token was made of in a tenant, None where it was not."""
        delivery_id = f"delivery_{token.partition('.')[0]}"
        expected = self.link_token(tenant_id, delivery_id).encode()
        return delivery_id if hmac.compare_digest(expected, token.encode()) else None

    def seal(self, text: str) -> str:
        """Return a text as it may be stored (Fernet: AES-128-CBC and HMAC-SHA256)."""
        return self._sealing.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str | None:
        """Return what was sealed, None where it was sealed with another key."""
        try:
            return self._sealing.decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def _derived(self, purpose: str) -> bytes:
        """Return 32 bytes for one purpose (HMAC-SHA256, RFC 2104)."""
        return hmac.new(self._key, purpose.encode(), hashlib.sha256).digest()
