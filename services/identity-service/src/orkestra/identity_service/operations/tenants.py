"""Tenants: made by operators, seen by those in them."""

from uuid import uuid4

from orkestra.chassis.operations import Tx, operation_above_tenants
from orkestra.identity_service import rules
from orkestra.identity_service.operations.audit import audited
from orkestra.identity_service.operations.base import Identity, page, refuse, sql
from orkestra.identity_service.operations.people import add_person
from orkestra.v1.events import TenantEvent
from orkestra.v1.identity import (
    CreateTenantRequest,
    GetTenantRequest,
    ListTenantsRequest,
    ListTenantsResponse,
    ResumeTenantRequest,
    Role,
    SuspendTenantRequest,
    Tenant,
    TenantStatus,
    UpdateTenantRequest,
)
from orkestra.wire import AlreadyExists, Context, FieldError, NotFound, VersionMismatch


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
        await audited(tx, "create_tenant", "tenant", tenant.tenant_id, after=tenant)
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
            async with self.database.reading(ctx.tenant_id) as conn:
                tenants = await sql.get_tenant.all(conn, Tenant, tenant_id=ctx.tenant_id)
        more = rules.page_token("tenants", tenants[limit - 1].slug) if len(tenants) > limit else None
        return ListTenantsResponse(tenants=tenants[:limit], next_page_token=more)

    async def get_tenant(self, ctx: Context, request: GetTenantRequest) -> Tenant:
        tenant_id = rules.uuid_or_none(request.tenant_id)
        if tenant_id is None or (Role.OPERATOR not in ctx.principal.roles and tenant_id != ctx.tenant_id):
            raise _no_tenant(request.tenant_id)
        async with self.database.reading(tenant_id) as conn:
            tenant = await sql.get_tenant.one(conn, Tenant, tenant_id=tenant_id)
        if tenant is None:
            raise _no_tenant(request.tenant_id)
        return tenant

    @operation_above_tenants
    async def update_tenant(self, tx: Tx, request: UpdateTenantRequest) -> Tenant:
        refuse([] if request.name is None else rules.name_errors("name", request.name))
        before = await enter_tenant(tx, request.tenant_id)
        if request.name in (None, before.name) and request.version in (None, before.version):
            return before
        after = await sql.update_tenant.one(
            tx.conn, Tenant, tenant_id=tx.tenant_id, name=request.name, version=request.version
        )
        if after is None:
            message = f"The tenant is at version {before.version}, not {request.version}."
            raise VersionMismatch("VERSION_MISMATCH", message, current=before)
        payload = TenantEvent(tenant=after)
        key, version = after.tenant_id, after.version
        await tx.emit(aggregate="identity", event="tenant_changed", payload=payload, key=key, version=version)
        await audited(tx, "update_tenant", "tenant", after.tenant_id, before=before, after=after)
        return after

    @operation_above_tenants
    async def suspend_tenant(self, tx: Tx, request: SuspendTenantRequest) -> Tenant:
        return await _change_status(tx, request, TenantStatus.SUSPENDED, action="suspend_tenant")

    @operation_above_tenants
    async def resume_tenant(self, tx: Tx, request: ResumeTenantRequest) -> Tenant:
        return await _change_status(tx, request, TenantStatus.ACTIVE, action="resume_tenant")


async def enter_tenant(tx: Tx, tenant_id: str) -> Tenant:
    """Go on in that tenant; NotFound where there is none."""
    if rules.uuid_or_none(tenant_id) is None:
        raise _no_tenant(tenant_id)
    await tx.enter(tenant_id)
    tenant = await sql.get_tenant.one(tx.conn, Tenant, tenant_id=tenant_id)
    if tenant is None:
        raise _no_tenant(tenant_id)
    return tenant


async def _change_status(
    tx: Tx, request: SuspendTenantRequest | ResumeTenantRequest, status: TenantStatus, *, action: str
) -> Tenant:
    """Bring a tenant where it is wanted; where it stands there already nothing changes."""
    refuse(rules.reason_errors(request.reason))
    before = await enter_tenant(tx, request.tenant_id)
    after = await sql.change_tenant_status.one(tx.conn, Tenant, tenant_id=tx.tenant_id, tenant_status=status)
    if after is None:
        return before
    event = "tenant_suspended" if status is TenantStatus.SUSPENDED else "tenant_resumed"
    payload = TenantEvent(tenant=after)
    await tx.emit(aggregate="identity", event=event, payload=payload, key=after.tenant_id, version=after.version)
    reason = {} if request.reason is None else {"reason": request.reason}
    now = {"status": after.status, **reason}
    await audited(tx, action, "tenant", after.tenant_id, before={"status": before.status}, after=now)
    return after


def _no_tenant(tenant_id: str) -> NotFound:
    return NotFound("TENANT_NOT_FOUND", f"There is no tenant {tenant_id[:100]}.")
