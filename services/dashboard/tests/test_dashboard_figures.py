"""The page of figures: its charts, what leads where, its CSV, and a period in which nothing was asked."""

import csv
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

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
    today = datetime.now(ZoneInfo("Europe/Berlin")).date()
    first, day = today - timedelta(days=29), (today - timedelta(days=3)).isoformat()
    asked = f"/inbox?scope=all&amp;asked_from={first}&amp;asked_until={today}&amp;type=refund"
    for rest in (
        "status=any",
        "status=completed",
        "status=any&amp;clock=breached",
        "status=any&amp;clock=escalated",
        "status=claimed",
        f"status=any&amp;assignee={mia.user_id}",
        "group=support-l1&amp;status=any",
        "status=completed&amp;q=Shop+assistant",
    ):
        assert f'href="{asked}&amp;{rest}"' in text, rest
    assert f'href="/inbox?scope=all&amp;asked_from={day}&amp;asked_until={day}&amp;type=refund&amp;status=any"' in text
    done = f"asked_from={first}&amp;asked_until={day}&amp;type=refund&amp;status=completed"
    assert f'href="/inbox?scope=all&amp;{done}&amp;completed_from={day}&amp;completed_until={day}"' in text
    drawn = f'href="/inbox?scope=all&amp;{done}&amp;completed_from={day}&amp;completed_until={day}" tabindex="-1"><rect'
    assert drawn in text, "the column itself leads there too"
    assert text.count('tabindex="-1"><rect') == 2 * 28 + 4, "each column of a day with tasks, four tenths of confidence"
    assert text.count("<g><title>") == 28 + 4, "28 days with tasks, four tenths of confidence"
    assert text.count('class="fill-') == 2 * 28 + 5 * 2 + 2 * 3 + 2 + 2 * 2 + 4, (
        "28 days with tasks, five times, two groups, one person, two agents, four tenths of confidence"
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
    assert found["kept_rate_by_confidence", "0.6 to 0.7"] == "0.7"
    assert (found["kept_target", ""], found["suggested_threshold", ""]) == ("0.9", "0.85")


async def test_the_calibration_curve_suggests_a_threshold_and_leads_to_the_policy(world: DashboardWorld) -> None:
    mia = boss(world)
    async with world.http(mia) as http:
        text = (await http.get("/figures")).text
        assert "From a confidence of 85 % on, people keep at least 90 % of the drafts, with 95 % certainty." in text
        assert 'href="/settings/policy?suggested=0.85"' in text
        policy = (await http.get("/settings/policy", params={"suggested": "0.85"})).text
    table = text[text.index("Stated confidence") :]
    rows = re.findall(r"<td>([^<]+)</td><td><a[^>]+>(\d+)</a></td><td>(\d+)</td><td>([^<]+)</td>", table)
    assert rows == [
        ("30–40 %", "20", "6", "30 %"),  # noqa: RUF001  as it is written
        ("60–70 %", "40", "28", "70 %"),  # noqa: RUF001
        ("80–90 %", "60", "54", "90 %"),  # noqa: RUF001
        ("90–100 %", "120", "118", "98 %"),  # noqa: RUF001
    ]
    assert 'class="threshold-line" x1="612.0"' in text, "85 % of the width of 720"
    assert 'class="target-line" x1="0" x2="720" y1="16.0"' in text, "10 % below the top of 160"
    assert 'x="230.4" y="112.0" width="43.2" height="48.0"' in text, "30 % of the height, in the tenth from 30 % on"
    assert "The figures suggest a confidence of 0.85." in policy
    assert 'name="kept_target" type="text" value="90"' in policy


@pytest.mark.parametrize(
    ("type_", "said"),
    [
        ("none", "No draft that was answered in this period states a confidence."),
        ("few", "There is not enough data: 12 answered drafts state a confidence, and 50 are needed."),
        ("wrong", "From no confidence on do people surely keep 90 % of the drafts."),
    ],
)
async def test_too_little_data_suggests_nothing(world: DashboardWorld, type_: str, said: str) -> None:
    async with world.http(boss(world)) as http:
        text = (await http.get("/figures", params={"type": type_})).text
    assert said in text
    assert 'class="threshold-line"' not in text


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
    days = [DayVolume(day="2026-03-08", asked=4, completed=0), DayVolume(day="2026-03-10", asked=8, completed=2)]
    drawn = charts.volume(days, last - timedelta(days=2), last)
    assert [(column.asked, column.completed) for column in drawn.columns] == [(4, 0), (8, 2)]
    assert [column.asked_height for column in drawn.columns] == [80, 160]
    assert [re.sub(r"\.0$", "", str(column.x)) for column in drawn.columns] == ["0", "480"]
