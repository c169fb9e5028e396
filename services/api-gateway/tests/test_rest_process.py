"""The REST door as its own process: `python -m orkestra.api_gateway`."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from door_rooms import running_rooms, workflow
from orkestra.chassis.http import listening_socket
from orkestra.chassis.tokens import Signer
from orkestra.testkit.waiting import eventually
from orkestra.wire import Context, Model
from rest_world import Migrated


def free_ports(count: int) -> list[int]:
    sockets = [listening_socket("127.0.0.1", 0) for _ in range(count)]
    ports = [bound.getsockname()[1] for bound in sockets]
    for bound in sockets:
        bound.close()
    return ports


@asynccontextmanager
async def process(module: str, settings: dict[str, Any]) -> AsyncIterator[asyncio.subprocess.Process]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORKESTRA_")}
    env = kept | {f"ORKESTRA_{name}": str(value) for name, value in settings.items()}
    started = await asyncio.create_subprocess_exec(sys.executable, "-m", module, env=env)
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
            await started.wait()


async def test_the_process_gets_ready_answers_what_it_holds_at_sigterm_and_ends(
    signer: Signer, migrated: Migrated, nats_url: str
) -> None:
    schema = await migrated("orkestra.api_gateway", "gateway")
    http_port, health_port = free_ports(2)

    async def held(_ctx: Context, request: Model) -> Model:
        await asyncio.sleep(request.model_dump()["wait"])
        return workflow()

    async with running_rooms(signer) as rooms:
        rooms.answer("get_workflow_result", held)
        settings = {
            "HTTP_PORT": http_port,
            "HEALTH_PORT": health_port,
            "DATABASE_URL": schema.app_url,
            "NATS_URL": nats_url,
            **dict.fromkeys(
                ("IDENTITY_ADDRESS", "TASK_ADDRESS", "WORKFLOW_ADDRESS", "NOTIFICATION_ADDRESS"), rooms.address
            ),
        }
        headers = {"authorization": f"Bearer {rooms.know('ork_known')}"}
        base = f"http://127.0.0.1:{http_port}"
        async with process("orkestra.api_gateway", settings) as door, httpx.AsyncClient(timeout=60) as http:
            await eventually(lambda: answers(f"http://127.0.0.1:{health_port}/readyz"), timeout=30)
            waiting = asyncio.create_task(http.get(f"{base}/v1/workflows/w/result?wait=50", headers=headers))
            await eventually(lambda: len(rooms.asked) == 1)
            door.send_signal(signal.SIGTERM)
            answer = await asyncio.wait_for(waiting, 5)
            status = await asyncio.wait_for(door.wait(), 15)
    assert (answer.status_code, answer.json()["status"]) == (200, "running")
    assert status == 0


async def test_an_unknown_setting_stops_the_start() -> None:
    async with process("orkestra.api_gateway", {"HTTP_PROT": 1}) as door:
        assert await asyncio.wait_for(door.wait(), 30) == 2


async def answers(url: str) -> bool:
    try:
        async with httpx.AsyncClient() as http:
            return (await http.get(url)).status_code == 200
    except httpx.TransportError:
        return False
