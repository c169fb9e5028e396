"""Bad input and other tenants' ids before the real rooms: refused, and afterwards no row exists that was not there."""

from collections import Counter

import asyncpg
import httpx
import pytest
from orkestra.api_gateway.routes.endpoint import ENDPOINTS, Endpoint
from orkestra.testkit.stack import Stack
from test_rest_bad_input import WITH_BODY, bad_bodies, body_of, named, url

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]


KEPT_ON_PURPOSE = {"identity.sign_in_failures"}
"""A wrong password is counted, so that guessing ends."""


async def rows(stack: Stack) -> Counter[str]:
    """Counts the rows of every table of the rooms."""
    connection = await asyncpg.connect(stack.info["postgres"])
    try:
        tables = await connection.fetch(
            "select schemaname || '.' || tablename as name from pg_tables where schemaname = any($1::text[])",
            ["identity", "task", "workflow"],
        )
        names = [table["name"] for table in tables if table["name"] not in KEPT_ON_PURPOSE]
        return Counter({name: await connection.fetchval(f"select count(*) from {name}") for name in names})
    finally:
        await connection.close()


async def test_bad_bodies_leave_no_row(stack: Stack) -> None:
    async with stack.rest(key="admin") as http:
        before = await rows(stack)
        for endpoint in WITH_BODY:
            for _, body, status, code in bad_bodies(endpoint):
                if status == 413:  # this door's limit is another
                    continue
                headers = {"content-type": "application/json", "idempotency-key": "bad-1"}
                answer = await http.request(endpoint.verb, url(endpoint), content=body, headers=headers)
                assert (answer.status_code, answer.json()["code"]) == (status, code), named(endpoint)
        assert await rows(stack) == before


async def test_what_the_rooms_refuse_leaves_no_row(stack: Stack) -> None:
    async with stack.rest(key="admin") as http:
        before = await rows(stack)
        for path, body in (
            ("/v1/workflows", {"definition": "nope", "input": {}}),
            ("/v1/workflows", {"definition": "customer-support", "input": {"question": 1}}),
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
        assert await rows(stack) == before


async def ids_of_another_tenant(stack: Stack) -> dict[str, str]:
    """Makes one of each in the other demo tenant, and returns their ids by field name."""
    key = stack.info["other"]["api_keys"]
    async with httpx.AsyncClient(base_url=stack.info["rest"], timeout=60) as http:
        http.headers["authorization"] = f"Bearer {key['admin']}"
        users = (await http.get("/v1/users")).json()["users"]
        keys = (await http.get("/v1/api-keys")).json()["api_keys"]
        await http.post("/v1/groups", json={"group_id": "only-there"})
        http.headers["authorization"] = f"Bearer {key['system']}"
        question = {"question": "q", "conversation_id": "c", "customer_id": "d"}
        started = await http.post("/v1/workflows", json={"definition": "customer-support", "input": question})
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
    named_by_id = [endpoint for endpoint in ENDPOINTS if endpoint.in_path & theirs.keys()]
    async with stack.rest(key="admin") as http:
        before = await rows(stack)
        for endpoint in named_by_id:
            real = await ask(http, endpoint, theirs)
            made_up = await ask(http, endpoint, {name: f"{value[:-4]}0000" for name, value in theirs.items()})
            assert real.status_code == made_up.status_code == 404, (named(endpoint), real.text)
            assert real.json()["code"] == made_up.json()["code"]
        assert await rows(stack) == before


async def ask(http: httpx.AsyncClient, endpoint: Endpoint, ids: dict[str, str]) -> httpx.Response:
    body = body_of(endpoint) if endpoint.has_body else None
    headers = {"content-type": "application/json"}
    return await http.request(endpoint.verb, endpoint.path.format_map(ids), content=body, headers=headers)
