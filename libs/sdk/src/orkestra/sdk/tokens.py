"""The worker's key, exchanged for tokens of the tenants that it works for."""

import asyncio
import time
from datetime import UTC, datetime

from orkestra.v1.identity import AccessToken, ExchangeCredentialRequest, IdentityServiceClient

MARGIN_SECONDS = 5.0
LONGEST_SECONDS = 30.0
"""No token is kept longer, however wrong this machine's clock is."""


class WorkerTokens:
    """Exchanges a worker key, and keeps each token until shortly before it expires."""

    def __init__(self, identity: IdentityServiceClient, worker_key: str) -> None:
        self._identity = identity
        self._worker_key = worker_key
        self._tokens: dict[str | None, tuple[AccessToken, float]] = {}
        self._exchanging: dict[str | None, asyncio.Task[AccessToken]] = {}

    async def token(self, tenant_id: str | None) -> str:
        """Return a token for the tenant, or one of no tenant."""
        known = self._tokens.get(tenant_id)
        if known is not None and known[1] > time.monotonic():
            return known[0].token
        return (await asyncio.shield(self._exchange_once(tenant_id))).token

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
        self._tokens[tenant_id] = (token, now + min(left, LONGEST_SECONDS) - MARGIN_SECONDS)
        return token
