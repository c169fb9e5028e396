"""Every page and form of the dashboard is tried with what belongs to another tenant; an unlisted one fails here."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import httpx
import page_matrix
import pytest
from orkestra.dashboard.routes import build_app
from orkestra.testkit.stack import Stack
from other_tenant import Theirs, theirs, unchanged
from rest_matrix import BODY, LIST, OWN, THEIR_ID, Tried
from test_dashboard_stores_nothing import csrf_of, pages

__all__ = ["theirs"]

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]

OF_THIS_ANSWER = re.compile(
    r'nonce="[^"]*"|name="request_id" value="[^"]*"|data-(count|badge)="\d+"|<time[^>]*>[^<]*</time>'
)
PEOPLE = ("admin@demo.example", "ann@demo.example")
FOR_MEMBERS = ("/tasks", "/workflows", "/views", "/confirm", "/inbox")
"""Where a member is tried with forms too; what an admin does is refused to members before anything is looked at."""


def served(method: str) -> set[str]:
    """Every path that the application answers by this method."""
    app: Any = build_app(cast("Any", None))
    while not hasattr(app, "routes"):
        app = app._app
    return {route.path for route in app.routes if method in (getattr(route, "methods", None) or ())}


def filled(given: Mapping[str, str], ids: Mapping[str, str]) -> dict[str, str]:
    return {name: _filled(value, ids) for name, value in given.items()}


def _filled(text: str, ids: Mapping[str, str]) -> str:
    for name, value in ids.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def place(path: str, ids: Mapping[str, str]) -> str:
    return path.format_map({**ids, "token": ids["confirmation"]})


def shown(answer: httpx.Response, theirs: Theirs) -> tuple[int, str, str]:
    """What a person is shown, or where they are sent, without what differs with each answer."""
    place = theirs.unnamed(answer.headers.get("location", ""))
    return answer.status_code, place, theirs.unnamed(OF_THIS_ANSWER.sub("", answer.text))


@pytest.fixture(scope="module", autouse=True)
async def _theirs_stays(stack: Stack, theirs: Theirs) -> AsyncIterator[None]:
    async with unchanged(stack, theirs):
        yield


def test_every_page_and_form_is_in_the_matrix() -> None:
    assert served("GET") == page_matrix.PAGES.keys(), "say in tests/security/page_matrix.py how each is tried"
    assert served("POST") == page_matrix.FORMS.keys(), "say in tests/security/page_matrix.py how each is tried"
    ways: dict[str, Tried] = page_matrix.PAGES | {path: how for path, (how, _) in page_matrix.FORMS.items()}
    for path, how in ways.items():
        assert ("_id}" in path and "provider_id" not in path) <= (how is THEIR_ID), path


@pytest.mark.parametrize("email", PEOPLE)
async def test_a_page_of_theirs_is_one_that_does_not_exist(stack: Stack, theirs: Theirs, email: str) -> None:
    async with pages(stack, email) as http:
        for path in (path for path, how in page_matrix.PAGES.items() if how is THEIR_ID):
            real = await http.get(place(path, theirs.ids))
            made_up = await http.get(place(path, theirs.made_up()))
            assert real.status_code in (403, 404), (path, real.status_code)
            assert shown(real, theirs) == shown(made_up, theirs), path


@pytest.mark.parametrize("email", PEOPLE)
async def test_a_form_about_what_is_theirs_is_about_nothing(stack: Stack, theirs: Theirs, email: str) -> None:
    async with pages(stack, email) as http:
        csrf = {"csrf": await csrf_of(http)}
        for path, (how, form) in page_matrix.FORMS.items():
            if how is THEIR_ID and (email == PEOPLE[0] or path.startswith(FOR_MEMBERS)):
                real = await http.post(place(path, theirs.ids), data=filled(form, theirs.ids) | csrf)
                other = await http.post(place(path, theirs.made_up()), data=filled(form, theirs.made_up()) | csrf)
                assert real.status_code in (403, 404), (path, real.status_code, real.headers)
                assert shown(real, theirs) == shown(other, theirs), path


@pytest.mark.parametrize("email", PEOPLE)
async def test_no_list_and_no_export_has_anything_of_theirs(stack: Stack, theirs: Theirs, email: str) -> None:
    async with pages(stack, email) as http:
        for path in (path for path, how in page_matrix.PAGES.items() if how in (LIST, OWN)):
            assert theirs.in_((await http.get(path)).text) == [], path
            for query in page_matrix.FILTERS.get(path, ()):
                real = await http.get(path, params=filled(query, theirs.ids))
                made_up = await http.get(path, params=filled(query, theirs.made_up()))
                assert shown(real, theirs) == shown(made_up, theirs), (path, query)
                assert real.status_code < 500, (path, query)


@pytest.mark.parametrize("email", PEOPLE)
async def test_their_ids_in_a_form_are_as_made_up_ones(stack: Stack, theirs: Theirs, email: str) -> None:
    async with pages(stack, email) as http:
        csrf = {"csrf": await csrf_of(http)}
        for number, (path, (how, form)) in enumerate(page_matrix.FORMS.items()):
            if how not in (BODY, OWN):
                continue
            name = f"{email[:3]}-{number}"
            real = await http.post(path, data=filled(form, theirs.ids | {"number": f"{name}-r"}) | csrf)
            other = await http.post(path, data=filled(form, theirs.made_up() | {"number": f"{name}-m"}) | csrf)
            assert real.status_code == other.status_code < 500, (path, real.status_code, other.status_code)
            told = theirs.in_(real.text, but=[each for each in theirs.ids if f"{{{each}}}" in str(form)])
            assert told == [], path
