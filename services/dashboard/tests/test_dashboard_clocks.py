"""What the pages say of a task's clocks: running, paused, missed, escalated."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from dashboard_story import GROUP, ask
from dashboard_world import DashboardWorld, dashboard
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.v1.task import EscalationStep, SlaPolicy, TaskStatus

SLA = SlaPolicy(claim="20m", complete="3h", escalate=[EscalationStep(after="2h", remind=True)])


@pytest.fixture(scope="module")
async def world(
    signer: Signer, migrated: Callable[..., Awaitable[Schema]], nats_url: str
) -> AsyncIterator[DashboardWorld]:
    schema = await migrated("orkestra.dashboard", "dashboard")
    async with dashboard(signer, schema.app_url, nats_url) as one:
        yield one


async def pages(world: DashboardWorld, status: TaskStatus = TaskStatus.OPEN, **clocks: Any) -> list[str]:
    """The inbox and the task's own page, with the task's clocks as they are given."""
    tenant = world.tenant()
    person = world.person("Ada Lovelace", GROUP, tenant_id=tenant)
    task = await ask(world, tenant, sla=SLA)
    assert task.sla is not None
    held = {"status": status, "assignee": None if status is TaskStatus.OPEN else person.user_id}
    changed = task.model_copy(update={**held, "sla": task.sla.model_copy(update=clocks)})
    world.rooms.tasks.tasks[task.task_id] = changed
    async with world.http(person) as http:
        return [(await http.get(path)).text for path in ("/inbox?scope=all", f"/tasks/{task.task_id}")]


async def test_both_clocks_count_down_until_the_task_is_claimed(world: DashboardWorld) -> None:
    for page in await pages(world):
        assert 'data-due="Claim"' in page
        assert "Claim: 19 min left" in page
        assert "2 h 59 min left" in page
    for page in await pages(world, TaskStatus.CLAIMED):
        assert 'data-due="Claim"' not in page
        assert "2 h 59 min left" in page


async def test_a_task_that_waits_shows_paused_clocks_and_the_time_to_answer(world: DashboardWorld) -> None:
    answer_by = datetime.now(UTC) + timedelta(hours=24, minutes=-1)
    for page in await pages(world, TaskStatus.WAITING, answer_by=answer_by):
        assert "Clocks paused" in page
        assert "Answer: 23 h 5" in page
        assert "2 h 59 min left" not in page


async def test_a_missed_deadline_and_the_level_are_said_on_the_tasks_page(world: DashboardWorld) -> None:
    over = datetime.now(UTC) - timedelta(minutes=5)
    inbox, page = await pages(world, breached=True, claim_by=over, escalation_level=2)
    assert "Claim: 5 min over" in inbox
    assert "Deadline missed" in page
    assert "Level 2" in page
