"""task-service owns time: what is due happens once, by PostgreSQL's clock, whoever calls."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest
from orkestra.testkit.waiting import eventually
from orkestra.v1.task import (
    AdvanceClockRequest,
    Assignment,
    AssignTaskRequest,
    ClockState,
    CompleteTaskRequest,
    ConfirmWakeUpsRequest,
    DecidedBy,
    EscalateTaskRequest,
    EscalationStep,
    GetTaskHistoryRequest,
    GetTaskRequest,
    Priority,
    SlaEnd,
    SlaPolicy,
    Task,
    TaskStatus,
    UpdateTaskRequest,
    WokenEnd,
)
from orkestra.wire import Error, FailedPrecondition, InvalidArgument, Model, NotFound, PermissionDenied
from task_world import ANSWER, Tenant, World, ask, ask_for_run, world

__all__ = ["world"]

TO_LEVEL_2 = EscalationStep(after="1s", assign_to=Assignment(groups=["support-l2"]), priority=Priority.URGENT)


async def opened(tenant: Tenant, sla: SlaPolicy) -> Task:
    tenant.group("support-l1", "support-l2")
    return await tenant.worker().create_task(ask_for_run(candidate_groups=["support-l1"], sla=sla))


async def clock(tenant: Tenant, task: Task) -> ClockState:
    return await tenant.worker().advance_clock(AdvanceClockRequest(task_id=task.task_id))


async def history(tenant: Tenant, task: Task) -> list[str]:
    auditor = tenant.person("auditor", roles=("auditor",))
    entries = (await auditor.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    return [entry.event for entry in entries]


async def test_it_says_how_long_until_something_is_due(world: World) -> None:
    tenant = world.tenant()
    task = await opened(tenant, SlaPolicy(complete="1h", escalate=[TO_LEVEL_2.model_copy(update={"after": "30m"})]))
    state = await clock(tenant, task)
    assert (state.status, state.version) == (TaskStatus.OPEN, 1)
    assert state.wake_in is not None
    assert timedelta(minutes=29) < state.wake_in <= timedelta(minutes=30)


async def test_it_escalates_and_then_expires_each_once(world: World) -> None:
    tenant = world.tenant()
    task = await opened(tenant, SlaPolicy(complete="2s", escalate=[TO_LEVEL_2]))

    async def escalated() -> bool:
        return (await clock(tenant, task)).version > 1

    await eventually(escalated)
    ben = tenant.person("ben", "support-l2")
    seen = await ben.get_task(GetTaskRequest(task_id=task.task_id))
    assert seen.candidate_groups == ["support-l2"]
    assert seen.priority is Priority.URGENT
    assert seen.sla is not None
    assert (seen.status, seen.sla.escalation_level) == (TaskStatus.OPEN, 1)

    async def expired() -> bool:
        states = await asyncio.gather(*(clock(tenant, task) for _ in range(5)))
        return all(state.status is TaskStatus.EXPIRED for state in states)

    await eventually(expired)
    state = await clock(tenant, task)
    assert (state.wake_in, state.version) == (None, 3)
    assert await history(tenant, task) == ["created", "escalated", "expired"]
    rows = await world.rows("select subject, payload from outbox where tenant_id = $1 order by seq", tenant.id)
    assert [row["subject"].rpartition(".")[2] for row in rows] == ["created", "escalated", "expired"]
    assert b'"group:support-l1"' in rows[1]["payload"]
    assert b'"group:support-l2"' in rows[1]["payload"]


async def test_an_answer_after_the_deadline_is_late_even_if_no_alarm_has_rung(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant, SlaPolicy(complete="1s"))
    await eventually(lambda: is_past(world, task))
    with pytest.raises(FailedPrecondition) as refusal:
        await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert isinstance(refusal.value.current, Task)
    assert refusal.value.current.status is TaskStatus.EXPIRED
    assert await history(tenant, task) == ["created", "expired", "late_answer"]


async def is_past(world: World, task: Task) -> bool:
    [row] = await world.rows("select next_step_at < now() from tasks where task_id = $1", task.task_id)
    return bool(row[0])


async def test_reading_a_task_shows_it_as_its_clock_says(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant, SlaPolicy(complete="1s"))
    await eventually(lambda: is_past(world, task))
    assert (await ana.get_task(GetTaskRequest(task_id=task.task_id))).status is TaskStatus.EXPIRED


async def test_a_claim_after_the_deadline_finds_the_task_expired(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant, SlaPolicy(complete="1s"))
    await eventually(lambda: is_past(world, task))
    with pytest.raises(FailedPrecondition) as refusal:
        await ana.claimed(task)
    assert refusal.value.reason == "TASK_NOT_OPEN"
    assert await history(tenant, task) == ["created", "expired"]


async def test_a_default_becomes_the_result_at_the_end(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    sla = SlaPolicy(complete="1s", at_end=SlaEnd.DEFAULT, default_result=ANSWER)
    task = await opened(tenant, sla)

    async def ended() -> ClockState | None:
        state = await clock(tenant, task)
        return state if state.status is TaskStatus.COMPLETED else None

    state = await eventually(ended)
    assert state is not None
    assert (state.result, state.decided_by, state.completed_by) == (ANSWER, DecidedBy.POLICY, None)
    assert (await ana.get_task(GetTaskRequest(task_id=task.task_id))).result == ANSWER
    rows = await world.rows("select payload from outbox where tenant_id = $1", tenant.id)
    assert all(b"30 days" not in row["payload"] for row in rows)


async def test_the_answer_comes_with_the_clock(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(tenant, SlaPolicy(complete="1h"))
    await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    state = await clock(tenant, task)
    assert (state.status, state.result, state.completed_by) == (TaskStatus.COMPLETED, ANSWER, ana.id)
    assert (state.decided_by, state.wake_in) == (DecidedBy.PERSON, None)


async def test_only_workers_ask_the_clock(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1", roles=("admin",))
    task = await opened(tenant, SlaPolicy(complete="1h"))
    with pytest.raises(PermissionDenied):
        await ana.advance_clock(AdvanceClockRequest(task_id=task.task_id))
    with pytest.raises(PermissionDenied):
        await ana.confirm_wake_ups(woken(task))
    with pytest.raises(NotFound):
        await world.tenant().worker().advance_clock(AdvanceClockRequest(task_id=task.task_id))


def woken(*tasks: Task) -> ConfirmWakeUpsRequest:
    return ConfirmWakeUpsRequest(ends=[WokenEnd(task_id=task.task_id, version=task.version) for task in tasks])


async def test_wake_ups_are_confirmed_together_each_once_and_only_of_an_end_of_the_tenant(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    first, second, live = [await opened(tenant, SlaPolicy(complete="1h")) for _ in range(3)]
    done = [await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER)) for task in (first, second)]
    await tenant.service().confirm_wake_ups(woken(first, live))  # of versions that are no ends
    await world.tenant().service().confirm_wake_ups(woken(*done))

    async def seen(task: Task) -> Task:
        return await ana.get_task(GetTaskRequest(task_id=task.task_id))

    assert [(await seen(task)).woken_at for task in (first, second, live)] == [None, None, None]
    await tenant.service().confirm_wake_ups(woken(*done, live))
    known = [await seen(task) for task in done]
    assert all(task.woken_at for task in known)
    assert [task.version for task in known] == [task.version for task in done]
    assert (await seen(live)).woken_at is None
    await tenant.service().confirm_wake_ups(woken(*done))
    assert [await seen(task) for task in done] == known


async def test_no_more_than_500_wake_ups_are_confirmed_at_once(world: World) -> None:
    ends = [WokenEnd(task_id=f"task_{number}", version=1) for number in range(501)]
    service = world.tenant().service()
    with pytest.raises(InvalidArgument):
        await service.confirm_wake_ups(ConfirmWakeUpsRequest(ends=ends))
    await service.confirm_wake_ups(ConfirmWakeUpsRequest(ends=ends[:500]))  # unknown ones are passed over


@pytest.mark.parametrize("asker", ["run", "agent"])
async def test_an_end_that_nobody_confirmed_is_told_again_until_it_is(world: World, asker: str) -> None:
    tenant = world.tenant()
    tenant.group("support-l1")
    ana = tenant.person("ana", "support-l1")
    if asker == "run":
        task = await tenant.worker().create_task(ask_for_run(candidate_groups=["support-l1"]))
    else:
        task = await tenant.agent().create_task(ask(candidate_groups=["support-l1"]))
    done = await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    age = timedelta(milliseconds=50)

    async def told() -> list[str]:
        rows = await world.rows(
            "select event_id from outbox where tenant_id = $1 and subject like '%.completed'", tenant.id
        )
        return [row["event_id"] for row in rows]

    async def told_again() -> bool:
        await asyncio.gather(world.ends.tell_again(age), world.ends.tell_again(age))
        return len(await told()) >= 3

    await eventually(told_again)
    assert len(set(await told())) == len(await told())
    await tenant.service().confirm_wake_ups(woken(done))
    count = len(await told())
    await world.ends.tell_again(timedelta(0))
    assert len(await told()) == count


@pytest.mark.parametrize("round_", range(4))
async def test_a_step_is_performed_once_however_many_meet_it(world: World, round_: int) -> None:
    tenant = world.tenant()
    ana, boss = tenant.person("ana", "support-l1", "support-l2"), tenant.person("boss", roles=("manager",))
    task = await opened(tenant, SlaPolicy(claim="1h", complete="1h", escalate=[TO_LEVEL_2]))
    await eventually(lambda: is_past(world, task))
    task_id = task.task_id
    worker = tenant.worker()
    calls: list[Callable[[], Coroutine[Any, Any, object]]] = [
        lambda: worker.advance_clock(AdvanceClockRequest(task_id=task_id)),
        lambda: ana.get_task(GetTaskRequest(task_id=task_id)),
        lambda: ana.claimed(task),
        lambda: boss.escalate_task(EscalateTaskRequest(task_id=task_id)),
        lambda: boss.update_task(UpdateTaskRequest(task_id=task_id, add_tags=[f"round {round_}"])),
        lambda: boss.assign_task(AssignTaskRequest(task_id=task_id, candidate_groups=["support-l1"], reason="Ill.")),
    ]
    answers = await asyncio.gather(*(call() for call in calls * 4), return_exceptions=True)
    assert all(isinstance(answer, Model | Error) for answer in answers)
    events = await history(tenant, task)
    assert events.count("escalated") == 1
    assert events[:2] == ["created", "escalated"]
    rows = await world.rows("select subject from outbox where tenant_id = $1 order by seq", tenant.id)
    assert sorted(row["subject"].rpartition(".")[2] for row in rows) == sorted(events)
