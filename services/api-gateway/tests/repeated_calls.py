"""A tenant of a running stack in which each POST route has something to be done, once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import repeated_workflow
from orkestra.sdk.worker import WorkerSettings, run_worker
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from temporalio.client import Client

Body = dict[str, Any]
Ids = dict[str, str]

PASSWORD, NEXT_PASSWORD = "correct horse battery staple", "staple battery horse correct"
GROUP = "support-l1"
START: Body = {
    "definition": "customer-support",
    "input": {"question": "q", "conversation_id": "c", "customer_id": "d"},
}
FORM = {"version": 1, "fields": {"answer": {"type": "textarea", "label": "Answer"}}}
OUTCOMES = {"outcomes": [{"key": "approve", "label": "Approve"}, {"key": "reject", "label": "Reject"}]}
ANSWER = {"data": {"answer": "Yes."}}
REFUND = {"name": "refund_payment", "args": {"order": "4711"}}
HOURS = {"time_zone": "UTC", "hours": [{"weekday": "monday", "opens": "09:00", "closes": "17:00"}]}
NOBODY_THERE = "http://127.0.0.1:9/none"
SCHEMAS = ("identity", "notification", "task", "workflow")
PASSING = ("published_at", "stream_seq", "last_used_at")
"""Columns that say what became of a row elsewhere, or that somebody called."""
TRIED_AGAIN = ("notification.deliveries", "notification.lanes")
"""What is sent to nobody is tried again by itself."""

READINGS = 3
"""So many equal readings, one after the other, mean that nothing is on its way."""


@dataclass(frozen=True)
class Repeated:
    """A call, and another one that the same key must not stand for."""

    by: str
    ids: Ids = field(default_factory=dict)
    body: Body | bytes = field(default_factory=dict)
    other: Body | bytes | None = None
    """Another body; None where the other call is about another resource."""
    other_ids: Ids | None = None
    shown_once: str | None = None
    """The field of the answer that a repetition does not have again: a secret."""


class Callers:
    """Those who call at the REST door of a stack, by name."""

    def __init__(self, http: httpx.AsyncClient, operator: str) -> None:
        self._http = http
        self._credentials = {"operator": operator}

    async def send(self, by: str, path: str, body: Body | bytes, *, key: str | None = None) -> httpx.Response:
        """POST as one of them; bytes are a file."""
        headers = {"authorization": f"Bearer {self._credentials[by]}"} | (
            {} if key is None else {"idempotency-key": key}
        )
        if isinstance(body, bytes):
            headers["content-type"] = "text/plain"
            return await self._http.post(path, params={"name": "note.txt"}, content=body, headers=headers)
        return await self._http.post(path, json=body, headers=headers)

    async def done(self, by: str, path: str, body: Body | None = None) -> Any:
        """Do what must succeed, and return the answer."""
        answer = await self.send(by, path, body or {})
        assert answer.is_success, (path, answer.text)
        return answer.json()

    async def get(self, by: str, path: str) -> Any:
        """Read what must be there."""
        headers = {"authorization": f"Bearer {self._credentials[by]}"}
        return (await self._http.get(path, headers=headers)).raise_for_status().json()

    async def put(self, by: str, path: str, body: Body) -> None:
        """Write what must be taken."""
        headers = {"authorization": f"Bearer {self._credentials[by]}"}
        (await self._http.put(path, json=body, headers=headers)).raise_for_status()

    def credential(self, name: str) -> str:
        """What somebody calls with, for another door."""
        return self._credentials[name]

    def know(self, name: str, credential: str) -> None:
        """Let somebody else call as well."""
        self._credentials[name] = credential


class Own:
    """A new tenant with an admin, two people of one group, a system and an agent."""

    def __init__(self, callers: Callers) -> None:
        self.callers = callers
        self.slug = f"repeats-{uuid4().hex[:12]}"
        self.tenants: list[str] = []
        self.people: Ids = {}

    async def fill(self) -> None:
        """Make the tenant and whoever calls in it."""
        self.tenants.append(await self.tenant(self.slug))
        await self.sign_in("admin")
        for group in (GROUP, "support-l2"):  # the second is whom the first's tasks go to when they are late
            await self.callers.done("admin", "/v1/groups", {"group_id": group})
        for name in ("ann", "ben", "cara"):
            await self.person(name, password=PASSWORD)
            await self.sign_in(name)
        for kind in ("system", "agent"):
            asked = {"name": kind, "kind": "service" if kind == "system" else "agent"}
            self.callers.know(kind, (await self.callers.done("admin", "/v1/api-keys", asked))["secret"])

    async def tenant(self, slug: str) -> str:
        """Make a tenant; returns its id."""
        admin = {"email": "admin@repeats.example", "name": "Ada", "roles": ["admin"], "password": PASSWORD}
        made = await self.callers.done("operator", "/v1/tenants", {"slug": slug, "name": "Repeats", "admin": admin})
        tenant_id: str = made["tenant_id"]
        return tenant_id

    async def sign_in(self, name: str) -> None:
        """Let a person call."""
        given = {"email": f"{name}@repeats.example", "password": PASSWORD, "tenant": self.slug}
        self.callers.know(name, (await self.callers.done("operator", "/v1/sessions", given))["token"])

    async def person(self, name: str, **more: Any) -> str:
        """Make a person of the group; returns the id."""
        given = {"email": f"{name}@repeats.example", "name": name.title(), "groups": [GROUP]} | more
        self.people[name] = (await self.callers.done("admin", "/v1/users", given))["user_id"]
        return self.people[name]

    async def disabled(self, name: str) -> str:
        """Make a person who may not call; returns the id."""
        user_id = await self.person(name)
        await self.callers.done("admin", f"/v1/users/{user_id}/disable")
        return user_id

    async def key(self) -> str:
        """Make an API key; returns its id."""
        made = await self.callers.done("admin", "/v1/api-keys", {"name": "any", "kind": "agent"})
        key_id: str = made["api_key"]["key_id"]
        return key_id

    async def task(self, *, claimed: bool = False, **more: Any) -> str:
        """Ask the group something; returns the task's id. It is Ann's where it is `claimed`."""
        asked = {"title": "May I?", "candidate_groups": [GROUP], "form": FORM} | more
        task_id: str = (await self.callers.done("system", "/v1/tasks", asked))["task_id"]
        if claimed:
            await self.callers.done("ann", f"/v1/tasks/{task_id}/claim")
        return task_id

    async def run(self, definition: str = "counts-repeats", *, by: str = "system") -> str:
        """Start a run that Temporal has; returns its id."""
        started = START if definition == "customer-support" else {"definition": definition, "input": {}}
        workflow_id: str = (await self.callers.done(by, "/v1/workflows", started))["workflow_id"]

        async def is_there() -> bool:
            return (await self.callers.get(by, f"/v1/workflows/{workflow_id}"))["run_id"] is not None

        await eventually(is_there, timeout=30)
        return workflow_id

    async def end(self) -> None:
        """Leave no run behind that nobody serves."""
        for run in (await self.callers.get("admin", "/v1/workflows?status=running&page_size=100"))["workflows"]:
            await self.callers.done("admin", f"/v1/workflows/{run['workflow_id']}/terminate")

    async def schedule(self) -> str:
        """Make a paused schedule; returns its id."""
        made = await self.callers.done("system", "/v1/schedules", START | {"every": "24h", "paused": True})
        schedule_id: str = made["schedule_id"]
        return schedule_id


@asynccontextmanager
async def own_tenant(stack: Stack) -> AsyncIterator[Own]:
    """A new tenant, and a worker that serves `counts-repeats` beside the stack's own."""
    keys = json.loads((stack.state_dir / "secrets.json").read_text("utf-8"))
    async with _worker(stack), httpx.AsyncClient(base_url=stack.info["rest"], timeout=60) as http:
        own = Own(Callers(http, keys["service_key"]))
        await own.fill()
        yield own
        await own.end()


@asynccontextmanager
async def _worker(stack: Stack) -> AsyncIterator[None]:
    named = {f"{room}_address": stack.info[room] for room in ("temporal", "identity", "task", "workflow")}
    settings = WorkerSettings(**named, worker_key=stack.info["api_keys"]["worker"], task_queue="repeats")
    stop, ready = asyncio.Event(), asyncio.Event()
    running = asyncio.create_task(run_worker([repeated_workflow], settings=settings, stop=stop, ready=ready))
    try:
        await eventually(lambda: ready.is_set() or running.done(), timeout=30)
        yield
    finally:
        stop.set()
        await running


UNSIGNED = "select count(*) from task.task_history where signature is null and tenant_id::text = any($1::text[])"
"""Entries that the next sweep signs."""


class Watch:
    """Tells what tenants of a stack have: what changes nothing leaves it as it is."""

    def __init__(self, conn: "asyncpg.Connection[asyncpg.Record]", temporal: Client, tables: list[str]) -> None:
        self._conn = conn
        self._temporal = temporal
        row = "(to_jsonb(t) - $2::text[])::text"
        self._digests = " union all ".join(
            f"select '{name}' as name, md5(string_agg({row}, ',' order by {row})) as digest from {name} t "
            "where tenant_id::text = any($1::text[])"
            for name in tables
        )

    async def state(self, tenants: list[str]) -> Ids:
        """A digest of each table's rows, the events told included, and how long each run's history is."""
        found = await self._conn.fetch(self._digests, tenants, list(PASSING))
        runs = await self._conn.fetch(
            "select workflow_id from workflow.runs where tenant_id::text = any($1::text[]) and run_id is not null",
            tenants,
        )
        lengths = {f"history of {run['workflow_id']}": await self._length(run["workflow_id"]) for run in runs}
        return {one["name"]: one["digest"] or "" for one in found} | lengths

    async def still(self, tenants: list[str]) -> Ids:
        """The state when nothing of what was done before is still on its way."""
        seen: list[Ids] = []

        async def is_still() -> bool:
            seen.append(await self.state(tenants))
            is_same = len(seen) >= READINGS and all(one == seen[-1] for one in seen[-READINGS:])
            return is_same and not await self._conn.fetchval(UNSIGNED, tenants)

        await eventually(is_still, timeout=60, every=0.5)
        return seen[-1]

    async def _length(self, workflow_id: str) -> str:
        return str((await self._temporal.get_workflow_handle(workflow_id).describe()).history_length)


@asynccontextmanager
async def watching(stack: Stack) -> AsyncIterator[Watch]:
    """Watch a stack from behind: its database, and Temporal."""
    temporal = await Client.connect(stack.info["temporal"])
    conn = await asyncpg.connect(stack.info["postgres"])
    try:
        tables = await conn.fetch(
            "select table_schema || '.' || table_name as name from information_schema.columns "
            "where table_schema = any($1::text[]) and column_name = 'tenant_id'",
            list(SCHEMAS),
        )
        yield Watch(conn, temporal, sorted({one["name"] for one in tables} - set(TRIED_AGAIN)))
    finally:
        await conn.close()
