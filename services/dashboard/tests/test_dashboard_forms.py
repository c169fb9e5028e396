"""Forms as pages: what is shown, what comes back, what is wrong, without a browser."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from dashboard_form_guide import every_type
from dashboard_story import GROUP, ask
from dashboard_world import DashboardWorld, dashboard
from html_forms import Controls, controls_of
from hypothesis import given, settings
from hypothesis import strategies as st
from orkestra.chassis.tokens import Signer
from orkestra.dashboard.routes.answers import Reader
from orkestra.dashboard.routes.fields import Given, fields_of
from orkestra.dashboard.routes.pages import environment
from orkestra.forms import check, validate
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import User
from orkestra.v1.task import Task

Migrated = Callable[..., Awaitable[Schema]]
BERLIN = ZoneInfo("Europe/Berlin")


class _Words:
    zone = BERLIN


def shown(schema: dict[str, Any], values: dict[str, Any]) -> str:
    """The fields of a form as HTML."""
    fields = fields_of(schema, Given(values=values, errors={}, proposals={}, zone=BERLIN))
    source = (
        "{% import '_fields.html' as form with context %}{% for field in fields %}{{ form.render(field) }}{% endfor %}"
    )
    return environment().from_string(source).render(fields=fields, _=str, words=_Words())


LINE = st.text(alphabet="ab <&\"'é€\U0001f600", max_size=8).map(lambda text: f"x{text}x")
LINES = st.text(alphabet="ab\n\t {", max_size=8).map(lambda text: f"\n{text}x")
INTEGERS = st.integers(-(2**70), 2**70)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | INTEGERS
CHOICES = {"options": ["a b", 7, "<&>"]}
JSON = st.recursive(
    st.booleans() | INTEGERS | LINE | st.floats(-9, 9), lambda inner: st.lists(inner) | st.dictionaries(LINE, inner)
)
MOMENTS = st.builds(
    lambda seconds, zone: datetime.fromtimestamp(seconds, zone).isoformat(),
    st.floats(0, 4e9),
    st.sampled_from([ZoneInfo("UTC"), ZoneInfo("Asia/Kolkata"), BERLIN]),
)
VALUES: dict[str, tuple[dict[str, Any], st.SearchStrategy[Any]]] = {
    "text": ({}, LINE | LINES),
    "textarea": ({}, LINES),
    "markdown": ({}, LINES),
    "email": ({}, st.just("ana+x@example.com")),
    "url": ({}, st.just("https://example.com/?a=1&b=2")),
    "phone": ({}, st.just("+49 30 1234567")),
    "integer": ({}, INTEGERS),
    "number": ({}, NUMBERS),
    "rating": ({}, st.integers(1, 5)),
    "slider": ({"min": 0, "max": 1}, st.floats(0, 1)),
    "boolean": ({}, st.booleans()),
    "select": (CHOICES, st.sampled_from(CHOICES["options"])),
    "radio": (CHOICES, st.sampled_from(CHOICES["options"])),
    "multiselect": (CHOICES, st.just(CHOICES["options"][:2])),
    "checkboxes": (CHOICES, st.just(CHOICES["options"][1:])),
    "user": ({}, st.just(f"user_{'0' * 32}")),
    "group_picker": ({}, st.just("support-l1")),
    "date": ({}, st.dates().map(str)),
    "time": ({}, st.just("09:30") | st.just("09:30:15")),
    "datetime": ({}, MOMENTS),
    "date_range": ({}, st.just({"start": "2026-01-01", "end": "2026-01-02"})),
    "money": ({}, INTEGERS.map(lambda each: {"amount": f"{each % 10**15}.50", "currency": "EUR"})),
    "signature": ({}, LINE.map(lambda name: {"name": name, "attest": True})),
    "json": ({}, JSON),
}
TEXT = {"type": "text", "required": True}


@st.composite
def forms_and_answers(draw: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=4))
    fields = {f"f{at}": {"type": kind, **VALUES[kind][0]} for at, kind in enumerate(kinds)}
    data = {f"f{at}": draw(VALUES[kind][1]) for at, kind in enumerate(kinds)}
    rows = [{"text": draw(LINE), **data} for _ in range(draw(st.integers(1, 3)))]
    form = {
        **fields,
        "group": {"type": "group", "fields": {"text": TEXT, **fields}},
        "rows": {"type": "table", "columns": {"text": TEXT, **fields}},
    }
    return form, {**data, "group": {"text": draw(LINE), **data}, "rows": rows}


@settings(max_examples=120, deadline=None)
@given(forms_and_answers())
def test_what_a_page_shows_comes_back_as_it_was(drawn: tuple[dict[str, Any], dict[str, Any]]) -> None:
    form, data = drawn
    schema = check(form)
    kept = validate(schema, data)
    reader = Reader(controls_of(shown(schema, kept)).posted, BERLIN)
    read = reader.read(schema)
    assert reader.problems == []
    assert repr(validate(schema, read)) == repr(kept)  # 3 is not 3.0 there


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


class Desk:
    """One person with one task, before a browser without script."""

    def __init__(self, world: DashboardWorld, person: User, task: Task, http: httpx.AsyncClient) -> None:
        self.world, self.person, self.path, self.http = world, person, f"/tasks/{task.task_id}", http
        self.task_id = task.task_id

    async def page(self) -> Controls:
        return controls_of((await self.http.get(self.path)).text)

    async def send(self, **typed: Any) -> httpx.Response:
        """Send the form as it is shown, with what was typed besides."""
        posted = (await self.page()).posted
        given = {f"data.{name}" if "_" not in name else name: value for name, value in typed.items()}
        outcome = {"outcome": given.pop("data.outcome")} if "data.outcome" in given else {}
        return await self.http.post(f"{self.path}/complete", data=posted | given | outcome)

    @property
    def result(self) -> Any:
        return self.world.rooms.tasks.tasks[self.task_id].result


@pytest.fixture
async def desk(world: DashboardWorld) -> AsyncIterator[Callable[..., Awaitable[Desk]]]:
    tenant = world.tenant()
    person = world.person("Ada Lovelace", GROUP, tenant_id=tenant)
    async with world.http(person) as http:

        async def at(form: Any, **asked: Any) -> Desk:
            return Desk(world, person, await ask(world, tenant, form=form, **asked), http)

        yield at


At = Callable[..., Awaitable[Desk]]
DEPENDS = {
    "decision": {"type": "radio", "options": ["approve", "reject"], "required": True},
    "why": {"type": "text", "required": True, "visible_when": {"field": "decision", "equals": "reject"}},
    "pieces": {"type": "integer"},
    "checker": {"type": "text", "required_when": {"field": "pieces", "gt": 3}},
    "rows": {
        "type": "table",
        "columns": {
            "kind": {"type": "select", "options": ["a", "b"]},
            "more": {"type": "text", "visible_when": {"field": "kind", "equals": "b"}},
        },
    },
}


async def test_without_script_the_server_shows_what_follows_from_the_answers(desk: At) -> None:
    at = await desk(DEPENDS)
    page = await at.page()
    assert {"data.why", "data.rows.0.more"} <= page.hidden
    assert "data.checker" not in page.required
    answer = await at.http.post(
        f"{at.path}/complete",
        data=page.posted | {"data.decision": "reject", "data.pieces": "4", "data.rows.0.kind": "b", "refresh": "1"},
    )
    again = controls_of(answer.text)
    assert answer.status_code == 200
    assert not {"data.why", "data.rows.0.more"} & again.hidden
    assert {"data.why", "data.checker"} <= again.required
    assert again.posted["data.pieces"] == ["4"]
    assert "Show what follows from these answers" in answer.text


async def test_rows_are_added_and_removed_without_script(desk: At) -> None:
    at = await desk({"rows": {"type": "table", "columns": {"what": {"type": "text"}}}})
    page = await at.page()
    rows = {f"data.rows.{n}.what": f"row {n}" for n in (0, 1, 3)}
    answer = await at.http.post(f"{at.path}/complete", data=page.posted | rows | {"remove_row": "rows.1"})
    again = controls_of(answer.text).posted
    assert [again[f"data.rows.{n}.what"] for n in (0, 1)] == [["row 0"], ["row 3"]]
    answer = await at.http.post(f"{at.path}/complete", data=page.posted | rows | {"add_row": "rows"})
    assert controls_of(answer.text).posted["data.rows.3.what"] == [""]


async def test_options_are_shown_by_their_labels_and_answers_too(desk: At) -> None:
    options = [{"value": 1, "label": "Number one"}, {"value": "two", "label": "Number two"}]
    at = await desk(
        {"pick": {"type": "select", "options": options}, "who": {"type": "user"}, "team": {"type": "group"}}
    )
    text = (await at.http.get(at.path)).text
    assert '<option value="1">Number one</option>' in text
    assert f'<option value="{at.person.user_id}">Ada Lovelace' in text
    assert '<option value="support-l1">Support l1</option>' in text
    answer = await at.send(pick="1", who=at.person.user_id, team="support-l1")
    assert answer.status_code == 303
    assert at.result == {"pick": 1, "who": at.person.user_id, "team": "support-l1"}
    text = (await at.http.get(at.path)).text
    assert "<dd>Number one</dd>" in text
    assert "<dd>You</dd>" in text or "<dd>Ada Lovelace</dd>" in text


async def test_every_error_is_told_above_with_a_link_and_beside_its_field(desk: At) -> None:
    at = await desk(
        {
            "extra": {"type": "json"},
            "mail": {"type": "email", "label": "Contact"},
            "price": {"type": "money", "required": True},
            "items": {"type": "table", "columns": {"what": {"type": "text"}, "count": {"type": "integer"}}},
        }
    )
    page = await at.page()
    wrong = {
        "data.extra": "{",
        "data.mail": "x",
        "data.price.amount": "1,5",
        "data.price.currency": "EURO",
        "data.items.0.what": "a",
        "data.items.0.count": "many",
    }
    answer = await at.http.post(f"{at.path}/complete", data=page.posted | wrong)
    assert answer.status_code == 422
    again = controls_of(answer.text)
    links = dict(re.findall(r'<li><a href="#([^"]+)">([^<]+)</a>', answer.text))
    assert links == {
        "f-data-extra": "Extra",
        "f-data-mail": "Contact",
        "f-data-price": "Price",
        "f-data-items-0-count": "Items · 1 · Count",
    }
    assert set(links) <= again.ids
    assert {f"{anchor}-error" for anchor in links} <= again.ids
    assert "Must be a whole number." in answer.text
    assert [again.posted[name] for name in wrong] == [[value] for value in wrong.values()]


async def test_one_form_with_every_type_of_field_is_shown_and_answered(desk: At) -> None:
    form = every_type()
    at = await desk(form)
    page = await at.page()
    kinds = {field["type"] for field in form["fields"].values()}
    assert len(kinds) >= 28
    page.posted |= {"data.insured": ["true"], "data.order": ["4711"], "outcome": ["approve"]}
    answer = await at.http.post(f"{at.path}/complete", data=page.posted)
    assert answer.status_code == 303, re.findall(r'class="error"[^>]*>([^<]*)', answer.text)
    defaults = {name: field["default"] for name, field in form["fields"].items() if "default" in field}
    assert at.result == defaults | {"insured": True, "order": "4711"}


async def test_half_typed_json_is_kept_as_it_is(desk: At) -> None:
    at = await desk({"extra": {"type": "json"}})
    page = await at.page()
    await at.http.post(f"{at.path}/claim", data=page.posted)
    await at.http.post(f"{at.path}/draft", data=page.posted | {"data.extra": '{"a": '})
    assert (await at.page()).posted["data.extra"] == ['{"a": ']
