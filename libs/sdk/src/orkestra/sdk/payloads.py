"""What Temporal stores, encrypted: the installation's payload keys, and the codec that uses them.

Each payload is sealed by AES-256-GCM (NIST SP 800-38D) under a key of its own, which HKDF (RFC 5869) makes of an
installation key, the tenant and 16 random bytes, so that no number of payloads wears a key out. The tenant and the
key's id stand beside it in the clear and are authenticated with it.
"""

import base64
import binascii
import hmac
import os
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from orkestra.sdk.header import TENANT
from orkestra.wire import FailedPrecondition, Unavailable
from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    ActivitySerializationContext,
    PayloadCodec,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)

ENCODING = b"binary/encrypted"
CIPHER = b"orkestra/aes-256-gcm/1"
KEY_ID = "encryption-key-id"
KEY_MISSING = "PAYLOAD_KEY_MISSING"
INSTALLATION = ""
"""Stands for the tenant where none is known, such as in a failure that comes before a run was read."""
KEY_BYTES, SALT_BYTES, NONCE_BYTES = 32, 16, 12
RUNS_REMEMBERED = 50_000
TENANTS_REMEMBERED = 10_000
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


@dataclass(frozen=True)
class PayloadKeys:
    """Keys of an installation by their ids; `encrypts_with` names the one for new payloads, None leaves them plain."""

    keys: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    encrypts_with: str | None = None

    @classmethod
    def parse(cls, text: str | None, encrypts_with: str | None = None) -> Self:
        """Read `id:key` pairs by spaces, commas or lines, each key 32 bytes in base64; refuses (ValueError) others."""
        pairs = [pair.partition(":") for pair in re.split(r"[\s,]+", text or "") if pair]
        keys = {key_id: _key(key_id, encoded) for key_id, _, encoded in pairs}
        if len(keys) < len(pairs):
            raise ValueError("two payload keys have the same id")
        if encrypts_with and encrypts_with not in keys:
            known = ", ".join(keys) or "none"
            raise ValueError(f"there is no payload key {encrypts_with} to encrypt with; given: {known}")
        return cls(keys, encrypts_with or None)


def _key(key_id: str, encoded: str) -> bytes:
    if _ID.fullmatch(key_id) is None:
        raise ValueError("a payload key is written id:key, the id of lower-case letters, digits, dots and hyphens")
    try:
        key = base64.b64decode(encoded, altchars=b"-_" if set("-_") & set(encoded) else None, validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"the payload key {key_id} is not {KEY_BYTES} bytes in base64: `openssl rand -base64 32`")
    return key


class Encryption(PayloadCodec, WithSerializationContext):
    """Encrypts for the tenant that a payload names in its metadata, or that its run is known to belong to.

    What is encrypted already is left as it is, and so is what was never encrypted when it is read. Without a key to
    encrypt with it only decrypts.
    """

    def __init__(self, keys: PayloadKeys) -> None:
        self._keys = keys
        self._owners = Owners()
        self._workflow_id: str | None = None

    @property
    def is_on(self) -> bool:
        """Whether new payloads are encrypted."""
        return self._keys.encrypts_with is not None

    def with_context(self, context: SerializationContext) -> Self:
        """Return the codec of one run, which remembers whose it is."""
        if not self._keys.keys or not isinstance(context, (WorkflowSerializationContext, ActivitySerializationContext)):
            return self
        bound = copy(self)
        bound._workflow_id = context.workflow_id  # noqa: SLF001 - of the same class
        return bound

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Encrypt each, where encryption is on."""
        key_id = self._keys.encrypts_with
        return list(payloads) if key_id is None else [self._sealed(payload, key_id) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Decrypt what is encrypted; refuses a key that is missing (Unavailable) and what was altered."""
        return [self._opened(payload) for payload in payloads]

    def _sealed(self, payload: Payload, key_id: str) -> Payload:
        if is_encrypted(payload):
            return payload
        tenant_id = _tenant_of(payload) or self._owners.of(self._workflow_id) or INSTALLATION
        plain = Payload()
        plain.CopyFrom(payload)
        plain.metadata.pop(TENANT, None)
        salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
        cipher = AESGCM(self._key(tenant_id, key_id, salt))
        sealed = cipher.encrypt(nonce, plain.SerializeToString(), _bound(tenant_id, key_id))
        about = {"encoding": ENCODING, "encryption-cipher": CIPHER, KEY_ID: key_id.encode(), TENANT: tenant_id.encode()}
        return Payload(metadata=about, data=salt + nonce + sealed)

    def _opened(self, payload: Payload) -> Payload:
        tenant_id = _tenant_of(payload)
        if tenant_id and self._workflow_id:
            self._owners.note(self._workflow_id, tenant_id)
        if not is_encrypted(payload):
            return payload
        key_id = payload.metadata[KEY_ID].decode("ascii", "replace")
        if key_id not in self._keys.keys:
            raise key_missing(key_id)
        nonce_at, sealed_at = SALT_BYTES, SALT_BYTES + NONCE_BYTES
        cipher = AESGCM(self._key(tenant_id, key_id, payload.data[:nonce_at]))
        try:
            plain = cipher.decrypt(
                payload.data[nonce_at:sealed_at], payload.data[sealed_at:], _bound(tenant_id, key_id)
            )
        except (InvalidTag, ValueError):
            raise unreadable(key_id) from None
        return Payload.FromString(plain)

    def _key(self, tenant_id: str, key_id: str, salt: bytes) -> bytes:
        """Return the key of one payload: HKDF-Expand of the tenant's key."""
        of_tenant = tenant_key(self._keys.keys[key_id], tenant_id)
        return hmac.digest(of_tenant, b"orkestra payload" + salt + b"\x01", "sha256")


class Owners:
    """Whose the runs are that this process has last seen."""

    def __init__(self) -> None:
        self._tenants: OrderedDict[str, str] = OrderedDict()

    def of(self, workflow_id: str | None) -> str | None:
        """Return the tenant of a run, None where it is not known."""
        return None if workflow_id is None else self._tenants.get(workflow_id)

    def note(self, workflow_id: str, tenant_id: str) -> None:
        """Remember whose a run is; the ones not seen for longest are forgotten."""
        self._tenants[workflow_id] = tenant_id
        self._tenants.move_to_end(workflow_id)
        if len(self._tenants) > RUNS_REMEMBERED:
            self._tenants.popitem(last=False)


@lru_cache(maxsize=TENANTS_REMEMBERED)
def tenant_key(key: bytes, tenant_id: str) -> bytes:
    """Return the key of one tenant, from which neither the installation's nor another tenant's can be told."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=b"orkestra payloads of tenant " + tenant_id.encode()).derive(key)


def is_encrypted(payload: Payload) -> bool:
    """Whether the payload was encrypted here, and not by something else."""
    about = payload.metadata
    return about.get("encoding") == ENCODING and about.get("encryption-cipher") == CIPHER and KEY_ID in about


def tenant_of(payload: Payload) -> str | None:
    """Return the tenant that a payload is encrypted for; None where it is not encrypted, or for no tenant."""
    return (_tenant_of(payload) or None) if is_encrypted(payload) else None


def key_missing(key_id: str) -> Unavailable:
    """Return what is raised while a key is not there; with it, what it encrypted can be read."""
    told = f"The payload key {key_id} is missing: ORKESTRA_PAYLOAD_KEYS must keep it while Temporal has what it sealed."
    return Unavailable(KEY_MISSING, told, retry_after=5.0)


def unreadable(key_id: str) -> FailedPrecondition:
    """Return what is raised where a payload does not fit its key, its tenant or itself."""
    told = f"A payload encrypted with the key {key_id} was altered, or the key is another under the same id."
    return FailedPrecondition("PAYLOAD_UNREADABLE", told)


def _tenant_of(payload: Payload) -> str:
    return payload.metadata[TENANT].decode("utf-8", "replace") if TENANT in payload.metadata else INSTALLATION


def _bound(tenant_id: str, key_id: str) -> bytes:
    return b"\0".join((CIPHER, key_id.encode(), tenant_id.encode()))
