"""Tokens between services: EdDSA JWTs (RFC 7519, RFC 8037) of 30 seconds that say who calls."""

import asyncio
import base64
import hashlib
import json
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import grpc
import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from orkestra.chassis.settings import secret
from orkestra.wire import DeadlineExceeded, Principal, Unauthenticated, Unavailable
from pydantic import SecretStr

ISSUER = "orkestra"
AUDIENCE = "orkestra"
LIFETIME = timedelta(seconds=30)
LEEWAY_SECONDS = 2
REFRESH_SECONDS = 5.0
REMEMBERED_TOKENS = 10_000

Jwks = Mapping[str, Any]
"""A JWK set (RFC 7517)."""


class Signer:
    """Mints tokens with one key; only identity-service has one."""

    def __init__(self, seed: str | SecretStr) -> None:
        raw = base64.b64decode(secret(seed), validate=True)
        if len(raw) != 32:
            raise ValueError("A token signing key is the base64 text of 32 bytes.")
        self._key = Ed25519PrivateKey.from_private_bytes(raw)
        public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
        thumbprint = json.dumps({"crv": "Ed25519", "kty": "OKP", "x": self._x}, separators=(",", ":"))
        self.kid = hashlib.sha256(thumbprint.encode()).hexdigest()[:16]

    def sign(self, principal: Principal, *, lifetime: timedelta = LIFETIME) -> tuple[str, datetime]:
        """Return a token for `principal` and when it ends."""
        now = datetime.now(UTC)
        expires_at = now + lifetime
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": principal.subject,
            "tid": principal.tenant_id,
            "kind": principal.kind,
            "roles": sorted(principal.roles),
            "groups": sorted(principal.groups),
            "obo": sorted(principal.on_behalf_of),
            "name": principal.name,
            "iat": now,
            "exp": expires_at,
        }
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self.kid}), expires_at

    def jwks(self) -> dict[str, Any]:
        """Return the public key as a JWK set (RFC 8037)."""
        key = {"kty": "OKP", "crv": "Ed25519", "x": self._x, "kid": self.kid, "alg": "EdDSA", "use": "sig"}
        return {"keys": [key]}

    def verifier(self) -> "Verifier":
        """Return a verifier of this signer's tokens, for identity-service itself and for tests."""

        async def keys() -> Jwks:
            return self.jwks()

        return Verifier(keys)


class Verifier:
    """Checks tokens against the signing keys of identity-service, fetched once and again for an unknown key id."""

    def __init__(self, keys: Callable[[], Awaitable[Jwks]]) -> None:
        self._fetch = keys
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._fetching = asyncio.Lock()
        self._seen: OrderedDict[str, tuple[Principal, float]] = OrderedDict()

    @classmethod
    def of_identity(cls, channel: grpc.aio.Channel) -> Self:
        """Return a verifier that asks identity-service behind `channel` for its keys."""
        from orkestra.v1.identity import GetSigningKeysRequest, IdentityServiceClient  # noqa: PLC0415

        client = IdentityServiceClient(channel)

        async def keys() -> Jwks:
            answer = await client.get_signing_keys(GetSigningKeysRequest(), timeout=2.0)
            jwks: Jwks = answer.jwks
            return jwks

        return cls(keys)

    async def authenticate(self, metadata: Mapping[str, str], rpc: str) -> Principal | None:  # noqa: ARG002 - bind's signature
        """Return who calls, None without a token; refuse a token that is not good."""
        header = metadata.get("authorization")
        if header is None:
            return None
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("TOKEN_INVALID", "The authorization metadata is not a bearer token.")
        return await self.verify(token)

    async def verify(self, token: str) -> Principal:
        """Return whom `token` names; raises Unauthenticated, or Unavailable while its key cannot be fetched."""
        known = self._seen.get(token)
        if known is not None:
            if known[1] > time.monotonic():
                return known[0]
            del self._seen[token]
        claims = self._decode(token, await self._key(token))
        principal = _principal(claims)
        left = min(claims["exp"] - time.time(), LIFETIME.total_seconds()) + LEEWAY_SECONDS
        self._seen[token] = (principal, time.monotonic() + left)
        if len(self._seen) > REMEMBERED_TOKENS:
            self._seen.popitem(last=False)
        return principal

    def _decode(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=["EdDSA"],
                issuer=ISSUER,
                audience=AUDIENCE,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud", "sub", "kind"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("TOKEN_EXPIRED", "The token has expired; get a new one.") from None
        except jwt.InvalidTokenError as refused:
            raise _invalid() from refused
        return claims

    async def _key(self, token: str) -> jwt.PyJWK:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.InvalidTokenError as refused:
            raise _invalid() from refused
        kid = header.get("kid")
        if header.get("alg") != "EdDSA" or not isinstance(kid, str):
            raise _invalid()
        if kid not in self._keys:
            await self._refresh(kid)
        try:
            return self._keys[kid]
        except KeyError:
            raise _invalid() from None

    async def _refresh(self, kid: str) -> None:
        """Fetch the keys, at most every 5 seconds, so that made-up key ids cost identity nothing."""
        async with self._fetching:
            if kid in self._keys or time.monotonic() - self._fetched_at < REFRESH_SECONDS:
                return
            try:
                jwks = await self._fetch()
            except (Unavailable, DeadlineExceeded, OSError) as away:
                raise identity_unavailable() from away
            self._fetched_at = time.monotonic()
            self._keys = {key["kid"]: jwt.PyJWK(key, algorithm="EdDSA") for key in jwks["keys"]}


def identity_unavailable() -> Unavailable:
    """Return what a caller is told while identity-service cannot be asked."""
    return Unavailable("IDENTITY_UNAVAILABLE", "Who you are cannot be checked right now; try again.", retry_after=1.0)


def _invalid() -> Unauthenticated:
    return Unauthenticated("TOKEN_INVALID", "The token is not one of this installation's identity-service.")


def _principal(claims: Mapping[str, Any]) -> Principal:
    kind = claims["kind"]
    if kind not in ("user", "agent", "service"):
        raise _invalid()
    return Principal(
        subject=claims["sub"],
        kind=kind,
        tenant_id=claims.get("tid"),
        roles=frozenset(claims.get("roles", ())),
        groups=frozenset(claims.get("groups", ())),
        on_behalf_of=frozenset(claims.get("obo", ())),
        name=claims.get("name"),
    )
