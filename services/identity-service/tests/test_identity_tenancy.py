"""Nothing crosses from one tenant to another, even where a query forgets its tenant."""

import re
from datetime import timedelta
from importlib import resources
from typing import Any

import asyncpg
import pytest
from identity_world import PASSWORD, Home, World, home, world
from orkestra.chassis.database import Database
from orkestra.chassis.sql import Queries
from orkestra.identity_service.operations import IdentityOperations
from orkestra.identity_service.operations.base import sql
from orkestra.v1.identity import (
    AddMemberRequest,
    CreateApiKeyRequest,
    CreateGroupRequest,
    CreateUserRequest,
    ExchangeCredentialRequest,
    GetGroupRequest,
    GetUserRequest,
    InviteUserRequest,
    ListApiKeysRequest,
    ListGroupsRequest,
    ListUsersRequest,
    MailLink,
    PrincipalKind,
    RemoveMemberRequest,
    RevokeApiKeyRequest,
    SetSubstitutionRequest,
)
from orkestra.wire import Context, Error, InvalidArgument, NotFound, Principal, Unavailable

__all__ = ["home", "world"]

TENANT = re.compile(r"(?:\w\.)?tenant_id = :tenant_id")
MUTANTS = Queries(
    TENANT.sub("true", resources.files("orkestra.identity_service").joinpath("queries.sql").read_text("utf-8"))
)
SCOPED = [
    query.name
    for query in sql
    if "tenant_id" in set(query.parameters) - set(getattr(MUTANTS, query.name).parameters)
    and query.name != "find_installation_key"  # asks whether a tenant exists, as identity_lookup
]
FUNCTIONS = {"erase_traces", "forget_answers"}
"""What sets the tenant by itself, as the schema's owner, and takes it from whoever calls."""
SUBJECT_ID = f"subject_{'5' * 32}"
NEUTRAL: dict[str, Any] = {
    "after": "",
    "before": "~",
    "limit": 100,
    "status": "disabled",
    "tenant_status": "suspended",
    "name": "Changed",
    "overlap": timedelta(0),
    **dict.fromkeys(["roles", "locale", "time_zone", "expires_at", "actor", "action", "resource_id", "since", "until"]),
    "password_hash": "changed",
    "key_hash": "changed",
    "prefix": "changed",
    **dict.fromkeys(["strategy", "max_open_tasks", "principal", "version", "email", "email_key"]),
    **{name: [] for name in ("skills", "on_behalf_of", "allowed_ips")},
    "subject_id": SUBJECT_ID,
}


class Foreign:
    """A tenant's things, which another tenant must not meet."""

    def __init__(self, home: Home, *, ann: str, key_id: str, token_hash: str, link: MailLink) -> None:
        self.home, self.ann, self.key_id, self.token_hash, self.link = home, ann, key_id, token_hash, link

    @property
    def values(self) -> dict[str, Any]:
        """What each query would need to find them."""
        return NEUTRAL | {
            "user_id": self.ann,
            "user_ids": [self.ann],
            "email_keys": [self.home.email("ann")],
            "group_id": "g",
            "group_ids": ["g"],
            "key_id": self.key_id,
            "hash": self.token_hash,
            "link_id": self.link.link_id,
        }


@pytest.fixture
async def foreign(world: World, home: Home) -> Foreign:
    """Another tenant with a person in a group, out of office, a key and a session."""
    other = await world.tenant()
    await other.admin.create_group(CreateGroupRequest(group_id="g"))
    ann = await other.person("ann", groups=["g"])
    created = await other.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
    session = await world.sign_in(other.email("ann"))
    await world.rows("update sessions set expires_at = now() where user_id = $1", ann)
    token_hash = world.operations.pepper.digest(session.token)
    link = await other.admin.invite_user(InviteUserRequest(user_id=ann))
    ben = await other.person("ben")
    await other.admin.set_substitution(SetSubstitutionRequest(user_id=ann, substitute=ben))
    await world.rows("delete from linked_subjects where subject_id = $1", SUBJECT_ID)
    await world.rows(
        """insert into linked_subjects (tenant_id, subject_id, issuer, subject, user_id)
        values ($1, $2, 'https://idp.example', 'ann', $3)""",
        other.id,
        SUBJECT_ID,
        ann,
    )
    return Foreign(other, ann=ann, key_id=created.api_key.key_id, token_hash=token_hash, link=link)


@pytest.mark.parametrize("name", SCOPED)
async def test_a_query_without_its_tenant_still_meets_nothing_of_another(
    world: World, home: Home, foreign: Foreign, name: str
) -> None:
    await world.rows("delete from memberships where tenant_id = $1", home.id)
    query = getattr(MUTANTS, name)
    assert "tenant_id" not in query.parameters
    values = {parameter: foreign.values[parameter] for parameter in query.parameters}
    async with world.operations.database.transaction(home.id) as conn:
        rows = [dict(row) for row in await query.rows(conn, **values)]
    assert all(str(row.get("tenant_id", home.id)) == home.id for row in rows)
    assert foreign.ann not in str(rows)
    assert foreign.key_id not in str(rows)
    async with world.operations.database.transaction(foreign.home.id) as conn:
        assert await sql.find_users.rows(conn, tenant_id=foreign.home.id, user_ids=[foreign.ann], email_keys=[])
        key = await sql.get_api_key.row(conn, tenant_id=foreign.home.id, key_id=foreign.key_id)
        group = await sql.get_group.row(conn, tenant_id=foreign.home.id, group_id="g")
    assert key is not None
    assert group is not None
    assert (key["revoked_at"], key["last_used_at"], group["version"], group["members"]) == (
        None,
        None,
        2,
        [foreign.ann],
    )
    assert key["version"] == 1
    people = await world.rows("select version, status from users where tenant_id = $1", foreign.home.id)
    assert {tuple(person) for person in people} == {(1, "active")}
    tenants = await world.rows("select version, status from tenants where tenant_id = $1", foreign.home.id)
    assert [tuple(tenant) for tenant in tenants] == [(1, "active")]
    assert await world.rows("select from mail_links where link_id = $1", foreign.link.link_id)
    assert await world.rows("select from linked_subjects where subject_id = $1", SUBJECT_ID)
    sessions = await world.rows("select ended_at from sessions where user_id = $1", foreign.ann)
    assert [session["ended_at"] for session in sessions] == [None]


@pytest.mark.parametrize("name", [name for name in SCOPED if name.startswith(("find", "list", "get", "known", "lock"))])
async def test_without_row_level_security_the_mutants_would_meet_the_other_tenant(
    world: World, foreign: Foreign, name: str
) -> None:
    query = getattr(MUTANTS, name)
    rows = await world.rows(query.text, *(foreign.values[parameter] for parameter in query.parameters))
    assert rows


def test_every_query_about_one_tenant_is_among_the_mutants() -> None:
    inserts = {query.name for query in sql if query.text.startswith("insert")}
    tenantless = {query.name for query in sql if "tenant_id" not in query.parameters}
    apart = inserts | tenantless | FUNCTIONS | {"find_installation_key"}
    assert set(SCOPED) == {query.name for query in sql} - apart


async def test_without_a_tenant_the_service_sees_no_row(world: World, foreign: Foreign) -> None:
    async with world.operations.database.unscoped() as conn:
        for table in (
            "tenants",
            "users",
            "groups",
            "memberships",
            "api_keys",
            "sessions",
            "mail_links",
            "audit_entries",
        ):
            assert await conn.fetch(f"select * from {table}") == []


async def test_ids_of_another_tenant_answer_like_ids_that_do_not_exist(home: Home, foreign: Foreign) -> None:
    await home.admin.create_group(CreateGroupRequest(group_id="own"))

    async def told(call: Any, request: Any) -> tuple[type[Error], str]:
        with pytest.raises(Error) as refusal:
            await call(request)
        return type(refusal.value), refusal.value.reason

    admin = home.admin
    assert await told(admin.get_user, GetUserRequest(user_id=foreign.ann)) == (NotFound, "USER_NOT_FOUND")
    email = foreign.home.email("ann")
    assert await told(admin.get_user, GetUserRequest(user_id=email)) == (NotFound, "USER_NOT_FOUND")
    assert await told(admin.get_group, GetGroupRequest(group_id="g")) == (NotFound, "GROUP_NOT_FOUND")
    into_own = {"group_id": "own", "user_id": foreign.ann}
    assert await told(admin.add_member, AddMemberRequest(**into_own)) == (NotFound, "USER_NOT_FOUND")
    assert await told(admin.remove_member, RemoveMemberRequest(**into_own)) == (NotFound, "USER_NOT_FOUND")
    revoke = RevokeApiKeyRequest(key_id=foreign.key_id)
    assert await told(admin.revoke_api_key, revoke) == (NotFound, "API_KEY_NOT_FOUND")
    key = CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT, on_behalf_of=[foreign.ann])
    assert await told(admin.create_api_key, key) == (InvalidArgument, "REQUEST_INVALID")
    person = CreateUserRequest(email=home.email("x"), name="X", groups=["g"])
    assert await told(admin.create_user, person) == (InvalidArgument, "REQUEST_INVALID")


async def test_lists_show_only_the_own_tenant(home: Home, foreign: Foreign) -> None:
    admin = home.admin
    assert {user.tenant_id for user in (await admin.list_users(ListUsersRequest())).users} == {home.id}
    assert (await admin.list_groups(ListGroupsRequest())).groups == []
    assert (await admin.list_api_keys(ListApiKeysRequest())).api_keys == []


async def test_every_query_prepares_against_the_migrated_schema(world: World) -> None:
    async with world.operations.lookup.unscoped() as conn:
        for query in sql:
            await conn.prepare(query.text)


async def test_every_table_with_a_tenant_forces_row_level_security(world: World) -> None:
    rows = await world.rows(
        """select c.relname, c.relrowsecurity and c.relforcerowsecurity as is_forced
        from pg_class as c inner join pg_attribute as a on a.attrelid = c.oid and a.attname = 'tenant_id'
        where c.relnamespace = 'identity'::regnamespace and c.relkind = 'r'"""
    )
    assert {row["relname"] for row in rows if row["is_forced"]} == {row["relname"] for row in rows}
    assert len(rows) == 12


@pytest.mark.parametrize(
    "statement",
    [
        "update api_keys set revoked_at = null",
        "delete from sessions",
        "insert into installation_keys (name, key_hash) values ('worker', 'x')",
        "select * from outbox",
        "select * from request_keys",
    ],
)
async def test_the_lookup_role_reads_credentials_and_nothing_else(world: World, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with world.operations.lookup.unscoped() as conn:
            await conn.execute(statement)


async def test_the_service_is_neither_owner_nor_above_row_level_security(world: World) -> None:
    roles = await world.rows("select rolname, rolsuper, rolbypassrls from pg_roles where rolname ^@ 'identity_'")
    assert {row["rolname"] for row in roles} >= {"identity_app", "identity_lookup", "identity_relay", "identity_sweep"}
    assert not any(row["rolsuper"] or row["rolbypassrls"] for row in roles)
    owners = await world.rows("select distinct tableowner from pg_tables where schemaname = 'identity'")
    assert [row["tableowner"] for row in owners] == ["identity_owner"]


async def test_a_database_that_is_away_is_unavailable_not_yes(world: World) -> None:
    away = await Database.connect("postgresql://identity_lookup@127.0.0.1:1/none", schema="identity")
    operations = IdentityOperations(
        database=away,
        lookup=away,
        signer=world.signer,
        pepper=world.operations.pepper,
        passwords=world.operations.passwords,
        time_zones=frozenset(),
    )
    ctx = Context(principal=Principal(subject="", kind="service"))
    with pytest.raises(Unavailable):
        await operations.exchange_credential(ctx, ExchangeCredentialRequest(credential=PASSWORD))
    await away.close()
