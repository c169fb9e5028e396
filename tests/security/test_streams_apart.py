"""Streams, cursors and places of two tenants: what one is given opens nothing at the other, and ends with the right."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.client.subscriptions import SubscriptionLost
from mcp.shared.exceptions import MCPError
from orkestra.api_gateway.routes.endpoint import ENDPOINTS
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from other_tenant import MARK, Other, Theirs, theirs
from rest_matrix import MATRIX, THEIR_ID, Tried
from test_dashboard_stores_nothing import pages
from test_rest_bad_input import named, needed

__all__ = ["theirs"]

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

SOON = 8.0
"""Seconds. What is promised is 2; the rest is for a machine under load."""
ONE_AT_MOST = {
    "GET /v1/webhooks/{webhook_id}/deliveries",
    "GET /v1/corrections",
    "GET /v1/tenants",
    "GET /v1/workflows",
}
"""Lists of which the other tenant may have no second page here."""


@dataclass
class Heard:
    """What a listener hears until its stream ends."""

    text: str = ""
    ended: bool = False
    status: int = 0
    ids: list[str] = field(default_factory=list)

    async def has(self, part: str) -> None:
        """Returns when it has heard this."""
        await until(lambda: part in self.text)


@asynccontextmanager
async def listening(http: httpx.AsyncClient, path: str, **headers: str) -> AsyncIterator[Heard]:
    heard = Heard()

    async def listen() -> None:
        async with http.stream("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()}) as answer:
            heard.status = answer.status_code
            async for line in answer.aiter_lines():
                heard.text += f"{line}\n"
                if line.startswith("id: "):
                    heard.ids.append(line.removeprefix("id: "))
        heard.ended = True

    listener = asyncio.create_task(listen())
    try:

        async def is_open() -> bool:
            return "retry:" in heard.text

        await eventually(is_open, timeout=30)
        yield heard
    finally:
        listener.cancel()
        await asyncio.wait([listener])


async def until(true: Callable[[], bool], seconds: float = 30) -> None:
    async def checked() -> bool:
        return true()

    await eventually(checked, timeout=seconds)


@asynccontextmanager
async def other_door(stack: Stack) -> AsyncIterator[tuple[Other, httpx.AsyncClient]]:
    async with httpx.AsyncClient(base_url=stack.info["rest"], timeout=60) as http:
        yield Other(stack, http), http


async def ours(stack: Stack, **asked: Any) -> str:
    async with stack.rest(key="system") as http:
        task = (await http.post("/v1/tasks", json={"title": "Ours", **asked})).raise_for_status().json()
        task_id: str = task["task_id"]
        return task_id


async def test_no_stream_tells_what_happens_at_the_other_tenant(stack: Stack, theirs: Theirs) -> None:
    people = {"assignee": "admin@demo.example"}
    async with (
        stack.rest(key="admin") as http,
        pages(stack, "admin@demo.example") as page,
        other_door(stack) as (other, _),
        listening(http, "/v1/events") as events,
        listening(page, "/live") as live,
    ):
        there = await other.post("/v1/tasks", {"title": MARK, "assignee": theirs.ids["user_id"]}, key="system")
        here = await ours(stack, **people)
        await until(lambda: here in events.text and here in live.text)
        for heard in (events, live):
            assert theirs.in_(heard.text) == []
            assert there["task_id"] not in heard.text


async def test_a_place_in_the_stream_of_the_other_tenant_is_a_place_in_ones_own(stack: Stack, theirs: Theirs) -> None:
    async with stack.rest(key="admin") as http, other_door(stack) as (other, there):
        there.headers.update(other.holding("admin"))
        async with listening(there, "/v1/events") as heard:
            task = await other.post("/v1/tasks", {"title": MARK}, key="system")
            await until(lambda: task["task_id"] in heard.text)
            place = heard.ids[-1]
        more = await other.post("/v1/tasks", {"title": MARK}, key="system")
        here = await ours(stack)
        incarnation = place.partition("-")[0]
        for last in (place, f"{incarnation}-0", f"{incarnation}-1", f"{'0' * 8}-1", "x"):
            async with listening(http, "/v1/events", last_event_id=last) as heard:
                after = await ours(stack)
                await heard.has(after)
                assert theirs.in_(heard.text) == []
                assert not {task["task_id"], more["task_id"]} & set(heard.text.split('"'))
                assert last != place or here in heard.text


async def test_a_page_token_of_the_other_tenant_opens_none_of_its_pages(stack: Stack, theirs: Theirs) -> None:
    async with stack.rest(key="admin") as http, other_door(stack) as (other, there):
        headers, ann = other.holding("admin"), await other.ann()
        given = set()
        for endpoint in ENDPOINTS:
            how, is_list = MATRIX[named(endpoint)], "page_token" in endpoint.open_fields
            if not is_list or how is Tried.INSTALLATION:
                continue
            path, query = endpoint.path.format_map(theirs.ids), needed(endpoint) | {"page_size": "1"}
            asked_as = ann if endpoint.path in ("/v1/views", "/v1/notifications") else headers
            first = (await there.get(path, params=query, headers=asked_as)).raise_for_status().json()
            token = first.get("next_page_token")
            if token is None:
                assert named(endpoint) in ONE_AT_MOST or how is THEIR_ID, named(endpoint)
                continue
            given.add(named(endpoint))
            answer = await http.get(path, params=query | {"page_token": token})
            assert answer.status_code in (200, 403, 404, 422), (named(endpoint), answer.text)
            but = endpoint.in_path | {"tenant_id"} if answer.status_code != 200 else ()
            assert theirs.in_(answer.text, but=but) == [], named(endpoint)
        assert len(given) >= 10, given


async def test_no_forged_page_token_breaks_anything(stack: Stack) -> None:
    async with stack.rest(key="admin") as http:
        for endpoint in ENDPOINTS:
            if "page_token" in endpoint.open_fields and not endpoint.in_path:
                for token in ("x", "AAAA", "=" * 8, "' or 1=1--", "..", "e30", "9" * 3000, "bnVsbA", "W10"):
                    answer = await http.get(endpoint.path, params=needed(endpoint) | {"page_token": token})
                    assert answer.status_code in (200, 403, 422), (named(endpoint), token, answer.status_code)


async def test_every_stream_ends_soon_after_the_key_is_revoked(stack: Stack) -> None:
    async with stack.rest(key="admin") as admin:
        body = {"name": uuid4().hex, "kind": "agent", "on_behalf_of": ["*"]}
        made = (await admin.post("/v1/api-keys", json=body)).raise_for_status().json()
        bearer = {"authorization": f"Bearer {made['secret']}"}
        async with (
            httpx.AsyncClient(base_url=stack.info["rest"], headers=bearer, timeout=60) as http,
            httpx2.AsyncClient(headers=bearer, timeout=60) as mcp,
            Client(streamable_http_client(stack.info["mcp"], http_client=mcp), mode="2026-07-28") as client,
        ):
            task = (await http.post("/v1/tasks", json={"title": "Ours"})).raise_for_status().json()["task_id"]
            async with (
                listening(http, "/v1/events") as heard,
                client.listen(resource_subscriptions=[f"orkestra://tasks/{task}"]) as told,
            ):
                waiting = asyncio.create_task(client.call_tool("task_wait", {"task_id": task, "wait_seconds": 50}))
                (await admin.post(f"/v1/api-keys/{made['api_key']['key_id']}/revoke", json={})).raise_for_status()
                await until(lambda: heard.ended, SOON)
                with pytest.raises((SubscriptionLost, MCPError)):
                    await asyncio.wait_for(anext(told), SOON)
                try:
                    answer = await asyncio.wait_for(waiting, SOON)
                    assert "KEY_REVOKED" in json.dumps(answer.model_dump(mode="json"))
                except MCPError:
                    pass  # the door itself has said no


async def test_an_open_page_hears_that_its_session_has_ended(stack: Stack) -> None:
    async with pages(stack, "ben@demo.example") as page, listening(page, "/live") as heard:
        session = page.headers["cookie"].partition("=")[2]
        async with httpx.AsyncClient(base_url=stack.info["rest"], timeout=60) as http:
            ended = await http.delete("/v1/sessions/current", headers={"authorization": f"Bearer {session}"})
            assert ended.status_code == 204
        await until(lambda: heard.ended, SOON)
        assert "event: session" in heard.text
