"""task-service as the process it runs as: from its settings, with identity, NATS and PostgreSQL, to its end."""

import asyncio
import base64
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from orkestra.chassis.grpc import channel
from orkestra.cli.ports import free_port
from orkestra.testkit.waiting import eventually
from orkestra.v1.task import (
    Action,
    CompleteTaskRequest,
    GetTaskRequest,
    RedeemReceiptRequest,
    Redemption,
    Task,
    TaskContext,
    VerifyTaskHistoryRequest,
)
from orkestra.wire import FailedPrecondition, Unavailable
from task_world import ANSWER, Caller, World, ask, ask_for_run, world

__all__ = ["world"]


@asynccontextmanager
async def process(world: World, nats_url: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, int, int]]:
    grpc_port, health_port = free_port(), free_port()
    environment = {
        "ORKESTRA_DATABASE_URL": world.url("app"),
        "ORKESTRA_RELAY_DATABASE_URL": world.url("relay"),
        "ORKESTRA_SWEEP_DATABASE_URL": world.url("sweep"),
        "ORKESTRA_NATS_URL": nats_url,
        "ORKESTRA_IDENTITY_ADDRESS": world.address,
        "ORKESTRA_SERVICE_KEY": "k" * 40,
        "ORKESTRA_RECEIPT_SIGNING_KEY": base64.b64encode(bytes(32)).decode(),
        "ORKESTRA_GRPC_PORT": str(grpc_port),
        "ORKESTRA_HEALTH_PORT": str(health_port),
        "ORKESTRA_END_SWEEP_SECONDS": "0.2",
        "ORKESTRA_END_SWEEP_AGE_SECONDS": "0.5",
        "ORKESTRA_HISTORY_SWEEP_SECONDS": "0.2",
    }
    started = await asyncio.create_subprocess_exec(sys.executable, "-m", "orkestra.task_service", env=environment)
    try:
        yield started, grpc_port, health_port
    finally:
        if started.returncode is None:
            started.kill()
        await started.wait()


async def is_ready(port: int) -> bool:
    async with httpx.AsyncClient() as http:
        try:
            return (await http.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200
        except httpx.TransportError:
            return False


async def test_it_serves_tells_again_and_ends_in_order(world: World, nats_url: str) -> None:
    tenant = world.tenant()
    async with process(world, nats_url) as (running, grpc_port, health_port):
        await eventually(lambda: is_ready(health_port), timeout=60)
        outside = channel(f"127.0.0.1:{grpc_port}")
        person = tenant.person("ana", "support-l1").principal
        ana = Caller(person, world.signer, outside, "rest")
        worker = Caller(tenant.worker().principal, world.signer, outside, "worker")
        task = await worker.create_task(ask_for_run(candidate_groups=["support-l1"]))
        await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))

        async def told_again() -> bool:
            rows = await world.rows(
                "select 1 from outbox where tenant_id = $1 and subject like '%.completed' and published_at is not null",
                tenant.id,
            )
            return len(rows) >= 2

        await eventually(told_again)

        async def is_signed() -> bool:
            found = await ana.verify_task_history(VerifyTaskHistoryRequest(task_id=task.task_id))
            assert found.intact
            return found.signed_up_to == found.entries

        await eventually(is_signed)
        assert isinstance(await ana.get_task(GetTaskRequest(task_id=task.task_id)), Task)
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), 15) == 0
        with pytest.raises(Unavailable):
            await ana.get_task(GetTaskRequest(task_id=task.task_id), timeout=0.5)
        await outside.close(None)


async def test_one_receipt_redeemed_at_two_processes_at_once_is_used_once(world: World, nats_url: str) -> None:
    tenant = world.tenant()
    ana, bot = tenant.person("ana", "support-l1").principal, tenant.agent().principal
    async with process(world, nats_url) as (_, *one), process(world, nats_url) as (_, *two):
        for _, health_port in (one, two):
            await eventually(lambda port=health_port: is_ready(port), timeout=60)  # type: ignore[misc]
        doors = [channel(f"127.0.0.1:{grpc_port}") for grpc_port, _ in (one, two)]
        action = TaskContext(action=Action(name="pay", args={"euros": 5}))
        asked = ask(candidate_groups=["support-l1"], context=action)
        task = await Caller(bot, world.signer, doors[0], "mcp").create_task(asked)
        answer = CompleteTaskRequest(task_id=task.task_id, data=ANSWER)
        await Caller(ana, world.signer, doors[1], "rest").complete_task(answer)
        agents = [Caller(bot, world.signer, door, "mcp") for door in doors]
        receipt = (await agents[0].get_task(GetTaskRequest(task_id=task.task_id))).receipt
        assert receipt is not None
        uses = [RedeemReceiptRequest(token=receipt.token, use_id=f"use-{number}") for number in range(20)]
        came = await asyncio.gather(
            *(agents[number % 2].redeem_receipt(use) for number, use in enumerate(uses)), return_exceptions=True
        )
        assert len([each for each in came if isinstance(each, Redemption)]) == 1
        refused = [each.reason for each in came if isinstance(each, FailedPrecondition)]
        assert refused == ["RECEIPT_USED"] * 19
        for door in doors:
            await door.close(None)
