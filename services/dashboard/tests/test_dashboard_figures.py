"""The page of figures: its charts, what leads where, its CSV, and a period in which nothing was asked."""

import csv
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta

import pytest
from dashboard_story import ask
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.dashboard.routes import charts
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import Role, User
from orkestra.v1.task import DayVolume

Migrated = Callable[..., Awaitable[Schema]]


@pytest.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


def boss(world: DashboardWorld) -> User:
    return world.person("Mia Manager", tenant_id=world.tenant(), roles=(Role.MANAGER,))


async def test_every_figure_is_on_the_page_and_leads_to_the_tasks_behind_it(world: DashboardWorld) -> None:
    mia = boss(world)
    await ask(world, mia.tenant_id)
    async with world.http(mia) as http:
        text = (await http.get("/figures", params={"type": "refund"})).text
    for shown in ("442", "398", "8.0 %", "13.8 %", "35 of 440 with a clock", "6 min", "3 h 30 min", "26 %", "4 %"):
        assert shown in text
    assert 'href="/inbox?scope=all&amp;status=completed&amp;type=refund"' in text
    assert 'href="/inbox?scope=all&amp;group=support-l1"' in text
    assert f'href="/inbox?scope=all&amp;assignee={mia.user_id}"' in text
    assert text.count('class="fill-') == 2 * 31 + 5 * 2 + 2 * 3 + 2 + 2 * 2, (
        "31 days, five times, two groups, one person, two agents"
    )
    assert "style=" not in text


async def test_the_same_figures_are_a_csv(world: DashboardWorld) -> None:
    mia = boss(world)
    async with world.http(mia) as http:
        answer = await http.get("/figures.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    found = {(row["figure"], row["of"]): row["value"] for row in rows}
    assert (found["asked", ""], found["time_to_complete", "p95"]) == ("442", "12600.0")
    assert found["completed_by", "Mia Manager"] == "90"
    assert found["edit_rate", "Shop assistant / faq-2 / -"] == "0.1"


async def test_a_period_without_tasks_says_so(world: DashboardWorld) -> None:
    async with world.http(boss(world)) as http:
        text = (await http.get("/figures", params={"period": "7", "type": "none"})).text
    assert "Nothing was asked in this period." in text
    assert "Nobody has answered where an agent had drafted." in text
    assert 'class="fill-' not in text


@pytest.mark.parametrize(("most", "end"), [(0, 4), (4, 4), (5, 8), (22, 28), (41, 80), (121, 200), (300, 400)])
def test_a_scale_ends_at_the_next_round_number_in_four_whole_steps(most: int, end: int) -> None:
    assert charts.round_end(most) == end
    assert end % charts.TICKS == 0


def test_days_without_tasks_have_their_place() -> None:
    last = date(2026, 3, 10)
    days = [DayVolume(day="2026-03-10", asked=8, completed=2), DayVolume(day="2026-03-08", asked=4, completed=0)]
    drawn = charts.volume(days, last - timedelta(days=2), last)
    assert [(column.asked, column.completed) for column in drawn.columns] == [(4, 0), (0, 0), (8, 2)]
    assert [column.asked_height for column in drawn.columns] == [80, 0, 160]
    assert [re.sub(r"\.0$", "", str(column.x)) for column in drawn.columns] == ["0", "240", "480"]
