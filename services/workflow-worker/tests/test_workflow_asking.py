"""What runs are asked while the caller waits, their end by force, how they are found, and ends that nobody reports."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from orkestra.chassis.database import Database
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema, eventually
from orkestra.v1.task import Task, TaskStatus
from orkestra.v1.workflow import (
    BusinessIdPolicy,
    GetTimelineRequest,
    GetWorkflowRequest,
    GetWorkflowResultRequest,
    ListDefinitionsRequest,
    ListWorkflowsRequest,
    QueryWorkflowRequest,
    ReportEndRequest,
    StartWorkflowRequest,
    TerminateWorkflowRequest,
    UpdateWorkflowRequest,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import (
    AlreadyExists,
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    TooLarge,
    Unavailable,
)
from orkestra.workflow_worker.channels import Engine
from orkestra.workflow_worker.operations import start_of
from orkestra.workflow_worker.workflows import Sweeps
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DeleteWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError
from workflow_world import QUESTION, World, running_world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


def start(definition: str, **changes: object) -> StartWorkflowRequest:
    return StartWorkflowRequest.model_validate({"definition": definition, "input": QUESTION} | changes)


def query(run: Workflow, name: str = "count", payload: object = None) -> QueryWorkflowRequest:
    return QueryWorkflowRequest(workflow_id=run.workflow_id, query=name, payload=payload)


def update(run: Workflow, more: object, name: str = "add") -> UpdateWorkflowRequest:
    return UpdateWorkflowRequest(workflow_id=run.workflow_id, update=name, payload=more)


async def result(world: World, run: Workflow, *, wait: int = 30) -> Workflow:
    request = GetWorkflowResultRequest(workflow_id=run.workflow_id, wait=wait)
    return await world.client("manager").get_workflow_result(request, timeout=wait + 5.0)


async def test_a_run_answers_queries_and_takes_each_update_once(world: World) -> None:
    client = world.client("agent")
    async with world.worker("workflow_author"):
        run = await client.start_workflow(start("counts"))
        assert (await client.query_workflow(query(run), timeout=20)).result == 0
        request_id = str(uuid4())
        for _ in range(2):
            assert (await client.update_workflow(update(run, 3), request_id=request_id, timeout=20)).result == 3
        with pytest.raises(InvalidArgument):
            await client.update_workflow(update(run, 4), request_id=request_id)
        assert (await client.query_workflow(query(run), timeout=20)).result == 3
        assert (await client.update_workflow(update(run, 2), timeout=20)).result == 5
        ended = await result(world, run)
        assert ended.result == 5
        assert (await client.query_workflow(query(run), timeout=20)).result == 5
        again = await client.update_workflow(update(run, 3), request_id=request_id, timeout=20)
        assert again.result == 3
    with pytest.raises(FailedPrecondition) as refusal:
        await client.update_workflow(update(run, 1))
    assert refusal.value.reason == "WORKFLOW_NOT_RUNNING"


async def test_what_the_code_refuses_is_said(world: World) -> None:
    client = world.client("agent")
    async with world.worker("workflow_author"):
        run = await client.start_workflow(start("counts"))
        with pytest.raises(FailedPrecondition) as unknown:
            await client.query_workflow(query(run, "weather"), timeout=20)
        with pytest.raises(FailedPrecondition) as too_much:
            await client.update_workflow(update(run, 11), timeout=20)
        with pytest.raises(FailedPrecondition) as nothing:
            await client.update_workflow(update(run, 1, "subtract"), timeout=20)
    assert unknown.value.reason == "QUERY_REFUSED"
    assert "weather" in str(unknown.value)
    assert {too_much.value.reason, nothing.value.reason} == {"UPDATE_REFUSED"}
    assert "at most 10 at once" in str(too_much.value)


async def test_a_queue_that_its_worker_has_left_is_told_with_the_time(world: World) -> None:
    engine = Engine(await world.temporal(), poller_alive=timedelta(seconds=2))
    queue = world.worker_settings.task_queue
    async with world.worker("workflow_author"):

        async def is_polled() -> bool:
            return await engine.last_poll(queue) is not None

        await eventually(is_polled, timeout=20)

    async def is_told() -> str | None:
        return await engine.notice(queue)

    told = await eventually(is_told, timeout=30)
    left = await engine.last_poll(queue)
    assert left is not None
    assert told == f"no worker polls task queue {queue} since {left.replace(microsecond=0).isoformat()}"


async def test_who_may_ask_and_what(world: World) -> None:
    await world.register("asked")
    run = await world.client("agent").start_workflow(start("asked"))
    stranger, auditor = world.client("member", subject="user_other"), world.client("auditor", subject="user_aud")
    elsewhere = world.client("admin", tenant_id=str(uuid4()))
    for client in (stranger, elsewhere):
        with pytest.raises(NotFound):
            await client.query_workflow(query(run))
        with pytest.raises(NotFound):
            await client.update_workflow(update(run, 1))
        with pytest.raises(NotFound):
            await client.terminate_workflow(TerminateWorkflowRequest(workflow_id=run.workflow_id))
    with pytest.raises(PermissionDenied):
        await auditor.update_workflow(update(run, 1))
    with pytest.raises(PermissionDenied):
        await auditor.terminate_workflow(TerminateWorkflowRequest(workflow_id=run.workflow_id))
    for name in ("__stack_trace", "orkestra_task", ""):
        with pytest.raises(InvalidArgument):
            await world.client("agent").query_workflow(query(run, name))
        with pytest.raises(InvalidArgument):
            await world.client("agent").update_workflow(update(run, 1, name))
    with pytest.raises(TooLarge):
        await world.client("agent").update_workflow(update(run, "x" * 262_144))


async def test_a_run_that_no_worker_serves_answers_that_nobody_does(world: World) -> None:
    await world.register("nobody-answers")
    client = world.client("agent")
    run = await client.start_workflow(start("nobody-answers"))
    for asking in (client.query_workflow(query(run)), client.update_workflow(update(run, 1))):
        began = time.monotonic()
        with pytest.raises(Unavailable) as refusal:
            await asking
        assert refusal.value.reason == "WORKER_UNAVAILABLE"
        assert time.monotonic() - began < 5


async def test_a_run_is_ended_by_force_at_once_and_once(world: World) -> None:
    await world.register("stubborn")
    client = world.client("agent")
    run = await client.start_workflow(start("stubborn"))
    request = TerminateWorkflowRequest(workflow_id=run.workflow_id, reason="It hangs.")
    request_id = str(uuid4())
    for _ in range(2):
        ended = await client.terminate_workflow(request, request_id=request_id)
        assert ended.status is WorkflowStatus.TERMINATED
    assert ended.failure is not None
    assert (ended.failure.type, ended.failure.message) == ("TERMINATED", "It hangs.")
    described = await (await world.temporal()).get_workflow_handle(run.workflow_id).describe()
    assert described.close_time is not None
    assert await world.events(run.workflow_id) == ["started", "terminated"]
    with pytest.raises(FailedPrecondition) as refusal:
        await client.terminate_workflow(request)
    assert refusal.value.reason == "WORKFLOW_NOT_RUNNING"


async def test_the_tasks_of_children_are_told_with_the_run_and_end_with_it_by_force_too(world: World) -> None:
    client = world.client("agent")
    async with world.worker("workflow_author"):
        run = await client.start_workflow(start("asks-beside-a-child"))
        await world.task_of(run)

        def of_the_child() -> list[Task]:
            return [one for one in world.tasks.tasks.values() if one.title == QUESTION["question"]]

        [task] = await eventually(of_the_child)
        told = (await client.get_timeline(GetTimelineRequest(workflow_id=run.workflow_id))).entries
        assert {task.task_id, (await world.task_of(run)).task_id} == {entry.task_id for entry in told} - {None}
        await client.terminate_workflow(TerminateWorkflowRequest(workflow_id=run.workflow_id))
        await eventually(lambda: world.tasks.tasks[task.task_id].status is TaskStatus.CANCELLED)


async def test_a_start_may_end_the_run_that_has_its_business_id(world: World) -> None:
    await world.register("replaced")
    client, case = world.client("agent"), uuid4().hex
    replacing = start("replaced", business_id=case, business_id_policy=BusinessIdPolicy.TERMINATE_RUNNING)
    first = await client.start_workflow(replacing)
    with pytest.raises(AlreadyExists):
        await world.client("agent", subject="agent-2").start_workflow(replacing)
    second = await client.start_workflow(replacing)
    assert second.workflow_id != first.workflow_id
    assert (await result(world, first, wait=0)).status is WorkflowStatus.TERMINATED
    assert (await result(world, second, wait=0)).status is WorkflowStatus.RUNNING


async def test_runs_are_found_by_tags_attributes_and_when_they_started(world: World) -> None:
    await world.register("labelled")
    client = world.client("agent", subject=f"agent-{uuid4().hex}")
    runs = [
        await client.start_workflow(start("labelled", tags=["vip", tag], search_attributes={"amount": n, "paid": True}))
        for n, tag in enumerate(("red", "blue"))
    ]

    async def found(**asked: object) -> list[str]:
        listed = await client.list_workflows(ListWorkflowsRequest.model_validate(asked))
        return [run.workflow_id for run in listed.workflows]

    red, blue = (run.workflow_id for run in runs)
    assert await found(tags=["vip"]) == [blue, red]
    assert await found(tags=["vip", "red"]) == [red]
    assert await found(tags=["green"]) == []
    assert await found(attributes=["amount=1", "paid=true"]) == [blue]
    assert await found(attributes=["amount=2"]) == []
    assert await found(tags=["amount"]) == []
    assert await found(started_after=runs[1].started_at) == [blue]
    assert await found(started_before=runs[1].started_at) == [red]
    assert await found(started_after=datetime.now(runs[0].started_at.tzinfo) + timedelta(hours=1)) == []
    with pytest.raises(InvalidArgument) as refusal:
        await found(attributes=["amount"])
    assert [error.path for error in refusal.value.errors] == ["attributes[0]"]


async def test_a_search_attribute_is_a_name_and_one_value(world: World) -> None:
    await world.register("described")
    wrong = {"1st": "x", "list": [1], "long": "x" * 201, "nothing": None}
    with pytest.raises(InvalidArgument) as refusal:
        await world.client("agent").start_workflow(start("described", search_attributes=wrong))
    assert [error.path for error in refusal.value.errors] == [f"search_attributes.{name}" for name in wrong]


async def test_every_version_of_a_definition_is_listed_and_an_old_one_can_be_started(world: World) -> None:
    for version in (1, 2):
        await world.register("versioned", version=version)
    client = world.client("agent")
    listed = (await client.list_definitions(ListDefinitionsRequest(name="versioned"))).definitions
    assert [one.version for one in listed] == [2, 1]
    assert (await client.start_workflow(start("versioned"))).version == 2
    pinned = await client.start_workflow(start("versioned", version=1))
    described = await (await world.temporal()).get_workflow_handle(pinned.workflow_id).describe()
    assert (pinned.version, described.workflow_type) == (1, "versioned@1")
    with pytest.raises(NotFound):
        await client.start_workflow(start("versioned", version=3))
    with pytest.raises(NotFound):
        await client.list_definitions(ListDefinitionsRequest(name="versionned"))


async def test_a_run_that_continues_as_new_is_one_run_to_its_end(world: World) -> None:
    async with world.worker("workflow_author"):
        run = await world.client("agent").start_workflow(start("goes-round", input=QUESTION | {"conversation_id": "1"}))
        task = await world.task_of(run)
        assert task.requested_by == "agent-1"
        assert (await result(world, run, wait=0)).status is WorkflowStatus.RUNNING
        await world.tasks.answer(task.task_id, {"answer": "ok"})
        ended = await result(world, run)
    assert (ended.status, ended.result) == (WorkflowStatus.COMPLETED, "ok")
    assert await world.events(run.workflow_id) == ["started", "completed"]


async def test_a_run_whose_time_in_temporal_is_over_is_recorded_as_that(world: World) -> None:
    async with world.worker("workflow_author"):
        run = await world.client("agent").start_workflow(start("out-of-time"))
        ended = await result(world, run, wait=45)
    assert ended.status is WorkflowStatus.TIMED_OUT
    assert ended.failure is not None
    assert ended.failure.type == "TIMED_OUT"
    assert await world.events(run.workflow_id) == ["started", "timed_out"]
    seen = await world.client("agent").get_workflow(GetWorkflowRequest(workflow_id=run.workflow_id))
    assert seen.notice is None


async def test_a_start_that_is_repeated_after_the_runs_end_starts_nothing(world: World) -> None:
    await world.register("started-once")
    run = await world.client("agent").start_workflow(start("started-once"))
    temporal, queue = await world.temporal(), "queue-started-once"
    handle = temporal.get_workflow_handle(run.workflow_id)
    again = start_of(run, task_queue=queue, start_at=run.started_at, traceparent=None, history_format=1)
    await handle.terminate()
    assert await Engine(temporal).start(again) == run.run_id
    later = await temporal.start_workflow("started-once@1", id=run.workflow_id, task_queue=queue)
    await handle.terminate()  # as after a reset, where Temporal knows our request no more
    assert await Engine(temporal).start(again) == later.first_execution_run_id
    assert (await handle.describe()).status is WorkflowExecutionStatus.TERMINATED


async def test_what_temporal_has_forgotten_is_still_told(world: World) -> None:
    await world.register("remembered")
    client = world.client("agent")
    run = await client.start_workflow(start("remembered", business_id=uuid4().hex))
    named = GetWorkflowRequest(workflow_id=run.workflow_id)
    end = ReportEndRequest(
        workflow_id=run.workflow_id, run_id="r", status=WorkflowStatus.COMPLETED, result={"n": 2**60}
    )
    await world.client("worker").report_end(end)
    before = await client.get_workflow(named)
    temporal = await world.temporal()
    gone = WorkflowExecution(workflow_id=run.workflow_id)
    request = DeleteWorkflowExecutionRequest(namespace="default", workflow_execution=gone)
    await temporal.workflow_service.delete_workflow_execution(request)

    async def is_forgotten() -> bool:
        try:
            await temporal.get_workflow_handle(run.workflow_id).describe()
        except RPCError:
            return True
        return False

    await eventually(is_forgotten, timeout=60)
    assert (before.result, before.input) == ({"n": 2**60}, QUESTION)
    assert await client.get_workflow(named) == before == await result(world, run, wait=0)
    listed = (await client.list_workflows(ListWorkflowsRequest(business_id=run.business_id))).workflows
    assert [one.workflow_id for one in listed] == [run.workflow_id]


class Watched(Engine):
    """Temporal, with a note of since when it was asked for ends."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.asked: list[datetime] = []

    async def closed_since(self, since: datetime) -> AsyncIterator[str]:
        self.asked.append(since)
        async for workflow_id in super().closed_since(since):
            yield workflow_id


async def test_the_sweep_asks_for_ends_since_the_oldest_run_and_then_with_an_overlap(world: World) -> None:
    await world.register("still-running")
    run = await world.client("agent").start_workflow(start("still-running"))
    engine = Watched(await world.temporal())
    app, sweep = [await Database.connect(world.schema.url(role), schema="workflow") for role in ("app", "sweep")]
    began = datetime.now(UTC)
    try:
        sweeps = Sweeps(app, sweep, engine)
        for _ in range(2):
            await sweeps.once()
    finally:
        await app.close()
        await sweep.close()
    first, second = engine.asked
    assert first <= run.started_at
    assert second <= datetime.now(UTC) - timedelta(seconds=60)
    assert second >= began - timedelta(seconds=60)
