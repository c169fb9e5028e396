"""Workflows that show what the sandbox shares, and what it refuses."""

import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

from orkestra.sdk import Context, workflow
from pydantic import BaseModel
from temporalio import workflow as temporal

MARK = object()
runs = 0


class Nothing(BaseModel):
    """No fields."""


@workflow("marked")
async def marked(ctx: Context, input: Nothing) -> str:
    """Tell which import of this module the run lives in."""
    return str(id(MARK))


@workflow("reads-the-clock")
async def reads_the_clock(ctx: Context, input: Nothing) -> float:
    return time.time()


@workflow("rolls-dice")
async def rolls_dice(ctx: Context, input: Nothing) -> int:
    return random.randint(1, 6)


@workflow("opens-files")
async def opens_files(ctx: Context, input: Nothing) -> str:
    with open("/etc/hostname") as file:  # noqa: ASYNC230 - what the sandbox refuses
        return file.read()


@workflow("imports-late")
async def imports_late(ctx: Context, input: Nothing) -> str:
    import os  # noqa: PLC0415 - what the sandbox restricts

    return os.getcwd()


@workflow("counts-runs")
async def counts_runs(ctx: Context, input: Nothing) -> int:
    global runs  # noqa: PLW0603 - what is refused
    runs += 1
    return runs


@temporal.defn
class CountsRuns:
    """Assigns a global from within a function of a method."""

    @temporal.run
    async def run(self) -> int:
        def count() -> int:
            global runs  # noqa: PLW0603 - what is refused
            runs += 1
            return runs

        return count()


REFUSED_AT_RUN_TIME: list[Callable[..., Awaitable[Any]] | type] = [
    reads_the_clock,
    rolls_dice,
    opens_files,
    imports_late,
]
