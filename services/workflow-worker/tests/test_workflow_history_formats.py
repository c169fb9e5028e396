"""Histories of runs: a definition's version keeps the format of the SDK that registered it first."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
import pytest_asyncio
from orkestra.chassis.database import Database
from orkestra.chassis.tokens import Signer
from orkestra.sdk.header import HEADER, HISTORY_FORMAT, RunHeader
from orkestra.testkit import Schema
from orkestra.v1.workflow import (
    GetDefinitionRequest,
    GetWorkflowResultRequest,
    StartWorkflowRequest,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import FailedPrecondition
from orkestra.workflow_worker.channels import Engine
from orkestra.workflow_worker.rules import Start
from orkestra.workflow_worker.workflows import Sweeps
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowHistory
from workflow_world import QUESTION, World, running_world

MODULE, NAME = "customer_support.workflows", "customer-support"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


class Watched(Engine):
    """Temporal, with a note of what was started."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.started: list[Start] = []

    async def start(self, start: Start) -> str:
        self.started.append(start)
        return await super().start(start)


async def as_admin(world: World, statement: str) -> None:
    conn = await asyncpg.connect(world.schema.admin_url)
    try:
        await conn.execute(statement)
    finally:
        await conn.close()


async def answered(world: World) -> tuple[Workflow, WorkflowHistory]:
    run = await world.client("agent").start_workflow(StartWorkflowRequest(definition=NAME, input=QUESTION))
    task = await world.task_of(run)
    await world.tasks.hand_over(task.task_id, {"answer": "Soon.", "sentiment": "neutral"})
    over = await world.client("manager").get_workflow_result(
        GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=30), timeout=35.0
    )
    assert (over.status, over.result) == (WorkflowStatus.COMPLETED, {"answer": "Soon.", "handled_by": "human"})
    assert task.task_id not in world.tasks.rung
    return over, await (await world.temporal()).get_workflow_handle(run.workflow_id).fetch_history()


def header(history: WorkflowHistory) -> RunHeader:
    fields = history.events[0].workflow_execution_started_event_attributes.header.fields
    return RunHeader.model_validate_json(fields[HEADER].data)


def markers(history: WorkflowHistory) -> int:
    return [event.event_type for event in history.events].count(EventType.EVENT_TYPE_MARKER_RECORDED)


async def test_a_run_takes_the_end_that_came_with_its_signal(world: World) -> None:
    async with world.worker(MODULE):
        _, history = await answered(world)
    known = await world.client("member").get_definition(GetDefinitionRequest(name=NAME))
    assert known.history_format == header(history).history_format == HISTORY_FORMAT
    assert markers(history) == 1  # the task is opened


async def test_of_a_version_that_an_older_sdk_registered_any_worker_can_go_on_with_the_runs(world: World) -> None:
    async with world.worker(MODULE):
        pass
    await as_admin(world, f"update workflow.definitions set history_format = 1 where name = '{NAME}'")
    async with world.worker(MODULE):  # registers it again
        _, history = await answered(world)
    assert header(history).history_format == 1
    assert markers(history) == 2  # the task is opened, and the end takes the step that asks for it


async def test_an_older_sdk_does_not_take_over_what_it_cannot_go_on_with(world: World) -> None:
    given = await world.register("newly-made", history_format=HISTORY_FORMAT, description="as it was")
    with pytest.raises(FailedPrecondition) as refusal:
        await world.register("newly-made", description="by an older SDK")
    assert refusal.value.reason == "SDK_TOO_OLD"
    assert "update orkestra-sdk, or give the definition a new version" in refusal.value.message
    client = world.client("member")
    assert (await client.get_definition(GetDefinitionRequest(name="newly-made"))).description == given.description
    await world.register("newly-made", version=2)
    again = await world.register("newly-made", version=2, history_format=HISTORY_FORMAT)
    assert again.history_format == HISTORY_FORMAT
    kept = await client.get_definition(GetDefinitionRequest(name="newly-made", version=2))
    assert kept.history_format == 1


async def test_a_run_that_the_sweep_starts_has_the_format_of_its_definition(world: World) -> None:
    await world.register("late-made", history_format=HISTORY_FORMAT)
    run = await world.client("agent").start_workflow(StartWorkflowRequest(definition="late-made", input=QUESTION))
    await as_admin(world, "update workflow.runs set run_id = null, started_at = now() - interval '1 minute'")
    engine = Watched(await world.temporal())
    app, sweep = [await Database.connect(world.schema.url(role), schema="workflow") for role in ("app", "sweep")]
    try:
        await Sweeps(app, sweep, engine).once()
    finally:
        await app.close()
        await sweep.close()
    begun = {start.header.workflow_id: start.header.history_format for start in engine.started}
    assert begun[run.workflow_id] == HISTORY_FORMAT
