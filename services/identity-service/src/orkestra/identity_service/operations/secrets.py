"""Credentials: how they are made and what is kept of them."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

API_KEY_PREFIX = "ork_"
SESSION_PREFIX = "ors_"
LINK_PREFIX = "orl_"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Pepper:
    """The secret that credentials are hashed with; without it the database alone opens nothing."""

    value: bytes

    def digest(self, text: str | bytes) -> str:
        """HMAC-SHA256 (RFC 2104), hexadecimal; enough for credentials of 256 random bits, not for passwords."""
        body = text.encode() if isinstance(text, str) else text
        return hmac.new(self.value, body, hashlib.sha256).hexdigest()

    def link_token(self, link_id: str) -> str:
        """What a mailed link carries: made of its id under the pepper, so it is kept nowhere and can be made again.

        The NUL keeps it apart from `digest`: no text that a caller sends can have one.
        """
        made = hmac.new(self.value, f"\0mail link\0{link_id}".encode(), hashlib.sha256).digest()
        return LINK_PREFIX + base64.urlsafe_b64encode(made).decode().rstrip("=")

    def sealing_key(self) -> bytes:
        """The key that what a browser keeps during a sign-in is sealed with, as Fernet takes it."""
        made = hmac.new(self.value, b"\0sign-in attempt\0", hashlib.sha256).digest()
        return base64.urlsafe_b64encode(made)


def new_api_key() -> tuple[str, str]:
    """A key `ork_<8 characters>_<256 random bits>`, and its first twelve characters to recognize it by."""
    prefix = API_KEY_PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"{prefix}_{secrets.token_urlsafe(32)}", prefix


def new_session_token() -> str:
    """A session token `ors_<256 random bits>`."""
    return SESSION_PREFIX + secrets.token_urlsafe(32)
