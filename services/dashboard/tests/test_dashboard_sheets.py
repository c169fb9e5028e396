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
    world.rooms.feeds.tell(admin, f"+{FORMULA}", await ask(world, tenant, title=FORMULA))
    async with world.http(admin) as http:
        rows = rows_of(await http.get(path.format(group_id="support-l1", webhook_id=WEBHOOK_ID)))
    assert rows
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    if "people" in path or "members" in path:
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


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"])  # noqa: RUF001
def test_no_text_begins_as_a_formula_does(text: str) -> None:
    [[cell]] = csv.reader(io.StringIO(line([text]), newline=""))
    assert cell == f"'{text}"
