"""Votes as the REST door passes them on: body, version, refusals."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from orkestra.chassis.tokens import Signer
from orkestra.v1.task import ApprovalPolicy, CreateTaskRequest, VoteTaskRequest
from orkestra.wire import FailedPrecondition
from rest_world import Migrated, RestWorld, rest_door, task

POLICY = {"required": 2, "from_groups": {"finance": 1}, "distinct": True, "veto": True, "finish_early": True}
BALLOT = {"choice": "approve", "data": {"answer": "Yes."}, "revision": 2}


@pytest_asyncio.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[RestWorld]:
    schema = await migrated("orkestra.api_gateway", "gateway")
    async with rest_door(signer, schema.app_url) as world:
        yield world


@pytest.fixture(autouse=True)
def _reset(door: RestWorld) -> None:
    door.rooms.reset()


async def test_a_policy_goes_in_as_it_is_written_and_a_vote_carries_what_was_seen(door: RestWorld) -> None:
    door.rooms.answer("create_task", task())
    body = {"title": "Pay?", "candidate_groups": ["finance"], "approval_policy": POLICY, "four_eyes": True}
    assert (await door.http.post("/v1/tasks", json=body)).status_code == 201
    asked = door.rooms.asked[0].request
    assert isinstance(asked, CreateTaskRequest)
    assert (asked.approval_policy, asked.four_eyes) == (ApprovalPolicy.model_validate(POLICY), True)
    door.rooms.answer("vote_task", task())
    answer = await door.http.post("/v1/tasks/task_1/vote", json=BALLOT, headers={"if-match": '"3"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    vote = VoteTaskRequest.model_validate({**BALLOT, "task_id": "task_1", "version": 3})
    assert door.rooms.asked[1].request == vote


@pytest.mark.parametrize("wrong", [{"choice": "maybe"}, {"revision": None}, {"data": []}, {"stake": 1}])
async def test_a_vote_that_is_none_goes_nowhere(door: RestWorld, wrong: dict[str, object]) -> None:
    refused = await door.http.post("/v1/tasks/task_1/vote", json={**BALLOT, **wrong})
    assert refused.status_code == 422
    assert [error["path"] for error in refused.json()["errors"]] == [next(iter(wrong))]
    assert door.rooms.asked == []


async def test_a_refused_vote_shows_the_task_as_it_is(door: RestWorld) -> None:
    door.rooms.answer("vote_task", FailedPrecondition("TASK_NOT_LIVE", "It has ended.", current=task()))
    refused = await door.http.post("/v1/tasks/task_1/vote", json=BALLOT)
    assert (refused.status_code, refused.json()["code"]) == (409, "TASK_NOT_LIVE")
    assert refused.json()["current"]["task_id"] == task().task_id
