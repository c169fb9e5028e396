"""Tenants suspended, people changed and disabled, keys given a new secret, and the audit of all of it."""

from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from identity_world import PASSWORD, SERVICE_KEY, Home, World, home, world
from orkestra.v1.identity import (
    AddMemberRequest,
    CreateApiKeyRequest,
    CreatedApiKey,
    CreateGroupRequest,
    DisableUserRequest,
    EnableUserRequest,
    GetApiKeyRequest,
    GetTenantRequest,
    GetUserRequest,
    ListAuditRequest,
    PrincipalKind,
    RemoveMemberRequest,
    ResumeTenantRequest,
    RevokeApiKeyRequest,
    Role,
    RotateApiKeyRequest,
    SuspendTenantRequest,
    TenantStatus,
    UpdateUserRequest,
    UserStatus,
)
from orkestra.wire import (
    Error,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    VersionMismatch,
)

__all__ = ["home", "world"]


async def refusal(call: Any) -> tuple[type[Error], str]:
    with pytest.raises(Error) as refused:
        await call
    return type(refused.value), refused.value.reason


async def bot(home: Home) -> CreatedApiKey:
    return await home.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))


async def test_a_suspended_tenant_lets_nobody_in_until_it_is_resumed(world: World, home: Home) -> None:
    operator = await world.holder(SERVICE_KEY)
    await home.person("ann")
    session, key = await world.sign_in(home.email("ann")), await bot(home)
    suspended = await operator.suspend_tenant(SuspendTenantRequest(tenant_id=home.id, reason="Unpaid"))
    assert (suspended.status, suspended.version) == (TenantStatus.SUSPENDED, 2)
    for call in (world.exchange(session.token), world.exchange(key.secret), world.sign_in(home.email("ann"))):
        assert await refusal(call) == (PermissionDenied, "TENANT_SUSPENDED")
    assert await operator.suspend_tenant(SuspendTenantRequest(tenant_id=home.id)) == suspended
    resumed = await operator.resume_tenant(ResumeTenantRequest(tenant_id=home.id))
    assert (resumed.status, resumed.version) == (TenantStatus.ACTIVE, 3)
    assert (await world.exchange(session.token)).tenant_id == home.id
    assert (await world.events(home.id))[-2:] == ["tenant_suspended", "tenant_resumed"]


async def test_a_tenant_is_seen_by_its_own_and_by_operators(world: World, home: Home) -> None:
    operator, other = await world.holder(SERVICE_KEY), await world.tenant()
    mine = GetTenantRequest(tenant_id=home.id)
    assert await operator.get_tenant(mine) == await home.admin.get_tenant(mine) == home.tenant
    assert await refusal(other.admin.get_tenant(mine)) == (NotFound, "TENANT_NOT_FOUND")
    nowhere = GetTenantRequest(tenant_id=str(uuid4()))
    assert await refusal(operator.get_tenant(nowhere)) == (NotFound, "TENANT_NOT_FOUND")
    suspend = SuspendTenantRequest(tenant_id=nowhere.tenant_id)
    assert await refusal(operator.suspend_tenant(suspend)) == (NotFound, "TENANT_NOT_FOUND")
    too_long = SuspendTenantRequest(tenant_id=home.id, reason="x" * 501)
    assert await refusal(operator.suspend_tenant(too_long)) == (InvalidArgument, "REQUEST_INVALID")


async def test_a_change_of_a_person_leaves_what_is_not_given(home: Home) -> None:
    ann = await home.person("ann", locale="de", time_zone="Europe/Berlin")
    changed = await home.admin.update_user(UpdateUserRequest(user_id=ann, name="Ann B.", roles=[Role.MANAGER]))
    assert (changed.name, changed.roles, changed.locale, changed.version) == ("Ann B.", [Role.MANAGER], "de", 2)
    same = await home.admin.update_user(UpdateUserRequest(user_id=home.email("ANN"), name="Ann B."))
    assert same == changed


async def test_a_change_of_a_person_is_refused_whole(home: Home) -> None:
    ann = await home.person("ann")
    stale = UpdateUserRequest(user_id=ann, name="New", version=7)
    with pytest.raises(VersionMismatch) as refused:
        await home.admin.update_user(stale)
    assert refused.value.current == await home.admin.get_user(GetUserRequest(user_id=ann))
    bad = UpdateUserRequest(user_id=ann, name="", roles=[Role.OPERATOR], locale="!", time_zone="Mars/Base")
    with pytest.raises(InvalidArgument) as invalid:
        await home.admin.update_user(bad)
    assert [error.path for error in invalid.value.errors] == ["name", "roles[0]", "locale", "time_zone"]


async def test_a_disabled_person_is_out_at_once_and_signs_in_anew_when_enabled(world: World, home: Home) -> None:
    ann = await home.person("ann")
    session = await world.sign_in(home.email("ann"))
    disabled = await home.admin.disable_user(DisableUserRequest(user_id=ann))
    assert (disabled.status, disabled.version) == (UserStatus.DISABLED, 2)
    assert (await refusal(world.exchange(session.token)))[0] is Unauthenticated
    assert await refusal(world.sign_in(home.email("ann"))) == (PermissionDenied, "USER_DISABLED")
    assert (await home.admin.enable_user(EnableUserRequest(user_id=ann))).status is UserStatus.ACTIVE
    assert await refusal(world.exchange(session.token)) == (Unauthenticated, "SESSION_ENDED")
    assert (await world.sign_in(home.email("ann"))).user.user_id == ann


async def test_a_tenant_keeps_an_admin(home: Home) -> None:
    first = home.email("admin")
    assert await refusal(home.admin.disable_user(DisableUserRequest(user_id=first))) == (
        FailedPrecondition,
        "LAST_ADMIN",
    )
    demote = UpdateUserRequest(user_id=first, roles=[Role.MEMBER])
    assert await refusal(home.admin.update_user(demote)) == (FailedPrecondition, "LAST_ADMIN")
    await home.person("second", roles=[Role.ADMIN])
    assert (await home.admin.update_user(demote)).roles == [Role.MEMBER]


async def test_a_rotated_key_is_the_same_principal_and_its_secret_before_ends_with_the_overlap(
    world: World, home: Home
) -> None:
    old = await bot(home)
    key_id = old.api_key.key_id
    new = await home.admin.rotate_api_key(RotateApiKeyRequest(key_id=key_id, overlap_seconds=600))
    assert (new.api_key.key_id, new.api_key.version, new.api_key.prefix) == (key_id, 2, new.secret[:12])
    assert {(await world.exchange(one.secret)).subject for one in (old, new)} == {key_id}
    await world.rows("update api_keys set previous_until = now() where key_id = $1", key_id)
    assert await refusal(world.exchange(old.secret)) == (Unauthenticated, "KEY_EXPIRED")
    assert (await world.exchange(new.secret)).subject == key_id
    last = await home.admin.rotate_api_key(RotateApiKeyRequest(key_id=key_id, overlap_seconds=0))
    assert (await refusal(world.exchange(new.secret)))[0] is Unauthenticated
    assert (await refusal(world.exchange(old.secret)))[0] is Unauthenticated
    assert (await world.exchange(last.secret)).subject == key_id


async def test_a_revoked_key_has_no_secret_that_opens_and_gets_no_new_one(world: World, home: Home) -> None:
    old = await bot(home)
    key_id = old.api_key.key_id
    new = await home.admin.rotate_api_key(RotateApiKeyRequest(key_id=key_id))
    revoked = await home.admin.revoke_api_key(RevokeApiKeyRequest(key_id=key_id))
    for secret in (old.secret, new.secret):
        assert await refusal(world.exchange(secret)) == (Unauthenticated, "KEY_REVOKED")
    rotate = RotateApiKeyRequest(key_id=key_id)
    assert await refusal(home.admin.rotate_api_key(rotate)) == (FailedPrecondition, "API_KEY_ENDED")
    assert await home.admin.get_api_key(GetApiKeyRequest(key_id=key_id)) == revoked
    too_long = RotateApiKeyRequest(key_id=key_id, overlap_seconds=700_000)
    assert await refusal(home.admin.rotate_api_key(too_long)) == (InvalidArgument, "REQUEST_INVALID")


async def test_a_repeated_rotation_answers_without_the_secret(home: Home) -> None:
    key_id = (await bot(home)).api_key.key_id
    request = RotateApiKeyRequest(key_id=key_id)
    first = await home.admin.rotate_api_key(request, request_id="once")
    again = await home.admin.rotate_api_key(request, request_id="once")
    assert (again.api_key, again.secret) == (first.api_key, "")


async def test_every_administrative_act_is_in_the_audit_without_secrets(world: World, home: Home) -> None:
    operator, admin = await world.holder(SERVICE_KEY), home.admin
    await admin.create_group(CreateGroupRequest(group_id="g"))
    ann = await home.person("ann")
    into = {"group_id": "g", "user_id": ann}
    await admin.add_member(AddMemberRequest(**into))
    await admin.add_member(AddMemberRequest(**into))
    await admin.remove_member(RemoveMemberRequest(**into))
    await admin.update_user(UpdateUserRequest(user_id=ann, name="Ann B."))
    await admin.disable_user(DisableUserRequest(user_id=ann))
    await admin.enable_user(EnableUserRequest(user_id=ann))
    key = await bot(home)
    rotated = await admin.rotate_api_key(RotateApiKeyRequest(key_id=key.api_key.key_id))
    await admin.revoke_api_key(RevokeApiKeyRequest(key_id=key.api_key.key_id))
    await operator.suspend_tenant(SuspendTenantRequest(tenant_id=home.id, reason="Unpaid"))
    await operator.resume_tenant(ResumeTenantRequest(tenant_id=home.id))
    entries = (await admin.list_audit(ListAuditRequest())).entries
    assert [entry.action for entry in reversed(entries)] == [
        *("create_tenant", "create_user", "create_group", "create_user", "add_member", "remove_member", "update_user"),
        *("disable_user", "enable_user", "create_api_key", "rotate_api_key", "revoke_api_key"),
        *("suspend_tenant", "resume_tenant"),
    ]
    [changed] = [entry for entry in entries if entry.action == "update_user"]
    assert (changed.before, changed.after) == ({"name": "Ann", "version": 1}, {"name": "Ann B.", "version": 2})
    assert (changed.actor, changed.actor_kind, changed.resource_id) == ("user_" + "0" * 32, PrincipalKind.USER, ann)
    assert (entries[1].actor, entries[1].after) == ("service", {"status": "suspended", "reason": "Unpaid"})
    told = str([dict(row) for row in await world.rows("select * from audit_entries where tenant_id = $1", home.id)])
    assert not any(secret in told for secret in (key.secret, rotated.secret, PASSWORD, "argon2"))


async def test_the_audit_is_filtered_and_paged(home: Home) -> None:
    for name in ("one", "two", "three"):
        await home.admin.create_group(CreateGroupRequest(group_id=name))
    groups = ListAuditRequest(action="create_group", page_size=2)
    first = await home.admin.list_audit(groups)
    rest = await home.admin.list_audit(groups.model_copy(update={"page_token": first.next_page_token}))
    assert [entry.resource_id for entry in [*first.entries, *rest.entries]] == ["three", "two", "one"]
    assert rest.next_page_token is None
    [two] = (await home.admin.list_audit(ListAuditRequest(resource_id="two"))).entries
    since = ListAuditRequest(since=two.at, until=first.entries[0].at, actor=two.actor)
    assert (await home.admin.list_audit(since)).entries == [two]
    assert (await home.admin.list_audit(ListAuditRequest(actor="nobody"))).entries == []


async def test_the_audit_shows_only_the_own_tenant_and_is_never_changed(world: World, home: Home) -> None:
    other = await world.tenant()
    for entry in (await other.as_role(Role.AUDITOR).list_audit(ListAuditRequest())).entries:
        assert entry.tenant_id == other.id
    for statement in ("update audit_entries set actor = 'x'", "delete from audit_entries"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with world.operations.database.transaction(home.id) as conn:
                await conn.execute(statement)
