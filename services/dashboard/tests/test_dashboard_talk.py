"""What passes between reviewer and requester in a browser, stopping a run, and pages on which nothing is yet."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from dashboard_seats import Seat, hearing, running_browser, seated, violations
from dashboard_story import GROUP, ask, support_run
from dashboard_world import ROOT, DashboardWorld, dashboard, needs_chromium
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.testkit.waiting import eventually
from orkestra.v1.identity import Role, User
from orkestra.v1.task import TaskStatus
from playwright.async_api import Browser, expect

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


@asynccontextmanager
async def sit(world: DashboardWorld, browser: Browser, user: User, **options: Any) -> AsyncIterator[Seat]:
    async with seated(browser, world.base, **options) as seat:
        session = world.rooms.identity.session(user)
        await seat.context.add_cookies(
            [{"name": "orkestra_session", "value": session, "url": world.base, "secure": True}]
        )
        yield seat


async def test_a_reviewer_asks_the_requester_answers_and_the_half_typed_answer_is_still_there(
    world: DashboardWorld, browser: Browser
) -> None:
    tenant = world.tenant()
    ada, cara = world.person("Ada", GROUP, tenant_id=tenant), world.person("Cara", tenant_id=tenant)
    task = await ask(world, tenant)
    tasks = world.rooms.tasks.tasks
    tasks[task.task_id] = task.model_copy(update={"on_behalf_of": cara.user_id})
    async with sit(world, browser, ada) as reviewer, sit(world, browser, cara) as requester:
        await reviewer.page.goto(f"/tasks/{task.task_id}")
        await hearing(reviewer.page)
        await expect(reviewer.page.get_by_role("button", name="Ask for changes")).to_have_count(0)
        await reviewer.page.keyboard.press("c")
        await reviewer.page.wait_for_selector("#actions[data-mine=yes]")
        await reviewer.page.fill("[name='data.answer']", "Half a sentence")
        await eventually(lambda: (tasks[task.task_id].saved or {}).get("answer") == "Half a sentence")
        await reviewer.page.fill("#comment", "Which **order**?")
        await reviewer.page.get_by_role("button", name="Ask for changes").click()
        await expect(reviewer.page.locator("#badges")).to_contain_text("Waiting for an answer")
        await expect(reviewer.page.get_by_role("button", name="Answer the question")).to_have_count(0)
        assert await violations(reviewer.page) == []

        await requester.page.goto(f"/tasks/{task.task_id}")
        await expect(requester.page.locator("#talk strong")).to_have_text("order")
        await requester.page.fill("#comment", "Number 4711")
        await requester.page.get_by_role("button", name="Answer the question").click()
        await expect(requester.page.locator("#talk")).to_contain_text("Number 4711")

        await expect(reviewer.page.locator("#talk")).to_contain_text("Number 4711")  # told without a reload
        await expect(reviewer.page.locator("#changed")).to_contain_text("Cara has answered your question")
        await reviewer.page.get_by_role("link", name="Show the form").click()
        await reviewer.page.wait_for_selector("#actions[data-mine=yes]")
        assert await reviewer.page.input_value("[name='data.answer']") == "Half a sentence"
    assert tasks[task.task_id].status == TaskStatus.CLAIMED


async def test_an_empty_question_asks_nothing(world: DashboardWorld, browser: Browser) -> None:
    tenant = world.tenant()
    ada = world.person("Ada", GROUP, tenant_id=tenant)
    task = await ask(world, tenant)
    async with sit(world, browser, ada) as seat:
        await seat.page.goto(f"/tasks/{task.task_id}")
        await seat.page.click("[data-key=c]")
        await seat.page.get_by_role("button", name="Ask for changes").click()
        await seat.page.wait_for_url("**#history")
    assert world.rooms.tasks.tasks[task.task_id].status == TaskStatus.CLAIMED


async def test_a_run_is_stopped_by_keyboard_with_a_reason(world: DashboardWorld, browser: Browser) -> None:
    tenant = world.tenant()
    boss = world.person("Max", GROUP, tenant_id=tenant, roles=(Role.MANAGER,))
    await ask(world, tenant)
    run = support_run(world, tenant)
    async with sit(world, browser, boss) as seat:
        await seat.page.goto(f"/workflows/{run.workflow_id}")
        await expect(seat.page.get_by_role("link", name=re.compile("^May an opened headset"))).to_be_visible()
        await seat.page.locator("summary", has_text="Cancel run").focus()
        await seat.page.keyboard.press("Enter")
        await seat.page.keyboard.press("Tab")
        await seat.page.keyboard.type("Asked twice")
        assert await violations(seat.page) == []
        await seat.page.keyboard.press("Enter")
        await expect(seat.page.locator("main")).to_contain_text("It has been asked to stop.")
    assert world.rooms.workflows.runs[run.workflow_id].cancel_requested_at is not None


EMPTY = {
    "/inbox?scope=mine": "Nothing is waiting for you",
    "/inbox?scope=groups": "Your groups have nothing to do",
    "/inbox?scope=all&status=completed": "",
    "/workflows": "No runs here",
    "/notifications": "",
}


async def test_a_page_on_which_nothing_is_says_so_and_its_keys_do_no_harm(
    world: DashboardWorld, browser: Browser
) -> None:
    newcomer = world.person("Nina New", tenant_id=world.tenant())
    async with sit(world, browser, newcomer) as seat:
        for path, says in EMPTY.items():
            await seat.page.goto(path)
            await expect(seat.page.locator(".empty")).to_contain_text(says)
            for key in ("j", "k", "Enter", "c", "r", "e", "m", "/"):
                await seat.page.keyboard.press(key)
            assert seat.page.url.endswith(path)
            assert await violations(seat.page) == []


async def test_what_is_not_there_is_said_in_a_sentence_with_a_way_back(world: DashboardWorld, browser: Browser) -> None:
    ada = world.person("Ada", GROUP, tenant_id=world.tenant())
    async with sit(world, browser, ada) as seat:
        for path in ("/tasks/task_none", "/workflows/wf_none", "/nothing/here"):
            await seat.page.goto(path)
            await expect(seat.page.locator("main p").first).to_be_visible()
            await expect(seat.page.locator("main a[href='/inbox']")).to_be_visible()
            assert await violations(seat.page) == []
        seat.complaints = [told for told in seat.complaints if "404" not in told]


def test_the_script_has_no_words_of_its_own() -> None:
    """What it says comes with the page (data-texts), so that it can be translated."""
    script = (ROOT / "services/dashboard/frontend/app.js").read_text("utf-8")
    code = re.sub(r"^\s*//.*$", "", script, flags=re.MULTILINE)
    literals = re.findall(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`]*)`", code)
    words = [text for found in literals for text in found if re.search(r"(?<![\w$.{-])[a-zA-Z]{2,} [a-z]{2,}", text)]
    selectors = re.compile(r"use strict|[\[\].#>]")
    assert [text for text in words if not selectors.search(text)] == []
    shown = set(re.findall(r"texts\.(\w+)", code))
    assert shown == {"units", "moment", "left", "over", "kept", "kept_here", "kept_for_now", "picked"} | {
        *("sending", "sent", "not_sent"),
    }


async def test_what_the_script_says_is_what_the_page_hands_it(world: DashboardWorld, browser: Browser) -> None:
    tenant = world.tenant()
    ada = world.person("Ada", GROUP, tenant_id=tenant)
    task = await ask(world, tenant, sla={"complete": "25m"})
    async with sit(world, browser, ada) as seat:

        async def in_french(route: Any) -> None:
            answer = await route.fetch()
            body = await answer.text()
            for english, french in (("{time} left", "encore {time}"), ("Draft kept", "Brouillon enregistré")):
                body = body.replace(english, french)
            await route.fulfill(response=answer, body=body)

        await seat.page.route(f"**/tasks/{task.task_id}", in_french)
        await seat.page.goto(f"/tasks/{task.task_id}")
        await expect(seat.page.locator("#badges time")).to_contain_text(re.compile(r"encore 2\d min"))
        await seat.page.click("[data-key=c]")
        await seat.page.wait_for_selector("#actions[data-mine=yes]")
        await seat.page.goto(f"/tasks/{task.task_id}")  # where a form led, the page came past the interpreter
        await seat.page.fill("[name='data.answer']", "Oui")
        await expect(seat.page.locator("#draft-state")).to_have_text("Brouillon enregistré")
