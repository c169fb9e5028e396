"""Every REST route is tried with what belongs to another tenant; a route that the matrix does not list fails here."""

import json
from typing import Any

import httpx
import pytest
from orkestra.api_gateway.routes.endpoint import ENDPOINTS, Endpoint
from orkestra.api_gateway.routes.openapi import document
from orkestra.testkit.stack import Stack
from other_tenant import Theirs, theirs, unchanged
from rest_matrix import BODIES, MATRIX, Tried
from test_rest_bad_input import body_of, named, needed

__all__ = ["theirs"]

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

FILTERS = {"assignee": "user_id", "group": "group_id", "actor": "user_id", "resource_id": "user_id"}
"""Filters that are named otherwise than the id they take."""


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


def assert_the_same(real: httpx.Response, made_up: httpx.Response, theirs: Theirs) -> None:
    """The answer does not tell their ids from ids that do not exist."""
    answers = [(one.status_code, theirs.unnamed(one.text)) for one in (real, made_up)]
    assert answers[0] == answers[1], real.url


def assert_nothing_of_theirs(answer: httpx.Response, theirs: Theirs, *, but: tuple[str, ...] = ()) -> None:
    assert theirs.in_(answer.text, but=but) == [], answer.request.url


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
            assert_the_same(real, await ask(http, endpoint, theirs.made_up()), theirs)
            assert real.status_code in (403, 404), (named(endpoint), real.text)
            assert_nothing_of_theirs(real, theirs, but=tuple(endpoint.in_path))


async def test_files_of_theirs_are_neither_read_nor_added_to(stack: Stack, theirs: Theirs) -> None:
    for key in ("admin", "agent"):
        async with stack.rest(key=key) as http, unchanged(stack, theirs):
            answers = []
            for ids in (theirs.ids, theirs.made_up()):
                path = f"/v1/tasks/{ids['task_id']}/attachments"
                sent = await http.post(path, files={"file": ("ours.txt", b"ours", "text/plain")})
                raw = await http.post(path, params={"name": "ours.txt"}, content=b"ours")
                answers.append((sent, raw, await http.get(f"{path}/{ids['attachment_id']}/content")))
            for real, made_up in zip(*answers, strict=True):
                assert_the_same(real, made_up, theirs)
                assert real.status_code == 404, real.text
                assert_nothing_of_theirs(real, theirs, but=("task_id", "attachment_id"))


async def test_no_list_has_anything_of_theirs(stack: Stack, theirs: Theirs) -> None:
    async with stack.rest(key="admin") as http:
        for endpoint in tried(Tried.LIST):
            assert_nothing_of_theirs(await ask(http, endpoint, {}), theirs)
            for name in endpoint.open_fields:
                field = FILTERS.get(name, name)
                if field in theirs.ids:
                    found = await ask(http, endpoint, {}, **{name: theirs.ids[field]})
                    assert_the_same(found, await ask(http, endpoint, {}, **{name: theirs.made_up()[field]}), theirs)


async def test_their_ids_in_a_body_are_as_made_up_ones(stack: Stack, theirs: Theirs) -> None:
    async with stack.rest(key="admin") as http, unchanged(stack, theirs):
        for number, endpoint in enumerate(tried(Tried.BODY)):
            real = await ask(http, endpoint, theirs.ids | {"number": f"a{number}"})
            made_up = await ask(http, endpoint, theirs.made_up() | {"number": f"b{number}"})
            assert real.status_code == made_up.status_code, (named(endpoint), real.text, made_up.text)
            assert real.json().get("code") == made_up.json().get("code")
            if not real.is_success:
                assert_the_same(real, made_up, theirs)
            sent = BODIES[named(endpoint)]
            assert_nothing_of_theirs(real, theirs, but=tuple(name for name in theirs.ids if f"{{{name}}}" in str(sent)))


async def test_what_names_nothing_meets_only_what_is_ours(stack: Stack, theirs: Theirs) -> None:
    async with stack.rest(key="admin") as http, unchanged(stack, theirs):
        for endpoint in tried(Tried.OWN):
            assert_nothing_of_theirs(await ask(http, endpoint, {}), theirs)
