"""How groups give work to their members: strategy, caps and skills, who sets them, and what is told of it."""

from typing import Any

import pytest
from identity_world import Home, home, world
from orkestra.v1.identity import (
    CreateGroupRequest,
    GetGroupRequest,
    GetUserRequest,
    GroupStrategy,
    ListAuditRequest,
    Role,
    UpdateGroupRequest,
    UpdateUserRequest,
)
from orkestra.wire import InvalidArgument, NotFound, PermissionDenied, VersionMismatch

__all__ = ["home", "world"]


async def test_a_group_pulls_until_an_admin_says_otherwise(home: Home) -> None:
    made = await home.admin.create_group(CreateGroupRequest(group_id="l1"))
    assert (made.strategy, made.max_open_tasks, made.skills) == (GroupStrategy.PULL, None, [])
    said = {"strategy": GroupStrategy.LEAST_LOADED, "max_open_tasks": 3, "add_skills": ["german", "billing"]}
    changed = await home.admin.update_group(UpdateGroupRequest(group_id="l1", version=made.version, **said))
    assert (changed.strategy, changed.max_open_tasks, changed.skills) == ("least_loaded", 3, ["billing", "german"])
    assert changed.version == made.version + 1
    assert await home.as_role(Role.MEMBER).get_group(GetGroupRequest(group_id="l1")) == changed
    less = UpdateGroupRequest(group_id="l1", max_open_tasks=0, remove_skills=["german"], name="First line")
    last = await home.admin.update_group(less)
    assert (last.name, last.max_open_tasks, last.skills) == ("First line", None, ["billing"])
    assert last.strategy == GroupStrategy.LEAST_LOADED
    assert (await home.world.events(home.id))[-3:] == ["group_changed"] * 3
    audit = await home.admin.list_audit(ListAuditRequest(action="update_group"))
    assert audit.entries[-1].after is not None
    assert audit.entries[-1].after["strategy"] == "least_loaded"


async def test_a_group_is_created_with_a_strategy(home: Home) -> None:
    request = CreateGroupRequest(group_id="l1", strategy=GroupStrategy.ROUND_ROBIN, max_open_tasks=5, skills=["german"])
    made = await home.admin.create_group(request)
    assert (made.strategy, made.max_open_tasks, made.skills) == ("round_robin", 5, ["german"])


async def test_what_changes_nothing_tells_nobody(home: Home) -> None:
    made = await home.admin.create_group(CreateGroupRequest(group_id="l1"))
    before = await home.world.events(home.id)
    same = UpdateGroupRequest(group_id="l1", strategy=GroupStrategy.PULL, max_open_tasks=0, remove_skills=["x"])
    assert await home.admin.update_group(same) == made
    assert await home.world.events(home.id) == before


async def test_a_person_has_skills_and_a_cap_of_their_own(home: Home) -> None:
    ana = await home.person("ana")
    changed = await home.admin.update_user(UpdateUserRequest(user_id=ana, add_skills=["german"], max_open_tasks=2))
    assert (changed.skills, changed.max_open_tasks) == (["german"], 2)
    assert await home.as_role(Role.MEMBER).get_user(GetUserRequest(user_id=ana)) == changed
    none = UpdateUserRequest(user_id=ana, remove_skills=["german"], max_open_tasks=0)
    last = await home.admin.update_user(none)
    assert (last.skills, last.max_open_tasks, last.name) == ([], None, changed.name)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"max_open_tasks": -1}, ("max_open_tasks", "range")),
        ({"max_open_tasks": 1001}, ("max_open_tasks", "range")),
        ({"add_skills": ["german", ""]}, ("add_skills[1]", "wrong_length")),
        ({"add_skills": [f"skill-{number}" for number in range(51)]}, ("add_skills", "length")),
        ({"name": ""}, ("name", "required")),
    ],
)
async def test_what_makes_no_sense_is_refused_by_field(
    home: Home, fields: dict[str, Any], fault: tuple[str, str]
) -> None:
    made = await home.admin.create_group(CreateGroupRequest(group_id="l1"))
    with pytest.raises(InvalidArgument) as refused:
        await home.admin.update_group(UpdateGroupRequest(group_id="l1", **fields))
    assert fault in [(error.path, error.code) for error in refused.value.errors]
    assert await home.admin.get_group(GetGroupRequest(group_id="l1")) == made


async def test_fifty_skills_are_the_most_however_they_were_added(home: Home) -> None:
    full = CreateGroupRequest(group_id="l1", skills=[f"skill-{number}" for number in range(50)])
    await home.admin.create_group(full)
    with pytest.raises(InvalidArgument):
        await home.admin.update_group(UpdateGroupRequest(group_id="l1", add_skills=["one more"]))


async def test_another_version_another_tenants_group_and_other_roles_are_refused(home: Home) -> None:
    await home.admin.create_group(CreateGroupRequest(group_id="l1"))
    with pytest.raises(VersionMismatch) as refused:
        await home.admin.update_group(UpdateGroupRequest(group_id="l1", name="One", version=7))
    assert refused.value.current is not None
    other = await home.world.tenant()
    with pytest.raises(NotFound):
        await other.admin.update_group(UpdateGroupRequest(group_id="l1", name="Theirs"))
    for role in (Role.MEMBER, Role.MANAGER, Role.AUDITOR, Role.SYSTEM):
        with pytest.raises(PermissionDenied):
            await home.as_role(role).update_group(UpdateGroupRequest(group_id="l1", name="Mine"))
