"""Credentials at the doors of a running stack: who guesses is not listened to, and no session outlives its sign-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from secrets import token_hex

import httpx
import pytest
from orkestra.testkit.stack import Stack

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

COOKIE = "orkestra_session"
MOST = 120
"""As rate_refused is where nobody says otherwise."""
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}


@asynccontextmanager
async def from_address(stack: Stack, door: str, address: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client whose requests come from an address, as a proxy that is trusted says."""
    async with httpx.AsyncClient(headers={"x-forwarded-for": address}, timeout=60) as http:
        yield http


async def status_of(stack: Stack, http: httpx.AsyncClient, door: str, credential: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {credential}"}
    if door == "rest":
        return await http.get(f"{stack.info['rest']}/v1/me", headers=headers)
    headers |= {"accept": "application/json, text/event-stream"}
    return await http.post(stack.info["mcp"], json=HELLO, headers=headers)


@pytest.mark.parametrize("door", ["rest", "mcp"])
async def test_an_address_that_tries_out_keys_is_not_listened_to(stack: Stack, door: str) -> None:
    last = token_hex(2)
    guesser, other = (f"2001:db8:{last}:{n}::1" for n in (1, 2))
    known, new = (stack.info["api_keys"][name] for name in ("admin", "agent"))
    async with from_address(stack, door, guesser) as http, from_address(stack, door, other) as elsewhere:
        assert (await status_of(stack, http, door, known)).status_code not in (401, 429)
        came = [await status_of(stack, http, door, f"ork_{token_hex(4)}_{token_hex(20)}") for _ in range(MOST * 2)]
        stopped = [answer for answer in came if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS]
        assert {answer.status_code for answer in came} == {401, 429}
        assert came[0].status_code == HTTPStatus.UNAUTHORIZED
        assert len(stopped) > MOST / 4
        assert int(stopped[-1].headers["retry-after"]) >= 1
        assert (await status_of(stack, http, door, known)).status_code not in (401, 429), "who was known goes on"
        assert (await status_of(stack, elsewhere, door, new)).status_code not in (401, 429), "so does everyone else"


@asynccontextmanager
async def browser(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=stack.info["dashboard"], timeout=60) as http:
        http.headers["origin"] = stack.info["dashboard"]
        yield http


async def sign_in(http: httpx.AsyncClient, email: str, password: str) -> str:
    """Sign in as a browser does, with whatever cookies it has; returns the session that it has from then on."""
    answer = await http.post("/sign-in", data={"email": email, "password": password})
    assert answer.status_code == HTTPStatus.SEE_OTHER, answer.text[:500]
    assert answer.headers["set-cookie"].startswith(f"{COOKIE}=ors_")
    return answer.headers["set-cookie"].partition("=")[2].partition(";")[0]


async def opens(stack: Stack, session: str) -> bool:
    """Whether a session opens a page of its owner's own."""
    async with browser(stack) as http:
        answer = await http.get("/settings", headers={"cookie": f"{COOKIE}={session}"}, follow_redirects=False)
    return answer.status_code == HTTPStatus.OK


async def new_person(stack: Stack, name: str) -> tuple[str, str]:
    email, password = f"{name}-{token_hex(4)}@acme.example", f"a long password {token_hex(8)}"
    async with stack.rest(key="admin") as admin:
        person = {"email": email, "name": name, "roles": ["member"], "password": password}
        (await admin.post("/v1/users", json=person)).raise_for_status()
    return email, password


async def test_the_session_that_was_there_before_a_sign_in_is_never_the_one_after(stack: Stack) -> None:
    mallory, victim = await new_person(stack, "mallory"), await new_person(stack, "vera")
    async with browser(stack) as http:
        planted = await sign_in(http, *mallory)
    for cookie in (planted, f"ors_{'a' * 43}"):
        async with browser(stack) as http:
            http.cookies.set(COOKIE, cookie)
            after = await sign_in(http, *victim)
        assert after != cookie
        assert await opens(stack, after)
    async with httpx.AsyncClient(base_url=stack.info["rest"]) as rest:
        me = await rest.get("/v1/me", headers={"authorization": f"Bearer {planted}"})
    assert me.json()["user"]["email"] == mallory[0], "what was planted is still its owner's, and nobody else's"
    assert not await opens(stack, f"ors_{'a' * 43}")


async def test_signing_out_ends_this_session_and_no_other(stack: Stack) -> None:
    person = await new_person(stack, "olga")
    async with browser(stack) as http, httpx.AsyncClient(base_url=stack.info["rest"]) as rest:
        one, other = await sign_in(http, *person), await sign_in(http, *person)
        assert one != other
        bearer = {"authorization": f"Bearer {one}"}
        (await rest.delete("/v1/sessions/current", headers=bearer)).raise_for_status()
    assert not await opens(stack, one)
    assert await opens(stack, other)


async def test_a_new_password_ends_every_other_session(stack: Stack) -> None:
    email, password = await new_person(stack, "nora")
    async with browser(stack) as http, httpx.AsyncClient(base_url=stack.info["rest"]) as rest:
        stolen, own = await sign_in(http, email, password), await sign_in(http, email, password)
        body = {"current_password": password, "new_password": f"another {password}"}
        headers = {"authorization": f"Bearer {own}"}
        (await rest.post("/v1/me/password", json=body, headers=headers, timeout=60)).raise_for_status()
    assert not await opens(stack, stolen)
    assert await opens(stack, own)
