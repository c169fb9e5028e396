"""Who holds a credential: API keys, and what may refuse every holder."""

import asyncio

import asyncpg
from orkestra.chassis.logs import get_logger
from orkestra.identity_service import rules
from orkestra.identity_service.operations.base import Identity, sql, suspended
from orkestra.v1.identity import ExchangeCredentialRequest, TenantStatus
from orkestra.wire import FieldError, InvalidArgument, PermissionDenied, Principal, Unauthenticated, Unavailable

logger = get_logger(__name__)


class KeyHolders(Identity):
    """API keys and when they were used."""

    def key_holder(self, key: asyncpg.Record, request: ExchangeCredentialRequest) -> Principal:
        """Who this key is; refused where the key, its tenant or the caller's address is."""
        if key["revoked"]:
            raise Unauthenticated("KEY_REVOKED", "This API key has been revoked; ask an admin for a new one.")
        if key["expired"]:
            raise Unauthenticated("KEY_EXPIRED", "This API key has expired; ask an admin for a new one.")
        refuse_tenant(key, request)
        if not rules.is_allowed_from(request.ip, key["allowed_ips"]):
            raise PermissionDenied("IP_NOT_ALLOWED", "This API key is not accepted from this address.")
        if key["use_is_news"]:
            self._note_use(key["tenant_id"], key["key_id"])
        return Principal(
            subject=key["key_id"],
            kind=key["kind"],
            tenant_id=key["tenant_id"],
            roles=frozenset(key["roles"]),
            groups=frozenset(),
            on_behalf_of=frozenset(key["on_behalf_of"]),
            name=key["name"],
        )

    async def settle(self) -> None:
        """Wait until every use of a key has been recorded."""
        await asyncio.gather(*self.noting.values())

    def _note_use(self, tenant_id: str, key_id: str) -> None:
        """Record that a key was used, beside the request that uses it and once however many do."""
        if key_id not in self.noting:
            self.noting[key_id] = asyncio.create_task(self._record_use(tenant_id, key_id))

    async def _record_use(self, tenant_id: str, key_id: str) -> None:
        try:
            async with self.database.transaction(tenant_id) as conn:
                await sql.note_api_key_use.execute(conn, tenant_id=tenant_id, key_id=key_id)
        except Unavailable:
            logger.warning("last use of a key was not recorded", key_id=key_id)
        finally:
            del self.noting[key_id]


def refuse_tenant(holder: asyncpg.Record, request: ExchangeCredentialRequest) -> None:
    """Refuse who chooses a tenant without being the installation, and who belongs to a suspended one."""
    if request.tenant_id and request.tenant_id != holder["tenant_id"]:
        error = FieldError("tenant_id", "not_allowed", "Only a key of the installation chooses its tenant.")
        raise InvalidArgument("REQUEST_INVALID", error.message, errors=(error,))
    if holder["tenant_status"] != TenantStatus.ACTIVE:
        raise suspended()
