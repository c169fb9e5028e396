"""Retention and erasure as they are asked for: who may, what is refused, and what Temporal is told."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
import pytest_asyncio
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema, eventually
from orkestra.v1.workflow import (
    ApplyRetentionRequest,
    ErasePartRequest,
    ErasePersonRequest,
    GetErasureRequest,
    GetRetentionRequest,
    ListErasuresRequest,
    PutRetentionRequest,
    Retention,
    WorkflowServiceClient,
)
from orkestra.wire import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, VersionMismatch
from workflow_world import World, running_world

KEPT = PutRetentionRequest(task_days=365, run_days=90, delivery_days=30, event_days=7)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


def admin_of(world: World) -> tuple[str, WorkflowServiceClient]:
    """A new tenant and its admin."""
    tenant_id = str(uuid4())
    return tenant_id, world.client("admin", tenant_id=tenant_id)


async def is_scheduled(world: World, tenant_id: str) -> bool:
    temporal = await world.temporal()
    return f"retention_{tenant_id}" in {one.id async for one in await temporal.list_schedules()}


async def test_everything_is_kept_until_an_admin_says_otherwise(world: World) -> None:
    tenant_id, admin = admin_of(world)
    assert await admin.get_retention(GetRetentionRequest()) == Retention(version=0)
    kept = await admin.put_retention(KEPT)
    assert (kept.task_days, kept.run_days, kept.delivery_days, kept.event_days, kept.version) == (365, 90, 30, 7, 1)
    auditor = world.client("auditor", tenant_id=tenant_id)
    assert await auditor.get_retention(GetRetentionRequest()) == kept
    await eventually(lambda: is_scheduled(world, tenant_id), timeout=30)
    none = await admin.put_retention(PutRetentionRequest(version=1))
    assert (none.task_days, none.version) == (None, 2)

    async def is_dropped() -> bool:
        return not await is_scheduled(world, tenant_id)

    await eventually(is_dropped, timeout=30)


async def test_a_retention_that_makes_no_sense_or_that_another_changed_is_refused(world: World) -> None:
    _, admin = admin_of(world)
    with pytest.raises(InvalidArgument) as refused:
        await admin.put_retention(PutRetentionRequest(task_days=0, run_days=36501, event_days=2))
    assert [error.path for error in refused.value.errors] == ["task_days", "run_days", "event_days"]
    await admin.put_retention(KEPT)
    with pytest.raises(VersionMismatch):
        await admin.put_retention(KEPT.model_copy(update={"version": 0}))


async def test_only_admins_set_and_erase_only_auditors_look_too_and_only_workers_go_on(world: World) -> None:
    tenant_id, _ = admin_of(world)
    for role in ("manager", "member", "agent", "system", "auditor", "worker"):
        client = world.client(role, tenant_id=tenant_id)
        calls: list[Awaitable[object]] = [client.put_retention(KEPT)]
        calls.append(client.erase_person(ErasePersonRequest(user_id="user_ana")))
        if role != "auditor":
            calls += [client.get_retention(GetRetentionRequest()), client.list_erasures(ListErasuresRequest())]
            calls.append(client.get_erasure(GetErasureRequest(erasure_id="erasure_none")))
        if role != "worker":
            calls.append(client.apply_retention(ApplyRetentionRequest()))
            calls.append(client.erase_part(ErasePartRequest(erasure_id="erasure_none", part="task")))
        for call in calls:
            with pytest.raises(PermissionDenied):
                await call


async def test_only_somebody_who_is_there_and_disabled_is_erased(world: World) -> None:
    _, admin = admin_of(world)
    with pytest.raises(FailedPrecondition) as refused:
        await admin.erase_person(ErasePersonRequest(user_id="user_ana"))
    assert refused.value.reason == "USER_NOT_DISABLED"
    with pytest.raises(NotFound):
        await admin.erase_person(ErasePersonRequest(user_id="user_nobody"))
    with pytest.raises(InvalidArgument):
        await admin.erase_person(ErasePersonRequest(user_id="user_ana", reason="x" * 501))
    assert (await admin.list_erasures(ListErasuresRequest())).erasures == []
    with pytest.raises(NotFound):
        await admin.get_erasure(GetErasureRequest(erasure_id="erasure_none"))


async def test_a_worker_deletes_nothing_of_a_tenant_that_keeps_everything(world: World) -> None:
    tenant_id, _ = admin_of(world)
    worker = world.client("worker", tenant_id=tenant_id)
    step = await worker.apply_retention(ApplyRetentionRequest())
    assert (step.tasks, step.runs, step.deliveries, step.events, step.more) == (0, 0, 0, 0, False)
    with pytest.raises(NotFound):
        await worker.erase_part(ErasePartRequest(erasure_id="erasure_none", part="task"))
    with pytest.raises(InvalidArgument):
        await worker.erase_part(ErasePartRequest(erasure_id="erasure_none", part="everything"))
