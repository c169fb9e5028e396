"""Replaces the processes of a running stack by other code, one after the other, as a rolling upgrade does.

Older releases import this to describe themselves: what it imports of ours is what they have, too.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from fault_system import FaultedStack, clock
from orkestra.cli.services import Service, Surroundings, doors, rooms
from orkestra.cli.state import StateDir
from orkestra.testkit.waiting import eventually

READY_WITHIN = 400.0
"""Seconds; a process that ends may hold calls for half a minute, and others use the machine."""
PAUSE_SECONDS = 2
"""How long a door goes on serving when it is to end, so that a balancer that looks late has noticed."""
DESCRIBE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from fault_upgrade import described
print(json.dumps(described(json.loads(sys.stdin.read()))))
"""
Code = Mapping[str, Any]
"""Of each process, by the name of the first of its kind: command and environment."""


@dataclass(frozen=True)
class Release:
    """One version of the code: the interpreter whose packages it is."""

    name: str
    python: str

    async def processes(self, stack: FaultedStack) -> Code:
        """Return how this release would run each process in the places of the running stack."""
        around = {"state": str(stack.state_dir), "ports": await stack.order("ports"), **stack.info}
        asked = json.dumps(around)
        command = [self.python, "-c", DESCRIBE, str(Path(__file__).parent)]
        told = await asyncio.to_thread(
            subprocess.run, command, input=asked, capture_output=True, text=True, check=False
        )
        assert told.returncode == 0, told.stderr
        code: Code = json.loads(told.stdout)
        return code


def described(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return command and environment of each process, as this interpreter's code has them."""
    around = Surroundings(
        ports=asked["ports"],
        secrets=StateDir(Path(asked["state"])).secrets(),
        database_url=lambda role: str(asked["postgres"]).replace("postgres@", f"{role}@", 1),
        nats_url=asked["nats"],
        temporal_address=asked["temporal"],
        logs=Path(asked["state"]) / "logs",
        environ={name: value for name, value in os.environ.items() if not name.startswith("ORKESTRA_")},
    )
    return {service.process.name: _shown(service) for service in (*rooms(around), *doors(around))}


def _shown(service: Service) -> dict[str, Any]:
    return {"command": service.process.command, "environment": service.process.env}


async def bring_schemas_up_to_date(stack: FaultedStack) -> None:
    """Do what the hook of the chart does before the first process is replaced: this code's migrations."""
    command = [sys.executable, "-m", "orkestra.cli", "migrate", "--database-url", stack.info["postgres"]]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def roll(stack: FaultedStack, release: Release) -> None:
    """Replace every process by this release's, each ended in order and waited for before the next."""
    code = await release.processes(stack)
    for first in code:
        for process in (first, f"{first}-2"):
            await _replace(stack, process, code[first], release.name)


async def _replace(stack: FaultedStack, process: str, code: Mapping[str, Any], release: str) -> None:
    before = stack.info["processes"][process]
    _say(f"{process} is to end")
    await stack.order("replace", process=process, **code)

    def is_another() -> bool:
        assert stack.info["processes"][process] != before, f"{process} goes on:\n{_last_lines(stack, process)}"
        return True

    async def is_back() -> bool:
        is_ready = await _is_ready(stack.info["health"][process], stack.info["processes"][process])
        assert is_ready, f"{process} is not ready:\n{_last_lines(stack, process)}"
        return True

    await eventually(is_another, timeout=READY_WITHIN, every=0.05)
    _say(f"{process} has ended")
    await eventually(is_back, timeout=READY_WITHIN, every=0.2)
    _say(f"{process} is of {release}")


def _say(what: str) -> None:
    print(f"{clock()} {what}", flush=True)  # noqa: T201


def _last_lines(stack: FaultedStack, process: str) -> str:
    """What a process and the one that starts it said last."""
    logs = (stack.state_dir / "logs" / f"{process}.log", stack.state_dir.parent / f"{stack.state_dir.name}.log")
    return "\n".join(log.read_text("utf-8")[-1500:] for log in logs if log.exists())


async def _is_ready(health: str, pid: int) -> bool:
    try:
        async with httpx.AsyncClient(base_url=health, timeout=2) as http:
            answer = await http.get("/readyz")
    except httpx.TransportError:
        return False
    return answer.status_code == httpx.codes.OK and answer.json()["pid"] == pid
