"""Receipts: signed statements of who decided what about which action, as compact JWS (RFC 7515, RFC 8037)."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from orkestra.rules.actions import digests_of
from orkestra.v1.task import Receipt, Task
from orkestra.wire import InvalidArgument
from pydantic import ValidationError

LIFETIME: Final = timedelta(hours=24)
ISSUER: Final = "orkestra"
TYPE: Final = "orkestra-receipt+jwt"
TIP: Final = "orkestra-history+jwt"
ALGORITHM: Final = "EdDSA"


class ReceiptKey:
    """The platform's keys of receipts and histories, from base64 texts of Ed25519 seeds, by commas.

    The first signs; what the others signed verifies.
    """

    def __init__(self, seeds: str) -> None:
        self._keys = [_SigningKey(seed.strip()) for seed in seeds.split(",")]

    @property
    def kid(self) -> str:
        """The name of the key that signs."""
        return self._keys[0].kid

    def jwks(self) -> dict[str, Any]:
        """Returns the public keys as a JWK set (RFC 8037)."""
        return {"keys": [key.jwk() for key in self._keys]}

    def sign_tip(self, tenant_id: str, task_id: str, sequence: int, digest: str) -> str:
        """Returns the signature of an entry as the tip of its task's history."""
        return self._keys[0].sign_tip(tenant_id, task_id, sequence, digest)

    def is_tip(self, token: str, tenant_id: str, task_id: str, sequence: int, digest: str) -> bool:
        """Whether this is what `sign_tip` returned: Ed25519 signs the same twice alike (RFC 8032)."""
        signed = (key.sign_tip(tenant_id, task_id, sequence, digest) for key in self._keys)
        return any(hmac.compare_digest(token, tip) for tip in signed)

    def issue(self, task: Task) -> Receipt | None:
        """Returns the receipt of a task that a person has completed; None where it has no action."""
        bound = digests_of(task.title, task.description, task.context, task.form)
        if bound is None or task.completed_by is None or task.completed_at is None:
            return None
        receipt = Receipt(
            task_id=task.task_id,
            revision=task.revision,
            outcome=task.outcome,
            action_digest=bound.action,
            form_digest=bound.form,
            shown_digest=bound.shown,
            decided_by=task.completed_by,
            decided_at=task.completed_at,
            expires_at=task.completed_at + LIFETIME,
            token="",
        )
        stated = receipt.model_dump(mode="json", exclude_none=True, exclude={"token"})
        claims = {"iss": ISSUER, "tenant_id": task.tenant_id, "exp": int(receipt.expires_at.timestamp()), **stated}
        return receipt.model_copy(update={"token": self._keys[0].sign(claims, TYPE)})


class _SigningKey:
    """One key, and its name: the beginning of its thumbprint (RFC 7638)."""

    def __init__(self, seed: str) -> None:
        try:
            raw = base64.b64decode(seed, validate=True)
        except binascii.Error:
            raw = b""
        if len(raw) != 32:
            raise ValueError("A receipt signing key is the base64 text of 32 bytes; several stand by commas.")
        self._private = Ed25519PrivateKey.from_private_bytes(raw)
        public = self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
        thumbprint = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": self._x}, separators=(",", ":"))
        self.kid = hashlib.sha256(thumbprint.encode()).hexdigest()[:16]

    def jwk(self) -> dict[str, Any]:
        return {"kty": "OKP", "crv": "Ed25519", "x": self._x, "kid": self.kid, "alg": ALGORITHM, "use": "sig"}

    def sign(self, claims: Mapping[str, Any], kind: str) -> str:
        return jwt.encode(dict(claims), self._private, algorithm=ALGORITHM, headers={"kid": self.kid, "typ": kind})

    def sign_tip(self, tenant_id: str, task_id: str, sequence: int, digest: str) -> str:
        claims = {"iss": ISSUER, "tenant_id": tenant_id, "task_id": task_id, "sequence": sequence, "digest": digest}
        return self.sign(claims, TIP)


def read_receipt(token: str, jwks: Mapping[str, Any], *, tenant_id: str) -> Receipt:
    """Returns what a receipt of the tenant states. Whether it has expired or was used is left to the caller.

    Raises InvalidArgument RECEIPT_INVALID for anything that was not signed as a receipt of this tenant.
    """
    try:
        header = jwt.get_unverified_header(token)
        [key] = [key for key in jwks["keys"] if key["kid"] == header.get("kid") and header.get("typ") == TYPE]
        claims = jwt.decode(
            token,
            jwt.PyJWK(dict(key), algorithm=ALGORITHM),
            algorithms=[ALGORITHM],
            issuer=ISSUER,
            options={"verify_exp": False, "require": ["exp", "iss"]},
        )
        receipt = Receipt.model_validate({**claims, "token": token})
    except (jwt.InvalidTokenError, ValidationError, ValueError) as refused:
        raise invalid_receipt() from refused
    if claims.get("tenant_id") != tenant_id:
        raise invalid_receipt()
    return receipt


def invalid_receipt() -> InvalidArgument:
    """Returns what is said of anything that is not a receipt of the caller's tenant."""
    return InvalidArgument("RECEIPT_INVALID", "This is not a receipt of your tenant, or it has been altered.")
