"""What a run's code tells on its way, on real servers."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema
from orkestra.v1.events import WorkflowEvent
from orkestra.v1.workflow import (
    Emitted,
    GetWorkflowResultRequest,
    ReportProgressRequest,
    StartWorkflowRequest,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import InvalidArgument, NotFound, PermissionDenied
from workflow_world import QUESTION, World, running_world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


async def told(world: World, run: Workflow, event: str) -> WorkflowEvent:
    [row] = await world.rows(
        "select payload from workflow.outbox where headers->>'ce-subject' = $1 and subject like $2",
        run.workflow_id,
        f"%.workflow.{event}",
    )
    return WorkflowEvent.model_validate_json(row["payload"])


async def test_progress_is_shown_with_the_run_and_what_happened_is_an_event(world: World) -> None:
    async with world.worker("workflow_author"):
        run = await world.client("agent").start_workflow(StartWorkflowRequest(definition="tells", input=QUESTION))
        ended = await world.client("agent").get_workflow_result(
            GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=30), timeout=40
        )
    assert (ended.status, ended.progress) == (WorkflowStatus.COMPLETED, "Half of it is done.")
    assert await world.events(run.workflow_id) == ["started", "progressed", "emitted", "completed"]
    progressed, emitted = await told(world, run, "progressed"), await told(world, run, "emitted")
    assert (progressed.workflow.progress, progressed.emitted) == ("Half of it is done.", None)
    assert emitted.emitted == Emitted(name="order.paid", data={"order": QUESTION["customer_id"]})


async def test_only_a_worker_tells_and_only_what_can_be_told(world: World) -> None:
    await world.register("silent")
    run = await world.client("agent").start_workflow(StartWorkflowRequest(definition="silent", input=QUESTION))
    good = ReportProgressRequest(workflow_id=run.workflow_id, progress="Half.")
    with pytest.raises(PermissionDenied):
        await world.client("agent").report_progress(good)
    wrong = {
        "progress": good.model_copy(update={"progress": "x" * 301}),
        "emitted.name": ReportProgressRequest(workflow_id=run.workflow_id, emitted=Emitted(name="Order paid")),
    }
    for path, request in wrong.items():
        with pytest.raises(InvalidArgument) as refusal:
            await world.client("worker").report_progress(request)
        assert (refusal.value.reason, refusal.value.errors[0].path) == ("PROGRESS_INVALID", path)
    with pytest.raises(NotFound):
        await world.client("worker").report_progress(good.model_copy(update={"workflow_id": "wf_0"}))
