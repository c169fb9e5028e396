"""Ends that task-service hands over: the run goes on before the event, knows the end, and is not woken twice by it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, cast
from uuid import uuid4

import pytest
import pytest_asyncio
from orkestra.chassis.events import Event
from orkestra.chassis.tokens import Signer
from orkestra.sdk.run import WAKE_UP_SIGNAL, WakeUp
from orkestra.testkit import Schema, eventually
from orkestra.v1.events import TaskEvent
from orkestra.v1.task import ClockState, EndedTask, Priority, Task, TaskStatus
from orkestra.v1.workflow import GetWorkflowResultRequest, StartWorkflowRequest, Workflow, WorkflowStatus
from orkestra.wire import Unavailable
from orkestra.workflow_worker.channels import Engine
from orkestra.workflow_worker.consumers import MOST_TOLD, Confirmations, WakeUps
from workflow_world import QUESTION, World, running_world

MODULE = "customer_support.workflows"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


async def asked(world: World) -> tuple[Workflow, Task]:
    run = await world.client("agent").start_workflow(
        StartWorkflowRequest(definition="customer-support", input=QUESTION)
    )
    return run, await world.task_of(run)


async def ended(world: World, run: Workflow) -> Workflow:
    return await world.client("manager").get_workflow_result(
        GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=30), timeout=35.0
    )


async def signals(world: World, run: Workflow) -> int:
    history = await (await world.temporal()).get_workflow_handle(run.workflow_id).fetch_history()
    named = [one.workflow_execution_signaled_event_attributes.signal_name for one in history.events]
    return named.count(WAKE_UP_SIGNAL)


async def test_a_run_goes_on_by_what_is_handed_over_and_asks_nobody(world: World) -> None:
    async with world.worker(MODULE):
        run, task = await asked(world)
        done = await world.tasks.hand_over(task.task_id, {"answer": "At once.", "sentiment": "neutral"})
        over = await ended(world, run)
        assert (over.status, over.result) == (WorkflowStatus.COMPLETED, {"answer": "At once.", "handled_by": "human"})
        assert task.task_id not in world.tasks.rung
        await world.tasks.publish(done, "completed")
        await world.confirmations(task, count=1)
    assert await signals(world, run) == 1
    assert await world.events(run.workflow_id) == ["started", "completed"]


async def test_where_the_event_comes_first_it_wakes_and_what_is_handed_over_does_not(world: World) -> None:
    async with world.worker(MODULE):
        run, task = await asked(world)
    await world.tasks.answer(task.task_id, {"answer": "By event.", "sentiment": "neutral"})
    await world.confirmations(task, count=1)
    assert await signals(world, run) == 1
    known = world.tasks.tasks[task.task_id]
    world.tasks.tasks[task.task_id] = task  # so that the same version ends it
    assert (await world.tasks.hand_over(task.task_id, {"answer": "Late."})).version == known.version
    await eventually(world.tasks.handed.empty)
    world.tasks.tasks[task.task_id] = known
    async with world.worker(MODULE):
        over = await ended(world, run)
    assert over.result == {"answer": "By event.", "handled_by": "human"}
    assert await signals(world, run) == 1


async def test_of_a_large_end_the_run_is_told_and_asks_for_it(world: World) -> None:
    async with world.worker(MODULE):
        run, task = await asked(world)
        answer = "x" * (MOST_TOLD + 1)
        await world.tasks.hand_over(task.task_id, {"answer": answer, "sentiment": "neutral"})
        over = await ended(world, run)
    assert over.result == {"answer": answer, "handled_by": "human"}
    assert world.tasks.rung.count(task.task_id) == 1


class Temporal:
    """Is told of wake-ups when a test lets it, and takes them or is away."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.is_away = False
        self.told: list[str] = []

    async def wake_up(self, workflow_id: str, signal: WakeUp, *, tenant_id: str, request_id: str) -> bool:
        await self.gate.wait()
        if self.is_away:
            raise Unavailable("TEMPORAL_UNAVAILABLE", "Temporal cannot be reached.")
        self.told.append("with its state" if signal.state is not None else "by event")
        return True


def event_of(end: EndedTask, event_id: str) -> Event:
    now = datetime.now(UTC)
    task = Task(
        task_id=end.state.task_id,
        tenant_id=end.tenant_id,
        workflow_id=end.workflow_id,
        title="Help",
        priority=Priority.NORMAL,
        status=end.state.status,
        version=end.state.version,
        revision=1,
        created_at=now,
        updated_at=now,
    )
    data = TaskEvent(task=task, audience=["all"]).model_dump_json(exclude_none=True).encode()
    return Event(event_id, end.tenant_id, "task", "completed", task.task_id, task.version, now, data, {})


@pytest.mark.parametrize("is_away", [False, True])
async def test_the_event_waits_for_what_is_being_told_and_makes_up_for_what_failed(is_away: bool) -> None:
    temporal = Temporal()
    nothing: Any = None
    confirmations = Confirmations(nothing, nothing)
    wake_ups = WakeUps(cast(Engine, temporal), nothing, nothing, nothing, confirmations)
    state = ClockState(task_id="task_1", status=TaskStatus.COMPLETED, version=2, result={"answer": "Yes."})
    end = EndedTask(tenant_id=str(uuid4()), workflow_id="wf_1", state=state)
    temporal.is_away = is_away
    handed = asyncio.create_task(wake_ups.wake_at_once(end))
    await asyncio.sleep(0)
    event = asyncio.create_task(wake_ups.take(event_of(end, "first")))
    await asyncio.sleep(0.05)
    assert not event.done()
    temporal.gate.set()
    if is_away:
        with pytest.raises(Unavailable):
            await handed
        with pytest.raises(Unavailable):  # given back to JetStream, as ever
            await event
        temporal.is_away = False
        await wake_ups.take(event_of(end, "first"))
        assert temporal.told == ["by event"]
    else:
        await asyncio.gather(handed, event)
        assert temporal.told == ["with its state"]
    await wake_ups.take(event_of(end, "told again"))
    assert temporal.told[1:] == ["by event"]
