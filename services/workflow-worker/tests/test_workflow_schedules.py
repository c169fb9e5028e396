"""Schedules by their client, on a real Temporal: what they start, what they skip, and what may be scheduled."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import pytest_asyncio
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema, eventually
from orkestra.v1.events import ScheduleEvent
from orkestra.v1.workflow import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    FireScheduleRequest,
    GetScheduleRequest,
    GetWorkflowRequest,
    ListSchedulesRequest,
    ListWorkflowsRequest,
    Schedule,
    ScheduleOverlap,
    TriggerScheduleRequest,
    UpdateScheduleRequest,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, VersionMismatch
from orkestra.workflow_worker.rules import BUILTIN_QUEUE
from temporalio.service import RPCError
from workflow_world import QUESTION, World, running_world


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


def daily(definition: str, **changes: object) -> CreateScheduleRequest:
    values = {"definition": definition, "input": QUESTION, "cron": "0 9 * * MON-fri", "time_zone": "Europe/Berlin"}
    return CreateScheduleRequest.model_validate(values | changes)


def named(schedule: Schedule) -> GetScheduleRequest:
    return GetScheduleRequest(schedule_id=schedule.schedule_id)


def now(schedule: Schedule) -> TriggerScheduleRequest:
    return TriggerScheduleRequest(schedule_id=schedule.schedule_id)


async def status(world: World, run: Workflow) -> Workflow:
    return await world.client("admin").get_workflow(GetWorkflowRequest(workflow_id=run.workflow_id))


async def runs_of(world: World, schedule: Schedule) -> list[Workflow]:
    asked = ListWorkflowsRequest(schedule_id=schedule.schedule_id)
    return (await world.client("admin").list_workflows(asked)).workflows


async def test_a_schedule_that_temporal_fires_starts_a_run_like_any_other(world: World) -> None:
    client = world.client("agent")
    async with (
        world.worker("customer_support.workflows"),
        world.worker("orkestra.workflow_worker.workflows", task_queue=BUILTIN_QUEUE),
    ):
        schedule = await client.create_schedule(daily("customer-support", tags=["morning"]))
        assert schedule.notice is None
        seen = await client.get_schedule(named(schedule))
        assert (seen.cron, seen.overlap, seen.requested_by) == ("0 9 * * mon-fri", ScheduleOverlap.SKIP, "agent-1")
        assert seen.next_at is not None
        assert timedelta() < seen.next_at - datetime.now(UTC) <= timedelta(days=3, hours=1)
        assert seen.next_at.weekday() < 5

        handle = (await world.temporal()).get_schedule_handle(schedule.schedule_id)
        await handle.trigger(rpc_timeout=timedelta(seconds=20))
        run = (await eventually(lambda: runs_of(world, schedule)))[0]
        task = await world.task_of(run)
        assert (task.tenant_id, task.requested_by) == (world.tenant_id, "agent-1")
        assert (run.tags, run.requested_by, run.schedule_id) == (["morning"], "agent-1", schedule.schedule_id)
        assert await world.events(run.workflow_id) == ["started"]
    fired = await client.get_schedule(named(schedule))
    assert (fired.last_workflow_id, fired.last_failure) == (run.workflow_id, None)
    assert fired.last_fired_at is not None


async def test_what_overlaps_is_skipped_and_that_is_said(world: World) -> None:
    await world.register("skipping")
    client, clock = world.client("agent"), world.client("worker")
    schedule = await client.create_schedule(daily("skipping"))
    once = str(uuid4())
    run, again = [await client.trigger_schedule(now(schedule), request_id=once) for _ in range(2)]
    assert (run.definition, run.status, run.run_id is None) == ("skipping", WorkflowStatus.RUNNING, False)
    assert (again.model_copy(update={"notice": run.notice}), client.replayed) == (run, True)
    with pytest.raises(FailedPrecondition) as refusal:
        await client.trigger_schedule(now(schedule))
    assert refusal.value.reason == "SCHEDULE_OVERLAPS"
    fired = await clock.fire_schedule(FireScheduleRequest(schedule_id=schedule.schedule_id))
    assert fired.workflow is None
    told = (await client.get_schedule(named(schedule))).last_failure
    assert told is not None
    assert told.type == "SCHEDULE_OVERLAPS"
    assert len(await runs_of(world, schedule)) == 1


async def test_what_happens_to_a_schedule_is_told_to_whoever_may_see_it(world: World) -> None:
    await world.register("told")
    client, clock = world.client("agent"), world.client("worker")
    schedule = await client.create_schedule(daily("told"))
    due = FireScheduleRequest(schedule_id=schedule.schedule_id)
    run = (await clock.fire_schedule(due)).workflow
    await clock.fire_schedule(due)
    await client.update_schedule(UpdateScheduleRequest(schedule_id=schedule.schedule_id, paused=True))
    await clock.fire_schedule(due)
    await client.delete_schedule(DeleteScheduleRequest(schedule_id=schedule.schedule_id))
    query = "select headers, payload from workflow.outbox where headers->>'ce-subject' = $1 order by seq"
    events = await world.rows(query, schedule.schedule_id)
    told = [ScheduleEvent.model_validate_json(event["payload"]) for event in events]
    headers = [json.loads(event["headers"]) for event in events]
    assert [one["ce-type"].removeprefix("orkestra.v1.schedule.") for one in headers] == [
        *("created", "fired", "skipped", "updated", "deleted")
    ]
    assert [one["ce-version"] for one in headers] == ["1", "1", "1", "2", "3"]
    assert [one.actor for one in told] == ["agent-1", None, None, "agent-1", "agent-1"]
    assert {tuple(one.audience) for one in told} == {("user:agent-1", "all")}
    assert [one.schedule.input for one in told] == [None] * 5
    assert run is not None
    assert told[1].schedule.last_workflow_id == run.workflow_id
    assert told[2].schedule.last_failure is not None


async def test_the_other_policies_start_beside_cancel_or_end_what_runs(world: World) -> None:
    await world.register("overlapping")
    client = world.client("agent")
    schedule = await client.create_schedule(daily("overlapping", overlap=ScheduleOverlap.START))
    first, second = [await client.trigger_schedule(now(schedule)) for _ in range(2)]

    async def policy(overlap: ScheduleOverlap) -> None:
        await client.update_schedule(UpdateScheduleRequest(schedule_id=schedule.schedule_id, overlap=overlap))

    await policy(ScheduleOverlap.CANCEL_RUNNING)
    third = await client.trigger_schedule(now(schedule))
    asked = [(await status(world, run)).cancel_requested_at is not None for run in (first, second, third)]
    assert asked == [True, True, False]
    await policy(ScheduleOverlap.TERMINATE_RUNNING)
    fourth = await client.trigger_schedule(now(schedule))
    told = [(await status(world, run)).status for run in (first, second, third, fourth)]
    assert told == [WorkflowStatus.TERMINATED] * 3 + [WorkflowStatus.RUNNING]


async def test_one_firing_told_twice_starts_one_run(world: World) -> None:
    await world.register("told-twice")
    schedule = await world.client("agent").create_schedule(daily("told-twice", overlap=ScheduleOverlap.START))
    request_id = uuid4().hex
    for _ in range(2):
        due = FireScheduleRequest(schedule_id=schedule.schedule_id)
        await world.client("worker").fire_schedule(due, request_id=request_id)
    assert len(await runs_of(world, schedule)) == 1
    with pytest.raises(PermissionDenied):
        await world.client("admin").fire_schedule(FireScheduleRequest(schedule_id=schedule.schedule_id))


async def test_a_schedule_is_paused_resumed_changed_and_deleted(world: World) -> None:
    await world.register("changed")
    client = world.client("agent")
    schedule = await client.create_schedule(daily("changed"))
    handle = (await world.temporal()).get_schedule_handle(schedule.schedule_id)

    async def change(**values: object) -> Schedule:
        asked = {"schedule_id": schedule.schedule_id, **values}
        return await client.update_schedule(UpdateScheduleRequest.model_validate(asked))

    paused = await change(paused=True, note="holidays")
    assert (paused.paused, paused.note, paused.version, paused.cron) == (True, "holidays", 2, "0 9 * * mon-fri")
    assert (await handle.describe()).schedule.state.paused
    assert (await client.get_schedule(named(schedule))).next_at is None
    due = FireScheduleRequest(schedule_id=schedule.schedule_id)
    assert (await world.client("worker").fire_schedule(due)).workflow is None
    assert (await client.trigger_schedule(now(schedule))).definition == "changed"

    with pytest.raises(VersionMismatch) as refusal:
        await change(paused=False, version=1)
    assert isinstance(refusal.value.current, Schedule)
    resumed = await change(paused=False, every="90m", version=2)
    assert (resumed.cron, resumed.time_zone, resumed.every) == (None, None, "90m")
    described = await handle.describe()
    assert not described.schedule.state.paused
    assert [one.every for one in described.schedule.spec.intervals] == [timedelta(minutes=90)]
    with pytest.raises(InvalidArgument):
        await change(input={"question": 3})

    await client.delete_schedule(DeleteScheduleRequest(schedule_id=schedule.schedule_id))
    with pytest.raises(RPCError):
        await handle.describe()
    with pytest.raises(NotFound):
        await client.get_schedule(named(schedule))
    assert (await world.client("worker").fire_schedule(due)).workflow is None
    assert await world.rows("select * from workflow.schedules where schedule_id = $1", schedule.schedule_id) == []


@pytest.mark.parametrize(
    ("when", "path"),
    [
        ({"cron": None, "time_zone": None}, "cron"),
        ({"every": "5m"}, "cron"),
        ({"cron": "0 9 * *"}, "cron"),
        ({"cron": "61 9 * * *"}, "cron"),
        ({"cron": "0 9 * * mon-funday"}, "cron"),
        ({"cron": "0 9 1 * mon"}, "cron"),
        ({"cron": "0 9 31 feb,apr *"}, "cron"),
        ({"cron": "*/0 9 * * *"}, "cron"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"cron": None, "every": "5m"}, "time_zone"),
        ({"cron": None, "time_zone": None, "every": "30s"}, "every"),
    ],
)
async def test_times_that_cannot_be_read_are_refused_by_field(world: World, when: dict[str, object], path: str) -> None:
    await world.register("timed")
    with pytest.raises(InvalidArgument) as refusal:
        await world.client("agent").create_schedule(daily("timed", **when))
    assert refusal.value.reason == "SCHEDULE_INVALID"
    assert path in {error.path for error in refusal.value.errors}


@pytest.mark.parametrize(
    "cron", ["*/5 * * * *", "0,30 8-18/2 * * 1-5", "15 6 29 feb *", "0 0 1 jan,jul *", "5/10 0 * * 0"]
)
async def test_temporal_takes_whatever_is_accepted(world: World, cron: str) -> None:
    await world.register("accepted")
    schedule = await world.client("agent").create_schedule(daily("accepted", cron=cron))
    assert schedule.notice is None
    assert (await world.client("agent").get_schedule(named(schedule))).next_at is not None


async def test_what_cannot_be_started_cannot_be_scheduled(world: World) -> None:
    await world.register("closed", start_roles=["manager"])
    client = world.client("agent")
    with pytest.raises(PermissionDenied) as refusal:
        await client.create_schedule(daily("closed"))
    assert refusal.value.reason == "START_NOT_ALLOWED"
    with pytest.raises(InvalidArgument) as wrong:
        await world.client("manager").create_schedule(daily("closed", input={"question": 3}))
    assert wrong.value.reason == "INPUT_INVALID"
    with pytest.raises(NotFound):
        await client.create_schedule(daily("nowhere"))


async def test_a_firing_that_no_longer_fits_is_told_and_not_tried_for_ever(world: World) -> None:
    await world.register("moving")
    client = world.client("agent")
    schedule = await client.create_schedule(daily("moving"))
    pinned = await client.create_schedule(daily("moving", definition_version=1))
    other = {"type": "object", "properties": {"urgency": {"type": "string"}}, "required": ["urgency"]}
    await world.register("moving", version=2, input_schema=other)
    clock = world.client("worker")
    assert (await clock.fire_schedule(FireScheduleRequest(schedule_id=schedule.schedule_id))).workflow is None
    told = (await client.get_schedule(named(schedule))).last_failure
    assert told is not None
    assert told.type == "INPUT_INVALID"
    fired = (await clock.fire_schedule(FireScheduleRequest(schedule_id=pinned.schedule_id))).workflow
    assert fired is not None
    assert fired.version == 1


async def test_schedules_are_listed_newest_first_and_only_to_those_who_may_see_them(world: World) -> None:
    await world.register("many")
    mine = world.client("agent", subject=f"agent-{uuid4().hex}")
    made = [await mine.create_schedule(daily("many", paused=paused)) for paused in (False, True, False)]
    first = await mine.list_schedules(ListSchedulesRequest(page_size=2))
    rest = await mine.list_schedules(ListSchedulesRequest(page_size=2, page_token=first.next_page_token))
    assert [one.schedule_id for one in first.schedules + rest.schedules] == [one.schedule_id for one in reversed(made)]
    assert rest.next_page_token is None
    assert {one.input for one in first.schedules} == {None}
    paused = await mine.list_schedules(ListSchedulesRequest(paused=True))
    assert [one.schedule_id for one in paused.schedules] == [made[1].schedule_id]
    assert (await world.client("agent").list_schedules(ListSchedulesRequest(definition="many"))).schedules == []
    everyones = await world.client("auditor").list_schedules(ListSchedulesRequest(definition="many"))
    assert len(everyones.schedules) == 3


async def test_a_schedule_of_another_is_not_there_and_an_auditor_changes_none(world: World) -> None:
    await world.register("owned")
    schedule = await world.client("agent").create_schedule(daily("owned"))
    strangers = [world.client("admin", tenant_id=str(uuid4())), world.client("member", subject="user_other")]
    for client in strangers:
        for call in (
            client.get_schedule(named(schedule)),
            client.update_schedule(UpdateScheduleRequest(schedule_id=schedule.schedule_id, paused=True)),
            client.trigger_schedule(now(schedule)),
            client.delete_schedule(DeleteScheduleRequest(schedule_id=schedule.schedule_id)),
        ):
            with pytest.raises(NotFound) as refusal:
                await call
            assert refusal.value.reason == "SCHEDULE_NOT_FOUND"
    elsewhere = world.client("worker", tenant_id=str(uuid4()))
    assert (await elsewhere.fire_schedule(FireScheduleRequest(schedule_id=schedule.schedule_id))).workflow is None
    auditor = world.client("auditor", subject="user_aud")
    assert (await auditor.get_schedule(named(schedule))).schedule_id == schedule.schedule_id
    with pytest.raises(PermissionDenied):
        await auditor.trigger_schedule(now(schedule))
    with pytest.raises(PermissionDenied):
        await auditor.delete_schedule(DeleteScheduleRequest(schedule_id=schedule.schedule_id))
    with pytest.raises(PermissionDenied):
        await auditor.create_schedule(daily("owned"))
