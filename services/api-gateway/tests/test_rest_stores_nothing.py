"""Bad input and other tenants' ids before the real rooms: refused, and afterwards no row, event or run is there."""

import httpx
import pytest
from orkestra.api_gateway.routes.endpoint import ENDPOINTS, Endpoint
from orkestra.testkit.stack import Stack
from orkestra.testkit.stored import settled
from spoiled_keys import REFUSALS, spoiled
from test_rest_bad_input import WITH_BODY, bad_bodies, body_of, named, needed, url

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]

QUESTION = {"question": "q", "conversation_id": "c", "customer_id": "d"}
APART = 4
"""Of the bad bodies of an endpoint every fourth is sent here: that none reaches a room is shown for each elsewhere."""

GOOD = {"definition": "customer-support", "input": QUESTION}


async def test_bad_bodies_leave_nothing(stack: Stack) -> None:
    async with stack.rest(key="admin") as http:
        before = await settled(stack)
        for number, endpoint in enumerate(WITH_BODY):
            for _, body, status, code in list(bad_bodies(endpoint))[number % APART :: APART]:
                if status == 413:  # this door's limit is another
                    continue
                headers = {"content-type": "application/json", "idempotency-key": "bad-1"}
                answer = await http.request(endpoint.verb, url(endpoint), content=body, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (status, code), named(endpoint)
        assert await settled(stack) == before


async def test_what_the_rooms_refuse_leaves_nothing(stack: Stack) -> None:
    async with stack.rest(key="admin") as http:
        before = await settled(stack)
        for path, body in (
            ("/v1/workflows", {"definition": "nope", "input": {}}),
            ("/v1/workflows", {"definition": "customer-support", "input": {"question": 1}}),
            ("/v1/workflows", {"definition": "customer-support", "input": QUESTION | {"surprise": 1}}),
            ("/v1/tasks", {"title": "t", "form": {"answer": {"type": "nope"}}}),
            ("/v1/users", {"email": "no mail", "name": "N"}),
            ("/v1/users", {"email": "n@demo.example", "name": "N", "password": "short"}),
            ("/v1/users", {"email": "n@demo.example", "name": "N", "groups": ["nope"]}),
            ("/v1/groups", {"group_id": "Not A Slug"}),
            ("/v1/api-keys", {"name": "k", "kind": "user"}),
            ("/v1/api-keys", {"name": "k", "kind": "agent", "allowed_ips": ["nowhere"]}),
            ("/v1/sessions", {"email": "ann@demo.example", "password": "not the password"}),
        ):
            answer = await http.post(path, json=body)
            assert 400 <= answer.status_code < 500, (path, body, answer.text)
            assert answer.json().keys() >= {"type", "title", "status", "detail", "code", "errors"}
        assert await settled(stack) == before


async def ids_of_another_tenant(stack: Stack) -> dict[str, str]:
    """Makes one of each in the other demo tenant, and returns their ids by field name."""
    key = stack.info["other"]["api_keys"]
    async with httpx.AsyncClient(base_url=stack.info["rest"], timeout=60) as http:
        http.headers["authorization"] = f"Bearer {key['admin']}"
        users = (await http.get("/v1/users")).json()["users"]
        keys = (await http.get("/v1/api-keys")).json()["api_keys"]
        await http.post("/v1/groups", json={"group_id": "only-there"})
        http.headers["authorization"] = f"Bearer {key['system']}"
        started = await http.post("/v1/workflows", json=GOOD)
        workflow_id = started.raise_for_status().json()["workflow_id"]
        http.headers["authorization"] = f"Bearer {key['admin']}"
        tasks: list[dict[str, str]] = []
        while not tasks:
            tasks = (await http.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
    return {
        "user_id": users[0]["user_id"],
        "key_id": keys[0]["key_id"],
        "group_id": "only-there",
        "workflow_id": workflow_id,
        "task_id": tasks[0]["task_id"],
    }


async def test_another_tenants_ids_answer_as_ids_that_do_not_exist(stack: Stack) -> None:
    theirs = await ids_of_another_tenant(stack)
    named_by_id = [each for each in ENDPOINTS if each.in_path and each.in_path <= theirs.keys()]
    async with stack.rest(key="admin") as http:
        before = await settled(stack)
        for endpoint in named_by_id:
            real = await ask(http, endpoint, theirs)
            made_up = await ask(http, endpoint, {name: f"{value[:-4]}0000" for name, value in theirs.items()})
            assert real.status_code == made_up.status_code == 404, (named(endpoint), real.text)
            assert real.json()["code"] == made_up.json()["code"]
        assert await settled(stack) == before


async def ask(http: httpx.AsyncClient, endpoint: Endpoint, ids: dict[str, str]) -> httpx.Response:
    body = body_of(endpoint) if endpoint.has_body else None
    headers = {"content-type": "application/json"}
    path = endpoint.path.format_map(ids)
    return await http.request(endpoint.verb, path, params=needed(endpoint), content=body, headers=headers)


async def test_without_a_good_key_nothing_is_left(stack: Stack) -> None:
    headers = await spoiled(stack)
    before = await settled(stack)
    async with httpx.AsyncClient(base_url=stack.info["rest"], timeout=60) as http:
        for what, authorization in headers.items():
            given = {} if authorization is None else {"authorization": authorization}
            answer = await http.post("/v1/workflows", json=GOOD, headers=given)
            assert answer.status_code == 401, what
            assert answer.json()["code"] in REFUSALS
    assert await settled(stack) == before
