"""Histories that grow long are continued as new, and to everybody else it is the same run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from orkestra.chassis.tokens import Signer
from orkestra.cli.servers import Temporal
from orkestra.cli.servers import start as start_server
from orkestra.testkit import Schema, eventually, free_port
from orkestra.v1.task import Task
from orkestra.v1.workflow import (
    GetTimelineRequest,
    GetWorkflowResultRequest,
    SignalWorkflowRequest,
    StartWorkflowRequest,
    WorkflowStatus,
)
from orkestra.workflow_worker.rules import BUILTIN_QUEUE
from temporalio.client import WorkflowExecutionStatus, WorkflowUpdateStage
from temporalio.service import RPCError
from workflow_world import QUESTION, World, running_world

LONG = "limit.historyCount.suggestContinueAsNew=30"
"""Temporal itself suggests it at 4096 events."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def temporal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Temporal]:
    server = Temporal(log=tmp_path_factory.mktemp("temporal") / "temporal.log", port=free_port())
    server.process.command += ["--dynamic-config-value", LONG]
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


async def test_a_loop_goes_on_in_a_new_history_with_its_task_and_its_timeline(world: World) -> None:
    client = world.client("agent")
    async with world.worker("workflow_author"):
        counting = QUESTION | {"conversation_id": "0", "customer_id": "25"}
        run = await client.start_workflow(StartWorkflowRequest(definition="counts-on", input=counting))
        task = await world.task_of(run)
        tick = SignalWorkflowRequest(workflow_id=run.workflow_id, signal="tick", payload="t")
        for number in range(25):
            await client.signal_workflow(tick, request_id=f"{run.workflow_id}-{number}", timeout=30)
        handle = (await world.temporal()).get_workflow_handle(run.workflow_id)

        async def is_another() -> bool:
            return (await handle.describe()).run_id != run.run_id

        await eventually(is_another)
        await world.tasks.answer(task.task_id, {"answer": "Yes."})
        asked = GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=30)
        ended = await client.get_workflow_result(asked, timeout=35)
    assert (ended.status, ended.result) == (WorkflowStatus.COMPLETED, "25 Yes.")
    assert [one.title for one in world.tasks.tasks.values() if one.workflow_id == run.workflow_id] == ["Beside"]
    told = (await client.get_timeline(GetTimelineRequest(workflow_id=run.workflow_id))).entries
    assert sum(entry.text == "The signal tick came." for entry in told) == 25
    assert any(entry.event == "continued" for entry in told)


async def test_an_update_that_is_being_answered_is_not_lost_with_a_history_that_is_long(world: World) -> None:
    client = world.client("agent")
    async with world.worker("workflow_author"):
        run = await client.start_workflow(StartWorkflowRequest(definition="hears-out", input=QUESTION))
        whole = (await world.temporal()).get_workflow_handle(run.workflow_id, result_type=str)
        first = (await world.temporal()).get_workflow_handle(run.workflow_id, run_id=(await whole.describe()).run_id)
        thinking = await whole.start_update("think", "Well,", wait_for_stage=WorkflowUpdateStage.ACCEPTED)

        async def is_long() -> bool:
            return bool(await first.query("stage") == "long")

        await eventually(is_long, timeout=60)
        assert (await first.describe()).status is WorkflowExecutionStatus.RUNNING
        await first.signal("tell", "yes")
        assert await thinking.result() == "Well, yes"
        assert await whole.result() == "went on"


async def test_a_run_may_wait_for_more_tasks_than_it_can_ask_for_at_once(world: World) -> None:
    client, count = world.client("agent"), 150
    async with world.worker("workflow_author"):
        many = QUESTION | {"customer_id": str(count)}
        request = StartWorkflowRequest(definition="asks-many", input=many)
        run = await client.start_workflow(request, request_id=uuid4().hex, timeout=30)

        def mine() -> list[Task]:
            return [one for one in world.tasks.tasks.values() if one.workflow_id == run.workflow_id]

        await eventually(lambda: len(mine()) == count, timeout=60)
        for task in mine():
            await world.tasks.answer(task.task_id, {"answer": task.title})
        asked = GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=20)

        async def has_ended() -> bool:
            ended = await client.get_workflow_result(asked, timeout=30)
            return bool(ended.result == [f"Item {number}" for number in range(count)])

        await eventually(has_ended, timeout=80)


async def test_the_clock_of_a_task_without_a_workflow_rings_on_in_a_new_history(world: World) -> None:
    task = await world.tasks.open_alone(world.tenant_id)
    handle = (await world.temporal()).get_workflow_handle(task.task_id)
    async with world.worker("orkestra.workflow_worker.workflows", task_queue=BUILTIN_QUEUE):

        async def goes_on() -> bool:
            try:
                now = (await handle.describe()).raw_description.workflow_execution_info
            except RPCError:  # the event is on its way
                return False
            return now.execution.run_id != now.first_run_id and world.tasks.rung.count(task.task_id) > 15

        with world.tasks.ringing(timedelta(milliseconds=20)):
            await world.tasks.publish(task, "created")
            await eventually(goes_on, timeout=60)
            assert (await handle.describe()).history_length < 60
        await world.tasks.answer(task.task_id, {"answer": "Yes."})

        async def is_completed() -> bool:
            return (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED

        await eventually(is_completed)
    await world.confirmations(task, count=1)
