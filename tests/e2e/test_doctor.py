"""`orkestra doctor` on the running stack: all is well, and each process that stands still is named with the remedy."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from orkestra.cli.commands import app
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from typer.testing import CliRunner

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]

NAMES = {"postgres": "PostgreSQL", "nats": "NATS", "temporal": "Temporal"}
PROCESSES = [
    *("postgres", "nats", "temporal", "identity-service", "task-service", "workflow-worker", "notification-service"),
    *("worker", "api-gateway", "mcp-gateway", "dashboard"),
]


async def examined(stack: Stack, *, seconds: float) -> tuple[int, Mapping[str, Mapping[str, Any]]]:
    words = ["doctor", "--json", "--timeout", str(seconds), "--state-dir", str(stack.state_dir)]
    ran = await asyncio.to_thread(lambda: CliRunner().invoke(app, words))
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.exit_code, {one["name"]: one for one in json.loads(ran.stdout)["findings"]}


async def test_a_stack_is_well(stack: Stack) -> None:
    async def is_well() -> bool:
        code, found = await examined(stack, seconds=20)
        whole = {*NAMES.values(), *PROCESSES[3:], "PostgreSQL: schemas", "worker key", "workers", "this machine"}
        return code == 0 and whole <= {name for name, one in found.items() if one["status"] == "ok"}

    await eventually(is_well, timeout=60)


@pytest.mark.parametrize("process", PROCESSES)
async def test_a_process_that_stands_still_is_named_with_what_to_do(stack: Stack, process: str) -> None:
    async with stack.paused(process):
        code, found = await examined(stack, seconds=1.0)
    finding = found[NAMES.get(process, process)]
    assert (code, finding["status"]) == (1, "broken"), found
    assert "does not answer" in finding["detail"]
    assert f"{stack.state_dir}/logs/{process}.log" in finding["remedy"]
