"""What clients were promised while things broke, and the proof afterwards that each promise was kept."""

import asyncio
import json
import secrets
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import asyncpg
import httpx
from fault_system import FaultedStack, clock
from orkestra.testkit.waiting import eventually
from webhook_endpoint import Endpoint

INPUT = {"question": "May I return it?", "conversation_id": "conv-1", "customer_id": "cust-1"}
ASKED = {
    "title": "A question without a workflow",
    "candidate_groups": ["support-l1"],
    "form": {"version": 1, "fields": {"answer": {"type": "text", "required": True}}},
}
PATIENCE = 150.0
"""Longest time in seconds that a client goes on trying, far beyond the 30 s within which all recovers by itself."""
ENDS = {"completed", "cancelled", "expired"}
TRY_AGAIN = {429, 502, 503, 504}
STILL_RUNNING = "REQUEST_RUNNING"
OUTSIDE = "/outside"
DELIVERED_WITHIN = 150.0
"""Longest time in seconds until a webhook has heard of what happened in the midst of faults."""


@dataclass
class Promise:
    """One piece of work and what was acknowledged of it."""

    number: int
    workflow_id: str | None = None
    task_id: str | None = None
    answer: str | None = None
    cancelled: bool = False
    result: dict[str, Any] | None = None
    tries: int = 0


@dataclass
class Ledger:
    """Every promise, and and the call that took longest with its repetitions."""

    promises: list[Promise] = field(default_factory=list)
    longest_seconds: float = 0.0
    longest_call: str = "none"
    repeated: list[str] = field(default_factory=list)
    """What calls heard that had to be made again, and when."""

    @property
    def summary(self) -> str:
        """How many promises there are, and the call that waited longest."""
        return f"{len(self.promises)} promises, longest wait {self.longest_seconds:.1f} s ({self.longest_call})"

    def open(self) -> Promise:
        promise = Promise(number=len(self.promises))
        self.promises.append(promise)
        return promise


class Client:
    """A caller as we advise it to be: every write has an idempotency key and is repeated until it is answered."""

    def __init__(self, http: httpx.AsyncClient, ledger: Ledger) -> None:
        self._http = http
        self._ledger = ledger

    async def get(self, promise: Promise, path: str, **params: Any) -> dict[str, Any]:
        return await self._insist(promise, "GET", path, {"params": params})

    async def post(self, promise: Promise, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        key = secrets.token_hex(12)
        return await self._insist(promise, "POST", path, {"json": body, "headers": {"idempotency-key": key}})

    async def _insist(self, promise: Promise, method: str, path: str, options: dict[str, Any]) -> dict[str, Any]:
        began = time.monotonic()
        said = ""
        while time.monotonic() - began < PATIENCE:
            promise.tries += 1
            try:
                answer = await self._http.request(method, path, timeout=15, **options)
            except httpx.TransportError as broken:
                said = repr(broken)
            else:
                if answer.status_code < 400:
                    waited = time.monotonic() - began
                    if waited > self._ledger.longest_seconds:
                        self._ledger.longest_seconds = waited
                        self._ledger.longest_call = f"{method} {path}, answered at {clock()}"
                    return dict(answer.json())
                said = answer.text
                assert _is_passing(answer), f"{method} {path}: {answer.status_code} {said}"
            self._ledger.repeated.append(f"{clock()} {method} {path}: {said}")
            await asyncio.sleep(0.2)
        raise AssertionError(f"{method} {path} was not answered within {PATIENCE:g} s; last: {said}")


def _is_passing(refused: httpx.Response) -> bool:
    """Whether a refusal is of the moment: what we say is of the server's, and never that we do not know."""
    return refused.status_code in TRY_AGAIN or STILL_RUNNING in refused.text


async def story(system: Client, person: Client, promise: Promise) -> None:
    """A workflow asks a person, who answers."""
    started = await system.post(promise, "/v1/workflows", {"definition": "customer-support", "input": INPUT})
    promise.workflow_id = started["workflow_id"]

    async def first() -> str | None:
        tasks = (await person.get(promise, "/v1/tasks", workflow_id=promise.workflow_id))["tasks"]
        return str(tasks[0]["task_id"]) if tasks else None

    promise.task_id = await eventually(first, timeout=PATIENCE, every=0.2)
    await person.post(promise, f"/v1/tasks/{promise.task_id}/claim", {})
    answer = f"answer {promise.number}"
    await person.post(promise, f"/v1/tasks/{promise.task_id}/complete", {"data": {"answer": answer}})
    promise.answer = answer

    async def ended() -> dict[str, Any] | None:
        found = await system.get(promise, f"/v1/workflows/{promise.workflow_id}/result", wait=5)
        return found if found["status"] != "running" else None

    promise.result = await eventually(ended, timeout=PATIENCE, every=0.2)


async def lone_task(system: Client, person: Client, promise: Promise) -> None:
    """A task without a workflow of the caller's: answered, or taken back where its number is odd."""
    opened = await system.post(promise, "/v1/tasks", {**ASKED, "title": f"Question {promise.number}"})
    promise.task_id = opened["task_id"]
    if promise.number % 2:
        await system.post(promise, f"/v1/tasks/{promise.task_id}/cancel", {"reason": "no longer needed"})
        promise.cancelled = True
        return
    answer = f"answer {promise.number}"
    await person.post(promise, f"/v1/tasks/{promise.task_id}/complete", {"data": {"answer": answer}})
    promise.answer = answer


async def register(stack: FaultedStack, endpoint: Endpoint) -> None:
    """Have an outside system told of every task."""
    async with stack.rest(key="admin") as admin:
        body = {"url": endpoint.url + OUTSIDE, "events": ["task.*"]}
        (await admin.post("/v1/webhooks", json=body)).raise_for_status()


async def assert_kept(stack: FaultedStack, ledger: Ledger, endpoint: Endpoint) -> None:
    """Every acknowledged operation is there, once; row, history, events, webhooks and workflow say the same of it."""
    async with (
        stack.rest(key="admin") as admin,
        stack.rest() as stranger,
        stack.rows() as rows,
    ):
        stranger.headers["authorization"] = f"Bearer {stack.info['other']['api_keys']['admin']}"
        told = await _told(rows)
        for promise in ledger.promises:
            if promise.workflow_id is not None:
                assert promise.result is not None
                assert (promise.result["status"], promise.result["result"]["answer"]) == ("completed", promise.answer)
                found = await _tasks_of(admin, promise.workflow_id)
                assert found == [promise.task_id], f"one question has one task: {promise}, {found}"
                assert (await stranger.get(f"/v1/workflows/{promise.workflow_id}")).status_code == 404
            assert promise.task_id is not None
            await _assert_one_end(admin, told[promise.task_id], promise)
            assert (await stranger.get(f"/v1/tasks/{promise.task_id}")).status_code == 404
        known = {promise.task_id for promise in ledger.promises}
        seen = (await stranger.get("/v1/tasks")).json()["tasks"]
        assert known.isdisjoint(task["task_id"] for task in seen)
        await eventually(lambda: _nothing_waits(rows), timeout=60, every=0.5)
        for promise in ledger.promises:
            await eventually(partial(_is_told_outside, endpoint, promise), timeout=DELIVERED_WITHIN, every=0.5)


def _is_told_outside(endpoint: Endpoint, promise: Promise) -> bool:
    """Whether the outside system has heard of the end: once, as its ids say, and of the same one."""
    heard: dict[str, Any] = {}
    assert promise.task_id is not None
    for one in endpoint.at(OUTSIDE):
        if promise.task_id.encode() not in one.body:
            continue
        said = one.json
        if said["data"]["task"]["task_id"] == promise.task_id and said["type"].rpartition(".")[2] in ENDS:
            known = heard.setdefault(one.headers["webhook-id"], said)
            assert known == said, f"one id, two messages: {known}, {said}"
    assert len(heard) == 1, f"{promise}: {heard}"
    [end] = heard.values()
    wanted = "cancelled" if promise.cancelled else "completed"
    assert (end["type"], end["data"]["task"]["status"]) == (f"task.{wanted}", wanted)
    return True


async def _tasks_of(admin: httpx.AsyncClient, workflow_id: str) -> list[str]:
    """Ids of every task that the run has opened, live ones and ended ones."""
    found = []
    for status in (None, *sorted(ENDS)):
        asked = {"workflow_id": workflow_id} | ({"status": status} if status else {})
        found += (await admin.get("/v1/tasks", params=asked)).raise_for_status().json()["tasks"]
    return [task["task_id"] for task in found]


async def _told(rows: asyncpg.Connection) -> dict[str, list[asyncpg.Record]]:
    """What the outbox has of each task; one look, for there are thousands of both."""
    told = defaultdict(list)
    for row in await rows.fetch("select headers::json ->> 'ce-subject' as task_id, subject, payload from task.outbox"):
        told[row["task_id"]].append(row)
    return told


async def _assert_one_end(admin: httpx.AsyncClient, told: list[asyncpg.Record], promise: Promise) -> None:
    wanted = "cancelled" if promise.cancelled else "completed"
    task = (await admin.get(f"/v1/tasks/{promise.task_id}")).json()
    assert task["status"] == wanted, f"{promise}: {task}"
    history = (await admin.get(f"/v1/tasks/{promise.task_id}/history")).json()["entries"]
    assert [entry["sequence"] for entry in history] == list(range(1, len(history) + 1))
    assert [entry["event"] for entry in history if entry["event"] in ENDS] == [wanted], f"{promise}: {history}"
    assert [entry["event"] for entry in history].count("created") == 1

    async def chain_holds() -> bool:
        verified = (await admin.get(f"/v1/tasks/{promise.task_id}/history/verify")).json()
        return bool(verified["intact"])

    await eventually(chain_holds, timeout=30, every=0.5)
    ends = [row for row in told if row["subject"].rpartition(".")[2] in ENDS]
    assert {row["subject"].rpartition(".")[2] for row in ends} == {wanted}, f"{promise}: {told}"
    if promise.answer is not None:
        assert task["result"] == {"answer": promise.answer}
        assert len({json.dumps(_outcome(row["payload"]), sort_keys=True) for row in ends}) == 1


def _outcome(payload: bytes) -> Any:
    """What an event says of a task's end; an end that is told again has its own id and time."""
    event = json.loads(payload)
    return {name: event.get(name) for name in ("task_id", "status", "outcome", "version")}


async def _nothing_waits(rows: asyncpg.Connection) -> bool:
    schemas = ("identity", "task", "workflow", "notification")
    waiting = [
        await rows.fetchval(f"select count(*) from {schema}.outbox where published_at is null") for schema in schemas
    ]
    return not any(waiting)
