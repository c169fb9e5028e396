"""What an administrator changes afterwards: addresses, groups, what keys may do, what tenants are called."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from identity_world import PASSWORD, Home, World, home, world
from orkestra.v1.identity import (
    ApiKey,
    CreateApiKeyRequest,
    CreateGroupRequest,
    DeleteGroupRequest,
    GetGroupRequest,
    GetMeRequest,
    GetUserRequest,
    InviteUserRequest,
    ListAuditRequest,
    ListGroupsRequest,
    PrincipalKind,
    RevokeApiKeyRequest,
    Role,
    UpdateApiKeyRequest,
    UpdateMeRequest,
    UpdateTenantRequest,
    UpdateUserRequest,
)
from orkestra.wire import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    VersionMismatch,
)

__all__ = ["home", "world"]


async def test_a_person_with_a_new_address_signs_in_by_it_and_old_links_are_worth_nothing(
    world: World, home: Home
) -> None:
    ann = await home.person("ann")
    await home.admin.invite_user(InviteUserRequest(user_id=ann))
    changed = await home.admin.update_user(UpdateUserRequest(user_id=ann, email=home.email("Ann.New")))
    assert (changed.email, changed.version) == (home.email("Ann.New"), 2)
    assert (await world.sign_in(home.email("ann.new"))).user == changed
    with pytest.raises(Unauthenticated):
        await world.sign_in(home.email("ann"))
    assert await home.admin.get_user(GetUserRequest(user_id=home.email("ann.NEW"))) == changed
    assert await world.rows("select from mail_links where user_id = $1", ann) == []
    [entry] = (await home.admin.list_audit(ListAuditRequest(action="update_user"))).entries
    assert (entry.before, entry.after) == (
        {"email": home.email("ann"), "version": 1},
        {"email": home.email("Ann.New"), "version": 2},
    )
    assert (await world.events(home.id))[-1] == "user_changed"


async def test_two_people_of_a_tenant_never_have_one_address(world: World, home: Home) -> None:
    ann, ben = await home.person("ann"), await home.person("ben")
    for email in (home.email("ann"), home.email("ANN")):
        with pytest.raises(AlreadyExists) as refused:
            await home.admin.update_user(UpdateUserRequest(user_id=ben, email=email))
        assert refused.value.reason == "EMAIL_TAKEN"
    with pytest.raises(InvalidArgument):
        await home.admin.update_user(UpdateUserRequest(user_id=ben, email="no address"))
    # One's own in other letters is no other person's.
    shouted = await home.admin.update_user(UpdateUserRequest(user_id=ann, email=home.email("ANN")))
    assert shouted.email == home.email("ANN")
    other = await world.tenant()
    eve = await other.person("eve")
    moved = await other.admin.update_user(UpdateUserRequest(user_id=eve, email=home.email("ann")))
    assert moved.email == home.email("ann")


async def test_a_deleted_group_is_gone_for_its_members_and_its_id_may_be_used_again(world: World, home: Home) -> None:
    ann = await home.person("ann")
    made = await home.admin.create_group(CreateGroupRequest(group_id="support-l1", name="Support", members=[ann]))
    session = await world.sign_in(home.email("ann"))
    assert (await world.exchange(session.token)).groups == ["support-l1"]
    assert await home.admin.delete_group(DeleteGroupRequest(group_id="support-l1")) == made
    assert (await world.exchange(session.token)).groups == []
    for call in (
        home.admin.get_group(GetGroupRequest(group_id="support-l1")),
        home.admin.delete_group(DeleteGroupRequest(group_id="support-l1")),
    ):
        with pytest.raises(NotFound) as refused:
            await call
        assert refused.value.reason == "GROUP_NOT_FOUND"
    assert (await home.admin.list_groups(ListGroupsRequest())).groups == []
    again = await home.admin.create_group(CreateGroupRequest(group_id="support-l1", name="Anew"))
    assert (again.name, again.members) == ("Anew", [])
    assert again.version > made.version + 1
    assert [event for event in await world.events(home.id) if "group" in event] == [
        "group_changed",
        "group_deleted",
        "group_changed",
    ]
    [entry] = (await home.admin.list_audit(ListAuditRequest(action="delete_group"))).entries
    assert entry.before is not None
    assert entry.before["members"] == [ann]


async def key(home: Home, **values: Any) -> tuple[ApiKey, str]:
    created = await home.admin.create_api_key(
        CreateApiKeyRequest(**{"name": "Bot", "kind": PrincipalKind.AGENT, **values})
    )
    return created.api_key, created.secret


async def test_what_a_key_may_do_changes_at_once_and_its_secret_stays(world: World, home: Home) -> None:
    ann, ben = await home.person("ann"), await home.person("ben")
    before, secret = await key(home, on_behalf_of=[ann], allowed_ips=["10.1.0.0/16"])
    soon = datetime.now(UTC) + timedelta(days=1)
    after = await home.admin.update_api_key(
        UpdateApiKeyRequest(
            key_id=before.key_id,
            name="Better bot",
            add_on_behalf_of=[home.email("Ben")],
            remove_on_behalf_of=[ann, "user_gone"],
            add_allowed_ips=["192.0.2.0/24"],
            remove_allowed_ips=["10.1.0.0/16"],
            expires_at=soon,
            version=before.version,
        )
    )
    assert (after.name, after.on_behalf_of, after.allowed_ips) == ("Better bot", [ben], ["192.0.2.0/24"])
    assert (after.prefix, after.version, after.expires_at) == (before.prefix, before.version + 1, soon)
    token = (await world.exchange(secret, ip="192.0.2.7")).token
    assert (await world.signer.verifier().verify(token)).on_behalf_of == frozenset({ben})
    with pytest.raises(PermissionDenied) as refused:
        await world.exchange(secret, ip="10.1.2.3")
    assert refused.value.reason == "IP_NOT_ALLOWED"
    everybody = await home.admin.update_api_key(
        UpdateApiKeyRequest(key_id=before.key_id, add_on_behalf_of=["*"], remove_allowed_ips=["192.0.2.0/24"])
    )
    assert (everybody.on_behalf_of, everybody.allowed_ips) == (["*"], [])
    assert await home.admin.update_api_key(UpdateApiKeyRequest(key_id=before.key_id)) == everybody
    [last, first] = (await home.admin.list_audit(ListAuditRequest(action="update_api_key"))).entries
    assert (first.before, last.after) == (
        {
            "name": "Bot",
            "on_behalf_of": [ann],
            "allowed_ips": ["10.1.0.0/16"],
            "expires_at": None,
            "version": before.version,
        },
        {"on_behalf_of": ["*"], "allowed_ips": [], "version": everybody.version},
    )


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"name": " "}, "name"),
        ({"add_on_behalf_of": ["user_nobody"]}, "add_on_behalf_of[0]"),
        ({"add_allowed_ips": ["10.1.2.3/8"]}, "add_allowed_ips[0]"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expires_at"),
        ({"add_allowed_ips": [f"10.0.{n}.0/24" for n in range(51)]}, "add_allowed_ips"),
    ],
)
async def test_a_change_of_a_key_that_cannot_be_is_refused_by_its_field(
    home: Home, values: dict[str, Any], path: str
) -> None:
    before, _ = await key(home)
    with pytest.raises(InvalidArgument) as refused:
        await home.admin.update_api_key(UpdateApiKeyRequest(key_id=before.key_id, **values))
    assert [error.path for error in refused.value.errors] == [path]


async def test_a_key_that_moved_on_or_ended_or_is_anothers_does_not_change(world: World, home: Home) -> None:
    before, _ = await key(home)
    other = await world.tenant()
    with pytest.raises(NotFound):
        await other.admin.update_api_key(UpdateApiKeyRequest(key_id=before.key_id, name="Mine"))
    with pytest.raises(VersionMismatch):
        await home.admin.update_api_key(UpdateApiKeyRequest(key_id=before.key_id, name="New", version=7))
    await home.admin.revoke_api_key(RevokeApiKeyRequest(key_id=before.key_id))
    with pytest.raises(FailedPrecondition) as refused:
        await home.admin.update_api_key(UpdateApiKeyRequest(key_id=before.key_id, name="New"))
    assert refused.value.reason == "API_KEY_ENDED"


async def test_the_operator_renames_a_tenant(world: World, home: Home) -> None:
    operator = world.as_role(Role.OPERATOR)
    change = UpdateTenantRequest(tenant_id=home.id, name="Another name", version=home.tenant.version)
    after = await operator.update_tenant(change)
    assert after == home.tenant.model_copy(update={"name": "Another name", "version": home.tenant.version + 1})
    with pytest.raises(VersionMismatch):
        await operator.update_tenant(change)
    with pytest.raises(InvalidArgument):
        await operator.update_tenant(UpdateTenantRequest(tenant_id=home.id, name=""))
    assert await operator.update_tenant(UpdateTenantRequest(tenant_id=home.id)) == after
    [entry] = (await home.admin.list_audit(ListAuditRequest(action="update_tenant"))).entries
    assert entry.after == {"name": "Another name", "version": after.version}
    assert (await world.events(home.id))[-1] == "tenant_changed"
    me = await (await world.holder((await world.sign_in(home.email("admin"), PASSWORD)).token)).get_me(GetMeRequest())
    assert me.tenant_id == home.id


async def test_people_set_their_own_name_language_and_zone(world: World, home: Home) -> None:
    ann = await home.person("ann")
    me = await world.holder((await world.sign_in(home.email("ann"))).token)
    changed = await me.update_me(UpdateMeRequest(name="Ann Noir", locale="fr", time_zone="Europe/Paris", version=1))
    assert changed.user is not None
    assert (changed.name, changed.user.locale, changed.user.time_zone) == ("Ann Noir", "fr", "Europe/Paris")
    assert changed == await me.get_me(GetMeRequest())
    assert changed.user == await home.admin.get_user(GetUserRequest(user_id=ann))
    assert (await world.events(home.id))[-1] == "user_changed"
    [entry] = (await home.admin.list_audit(ListAuditRequest(action="update_me"))).entries
    assert (entry.actor, entry.resource_id) == (ann, ann)
    assert await me.update_me(UpdateMeRequest()) == changed
    again = (await me.update_me(UpdateMeRequest(locale="", time_zone=""))).user
    assert again is not None
    assert (again.name, again.locale, again.time_zone, again.version) == ("Ann Noir", None, None, 3)
    assert (await me.update_me(UpdateMeRequest(locale="", time_zone=""))).user == again


@pytest.mark.parametrize(
    ("values", "path"),
    [({"name": " "}, "name"), ({"locale": "german!"}, "locale"), ({"time_zone": "Europe/Nowhere"}, "time_zone")],
)
async def test_what_people_cannot_be_called_or_read_is_refused_by_its_field(
    world: World, home: Home, values: dict[str, Any], path: str
) -> None:
    await home.person("ann")
    me = await world.holder((await world.sign_in(home.email("ann"))).token)
    with pytest.raises(InvalidArgument) as refused:
        await me.update_me(UpdateMeRequest(**values))
    assert [error.path for error in refused.value.errors] == [path]


async def test_a_change_of_oneself_from_an_old_page_is_refused_and_a_key_is_nobody(world: World, home: Home) -> None:
    await home.person("ann")
    me = await world.holder((await world.sign_in(home.email("ann"))).token)
    with pytest.raises(VersionMismatch) as stale:
        await me.update_me(UpdateMeRequest(locale="de", version=7))
    assert stale.value.current is not None
    created = await home.admin.create_api_key(
        CreateApiKeyRequest(name="Till", kind=PrincipalKind.SERVICE, roles=[Role.ADMIN])
    )
    with pytest.raises(PermissionDenied) as refused:
        await (await world.holder(created.secret)).update_me(UpdateMeRequest(locale="de"))
    assert refused.value.reason == "ONLY_PEOPLE_HAVE_PROFILES"
