"""The worker's key, exchanged for tokens of the tenants that it works for."""

import asyncio
import time
from datetime import UTC, datetime

from orkestra.v1.identity import AccessToken, ExchangeCredentialRequest, IdentityServiceClient
from orkestra.wire import TokenOfTenant

MARGIN_SECONDS = 5.0
LONGEST_SECONDS = 30.0
"""No token is kept longer, however wrong this machine's clock is."""
YOUNG_SECONDS = 1.0
"""A token that is not taken at this age would be followed by its like: no more than one a second is asked for."""


class WorkerTokens:
    """Exchanges a worker key, and keeps each token until shortly before it expires."""

    def __init__(self, identity: IdentityServiceClient, worker_key: str) -> None:
        self._identity = identity
        self._worker_key = worker_key
        self._tokens: dict[str | None, tuple[AccessToken, float, float]] = {}
        self._exchanging: dict[str | None, asyncio.Task[AccessToken]] = {}

    async def __call__(self, tenant_id: str | None = None) -> str:
        """Return a token that acts in `tenant_id`, or in none."""
        known = self._tokens.get(tenant_id)
        if known is not None and known[1] > time.monotonic():
            return known[0].token
        return (await asyncio.shield(self._exchange_once(tenant_id))).token

    def drop(self, tenant_id: str | None, token: str) -> None:
        """Keep `token` no longer, for a service has not taken it: a clock was moved, or keys are being replaced."""
        known = self._tokens.get(tenant_id)
        if known is not None and known[0].token == token and known[2] + YOUNG_SECONDS <= time.monotonic():
            del self._tokens[tenant_id]

    def of(self, tenant_id: str | None) -> TokenOfTenant:
        """Return a source for one tenant, as clients take it."""
        return TokenOfTenant(self, tenant_id)

    def _exchange_once(self, tenant_id: str | None) -> "asyncio.Task[AccessToken]":
        running = self._exchanging.get(tenant_id)
        if running is None:
            running = asyncio.create_task(self._exchange(tenant_id))
            self._exchanging[tenant_id] = running
            running.add_done_callback(lambda _: self._exchanging.pop(tenant_id, None))
        return running

    async def _exchange(self, tenant_id: str | None) -> AccessToken:
        request = ExchangeCredentialRequest(credential=self._worker_key, tenant_id=tenant_id)
        token = await self._identity.exchange_credential(request)
        now = time.monotonic()
        self._tokens = {tenant: kept for tenant, kept in self._tokens.items() if kept[1] > now}
        left = (token.expires_at - datetime.now(UTC)).total_seconds()
        self._tokens[tenant_id] = (token, now + min(left, LONGEST_SECONDS) - MARGIN_SECONDS, now)
        return token
