"""What every endpoint of the REST door does the same way."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from door_rooms import TENANT, workflow
from orkestra.chassis.ratelimit import Limit
from orkestra.chassis.tokens import Signer
from orkestra.testkit.waiting import eventually
from orkestra.v1.identity import Group, Session, SignOutResponse, User
from orkestra.v1.task import GetTaskRequest, ListTasksRequest, ListTasksResponse, TaskScope
from orkestra.v1.workflow import StartWorkflowRequest, WorkflowStatus
from orkestra.wire import (
    Conflict,
    Context,
    FailedPrecondition,
    FieldError,
    InvalidArgument,
    Model,
    PermissionDenied,
    Unavailable,
    VersionMismatch,
)
from rest_world import Migrated, RestWorld, rest_door, task

TASK = "/v1/tasks/task_1"
START = {"definition": "customer-support", "input": {"n": 3}}


@pytest_asyncio.fixture(scope="module")
async def door(signer: Signer, migrated: Migrated) -> AsyncIterator[RestWorld]:
    schema = await migrated("orkestra.api_gateway", "gateway")
    async with rest_door(signer, schema.app_url) as world:
        yield world


@pytest.fixture(autouse=True)
def _nothing_asked(door: RestWorld) -> None:
    door.rooms.reset()


async def test_a_workflow_is_started_with_what_the_caller_sent(door: RestWorld) -> None:
    door.rooms.answer("start_workflow", workflow())
    answer = await door.http.post("/v1/workflows", json=START | {"tags": ["a"], "handoff": {"summary": "s"}})
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/workflows/{workflow().workflow_id}"
    assert answer.json() == workflow().model_dump(mode="json")
    assert answer.json()["result"] is None, "a field without a value is null"
    (asked,) = door.rooms.asked
    assert isinstance(asked.request, StartWorkflowRequest)
    assert (asked.request.tags, asked.ctx.door, asked.ctx.subject) == (["a"], "rest", "ork_known")


async def test_open_json_crosses_the_door_exactly(door: RestWorld) -> None:
    exact = {"big": 2**70 + 1, "three": 3, "z": 1.5, "a": [None, {"ü": "✓"}]}
    door.rooms.answer("start_workflow", workflow(input=exact))
    answer = await door.http.post("/v1/workflows", json=START | {"input": exact})
    asked = door.rooms.asked[0].request
    assert isinstance(asked, StartWorkflowRequest)
    assert asked.input == exact
    assert answer.json()["input"] == exact
    assert list(answer.json()["input"]) == list(exact)


async def test_filters_come_from_the_query(door: RestWorld) -> None:
    door.rooms.answer("list_tasks", ListTasksResponse(tasks=[task()], next_page_token="next"))
    answer = await door.http.get("/v1/tasks", params={"scope": "groups", "page_size": "5", "group": "support-l1"})
    assert answer.json()["next_page_token"] == "next"
    assert door.rooms.asked[0].request == ListTasksRequest(scope=TaskScope.GROUPS, page_size=5, group="support-l1")


async def test_a_filter_of_many_values_is_given_again_for_each(door: RestWorld) -> None:
    door.rooms.answer("list_tasks", ListTasksResponse())
    await door.http.get("/v1/tasks?tags=eu&q=late&tags=vip&due_after=2030-01-31T12:00:00Z&data=order.id%3D7")
    asked = door.rooms.asked[0].request.model_dump(mode="json", exclude_defaults=True)
    assert asked == {"tags": ["eu", "vip"], "q": "late", "due_after": "2030-01-31T12:00:00Z", "data": ["order.id=7"]}
    twice = await door.http.get("/v1/tasks?q=late&q=vip")
    assert (twice.status_code, twice.json()["errors"][0]["code"]) == (422, "duplicate_key")


async def test_a_session_is_opened_without_a_credential(door: RestWorld) -> None:
    user = User.model_validate(
        {
            "user_id": "user_1",
            "tenant_id": TENANT,
            "email": "a@b.example",
            "name": "A",
            "status": "active",
            "created_at": "2030-01-31T12:00:00Z",
            "version": 1,
        }
    )
    session = Session.model_validate({"token": "ors_x", "expires_at": "2030-01-31T12:00:00Z", "user": user})
    door.rooms.answer("sign_in", session)
    async with httpx.AsyncClient(base_url=door.http.base_url) as nobody:
        answer = await nobody.post("/v1/sessions", json={"email": "a@b.example", "password": "x" * 12})
    assert answer.status_code == 201
    assert answer.json()["token"] == "ors_x"


async def test_signing_out_ends_the_session_that_asks(door: RestWorld) -> None:
    door.rooms.answer("sign_out", SignOutResponse())
    answer = await door.http.delete("/v1/sessions/current")
    assert (answer.status_code, answer.content) == (204, b"")
    assert door.rooms.asked[0].request.model_dump() == {"token": "ork_known"}


async def test_a_member_is_named_by_the_path_when_removed(door: RestWorld) -> None:
    group = {
        "group_id": "g",
        "tenant_id": TENANT,
        "name": "G",
        "members": [],
        "created_at": "2030-01-31T12:00:00Z",
        "version": 2,
    }
    door.rooms.answer("remove_member", Group.model_validate(group))
    answer = await door.http.delete("/v1/groups/g/members/ana@b.example")
    assert answer.status_code == 200
    assert door.rooms.asked[0].request.model_dump() == {"group_id": "g", "user_id": "ana@b.example"}


@pytest.mark.parametrize("given", ["2030-01-31T14:00:00+02:00", "2030-01-31T12:00:00Z"])
async def test_a_time_is_taken_with_its_offset_and_told_in_utc(door: RestWorld, given: str) -> None:
    async def changed(_ctx: Context, request: Model) -> Model:
        return task(updated_at=request.model_dump()["complete_by"])

    door.rooms.answer("update_task", changed)
    answer = await door.http.patch(TASK, json={"complete_by": given})
    assert (answer.status_code, answer.json()["updated_at"]) == (200, "2030-01-31T12:00:00Z")
    naive = await door.http.patch(TASK, json={"complete_by": "2030-01-31T14:00:00"})
    assert (naive.status_code, naive.json()["errors"][0]["path"]) == (422, "complete_by")


async def test_the_tasks_version_is_its_entity_tag(door: RestWorld) -> None:
    door.rooms.answer("get_task", task(version=7))
    assert (await door.http.get(TASK)).headers["etag"] == '"7"'


@pytest.mark.parametrize(
    ("tag", "version"), [('"7"', 7), ("*", None), ('W/"7"', -1), ('"not-ours"', -1), ('"99999999999999999999"', -1)]
)
async def test_if_match_names_the_version_that_was_seen(door: RestWorld, tag: str, version: int | None) -> None:
    door.rooms.answer("claim_task", task())
    await door.http.post(f"{TASK}/claim", headers={"if-match": tag})
    assert door.rooms.asked[0].request.model_dump() == {"task_id": "task_1", "version": version}


@pytest.mark.parametrize("tag", ["7", '"7", "8"', '"', ""])
async def test_if_match_that_is_no_entity_tag_is_refused(door: RestWorld, tag: str) -> None:
    answer = await door.http.post(f"{TASK}/claim", headers={"if-match": tag})
    assert (answer.status_code, answer.json()["code"]) == (422, "IF_MATCH_INVALID")


async def test_if_match_and_body_must_not_contradict(door: RestWorld) -> None:
    answer = await door.http.post(f"{TASK}/claim", headers={"if-match": '"7"'}, json={"version": 6})
    assert answer.json()["errors"][0]["path"] == "version"
    assert door.rooms.asked == []


async def test_a_refusal_with_state_shows_the_current_one(door: RestWorld) -> None:
    refusal = FailedPrecondition("TASK_NOT_OPEN", "Ben has claimed this task.", current=task(assignee="user_ben"))
    door.rooms.answer("claim_task", refusal)
    answer = await door.http.post(f"{TASK}/claim", json={})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:orkestra:error:TASK_NOT_OPEN",
        "title": "Task not open",
        "status": 409,
        "detail": "Ben has claimed this task.",
        "code": "TASK_NOT_OPEN",
        "errors": [],
        "current": task(assignee="user_ben").model_dump(mode="json"),
    }
    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("refusal", "status"),
    [
        (VersionMismatch("VERSION_MISMATCH", "Read it again.", current=task(version=8)), 412),
        (Conflict("REQUEST_RUNNING", "The same request is still running."), 409),
        (PermissionDenied("ROLE_REQUIRED", "Only admins may do this."), 403),
        (InvalidArgument("ANSWER_INVALID", "No.", errors=[FieldError("data.answer", "required", "Needed.")]), 422),
        (RuntimeError("secret detail"), 500),
    ],
)
async def test_a_rooms_refusal_keeps_its_reason_and_fields(
    door: RestWorld, refusal: Exception, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    door.rooms.answer("claim_task", refusal)
    answer = await door.http.post(f"{TASK}/claim")
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert problem["code"] == getattr(refusal, "reason", "INTERNAL")
    assert "secret" not in answer.text
    assert [error["path"] for error in problem["errors"]] == [error.path for error in getattr(refusal, "errors", ())]


async def test_an_unavailable_room_is_503_with_a_hint(door: RestWorld) -> None:
    door.rooms.answer("claim_task", Unavailable("DATABASE_UNAVAILABLE", "Try again shortly.", retry_after=1.2))
    answer = await door.http.post(f"{TASK}/claim")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")


async def test_the_idempotency_key_is_the_rooms_request_id(door: RestWorld) -> None:
    async def replayed(ctx: Context, _request: Model) -> Model:
        ctx.reply.replayed = True
        return workflow()

    door.rooms.answer("start_workflow", replayed)
    answer = await door.http.post("/v1/workflows", json=START, headers={"idempotency-key": "order-17"})
    assert door.rooms.asked[0].ctx.request_id == "order-17"
    assert answer.headers["idempotency-replayed"] == "true"
    assert answer.status_code == 201


async def test_a_first_answer_is_not_called_a_replay(door: RestWorld) -> None:
    door.rooms.answer("start_workflow", workflow())
    answer = await door.http.post("/v1/workflows", json=START, headers={"idempotency-key": "order-18"})
    assert "idempotency-replayed" not in answer.headers


@pytest.mark.parametrize("key", [b"", b"x" * 256, b"with space", "ümlaut".encode()])
async def test_a_bad_idempotency_key_is_refused(door: RestWorld, key: bytes) -> None:
    answer = await door.http.post("/v1/workflows", json=START, headers=[(b"idempotency-key", key)])
    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_INVALID")
    assert door.rooms.asked == []


async def test_a_request_id_is_kept_and_made_where_absent(door: RestWorld) -> None:
    given = await door.http.get("/v1/none", headers={"x-request-id": "mine-1"})
    made = await door.http.get("/v1/none", headers={"x-request-id": "with space"})
    assert given.headers["x-request-id"] == "mine-1"
    assert re.fullmatch(r"req_[0-9a-f]{32}", made.headers["x-request-id"])


async def test_the_callers_trace_goes_on_and_comes_back(door: RestWorld) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    answer = await door.http.get("/v1/none", headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"})
    assert trace_id in answer.headers["traceparent"]


async def test_a_held_result_answers_when_the_run_ends(door: RestWorld) -> None:
    door.rooms.answer("get_workflow_result", workflow(WorkflowStatus.COMPLETED, result={"ok": True}))
    answer = await door.http.get("/v1/workflows/wf_1/result", params={"wait": 30})
    assert answer.json()["result"] == {"ok": True}
    assert door.rooms.asked[0].request.model_dump() == {"workflow_id": "wf_1", "wait": 30}


async def test_a_held_result_answers_with_the_state_so_far_when_the_door_closes(
    signer: Signer, migrated: Migrated
) -> None:
    schema = await migrated("orkestra.api_gateway", "gateway")

    async def held(_ctx: Context, request: Model) -> Model:
        if request.model_dump()["wait"]:
            await asyncio.sleep(40)
        return workflow()

    async with rest_door(signer, schema.app_url) as door:
        door.rooms.answer("get_workflow_result", held)
        waiting = asyncio.create_task(door.http.get("/v1/workflows/wf_1/result", params={"wait": 40}))
        await eventually(lambda: len(door.rooms.asked) == 1)
        door.drain.begin()
        answer = await asyncio.wait_for(waiting, 3)
    assert (answer.status_code, answer.json()["status"]) == (200, "running")


async def test_a_request_that_takes_too_long_is_504(signer: Signer, migrated: Migrated) -> None:
    schema = await migrated("orkestra.api_gateway", "gateway")

    async def slow(_ctx: Context, _request: GetTaskRequest) -> Model:
        await asyncio.sleep(20)
        return task()

    async with rest_door(signer, schema.app_url, request_seconds=0.5) as door:
        door.rooms.answer("get_task", slow)
        answer = await door.http.get(TASK)
    assert (answer.status_code, answer.json()["code"]) == (504, "REQUEST_TIMED_OUT")


async def test_limits_are_told_and_shared_between_replicas(signer: Signer, migrated: Migrated) -> None:
    schema = await migrated("orkestra.api_gateway", "gateway")
    limits: dict[str, Any] = {"per_key": Limit("key", 3, 60), "per_tenant": Limit("tenant", 1000, 60)}
    async with (
        rest_door(signer, schema.app_url, **limits) as one,
        rest_door(signer, schema.app_url, **limits) as other,
    ):
        for world in (one, other):
            world.rooms.know("ork_limited")
            world.http.headers["authorization"] = "Bearer ork_limited"
        served = [await world.http.get(TASK) for world in (one, other, one)]
        refused = await other.http.get(TASK)
    assert [answer.status_code for answer in served] == [404, 404, 404]
    assert served[0].headers["ratelimit-policy"] == '"key";q=3;w=60, "tenant";q=1000;w=60'
    assert [re.search(r'"key";r=(\d+)', answer.headers["ratelimit"])[1] for answer in served] == ["2", "1", "0"]  # type: ignore[index]
    assert (refused.status_code, refused.json()["code"]) == (429, "RATE_LIMITED")
    assert 15 <= int(refused.headers["retry-after"]) <= 21
    assert len(other.rooms.asked) == 1


async def test_a_tenants_limit_counts_all_of_its_keys(signer: Signer, migrated: Migrated) -> None:
    schema = await migrated("orkestra.api_gateway", "gateway")
    tenant_id = str(uuid4())
    async with rest_door(signer, schema.app_url, per_tenant=Limit("tenant", 2, 60)) as world:
        keys = [world.rooms.know(f"ork_{number}_{tenant_id}", tenant_id=tenant_id) for number in range(3)]
        answers = [await world.http.get(TASK, headers={"authorization": f"Bearer {key}"}) for key in keys]
        elsewhere = await world.http.get(TASK)
    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert "this tenant" in answers[-1].json()["detail"]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 31
    assert elsewhere.status_code == 404


async def test_without_its_database_the_door_serves_without_limits(signer: Signer) -> None:
    async with rest_door(signer, "postgresql://nobody@127.0.0.1:1/none") as door:
        door.rooms.answer("get_task", task())
        answers = [await door.http.get(TASK) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert "ratelimit" not in answers[0].headers


@pytest.mark.parametrize("path", [TASK, "/v1/nothing", "/", "/v1/tasks?q=a&q=b"])
async def test_no_answer_is_kept_by_a_cache_or_read_as_another_type(door: RestWorld, path: str) -> None:
    """A cache may keep a 404 that says nothing of it (RFC 9111, 4.2.2)."""
    for headers in ({}, {"authorization": "Bearer nothing"}):
        answer = await door.http.get(path, headers=headers)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
