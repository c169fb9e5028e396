"""Rights that end: a revoked key, a disabled person and a suspended tenant are out at every door, held calls too."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest
from orkestra.cli.state import StateDir
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

pytestmark = pytest.mark.xdist_group("stack")

SOON = 5.0
"""Seconds. What is promised is 2; the rest is for a machine under load."""
PASSWORD = "a password of enough length"
QUESTION = {"question": "q", "conversation_id": "c", "customer_id": "d"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}


@asynccontextmanager
async def door(stack: Stack, credential: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    headers = {} if credential is None else {"authorization": f"Bearer {credential}"}
    async with httpx.AsyncClient(base_url=stack.info["rest"], headers=headers, timeout=60) as http:
        yield http


async def post(http: httpx.AsyncClient, path: str, **body: Any) -> Any:
    return (await http.post(path, json=body)).raise_for_status().json()


@dataclass(frozen=True)
class House:
    """A tenant of a test's own with an admin and a system key."""

    operator: httpx.AsyncClient
    admin: httpx.AsyncClient
    tenant_id: str
    email: str
    key_id: str
    key: str


@pytest.fixture
async def house(stack: Stack) -> AsyncIterator[House]:
    slug = f"rights-{uuid4().hex[:8]}"
    admin = {"email": f"admin@{slug}.example", "name": "Ada", "password": PASSWORD}
    async with door(stack, StateDir(stack.state_dir).secrets()["service_key"]) as operator, door(stack) as http:
        tenant = await post(operator, "/v1/tenants", slug=slug, name="Rights", admin=admin)
        session = await post(http, "/v1/sessions", email=admin["email"], password=PASSWORD)
        http.headers["authorization"] = f"Bearer {session['token']}"
        for group in ("support-l1", "support-l2"):
            await post(http, "/v1/groups", group_id=group, members=[admin["email"]])
        made = await post(http, "/v1/api-keys", name="Shop", kind="service")
        yield House(operator, http, tenant["tenant_id"], admin["email"], made["api_key"]["key_id"], made["secret"])


@asynccontextmanager
async def held(stack: Stack, house: House) -> AsyncIterator["asyncio.Task[httpx.Response]"]:
    """A call that waits for the end of a run, which does not come."""
    async with door(stack, house.key) as http:
        run = await post(http, "/v1/workflows", definition="customer-support", input=QUESTION)
        path = f"/v1/workflows/{run['workflow_id']}/result?wait=45"
        waiting = asyncio.create_task(http.get(path))

        async def has_asked() -> bool:
            tasks = await house.admin.get("/v1/tasks", params={"workflow_id": run["workflow_id"]})
            return bool(tasks.json()["tasks"])

        await eventually(has_asked, timeout=40)
        assert not waiting.done()
        yield waiting
        waiting.cancel()


async def until_refused(stack: Stack, credential: str, *, status: int, code: str) -> float:
    """Returns after how many seconds REST and MCP both refuse the credential."""
    began = time.monotonic()
    async with door(stack, credential) as http:

        async def is_refused() -> bool:
            me = await http.get("/v1/me")
            mcp = await http.post(
                stack.info["mcp"], json=INITIALIZE, headers={"accept": "application/json, text/event-stream"}
            )
            return (me.status_code, mcp.status_code) == (status, status) and me.json()["code"] == code

        await eventually(is_refused, timeout=20)
    return time.monotonic() - began


async def test_a_revoked_key_is_out_at_every_door_and_its_held_call_ends(stack: Stack, house: House) -> None:
    async with held(stack, house) as waiting:
        await post(house.admin, f"/v1/api-keys/{house.key_id}/revoke")
        assert await until_refused(stack, house.key, status=401, code="KEY_REVOKED") < SOON
        answer = await asyncio.wait_for(waiting, SOON)
    assert (answer.status_code, answer.json().get("code")) == (401, "KEY_REVOKED")


async def test_a_suspended_tenant_is_told_why_and_comes_back(stack: Stack, house: House) -> None:
    place = f"/v1/tenants/{house.tenant_id}"
    async with held(stack, house) as waiting:
        assert (await post(house.operator, f"{place}/suspend", reason="Unpaid"))["status"] == "suspended"
        assert await until_refused(stack, house.key, status=403, code="TENANT_SUSPENDED") < SOON
        answer = await asyncio.wait_for(waiting, SOON)
    assert (answer.status_code, answer.json().get("code")) == (403, "TENANT_SUSPENDED")
    assert (await house.admin.get("/v1/me")).status_code == 403
    assert (await post(house.operator, f"{place}/resume"))["status"] == "active"

    async def is_back() -> bool:
        return (await house.admin.get("/v1/me")).status_code == 200

    await eventually(is_back, timeout=20)
    audit = (await house.admin.get("/v1/audit", params={"actor": "service"})).json()["entries"]
    assert [entry["action"] for entry in audit][:2] == ["resume_tenant", "suspend_tenant"]
    assert audit[1]["after"] == {"status": "suspended", "reason": "Unpaid"}


async def test_a_disabled_person_is_out_and_a_mailed_link_lets_nobody_guess(stack: Stack, house: House) -> None:
    ann = f"ann@{house.email.partition('@')[2]}"
    await post(house.admin, "/v1/users", email=ann, name="Ann", password=PASSWORD)
    async with door(stack) as nobody:
        session = await post(nobody, "/v1/sessions", email=ann, password=PASSWORD)
        await post(house.admin, f"/v1/users/{ann}/disable")
        assert await until_refused(stack, session["token"], status=401, code="SESSION_ENDED") < SOON
        guessed = await nobody.post("/v1/mail-links/redeem", json={"token": "orl_x", "password": PASSWORD})
        known, unknown = [
            await nobody.post("/v1/password-resets", json={"email": email}) for email in (house.email, "x@y.example")
        ]
    assert (guessed.status_code, guessed.json()["code"]) == (404, "MAIL_LINK_NOT_FOUND")
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json()) == (202, {})
