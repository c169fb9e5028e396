"""The role worker as its process composes it, and the schema as the service's role sees it."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio
from orkestra.chassis import sql as statements
from orkestra.chassis.grpc import server
from orkestra.chassis.process import Process
from orkestra.chassis.tokens import Signer
from orkestra.sdk import worker as sdk_worker
from orkestra.sdk.worker import run_worker
from orkestra.testkit import Schema, eventually
from orkestra.v1.workflow import (
    GetDefinitionRequest,
    ListDefinitionsRequest,
    ListDefinitionsResponse,
    ListWorkflowsRequest,
    RegisterDefinitionsRequest,
    StartWorkflowRequest,
    WorkflowServiceClient,
    WorkflowServiceServer,
    add_workflow_service,
)
from orkestra.wire import Context, FailedPrecondition, PermissionDenied
from orkestra.workflow_worker.__main__ import build_worker
from orkestra.workflow_worker.settings import WorkerSettings
from workflow_process import worker_processes
from workflow_world import QUESTION, WORKER_KEY, World, running_world

TALKATIVE = """
import asyncio, os, sys
from orkestra.workflow_worker.__main__ import log_as_json
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

@activity.defn
async def nothing() -> None:
    pass

async def work() -> None:
    client = await Client.connect(sys.argv[1])
    async with Worker(client, task_queue="talkative", activities=[nothing]):
        pass

log_as_json("INFO")
asyncio.run(work())
os._exit(0)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


def worker_settings(world: World, modules: str) -> WorkerSettings:
    known = world.worker_settings
    return WorkerSettings(
        role="worker",
        health_port=0,
        drain_seconds=5,
        temporal_address=known.temporal_address,
        identity_address=known.identity_address,
        task_address=known.task_address,
        workflow_address=known.workflow_address,
        worker_key=WORKER_KEY,
        workflow_modules=modules,
        task_queue=f"queue-{uuid4().hex}",
    )


async def test_a_worker_without_modules_serves_the_built_in_workflows(world: World) -> None:
    settings = worker_settings(world, "")
    process = Process(settings)
    async with build_worker(process, settings):
        running = asyncio.create_task(process.run())
        await eventually(lambda: process.readiness.is_started)

        async def is_ready() -> bool:
            return (await process.readiness.report()).is_ready

        await eventually(is_ready, timeout=30)
        process.drain.begin()
        await running


async def test_the_role_worker_registers_serves_and_drains(world: World) -> None:
    settings = worker_settings(world, "customer_support.quick, customer_support.workflows")
    process = Process(settings)
    async with build_worker(process, settings):
        running = asyncio.create_task(process.run())
        await eventually(lambda: process.readiness.is_started)
        await _served(world, settings.task_queue)
        run = await world.client("agent").start_workflow(
            StartWorkflowRequest(definition="customer-support-quick", input=QUESTION)
        )
        assert (await world.task_of(run)).title == "Customer needs help"
        process.drain.begin()
        await running


async def test_what_temporals_core_logs_is_json_as_every_other_line(temporal_address: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", TALKATIVE, temporal_address, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await process.communicate()
    lines = [json.loads(line) for line in said.splitlines()]
    assert "Initializing worker" in {line["fields"]["message"] for line in lines}


async def test_a_worker_whose_schema_changed_without_a_version_ends_with_the_reason(world: World) -> None:
    await world.register("everything", version=3)
    with pytest.raises(FailedPrecondition) as refusal:
        await run_worker(["sdk_workflows"], settings=world.worker_settings)
    assert refusal.value.reason == "DEFINITION_CHANGED"


async def test_a_queue_of_running_workers_with_other_workflows_is_refused_until_they_have_ended(
    world: World, tmp_path: Path
) -> None:
    shared = replace(world.worker_settings, task_queue=f"queue-{uuid4().hex}")
    alone = replace(shared, only_its_own=True)
    async with worker_processes(shared, tmp_path) as others:
        other = others.start("customer_support.quick")
        await other.serving()
        with pytest.raises(FailedPrecondition) as refusal:
            await run_worker(["workflow_author"], settings=alone)
        assert (refusal.value.reason, "customer-support-quick" in str(refusal.value)) == ("TASK_QUEUE_TAKEN", True)
        await serves("customer_support.quick", settings=alone)
        other.kill()
    await serves("workflow_author", settings=alone)


class OlderService(WorkflowServiceServer):
    """As workflow-worker was before workers could ask it what is registered."""

    open_rpcs: frozenset[str] = frozenset()

    def __init__(self, service: WorkflowServiceClient) -> None:
        self._service = service

    async def list_definitions(self, ctx: Context, request: ListDefinitionsRequest) -> ListDefinitionsResponse:
        raise PermissionDenied("TENANT_REQUIRED", "This needs a credential that belongs to a tenant.")

    async def register_definitions(self, ctx: Context, request: RegisterDefinitionsRequest) -> ListDefinitionsResponse:
        return await self._service.register_definitions(request)


async def test_a_service_that_is_older_than_the_worker_does_not_keep_it_from_serving(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    older = server()
    service = OlderService(world.client("worker"))  # type: ignore[abstract]  # the other rpcs are not called
    add_workflow_service(older, service, world.signer.verifier().authenticate)
    address = f"127.0.0.1:{older.add_insecure_port('127.0.0.1:0')}"
    await older.start()
    own = replace(world.worker_settings, task_queue=f"queue-{uuid4().hex}", only_its_own=True)
    try:
        await serves("workflow_author", settings=replace(own, workflow_address=address))
    finally:
        await older.stop(0)
    assert "Whether others serve the same task queue cannot be seen" in caplog.text


async def serves(module: str, *, settings: sdk_worker.WorkerSettings) -> None:
    """Run a worker until it serves."""
    ready = asyncio.Event()
    async with asyncio.timeout(60):
        await run_worker([module], settings=settings, stop=ready, ready=ready)
    assert ready.is_set()


async def test_every_query_prepares_as_the_role_that_runs_it(world: World) -> None:
    for query in statements.load("orkestra.workflow_worker"):
        role = "sweep" if query.name.startswith("sweep_") else "app"
        conn = await asyncpg.connect(world.schema.url(role), server_settings={"search_path": "workflow"})
        try:
            await conn.prepare(query.text)
        finally:
            await conn.close()


async def test_the_sweeps_role_reads_runs_and_writes_nothing(world: World) -> None:
    conn = await asyncpg.connect(world.schema.url("sweep"))
    try:
        await conn.fetch("select workflow_id from workflow.runs")
        for refused in ("update workflow.runs set status = 'failed'", "select * from workflow.definitions"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(refused)
    finally:
        await conn.close()


async def test_row_level_security_alone_keeps_tenants_apart(world: World) -> None:
    await world.register("apart")
    await world.client("agent").start_workflow(StartWorkflowRequest(definition="apart", input=QUESTION))
    assert (await world.client("admin").list_workflows(ListWorkflowsRequest())).workflows
    conn = await asyncpg.connect(world.schema.url("app"))
    try:
        assert await conn.fetchval("select count(*) from workflow.runs") == 0
        async with conn.transaction():
            await conn.execute(f"set local app.tenant_id = '{uuid4()}'")
            assert await conn.fetchval("select count(*) from workflow.runs") == 0
    finally:
        await conn.close()


async def _served(world: World, task_queue: str) -> None:
    async def is_served() -> bool:
        named = GetDefinitionRequest(name="customer-support-quick")
        return (await world.client("agent").get_definition(named)).task_queue == task_queue

    async def is_known() -> bool:
        rows = await world.rows("select 1 from workflow.definitions where name = 'customer-support-quick'")
        return bool(rows)

    await eventually(is_known)
    await eventually(is_served)
