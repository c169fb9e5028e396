"""Calendars, and changes of tasks, as the REST door passes them on: bodies, versions, entity tags."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from door_rooms import TENANT
from orkestra.chassis.tokens import Signer
from orkestra.v1.task import Calendar
from orkestra.wire import VersionMismatch
from rest_world import Migrated, RestWorld, rest_door, task

OFFICE = "/v1/calendars/office"
HOURS = {"time_zone": "Europe/Berlin", "hours": [{"weekday": "monday", "opens": "09:00", "closes": "17:00"}]}
BODY = {"name": "Office", "working_hours": HOURS}
KEPT = Calendar.model_validate(
    {
        **BODY,
        "calendar_id": "office",
        "tenant_id": TENANT,
        "version": 4,
        "created_at": "2030-01-31T12:00:00Z",
        "updated_at": "2030-01-31T12:00:00Z",
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


async def test_a_new_calendar_has_a_place_and_its_version_is_its_entity_tag(door: RestWorld) -> None:
    door.rooms.answer("create_calendar", KEPT)
    made = await door.http.post("/v1/calendars", json={**BODY, "calendar_id": "office"})
    assert (made.status_code, made.headers["location"], made.headers["etag"]) == (201, OFFICE, '"4"')
    assert made.json() == KEPT.model_dump(mode="json")
    door.rooms.answer("get_calendar", KEPT)
    assert (await door.http.get(OFFICE)).headers["etag"] == '"4"'


async def test_if_match_guards_a_change_and_a_removal(door: RestWorld) -> None:
    door.rooms.answer("update_calendar", KEPT)
    door.rooms.answer("delete_calendar", KEPT)
    changed = await door.http.put(OFFICE, json=BODY, headers={"if-match": '"3"'})
    removed = await door.http.delete(OFFICE, headers={"if-match": '"4"'})
    assert [answer.status_code for answer in (changed, removed)] == [200, 200]
    asked: list[dict[str, Any]] = [one.request.model_dump() for one in door.rooms.asked]
    assert [(one["calendar_id"], one["version"]) for one in asked] == [("office", 3), ("office", 4)]
    door.rooms.answer("delete_calendar", VersionMismatch("VERSION_MISMATCH", "It has changed.", current=KEPT))
    stale = await door.http.delete(OFFICE, headers={"if-match": '"1"'})
    assert (stale.status_code, stale.json()["current"]["version"]) == (412, 4)


async def test_a_patch_gives_what_changes_and_the_version_that_was_seen(door: RestWorld) -> None:
    door.rooms.answer("update_task", task())
    body = {"priority": "high", "complete_by": "2030-02-01T12:00:00Z", "add_tags": ["vip"]}
    answer = await door.http.patch("/v1/tasks/task_1", json=body, headers={"if-match": '"7"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"3"')
    asked = door.rooms.asked[0].request.model_dump(mode="json", exclude_defaults=True)
    assert asked == {**body, "task_id": "task_1", "version": 7}


@pytest.mark.parametrize("operation", ["assign", "delegate", "escalate"])
async def test_a_task_is_moved_at_a_path_of_its_own(door: RestWorld, operation: str) -> None:
    door.rooms.answer(f"{operation}_task", task())
    named = {"assignee": "ana@acme.example"} if operation != "escalate" else {}
    headers = {"if-match": '"7"', "idempotency-key": f"once-{operation}"}
    answer = await door.http.post(f"/v1/tasks/task_1/{operation}", json={**named, "reason": "Ill."}, headers=headers)
    assert answer.status_code == 200
    [asked] = door.rooms.asked
    assert (asked.rpc, asked.ctx.request_id) == (f"{operation}_task", f"once-{operation}")
    sent = asked.request.model_dump(mode="json", exclude_defaults=True)
    assert sent == {**named, "task_id": "task_1", "version": 7, "reason": "Ill."}
