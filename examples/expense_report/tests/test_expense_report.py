"""The workflow without servers: office hours pass in a moment."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from expense_report.workflows import Expense, expense_report
from orkestra.sdk.testing import OrkestraTest, office_hours, replay
from orkestra.v1.task import Priority, TaskStatus
from orkestra.wire import Error

EXPENSE = Expense(employee="eve", purpose="a train to Vienna", total_cents=12990)
VIENNA = ZoneInfo("Europe/Vienna")
OFFICE = {"office": office_hours("Europe/Vienna")}


async def next_monday(env: OrkestraTest) -> datetime:
    """Return when the office opens on the next Monday."""
    now = (await env.now()).astimezone(VIENNA)
    return datetime(now.year, now.month, now.day, 9, tzinfo=VIENNA) + timedelta(days=7 - now.weekday())


async def test_an_approver_decides() -> None:
    async with OrkestraTest(calendars=OFFICE) as env:
        run = await env.start(expense_report, EXPENSE)
        task = await env.next_task()
        assert task.current.title == "129.90 for a train to Vienna"
        with pytest.raises(Error):
            await task.complete(outcome="approve", by="eve")
        await task.complete(outcome="approve", by="ana")
        decided = await run.result()
        assert (decided.decision, decided.by, decided.comment) == ("approved", "ana", None)


async def test_the_chain_counts_office_hours_and_the_policy_rejects_at_its_end() -> None:
    async with OrkestraTest(calendars=OFFICE) as env:
        monday = await next_monday(env)
        await env.skip_to(monday - timedelta(hours=1))
        run = await env.start(expense_report, EXPENSE)
        task = await env.next_task()

        async def at(hours: float, *, day: int = 0) -> None:
            await env.skip_to(monday + timedelta(days=day, hours=hours, seconds=1))

        await at(3.9)
        assert task.current.sla is not None
        assert (task.current.sla.escalation_level, task.current.priority) == (0, Priority.NORMAL)
        await at(4)
        assert task.current.sla.escalation_level == 1
        await at(0, day=1)
        assert (task.current.priority, "finance" in task.current.candidate_groups) == (Priority.HIGH, True)
        await at(4, day=1)
        assert (task.current.priority, task.current.candidate_groups) == (Priority.URGENT, ["finance-leads"])
        assert task.current.status is TaskStatus.OPEN
        await at(8, day=1)
        decided = await run.result()
        assert (decided.decision, decided.by) == ("rejected", "policy")
        assert decided.comment == "Nobody decided within two working days; hand it in again."


async def test_a_weekend_is_no_time_to_decide() -> None:
    async with OrkestraTest(calendars=OFFICE) as env:
        monday = await next_monday(env)
        await env.skip_to(monday + timedelta(days=5))
        await env.start(expense_report, EXPENSE)
        task = await env.next_task()
        await env.skip("48h")
        assert task.current.sla is not None
        assert (task.current.status, task.current.sla.escalation_level) == (TaskStatus.OPEN, 0)


async def test_what_was_recorded_replays() -> None:
    assert await replay(expense_report, histories=Path(__file__).parent / "histories") == 2
