"""Every rpc that administers something writes it down; one that does not fails here."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from identity_world import PASSWORD, SERVICE_KEY, Home, Migrated, World, running
from orkestra.chassis.tokens import Signer
from orkestra.identity_service.operations import Issuer, Provider, issuers
from orkestra.v1 import identity_pb2
from orkestra.v1.identity import (
    AddMemberRequest,
    ChangePasswordRequest,
    CreateApiKeyRequest,
    CreateGroupRequest,
    CreateUserRequest,
    DeleteGroupRequest,
    DeleteTenantRequest,
    DisableUserRequest,
    EnableUserRequest,
    EraseUserRequest,
    InviteUserRequest,
    LinkSubjectRequest,
    PrincipalKind,
    RedeemMailLinkRequest,
    RemoveMemberRequest,
    ResumeTenantRequest,
    RevokeApiKeyRequest,
    Role,
    RotateApiKeyRequest,
    SetSubstitutionRequest,
    SuspendTenantRequest,
    UnlinkSubjectRequest,
    UpdateApiKeyRequest,
    UpdateGroupRequest,
    UpdateMeRequest,
    UpdateTenantRequest,
    UpdateUserRequest,
)
from orkestra.wire.server import snake

NOTHING_ADMINISTERED = {  # they open or end a right to act that somebody has, ask for a mail, or say what is so
    "ExchangeCredential",
    "SignIn",
    "SignOut",
    "BeginSignIn",
    "CompleteSignIn",
    "RequestPasswordReset",
    "RepublishPeople",
}
NO_SIDE_EFFECTS = 1  # google.protobuf.MethodOptions.IdempotencyLevel
ISSUER = "https://idp.example"
Act = Callable[["Bench"], Awaitable[Any]]


class Bench:
    """A tenant with one of everything, and those who administer it."""

    def __init__(self, world: World, home: Home) -> None:
        self.world, self.home, self.admin = world, home, home.admin
        self.operator = world.as_role(Role.OPERATOR)
        self.ann, self.key_id, self.subject_id = "", "", ""

    async def furnish(self) -> "Bench":
        await self.admin.create_group(CreateGroupRequest(group_id="g"))
        self.ann = await self.home.person("ann")
        key = await self.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
        self.key_id = key.api_key.key_id
        link = LinkSubjectRequest(issuer=ISSUER, subject="ann", principal=self.ann)
        self.subject_id = (await self.admin.link_subject(link)).subject_id
        return self

    async def change_password(self) -> None:
        session = await self.world.sign_in(self.home.email("ann"))
        change = ChangePasswordRequest(token=session.token, current_password=PASSWORD, new_password=PASSWORD)
        await (await self.world.holder(session.token)).change_password(change)

    async def redeem_mail_link(self) -> None:
        link = await self.admin.invite_user(InviteUserRequest(user_id=self.ann))
        token = self.world.operations.pepper.link_token(link.link_id)
        await self.world.nobody.redeem_mail_link(RedeemMailLinkRequest(token=token, password=PASSWORD))

    async def update_me(self) -> None:
        session = await self.world.sign_in(self.home.email("ann"))
        await (await self.world.holder(session.token)).update_me(UpdateMeRequest(locale="de"))

    async def enable_user(self) -> None:
        await self.admin.disable_user(DisableUserRequest(user_id=self.ann))
        await self.admin.enable_user(EnableUserRequest(user_id=self.ann))

    async def remove_member(self) -> None:
        await self.admin.add_member(AddMemberRequest(group_id="g", user_id=self.ann))
        await self.admin.remove_member(RemoveMemberRequest(group_id="g", user_id=self.ann))

    async def resume_tenant(self) -> None:
        await self.operator.suspend_tenant(SuspendTenantRequest(tenant_id=self.home.id))
        await self.operator.resume_tenant(ResumeTenantRequest(tenant_id=self.home.id))

    async def erase_user(self) -> None:
        await self.admin.disable_user(DisableUserRequest(user_id=self.ann))
        service = await self.world.holder(SERVICE_KEY, tenant_id=self.home.id)
        await service.erase_user(EraseUserRequest(user_id=self.ann))

    async def delete_tenant(self) -> None:
        tenant = self.home.tenant
        await self.operator.suspend_tenant(SuspendTenantRequest(tenant_id=tenant.tenant_id))
        await self.operator.delete_tenant(DeleteTenantRequest(tenant_id=tenant.tenant_id, slug=tenant.slug))

    async def link_subject(self) -> None:
        link = LinkSubjectRequest(issuer=ISSUER, subject="bot", principal=self.key_id)
        await self.admin.link_subject(link)


ACTS: dict[str, Act] = {
    "CreateTenant": lambda on: on.world.tenant(),
    "UpdateTenant": lambda on: on.operator.update_tenant(UpdateTenantRequest(tenant_id=on.home.id, name="New")),
    "SuspendTenant": lambda on: on.operator.suspend_tenant(SuspendTenantRequest(tenant_id=on.home.id)),
    "ResumeTenant": Bench.resume_tenant,
    "DeleteTenant": Bench.delete_tenant,
    "CreateUser": lambda on: on.admin.create_user(CreateUserRequest(email=on.home.email("ben"), name="Ben")),
    "UpdateUser": lambda on: on.admin.update_user(UpdateUserRequest(user_id=on.ann, name="New")),
    "UpdateMe": Bench.update_me,
    "DisableUser": lambda on: on.admin.disable_user(DisableUserRequest(user_id=on.ann)),
    "EnableUser": Bench.enable_user,
    "EraseUser": Bench.erase_user,
    "ChangePassword": Bench.change_password,
    "InviteUser": lambda on: on.admin.invite_user(InviteUserRequest(user_id=on.ann)),
    "RedeemMailLink": Bench.redeem_mail_link,
    "SetSubstitution": lambda on: on.admin.set_substitution(SetSubstitutionRequest(user_id=on.ann)),
    "CreateGroup": lambda on: on.admin.create_group(CreateGroupRequest(group_id="h")),
    "UpdateGroup": lambda on: on.admin.update_group(UpdateGroupRequest(group_id="g", name="New")),
    "DeleteGroup": lambda on: on.admin.delete_group(DeleteGroupRequest(group_id="g")),
    "AddMember": lambda on: on.admin.add_member(AddMemberRequest(group_id="g", user_id=on.ann)),
    "RemoveMember": Bench.remove_member,
    "CreateApiKey": lambda on: on.admin.create_api_key(CreateApiKeyRequest(name="B", kind=PrincipalKind.SERVICE)),
    "UpdateApiKey": lambda on: on.admin.update_api_key(UpdateApiKeyRequest(key_id=on.key_id, name="New")),
    "RotateApiKey": lambda on: on.admin.rotate_api_key(RotateApiKeyRequest(key_id=on.key_id)),
    "RevokeApiKey": lambda on: on.admin.revoke_api_key(RevokeApiKeyRequest(key_id=on.key_id)),
    "LinkSubject": Bench.link_subject,
    "UnlinkSubject": lambda on: on.admin.unlink_subject(UnlinkSubjectRequest(subject_id=on.subject_id)),
}


def changing() -> set[str]:
    """The rpcs that may have an effect."""
    methods = identity_pb2.DESCRIPTOR.services_by_name["IdentityService"].methods
    return {method.name for method in methods if method.GetOptions().idempotency_level != NO_SIDE_EFFECTS}


@pytest.fixture(scope="module")
async def known() -> AsyncIterator[dict[str, Issuer]]:
    """The providers of the service, which a test adds its tenant's to; nobody asks them anything."""
    found, http = issuers([], development=True)
    async with http:
        found["nobody"] = Issuer(Provider(provider_id="nobody", name="Nobody", issuer="https://none.example"), http)
        yield found


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, known: dict[str, Issuer]) -> AsyncIterator[World]:
    schema = await migrated("orkestra.identity_service", "identity", extra_roles=("lookup",))
    async with running(schema, signer, issuers=known) as world:
        yield world


@pytest.fixture
async def bench(world: World, known: dict[str, Issuer]) -> Bench:
    home = await world.tenant()
    own = Provider(provider_id=home.tenant.slug, name="Own", issuer=ISSUER, tenant=home.tenant.slug)
    known[own.provider_id] = Issuer(own, known["nobody"].http)
    return await Bench(world, home).furnish()


def test_every_rpc_that_changes_something_is_tried_here() -> None:
    assert ACTS.keys() | NOTHING_ADMINISTERED == changing()
    assert NOTHING_ADMINISTERED.isdisjoint(ACTS)


@pytest.mark.parametrize("rpc", ACTS)
async def test_every_administrative_act_is_in_the_audit(world: World, bench: Bench, rpc: str) -> None:
    count = "select count(*) from audit_entries where action = $1"
    before = (await world.rows(count, snake(rpc)))[0][0]
    await ACTS[rpc](bench)
    assert (await world.rows(count, snake(rpc)))[0][0] == before + 1
    [entry] = await world.rows("select * from audit_entries where action = $1 order by at desc limit 1", snake(rpc))
    assert entry["actor"]
    assert entry["resource_id"]
    assert PASSWORD not in str(dict(entry))
