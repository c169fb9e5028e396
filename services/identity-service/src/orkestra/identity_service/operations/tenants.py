"""Tenants: made by operators, seen by those in them."""

from uuid import uuid4

from orkestra.chassis.operations import Tx, operation_above_tenants
from orkestra.identity_service import rules
from orkestra.identity_service.operations.base import Identity, page, refuse, sql
from orkestra.identity_service.operations.people import add_person
from orkestra.v1.events import TenantEvent
from orkestra.v1.identity import CreateTenantRequest, ListTenantsRequest, ListTenantsResponse, Role, Tenant
from orkestra.wire import AlreadyExists, Context, FieldError


class TenantOperations(Identity):
    """The rpcs about tenants."""

    @operation_above_tenants
    async def create_tenant(self, tx: Tx, request: CreateTenantRequest) -> Tenant:
        refuse(rules.tenant_errors(request, self.time_zones))
        await tx.enter(str(uuid4()))
        tenant = await sql.create_tenant.one(
            tx.conn, Tenant, tenant_id=tx.tenant_id, slug=request.slug, name=request.name
        )
        if tenant is None:
            taken = FieldError("slug", "taken", f"There is a tenant {request.slug} already.")
            raise AlreadyExists("TENANT_EXISTS", taken.message, errors=(taken,))
        await tx.emit(
            aggregate="identity",
            event="tenant_created",
            payload=TenantEvent(tenant=tenant),
            key=tenant.tenant_id,
            version=tenant.version,
        )
        if request.admin is not None:
            admin = request.admin.model_copy(update={"roles": request.admin.roles or [Role.ADMIN]})
            await add_person(tx, admin, password_hash=await self.passwords.hash_or_none(admin.password))
        return tenant

    async def list_tenants(self, ctx: Context, request: ListTenantsRequest) -> ListTenantsResponse:
        limit, after = page("tenants", size=request.page_size, token=request.page_token)
        if Role.OPERATOR in ctx.principal.roles:
            async with self.lookup.unscoped() as conn:
                tenants = await sql.list_tenants.all(conn, Tenant, after=after, limit=limit + 1)
        else:
            async with self.database.transaction(ctx.tenant_id) as conn:
                tenants = await sql.get_tenant.all(conn, Tenant, tenant_id=ctx.tenant_id)
        more = rules.page_token("tenants", tenants[limit - 1].slug) if len(tenants) > limit else None
        return ListTenantsResponse(tenants=tenants[:limit], next_page_token=more)
