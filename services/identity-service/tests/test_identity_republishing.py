"""People, absences and groups told once more, for services whose copies may be old."""

from collections import Counter
from collections.abc import Sequence

import pytest
from identity_world import SERVICE_KEY, Home, World, home, world
from orkestra.identity_service.operations import republishing
from orkestra.v1.events import GroupEvent, SubstitutionEvent, UserEvent
from orkestra.v1.identity import (
    CreateGroupRequest,
    DeleteGroupRequest,
    GetGroupRequest,
    GetUserRequest,
    IdentityServiceClient,
    RepublishPeopleRequest,
    Role,
    SetSubstitutionRequest,
)
from orkestra.wire import InvalidArgument, PermissionDenied, loads

__all__ = ["home", "world"]


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(republishing, "AT_ONCE", 2)


async def service_of(home: Home) -> IdentityServiceClient:
    return await home.world.holder(SERVICE_KEY, tenant_id=home.id)


async def republished(home: Home) -> int:
    """Ask for every page; returns how many events were said to be emitted."""
    service, token, emitted = await service_of(home), None, 0
    while True:
        answer = await service.republish_people(RepublishPeopleRequest(page_token=token))
        emitted, token = emitted + answer.emitted, answer.next_page_token
        if token is None:
            return emitted


async def told_since(home: Home, seq: int) -> Sequence[tuple[str, dict[str, object], int]]:
    rows = await home.world.rows(
        "select subject, payload, headers from outbox where tenant_id = $1 and seq > $2 order by seq", home.id, seq
    )
    return [
        (row["subject"].rpartition(".")[2], loads(row["payload"]), int(loads(row["headers"].encode())["ce-version"]))
        for row in rows
    ]


async def newest(world: World) -> int:
    return int((await world.rows("select coalesce(max(seq), 0) from outbox"))[0][0])


async def test_everybody_is_told_once_at_the_version_that_they_have(home: Home) -> None:
    people = [await home.person(name) for name in ("ana", "ben", "cleo", "dan", "eve")]
    await home.admin.set_substitution(SetSubstitutionRequest(user_id=people[0], substitute=people[1]))
    for group_id in ("a", "b", "gone"):
        await home.admin.create_group(CreateGroupRequest(group_id=group_id, members=people[:2], skills=["german"]))
    await home.admin.delete_group(DeleteGroupRequest(group_id="gone"))
    before = await newest(home.world)

    emitted = await republished(home)
    told = await told_since(home, before)
    assert emitted == len(told)
    assert Counter(name for name, _, _ in told) == Counter(
        user_changed=6, substitution_changed=1, group_changed=2, group_deleted=1
    )
    users = [UserEvent.model_validate(data).user for name, data, _ in told if name == "user_changed"]
    assert {user.user_id for user in users} > set(people)  # and the tenant's first admin
    assert users[0] == await home.admin.get_user(GetUserRequest(user_id=users[0].user_id))
    [absence] = [SubstitutionEvent.model_validate(data) for name, data, _ in told if name == "substitution_changed"]
    assert (absence.substitution.user_id, absence.substitution.substitute) == (people[0], people[1])
    [a, *_] = [GroupEvent.model_validate(data).group for name, data, _ in told if name == "group_changed"]
    assert a == await home.admin.get_group(GetGroupRequest(group_id="a"))
    [(_, gone, version)] = [one for one in told if one[0] == "group_deleted"]
    assert GroupEvent.model_validate(gone).group.members == []
    assert version == GroupEvent.model_validate(gone).group.version > 1


async def test_only_the_installations_own_services_ask(home: Home) -> None:
    before = await newest(home.world)
    for role in (Role.ADMIN, Role.SYSTEM, Role.WORKER):
        with pytest.raises(PermissionDenied) as refused:
            await home.as_role(role).republish_people(RepublishPeopleRequest())
        assert refused.value.reason == "ROLE_REQUIRED"
    assert await newest(home.world) == before


async def test_a_token_of_another_listing_emits_nothing(home: Home) -> None:
    await home.person("ana")
    before = await newest(home.world)
    with pytest.raises(InvalidArgument) as refused:
        await (await service_of(home)).republish_people(RepublishPeopleRequest(page_token="dXNlcnM6YQ"))
    assert refused.value.errors[0].path == "page_token"
    assert await newest(home.world) == before
