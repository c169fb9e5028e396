"""The inbox beyond its list: search, filters, views, many tasks at once, CSV; in a browser where it takes one."""

import csv
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from dashboard_seats import hearing, running_browser, sitting, violations
from dashboard_story import EVERY_FIELD, GROUP, ask
from dashboard_world import DashboardWorld, dashboard, needs_chromium
from html_forms import controls_of
from orkestra.chassis.tokens import Signer
from orkestra.dashboard.routes.exporting import line
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import User
from orkestra.v1.task import TaskStatus
from playwright.async_api import expect

Migrated = Callable[..., Awaitable[Schema]]
pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


def team(world: DashboardWorld) -> tuple[str, User, User]:
    tenant = world.tenant()
    people = [world.person(name, GROUP, tenant_id=tenant) for name in ("Ada Lovelace", "Grace Hopper")]
    return tenant, people[0], people[1]


def csrf_of(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found
    return found[1]


def titles(page: httpx.Response) -> list[str]:
    return re.findall(r'<span class="font-medium md:truncate[^"]*">([^<]*)</span>', page.text)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "PARCEL lost"}, ["Lost parcel"]),
        ({"type": "return"}, ["Return"]),
        ({"tag": "vip late"}, ["Lost parcel"]),
        ({"priority": "urgent"}, ["Return"]),
        ({"group": "refunds"}, ["Return"]),
        ({"due": "week"}, ["Lost parcel"]),
        ({"due": "overdue"}, []),
        ({"status": "completed"}, []),
        ({"status": "bogus", "priority": "bogus", "sort": "bogus"}, ["Lost parcel", "Return"]),
    ],
)
async def test_search_and_filters_narrow_the_list(
    world: DashboardWorld, query: dict[str, str], found: list[str]
) -> None:
    tenant, ada, _ = team(world)
    await ask(world, tenant, title="Lost parcel", tags=["vip", "late"], sla={"complete": "2d"})
    await ask(world, tenant, title="Return", type="return", priority="urgent", candidate_groups=[GROUP, "refunds"])
    async with world.http(ada) as http:
        page = await http.get("/inbox", params=query)
    assert sorted(titles(page)) == found
    assert ("No such tasks" in page.text) == (not found)


async def test_a_view_is_kept_shared_changed_and_removed(world: DashboardWorld) -> None:
    tenant, ada, grace = team(world)
    async with world.http(ada) as mine, world.http(grace) as hers:
        page = await mine.get("/inbox", params={"scope": "groups", "q": "parcel", "status": "open", "due": "today"})
        here = re.search(r'name="here" value="([^"]*)"', page.text)
        assert here
        form = {"csrf": csrf_of(page), "name": "Parcels <b>", "group_id": GROUP, "here": here[1].replace("&amp;", "&")}
        kept = await mine.post("/views", data=form)
        assert kept.headers["location"].startswith("/inbox?scope=groups&status=open&q=parcel&view=view_")
        [view] = [view for view in world.rooms.tasks.views.values() if view.tenant_id == tenant]
        assert view.filter.due_before is None
        shown = await hers.get(kept.headers["location"])
        assert "Parcels &lt;b&gt;" in shown.text
        assert re.search(r'class="view"[^>]*aria-current="page"', shown.text)
        await mine.post(f"/views/{view.view_id}", data=form | {"name": "Mail", "group_id": ""})
        assert "Mail" not in (await hers.get("/inbox")).text
        gone = await mine.post(f"/views/{view.view_id}/delete", data={"csrf": form["csrf"], "back": "/inbox?q=parcel"})
        assert gone.headers["location"] == "/inbox?q=parcel"
        assert "Mail" not in (await mine.get("/inbox")).text


async def test_many_tasks_are_claimed_at_once_and_what_is_refused_is_named(world: DashboardWorld) -> None:
    tenant, ada, grace = team(world)
    tasks = [await ask(world, tenant, title=f"Task {number}") for number in range(3)]
    async with world.http(ada) as mine, world.http(grace) as hers:
        await hers.post(f"/tasks/{tasks[2].task_id}/claim", data={"csrf": csrf_of(await hers.get("/inbox"))})
        form: dict[str, Any] = {"csrf": csrf_of(await mine.get("/inbox")), "operation": "claim", "back": "/inbox?q=x"}
        done = await mine.post("/inbox/bulk", data=form | {"task": [f"{task.task_id}:1" for task in tasks[:2]]})
        assert done.headers["location"] == "/inbox?q=x&did=claim&n=2"
        assert "2 claimed." in (await mine.get("/inbox?did=claim&n=2")).text
        refused = await mine.post("/inbox/bulk", data=form | {"task": [task.task_id for task in tasks[2:]]})
        assert refused.status_code == 409
        assert "1 task was refused" in refused.text
        assert (await mine.post("/inbox/bulk", data=form)).headers["location"] == "/inbox?q=x"
        assert (await mine.post("/inbox/bulk", data=form | {"operation": "burn", "task": "x"})).status_code == 422
    assert [world.rooms.tasks.tasks[task.task_id].assignee for task in tasks] == [
        ada.user_id,
        ada.user_id,
        grace.user_id,
    ]


async def test_one_answer_completes_many_tasks_of_one_form(world: DashboardWorld) -> None:
    tenant, ada, _ = team(world)
    tasks = [await ask(world, tenant) for _ in range(2)]
    other = await ask(world, tenant, form=EVERY_FIELD)
    async with world.http(ada) as http:
        chosen = [task.task_id for task in tasks]
        form: dict[str, Any] = {"csrf": csrf_of(await http.get("/inbox")), "operation": "complete", "task": chosen}
        asked = await http.post("/inbox/bulk", data=form)
        assert asked.status_code == 200
        sent = controls_of(asked.text).posted
        wrong = await http.post("/inbox/bulk", data=sent)
        assert wrong.status_code == 422
        assert 'id="f-data-answer-error"' in wrong.text
        done = await http.post("/inbox/bulk", data=sent | {"data.answer": ["Yes."]})
        assert done.headers["location"] == "/inbox?did=complete&n=2"
        mixed = await http.post("/inbox/bulk", data=form | {"task": [*chosen, other.task_id]})
        assert mixed.status_code == 409
    assert [world.rooms.tasks.tasks[task_id].result for task_id in chosen] == [{"answer": "Yes."}] * 2


async def test_a_list_is_of_days_and_of_what_became_of_clocks(world: DashboardWorld) -> None:
    tenant, ada, _ = team(world)
    task = await ask(world, tenant, title="Asked today")
    today = datetime.now(ZoneInfo("Europe/Berlin")).date()
    days = {"asked_from": str(today), "asked_until": str(today), "status": "any"}
    async with world.http(ada) as http:
        page = (await http.get("/inbox", params={"scope": "all", **days})).text
        other = {"asked_from": "2020-01-01", "asked_until": "2020-01-02"}
        before = (await http.get("/inbox", params={"scope": "all", **days | other})).text
        late = (await http.get("/inbox", params={"scope": "all", **days, "clock": "breached"})).text
        ends = {"asked_from": "0001-01-01", "asked_until": "9999-12-31", "completed_from": "soon", "clock": "x"}
        odd = (await http.get("/inbox", params={"scope": "all", **ends})).text
    assert [f'id="{task.task_id}"' in text for text in (page, before, late, odd)] == [True, False, False, True]
    assert f'name="asked_until" aria-label="Asked: Until" value="{today}"' in page
    assert '<option value="breached" selected>' in late


async def test_a_list_is_written_as_csv_that_no_spreadsheet_runs(world: DashboardWorld) -> None:
    tenant, ada, _ = team(world)
    await ask(world, tenant, title='=HYPERLINK("http://x")', tags=["a", "b"])
    await ask(world, tenant, title='Ünï, "quoted"\nand more')
    async with world.http(ada) as http:
        answer = await http.get("/inbox.csv", params={"scope": "groups"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="tasks.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert sorted(row["title"] for row in rows) == ['\'=HYPERLINK("http://x")', 'Ünï, "quoted"\nand more']
    assert {row["status"] for row in rows} == {"open"}
    assert line(["-1", 1, True, None]) == "'-1,1,yes,\r\n"


@needs_chromium
async def test_rows_are_chosen_by_keyboard_and_stay_chosen_while_the_list_changes(world: DashboardWorld) -> None:
    tenant, ada, _ = team(world)
    first = await ask(world, tenant, title="First")
    async with running_browser() as browser, sitting(world, browser, ada) as seat:
        page = seat.page
        await page.goto("/inbox")
        await hearing(page)
        await expect(page.locator(".bulkbar")).to_be_hidden()
        await page.keyboard.press("j")
        await page.keyboard.press("x")
        await expect(page.locator("[data-picked]")).to_have_text("1 chosen")
        second = await ask(world, tenant, title="Second")
        await page.wait_for_selector(f"#{second.task_id}")
        await expect(page.locator(f"[data-pick={first.task_id}]")).to_be_checked()
        await expect(page.locator(f"[data-pick={second.task_id}]")).not_to_be_checked()
        assert await violations(page) == []
        await page.keyboard.press("f")
        await expect(page.locator("#priority")).to_be_focused()
        assert await violations(page) == []
        await page.keyboard.press("Escape")
        await expect(page.locator("#priority")).to_be_hidden()
        await page.get_by_role("button", name="Claim", exact=True).click()
        await page.wait_for_url("**did=claim**")
        await page.keyboard.press("/")
        await page.keyboard.type("second")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**q=second**")
        await expect(page.locator("[data-row]")).to_have_count(1)
    assert world.rooms.tasks.tasks[first.task_id].status == TaskStatus.CLAIMED
