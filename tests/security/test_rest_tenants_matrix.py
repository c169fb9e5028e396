"""Every REST route is tried with what belongs to another tenant; a route that the matrix does not list fails here."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from orkestra.api_gateway.routes.endpoint import ENDPOINTS, Endpoint
from orkestra.api_gateway.routes.openapi import document
from orkestra.testkit.stack import Stack
from orkestra.testkit.stored import settled
from orkestra.testkit.waiting import eventually
from rest_matrix import BODIES, MATRIX, Tried
from test_rest_bad_input import body_of, named, needed

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
MARK = "only of the other tenant"
SCHEMAS = ("identity", "notification", "task", "workflow")
FILTERS = {"assignee": "user_id", "group": "group_id", "actor": "user_id", "resource_id": "user_id"}
"""Filters that are named otherwise than the id they take."""
PASSING = {"outbox", "request_keys"}
WEBHOOK = {"url": "https://93.184.215.14/theirs", "description": MARK, "events": ["task.expired"]}
QUESTION = {"question": MARK, "conversation_id": MARK, "customer_id": MARK}
REFUND = {"name": "refund_payment", "args": {"order": MARK}}
FORM = {
    "version": 1,
    "fields": {"comment": {"type": "textarea", "label": "Comment"}},
    "outcomes": [{"key": "approve", "label": "Approve"}],
}


@dataclass(frozen=True)
class Theirs:
    """One of each that the other tenant has: its id by the field's name."""

    tenant_id: str
    ids: dict[str, str]

    def made_up(self) -> dict[str, str]:
        """Ids of the same look that nobody has."""
        return {name: f"{value[:-4]}{'0000' if value[-4:] != '0000' else '1111'}" for name, value in self.ids.items()}


class Other:
    """The other tenant, by its keys and people."""

    def __init__(self, stack: Stack, http: httpx.AsyncClient) -> None:
        self._stack = stack
        self._http = http

    async def post(self, path: str, body: dict[str, Any], *, key: str = "admin") -> Any:
        answer = await self._http.post(path, json=body, headers=self._as(key))
        assert answer.is_success, (path, answer.text)
        return answer.json()

    async def get(self, path: str, *, key: str = "admin") -> Any:
        return (await self._http.get(path, headers=self._as(key))).raise_for_status().json()

    async def ann(self) -> dict[str, str]:
        """Headers of a session of a person of theirs."""
        ann = next(user for user in self._stack.info["other"]["users"] if user["email"].startswith("ann@"))
        given = {"email": ann["email"], "password": ann["password"], "tenant": "other"}
        session = (await self._http.post("/v1/sessions", json=given)).raise_for_status().json()
        return {"authorization": f"Bearer {session['token']}"}

    async def ids(self) -> dict[str, str]:
        people = {user["email"].split("@")[0]: user["user_id"] for user in (await self.get("/v1/users"))["users"]}
        task = await self.post("/v1/tasks", {"title": MARK, "assignee": people["ann"]}, key="system")
        hours = {"time_zone": "UTC", "hours": [{"weekday": "monday", "opens": "09:00", "closes": "17:00"}]}
        calendar = {"calendar_id": "their-calendar", "name": MARK, "working_hours": hours}
        every = {"definition": "customer-support", "input": QUESTION, "every": "24h", "paused": True, "note": MARK}
        check = {"topic": "matrix", "confidence": 0.1, "agent": MARK}
        return {
            "user_id": people["ann"],
            "key_id": (await self.post("/v1/api-keys", {"name": MARK, "kind": "agent"}))["api_key"]["key_id"],
            "group_id": (await self._made_once("/v1/groups", {"group_id": "their-group", "name": MARK}))["group_id"],
            "calendar_id": (await self._made_once("/v1/calendars", calendar))["calendar_id"],
            "task_id": task["task_id"],
            "workflow_id": await self._workflow(),
            "schedule_id": (await self.post("/v1/schedules", every))["schedule_id"],
            "check_id": (await self.post("/v1/escalation-policies/check", check, key="agent"))["check_id"],
            "view_id": await self._view(),
            "notification_id": await self._notification(),
            "webhook_id": (await self.post("/v1/webhooks", WEBHOOK))["webhook"]["webhook_id"],
            "subject_id": await self._subject(people["ann"]),
            "receipt": await self._receipt(),
            "tenant_id": task["tenant_id"],
        }

    async def _made_once(self, path: str, body: dict[str, Any]) -> Any:
        (place,) = (value for name, value in body.items() if name.endswith("_id"))
        found = await self._http.get(f"{path}/{place}", headers=self._as("admin"))
        return found.json() if found.is_success else await self.post(path, body)

    async def _workflow(self) -> str:
        start = {"definition": "customer-support", "input": QUESTION}
        workflow_id: str = (await self.post("/v1/workflows", start, key="system"))["workflow_id"]

        async def asks() -> bool:
            return bool((await self.get(f"/v1/tasks?workflow_id={workflow_id}"))["tasks"])

        await eventually(asks, timeout=60)
        return workflow_id

    async def _subject(self, user_id: str) -> str:
        """Written down here: the stack knows no outside issuer."""
        subject_id, tenant_id = f"subject_{uuid4().hex}", self._stack.info["other"]["tenant"]["tenant_id"]
        conn = await asyncpg.connect(self._stack.info["postgres"])
        try:
            await conn.execute(
                "insert into identity.linked_subjects (tenant_id, subject_id, issuer, subject, user_id) "
                "values ($1, $2, $3, $4, $5) on conflict do nothing",
                *(tenant_id, subject_id, f"https://{subject_id}.example", MARK, user_id),
            )
        finally:
            await conn.close()
        return subject_id

    async def _view(self) -> str:
        view = await self._http.post("/v1/views", json={"name": MARK, "filter": {}}, headers=await self.ann())
        view_id: str = view.raise_for_status().json()["view_id"]
        return view_id

    async def _notification(self) -> str:
        headers = await self.ann()

        async def told() -> str | None:
            feed = (await self._http.get("/v1/notifications", headers=headers)).raise_for_status().json()
            return feed["notifications"][0]["notification_id"] if feed["notifications"] else None

        return await eventually(told, timeout=60)

    async def _receipt(self) -> str:
        asked = {"title": MARK, "candidate_groups": ["support-l1"], "context": {"action": REFUND}, "form": FORM}
        task = await self.post("/v1/tasks", asked, key="agent")
        body = {"data": {"comment": MARK}, "outcome": "approve"}
        path = f"/v1/tasks/{task['task_id']}/complete"
        (await self._http.post(path, json=body, headers=await self.ann())).raise_for_status()
        token: str = (await self.get(f"/v1/tasks/{task['task_id']}", key="agent"))["receipt"]["token"]
        return token

    def _as(self, key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self._stack.info['other']['api_keys'][key]}"}


@pytest.fixture(scope="module")
async def theirs(stack: Stack) -> Theirs:
    async with httpx.AsyncClient(base_url=stack.info["rest"], timeout=60) as http:
        ids = await Other(stack, http).ids()
    await settled(stack)
    return Theirs(ids["tenant_id"], ids)


async def rows_of(stack: Stack, tenant_id: str) -> dict[str, str]:
    """A digest of what a tenant has in each table, but for what passes by itself."""
    conn = await asyncpg.connect(stack.info["postgres"])
    try:
        tables = await conn.fetch(
            "select table_schema || '.' || table_name as name from information_schema.columns "
            "where table_schema = any($1::text[]) and column_name = 'tenant_id' and table_name <> all($2::text[])",
            list(SCHEMAS),
            list(PASSING),
        )
        text = "select md5(string_agg(t::text, ',' order by t::text)) from {} t where tenant_id = $1"
        return {one["name"]: await conn.fetchval(text.format(one["name"]), tenant_id) for one in tables}
    finally:
        await conn.close()


@asynccontextmanager
async def unchanged(stack: Stack, theirs: Theirs) -> AsyncIterator[None]:
    before = await rows_of(stack, theirs.tenant_id)
    yield
    await settled(stack)
    after = await rows_of(stack, theirs.tenant_id)
    assert {name for name in before if before[name] != after[name]} == set()


def tried(how: Tried) -> list[Endpoint]:
    return [endpoint for endpoint in ENDPOINTS if MATRIX.get(named(endpoint)) is how]


async def ask(http: httpx.AsyncClient, endpoint: Endpoint, ids: dict[str, str], **query: str) -> httpx.Response:
    key = named(endpoint)
    body = filled(BODIES[key], ids) if key in BODIES else body_of(endpoint)
    headers = {"content-type": "application/json"} if endpoint.has_body else {}
    path = endpoint.path.format_map(ids)
    query = needed(endpoint) | query
    return await http.request(
        endpoint.verb, path, params=query, content=body if endpoint.has_body else None, headers=headers
    )


def filled(body: dict[str, Any], ids: dict[str, str]) -> bytes:
    text = json.dumps(body)
    for name, value in ids.items():
        text = text.replace(f"{{{name}}}", value)
    return text.encode()


def assert_nothing_of_theirs(answer: httpx.Response, theirs: Theirs, *, but: tuple[str, ...] = ()) -> None:
    """Nothing in the answer is theirs; `but` is what the caller itself has named."""
    told = [value for name, value in theirs.ids.items() if name not in but] + [MARK]
    assert [value for value in told if value in answer.text] == [], answer.request.url


def test_every_route_is_in_the_matrix() -> None:
    told = document(ENDPOINTS, version="0")["paths"]
    served = {f"{verb.upper()} {path}" for path, verbs in told.items() for verb in verbs}
    assert served - MATRIX.keys() == set(), "say in tests/security/rest_matrix.py what these are tried with"
    assert MATRIX.keys() - served == set(), "these are served no longer"
    assert BODIES.keys() == {key for key, how in MATRIX.items() if how is Tried.BODY}


def test_what_is_named_by_an_id_is_tried_with_one() -> None:
    for endpoint in ENDPOINTS:
        names_one = any(name.endswith("_id") for name in endpoint.in_path)
        assert names_one == (MATRIX[named(endpoint)] is Tried.THEIR_ID), named(endpoint)


@pytest.mark.parametrize("caller", ["admin", "agent", "person"])
async def test_their_ids_answer_as_ids_that_do_not_exist(stack: Stack, theirs: Theirs, caller: str) -> None:
    by = {"email": "ann@demo.example"} if caller == "person" else {"key": caller}
    async with stack.rest(**by) as http, unchanged(stack, theirs):
        for endpoint in tried(Tried.THEIR_ID):
            real = await ask(http, endpoint, theirs.ids)
            made_up = await ask(http, endpoint, theirs.made_up())
            assert (real.status_code, real.json()["code"]) == (made_up.status_code, made_up.json()["code"]), real.url
            assert real.status_code in (403, 404), (named(endpoint), real.text)
            assert_nothing_of_theirs(real, theirs, but=tuple(endpoint.in_path))


async def test_no_list_has_anything_of_theirs(stack: Stack, theirs: Theirs) -> None:
    async with stack.rest(key="admin") as http:
        for endpoint in tried(Tried.LIST):
            assert_nothing_of_theirs(await ask(http, endpoint, {}), theirs)
            for name in endpoint.open_fields:
                field = FILTERS.get(name, name)
                if field in theirs.ids:
                    found = await ask(http, endpoint, {}, **{name: theirs.ids[field]})
                    none = await ask(http, endpoint, {}, **{name: theirs.made_up()[field]})
                    assert found.status_code == none.status_code, found.url
                    same = [TIME.sub("", answer.text) for answer in (found, none)]
                    assert same[0].replace(theirs.ids[field], "") == same[1].replace(theirs.made_up()[field], "")


async def test_their_ids_in_a_body_are_as_made_up_ones(stack: Stack, theirs: Theirs) -> None:
    async with stack.rest(key="admin") as http, unchanged(stack, theirs):
        for number, endpoint in enumerate(tried(Tried.BODY)):
            real = await ask(http, endpoint, theirs.ids | {"number": f"a{number}"})
            made_up = await ask(http, endpoint, theirs.made_up() | {"number": f"b{number}"})
            assert real.status_code == made_up.status_code, (named(endpoint), real.text, made_up.text)
            assert real.json().get("code") == made_up.json().get("code")
            sent = BODIES[named(endpoint)]
            assert_nothing_of_theirs(real, theirs, but=tuple(name for name in theirs.ids if f"{{{name}}}" in str(sent)))


async def test_what_names_nothing_meets_only_what_is_ours(stack: Stack, theirs: Theirs) -> None:
    async with stack.rest(key="admin") as http, unchanged(stack, theirs):
        for endpoint in tried(Tried.OWN):
            assert_nothing_of_theirs(await ask(http, endpoint, {}), theirs)
