"""Credentials exchanged for tokens: by services with the installation's key, by doors with what callers present."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Generic, TypeVar

import grpc
from orkestra.chassis.guessing import Guesses
from orkestra.chassis.logs import log_tenant
from orkestra.chassis.settings import secret
from orkestra.chassis.tokens import LIFETIME, identity_unavailable
from orkestra.v1.identity import AccessToken, ExchangeCredentialRequest, IdentityServiceClient
from orkestra.wire import DeadlineExceeded, Principal, TokenOfTenant, Unavailable
from pydantic import SecretStr

RENEW_SECONDS = 8.0
"""A token that a service sends is good for at least this long."""
DOOR_SECONDS = 1.0
"""Longest time that a door trusts a checked credential, so that a revoked one ends within 2 seconds."""
EXCHANGE_SECONDS = 2.0
YOUNG_SECONDS = 1.0
"""A token that is not taken at this age would be followed by its like: no more than one a second is asked for."""
REMEMBERED = 10_000

K = TypeVar("K")


def principal_of(access: AccessToken) -> Principal:
    """Return the caller as the rules know it."""
    return Principal(
        subject=access.subject,
        kind=access.kind.value,
        tenant_id=access.tenant_id,
        roles=frozenset(role.value for role in access.roles),
        groups=frozenset(access.groups),
        name=access.name,
    )


class TokenSource:
    """Tokens of one installation key for any tenant, kept until shortly before they end."""

    def __init__(self, channel: grpc.aio.Channel, key: str | SecretStr) -> None:
        self._client = IdentityServiceClient(channel)
        self._key = secret(key)
        self._tokens: _Cache[str | None] = _Cache()

    async def __call__(self, tenant_id: str | None = None) -> str:
        """Return a token that acts in `tenant_id`, or in none."""
        known = self._tokens.get(tenant_id)
        if known is None:
            request = ExchangeCredentialRequest(credential=self._key, tenant_id=tenant_id)
            known = await self._tokens.fill(tenant_id, lambda: _exchange(self._client, request), _until_renewal)
        return known.token

    def drop(self, tenant_id: str | None, token: str) -> None:
        """Keep `token` no longer, for a service has not taken it: a clock was moved, or keys are being replaced."""
        self._tokens.drop(tenant_id, token)

    def of(self, tenant_id: str | None) -> TokenOfTenant:
        """Return a source for one tenant, as clients take it."""
        return TokenOfTenant(self, tenant_id)


class CredentialCache:
    """What a door asks about each caller: credentials checked by identity, trusted for at most a second.

    `audience` is the resource for which a door for agents takes the access tokens of outside issuers; `guesses` bounds
    how many credentials an address may try out.
    """

    def __init__(
        self, channel: grpc.aio.Channel, *, audience: str | None = None, guesses: Guesses | None = None
    ) -> None:
        self._client = IdentityServiceClient(channel)
        self._audience = audience
        self._guesses = guesses
        self._tokens: _Cache[tuple[bytes, str | None]] = _Cache()

    async def exchange(self, credential: str, *, ip: str | None = None) -> AccessToken:
        """Return the caller's token; Unauthenticated for a bad credential, Unavailable while identity is away.

        Raises ResourceExhausted for who has tried out too many.
        """
        digest = hashlib.sha256(credential.encode()).digest()
        known = self._tokens.get((digest, ip))
        if known is None:
            async with nullcontext() if self._guesses is None else self._guesses.watch(ip or "unknown", digest):
                known = await self._ask(credential, digest, ip)
        log_tenant.set(known.tenant_id)
        return known

    async def _ask(self, credential: str, digest: bytes, ip: str | None) -> AccessToken:
        request = ExchangeCredentialRequest(credential=credential, ip=ip, audience=self._audience)
        return await self._tokens.fill((digest, ip), lambda: _exchange(self._client, request), _for_a_second)


class _Cache(Generic[K]):
    """Tokens by key until a time of their own; equal questions at once are asked once."""

    def __init__(self) -> None:
        self._known: OrderedDict[K, tuple[AccessToken, float, float]] = OrderedDict()
        self._asked: dict[K, asyncio.Task[AccessToken]] = {}

    def get(self, key: K) -> AccessToken | None:
        known = self._known.get(key)
        if known is None or known[1] <= time.monotonic():
            return None
        return known[0]

    def drop(self, key: K, token: str) -> None:
        """Forget a token that was not taken, where it is still the one that is kept, and no longer young."""
        known = self._known.get(key)
        if known is not None and known[0].token == token and known[2] + YOUNG_SECONDS <= time.monotonic():
            del self._known[key]

    async def fill(
        self, key: K, ask: Callable[[], Coroutine[None, None, AccessToken]], lasts: Callable[[AccessToken], float]
    ) -> AccessToken:
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.create_task(self._keep(key, ask, lasts))
            asked.add_done_callback(lambda done: self._forget(key, done))
        return await asyncio.shield(asked)

    async def _keep(
        self, key: K, ask: Callable[[], Coroutine[None, None, AccessToken]], lasts: Callable[[AccessToken], float]
    ) -> AccessToken:
        asked_at = time.monotonic()
        token = await ask()
        self._known[key] = (token, asked_at + lasts(token), asked_at)
        self._known.move_to_end(key)
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return token

    def _forget(self, key: K, done: "asyncio.Task[AccessToken]") -> None:
        self._asked.pop(key, None)
        if not done.cancelled():
            done.exception()  # seen, also where every asker has gone


async def _exchange(client: IdentityServiceClient, request: ExchangeCredentialRequest) -> AccessToken:
    try:
        return await client.exchange_credential(request, timeout=EXCHANGE_SECONDS)
    except (Unavailable, DeadlineExceeded, OSError) as away:
        raise identity_unavailable() from away


def _until_renewal(token: AccessToken) -> float:
    """Return how long a token is kept; never longer than tokens last, however wrong this machine's clock is."""
    return min(token.expires_at - datetime.now(UTC), LIFETIME).total_seconds() - RENEW_SECONDS


def _for_a_second(_token: AccessToken) -> float:
    return DOOR_SECONDS
