"""Every form of the dashboard needs its session's own mark, and comes from the dashboard itself."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from dashboard_story import GROUP, ask
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.dashboard.routes import FORMS
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import Role

Migrated = Callable[..., Awaitable[Schema]]

ELSEWHERE = (
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1.evil.example"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
)


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


@pytest.fixture(scope="module")
async def admin(world: DashboardWorld) -> AsyncIterator[tuple[httpx.AsyncClient, str, str]]:
    """An admin before the dashboard, the mark of the session, and another session's."""
    tenant = world.tenant()
    ada, ben = (world.person(name, GROUP, tenant_id=tenant, roles=(Role.ADMIN,)) for name in ("Ada", "Ben"))
    await ask(world, tenant)
    async with world.http(ada) as http, world.http(ben) as other:
        yield http, await mark_of(http), await mark_of(other)


async def mark_of(http: httpx.AsyncClient) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', (await http.get("/inbox")).text)
    assert found
    return found[1]


def place(path: str) -> str:
    return re.sub(r"{\w+}", "x", path)


async def test_no_form_is_taken_without_its_mark_or_from_elsewhere(
    world: DashboardWorld, admin: tuple[httpx.AsyncClient, str, str]
) -> None:
    http, mine, anothers = admin
    asked = dict(world.rooms.tasks.tasks)
    for path in (place(path) for path, _ in FORMS):
        # An answer is shown again with what was typed, which needs its task; here there is none.
        refused = (403, 404) if path.endswith("/complete") else (403,)
        for form in ({"x": "1"}, {"csrf": anothers}):
            assert (await http.post(path, data=form)).status_code in refused, (path, form)
        answer = await http.post(path, data={"csrf": mine}, headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403, path
    assert world.rooms.tasks.tasks == asked
    assert (await http.get("/inbox")).status_code == 200, "the session is as it was"


async def test_nothing_that_is_like_the_mark_or_the_place_is_taken(admin: tuple[httpx.AsyncClient, str, str]) -> None:
    http, mine, _ = admin
    path = "/settings/keys"
    for mark in ("", "0" * 64, mine[:-1], mine.upper(), f"{mine} x", "\u0660" * 64):
        assert (await http.post(path, data={"csrf": mark})).status_code == 403, mark
    for headers in ELSEWHERE:
        assert (await http.post(path, data={"csrf": mine}, headers=headers)).status_code == 403, headers
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json"):
        answer = await http.post(path, content=f"csrf={mine}", headers={"content-type": kind})
        assert answer.status_code == 422, kind


@pytest.mark.parametrize("path", ["/sign-in", "/password", "/password/x"])
async def test_what_needs_no_session_is_not_taken_from_elsewhere(world: DashboardWorld, path: str) -> None:
    async with world.http() as http:
        for headers in ELSEWHERE:
            answer = await http.post(path, data={"email": "a@b.example", "password": "p"}, headers=headers)
            assert answer.status_code == 403, headers
            assert "set-cookie" not in answer.headers
