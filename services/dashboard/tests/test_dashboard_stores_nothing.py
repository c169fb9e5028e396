"""Bad forms at the pages of a running stack: refused, and afterwards no row, event or run is there."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from orkestra.testkit.stack import Stack
from orkestra.testkit.stored import settled
from test_rest_stores_nothing import ids_of_another_tenant

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]

FORM = {"answer": {"type": "text", "required": True}, "count": {"type": "integer"}}
ANSWER = {"data.answer": "Yes.", "data.count": "3", "revision": "1"}
LIMIT = 1024 * 1024


@asynccontextmanager
async def pages(stack: Stack, email: str) -> AsyncIterator[httpx.AsyncClient]:
    """The pages as a demo person sees them, signed in."""
    user = next(user for user in stack.info["users"] if user["email"] == email)
    async with httpx.AsyncClient(base_url=stack.info["dashboard"], timeout=60) as http:
        signed_in = await http.post("/sign-in", data={"email": email, "password": user["password"]})
        assert signed_in.status_code == 303, signed_in.text
        http.headers["cookie"] = signed_in.headers["set-cookie"].partition(";")[0]  # as browsers do on this machine
        yield http


async def csrf_of(http: httpx.AsyncClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await http.get("/inbox")).text)
    assert found is not None
    return found[1]


async def asked(stack: Stack) -> str:
    async with stack.rest(key="system") as http:
        task = {"title": "t", "form": FORM, "candidate_groups": ["support-l1"]}
        return str((await http.post("/v1/tasks", json=task)).raise_for_status().json()["task_id"])


def encoded(fields: dict[str, str]) -> bytes:
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in fields.items()).encode()


def bad_forms(csrf: str) -> Iterator[tuple[str, bytes]]:
    """Each body that is wrong for an answer, with what is wrong in it."""
    good = ANSWER | {"csrf": csrf}
    yield "nothing", b""
    yield "no token", encoded(ANSWER)
    yield "another token", encoded(ANSWER | {"csrf": "0" * 64})
    yield "no answer", encoded({"csrf": csrf})
    yield "a field that is not there", encoded(good | {"data.surprise": "1"})
    yield "no number", encoded(good | {"data.count": "many"})
    yield "a number that is no integer", encoded(good | {"data.count": "1.5"})
    yield "not a number", encoded(good | {"data.count": "NaN"})
    yield "NUL", encoded(good | {"data.answer": "a\0b"})
    yield "half a character", encoded(good).replace(b"Yes.", b"%ED%A0%80")
    yield "no UTF-8", encoded(good).replace(b"Yes.", b"%FF%FE")
    yield "another revision", encoded(good | {"revision": "7"})
    yield "no revision number", encoded(good | {"revision": "x"})
    yield "too large", encoded(good | {"data.answer": "x" * LIMIT})


async def test_a_bad_form_is_refused_and_leaves_nothing(stack: Stack) -> None:
    task_id = await asked(stack)
    async with pages(stack, stack.member_of("support-l1")) as http:
        csrf = await csrf_of(http)
        before = await settled(stack)
        for what, body in bad_forms(csrf):
            for verb in ("complete", "claim") if "token" in what or what == "nothing" else ("complete",):
                await assert_refused(http, f"/tasks/{task_id}/{verb}", body, what)
        await assert_refused(http, f"/tasks/{task_id}/complete", b'{"answer": "x"}', "JSON", kind="application/json")
        assert await settled(stack) == before
        good = await http.post(f"/tasks/{task_id}/complete", data=ANSWER | {"csrf": csrf})
        assert good.status_code == 303, "what is sent is right but for what is spoiled in it"


async def test_another_tenants_ids_and_no_session_leave_nothing(stack: Stack) -> None:
    theirs = await ids_of_another_tenant(stack)
    ours = await asked(stack)
    async with pages(stack, stack.member_of("support-l1")) as http, pages(stack, stack.member_of("support-l1")) as left:
        csrf, csrf_left = await csrf_of(http), await csrf_of(left)
        session = left.headers["cookie"]
        await left.post("/sign-out", data={"csrf": csrf_left})
        before = await settled(stack)
        for verb in ("claim", "complete", "release"):
            body = encoded(ANSWER | {"csrf": csrf})
            await assert_refused(http, f"/tasks/{theirs['task_id']}/{verb}", body, "another tenant's", {404})
        for cookie in ({}, {"cookie": session}, {"cookie": "orkestra_session=ors_nobody"}):
            async with httpx.AsyncClient(base_url=stack.info["dashboard"], headers=cookie, timeout=60) as nobody:
                body = encoded(ANSWER | {"csrf": csrf_left})
                await assert_refused(nobody, f"/tasks/{ours}/complete", body, "no session", {303, 401, 403})
        assert await settled(stack) == before


async def assert_refused(
    http: httpx.AsyncClient,
    path: str,
    body: bytes,
    what: str,
    statuses: Any = range(400, 500),
    *,
    kind: str = "application/x-www-form-urlencoded",
) -> None:
    answer = await http.post(path, content=body, headers={"content-type": kind})
    assert answer.status_code in statuses, (what, answer.status_code, answer.text[:2000])
    if answer.status_code == 303:
        assert answer.headers["location"].startswith("/sign-in"), what
