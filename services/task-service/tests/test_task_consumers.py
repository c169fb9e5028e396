"""What task-service hears: ends of runs, people and groups; twice, late and in any order."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from orkestra.chassis.consumer import Consumer, Handler
from orkestra.chassis.relay import Relay
from orkestra.chassis.streams import Nats, connect
from orkestra.chassis.together import Together
from orkestra.task_service.consumers import PEOPLE_SUBJECTS, RUN_END_SUBJECTS, PeopleCopies, RunEnds
from orkestra.testkit.waiting import eventually
from orkestra.v1.events import GroupEvent, TaskEvent, UserEvent, WorkflowEvent
from orkestra.v1.identity import Group, User, UserStatus
from orkestra.v1.task import CompleteTaskRequest, GetTaskHistoryRequest, GetTaskRequest, Task, TaskStatus
from orkestra.v1.workflow import Workflow, WorkflowStatus
from orkestra.wire import InvalidArgument, Model
from task_world import ANSWER, Tenant, World, ask, ask_for_run, world

__all__ = ["world"]


@pytest.fixture(scope="module")
async def stream(nats_url: str) -> AsyncIterator[Nats]:
    """A connection to NATS with the streams of the installation."""
    one = await connect(nats_url, name="test")
    await one.connected()
    await one.ensure_streams()
    yield one
    await one.close()


@asynccontextmanager
async def consuming(stream: Nats, subjects: tuple[str, ...], handler: Handler | Together) -> AsyncIterator[str]:
    consumer = Consumer(stream, name := f"test-{uuid4().hex}", subjects, handler)
    running = asyncio.create_task(consumer.run())
    try:
        yield name
    finally:
        await consumer.stop()
        running.cancel()


async def publish(stream: Nats, tenant: Tenant, what: str, key: str, version: int, payload: Model) -> None:
    event_id = str(uuid4())
    headers = {
        "ce-specversion": "1.0",
        "ce-id": event_id,
        "ce-source": "orkestra/test",
        "ce-type": f"orkestra.v1.{what}",
        "ce-subject": key,
        "ce-time": datetime.now(UTC).isoformat(),
        "ce-tenant": tenant.id,
        "ce-version": str(version),
        "Nats-Msg-Id": event_id,
    }
    data = payload.model_dump_json(exclude_none=True).encode()
    await stream.jetstream.publish(f"orkestra.v1.{tenant.id}.{what}", data, headers=headers)


async def settled(stream: Nats, consumer: str) -> None:
    async def idle() -> bool:
        assert consumer in [info.name for info in await stream.jetstream.consumers_info("ORKESTRA_EVENTS")]
        info = await stream.jetstream.consumer_info("ORKESTRA_EVENTS", consumer)
        return bool(info.num_pending == 0 and info.num_ack_pending == 0)

    await eventually(idle)


def ended(tenant: Tenant, workflow_id: str, status: WorkflowStatus) -> WorkflowEvent:
    now = datetime.now(UTC)
    run = Workflow(
        workflow_id=workflow_id,
        definition="customer-support",
        version=1,
        status=status,
        started_at=now,
        tenant_id=tenant.id,
        resource_version=2,
        updated_at=now,
    )
    return WorkflowEvent(workflow=run)


async def opened(tenant: Tenant, workflow_id: str) -> Task:
    tenant.group("support-l1")
    return await tenant.worker().create_task(ask_for_run(workflow_id=workflow_id, candidate_groups=["support-l1"]))


async def test_the_end_of_a_run_cancels_its_live_tasks_once(world: World, stream: Nats) -> None:
    tenant, other = world.tenant(), world.tenant()
    ana = tenant.person("ana", "support-l1")
    workflow_id = f"wf_{uuid4().hex}"
    done, held, free = [await opened(tenant, workflow_id) for _ in range(3)]
    bystander, stranger = await opened(tenant, f"wf_{uuid4().hex}"), await opened(other, workflow_id)
    await ana.complete_task(CompleteTaskRequest(task_id=done.task_id, data=ANSWER))
    await ana.claimed(held)
    async with consuming(stream, RUN_END_SUBJECTS, Together(RunEnds(world.ends).hear)) as consumer:
        for _ in range(2):
            await publish(
                stream,
                tenant,
                "workflow.timed_out",
                workflow_id,
                2,
                ended(tenant, workflow_id, WorkflowStatus.TIMED_OUT),
            )
        await settled(stream, consumer)
    rows = await world.rows(
        "select task_id, status, tenant_id from tasks where tenant_id = any ($1)", [tenant.id, other.id]
    )
    assert {row["task_id"]: row["status"] for row in rows} == {
        done.task_id: "completed",
        held.task_id: "cancelled",
        free.task_id: "cancelled",
        bystander.task_id: "open",
        stranger.task_id: "open",
    }
    entries = (await ana.get_task_history(GetTaskHistoryRequest(task_id=held.task_id))).entries
    assert [(entry.event, entry.door) for entry in entries][1:] == [("claimed", "rest"), ("cancelled", "worker")]
    cancelled = await ana.get_task(GetTaskRequest(task_id=held.task_id))
    assert cancelled.reason is not None
    assert "timed out" in cancelled.reason


async def test_ends_that_come_together_cancel_the_tasks_of_each(world: World, stream: Nats) -> None:
    tenant = world.tenant()
    ends = [WorkflowStatus.FAILED, WorkflowStatus.COMPLETED, WorkflowStatus.TERMINATED]
    told = {f"wf_{uuid4().hex}": end for end in ends}
    tasks = {workflow_id: await opened(tenant, workflow_id) for workflow_id in told}
    without = f"wf_{uuid4().hex}"
    for workflow_id, end in (told | {without: WorkflowStatus.CANCELLED}).items():
        await publish(stream, tenant, f"workflow.{end.value}", workflow_id, 2, ended(tenant, workflow_id, end))
    async with consuming(stream, RUN_END_SUBJECTS, Together(RunEnds(world.ends).hear)) as consumer:
        await settled(stream, consumer)
    for workflow_id, task in tasks.items():
        now = await tenant.worker().get_task(GetTaskRequest(task_id=task.task_id))
        assert now.status is TaskStatus.CANCELLED
        assert now.reason == f"Its workflow ended: {told[workflow_id].value}."


async def test_people_and_groups_are_copied_and_only_newer_versions_count(world: World, stream: Nats) -> None:
    tenant = world.tenant()

    def user(version: int, email: str, status: UserStatus = UserStatus.ACTIVE) -> UserEvent:
        return UserEvent(
            user=User(
                user_id="user_" + "a" * 32,
                tenant_id=tenant.id,
                email=email,
                name="Ana",
                roles=[],
                groups=[],
                status=status,
                created_at=datetime.now(UTC),
                version=version,
            )
        )

    group = GroupEvent(
        group=Group(group_id="support-l1", tenant_id=tenant.id, name="L1", created_at=datetime.now(UTC), version=1)
    )
    async with consuming(stream, PEOPLE_SUBJECTS, PeopleCopies(world.database).hear) as consumer:
        await publish(stream, tenant, "identity.user_changed", "user", 2, user(2, "New@Example.com"))
        await publish(stream, tenant, "identity.user_changed", "user", 1, user(1, "old@example.com"))
        await publish(stream, tenant, "identity.group_changed", "support-l1", 1, group)
        await settled(stream, consumer)
    calls = world.identity.calls
    task = await tenant.agent().create_task(ask(candidate_users=["new@example.com"], candidate_groups=["support-l1"]))
    assert task.candidate_users == ["user_" + "a" * 32]
    assert world.identity.calls == calls


async def test_nothing_is_offered_to_a_deleted_group_and_no_late_event_brings_it_back(
    world: World, stream: Nats
) -> None:
    tenant = world.tenant()

    def told(version: int, *members: str) -> GroupEvent:
        values = {"group_id": "nights", "tenant_id": tenant.id, "name": "Nights", "members": list(members)}
        return GroupEvent(group=Group(**values, created_at=datetime.now(UTC), version=version))

    async with consuming(stream, PEOPLE_SUBJECTS, PeopleCopies(world.database).hear) as consumer:
        await publish(stream, tenant, "identity.group_deleted", "nights", 3, told(3))
        await publish(stream, tenant, "identity.group_changed", "nights", 2, told(2, "user_" + "b" * 32))
        await settled(stream, consumer)
    with pytest.raises(InvalidArgument, match="no group nights"):
        await tenant.agent().create_task(ask(candidate_groups=["nights"]))
    async with consuming(stream, PEOPLE_SUBJECTS, PeopleCopies(world.database).hear) as consumer:
        await publish(stream, tenant, "identity.group_changed", "nights", 4, told(4))
        await settled(stream, consumer)
    task = await tenant.agent().create_task(ask(candidate_groups=["nights"]))
    assert task.candidate_groups == ["nights"]


async def test_what_happens_to_a_task_reaches_the_stream_in_order(world: World, stream: Nats) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    heard: list[tuple[str, int, TaskStatus]] = []

    async def hear(event: object) -> None:
        task = event.payload(TaskEvent).task  # type: ignore[attr-defined]  # an Event
        heard.append((event.event, event.version, task.status))  # type: ignore[attr-defined]

    relay = asyncio.create_task(Relay(world.url("relay"), stream, schema="task").run())
    try:
        async with consuming(stream, (f"orkestra.v1.{tenant.id}.task.>",), hear):
            task = await opened(tenant, f"wf_{uuid4().hex}")
            await ana.claimed(task)
            await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
            await eventually(lambda: len(heard) == 3)
    finally:
        relay.cancel()
        await asyncio.wait([relay])
    assert [(event, version) for event, version, _ in heard] == [("created", 1), ("claimed", 2), ("completed", 3)]
    assert heard[2][2] is TaskStatus.COMPLETED
    assert json.loads(json.dumps([status for *_, status in heard])) == ["open", "claimed", "completed"]
