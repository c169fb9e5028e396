"""A process from start to end: health that tells the truth, refusals at the start, an end in order."""

import asyncio
import contextlib
import json
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import chassis_world as world
import grpc
import httpx
import pytest
from chassis_world import Migrated
from grpc_health.v1 import health_pb2, health_pb2_grpc
from orkestra.testkit import Schema, eventually, free_port

PROGRAM = Path(__file__).with_name("chassis_program.py")
AWAY = "postgresql://room_app@127.0.0.1:1/none"


@pytest.fixture(scope="session")
async def schema(migrated: Migrated) -> Schema:
    return await world.room(migrated)


class Program:
    """The running program."""

    def __init__(self, process: Process, environ: Mapping[str, str]) -> None:
        self.process = process
        self.health = f"http://127.0.0.1:{environ['ORKESTRA_HEALTH_PORT']}"
        self.grpc = f"127.0.0.1:{environ['ORKESTRA_GRPC_PORT']}"

    async def get(self, path: str) -> tuple[int, Any]:
        async with httpx.AsyncClient() as client:
            try:
                answer = await client.get(self.health + path)
            except httpx.TransportError:
                return 0, None
        return answer.status_code, answer.json() if path != "/metrics" else answer.text

    async def is_up(self) -> bool:
        return (await self.get("/livez"))[0] == 200

    async def status(self) -> str:
        _, body = await self.get("/readyz")
        return str(body["status"]) if body else ""


@contextlib.asynccontextmanager
async def started(database_url: str, nats_url: str, **settings: str) -> AsyncIterator[Program]:
    environ = {
        "ORKESTRA_DATABASE_URL": database_url,
        "ORKESTRA_NATS_URL": nats_url,
        "ORKESTRA_GRPC_PORT": str(free_port()),
        "ORKESTRA_HEALTH_PORT": str(free_port()),
        **settings,
    }
    process = await asyncio.create_subprocess_exec(sys.executable, str(PROGRAM), env=environ, stdout=PIPE, stderr=PIPE)
    try:
        yield Program(process, environ)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ended(program: Program, *, within: float) -> tuple[int, list[dict[str, Any]]]:
    """Exit status and log lines."""
    _, err = await asyncio.wait_for(program.process.communicate(), timeout=within)
    return program.process.returncode or 0, [json.loads(line) for line in err.decode().splitlines()]


async def test_a_held_call_answers_and_the_process_ends_when_it_is_told_to(schema: Schema, nats_url: str) -> None:
    async with started(schema.app_url, nats_url, ORKESTRA_DRAIN_PAUSE_SECONDS="3") as program:
        await eventually(lambda: _is(program, "ready"))
        async with grpc.aio.insecure_channel(program.grpc) as channel:
            call = channel.unary_unary("/test.Test/Hold", bytes, bytes)(b"", timeout=60)
            health = health_pb2_grpc.HealthStub(channel)
            await eventually(lambda: _serving(health, 1))
            assert not call.done()
            told_at = time.monotonic()
            program.process.send_signal(signal.SIGTERM)
            await eventually(lambda: _is(program, "draining"))
            assert (await program.get("/readyz"))[0] == 503
            assert (await program.get("/livez"))[0] == 200
            assert await _serving(health, 2)
            assert (await call).startswith(b"so far ")
        status, lines = await ended(program, within=30)
    assert status == 0
    assert time.monotonic() - told_at < 30
    assert [line["event"] for line in lines][-1] == "ended"


async def test_without_a_database_the_process_lives_and_says_what_is_missing(nats_url: str) -> None:
    async with started(AWAY, nats_url) as program:
        await eventually(lambda: _is(program, "unavailable"))
        status, body = await program.get("/readyz")
        assert status == 503
        assert body["dependencies"] == {
            "postgres": "The database cannot be reached; try again shortly.",
            "nats": "ok",
        }
        assert (await program.get("/livez"))[0] == 200
        program.process.terminate()
        assert (await ended(program, within=10))[0] == 0


async def test_without_nats_the_process_is_ready_and_says_so(schema: Schema) -> None:
    async with started(schema.app_url, "nats://127.0.0.1:1") as program:
        await eventually(lambda: _is(program, "degraded"))
        status, body = await program.get("/readyz")
        assert (status, body["dependencies"]["nats"]) == (200, "NATS cannot be reached.")
        _, metrics = await program.get("/metrics")
        assert "process_cpu_time_seconds_total" in metrics
        program.process.terminate()
        assert (await ended(program, within=10))[0] == 0


async def test_settings_are_logged_without_secrets_and_failing_loops_are_named(schema: Schema, nats_url: str) -> None:
    secret = schema.app_url.replace("room_app@", "room_app:hunter2@")
    async with started(secret, nats_url) as program:
        await eventually(lambda: _is(program, "ready"))
        program.process.terminate()
        status, lines = await ended(program, within=10)
    assert status == 0
    assert lines[0]["event"] == "starting"
    assert lines[0]["settings"]["drain_seconds"] == 10.0
    assert "hunter2" not in json.dumps(lines)
    failed = next(line for line in lines if line["event"] == "loop failed")
    assert (failed["loop"], failed["service"], failed["level"]) == ("failing", "program", "error")
    assert "a loop that always fails" in failed["exception"]


async def test_a_process_with_bad_settings_ends_with_status_2_and_a_sentence(nats_url: str) -> None:
    async with started(AWAY, nats_url, ORKESTRA_NOISE="1") as program:
        _, err = await program.process.communicate()
    assert program.process.returncode == 2
    assert b"ORKESTRA_NOISE is not a setting of this process" in err
    assert b"Traceback" not in err


async def test_a_taken_port_ends_the_start_with_a_sentence(schema: Schema, nats_url: str) -> None:
    async with started(schema.app_url, nats_url) as first:
        await eventually(first.is_up)
        port = first.health.rpartition(":")[2]
        async with started(schema.app_url, nats_url, ORKESTRA_HEALTH_PORT=port) as second:
            _, err = await asyncio.wait_for(second.process.communicate(), timeout=10)
    assert second.process.returncode == 1
    assert f"127.0.0.1:{port} cannot be listened on" in err.decode()


async def _is(program: Program, status: str) -> bool:
    return await program.status() == status


async def _serving(health: Any, status: int) -> bool:
    answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=5)
    return bool(answer.status == status)
