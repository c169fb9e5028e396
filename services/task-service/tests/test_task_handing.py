"""Ends are handed over at once to one of those who wait, and what is handed over is what the clock would say."""

import asyncio
import time
from typing import Any

import pytest
from orkestra.chassis.drain import Drain
from orkestra.task_service.operations import fresh
from orkestra.task_service.operations.fresh import FreshEnds
from orkestra.testkit.waiting import eventually
from orkestra.v1.task import (
    Action,
    AdvanceClockRequest,
    ApprovalPolicy,
    AwaitEndsRequest,
    CancelTaskRequest,
    ClockState,
    CompleteTaskRequest,
    EndedTask,
    Task,
    TaskContext,
    TaskStatus,
    VoteChoice,
    VoteTaskRequest,
)
from orkestra.wire import FailedPrecondition, InvalidArgument, PermissionDenied
from task_world import ANSWER, Caller, Tenant, World, ask, ask_for_run, world

__all__ = ["world"]

ACTION = Action(name="refund", args={"amount": "80.00"})
SOON = 0.3
"""Seconds in which what was committed before would have been handed over."""


async def opened(tenant: Tenant, **fields: Any) -> Task:
    if (tenant.id, "support-l1") not in tenant.world.identity.groups:
        tenant.group("support-l1")
    return await tenant.worker().create_task(ask_for_run(candidate_groups=["support-l1"], **fields))


async def handed(tenant: Tenant, wait: int = 20) -> list[EndedTask]:
    return (await tenant.service().await_ends(AwaitEndsRequest(wait=wait), timeout=wait + 10.0)).ends


async def waiting(tenant: Tenant, count: int = 1) -> list["asyncio.Task[list[EndedTask]]"]:
    """Callers that wait, with nothing left of what earlier tests ended."""
    while await handed(tenant, 0):
        pass
    callers = [asyncio.create_task(handed(tenant)) for _ in range(count)]
    known = tenant.world.operations.fresh_ends
    await eventually(lambda: len(known._waiting) >= count)
    return callers


async def complete(person: Caller, task: Task) -> Task:
    return await person.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))


async def test_an_answer_is_handed_over_as_the_clock_tells_it(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await opened(
        tenant, draft={"answer": {"value": "Proposed."}}, context=TaskContext(summary="A broken cup", action=ACTION)
    )
    [caller] = await waiting(tenant)
    await complete(ana, task)
    [end] = await caller
    assert (end.tenant_id, end.workflow_id) == (tenant.id, task.workflow_id)
    told = await tenant.worker().advance_clock(AdvanceClockRequest(task_id=task.task_id))
    assert end.state == told
    assert (told.status, told.result, told.completed_by) == (TaskStatus.COMPLETED, ANSWER, ana.id)
    assert told.receipt is not None
    assert told.provenance is not None


async def test_the_vote_that_decides_is_handed_over_and_those_before_it_are_not(world: World) -> None:
    tenant = world.tenant()
    voters = [tenant.person(name, "support-l1") for name in ("ana", "ben")]
    task = await opened(tenant, approval_policy=ApprovalPolicy(required=2))
    [caller] = await waiting(tenant)
    vote = VoteTaskRequest(task_id=task.task_id, choice=VoteChoice.APPROVE, data=ANSWER, revision=1)
    await voters[0].vote_task(vote)
    await asyncio.sleep(SOON)
    assert not caller.done()
    await voters[1].vote_task(vote)
    [end] = await caller
    assert (end.state.status, end.state.outcome) == (TaskStatus.COMPLETED, "approve")


async def test_one_of_two_callers_is_given_an_end_and_both_are_given_one_each(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    tasks = [await opened(tenant) for _ in range(2)]
    callers = await waiting(tenant, 2)
    await complete(ana, tasks[0])
    await asyncio.sleep(SOON)
    assert sum(caller.done() for caller in callers) == 1
    await complete(ana, tasks[1])
    ends = [end for caller in callers for end in await caller]
    assert {end.state.task_id for end in ends} == {task.task_id for task in tasks}
    assert len(ends) == 2


async def test_what_ends_no_task_of_a_run_by_an_answer_is_handed_to_nobody(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    over, refused = await opened(tenant), await opened(tenant)
    alone = await tenant.system().create_task(ask(candidate_groups=["support-l1"]))
    await complete(ana, over)
    [caller] = await waiting(tenant)
    await complete(ana, alone)
    with pytest.raises(FailedPrecondition):
        await complete(ana, over)
    with pytest.raises(InvalidArgument):
        await ana.complete_task(CompleteTaskRequest(task_id=refused.task_id, data={"answer": 7}))
    await tenant.worker().cancel_task(CancelTaskRequest(task_id=refused.task_id))
    await asyncio.sleep(SOON)
    assert not caller.done()
    last = await opened(tenant)
    await complete(ana, last)
    assert [end.state.task_id for end in await caller] == [last.task_id]


async def test_only_the_installations_services_hear_of_ends(world: World) -> None:
    tenant = world.tenant()
    others = [tenant.worker(), tenant.system(), tenant.agent(), tenant.person("boss", roles=("admin",))]
    for other in others:
        with pytest.raises(PermissionDenied):
            await other.await_ends(AwaitEndsRequest(wait=0))
    for wait in (-1, 51):
        with pytest.raises(InvalidArgument) as refused:
            await tenant.service().await_ends(AwaitEndsRequest(wait=wait))
        assert refused.value.errors[0].path == "wait"
    assert await handed(tenant, 1) == []


def end(number: int) -> EndedTask:
    state = ClockState(task_id=f"task_{number}", status=TaskStatus.COMPLETED, version=2)
    return EndedTask(tenant_id="tenant", workflow_id="wf_1", state=state)


async def test_nothing_is_kept_for_nobody_nor_for_long_nor_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = FreshEnds(Drain())
    ends.add(end(1))
    assert await ends.take(0) == []  # nobody had asked
    ends.add(end(2))
    assert await ends.take(0) == [end(2)]  # between two questions
    for number in range(2 * fresh.MOST_KEPT):
        ends.add(end(number))
    parts = [await ends.take(0) for _ in range(20)]
    assert [len(part) for part in parts if part] == [fresh.AT_ONCE] * (fresh.MOST_KEPT // fresh.AT_ONCE)
    ends.add(end(3))
    monkeypatch.setattr(fresh, "KEPT_SECONDS", -1.0)
    assert await ends.take(0) == []


async def test_who_went_away_is_given_nothing_and_a_drain_answers_at_once() -> None:
    drain = Drain()
    ends = FreshEnds(drain)
    gone, stays = asyncio.create_task(ends.take(30)), asyncio.create_task(ends.take(30))
    await asyncio.sleep(0.01)
    gone.cancel()
    ends.add(end(1))
    assert await stays == [end(1)]
    began = time.monotonic()
    last = asyncio.create_task(ends.take(30))
    await asyncio.sleep(0.01)
    drain.begin()
    assert await last == []
    assert time.monotonic() - began < 15
