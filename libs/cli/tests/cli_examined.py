"""A room in process with what it is set up with, its database and NATS away, and `orkestra doctor` that looks at it."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from orkestra.chassis.http import HttpServer
from orkestra.chassis.process import Process
from orkestra.chassis.settings import ServiceSettings, load
from orkestra.cli.commands import app
from typer.testing import CliRunner

Findings = Mapping[str, Mapping[str, Any]]
S = TypeVar("S", bound=ServiceSettings)
NOWHERE = "127.0.0.1:9"
ROOM = {
    "DATABASE_URL": f"postgresql://app@{NOWHERE}/none",
    "RELAY_DATABASE_URL": f"postgresql://relay@{NOWHERE}/none",
    "SWEEP_DATABASE_URL": f"postgresql://sweep@{NOWHERE}/none",
    "NATS_URL": f"nats://{NOWHERE}",
    "GRPC_PORT": "0",
    "HEALTH_PORT": "0",
}


@asynccontextmanager
async def room(
    build: Callable[[Process, S], AbstractAsyncContextManager[None]], settings: type[S], told: Mapping[str, str]
) -> AsyncIterator[str]:
    """Serve the health port of a room alone, which needs no other server; yields its address."""
    values = ROOM | dict(told)
    loaded = load(settings, {f"ORKESTRA_{name}": value for name, value in values.items()})
    process = Process(loaded)
    health = HttpServer(process.health_app(), host="127.0.0.1", port=0, drain_seconds=1)
    async with build(process, loaded):
        await health.start()
        try:
            yield f"http://127.0.0.1:{health.port}"
        finally:
            await health.stop()


async def examined(health: str, name: str, *, seconds: float = 10.0) -> tuple[int, Findings]:
    """What `orkestra doctor` finds where it is told of the health port of one room alone, and its exit code."""
    return await asked(Path("/nowhere"), seconds=seconds, **{f"ORKESTRA_{name}_HEALTH_URL": health})


async def asked(state: Path, *, seconds: float = 10.0, **given: str) -> tuple[int, Findings]:
    """What `orkestra doctor` finds of the stack of a folder, or where this is said, and its exit code."""
    words = ["doctor", "--json", "--timeout", str(seconds), "--state-dir", str(state)]
    env = {known: None for known in os.environ if known.startswith("ORKESTRA_")} | given
    ran = await asyncio.to_thread(lambda: CliRunner().invoke(app, words, env=env))
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    said = json.JSONDecoder().raw_decode(ran.stdout[ran.stdout.index("{") :])[0]
    return ran.exit_code, {one["name"]: one for one in said["findings"]}
