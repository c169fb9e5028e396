"""Forms as people live with them in a browser: every type of field, by keyboard, in both themes, on a phone."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from dashboard_form_guide import every_type
from dashboard_seats import running_browser, seated, violations
from dashboard_story import GROUP, ask
from dashboard_world import DashboardWorld, dashboard, needs_chromium
from html_forms import controls_of
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.testkit.waiting import eventually
from playwright.async_api import Browser, Page, expect

Migrated = Callable[..., Awaitable[Schema]]
pytestmark = [needs_chromium, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with running_browser() as running:
        yield running


@pytest.fixture
def form_page(world: DashboardWorld, browser: Browser) -> Any:
    """Opens a task with a form, claimed where a test wants it."""

    @asynccontextmanager
    async def opened(form: Any, *, is_claimed: bool = False, **options: Any) -> AsyncIterator[tuple[Page, str]]:
        tenant = world.tenant()
        ada = world.person("Ada Lovelace", GROUP, tenant_id=tenant)
        task = await ask(world, tenant, form=form)
        session = world.rooms.identity.session(ada)
        cookie = {"name": "orkestra_session", "value": session, "url": world.base, "secure": True}
        async with seated(browser, world.base, **options) as seat:
            await seat.context.add_cookies([cookie])  # type: ignore[list-item]  # as its documentation has it
            await seat.page.goto(f"/tasks/{task.task_id}")
            if is_claimed:
                await seat.page.click("[data-key=c]")
                await seat.page.wait_for_selector("[data-mine=yes]")
            yield seat.page, task.task_id
            seat.complaints = [told for told in seat.complaints if "422" not in told]  # an answer that was not taken

    return opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_type_of_field_can_be_read_by_everyone(form_page: Any, scheme: str) -> None:
    async with form_page(every_type(), color_scheme=scheme) as (page, _):
        assert await violations(page) == []
        await page.fill("[name='data.contact']", "ana")
        await page.fill("[name='data.refund.amount']", "1,5")
        await page.click("button[value=reject]")
        await expect(page.locator("#problem")).to_be_focused()
        assert await violations(page) == []


async def test_every_type_of_field_fits_a_narrow_phone(form_page: Any) -> None:
    async with form_page(every_type(), viewport={"width": 360, "height": 740}) as (page, _):
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360


async def test_a_link_of_the_summary_leads_to_the_field(form_page: Any) -> None:
    form = {"mail": {"type": "email"}, "labels": {"type": "multiselect", "options": ["a", "b"], "required": True}}
    async with form_page(form) as (page, _):
        await page.fill("[name='data.mail']", "ana")
        await page.click("[data-key=complete]")
        await page.click("#problem a >> text=Mail")
        await expect(page.locator("#f-data-mail")).to_be_focused()
        await page.click("#problem a >> text=Labels")
        await expect(page.locator("#f-data-labels")).to_be_focused()


CHOICES: dict[str, Any] = {
    "decision": {"type": "select", "options": ["approve", "reject"], "required": True},
    "level": {"type": "radio", "options": [1, 2, 3]},
    "why": {"type": "text", "required": True, "visible_when": {"field": "decision", "equals": "reject"}},
    "boss": {"type": "text", "visible_when": {"field": "level", "gt": 1}},
    "share": {"type": "slider", "min": 0, "max": 100},
    "checker": {"type": "text", "required_when": {"field": "share", "gt": 50}},
    "tags": {"type": "multiselect", "options": ["x", "y"]},
    "late": {"type": "text", "visible_when": {"not": {"field": "tags", "empty": True}}},
}


async def test_a_form_with_conditions_is_filled_by_keyboard_alone(world: DashboardWorld, form_page: Any) -> None:
    async with form_page(CHOICES, is_claimed=True) as (page, task_id):
        await page.focus("#f-data-decision")
        await expect(page.locator("[name='data.why']")).to_be_hidden()
        await page.keyboard.type("rej")  # a list chooses by its letters
        await expect(page.locator("[name='data.why']")).to_be_visible()
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await page.keyboard.press("ArrowDown")
        await expect(page.locator("[name='data.boss']")).to_be_visible()
        await page.keyboard.press("Tab")
        await page.keyboard.type("because")
        await page.keyboard.press("Tab")
        await page.keyboard.type("Grace")
        await page.keyboard.press("Tab")
        await page.keyboard.press("End")
        await expect(page.locator("#f-data-share")).to_have_value("100")
        await expect(page.locator("#f-data-checker")).to_have_attribute("aria-required", "true")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.type("Linus")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Space")
        await expect(page.locator("[name='data.late']")).to_be_visible()
        await page.keyboard.press("Control+Enter")
        await page.wait_for_url("**?done=*")
    assert world.rooms.tasks.tasks[task_id].result == {
        "decision": "reject", "level": 2, "why": "because", "boss": "Grace", "share": 100, "checker": "Linus",
        "tags": ["x"],
    }  # fmt: skip


async def test_a_slider_that_nobody_touched_gives_nothing(world: DashboardWorld, form_page: Any) -> None:
    form = {"share": {"type": "slider", "min": 0, "max": 1}, "name": {"type": "text"}}
    async with form_page(form) as (page, task_id):
        await page.fill("[name='data.name']", "x")
        await page.click("[data-key=complete]")
        await page.wait_for_url("**?done=*")
    assert world.rooms.tasks.tasks[task_id].result == {"name": "x"}


async def test_a_row_is_removed_and_the_others_keep_what_was_typed(world: DashboardWorld, form_page: Any) -> None:
    form = {"rows": {"type": "table", "columns": {"what": {"type": "text"}}}}
    async with form_page(form) as (page, task_id):
        for position in range(3):
            if position:
                await page.click("[data-add-row]")
            await page.fill(f"[name='data.rows.{position}.what']", f"row {position}")
        await page.click("[data-remove-row] >> nth=1")
        await page.click("[data-add-row]")
        await page.keyboard.type("row 3")
        await page.click("[data-key=complete]")
        await page.wait_for_url("**?done=*")
    assert world.rooms.tasks.tasks[task_id].result == {"rows": [{"what": f"row {n}"} for n in (0, 2, 3)]}


async def test_a_draft_keeps_every_kind_of_field_but_no_secret_in_the_browser(
    world: DashboardWorld, form_page: Any
) -> None:
    form = {**CHOICES, "pin": {"type": "text", "sensitive": True}}
    async with form_page(form) as (page, task_id):
        await page.select_option("#f-data-decision", "reject")
        await page.fill("[name='data.why']", "because")
        await page.check("[name='data.tags'][value=y]")
        await page.fill("[name='data.pin']", "1234")
        kept = await page.evaluate("JSON.stringify(sessionStorage)")
        assert "because" in kept
        assert "1234" not in kept
        await page.reload()
        await expect(page.locator("[name='data.why']")).to_have_value("because")
        await expect(page.locator("[name='data.tags'][value=y]")).to_be_checked()
        await page.click("[data-key=c]")
        await page.wait_for_selector("[data-mine=yes]")
        await page.fill("[name='data.pin']", "1234")
        await eventually(lambda: (world.rooms.tasks.tasks[task_id].saved or {}).get("pin") == "1234")
        await page.reload()
        await expect(page.locator("[name='data.pin']")).to_have_value("1234")


async def test_without_script_a_conditional_form_is_filled_step_by_step(world: DashboardWorld, form_page: Any) -> None:
    async with form_page(CHOICES, java_script_enabled=False) as (page, task_id):
        await expect(page.locator("[name='data.why']")).to_be_hidden()
        await page.select_option("#f-data-decision", "reject")
        await page.get_by_role("button", name="Show what follows").click()
        await page.fill("[name='data.why']", "because")
        await page.fill("[name='data.share']", "10")
        await page.click("[data-key=complete]")
        await page.wait_for_url("**?done=*")
    assert world.rooms.tasks.tasks[task_id].result == {"decision": "reject", "why": "because", "share": 10}


BASE: dict[str, dict[str, Any]] = {
    "a": {"type": "text"},
    "n": {"type": "integer"},
    "b": {"type": "boolean"},
    "s": {"type": "select", "options": [1, 2, "x"]},
    "c": {"type": "checkboxes", "options": ["p", "q"]},
    "d": {"type": "date"},
}
OPERANDS: dict[str, list[Any]] = {
    "a": ["", "k", "m"],
    "n": [0, 3, 10],
    "b": [True, False],
    "s": [1, 2, "x"],
    "d": ["2026-01-01", "2026-06-01"],
}
TYPED: list[dict[str, list[str]]] = [
    {},
    {"a": ["k"], "n": ["3"], "b": ["true"], "s": ["2"], "c": ["p"], "d": ["2026-06-01"]},
    {"a": ["z"], "n": ["10"], "s": ["x"], "c": ["p", "q"], "d": ["2026-01-01"]},
    {"n": ["-1"], "b": ["true"], "s": ["1"]},
]


def _condition(chance: random.Random, depth: int = 2) -> dict[str, Any]:
    word = chance.choice(["all", "any", "not", "plain", "plain", "plain"]) if depth else "plain"
    if word == "not":
        return {"not": _condition(chance, depth - 1)}
    if word in ("all", "any"):
        return {word: [_condition(chance, depth - 1) for _ in range(chance.randint(1, 3))]}
    field = chance.choice(list(BASE))
    if field == "c" or chance.random() < 0.2:
        return {"field": field, "empty": chance.random() < 0.5}
    operands = OPERANDS[field]
    comparison = chance.choice(["equals", "in"] + (["gt", "lt"] if field in ("a", "n", "d") else []))
    return {"field": field, comparison: operands[:2] if comparison == "in" else chance.choice(operands)}


async def test_the_page_and_the_server_agree_on_every_condition(world: DashboardWorld, form_page: Any) -> None:
    chance = random.Random(4711)
    shown = {f"t{at}": {"type": "text", "visible_when": _condition(chance)} for at in range(60)}
    async with form_page({**BASE, **shown}) as (page, task_id):
        cookies = {one["name"]: one["value"] for one in await page.context.cookies()}
        async with httpx.AsyncClient(base_url=world.base, cookies=cookies, timeout=20) as http:
            start = controls_of((await http.get(f"/tasks/{task_id}")).text).posted
            for typed in TYPED:
                await page.evaluate(TYPE, {f"data.{name}": values for name, values in typed.items()})
                here = await page.evaluate(
                    "Array.from(document.querySelectorAll('[data-field][hidden]'), (e) => e.dataset.field)"
                )
                posted = start | {f"data.{name}": values for name, values in typed.items()} | {"refresh": ["1"]}
                there = controls_of((await http.post(f"/tasks/{task_id}/complete", data=posted)).text).hidden
                assert set(here) == there, typed
                assert 0 < len(there) < 60


HIDDEN = "() => Array.from(document.querySelectorAll('[data-field][hidden]'), (each) => each.dataset.field)"
TYPE = """(typed) => {
  const form = document.querySelector("[data-form]");
  for (const input of form.elements) {
    if (!input.name.startsWith("data.") || input.type === "hidden") continue;
    const given = typed[input.name] || [];
    if (input.type === "checkbox" || input.type === "radio") input.checked = given.includes(input.value);
    else input.value = given[0] || "";
  }
  form.dispatchEvent(new Event("change"));
}"""
