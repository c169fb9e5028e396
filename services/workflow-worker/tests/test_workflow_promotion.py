"""Pinned builds: what a worker pins, and the role that has new runs begin on a build."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import ModuleType
from uuid import uuid4

import pytest
from orkestra.chassis.settings import SettingsError, load
from orkestra.sdk.builds import pinned
from orkestra.sdk.converter import data_converter
from orkestra.testkit import eventually
from orkestra.workflow_worker import __main__ as program
from orkestra.workflow_worker.rules import BUILTIN_QUEUE
from orkestra.workflow_worker.settings import WorkerSettings
from temporalio import workflow
from temporalio.api.workflowservice.v1 import DescribeWorkerDeploymentRequest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

KNOWN = dict.fromkeys(("IDENTITY_ADDRESS", "TASK_ADDRESS", "WORKFLOW_ADDRESS"), "127.0.0.1:1")
TOLD = KNOWN | {"WORKER_KEY": "k", "HEALTH_PORT": "0", "WORKFLOW_MODULES": "", "TEMPORAL_ADDRESS": "127.0.0.1:1"}


@workflow.defn(name="never-started")
class NeverStarted:
    @workflow.run
    async def run(self) -> None:
        """Nothing."""


def environ(**told: str) -> dict[str, str]:
    return {f"ORKESTRA_{name}": value for name, value in (TOLD | told).items()}


def served(**told: str) -> list[tuple[list[str], str, str | None]]:
    """Names of the modules, task queue and build of each part of a worker."""
    parts = program._parts(load(WorkerSettings, environ(**told)))
    names = [[one.__name__ if isinstance(one, ModuleType) else one for one in modules] for modules, _ in parts]
    return [(name, part.task_queue, part.build) for name, (_, part) in zip(names, parts, strict=True)]


def test_a_worker_pins_what_it_was_deployed_for() -> None:
    builtin = ["orkestra.workflow_worker.workflows"]
    assert served(BUILD="7") == [(builtin, BUILTIN_QUEUE, "7")]
    theirs = served(BUILD="7", WORKFLOW_MODULES="acme.refunds", TASK_QUEUE="refunds")
    assert theirs == [(builtin, BUILTIN_QUEUE, None), (["acme.refunds"], "refunds", "7")]
    assert [build for _, _, build in served(WORKFLOW_MODULES="acme.refunds")] == [None, None]


def test_who_promotes_says_which_build() -> None:
    with pytest.raises(SettingsError, match="ORKESTRA_BUILD"):
        load(WorkerSettings, environ(ROLE="promote"))


@asynccontextmanager
async def promoting(temporal: str, queue: str, *, seconds: int) -> AsyncIterator[asyncio.subprocess.Process]:
    told = {"ROLE": "promote", "BUILD": "seven", "WORKFLOW_MODULES": "m", "TASK_QUEUE": queue}
    env = environ(TEMPORAL_ADDRESS=temporal, PROMOTE_SECONDS=str(seconds), **told)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORKESTRA_")}
    command = (sys.executable, "-m", "orkestra.workflow_worker")
    running = await asyncio.create_subprocess_exec(*command, env=kept | env, stderr=asyncio.subprocess.PIPE)
    try:
        yield running
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def test_a_build_is_promoted_once_its_workers_are_there(temporal_address: str) -> None:
    queue = f"queue-{uuid4().hex}"
    client = await Client.connect(temporal_address, data_converter=data_converter)
    async with (
        promoting(temporal_address, queue, seconds=100) as job,
        Worker(
            client,
            task_queue=queue,
            workflows=[NeverStarted],
            workflow_runner=UnsandboxedWorkflowRunner(),
            deployment_config=pinned(queue, "seven"),
        ),
    ):
        assert await asyncio.wait_for(job.wait(), 100) == 0

        async def current() -> bool:
            asked = DescribeWorkerDeploymentRequest(namespace="default", deployment_name=queue)
            try:
                found = await client.workflow_service.describe_worker_deployment(asked)
            except RPCError:
                return False
            routing = found.worker_deployment_info.routing_config
            return routing.current_deployment_version.build_id == "seven"

        await eventually(current, timeout=30)


async def test_a_build_that_nobody_serves_is_not_promoted(temporal_address: str) -> None:
    async with promoting(temporal_address, f"queue-{uuid4().hex}", seconds=0) as job:
        _, said = await asyncio.wait_for(job.communicate(), 100)
    assert job.returncode == 1
    assert b"seven is not promoted: No worker of" in said
