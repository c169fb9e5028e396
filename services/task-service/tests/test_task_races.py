"""Fifty at once complete, cancel, claim, escalate, assign one task, whose time runs out: it ends once, everywhere."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from orkestra.v1.task import (
    AdvanceClockRequest,
    AssignTaskRequest,
    CancelTaskRequest,
    CompleteTaskRequest,
    EscalateTaskRequest,
    EscalationStep,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ReleaseTaskRequest,
    SlaPolicy,
    Task,
    UpdateTaskRequest,
)
from orkestra.wire import Error, Model
from task_world import ANSWER, Caller, Tenant, World, ask_for_run, world

__all__ = ["world"]

ENDS = {"completed", "cancelled", "expired"}
STEPS = [EscalationStep(after=f"{minute}m", remind=True) for minute in range(1, 9)]
Call = Callable[[], Coroutine[Any, Any, Model]]


def fifty(tenant: Tenant, people: list[Caller], boss: Caller, task: Task) -> list[Call]:
    """What fifty callers do: ends twice as often as the rest."""
    worker, task_id = tenant.worker(), task.task_id

    def of(person: Caller) -> list[Call]:
        return [
            lambda: person.complete_task(CompleteTaskRequest(task_id=task_id, data=ANSWER)),
            lambda: person.claimed(task),
            lambda: person.release_task(ReleaseTaskRequest(task_id=task_id)),
            lambda: boss.escalate_task(EscalateTaskRequest(task_id=task_id)),
            lambda: boss.assign_task(AssignTaskRequest(task_id=task_id, candidate_groups=["l1"], reason="Ill.")),
            lambda: boss.update_task(UpdateTaskRequest(task_id=task_id, add_tags=[person.id])),
            lambda: boss.cancel_task(CancelTaskRequest(task_id=task_id)),
            lambda: worker.advance_clock(AdvanceClockRequest(task_id=task_id)),
            lambda: person.get_task(GetTaskRequest(task_id=task_id)),
            lambda: person.complete_task(CompleteTaskRequest(task_id=task_id, data=ANSWER)),
        ]

    return [call for person in people for call in of(person)]


@pytest.mark.parametrize("seed", range(6))
async def test_of_fifty_at_once_one_ends_the_task_and_all_records_agree(world: World, seed: int) -> None:
    tenant = world.tenant()
    people = [tenant.person(f"p{number}", "l1") for number in range(5)]
    boss = tenant.person("boss", roles=("manager",))
    sla = SlaPolicy(complete="1h", escalate=STEPS)
    task = await tenant.worker().create_task(ask_for_run(candidate_groups=["l1"], sla=sla))
    if seed % 2:  # every other time its end falls into the crowd
        due = task.updated_at + timedelta(milliseconds=400)
        await boss.update_task(UpdateTaskRequest(task_id=task.task_id, complete_by=due))
    calls = fifty(tenant, people, boss, task)
    random.Random(seed).shuffle(calls)
    answers = await asyncio.gather(*(call() for call in calls), return_exceptions=True)
    assert all(isinstance(answer, Model | Error) for answer in answers), answers
    seen = await boss.get_task(GetTaskRequest(task_id=task.task_id))
    entries = (await boss.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    changes = [entry.event for entry in entries if entry.event != "late_answer"]
    assert [event for event in changes if event in ENDS] == [seen.status.value] == changes[-1:]
    assert seen.version == len(changes)
    rows = await world.rows(
        "select subject, (headers::json ->> 'ce-version')::int as version from outbox"
        " where tenant_id = $1 order by seq",
        tenant.id,
    )
    assert [row["version"] for row in rows] == list(range(1, len(changes) + 1))
    assert [row["subject"].rpartition(".")[2] for row in rows] == changes
    completed = [answer for answer in answers if isinstance(answer, Task) and answer.status == "completed"]
    assert {one.version for one in completed} <= {seen.version}
    assert seen.sla is not None
    assert len(seen.sla.performed_steps) == len(set(seen.sla.performed_steps)) == changes.count("reminder_due")
