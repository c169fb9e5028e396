"""`orkestra tenant`, `user`, `group` and `key`: who there is."""

from datetime import datetime
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import typer
from orkestra.cli.connection import Session, asks
from orkestra.cli.options import YesOption
from orkestra.cli.refusals import RefusedError
from orkestra.v1.identity import (
    ApiKey,
    CreateApiKeyRequest,
    CreatedApiKey,
    CreateGroupRequest,
    CreateTenantRequest,
    CreateUserRequest,
    DeletedTenant,
    Group,
    ListApiKeysResponse,
    ListGroupsResponse,
    ListTenantsResponse,
    ListUsersResponse,
    PrincipalKind,
    Role,
    Tenant,
    User,
)
from orkestra.v1.workflow import ErasePersonRequest, Erasure

tenants = typer.Typer(help="Customers of the installation.", no_args_is_help=True)
users = typer.Typer(help="People.", no_args_is_help=True)
groups = typer.Typer(help="Groups of people.", no_args_is_help=True)
keys = typer.Typer(help="API keys for programs.", no_args_is_help=True)
LONGEST_PAGE = 100
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=LONGEST_PAGE, help="At most this many.")]
RoleOption = Annotated[list[Role] | None, typer.Option("--role", help="May be repeated.")]
GroupOption = Annotated[list[str] | None, typer.Option("--group", help="May be repeated.")]
NameOption = Annotated[str | None, typer.Option("--name", help="What it is called.")]


@asks(tenants, "create", acts_as="operator")
async def create_tenant(
    session: Session,
    slug: Annotated[str, typer.Argument(help="Lower-case letters, digits, hyphens.")],
    *,
    name: NameOption = None,
) -> None:
    """Create a tenant. For operators; on the local stack with the installation's key."""
    request = CreateTenantRequest(slug=slug, name=name or slug)
    made = await session.client.call(Tenant, "POST", "/v1/tenants", request)
    session.output.give(made, f"Created {made.slug}: {made.tenant_id}.")


@asks(tenants, "list", acts_as="operator")
async def list_tenants(session: Session, *, limit: LimitOption = 50) -> None:
    """List the tenants that the caller may see."""
    page = await session.client.call(ListTenantsResponse, "GET", "/v1/tenants", {"page_size": limit})
    rows = [(one.slug, one.name, one.status, one.tenant_id) for one in page.tenants]
    session.output.table({"tenants": page.tenants}, ("SLUG", "NAME", "STATUS", "ID"), rows, empty="There are none.")


@asks(tenants, "revoke", acts_as="operator")
async def revoke_tenant(
    session: Session,
    named: Annotated[str, typer.Argument(metavar="TENANT", help="Slug or id.")],
    *,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept in the tenant's audit.")] = None,
    yes: YesOption = False,
) -> None:
    """Suspend a tenant: its people and keys are refused everywhere within 2 seconds. For operators.

    What is its own stays; POST /v1/tenants/ID/resume lets them in again.
    """
    found = await _tenant(session, named)
    session.confirm(f"Suspend {found.slug}, with all its people and keys?", yes=yes)
    path = f"/v1/tenants/{found.tenant_id}"
    gone = await session.client.call(Tenant, "POST", f"{path}/suspend", {"reason": reason})
    session.output.give(gone, f"Suspended {gone.slug}. POST {path}/resume lets its people and keys in again.")


@asks(tenants, "delete", acts_as="operator")
async def delete_tenant(
    session: Session,
    named: Annotated[str, typer.Argument(metavar="TENANT", help="Slug or id of a suspended tenant.")],
    *,
    confirm: Annotated[str, typer.Option("--confirm", metavar="SLUG", help="The tenant's slug, typed again.")],
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept with the deletion.")] = None,
) -> None:
    """Delete a suspended tenant with everything of theirs in every service. For operators. There is no way back."""
    found = await _tenant(session, named)
    query = {"slug": confirm, "reason": reason}
    gone = await session.client.call(DeletedTenant, "DELETE", f"/v1/tenants/{found.tenant_id}", query)
    session.output.give(gone, f"Deleted {gone.slug}. Every service forgets what was theirs within a minute.")


@asks(users, "create")
async def create_user(
    session: Session,
    email: Annotated[str, typer.Argument(help="E-mail address.")],
    *,
    name: NameOption = None,
    role: RoleOption = None,
    group: GroupOption = None,
    password: Annotated[
        str | None, typer.Option("--password", envvar="ORKESTRA_NEW_PASSWORD", help="12 characters at least.")
    ] = None,
) -> None:
    """Create a person. For admins."""
    request = CreateUserRequest(
        email=email, name=name or email.partition("@")[0], roles=role or [], groups=group or [], password=password
    )
    made = await session.client.call(User, "POST", "/v1/users", request)
    session.output.give(made, f"Created {made.email}: {made.user_id}.")


@asks(users, "list")
async def list_users(session: Session, *, limit: LimitOption = 50) -> None:
    """List the tenant's people, by e-mail address."""
    page = await session.client.call(ListUsersResponse, "GET", "/v1/users", {"page_size": limit})
    rows = [(one.email, one.name, one.roles, one.groups, one.status) for one in page.users]
    session.output.table(
        {"users": page.users}, ("E-MAIL", "NAME", "ROLES", "GROUPS", "STATUS"), rows, empty="There are none."
    )


@asks(users, "revoke")
async def revoke_user(
    session: Session,
    user: Annotated[str, typer.Argument(metavar="USER", help="E-mail address or id.")],
    *,
    yes: YesOption = False,
) -> None:
    """Disable a person, whose sessions and mail links end with it. For admins.

    What they did stays; POST /v1/users/ID/enable lets them sign in again.
    """
    session.confirm(f"Disable {user}, and end their sessions?", yes=yes)
    gone = await session.client.call(User, "POST", f"/v1/users/{_part(user)}/disable")
    session.output.give(gone, f"Disabled {gone.email}. POST /v1/users/{gone.user_id}/enable lets them in again.")


@asks(users, "erase")
async def erase_user(
    session: Session,
    user: Annotated[str, typer.Argument(metavar="USER", help="E-mail address or id of a disabled person.")],
    *,
    reason: Annotated[str | None, typer.Option("--reason", help="Why; kept with the erasure.")] = None,
    yes: YesOption = False,
) -> None:
    """Erase a disabled person's data in every service; what they decided stays under their id. For admins.

    There is no way back. GET /v1/erasures/ID says how far it is.
    """
    session.confirm(f"Erase {user} for good?", yes=yes)
    request = ErasePersonRequest(user_id=user, reason=reason)
    asked = await session.client.call(Erasure, "POST", "/v1/erasures", request)
    session.output.give(asked, f"Erasing {asked.user_id}: {asked.erasure_id}.")


@asks(groups, "create")
async def create_group(
    session: Session,
    group_id: Annotated[str, typer.Argument(metavar="GROUP", help="Lower-case letters, digits, hyphens.")],
    *,
    name: NameOption = None,
    member: Annotated[list[str] | None, typer.Option("--member", help="E-mail or id; may be repeated.")] = None,
) -> None:
    """Create a group. For admins."""
    request = CreateGroupRequest(group_id=group_id, name=name, members=member or [])
    made = await session.client.call(Group, "POST", "/v1/groups", request)
    session.output.give(made, f"Created {made.group_id} with {len(made.members)} members.")


@asks(groups, "list")
async def list_groups(session: Session, *, limit: LimitOption = 50) -> None:
    """List the tenant's groups."""
    page = await session.client.call(ListGroupsResponse, "GET", "/v1/groups", {"page_size": limit})
    rows = [(one.group_id, one.name, len(one.members)) for one in page.groups]
    session.output.table({"groups": page.groups}, ("GROUP", "NAME", "MEMBERS"), rows, empty="There are none.")


@asks(groups, "revoke")
async def revoke_group(
    session: Session,
    group_id: Annotated[str, typer.Argument(metavar="GROUP")],
    *,
    yes: YesOption = False,
) -> None:
    """Delete a group: its members leave it, and no task is offered to it any more. For admins."""
    path = f"/v1/groups/{_part(group_id)}"
    found = await session.client.call(Group, "GET", path)
    session.confirm(f"Delete the group {found.group_id}, which has {len(found.members)} members?", yes=yes)
    gone = await session.client.call(Group, "DELETE", path)
    session.output.give(gone, f"Deleted {gone.group_id}.")


@asks(keys, "create")
async def create_key(
    session: Session,
    name: str,
    *,
    kind: Annotated[PrincipalKind, typer.Option("--kind", help="agent or service.")] = PrincipalKind.AGENT,
    role: RoleOption = None,
    on_behalf_of: Annotated[
        list[str] | None, typer.Option("--on-behalf-of", help="For whom it may ask; * for everyone.")
    ] = None,
    expires: Annotated[datetime | None, typer.Option("--expires", help="Until when, in UTC.")] = None,
) -> None:
    """Create an API key and print it, once. For admins."""
    request = CreateApiKeyRequest.model_validate(
        {
            "name": name,
            "kind": kind,
            "roles": role or [],
            "on_behalf_of": on_behalf_of or [],
            "expires_at": None if expires is None else f"{expires.isoformat()}Z",
        }
    )
    made = await session.client.call(CreatedApiKey, "POST", "/v1/api-keys", request)
    told = f"Created {made.api_key.key_id}. The key is shown this once:"
    session.output.give(made, told, made.secret)


@asks(keys, "list")
async def list_keys(session: Session, *, limit: LimitOption = 50) -> None:
    """List the tenant's API keys, newest first, without their secrets."""
    page = await session.client.call(ListApiKeysResponse, "GET", "/v1/api-keys", {"page_size": limit})
    rows = [(one.key_id, one.prefix, one.name, one.roles, one.last_used_at, _until(one)) for one in page.api_keys]
    columns = ("KEY", "BEGINS WITH", "NAME", "ROLES", "LAST USED", "ENDS")
    session.output.table({"api_keys": page.api_keys}, columns, rows, empty="There are none.")


@asks(keys, "revoke")
async def revoke_key(
    session: Session, key_id: Annotated[str, typer.Argument(metavar="ID")], *, yes: YesOption = False
) -> None:
    """Revoke an API key; it is refused everywhere within 2 seconds. For admins."""
    path = f"/v1/api-keys/{_part(key_id)}"
    found = await session.client.call(ApiKey, "GET", path)
    session.confirm(f"Revoke the key {found.name} for good?", yes=yes)
    revoked = await session.client.call(ApiKey, "POST", f"{path}/revoke")
    session.output.give(revoked, f"Revoked {revoked.name}.")


async def _tenant(session: Session, named: str) -> Tenant:
    """Return the tenant of a slug or an id; refuses what there is not."""
    try:
        tenant_id = UUID(named)
    except ValueError:
        return await _tenant_of_slug(session, named)
    return await session.client.call(Tenant, "GET", f"/v1/tenants/{tenant_id}")


async def _tenant_of_slug(session: Session, slug: str) -> Tenant:
    token: str | None = None
    while True:
        asked = {"page_size": LONGEST_PAGE, "page_token": token}
        page = await session.client.call(ListTenantsResponse, "GET", "/v1/tenants", asked)
        found = [one for one in page.tenants if one.slug == slug]
        if found:
            return found[0]
        token = page.next_page_token
        if token is None:
            step = "`orkestra tenant list` shows the tenants that you may see."
            raise RefusedError(f"There is no tenant {slug}.", step=step, code="TENANT_NOT_FOUND")


def _part(text: str) -> str:
    """A name as one part of a path."""
    return quote(text, safe="@")


def _until(key: ApiKey) -> datetime | None:
    return key.revoked_at or key.expires_at
