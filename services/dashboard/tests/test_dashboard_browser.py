"""What people live through in a browser: headless Chromium before the real pages, scripts, policies and NATS."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from dashboard_seats import MARKUP, Seat, hearing, running_browser, seated, violations
from dashboard_story import EVERY_FIELD, GROUP, ask, morning
from dashboard_world import DashboardWorld, dashboard, needs_chromium
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.testkit.waiting import eventually
from orkestra.v1.identity import User
from orkestra.v1.task import Link, TaskStatus
from playwright.async_api import Browser, Page, expect

SCHEMES = ("javascript:", "JaVaScRiPt:", " javascript:", "java\tscript:", "data:text/html,", "vbscript:", "//x@")
RECORDED = """(() => {
  const Source = window.EventSource;
  window.told = [];
  window.heard = 0;
  window.Notification = class { constructor(title, { body }) { window.told.push(body); } };
  window.Notification.permission = 'granted';
  window.Notification.requestPermission = async () => 'granted';
  window.EventSource = class extends Source {
    addEventListener(name, listener) {
      super.addEventListener(name, (message) => {
        listener(message);
        if (name === 'task') window.heard += 1;
      });
    }
  };
})()"""
LOOKED_AWAY = "away => Object.defineProperty(document, 'hidden', { get: () => away, configurable: true })"
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


Sit = Callable[..., Any]


@pytest.fixture
def sit(world: DashboardWorld, browser: Browser) -> Sit:
    @asynccontextmanager
    async def signed_in(user: User, **options: Any) -> AsyncIterator[Seat]:
        async with seated(browser, world.base, **options) as seat:
            session = world.rooms.identity.session(user)
            cookie = {"name": "orkestra_session", "value": session, "url": world.base, "secure": True}
            await seat.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict of playwright's
            yield seat

    return signed_in


@dataclass(frozen=True)
class Team:
    tenant_id: str
    ada: User
    grace: User


@pytest.fixture
def team(world: DashboardWorld) -> Team:
    tenant = world.tenant()
    people = [world.person(name, GROUP, tenant_id=tenant) for name in ("Ada Lovelace", "Grace Hopper")]
    return Team(tenant, *people)


async def open_task(page: Page, world: DashboardWorld, team: Team, **asked: Any) -> str:
    task = await ask(world, team.tenant_id, **asked)
    await page.goto(f"/tasks/{task.task_id}")
    await hearing(page)
    return task.task_id


async def test_a_new_task_appears_in_the_open_inbox_within_a_second(
    world: DashboardWorld, team: Team, sit: Sit
) -> None:
    async with sit(team.ada) as seat:
        await seat.page.goto("/inbox")
        await hearing(seat.page)
        await seat.page.evaluate("window.same = true")
        took: list[float] = []
        while len(took) < 3 and min(took, default=9.0) > 2.0:  # one is promised; two are for a busy machine
            began = time.monotonic()
            task = await ask(world, team.tenant_id, title="Just now")
            await seat.page.wait_for_selector(f"#{task.task_id}")
            took.append(time.monotonic() - began)
        assert min(took) <= 2.0, took
        await expect(seat.page).to_have_title(re.compile(rf"^\({len(took)}\) "))
        assert await seat.page.evaluate("window.same")


async def test_the_browser_tells_of_a_new_task_by_choice_alone_and_while_no_page_is_looked_at(
    world: DashboardWorld, team: Team, sit: Sit
) -> None:
    async with sit(team.ada, permissions=["notifications"]) as seat:
        await seat.context.add_init_script(RECORDED)
        page = seat.page

        async def told_after(title: str) -> list[str]:
            """What was told once the page has heard of a new task: its list or its title shows that."""
            waiting = len(world.rooms.tasks.tasks)
            await ask(world, team.tenant_id, title=title)
            await page.wait_for_function("heard => window.heard >= heard", arg=waiting - before + 1)
            told: list[str] = await page.evaluate("window.told")
            return told

        before = len(world.rooms.tasks.tasks)
        await page.goto("/settings")
        await hearing(page)
        await page.evaluate(LOOKED_AWAY, True)
        assert await told_after("Not chosen") == []
        await page.check("[data-notify-choice]")
        assert await told_after("Chosen") == ["Chosen"]
        await page.evaluate(LOOKED_AWAY, False)
        assert await told_after("While it is looked at") == ["Chosen"]
        await page.evaluate(LOOKED_AWAY, True)
        await page.uncheck("[data-notify-choice]")
        assert await told_after("No longer") == ["Chosen"]


async def test_a_list_that_changes_keeps_the_place_of_the_keyboard(world: DashboardWorld, team: Team, sit: Sit) -> None:
    first = await ask(world, team.tenant_id, title="First")
    async with sit(team.ada) as seat:
        await seat.page.goto("/inbox")
        await hearing(seat.page)
        await seat.page.keyboard.press("j")
        second = await ask(world, team.tenant_id, title="Second")
        await seat.page.wait_for_selector(f"#{second.task_id}")
        assert await seat.page.evaluate("document.activeElement.id") == first.task_id
        await seat.page.keyboard.press("j")
        assert await seat.page.evaluate("document.activeElement.id") == second.task_id
        await seat.page.keyboard.press("Enter")
        await seat.page.wait_for_url(f"**/tasks/{second.task_id}")


async def test_nothing_of_another_group_or_tenant_is_heard(world: DashboardWorld, team: Team, sit: Sit) -> None:
    async with sit(team.ada) as seat:
        await seat.page.goto("/inbox?scope=all")
        await hearing(seat.page)
        other = await ask(world, team.tenant_id, title="Other group", candidate_groups=["finance"])
        foreign = await ask(world, world.tenant(), title="Other tenant")
        mine = await ask(world, team.tenant_id, title="Mine")
        await seat.page.wait_for_selector(f"#{mine.task_id}")
        assert await seat.page.locator(f"#{other.task_id}, #{foreign.task_id}").count() == 0


async def test_who_loses_the_race_is_told_at_once_and_loses_nothing_typed(
    world: DashboardWorld, team: Team, sit: Sit
) -> None:
    async with sit(team.ada) as first, sit(team.grace) as second:
        task_id = await open_task(first.page, world, team)
        await second.page.goto(f"/tasks/{task_id}")
        await hearing(second.page)
        await second.page.fill("[name='data.answer']", "Half a sen")
        await first.page.click("[data-key=c]")
        await expect(second.page.locator("#changed")).to_contain_text("Ada Lovelace has claimed this task")
        assert await second.page.input_value("[name='data.answer']") == "Half a sen"
        assert await second.page.locator("[data-key=complete]").count() == 0
        await first.page.fill("[name='data.answer']", "Yes.")
        await first.page.keyboard.press("Control+Enter")
        await expect(second.page.locator("#changed")).to_contain_text("Ada Lovelace completed this task")
        await first.page.wait_for_url("**?done=*")
        assert await second.page.input_value("[name='data.answer']") == "Half a sen"


async def test_a_draft_survives_a_reload_and_another_browser(world: DashboardWorld, team: Team, sit: Sit) -> None:
    async with sit(team.ada) as seat:
        task_id = await open_task(seat.page, world, team)
        await seat.page.fill("[name='data.answer']", "Before claiming")
        await seat.page.reload()
        assert await seat.page.input_value("[name='data.answer']") == "Before claiming"
        await seat.page.click("[data-key=c]")
        await seat.page.wait_for_selector("[data-mine=yes]")
        assert await seat.page.input_value("[name='data.answer']") == "Before claiming"
        await seat.page.fill("[name='data.answer']", "Half a sentence")
        await eventually(lambda: (world.rooms.tasks.tasks[task_id].saved or {}).get("answer") == "Half a sentence")
        await seat.page.reload()
        assert await seat.page.input_value("[name='data.answer']") == "Half a sentence"
    async with sit(team.ada) as elsewhere:
        await elsewhere.page.goto(f"/tasks/{task_id}")
        assert await elsewhere.page.input_value("[name='data.answer']") == "Half a sentence"


async def test_a_task_is_found_claimed_and_completed_by_keyboard_alone(
    world: DashboardWorld, team: Team, sit: Sit
) -> None:
    task = await ask(world, team.tenant_id)
    following = await ask(world, team.tenant_id, title="The next one")
    async with sit(team.ada) as seat:
        page = seat.page
        await page.goto("/workflows")
        await page.keyboard.press("g")
        await page.keyboard.press("i")
        await page.wait_for_url("**/inbox")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/tasks/{task.task_id}")
        await page.keyboard.press("c")
        await page.wait_for_selector("[data-mine=yes]")
        await page.keyboard.press("e")
        await page.keyboard.type("Yes, cc: within 30 days?")
        await page.keyboard.press("Control+Enter")
        await page.wait_for_url(f"**/tasks/{following.task_id}?done={task.task_id}")
    assert world.rooms.tasks.tasks[task.task_id].result == {"answer": "Yes, cc: within 30 days?"}


async def test_the_map_of_the_keyboard_opens_and_no_key_is_stolen_from_a_field(
    world: DashboardWorld, team: Team, sit: Sit
) -> None:
    async with sit(team.ada) as seat:
        task_id = await open_task(seat.page, world, team)
        await seat.page.keyboard.press("?")
        await expect(seat.page.locator("#keys")).to_be_visible()
        await seat.page.keyboard.press("Escape")
        await seat.page.fill("#comment", "")
        await seat.page.keyboard.type("c j ? / g i")
        assert await seat.page.input_value("#comment") == "c j ? / g i"
        assert world.rooms.tasks.tasks[task_id].status == TaskStatus.OPEN


async def test_the_skip_link_comes_first_and_leads_to_the_content(world: DashboardWorld, team: Team, sit: Sit) -> None:
    async with sit(team.ada) as seat:
        await seat.page.goto("/inbox")
        await seat.page.keyboard.press("Tab")
        await seat.page.keyboard.press("Enter")
        assert await seat.page.evaluate("document.activeElement.id") == "content"


async def test_fields_that_depend_on_others_come_and_go(world: DashboardWorld, team: Team, sit: Sit) -> None:
    async with sit(team.ada) as seat:
        await open_task(seat.page, world, team, form=EVERY_FIELD)
        serial = seat.page.locator("[name='data.serial']")
        await expect(serial).to_be_hidden()
        await seat.page.check("[name='data.opened']")
        await expect(serial).to_be_visible()
        await seat.page.click("[data-add-row]")
        await expect(seat.page.locator("[name='data.rows.1.item']")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_on_errors_the_map_and_sign_in(
    world: DashboardWorld, sit: Sit, browser: Browser, scheme: str
) -> None:
    tenant = world.tenant()
    ada, grace = await morning(world, tenant)
    task = next(
        task
        for task in list(world.rooms.tasks.tasks.values())[1:]
        if task.tenant_id == tenant and task.title.startswith("Refund")
    )
    found = {}
    async with sit(ada, color_scheme=scheme) as seat:
        await seat.page.goto(f"/tasks/{task.task_id}")
        await seat.page.click("button[value=reject]")  # the form with all its errors
        found["errors"] = await violations(seat.page)
        seat.complaints = [told for told in seat.complaints if "422" not in told]
        await seat.page.goto("/inbox")
        await seat.page.keyboard.press("?")
        found["keyboard"] = await violations(seat.page)
        await seat.context.clear_cookies()
        await seat.page.goto("/sign-in")
        found["sign-in"] = await violations(seat.page)
    assert {path: each for path, each in found.items() if each} == {}
    assert grace


async def test_no_page_scrolls_sideways_on_a_narrow_phone(world: DashboardWorld, sit: Sit) -> None:
    tenant = world.tenant()
    ada, _ = await morning(world, tenant)
    long = await ask(
        world, tenant, title="W" * 180, description="x" * 400 + "\n\n| a | b |\n|---|---|\n| " + "y" * 200 + " | z |"
    )
    tasks = [task.task_id for task in world.rooms.tasks.tasks.values() if task.tenant_id == tenant]
    runs = [run.workflow_id for run in world.rooms.workflows.runs.values() if run.tenant_id == tenant]
    paths = ["/inbox?scope=groups", "/workflows", "/notifications", f"/tasks/{tasks[1]}", f"/tasks/{long.task_id}"]
    async with sit(ada, viewport={"width": 360, "height": 740}) as seat:
        for path in [*paths, f"/workflows/{runs[0]}"]:
            await seat.page.goto(path)
            assert await seat.page.evaluate("document.documentElement.scrollWidth") <= 360, path


async def test_markup_in_any_text_runs_nowhere(world: DashboardWorld, sit: Sit) -> None:
    tenant = world.tenant()
    mallory = world.person(f"Mallory {MARKUP}", GROUP, tenant_id=tenant)
    nasty = f"{MARKUP} [x](javascript:window.ran=1) ![y](http://example.com/y.png) <https://example.com>"
    task = await ask(
        world, tenant, title=MARKUP, description=nasty, type=MARKUP[:60], tags=["<b>"],
        form={"answer": {"type": "textarea", "label": MARKUP, "help": MARKUP, "placeholder": MARKUP},
              "pick": {"type": "radio", "label": "p", "options": [{"value": "'><script>", "label": MARKUP}]},
              "hint": {"type": "note", "text": nasty}},
        draft={"answer": {"value": f"</textarea>{MARKUP}"}},
        context={
            "conversation": [{"role": "user", "text": nasty}, {"role": "tool", "text": nasty}],
            "summary": nasty,
            "data": {MARKUP: MARKUP, "deep": {"x": [MARKUP]}},
            "links": [{"label": MARKUP, "url": "https://example.com/?q=\"onmouseover=window.ran=1"}],
            "agent": {"name": MARKUP, "model": MARKUP},
        },
    )  # fmt: skip
    assert task.context is not None
    smuggled = [Link(label=scheme, url=f"{scheme}window.ran=1") for scheme in SCHEMES]  # the room refuses these
    context = task.context.model_copy(update={"links": [*task.context.links, *smuggled]})
    world.rooms.tasks.tasks[task.task_id] = task.model_copy(update={"context": context})
    world.rooms.feeds.tell(mallory, MARKUP, task)
    run = world.rooms.workflows.add(
        tenant, definition="customer-support", business_id=MARKUP, input={"q": MARKUP}, notice=MARKUP
    )
    async with sit(mallory) as seat:
        for path in (
            "/inbox",
            f"/tasks/{task.task_id}",
            "/notifications",
            "/workflows",
            f"/workflows/{run.workflow_id}",
        ):
            await seat.page.goto(path)
            assert await seat.page.evaluate("window.ran") is None, path
            assert await seat.page.locator("main img, main svg[onload], [href*='window.ran' i]").count() <= 1, path
            hrefs = await seat.page.eval_on_selector_all("a[href]", "links => links.map(link => link.protocol)")
            assert {*hrefs} <= {"http:", "https:"}, path
            assert "{{7*7}}" in await seat.page.content(), path
        await seat.page.goto(f"/tasks/{task.task_id}")
        await hearing(seat.page)
        await seat.page.fill("#comment", nasty)
        await seat.page.click("[data-kept=comment] button")
        await seat.page.wait_for_selector("#comments")
        assert await seat.page.evaluate("window.ran") is None


async def test_an_ended_session_is_told_and_what_was_typed_comes_back_after_signing_in(
    world: DashboardWorld, team: Team, sit: Sit
) -> None:
    async with sit(team.ada) as seat:
        task_id = await open_task(seat.page, world, team)
        await seat.page.fill("[name='data.answer']", "Half a sentence")
        world.rooms.identity.end_sessions(team.ada)
        await expect(seat.page.locator("#session")).to_be_visible(timeout=15_000)
        assert await seat.page.input_value("[name='data.answer']") == "Half a sentence"
        await seat.page.click("[data-sign-in]")
        await seat.page.fill("[name=email]", team.ada.email)
        await seat.page.fill("[name=password]", "correct horse battery")
        await seat.page.keyboard.press("Enter")
        await seat.page.wait_for_url(f"**/tasks/{task_id}")
        assert await seat.page.input_value("[name='data.answer']") == "Half a sentence"
        seat.complaints = [told for told in seat.complaints if "401" not in told]


async def test_without_script_a_person_claims_and_completes(world: DashboardWorld, team: Team, sit: Sit) -> None:
    task = await ask(world, team.tenant_id)
    async with sit(team.ada, java_script_enabled=False) as seat:
        await seat.page.goto("/inbox")
        await seat.page.click(f"#{task.task_id}")
        await seat.page.click("text=Claim >> nth=0")
        await seat.page.fill("[name='data.answer']", "Yes.")
        await seat.page.get_by_role("button", name="Complete").click()
        await seat.page.wait_for_url("**/inbox?done=*")
    assert world.rooms.tasks.tasks[task.task_id].completed_by == team.ada.user_id


async def test_the_theme_that_was_chosen_stays(world: DashboardWorld, team: Team, sit: Sit) -> None:
    async with sit(team.ada, color_scheme="light") as seat:
        await seat.page.goto("/inbox")
        await seat.page.click(".sidebar [data-action=theme]")
        await seat.page.goto("/workflows")
        assert await seat.page.evaluate("document.documentElement.dataset.theme") == "dark"


async def test_what_is_new_is_counted_read_and_kept(world: DashboardWorld, team: Team, sit: Sit) -> None:
    task = await ask(world, team.tenant_id)
    world.rooms.feeds.tell(team.ada, "support-l1 has a new task", task)
    async with sit(team.ada) as seat:
        await seat.page.goto("/notifications")
        await expect(seat.page.locator(".sidebar [data-count=notifications]")).to_have_text("1")
        await seat.page.click("text=Mark all as read")
        await expect(seat.page.locator(".sidebar [data-count=notifications]")).to_have_text("")
        await expect(seat.page.locator(".feed-unread")).to_have_count(0)


async def test_a_process_that_ends_lets_open_pages_go_at_once(
    signer: Signer, migrated: Migrated, nats_url: str, browser: Browser
) -> None:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as world:
        person = world.person("Ada", GROUP, tenant_id=world.tenant())
        async with world.http(person) as http, http.stream("GET", "/live") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "retry: 1000"
            world.drain.begin()
            async with asyncio.timeout(10):
                async for _ in lines:
                    pass
