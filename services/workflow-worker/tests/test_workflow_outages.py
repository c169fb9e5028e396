"""What an outage of Temporal leaves undone is done when it is back."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from orkestra.chassis.tokens import Signer
from orkestra.cli.servers import Temporal
from orkestra.cli.servers import start as start_server
from orkestra.testkit import Schema, eventually, free_port
from orkestra.v1.workflow import (
    CancelWorkflowRequest,
    CreateScheduleRequest,
    DeleteScheduleRequest,
    GetScheduleRequest,
    GetTimelineRequest,
    GetWorkflowRequest,
    GetWorkflowResultRequest,
    QueryWorkflowRequest,
    SignalWorkflowRequest,
    StartWorkflowRequest,
    TerminateWorkflowRequest,
    TriggerScheduleRequest,
    UpdateScheduleRequest,
    UpdateWorkflowRequest,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import Unavailable
from orkestra.workflow_worker.rules import BUILTIN_QUEUE
from temporalio.service import RPCError
from workflow_world import QUESTION, World, running_world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def temporal(tmp_path_factory: object) -> AsyncIterator[Temporal]:
    folder: Path = tmp_path_factory.mktemp("temporal")  # type: ignore[attr-defined]  # pytest's factory has no public type
    server = Temporal(log=folder / "temporal.log", port=free_port(), database=folder / "temporal.db")
    await asyncio.to_thread(start_server, server)
    yield server
    await asyncio.to_thread(server.process.stop)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal: Temporal
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal.address) as world:
        yield world


async def is_started(world: World, run: Workflow) -> bool:
    named = GetWorkflowRequest(workflow_id=run.workflow_id)
    return (await world.client("admin").get_workflow(named)).run_id is not None


async def test_a_start_is_answered_while_temporal_is_dead_and_started_when_it_is_back(
    world: World, temporal: Temporal
) -> None:
    await world.register("patient")
    await asyncio.to_thread(temporal.process.kill)
    began = time.monotonic()
    request = StartWorkflowRequest(definition="patient", input=QUESTION)
    run = await world.client("agent").start_workflow(request)
    assert time.monotonic() - began < 3
    assert (run.status, run.run_id) == (WorkflowStatus.RUNNING, None)
    assert run.notice is not None
    assert "Temporal" in run.notice

    await asyncio.to_thread(start_server, temporal)
    await eventually(lambda: is_started(world, run), timeout=30)
    described = await (await world.temporal()).get_workflow_handle(run.workflow_id).describe()
    assert described.workflow_type == "patient@1"


async def test_a_cancellation_asked_while_temporal_is_dead_reaches_the_run(world: World, temporal: Temporal) -> None:
    async with world.worker("customer_support.workflows"):
        client = world.client("agent")
        run = await client.start_workflow(StartWorkflowRequest(definition="customer-support", input=QUESTION))
        await world.task_of(run)
        await asyncio.to_thread(temporal.process.kill)
        began = time.monotonic()
        asked = await client.cancel_workflow(CancelWorkflowRequest(workflow_id=run.workflow_id), timeout=10)
        assert asked.cancel_requested_at is not None
        assert time.monotonic() - began < 3
        await asyncio.to_thread(start_server, temporal)
        request = GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=45)
        ended = await client.get_workflow_result(request, timeout=50)
    assert ended.status is WorkflowStatus.CANCELLED


async def test_a_run_tells_and_refuses_what_it_can_while_temporal_is_dead(world: World, temporal: Temporal) -> None:
    await world.register("unreachable")
    client = world.client("agent")
    run = await client.start_workflow(StartWorkflowRequest(definition="unreachable", input=QUESTION))
    await asyncio.to_thread(temporal.process.kill)
    began = time.monotonic()
    told = (await client.get_timeline(GetTimelineRequest(workflow_id=run.workflow_id))).entries
    assert [(entry.kind, entry.event) for entry in told] == [("workflow", "started"), ("workflow", "left_out")]
    assert told[1].text.startswith("Temporal cannot be reached")
    request = SignalWorkflowRequest(workflow_id=run.workflow_id, signal="go-on")
    request_id = str(uuid4())
    with pytest.raises(Unavailable) as refusal:
        await client.signal_workflow(request, request_id=request_id, timeout=1.9)
    assert (refusal.value.reason, refusal.value.retry_after) == ("TEMPORAL_UNAVAILABLE", 1.0)
    assert time.monotonic() - began < 5
    for asking in (
        client.query_workflow(QueryWorkflowRequest(workflow_id=run.workflow_id, query="q"), timeout=1.9),
        client.update_workflow(UpdateWorkflowRequest(workflow_id=run.workflow_id, update="u"), timeout=1.9),
        client.terminate_workflow(TerminateWorkflowRequest(workflow_id=run.workflow_id), timeout=1.9),
    ):
        with pytest.raises(Unavailable) as refusal:
            await asking
        assert refusal.value.reason == "TEMPORAL_UNAVAILABLE"

    await asyncio.to_thread(start_server, temporal)

    async def is_heard() -> bool:
        try:
            await client.signal_workflow(request, request_id=request_id)
        except Unavailable:
            return False
        return True

    await eventually(is_heard, timeout=30)


async def test_a_task_asked_for_without_a_run_while_temporal_is_dead_is_adopted_when_it_is_back(
    world: World, temporal: Temporal
) -> None:
    await asyncio.to_thread(temporal.process.kill)
    task = await world.tasks.open_alone(world.tenant_id)
    await world.tasks.publish(task, "created")
    await asyncio.to_thread(start_server, temporal)
    async with world.worker("orkestra.workflow_worker.workflows", task_queue=BUILTIN_QUEUE):
        await eventually(lambda: task.task_id in world.tasks.rung, timeout=30)
        await world.tasks.answer(task.task_id, {"answer": "Yes."})
        await world.confirmations(task, count=1)


async def test_an_answer_given_while_temporal_is_dead_wakes_the_run_when_it_is_back(
    world: World, temporal: Temporal
) -> None:
    async with world.worker("customer_support.workflows"):
        client = world.client("agent")
        run = await client.start_workflow(StartWorkflowRequest(definition="customer-support", input=QUESTION))
        task = await world.task_of(run)
        await asyncio.to_thread(temporal.process.kill)
        await world.tasks.answer(task.task_id, {"answer": "Late but right."})
        await asyncio.to_thread(start_server, temporal)
        request = GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=45)
        ended = await client.get_workflow_result(request, timeout=50)
    assert ended.result == {"answer": "Late but right.", "handled_by": "human"}
    assert await world.events(run.workflow_id) == ["started", "completed"]


async def test_schedules_follow_their_rows_when_temporal_is_back(world: World, temporal: Temporal) -> None:
    await world.register("overnight")
    client = world.client("agent")
    request = CreateScheduleRequest(definition="overnight", input=QUESTION, every="1h")
    gone = await client.create_schedule(request)
    await asyncio.to_thread(temporal.process.kill)
    began = time.monotonic()
    schedule = await client.create_schedule(request, timeout=10)
    assert schedule.notice is not None
    changed = UpdateScheduleRequest(schedule_id=schedule.schedule_id, every="2h")
    await client.update_schedule(changed, timeout=10)
    await client.delete_schedule(DeleteScheduleRequest(schedule_id=gone.schedule_id), timeout=10)
    named = GetScheduleRequest(schedule_id=schedule.schedule_id)
    told = (await client.get_schedule(named)).notice
    assert told is not None
    assert told.startswith("Temporal cannot be reached")
    run = await client.trigger_schedule(TriggerScheduleRequest(schedule_id=schedule.schedule_id), timeout=10)
    assert (run.status, run.run_id) == (WorkflowStatus.RUNNING, None)
    assert time.monotonic() - began < 12

    await asyncio.to_thread(start_server, temporal)

    async def fires_next() -> bool:
        return (await client.get_schedule(named)).next_at is not None

    await eventually(fires_next, timeout=30)
    await eventually(lambda: is_started(world, run), timeout=30)
    engine = await world.temporal()
    described = await engine.get_schedule_handle(schedule.schedule_id).describe()
    assert [one.every for one in described.schedule.spec.intervals] == [timedelta(hours=2)]

    async def forgotten() -> bool:
        return await world.rows("select 1 from workflow.schedules where schedule_id = $1", gone.schedule_id) == []

    await eventually(forgotten, timeout=30)
    with pytest.raises(RPCError):
        await engine.get_schedule_handle(gone.schedule_id).describe()
