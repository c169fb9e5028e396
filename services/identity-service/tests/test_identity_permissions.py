"""Who may call what: the table of rules.py against the running service."""

from typing import Any

import pytest
from identity_world import SERVICE_KEY, Home, World, home, world
from orkestra.identity_service import rules
from orkestra.v1 import identity_pb2
from orkestra.v1.identity import (
    AddMemberRequest,
    ChangePasswordRequest,
    CreateApiKeyRequest,
    CreateGroupRequest,
    CreateTenantRequest,
    CreateUserRequest,
    DeleteGroupRequest,
    DeleteTenantRequest,
    DisableUserRequest,
    EnableUserRequest,
    EraseUserRequest,
    GetApiKeyRequest,
    GetGroupRequest,
    GetMailLinkTokenRequest,
    GetMeRequest,
    GetSubstitutionRequest,
    GetTenantRequest,
    GetUserRequest,
    InviteUserRequest,
    LinkSubjectRequest,
    ListApiKeysRequest,
    ListAuditRequest,
    ListDeletedTenantsRequest,
    ListGroupsRequest,
    ListLinkedSubjectsRequest,
    ListTenantsRequest,
    ListUsersRequest,
    PrincipalKind,
    RemoveMemberRequest,
    RepublishPeopleRequest,
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
from orkestra.wire import Error, PermissionDenied, Unauthenticated
from orkestra.wire.server import snake

__all__ = ["home", "world"]

# A request for each rpc that gets past the permission and then names nothing that exists, or creates nothing.
HARMLESS: dict[str, Any] = {
    "GetMe": GetMeRequest(),
    "UpdateMe": UpdateMeRequest(),
    "CreateTenant": CreateTenantRequest(slug="", name=""),
    "ListTenants": ListTenantsRequest(),
    "CreateUser": CreateUserRequest(email="", name=""),
    "GetUser": GetUserRequest(user_id="user_none"),
    "ListUsers": ListUsersRequest(),
    "SetSubstitution": SetSubstitutionRequest(user_id="user_none"),
    "GetSubstitution": GetSubstitutionRequest(user_id="user_none"),
    "CreateGroup": CreateGroupRequest(group_id=""),
    "UpdateGroup": UpdateGroupRequest(group_id="none"),
    "GetGroup": GetGroupRequest(group_id="none"),
    "ListGroups": ListGroupsRequest(),
    "AddMember": AddMemberRequest(group_id="none", user_id="user_none"),
    "RemoveMember": RemoveMemberRequest(group_id="none", user_id="user_none"),
    "CreateApiKey": CreateApiKeyRequest(name="", kind=PrincipalKind.USER),
    "ListApiKeys": ListApiKeysRequest(),
    "RevokeApiKey": RevokeApiKeyRequest(key_id="key_none"),
    "GetTenant": GetTenantRequest(tenant_id="none"),
    "SuspendTenant": SuspendTenantRequest(tenant_id="none"),
    "EraseUser": EraseUserRequest(user_id="user_none"),
    "RepublishPeople": RepublishPeopleRequest(),
    "DeleteTenant": DeleteTenantRequest(tenant_id="none", slug="none"),
    "ListDeletedTenants": ListDeletedTenantsRequest(),
    "ResumeTenant": ResumeTenantRequest(tenant_id="none"),
    "UpdateUser": UpdateUserRequest(user_id="user_none"),
    "DisableUser": DisableUserRequest(user_id="user_none"),
    "EnableUser": EnableUserRequest(user_id="user_none"),
    "InviteUser": InviteUserRequest(user_id="user_none"),
    "ChangePassword": ChangePasswordRequest(token="", current_password="", new_password=""),
    "GetMailLinkToken": GetMailLinkTokenRequest(link_id="none"),
    "GetApiKey": GetApiKeyRequest(key_id="key_none"),
    "RotateApiKey": RotateApiKeyRequest(key_id="key_none"),
    "UpdateTenant": UpdateTenantRequest(tenant_id="none"),
    "DeleteGroup": DeleteGroupRequest(group_id="none"),
    "UpdateApiKey": UpdateApiKeyRequest(key_id="key_none"),
    "LinkSubject": LinkSubjectRequest(issuer="https://none.example", subject="s", principal="user_none"),
    "ListLinkedSubjects": ListLinkedSubjectsRequest(),
    "UnlinkSubject": UnlinkSubjectRequest(subject_id="subject_none"),
    "ListAudit": ListAuditRequest(),
}
OPERATORS = {
    *("GetMe", "ListTenants", "CreateTenant", "GetTenant", "UpdateTenant", "SuspendTenant", "ResumeTenant"),
    *("DeleteTenant", "ListDeletedTenants"),
}
MATRIX = [(rpc, role, role in allowed) for rpc, allowed in rules.PERMISSIONS.items() for role in Role]


async def refusal(client: Any, rpc: str) -> Error | None:
    try:
        await getattr(client, snake(rpc))(HARMLESS[rpc])
    except Error as refused:
        return refused
    return None


def test_every_rpc_is_open_or_in_the_table() -> None:
    rpcs = {method.name for method in identity_pb2.DESCRIPTOR.services_by_name["IdentityService"].methods}
    assert rpcs == rules.OPEN_RPCS | rules.PERMISSIONS.keys()
    assert rules.OPEN_RPCS.isdisjoint(rules.PERMISSIONS)


def test_an_rpc_outside_the_table_is_allowed_to_nobody() -> None:
    assert not rules.may("DropEverything", set(Role))


@pytest.mark.parametrize(("rpc", "role", "is_allowed"), MATRIX)
async def test_a_role_may_do_what_the_table_says(
    world: World, home: Home, rpc: str, role: Role, is_allowed: bool
) -> None:
    client = world.as_role(role, tenant_id=None if role is Role.OPERATOR else home.id)
    refused = await refusal(client, rpc)
    is_denied = isinstance(refused, PermissionDenied) and refused.reason == "ROLE_REQUIRED"
    if rpc in (
        "GetMailLinkToken",
        "EraseUser",
        "RepublishPeople",
    ):  # for the installation's own service key alone
        is_allowed = False
    assert is_denied is not is_allowed


@pytest.mark.parametrize("rpc", rules.PERMISSIONS)
async def test_nobody_calls_without_a_token(world: World, rpc: str) -> None:
    assert isinstance(await refusal(world.nobody, rpc), Unauthenticated)


@pytest.mark.parametrize("rpc", sorted(rules.PERMISSIONS.keys() - OPERATORS))
async def test_the_operator_sees_no_content(world: World, rpc: str) -> None:
    refused = await refusal(world.as_role(Role.OPERATOR), rpc)
    assert isinstance(refused, PermissionDenied)


async def test_the_service_key_without_a_tenant_reads_nothing_of_any(world: World) -> None:
    refused = await refusal(await world.holder(SERVICE_KEY), "ListUsers")
    assert refused is not None
    assert refused.reason == "TENANT_REQUIRED"
