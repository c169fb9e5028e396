"""Both sides of the main job: the story by Orkestra, and the same on the bare Temporal SDK, measured in turns."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import asyncpg
import grpc
import httpx
from orkestra.v1.identity import IdentityServiceClient
from temporalio.client import Client

from bench.cpu import cpu_seconds
from bench.cycle import Cycle, Figures, Load, Side, figures, halves, throughput
from bench.floor import BareSdk
from bench.rows import Rows
from bench.story import TRIGGER, Orkestra, Token

REST_SECONDS = 0.4
"""Between two cycles: what one side leaves to be done is not measured with the other."""
SETTLE_SECONDS = 11.0
"""Of load before one is measured: Temporal keeps a time-out of ten seconds for each step of a run, and works on it when
it is due, so that each side else pays for the steps of the other."""


@asynccontextmanager
async def floor_worker(info: dict[str, Any]) -> AsyncIterator[int]:
    """Run the floor's worker in a process of its own; yields its process id."""
    command = [sys.executable, "-m", "bench.floor_worker", info["temporal"], info["postgres"]]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert await asyncio.wait_for(process.stdout.readline(), 30) == b"ready\n"
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def session_token(info: dict[str, Any]) -> str:
    """Sign in a demo member of support-l1."""
    user = next(user for user in info["users"] if "support-l1" in user["groups"])
    async with httpx.AsyncClient(base_url=info["rest"]) as http:
        answer = await http.post("/v1/sessions", json={"email": user["email"], "password": user["password"]})
        token: str = answer.raise_for_status().json()["token"]
        return token


@dataclass(frozen=True)
class Comparison:
    """Both sides, and the process ids whose CPU is read."""

    floor: Side
    ours: Side
    processes: Mapping[str, int]


@asynccontextmanager
async def comparison(info: dict[str, Any]) -> AsyncIterator[Comparison]:
    """Connect both sides to the same PostgreSQL and the same Temporal server."""
    async with AsyncExitStack() as stack:
        worker = await stack.enter_async_context(floor_worker(info))
        conn = await asyncpg.connect(info["postgres"])
        await conn.execute(TRIGGER)
        await conn.close()
        floor_rows = await Rows.listen(info["postgres"], "bench_questions")
        stack.push_async_callback(floor_rows.close)
        task_rows = await Rows.listen(info["postgres"], "bench_tasks")
        stack.push_async_callback(task_rows.close)
        channels = {
            name: await stack.enter_async_context(grpc.aio.insecure_channel(info[name]))
            for name in ("identity", "task", "workflow")
        }
        identity = IdentityServiceClient(channels["identity"])
        yield Comparison(
            BareSdk(await Client.connect(info["temporal"]), floor_rows),
            Orkestra(
                tasks=channels["task"],
                workflows=channels["workflow"],
                system=Token(identity, info["api_keys"]["system"]),
                person=Token(identity, await session_token(info)),
                rows=task_rows,
            ),
            {"clients": os.getpid(), "bare worker": worker, "supervisor": info["supervisor"], **info["processes"]},
        )


async def measure(
    compared: Comparison, *, rounds: int, cycles: int, clients: int, seconds: float
) -> tuple[Figures, Figures]:
    """Measure both sides in turns, cycle by cycle, so that a noisy second hits both."""
    pair = (compared.floor, compared.ours)
    cpu = partial(cpu_seconds, compared.processes)
    timed: dict[str, list[Cycle]] = {side.name: [] for side in pair}
    loads: dict[str, list[Load]] = {side.name: [] for side in pair}
    for side in pair:
        await halves(side, cycles=5)  # warm-up
    for _ in range(rounds * cycles):
        for side in pair:
            timed[side.name] += await halves(side, cycles=1)
            await asyncio.sleep(REST_SECONDS)
    for _ in range(rounds):
        for side in pair:
            await throughput(side, clients=clients, seconds=SETTLE_SECONDS, cpu=dict)
            loads[side.name].append(await throughput(side, clients=clients, seconds=seconds, cpu=cpu))
    floor, ours = (figures(timed[side.name], loads[side.name]) for side in pair)
    return floor, ours
