"""Tenants, people and groups: made, read page by page, refused with every error at once."""

import asyncio
from typing import Any

import pytest
from identity_world import PASSWORD, SERVICE_KEY, Home, World, home, world
from orkestra.v1.identity import (
    AddMemberRequest,
    CreateGroupRequest,
    CreateTenantRequest,
    CreateUserRequest,
    GetGroupRequest,
    GetUserRequest,
    ListGroupsRequest,
    ListTenantsRequest,
    ListUsersRequest,
    RemoveMemberRequest,
    Role,
    TenantStatus,
    User,
    UserStatus,
)
from orkestra.wire import AlreadyExists, Error, FailedPrecondition, InvalidArgument, NotFound

__all__ = ["home", "world"]


def faults(refused: Error) -> list[tuple[str, str]]:
    return [(error.path, error.code) for error in refused.errors]


async def test_a_tenant_is_made_with_its_first_admin(world: World) -> None:
    operator = await world.holder(SERVICE_KEY)
    admin = CreateUserRequest(email="root@made.example", name="Root", password=PASSWORD)
    tenant = await operator.create_tenant(CreateTenantRequest(slug="made", name="Made", admin=admin))
    assert (tenant.slug, tenant.status, tenant.version) == ("made", TenantStatus.ACTIVE, 1)
    session = await world.sign_in("root@made.example")
    assert (session.user.tenant_id, session.user.roles) == (tenant.tenant_id, [Role.ADMIN])
    assert await world.events(tenant.tenant_id) == ["tenant_created", "user_changed"]


async def test_a_taken_slug_is_refused_and_nothing_stored(world: World, home: Home) -> None:
    operator = await world.holder(SERVICE_KEY)
    before = await world.counts()
    admin = CreateUserRequest(email="x@y.example", name="X", password=PASSWORD)
    with pytest.raises(AlreadyExists) as refusal:
        await operator.create_tenant(CreateTenantRequest(slug=home.tenant.slug, name="Again", admin=admin))
    assert (refusal.value.reason, faults(refusal.value)) == ("TENANT_EXISTS", [("slug", "taken")])
    assert await world.counts() == before


async def test_making_a_tenant_twice_under_one_request_id_makes_one(world: World) -> None:
    operator = await world.holder(SERVICE_KEY)
    request = CreateTenantRequest(slug="once", name="Once")
    first = await operator.create_tenant(request, request_id="make-once")
    assert await operator.create_tenant(request, request_id="make-once") == first
    assert operator.replayed
    assert len(await world.rows("select from tenants where slug = 'once'")) == 1


async def test_operators_page_through_all_tenants_others_see_their_own(world: World, home: Home) -> None:
    await asyncio.gather(*(world.tenant() for _ in range(3)))
    operator = await world.holder(SERVICE_KEY)
    slugs: list[str] = []
    token = None
    while True:
        answer = await operator.list_tenants(ListTenantsRequest(page_size=2, page_token=token))
        slugs += [tenant.slug for tenant in answer.tenants]
        token = answer.next_page_token
        if token is None:
            break
    assert slugs == [row["slug"] for row in await world.rows("select slug from tenants order by slug")]
    own = await home.as_role("member").list_tenants(ListTenantsRequest())
    assert (own.tenants, own.next_page_token) == ([home.tenant], None)


async def test_a_person_is_read_by_id_and_by_address_without_case(home: Home) -> None:
    await home.admin.create_group(CreateGroupRequest(group_id="support-l1"))
    request = CreateUserRequest(
        email=home.email("Ann.Able"),
        name="Ann",
        roles=[Role.MEMBER, Role.MANAGER],
        groups=["support-l1"],
        password=PASSWORD,
        locale="de-CH",
        time_zone="Europe/Zurich",
    )
    made = await home.admin.create_user(request)
    expected = User(
        user_id=made.user_id,
        tenant_id=home.id,
        email=home.email("Ann.Able"),
        name="Ann",
        roles=[Role.MEMBER, Role.MANAGER],
        groups=["support-l1"],
        status=UserStatus.ACTIVE,
        locale="de-CH",
        time_zone="Europe/Zurich",
        created_at=made.created_at,
        version=1,
    )
    assert made == expected
    reader = home.as_role("member")
    assert await reader.get_user(GetUserRequest(user_id=made.user_id)) == expected
    assert await reader.get_user(GetUserRequest(user_id=home.email("ANN.ABLE"))) == expected


async def test_a_person_without_roles_is_a_member(home: Home) -> None:
    made = await home.admin.create_user(CreateUserRequest(email=home.email("ann"), name="Ann"))
    assert made.roles == [Role.MEMBER]


async def test_an_address_is_taken_once_per_tenant_without_case(world: World, home: Home) -> None:
    made = await home.admin.create_user(CreateUserRequest(email=home.email("ann"), name="Ann"))
    with pytest.raises(AlreadyExists) as refusal:
        await home.admin.create_user(CreateUserRequest(email=home.email("ANN"), name="Ann"))
    assert (faults(refusal.value), refusal.value.current) == ([("email", "taken")], made)
    other = await world.tenant()
    assert (await other.admin.create_user(CreateUserRequest(email=home.email("ann"), name="Ann"))).tenant_id == other.id


BAD_USERS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"email": "no address"}, [("email", "malformed")]),
    ({"email": "a@" + "b" * 64 + ".example"}, [("email", "malformed")]),
    ({"email": "a@b\n.example"}, [("email", "malformed")]),
    ({"name": "  "}, [("name", "required")]),
    ({"name": "x" * 201}, [("name", "length")]),
    ({"name": "two\nlines"}, [("name", "malformed")]),
    ({"password": "x" * 11}, [("password", "length")]),
    ({"password": "x" * 257}, [("password", "length")]),
    ({"locale": "not a locale"}, [("locale", "malformed")]),
    ({"time_zone": "Mars/Olympus"}, [("time_zone", "unknown")]),
    ({"time_zone": "../../etc/passwd"}, [("time_zone", "unknown")]),
    ({"groups": ["none"]}, [("groups[0]", "unknown")]),
    ({"groups": ["none", "none"]}, [("groups[1]", "duplicate"), ("groups[0]", "unknown"), ("groups[1]", "unknown")]),
    ({"groups": [f"g{i}" for i in range(51)]}, [("groups", "length")]),
    ({"roles": [Role.MEMBER, Role.MEMBER]}, [("roles[1]", "duplicate")]),
    *(({"roles": [role]}, [("roles[0]", "not_allowed")]) for role in ("operator", "worker", "system", "agent")),
    (
        {"email": "", "name": "", "password": "short", "roles": ["worker"], "groups": ["none"]},
        [
            ("email", "malformed"),
            ("name", "required"),
            ("roles[0]", "not_allowed"),
            ("password", "length"),
            ("groups[0]", "unknown"),
        ],
    ),
]


@pytest.mark.parametrize(("values", "expected"), BAD_USERS)
async def test_a_bad_person_is_refused_with_every_error_and_nothing_stored(
    world: World, home: Home, values: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    before = await world.counts()
    request = CreateUserRequest.model_validate({"email": "ann@x.example", "name": "Ann"} | values)
    with pytest.raises(InvalidArgument) as refusal:
        await home.admin.create_user(request, request_id="bad")
    assert (refusal.value.reason, faults(refusal.value)) == ("REQUEST_INVALID", expected)
    assert await world.counts() == before


async def test_a_bad_tenant_is_refused_with_every_error_of_its_admin_too(world: World) -> None:
    operator = await world.holder(SERVICE_KEY)
    before = await world.counts()
    admin = CreateUserRequest(email="", name="Root", groups=["any"], password="short")
    with pytest.raises(InvalidArgument) as refusal:
        await operator.create_tenant(CreateTenantRequest(slug="Not A Slug", name="", admin=admin))
    assert faults(refusal.value) == [
        ("slug", "malformed"),
        ("name", "required"),
        ("admin.email", "malformed"),
        ("admin.password", "length"),
        ("admin.groups[0]", "unknown"),
    ]
    assert await world.counts() == before


async def test_a_group_is_made_with_members_named_either_way(world: World, home: Home) -> None:
    ann, ben = await home.person("ann"), await home.person("ben")
    request = CreateGroupRequest(group_id="support-l1", name="Support", members=[ann, home.email("BEN")])
    made = await home.admin.create_group(request)
    assert (made.group_id, made.name, made.members, made.version) == ("support-l1", "Support", sorted([ann, ben]), 1)
    assert await home.as_role("member").get_group(GetGroupRequest(group_id="support-l1")) == made
    assert (await home.admin.get_user(GetUserRequest(user_id=ann))).groups == ["support-l1"]
    assert (await world.events(home.id))[-1] == "group_changed"
    with pytest.raises(AlreadyExists) as refusal:
        await home.admin.create_group(CreateGroupRequest(group_id="support-l1"))
    assert refusal.value.current == made


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"group_id": "Support L1"}, [("group_id", "malformed")]),
        ({"group_id": "-x"}, [("group_id", "malformed")]),
        ({"group_id": "x" * 64}, [("group_id", "malformed")]),
        ({"name": ""}, [("name", "required")]),
        ({"members": ["user_none", "no@body.example"]}, [("members[0]", "unknown"), ("members[1]", "unknown")]),
        ({"members": ["*"]}, [("members", "not_allowed")]),
    ],
)
async def test_a_bad_group_is_refused_and_nothing_stored(
    world: World, home: Home, values: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    before = await world.counts()
    with pytest.raises(InvalidArgument) as refusal:
        await home.admin.create_group(CreateGroupRequest.model_validate({"group_id": "fine"} | values))
    assert faults(refusal.value) == expected
    assert await world.counts() == before


async def test_people_come_into_and_leave_groups_once(world: World, home: Home) -> None:
    ann = await home.person("ann")
    await home.admin.create_group(CreateGroupRequest(group_id="g"))
    before = len(await world.events(home.id))
    for _ in range(2):
        joined = await home.admin.add_member(AddMemberRequest(group_id="g", user_id=home.email("ann")))
        assert (joined.members, joined.version) == ([ann], 2)
    session = await world.sign_in(home.email("ann"))
    assert (await world.exchange(session.token)).groups == ["g"]
    for _ in range(2):
        left = await home.admin.remove_member(RemoveMemberRequest(group_id="g", user_id=ann))
        assert (left.members, left.version) == ([], 3)
    assert (await world.exchange(session.token)).groups == []
    assert (await world.events(home.id))[before:] == ["membership_changed", "membership_changed"]


async def test_many_people_joining_at_once_are_counted_one_by_one(home: Home) -> None:
    await home.admin.create_group(CreateGroupRequest(group_id="g"))
    people = [await home.person(f"p{i}") for i in range(8)]
    await asyncio.gather(*(home.admin.add_member(AddMemberRequest(group_id="g", user_id=person)) for person in people))
    group = await home.admin.get_group(GetGroupRequest(group_id="g"))
    assert (group.members, group.version) == (sorted(people), 9)


@pytest.mark.parametrize(
    ("group_id", "user", "reason"), [("none", "admin", "GROUP_NOT_FOUND"), ("g", "nobody", "USER_NOT_FOUND")]
)
async def test_what_does_not_exist_cannot_be_joined_or_left(home: Home, group_id: str, user: str, reason: str) -> None:
    await home.admin.create_group(CreateGroupRequest(group_id="g"))
    names = {"group_id": group_id, "user_id": home.email(user)}
    with pytest.raises(NotFound) as joining:
        await home.admin.add_member(AddMemberRequest(**names))
    with pytest.raises(NotFound) as leaving:
        await home.admin.remove_member(RemoveMemberRequest(**names))
    assert (joining.value.reason, leaving.value.reason) == (reason, reason)


async def test_a_person_is_in_at_most_fifty_groups(world: World, home: Home) -> None:
    ann = await home.person("ann")
    await world.rows(
        "insert into groups (tenant_id, group_id, name) select $1, 'g' || i, 'G' from generate_series(0, 50) as i",
        home.id,
    )
    await world.rows(
        """insert into memberships (tenant_id, group_id, user_id)
        select $1, 'g' || i, $2 from generate_series(1, 50) as i""",
        home.id,
        ann,
    )
    with pytest.raises(FailedPrecondition) as refusal:
        await home.admin.add_member(AddMemberRequest(group_id="g0", user_id=ann))
    assert refusal.value.reason == "TOO_MANY_GROUPS"


async def test_people_and_groups_are_listed_page_by_page(home: Home) -> None:
    for name in ("dan", "Bea", "cy"):
        await home.person(name)
        await home.admin.create_group(CreateGroupRequest(group_id=name.lower()))
    first = await home.admin.list_users(ListUsersRequest(page_size=3))
    rest = await home.admin.list_users(ListUsersRequest(page_size=3, page_token=first.next_page_token))
    assert [user.name for user in first.users] == ["Ada Admin", "Bea", "Cy"]
    assert ([user.name for user in rest.users], rest.next_page_token) == (["Dan"], None)
    groups = await home.admin.list_groups(ListGroupsRequest(page_size=2))
    more = await home.admin.list_groups(ListGroupsRequest(page_size=2, page_token=groups.next_page_token))
    assert [group.group_id for group in groups.groups + more.groups] == ["bea", "cy", "dan"]


@pytest.mark.parametrize("token", ["nonsense", "%%%", "dXNlcnM", "Z3JvdXBzOmE", "dXNlcnM6Zg=="])
async def test_a_page_token_of_something_else_is_refused(home: Home, token: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await home.admin.list_users(ListUsersRequest(page_size=0, page_token=token))
    assert faults(refusal.value) == [("page_size", "range"), ("page_token", "unknown")]
