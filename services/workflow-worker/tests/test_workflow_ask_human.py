"""The built-in workflow adopts tasks that were asked for without one."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
import pytest_asyncio
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema, eventually
from orkestra.v1.task import Task, TaskStatus
from orkestra.v1.workflow import ListDefinitionsRequest, ListWorkflowsRequest
from orkestra.workflow_worker.rules import ASK_HUMAN, BUILTIN_QUEUE
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError
from workflow_world import World, running_world

BUILTIN = "orkestra.workflow_worker.workflows"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


async def status(world: World, task: Task) -> WorkflowExecutionStatus | None:
    """Where the workflow of a task stands; None where there is none."""
    try:
        described = await (await world.temporal()).get_workflow_handle(task.task_id).describe()
    except RPCError:
        return None
    assert described.workflow_type == ASK_HUMAN
    return described.status


async def ended(world: World, task: Task) -> None:
    async def is_completed() -> bool:
        return await status(world, task) is WorkflowExecutionStatus.COMPLETED

    await eventually(is_completed, timeout=60)


async def test_a_task_without_a_run_is_adopted_its_clock_rings_and_its_end_is_confirmed(world: World) -> None:
    task = await world.tasks.open_alone(world.tenant_id)
    async with world.worker(BUILTIN, task_queue=BUILTIN_QUEUE):
        with world.tasks.ringing(timedelta(milliseconds=200)):
            await world.tasks.publish(task, "created")
            await eventually(lambda: world.tasks.rung.count(task.task_id) >= 3, timeout=60)
            assert await status(world, task) is WorkflowExecutionStatus.RUNNING
        await world.tasks.answer(task.task_id, {"answer": "Yes."})
        await world.confirmations(task, count=1)
        await ended(world, task)
    assert (await world.client("admin").list_workflows(ListWorkflowsRequest())).workflows == []
    known = (await world.client("admin").list_definitions(ListDefinitionsRequest())).definitions
    assert ASK_HUMAN not in {definition.name for definition in known}


@pytest.mark.parametrize("order", [["completed", "created"], ["created", "created", "completed", "completed"]])
async def test_the_order_and_the_number_of_events_do_not_matter(world: World, order: list[str]) -> None:
    opened = await world.tasks.open_alone(world.tenant_id)
    done = opened.model_copy(update={"status": TaskStatus.COMPLETED, "version": 2})
    world.tasks.tasks[opened.task_id] = done
    async with world.worker(BUILTIN, task_queue=BUILTIN_QUEUE):
        for event in order:
            await world.tasks.publish(done if event == "completed" else opened, event)
        await world.confirmations(opened, count=order.count("completed"))
        await ended(world, opened)
        before = world.tasks.rung.count(opened.task_id)  # the queue is also that of tasks that other tests left open
        await world.tasks.publish(done, "completed")
        await world.confirmations(opened, count=order.count("completed") + 1)
    assert world.tasks.rung.count(opened.task_id) == before


async def test_a_task_of_a_run_is_not_adopted(world: World) -> None:
    opened = await world.tasks.open_alone(world.tenant_id)
    task = opened.model_copy(update={"workflow_id": "wf_" + "0" * 32})
    world.tasks.tasks[task.task_id] = task
    await world.tasks.publish(task, "created")
    await world.tasks.change(task.task_id, "completed", status=TaskStatus.COMPLETED)
    await world.confirmations(task, count=1)
    assert await status(world, task) is None
