"""Which events of a task wake the workflow behind it: each that moves what its alarm is set for."""

from datetime import UTC, datetime
from typing import Any

import pytest
from orkestra.v1.task import EscalationStep, Priority, Sla, SlaClock, SlaPolicy, Task, TaskStatus
from orkestra.workflow_worker.rules import wakes

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
REMIND = EscalationStep(after="5m", remind=True)


def task(**sla: Any) -> Task:
    return Task(
        task_id="task_1",
        tenant_id="0198a1b2-0000-7000-8000-000000000001",
        workflow_id="wf_1",
        title="Help",
        priority=Priority.NORMAL,
        status=TaskStatus.OPEN,
        version=1,
        revision=1,
        created_at=NOW,
        updated_at=NOW,
        sla=Sla(breached=False, escalation_level=0, **{"policy": SlaPolicy(complete="1h"), **sla}),
    )


@pytest.mark.parametrize("event", ["claimed", "released"])
@pytest.mark.parametrize(
    ("sla", "is_woken"),
    [
        ({}, False),
        ({"claim_by": NOW}, True),
        ({"policy": SlaPolicy(complete="1h", escalate=[REMIND])}, False),
        ({"policy": SlaPolicy(escalate=[REMIND.model_copy(update={"clock": SlaClock.CLAIM})])}, True),
    ],
)
def test_claiming_and_releasing_wake_where_the_time_to_claim_is_measured(
    event: str, sla: dict[str, Any], is_woken: bool
) -> None:
    assert wakes(event, task(**sla)) == is_woken


@pytest.mark.parametrize("event", ["completed", "cancelled", "expired"])
def test_every_end_wakes(event: str) -> None:
    assert wakes(event, task())


@pytest.mark.parametrize("event", ["commented", "mentioned", "draft_saved", "voted", "reminder_due", "attached"])
def test_what_moves_no_deadline_wakes_nobody(event: str) -> None:
    assert not wakes(event, task())


def test_a_task_that_is_opened_wakes_the_built_in_workflow_where_it_has_none_of_its_own() -> None:
    assert not wakes("created", task())
    assert wakes("created", task().model_copy(update={"workflow_id": None}))


@pytest.mark.parametrize(
    "event", ["assigned", "delegated", "updated", "escalated", "changes_requested", "answered", "submitted", "undone"]
)
def test_whatever_moves_a_deadline_wakes(event: str) -> None:
    assert wakes(event, task())
