"""A deleted tenant: gone at once for whoever asks, and with every row behind that."""

from collections.abc import AsyncIterator, Awaitable

import pytest
from identity_world import PASSWORD, SERVICE_KEY, Home, World, home, world
from orkestra.chassis.database import NO_TENANT, Database
from orkestra.chassis.forgetting import Forgetting
from orkestra.chassis.streams import EVENTS, Nats, connect
from orkestra.identity_service.operations import OwnDeletions
from orkestra.v1.identity import (
    CreateApiKeyRequest,
    CreateGroupRequest,
    CreateTenantRequest,
    DeletedTenant,
    DeleteTenantRequest,
    GetTenantRequest,
    IdentityServiceClient,
    InviteUserRequest,
    ListDeletedTenantsRequest,
    ListTenantsRequest,
    PrincipalKind,
    SetSubstitutionRequest,
    SuspendTenantRequest,
)
from orkestra.wire import Error, FailedPrecondition, InvalidArgument, NotFound, Unauthenticated

__all__ = ["home", "world"]
TABLES = """
select c.relname::text from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
where c.relnamespace = 'identity'::regnamespace and c.relkind = 'r'
"""
LINK = "insert into linked_subjects (tenant_id, subject_id, issuer, subject, user_id) values ($1, 's', 'i', 'a', $2)"


@pytest.fixture
async def operator(world: World) -> IdentityServiceClient:
    return await world.holder(SERVICE_KEY)


@pytest.fixture
async def stream(nats_url: str) -> AsyncIterator[Nats]:
    nats = await connect(nats_url, name="deletion")
    await nats.connected()
    await nats.ensure_streams()
    yield nats
    await nats.close()


@pytest.fixture
async def forgetting(world: World, stream: Nats) -> AsyncIterator[Forgetting]:
    sweep = await Database.connect(world.schema.url("sweep"), schema="identity")
    yield Forgetting(sweep, stream, OwnDeletions(world.operations.database))
    await sweep.close()


async def refusal(call: Awaitable[object]) -> tuple[type[Error], str]:
    with pytest.raises(Error) as refused:
        await call
    return type(refused.value), refused.value.reason


async def delete(operator: IdentityServiceClient, home: Home, *, request_id: str | None = None) -> DeletedTenant:
    await operator.suspend_tenant(SuspendTenantRequest(tenant_id=home.id))
    request = DeleteTenantRequest(tenant_id=home.id, slug=home.tenant.slug, reason="Gone")
    return await operator.delete_tenant(request, request_id=request_id)


async def rows_of(world: World, tenant_id: str) -> dict[str, int]:
    """How many rows of the tenant each table has that can have any."""
    tables = [row[0] for row in await world.rows(TABLES)]
    counted = {one: await world.rows(f"select count(*) from {one} where tenant_id = $1", tenant_id) for one in tables}
    return {table: rows[0][0] for table, rows in counted.items()}


async def furnish(home: Home) -> tuple[str, str]:
    """Give the tenant a row in every table; return the secrets of a key and of a session."""
    await home.admin.create_group(CreateGroupRequest(group_id="support"), request_id="once")
    ann = await home.person("ann", groups=["support"])
    await home.admin.invite_user(InviteUserRequest(user_id=ann))
    await home.admin.set_substitution(SetSubstitutionRequest(user_id=ann))
    await home.world.rows(LINK, home.id, ann)
    key = await home.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
    return key.secret, (await home.world.sign_in(home.email("ann"))).token


async def test_only_a_suspended_tenant_is_deleted_and_only_by_its_slug(
    world: World, home: Home, operator: IdentityServiceClient
) -> None:
    asked = DeleteTenantRequest(tenant_id=home.id, slug=home.tenant.slug)
    assert await refusal(operator.delete_tenant(asked)) == (FailedPrecondition, "TENANT_NOT_SUSPENDED")
    await operator.suspend_tenant(SuspendTenantRequest(tenant_id=home.id))
    for slug in ("", "another", home.tenant.slug.upper()):
        wrong = asked.model_copy(update={"slug": slug})
        assert await refusal(operator.delete_tenant(wrong)) == (InvalidArgument, "REQUEST_INVALID")
    for tenant_id in ("none", "00000000-0000-4000-8000-00000000000a"):
        unknown = asked.model_copy(update={"tenant_id": tenant_id})
        assert await refusal(operator.delete_tenant(unknown)) == (NotFound, "TENANT_NOT_FOUND")
    assert (await operator.get_tenant(GetTenantRequest(tenant_id=home.id))).slug == home.tenant.slug


async def test_a_deleted_tenant_answers_at_once_like_one_that_never_was(
    world: World, home: Home, operator: IdentityServiceClient
) -> None:
    key, session = await furnish(home)
    await delete(operator, home)
    for credential in (key, session):
        assert await refusal(world.exchange(credential)) == (Unauthenticated, "CREDENTIAL_UNKNOWN")
    assert await refusal(world.sign_in(home.email("ann"), PASSWORD)) == (Unauthenticated, "SIGN_IN_REFUSED")
    assert await refusal(world.exchange(SERVICE_KEY, tenant_id=home.id)) == (NotFound, "TENANT_NOT_FOUND")
    named = GetTenantRequest(tenant_id=home.id)
    assert await refusal(operator.get_tenant(named)) == (NotFound, "TENANT_NOT_FOUND")
    again = DeleteTenantRequest(tenant_id=home.id, slug=home.tenant.slug)
    assert await refusal(operator.delete_tenant(again)) == (NotFound, "TENANT_NOT_FOUND")
    assert home.id not in {one.tenant_id for one in (await operator.list_tenants(ListTenantsRequest())).tenants}
    renewed = await operator.create_tenant(CreateTenantRequest(slug=home.tenant.slug, name="Another"))
    assert renewed.tenant_id != home.id


async def test_the_deletion_is_kept_and_told_above_tenants_once(
    world: World, home: Home, operator: IdentityServiceClient
) -> None:
    deleted = await delete(operator, home, request_id=f"delete-{home.id}")
    again = DeleteTenantRequest(tenant_id=home.id, slug=home.tenant.slug, reason="Gone")
    assert await operator.delete_tenant(again, request_id=f"delete-{home.id}") == deleted
    kept = (await operator.list_deleted_tenants(ListDeletedTenantsRequest())).deleted_tenants
    assert [one for one in kept if one.tenant_id == home.id] == [deleted]
    assert (deleted.slug, deleted.reason, deleted.deleted_by) == (home.tenant.slug, "Gone", "service")
    told = "select count(*) from outbox where tenant_id = $1 and headers ->> 'ce-subject' = $2"
    assert (await world.rows(told, NO_TENANT, home.id))[0][0] == 1
    audited = "select actor from audit_entries where action = 'delete_tenant' and resource_id = $1"
    assert [row["actor"] for row in await world.rows(audited, home.id)] == ["service"]


async def test_no_row_is_left_of_a_deleted_tenant_and_every_row_of_another(
    world: World, home: Home, operator: IdentityServiceClient, forgetting: Forgetting
) -> None:
    other = await world.tenant()
    for one in (home, other):
        await furnish(one)
    before = await rows_of(world, home.id)
    assert [table for table, rows in before.items() if not rows] == [], "furnish() leaves these tables empty"
    theirs = await rows_of(world, other.id)
    await delete(operator, home)
    await forgetting.once()
    assert set((await rows_of(world, home.id)).values()) == {0}
    assert await rows_of(world, other.id) == theirs
    assert forgetting.has_forgotten(home.id)
    assert not forgetting.has_forgotten(other.id)


async def test_events_of_a_deleted_tenant_leave_the_stream_and_others_stay(
    world: World, home: Home, operator: IdentityServiceClient, forgetting: Forgetting, stream: Nats
) -> None:
    other = await world.tenant()
    for tenant_id in (home.id, home.id, other.id):
        await stream.jetstream.publish(f"orkestra.v1.{tenant_id}.task.created", b"{}")
        await stream.jetstream.publish(f"orkestra_dead.someone.orkestra.v1.{tenant_id}.task.created", b"{}")
    await delete(operator, home)
    await forgetting.once()

    async def left(tenant_id: str) -> tuple[int, int]:
        events = await stream.jetstream.stream_info(EVENTS, subjects_filter=f"orkestra.v1.{tenant_id}.>")
        dead = await stream.jetstream.stream_info(
            "ORKESTRA_DEAD", subjects_filter=f"orkestra_dead.*.orkestra.v1.{tenant_id}.>"
        )
        return len(events.state.subjects or {}), len(dead.state.subjects or {})

    assert (await left(home.id), await left(other.id)) == ((0, 0), (1, 1))


async def test_what_could_not_be_reached_is_gone_over_again_whole(
    world: World, home: Home, operator: IdentityServiceClient, forgetting: Forgetting
) -> None:
    await furnish(home)
    await delete(operator, home)
    tried: list[str] = []

    async def breaks_once(tenant_id: str) -> None:
        if tenant_id == home.id:
            tried.append(tenant_id)
            if len(tried) == 1:
                raise ConnectionError("it is away")

    forgetting.first = breaks_once
    await forgetting.once()
    assert sum((await rows_of(world, home.id)).values()) > 0
    await forgetting.once()
    assert sum((await rows_of(world, home.id)).values()) == 0
    assert len(tried) == 2


async def test_the_role_of_requests_may_not_forget(world: World, home: Home) -> None:
    async with world.operations.database.transaction(home.id) as conn:
        allowed = await conn.fetchval("select has_function_privilege('forget_tenant(uuid, integer)', 'execute')")
    assert allowed is False
