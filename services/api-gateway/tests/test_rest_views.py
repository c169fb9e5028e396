"""Views, and one thing done to many tasks, as the REST door passes them on."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from door_rooms import TENANT
from orkestra.chassis.tokens import Signer
from orkestra.v1.task import BulkFault, BulkResult, BulkTasksResponse, View
from rest_world import Migrated, RestWorld, rest_door, task

BODY = {"name": "Late refunds", "group_id": "support-l1", "filter": {"q": "refund", "tags": ["eu"], "sort": "newest"}}
KEPT = View.model_validate(
    {
        **BODY,
        "view_id": "view_1",
        "tenant_id": TENANT,
        "owner": "user_1",
        "version": 2,
        "created_at": "2030-01-31T12:00:00Z",
        "updated_at": "2030-01-31T12:00:00Z",
        "updated_by": "user_1",
    }
)


@pytest_asyncio.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[RestWorld]:
    schema = await migrated("orkestra.api_gateway", "gateway")
    async with rest_door(signer, schema.app_url) as world:
        yield world


@pytest.fixture(autouse=True)
def _reset(door: RestWorld) -> None:
    door.rooms.reset()


async def test_a_view_has_a_place_and_its_version_is_its_entity_tag(door: RestWorld) -> None:
    door.rooms.answer("create_view", KEPT)
    door.rooms.answer("update_view", KEPT)
    made = await door.http.post("/v1/views", json=BODY)
    assert (made.status_code, made.headers["location"], made.headers["etag"]) == (201, "/v1/views/view_1", '"2"')
    assert made.json() == KEPT.model_dump(mode="json")
    await door.http.put("/v1/views/view_1", json=BODY, headers={"if-match": '"1"'})
    sent = door.rooms.asked[1].request.model_dump(mode="json", exclude_defaults=True)
    assert sent == {**BODY, "view_id": "view_1", "version": 1}


async def test_many_tasks_are_answered_one_by_one(door: RestWorld) -> None:
    fault = BulkFault(path="data.answer", code="required", message="This field is required.")
    refused = BulkResult(task_id="task_2", code="DATA_INVALID", detail="The answer does not fit.", errors=[fault])
    door.rooms.answer("bulk_tasks", BulkTasksResponse(results=[BulkResult(task_id="task_1", task=task()), refused]))
    body = {"operation": "complete", "tasks": [{"task_id": "task_1", "version": 3}, {"task_id": "task_2"}], "data": {}}
    answer = await door.http.post("/v1/tasks/bulk", json=body, headers={"idempotency-key": "once"})
    assert answer.status_code == 200
    first, second = answer.json()["results"]
    assert (first["task"]["version"], first["code"]) == (3, None)
    assert (second["task"], second["code"], second["errors"][0]["path"]) == (None, "DATA_INVALID", "data.answer")
    [asked] = door.rooms.asked
    assert asked.ctx.request_id == "once"
    assert asked.request.model_dump(mode="json", exclude_unset=True) == body | {
        "tasks": [{"task_id": "task_1", "version": 3}, {"task_id": "task_2"}]
    }
