"""Who gets work, as the REST door passes it on: strategies of groups, skills and caps of people, substitutes."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from door_rooms import TENANT
from orkestra.chassis.tokens import Signer
from orkestra.v1.identity import (
    CreateGroupRequest,
    GetSubstitutionRequest,
    Group,
    SetSubstitutionRequest,
    Substitution,
    UpdateGroupRequest,
    UpdateUserRequest,
)
from orkestra.wire import InvalidArgument, NotFound, PermissionDenied, VersionMismatch
from rest_world import Migrated, RestWorld, rest_door

ANN = "user_0198a1b2c3d47e8f9a0b1c2d3e4f5a6b"
BEN = "user_0198a1b2c3d47e8f9a0b1c2d3e4f5a6c"
GROUP = Group.model_validate(
    {
        "group_id": "l1",
        "tenant_id": TENANT,
        "name": "First line",
        "members": [ANN],
        "created_at": "2030-01-01T00:00:00Z",
        "version": 4,
        "strategy": "least_loaded",
        "max_open_tasks": 10,
        "skills": ["german"],
    }
)
AWAY = {"begins_at": "2030-07-01T00:00:00Z", "ends_at": "2030-07-15T00:00:00Z", "task_types": ["refund"]}


@pytest_asyncio.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[RestWorld]:
    schema = await migrated("orkestra.api_gateway", "gateway")
    async with rest_door(signer, schema.app_url) as world:
        yield world


@pytest.fixture(autouse=True)
def _reset(door: RestWorld) -> None:
    door.rooms.reset()


async def test_a_strategy_is_set_with_a_group_and_changed_under_its_version(door: RestWorld) -> None:
    door.rooms.answer("create_group", GROUP)
    body: dict[str, Any] = {"strategy": "round_robin", "max_open_tasks": 5, "skills": ["german"]}
    made = await door.http.post("/v1/groups", json={"group_id": "l1", **body})
    assert (made.status_code, made.headers["etag"], made.json()["strategy"]) == (201, '"4"', "least_loaded")
    assert door.rooms.asked[0].request == CreateGroupRequest.model_validate({"group_id": "l1", **body})
    door.rooms.answer("update_group", GROUP)
    change = {"strategy": "least_loaded", "max_open_tasks": 10, "add_skills": ["german"], "remove_skills": ["sales"]}
    changed = await door.http.patch("/v1/groups/l1", json=change, headers={"if-match": '"3"'})
    assert (changed.status_code, changed.json()["max_open_tasks"], changed.json()["skills"]) == (200, 10, ["german"])
    wanted = UpdateGroupRequest.model_validate({"group_id": "l1", "version": 3, **change})
    assert door.rooms.asked[1].request == wanted


@pytest.mark.parametrize("wrong", [{"strategy": "lottery"}, {"max_open_tasks": "ten"}, {"cap": 3}])
async def test_a_strategy_that_is_none_goes_nowhere(door: RestWorld, wrong: dict[str, object]) -> None:
    refused = await door.http.patch("/v1/groups/l1", json=wrong)
    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == [next(iter(wrong))]
    assert door.rooms.asked == []


async def test_refusals_of_a_strategy_say_which_and_show_the_group(door: RestWorld) -> None:
    door.rooms.answer("update_group", VersionMismatch("VERSION_MISMATCH", "It is at 4.", current=GROUP))
    refused = await door.http.patch("/v1/groups/l1", json={"strategy": "pull"}, headers={"if-match": '"1"'})
    assert (refused.status_code, refused.json()["current"]["version"]) == (412, 4)
    for refusal, status in (
        (PermissionDenied("ROLE_REQUIRED", "For admins."), 403),
        (NotFound("GROUP_NOT_FOUND", "There is no group l1."), 404),
    ):
        door.rooms.answer("update_group", refusal)
        refused = await door.http.patch("/v1/groups/l1", json={"strategy": "pull"})
        assert (refused.status_code, refused.json()["code"]) == (status, refusal.reason)


async def test_what_a_person_is_good_at_and_takes_is_changed_with_the_person(door: RestWorld) -> None:
    door.rooms.answer("update_user", PermissionDenied("ROLE_REQUIRED", "For admins."))
    body = {"add_skills": ["german"], "remove_skills": [], "max_open_tasks": 0}
    assert (await door.http.patch(f"/v1/users/{ANN}", json=body)).status_code == 403
    assert door.rooms.asked[0].request == UpdateUserRequest.model_validate({"user_id": ANN, **body})


async def test_a_substitute_is_said_read_and_taken_back(door: RestWorld) -> None:
    said = Substitution.model_validate({"user_id": ANN, "substitute": BEN, "version": 1, **AWAY})
    door.rooms.answer("set_substitution", said)
    answer = await door.http.put(f"/v1/users/{ANN}/substitution", json={"substitute": "ben@acme.example", **AWAY})
    assert (answer.status_code, answer.json()) == (200, said.model_dump(mode="json", exclude_none=True))
    wanted = {"user_id": ANN, "substitute": "ben@acme.example", **AWAY}
    assert door.rooms.asked[0].request == SetSubstitutionRequest.model_validate(wanted)
    door.rooms.answer("get_substitution", said)
    assert (await door.http.get(f"/v1/users/{ANN}/substitution")).json()["substitute"] == BEN
    assert door.rooms.asked[1].request == GetSubstitutionRequest(user_id=ANN)
    door.rooms.answer("set_substitution", Substitution(user_id=ANN, version=2))
    back = await door.http.put(f"/v1/users/{ANN}/substitution", json={})
    assert (back.status_code, back.json()["version"]) == (200, 2)
    assert door.rooms.asked[2].request == SetSubstitutionRequest(user_id=ANN)


@pytest.mark.parametrize("wrong", [{"begins_at": "tomorrow"}, {"task_types": "refund"}, {"until": "2030-07-15"}])
async def test_a_substitute_that_cannot_be_read_goes_nowhere(door: RestWorld, wrong: dict[str, object]) -> None:
    refused = await door.http.put(f"/v1/users/{ANN}/substitution", json=wrong)
    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == [next(iter(wrong))]
    assert door.rooms.asked == []


async def test_refusals_of_a_substitute_name_the_field(door: RestWorld) -> None:
    refusal = InvalidArgument("REQUEST_INVALID", "substitute: There is no person nobody.")
    door.rooms.answer("set_substitution", refusal)
    refused = await door.http.put(f"/v1/users/{ANN}/substitution", json={"substitute": "nobody"})
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")
    door.rooms.answer("set_substitution", PermissionDenied("NOT_YOUR_ABSENCE", "Managers and admins alone."))
    refused = await door.http.put(f"/v1/users/{BEN}/substitution", json={"substitute": ANN})
    assert (refused.status_code, refused.json()["code"]) == (403, "NOT_YOUR_ABSENCE")
