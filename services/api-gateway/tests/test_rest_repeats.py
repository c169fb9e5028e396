"""Every POST route before the real rooms, asked again with the same Idempotency-Key; a route that is not here fails."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from orkestra.api_gateway.routes.endpoint import ENDPOINTS
from orkestra.api_gateway.routes.openapi import document
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from repeated_calls import Ids, Own, Repeated, Watch, own_tenant, watching
from repeated_routes import EXCEPTED, SHOWN_ELSEWHERE, every_call

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

TOLD = document(ENDPOINTS, version="0")["paths"]
ROUTES = [f"POST {path}" for path, verbs in TOLD.items() if "post" in verbs]
KEPT = ("location", "etag")


@dataclass
class Asked:
    """Every route was asked once, with a key."""

    watch: Watch
    own: Own
    calls: dict[str, Repeated]
    first: dict[str, httpx.Response]
    before: Ids

    async def send(self, route: str, *, other: bool = False) -> httpx.Response:
        return await send(self.own, route, self.calls[route], other=other)

    async def changed(self) -> list[str]:
        """What is otherwise than after the first calls."""
        now = await self.watch.state(self.own.tenants)
        before, self.before = self.before, now
        return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


async def send(own: Own, route: str, call: Repeated, *, other: bool = False) -> httpx.Response:
    ids, body = call.ids, call.body
    if other:
        ids, body = call.other_ids or ids, body if call.other is None else call.other
    path = route.removeprefix("POST ").format_map(ids)
    return await own.callers.send(call.by, path, body, key=own.slug)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def asked(stack: Stack) -> AsyncIterator[Asked]:
    async with own_tenant(stack) as own, watching(stack) as watch:
        calls = await every_call(own, stack)
        first = {route: await send(own, route, call) for route, call in calls.items()}
        refused = {route: answer.text for route, answer in first.items() if not answer.is_success}
        assert not refused, refused
        own.tenants.append(first["POST /v1/tenants"].json()["tenant_id"])
        await eventually(lambda: have_come_through(own, first), timeout=60)
        yield Asked(watch, own, calls, first, await watch.still(own.tenants))


async def have_come_through(own: Own, first: dict[str, httpx.Response]) -> bool:
    """Whether what goes on after an answer has come to its end, or to where it waits for people."""
    erasure = await own.callers.get("admin", first["POST /v1/erasures"].headers["location"])
    cancelled = first["POST /v1/workflows/{workflow_id}/cancel"].json()["workflow_id"]
    ended = (await own.callers.get("admin", f"/v1/workflows/{cancelled}"))["status"]
    for route in ("workflows", "schedules/{schedule_id}/trigger", "workflows/{workflow_id}/reset"):
        asking = first[f"POST /v1/{route}"].json()["workflow_id"]
        if not (await own.callers.get("admin", f"/v1/tasks?workflow_id={asking}"))["tasks"]:
            return False
    return (erasure["status"], ended) == ("done", "cancelled")


def test_every_post_route_is_asked_again_or_excepted(asked: Asked) -> None:
    missing = set(ROUTES) - asked.calls.keys()
    assert missing == EXCEPTED.keys() | SHOWN_ELSEWHERE.keys(), "say in repeated_routes.py what these are asked"
    assert asked.calls.keys() - set(ROUTES) == set(), "these are served no longer"


@pytest.mark.parametrize("route", sorted(set(ROUTES) - EXCEPTED.keys() - SHOWN_ELSEWHERE.keys()))
async def test_a_repeated_call_has_the_first_ones_answer_and_no_effect(asked: Asked, route: str) -> None:
    first, again = asked.first[route], await asked.send(route)
    assert "idempotency-replayed" not in first.headers
    assert again.headers.get("idempotency-replayed") == "true", again.text
    assert (again.status_code, json_of(again)) == (first.status_code, expected(asked.calls[route], first))
    assert [again.headers.get(name) for name in KEPT] == [first.headers.get(name) for name in KEPT]
    refused = await asked.send(route, other=True)
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_ID_REUSED")
    assert await asked.changed() == []


def test_the_document_offers_a_key_where_one_is_taken() -> None:
    offered = {
        f"POST {path}"
        for path, verbs in TOLD.items()
        if any(one["name"] == "Idempotency-Key" for one in verbs.get("post", {}).get("parameters", []))
    }
    assert offered == set(ROUTES) - EXCEPTED.keys()


def json_of(answer: httpx.Response) -> Any:
    return answer.json() if answer.content else None


def expected(call: Repeated, first: httpx.Response) -> Any:
    return json_of(first) if call.shown_once is None else first.json() | {call.shown_once: ""}
