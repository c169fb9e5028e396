"""Every list as CSV: all of its rows, nothing that a spreadsheet runs, and refused as its page is."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from dashboard_settings import WEBHOOK_ID
from dashboard_story import ask, morning
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.dashboard.routes import PAGES
from orkestra.dashboard.routes.exporting import line
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import Role
from orkestra.v1.task import UpdateTaskRequest

Migrated = Callable[..., Awaitable[Schema]]
SHEETS = {path for path, _ in PAGES if path.endswith(".csv")}
FORMULA = "=cmd|' /C calc'!A0"


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


def rows_of(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


@pytest.mark.parametrize("path", sorted(SHEETS))
async def test_every_list_is_a_sheet_with_its_rows_and_no_cell_that_runs(world: DashboardWorld, path: str) -> None:
    tenant = world.tenant()
    await morning(world, tenant)
    admin = world.person(FORMULA, "support-l1", tenant_id=tenant, roles=(Role.ADMIN,))
    task = await ask(world, tenant, title=FORMULA)
    run = next(run for run in world.rooms.workflows.runs.values() if run.tenant_id == tenant)
    entries = world.rooms.workflows.timelines[run.workflow_id]
    entries.append(entries[0].model_copy(update={"text": FORMULA}))
    world.rooms.feeds.tell(admin, f"+{FORMULA}", task)
    ids = {"group_id": "support-l1", "webhook_id": WEBHOOK_ID}
    async with world.http(admin) as http:
        rows = rows_of(await http.get(path.format(task_id=task.task_id, workflow_id=run.workflow_id, **ids)))
    assert rows
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    if any(part in path for part in ("people", "members", "timeline")):
        assert f"'{FORMULA}" in cells


async def test_a_sheet_has_the_rows_of_every_page(world: DashboardWorld) -> None:
    tenant = world.tenant()
    people = [world.person(f"Person {place}", tenant_id=tenant) for place in range(230)]
    async with world.http(people[0]) as http:
        rows = rows_of(await http.get("/settings/people.csv"))
    assert [row["user_id"] for row in rows] == [person.user_id for person in people]


async def test_what_is_refused_is_refused_before_a_file_begins(world: DashboardWorld) -> None:
    async with world.http(world.person("Ada", tenant_id=world.tenant())) as http:
        answer = await http.get("/settings/groups/none/members.csv")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_a_history_names_what_changed_and_a_timeline_says_what_happened(world: DashboardWorld) -> None:
    tenant = world.tenant()
    await morning(world, tenant)
    admin = world.person("Mia", tenant_id=tenant, roles=(Role.ADMIN,))
    run = next(run for run in world.rooms.workflows.runs.values() if run.tenant_id == tenant)
    task = await ask(world, tenant)
    await world.rooms.tasks.revise(admin, UpdateTaskRequest(task_id=task.task_id, title="A secret of the customer"))
    async with world.http(admin) as http:
        page = (await http.get(f"/tasks/{task.task_id}")).text
        history = await http.get(f"/tasks/{task.task_id}/history.csv")
        timeline = rows_of(await http.get(f"/workflows/{run.workflow_id}/timeline.csv"))
    assert f'href="/tasks/{task.task_id}/history.csv"' in page
    last = rows_of(history)[-1]
    assert (last["event"], last["actor"]) == ("updated", admin.user_id)
    assert "title" in last["changed"].split()
    assert "A secret of the customer" not in history.text
    kept = world.rooms.workflows.timelines[run.workflow_id]
    assert [(row["event"], row["text"], row["task_id"]) for row in timeline] == [
        (each.event, each.text, each.task_id or "") for each in kept
    ]


async def test_nobody_saves_what_happened_to_a_task_or_in_a_run_of_another_tenant(world: DashboardWorld) -> None:
    tenant = world.tenant()
    await morning(world, tenant)
    run = next(run for run in world.rooms.workflows.runs.values() if run.tenant_id == tenant)
    task = await ask(world, tenant)
    async with world.http(world.person("Eve", "support-l1", tenant_id=world.tenant(), roles=(Role.ADMIN,))) as http:
        for path in (f"/tasks/{task.task_id}/history.csv", f"/workflows/{run.workflow_id}/timeline.csv"):
            assert (await http.get(path)).status_code == 404, path


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])  # noqa: RUF001
def test_no_text_begins_as_a_formula_does(text: str) -> None:
    [[cell]] = csv.reader(io.StringIO(line([text]), newline=""))
    assert cell == f"'{text}"
