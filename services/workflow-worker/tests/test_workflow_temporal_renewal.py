"""Certificates for Temporal are renewed, and their authority changed, under a service and a worker that go on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from chassis_certificates import Authority, Front, Mounted, tls_front
from orkestra.chassis.access import Tls
from orkestra.chassis.process import Process
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema, eventually
from orkestra.v1.workflow import GetWorkflowResultRequest, StartWorkflowRequest, WorkflowStatus
from orkestra.workflow_worker import __main__ as program
from orkestra.workflow_worker.settings import WorkerSettings
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.service import RPCError
from workflow_world import QUESTION, WORKER_KEY, World, running_world

MODULES = "customer_support.quick, customer_support.workflows"


def told(tls: Tls) -> dict[str, str | None]:
    """The settings of a role that shows Temporal these."""
    return {
        "temporal_server_name": "localhost",
        "temporal_ca_file": tls.ca_file,
        "temporal_cert_file": tls.cert_file,
        "temporal_key_file": tls.key_file,
    }


def worker_settings(world: World, front: Front, tls: Tls) -> WorkerSettings:
    known = world.worker_settings
    return WorkerSettings.model_validate(
        {
            "role": "worker",
            "health_port": 0,
            "drain_seconds": 5,
            "identity_address": known.identity_address,
            "task_address": known.task_address,
            "workflow_address": known.workflow_address,
            "temporal_address": f"127.0.0.1:{front.port}",
            "worker_key": WORKER_KEY,
            "workflow_modules": MODULES,
            "task_queue": f"queue-{uuid4().hex}",
        }
        | told(tls)
    )


@asynccontextmanager
async def worker(settings: WorkerSettings) -> AsyncIterator[None]:
    """The role worker, once it serves."""
    process = Process(settings)

    async def is_ready() -> bool:
        return (await process.readiness.report()).is_ready

    async with program.build_worker(process, settings):
        running = asyncio.create_task(process.run())
        await eventually(is_ready, timeout=60)
        try:
            yield
        finally:
            process.drain.begin()
            await running


async def begun(world: World) -> tuple[str, str]:
    """A run that waits for a person, and its task."""
    request = StartWorkflowRequest(definition="customer-support-quick", input=QUESTION)
    run = await world.client("agent").start_workflow(request)
    return run.workflow_id, (await world.task_of(run)).task_id


async def ends(world: World, workflow_id: str, task_id: str) -> None:
    await world.tasks.answer(task_id, {"answer": "Yes."})
    request = GetWorkflowResultRequest(workflow_id=workflow_id, wait_seconds=30)

    async def has_ended() -> bool:
        return (
            await world.client("manager").get_workflow_result(request, timeout=40)
        ).status == WorkflowStatus.COMPLETED

    await eventually(has_ended, timeout=60)


async def is_refused(settings: WorkerSettings) -> None:
    """A process that starts with these is not let in."""
    client = await program._temporal(settings)
    with pytest.raises((RPCError, RuntimeError)):
        await client.workflow_service.get_system_info(GetSystemInfoRequest(), retry=False)


async def test_runs_that_wait_end_after_certificates_and_their_authority_were_changed(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str, tmp_path: Path
) -> None:
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    theirs, api, work, left = (Mounted(tmp_path / name) for name in ("temporal", "api", "worker", "left"))
    theirs.put(old.issue("temporal"), old)
    api.put(old.issue("api"), old)
    work.put(old.issue("worker"), old)
    left.put(old.issue("left"), old, new)
    schema = await migrated("orkestra.workflow_worker", "workflow")
    upstream = int(temporal_address.rpartition(":")[2])
    async with (
        tls_front(upstream, theirs.tls, asks_clients=True) as front,
        running_world(
            schema,
            signer=signer,
            nats_url=nats_url,
            temporal_address=temporal_address,
            temporal_front=f"127.0.0.1:{front.port}",
            **told(api.tls),
        ) as world,
        worker(worker_settings(world, front, work.tls)),
    ):

        async def renew(issuer: Authority, *authorities: Authority) -> None:
            numbers = {api.put(issuer.issue("api"), *authorities), work.put(issuer.issue("worker"), *authorities)}
            theirs.put(issuer.issue("temporal"), *authorities)
            await eventually(lambda: numbers <= set(front.peers), timeout=30)

        runs = [await begun(world) for _ in range(3)]
        await renew(old, old, new)
        await ends(world, *runs[0])
        await renew(new, old, new)
        await ends(world, *runs[1])
        await renew(new, new)
        front.cut()
        await is_refused(worker_settings(world, front, left.tls))
        await ends(world, *runs[2])
        await ends(world, *await begun(world))
