"""One person erased in every service, and what is older than a tenant keeps it deleted; what stays still holds."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import nats
import pytest
from nats.js.errors import NotFoundError
from orkestra.chassis.streams import DEAD, EVENTS
from orkestra.cli.state import StateDir
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from temporalio.client import Client

pytestmark = pytest.mark.xdist_group("stack")

PASSWORD = "a password of enough length"
QUESTION = {"question": "q", "conversation_id": "c", "customer_id": "d"}
FORM = {"answer": {"type": "text", "label": "Answer"}}
SCHEMAS = ("identity", "task", "workflow", "notification", "gateway", "dashboard", "mcp")
TABLES = "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = any($1)"


@asynccontextmanager
async def door(stack: Stack, credential: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    headers = {} if credential is None else {"authorization": f"Bearer {credential}"}
    async with httpx.AsyncClient(base_url=stack.info["rest"], headers=headers, timeout=60) as http:
        yield http


async def send(http: httpx.AsyncClient, verb: str, path: str, **body: Any) -> Any:
    key = {"idempotency-key": uuid4().hex} if verb == "POST" else {}
    answer = await http.request(verb, path, json=body, headers=key)
    assert answer.is_success, (path, answer.text)
    return answer.json()


@dataclass(frozen=True)
class House:
    """A tenant of a test's own, its admin, and its person Zoe, who has been at work."""

    stack: Stack
    tenant_id: str
    slug: str
    admin: httpx.AsyncClient
    zoe: httpx.AsyncClient
    zoe_id: str
    mark: str
    """What stands in everything that names Zoe or that she wrote."""


@asynccontextmanager
async def signed_in(stack: Stack, email: str) -> AsyncIterator[httpx.AsyncClient]:
    async with door(stack) as http:
        session = await send(http, "POST", "/v1/sessions", email=email, password=PASSWORD)
        http.headers["authorization"] = f"Bearer {session['token']}"
        yield http


@pytest.fixture
async def house(stack: Stack) -> AsyncIterator[House]:
    async with opened(stack) as one:
        yield one


@asynccontextmanager
async def opened(stack: Stack) -> AsyncIterator[House]:
    slug, mark = f"keeps-{uuid4().hex[:8]}", f"Zoe{uuid4().hex[:12]}"
    admin, zoe = f"admin@{slug}.example", f"{mark.lower()}@{slug}.example"
    async with door(stack, StateDir(stack.state_dir).secrets()["service_key"]) as operator:
        first = {"email": admin, "name": "Ada", "password": PASSWORD}
        tenant = await send(operator, "POST", "/v1/tenants", slug=slug, name="Keeps", admin=first)
    async with signed_in(stack, admin) as boss:
        for group in ("support-l1", "support-l2"):
            await send(boss, "POST", "/v1/groups", group_id=group, members=[admin])

        async def is_member() -> bool:
            return len((await boss.get("/v1/me")).json()["groups"]) == 2

        await eventually(is_member)
        given = {"email": zoe, "name": f"{mark} Quux", "password": PASSWORD, "groups": ["support-l1"]}
        person = await send(boss, "POST", "/v1/users", **given)
        async with signed_in(stack, zoe) as own:
            yield House(stack, tenant["tenant_id"], slug, boss, own, person["user_id"], mark)


async def dumped(stack: Stack, tenant_id: str) -> AsyncIterator[tuple[str, bytes]]:
    """Every table of every schema as COPY gives it, text and bytes as they are; the streams message by message."""
    conn = await asyncpg.connect(stack.info["postgres"])
    try:
        for row in await conn.fetch(TABLES, list(SCHEMAS)):
            for one in await conn.fetch(f"select t::text as text from {row[0]} t"):
                yield row[0], _readable(one["text"])
    finally:
        await conn.close()
    client = await nats.connect(stack.info["nats"])
    try:
        for stream, subject in (
            (EVENTS, f"orkestra.v1.{tenant_id}.>"),
            (DEAD, f"orkestra_dead.*.orkestra.v1.{tenant_id}.>"),
        ):
            place = 1
            while True:
                try:
                    message = await client.jetstream().get_msg(stream, seq=place, subject=subject, next=True)
                except NotFoundError:
                    break
                yield f"{stream} {message.subject}", str(message.headers).encode() + (message.data or b"")
                place = int(message.seq or 0) + 1
    finally:
        await client.close()


def _readable(text: str) -> bytes:
    """A row with its bytes, which PostgreSQL shows as hexadecimal, beside it as what they are."""
    hexadecimal = [part for part in text.replace('"', ",").replace("\\\\", "\\").split(",") if part.startswith("\\x")]
    return text.encode() + b"".join(bytes.fromhex(part[2:]) for part in hexadecimal)


async def places_of(stack: Stack, tenant_id: str, words: list[str]) -> set[str]:
    """The tables and subjects in which one of these words stands."""
    wanted = [word.lower().encode() for word in words]
    return {place async for place, text in dumped(stack, tenant_id) if any(word in text.lower() for word in wanted)}


async def busy(house: House) -> str:
    """Let Zoe work: a comment, a refusal with a reason, a question, a decision; return the task that she decided."""
    zoe, mark = house.zoe, house.mark
    tasks = [
        (
            await send(
                house.admin, "POST", "/v1/tasks", title=f"Task {number}", form=FORM, candidate_groups=["support-l1"]
            )
        )
        for number in range(2)
    ]
    decided, asked = (task["task_id"] for task in tasks)
    await send(zoe, "POST", f"/v1/tasks/{decided}/comments", text=f"I am {mark}, call me.")
    await send(zoe, "POST", f"/v1/tasks/{decided}/claim")
    me = (await house.admin.get("/v1/me")).json()["subject"]
    await send(zoe, "POST", f"/v1/tasks/{decided}/delegate", assignee=me, reason=f"{mark} is ill")
    await send(house.admin, "POST", f"/v1/tasks/{decided}/assign", assignee=house.zoe_id, reason="She is back.")
    await send(zoe, "POST", f"/v1/tasks/{decided}/complete", data={"answer": "Yes."})
    await send(zoe, "POST", f"/v1/tasks/{asked}/claim")
    await send(zoe, "POST", f"/v1/tasks/{asked}/request-changes", message=f"Tell {mark} which order.")
    dropped = await send(zoe, "POST", "/v1/tasks", title="Dropped", form=FORM, candidate_groups=["support-l2"])
    await send(zoe, "POST", f"/v1/tasks/{dropped['task_id']}/cancel", reason=f"{mark} has done it.")
    await send(zoe, "PUT", "/v1/preferences", rules=[])
    await send(house.admin, "POST", "/v1/webhooks", url="http://127.0.0.1:9/hook", events=["identity.*", "task.*"])
    await send(house.admin, "PATCH", f"/v1/users/{house.zoe_id}", locale="de")
    return str(decided)


async def erase(house: House) -> dict[str, Any]:
    """Disable Zoe and have her erased; return the erasure when it is done."""
    await send(house.admin, "POST", f"/v1/users/{house.zoe_id}/disable")
    asked = await send(house.admin, "POST", "/v1/erasures", user_id=house.zoe_id, reason="Asked for by letter.")

    async def is_done() -> dict[str, Any] | None:
        found: dict[str, Any] = (await house.admin.get(f"/v1/erasures/{asked['erasure_id']}")).json()
        return found if found["status"] == "done" else None

    done = await eventually(is_done, timeout=90)
    assert done is not None
    return done


@pytest.mark.timeout(200)
async def test_nothing_that_names_an_erased_person_or_that_they_wrote_is_left_and_decisions_hold(house: House) -> None:
    decided = await busy(house)

    async def is_everywhere() -> bool:
        found = await places_of(house.stack, house.tenant_id, [house.mark])
        names = " ".join(found)
        assert {"identity.users", "task.people", "task.task_comments", "task.task_history", "task.tasks"} <= found
        return "notification.people" in found and f"{EVENTS} orkestra" in names

    await eventually(is_everywhere, timeout=30)
    erasure = await erase(house)
    assert [part["part"] for part in erasure["parts"]] == ["identity", "events", "task", "notification", "workflow"]

    async def is_nowhere() -> bool:
        assert await places_of(house.stack, house.tenant_id, [house.mark]) == set()
        return True

    await eventually(is_nowhere, timeout=40)
    task = (await house.admin.get(f"/v1/tasks/{decided}")).json()
    assert (task["result"], task["completed_by"]) == ({"answer": "Yes."}, house.zoe_id)
    verified = (await house.admin.get(f"/v1/tasks/{decided}/history/verify")).json()
    assert (verified["intact"], len(verified["erased"])) == (True, 1)
    comments = (await house.admin.get(f"/v1/tasks/{decided}/comments")).json()["comments"]
    assert [(one["author"], one["author_name"], one["text"]) for one in comments] == [(house.zoe_id, None, "")]
    audit = (await house.admin.get("/v1/audit", params={"action": "erase_user"})).json()["entries"]
    assert [(one["resource_id"], one["after"]["asked_by"]) for one in audit] == [
        (house.zoe_id, erasure["requested_by"])
    ]
    assert (await house.admin.get(f"/v1/users/{house.zoe_id}")).json()["name"] == "Erased person"


async def aged(stack: Stack, statement: str, *values: object) -> None:
    """Let time have passed for rows, behind the services."""
    conn = await asyncpg.connect(stack.info["postgres"])
    try:
        await conn.execute(statement, *values)
    finally:
        await conn.close()


async def fire(stack: Stack, tenant_id: str) -> None:
    """Have the tenant's schedule in Temporal fire now."""
    client = await Client.connect(stack.info["temporal"])
    await client.get_schedule_handle(f"retention_{tenant_id}").trigger()


async def task_of(house: House, run_id: str) -> str:
    async def asked() -> list[dict[str, Any]]:
        found = await house.admin.get("/v1/tasks", params={"workflow_id": run_id})
        tasks: list[dict[str, Any]] = found.json()["tasks"]
        return tasks

    return str((await eventually(asked, timeout=60))[0]["task_id"])


AGE_TASKS = """
update task.tasks set created_at = created_at - interval '40 days', updated_at = updated_at - interval '40 days',
    completed_at = completed_at - interval '40 days' where tenant_id = $1 and task_id = any($2)
"""
AGE_AUDIENCE = """
update task.task_audience set created_at = created_at - interval '40 days' where tenant_id = $1 and task_id = any($2)
"""
AGE_RUNS = """
update workflow.runs set started_at = started_at - interval '40 days', closed_at = closed_at - interval '40 days'
where tenant_id = $1 and workflow_id = any($2)
"""
TOLD = "select count(*) from task.tasks where tenant_id = $1 and status = 'completed' and told_at is not null"


async def is_confirmed(house: House) -> bool:
    """Whether whoever waited for the ends of tasks knows of them."""
    conn = await asyncpg.connect(house.stack.info["postgres"])
    try:
        return not await conn.fetchval(TOLD, house.tenant_id)
    finally:
        await conn.close()


@pytest.mark.timeout(200)
async def test_what_ended_longer_ago_than_it_is_kept_is_deleted_and_nothing_else(house: House) -> None:
    admin, stack = house.admin, house.stack
    runs = [
        (await send(admin, "POST", "/v1/workflows", definition="customer-support", input=QUESTION))["workflow_id"]
        for _ in range(2)
    ]
    ended, going_on = runs
    done = await task_of(house, ended)
    await send(admin, "POST", f"/v1/tasks/{done}/claim")
    form = (await admin.get(f"/v1/tasks/{done}")).json()["form"]
    assert form
    await send(admin, "POST", f"/v1/tasks/{done}/cancel", reason="Not needed.")
    alone = [
        (await send(admin, "POST", "/v1/tasks", title="Alone", form=FORM, candidate_groups=["support-l1"]))["task_id"]
        for _ in range(3)
    ]
    old, young, live = alone
    for task_id in (old, young):
        await send(admin, "POST", f"/v1/tasks/{task_id}/complete", data={"answer": "Yes."})
    await send(admin, "POST", f"/v1/tasks/{old}/comments", text="It was this.")
    waiting = await task_of(house, going_on)

    async def is_over() -> bool:
        run = (await admin.get(f"/v1/workflows/{ended}")).json()
        return run["status"] != "running" and await is_confirmed(house)

    await eventually(is_over, timeout=60)
    await aged(stack, AGE_TASKS, house.tenant_id, [old, live, waiting, done])
    await aged(stack, AGE_AUDIENCE, house.tenant_id, [old, live, waiting, done])
    await aged(stack, AGE_RUNS, house.tenant_id, [ended, going_on])
    kept = await send(admin, "PUT", "/v1/retention", task_days=30, run_days=30, delivery_days=30, event_days=7)
    assert (kept["task_days"], kept["version"]) == (30, 1)
    await eventually(_firing(house), timeout=30)

    async def is_applied() -> bool:
        return (await admin.get("/v1/retention")).json()["applied_at"] is not None

    await eventually(is_applied, timeout=60)
    assert await statuses(admin, "tasks", old, young, live, waiting, done) == [404, 200, 200, 200, 404]
    assert await statuses(admin, "workflows", ended, going_on) == [404, 200]
    assert (await admin.get(f"/v1/tasks/{young}/history/verify")).json()["intact"]
    listed = (await admin.get("/v1/tasks", params={"q": "Alone", "scope": "all"})).json()["tasks"]
    assert {one["task_id"] for one in listed} <= {young, live}
    client = await Client.connect(stack.info["temporal"])

    async def is_gone() -> bool:
        return [one.id async for one in client.list_workflows(f"WorkflowId IN ('{ended}', '{going_on}')")] == [going_on]

    await eventually(is_gone, timeout=120)


def _firing(house: House) -> Callable[[], Awaitable[bool]]:
    async def fires() -> bool:
        await fire(house.stack, house.tenant_id)
        return True

    return fires


async def statuses(http: httpx.AsyncClient, kind: str, *ids: str) -> list[int]:
    return [(await http.get(f"/v1/{kind}/{one}")).status_code for one in ids]
