"""Runs are taken back to an earlier step: once, by those who may, and with what people have answered."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
import pytest_asyncio
import workflow_author
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema, eventually
from orkestra.v1.workflow import (
    CancelWorkflowRequest,
    GetWorkflowResultRequest,
    ResetPoint,
    ResetWorkflowRequest,
    StartWorkflowRequest,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import AlreadyExists, FailedPrecondition, NotFound, PermissionDenied
from workflow_world import QUESTION, World, running_world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


def start(definition: str, **given: object) -> StartWorkflowRequest:
    return StartWorkflowRequest.model_validate({"definition": definition, "input": QUESTION, **given})


async def end(world: World, run: Workflow) -> Workflow:
    client = world.client("agent")

    async def ended() -> Workflow | None:
        asked = GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=20)
        now = await client.get_workflow_result(asked, timeout=30)
        return None if now.status is WorkflowStatus.RUNNING else now

    return await eventually(ended, timeout=60)


async def failed_payment(world: World) -> Workflow:
    """A run that has an answer, and then has failed at a bank that was closed."""
    workflow_author.BANKS["is_open"] = False
    run = await world.client("agent").start_workflow(start("pays"), request_id=uuid4().hex, timeout=30)
    task = await world.task_of(run)
    await world.tasks.answer(task.task_id, {"answer": "Yes."})
    ended = await end(world, run)
    assert ended.failure is not None
    assert (ended.status, ended.failure.type) == (WorkflowStatus.FAILED, "BANK_CLOSED")
    workflow_author.BANKS["is_open"] = True
    return ended


async def test_a_failed_run_goes_on_from_before_its_first_step_once_for_one_request_id(world: World) -> None:
    async with world.worker("workflow_author"):
        run = await failed_payment(world)
        request = ResetWorkflowRequest(workflow_id=run.workflow_id, point=ResetPoint.FIRST_STEP, reason="It is open.")
        again = [await world.client("agent").reset_workflow(request, request_id="once", timeout=30) for _ in range(2)]
        assert again[0] == again[1]
        assert (again[0].status, again[0].closed_at, again[0].failure) == (WorkflowStatus.RUNNING, None, None)
        assert again[0].run_id != run.run_id

        def asked_again() -> bool:
            return len([one for one in world.tasks.tasks.values() if one.workflow_id == run.workflow_id]) == 2

        await eventually(asked_again)
        second = [one for one in world.tasks.tasks.values() if one.workflow_id == run.workflow_id][1]
        await world.tasks.answer(second.task_id, {"answer": "Still yes."})
        ended = await end(world, run)
    assert (ended.status, ended.result) == (WorkflowStatus.COMPLETED, "Still yes. paid")
    assert await world.events(run.workflow_id) == ["started", "failed", "reset", "completed"]


async def test_a_running_run_is_taken_back_before_its_last_step_and_keeps_its_answers(world: World) -> None:
    async with world.worker("workflow_author"):
        client = world.client("agent")
        run = await client.start_workflow(start("busy"), request_id=uuid4().hex, timeout=30)
        task = await world.task_of(run)
        again = await client.reset_workflow(ResetWorkflowRequest(workflow_id=run.workflow_id), timeout=30)
        assert (again.status, again.run_id != run.run_id) == (WorkflowStatus.RUNNING, True)

        def live() -> list[str]:
            mine = [one for one in world.tasks.tasks.values() if one.workflow_id == run.workflow_id]
            return [one.task_id for one in mine if one.task_id != task.task_id]

        async def is_done() -> bool:
            for task_id in {task.task_id, *live()}:
                await world.tasks.answer(task_id, {"answer": "Yes."})
            asked = GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=2)
            return (await client.get_workflow_result(asked, timeout=30)).status is WorkflowStatus.COMPLETED

        await eventually(is_done, timeout=60)


async def test_a_repeated_cancel_leaves_alone_a_run_that_was_taken_back_since(world: World) -> None:
    async with world.worker("workflow_author"):
        client, key = world.client("agent"), uuid4().hex
        run = await client.start_workflow(start("answers-back"), request_id=uuid4().hex, timeout=30)
        task = await world.task_of(run)
        cancel = CancelWorkflowRequest(workflow_id=run.workflow_id, reason="not now")
        first = await client.cancel_workflow(cancel, request_id=key, timeout=30)
        assert (await end(world, run)).status is WorkflowStatus.CANCELLED
        back = ResetWorkflowRequest(workflow_id=run.workflow_id, point=ResetPoint.FIRST_STEP)
        await client.reset_workflow(back, timeout=30)
        assert await client.cancel_workflow(cancel, request_id=key, timeout=30) == first

        def asked_again() -> list[str]:
            mine = [one.task_id for one in world.tasks.tasks.values() if one.workflow_id == run.workflow_id]
            return [task_id for task_id in mine if task_id != task.task_id]

        [second] = await eventually(asked_again)
        await world.tasks.answer(second, {"answer": "Yes."})
        assert (await end(world, run)).result == "Yes."


async def test_only_who_may_end_a_run_takes_it_back_and_nothing_that_made_no_step(world: World) -> None:
    await world.register("still")
    client = world.client("agent")
    run = await client.start_workflow(start("still"))
    request = ResetWorkflowRequest(workflow_id=run.workflow_id)
    with pytest.raises(FailedPrecondition) as impossible:
        await client.reset_workflow(request, timeout=30)
    assert impossible.value.reason == "RESET_IMPOSSIBLE"
    for stranger in (world.client("admin", tenant_id=str(uuid4())), world.client("member", subject="user_other")):
        with pytest.raises(NotFound):
            await stranger.reset_workflow(request)
    with pytest.raises(PermissionDenied):
        await world.client("auditor", subject="user_aud").reset_workflow(request)


async def test_a_run_whose_business_id_has_another_run_by_now_stays_ended(world: World) -> None:
    async with world.worker("workflow_author"):
        client, case = world.client("agent"), uuid4().hex
        first = await client.start_workflow(start("tells", business_id=case), request_id=uuid4().hex, timeout=30)
        await end(world, first)
        await world.register("keeps-the-id")
        await client.start_workflow(start("keeps-the-id", business_id=case), request_id=uuid4().hex, timeout=30)
        with pytest.raises(AlreadyExists) as taken:
            await client.reset_workflow(ResetWorkflowRequest(workflow_id=first.workflow_id), timeout=30)
    assert taken.value.reason == "BUSINESS_ID_TAKEN"
    assert (await end(world, first)).status is WorkflowStatus.COMPLETED
