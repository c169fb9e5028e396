"""Tenants that are deleted: at once for whoever asks, row by row behind that."""

from orkestra.chassis.database import NO_TENANT, Database
from orkestra.chassis.forgetting import PAGE
from orkestra.chassis.operations import Tx, operation_above_tenants
from orkestra.identity_service import rules
from orkestra.identity_service.operations.audit import audited
from orkestra.identity_service.operations.base import Identity, page, refuse, sql
from orkestra.identity_service.operations.tenants import enter_tenant
from orkestra.v1.events import TenantDeletionEvent
from orkestra.v1.identity import (
    DeletedTenant,
    DeleteTenantRequest,
    ListDeletedTenantsRequest,
    ListDeletedTenantsResponse,
    Tenant,
)
from orkestra.wire import Context, FailedPrecondition, FieldError


class DeletingOperations(Identity):
    """The rpcs by which tenants are deleted, and by which every service learns which were."""

    @operation_above_tenants
    async def delete_tenant(self, tx: Tx, request: DeleteTenantRequest) -> DeletedTenant:
        """Take the tenant's row: its keys, sessions and people belong to nobody from then on. The rest follows."""
        refuse(rules.reason_errors(request.reason))
        tenant = await enter_tenant(tx, request.tenant_id)
        if request.slug != tenant.slug:
            refuse([FieldError("slug", "not_confirmed", "Give the tenant's slug to confirm that it is the one.")])
        if await sql.delete_tenant.value(tx.conn, tenant_id=tx.tenant_id) is None:
            raise _not_suspended(tenant)
        await tx.enter(NO_TENANT)
        deleted = await sql.keep_deletion.one(
            tx.conn,
            DeletedTenant,
            tenant_id=tenant.tenant_id,
            slug=tenant.slug,
            deleted_by=tx.ctx.subject,
            reason=request.reason,
            door=tx.ctx.door,
        )
        assert deleted is not None  # noqa: S101 - it was inserted by this statement
        kept = {"reason": request.reason} if request.reason else {}
        await audited(tx, "delete_tenant", "tenant", tenant.tenant_id, before={"slug": tenant.slug}, after=kept)
        payload = TenantDeletionEvent(deleted=deleted)
        key, version = tenant.tenant_id, tenant.version + 1
        await tx.emit(aggregate="identity", event="tenant_deleted", payload=payload, key=key, version=version)
        return deleted

    async def list_deleted_tenants(
        self,
        ctx: Context,  # noqa: ARG002 - an rpc takes what `bind` passes
        request: ListDeletedTenantsRequest,
    ) -> ListDeletedTenantsResponse:
        limit, before = page("deleted_tenants", size=request.page_size, token=request.page_token)
        deleted, more = await _deletions(self.database, before=before, limit=limit)
        token = rules.page_token("deleted_tenants", more) if more else None
        return ListDeletedTenantsResponse(deleted_tenants=deleted, next_page_token=token)


class OwnDeletions:
    """What every other service asks this one, for this one itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, token: str | None) -> tuple[list[DeletedTenant], str | None]:
        """Return a page of deletions, newest first, and the token of the next."""
        return await _deletions(self._database, before=token or "", limit=PAGE)


async def _deletions(database: Database, *, before: str, limit: int) -> tuple[list[DeletedTenant], str | None]:
    """Return a page of deletions and, where there are more, the id that it ends with."""
    async with database.unscoped() as conn:
        found = await sql.list_deletions.all(conn, DeletedTenant, before=before or "~", limit=limit + 1)
    return found[:limit], found[limit - 1].deletion_id if len(found) > limit else None


def _not_suspended(tenant: Tenant) -> FailedPrecondition:
    message = "Only a suspended tenant is deleted: suspend it first, and look whether anybody misses it."
    return FailedPrecondition("TENANT_NOT_SUSPENDED", message, current=tenant)
