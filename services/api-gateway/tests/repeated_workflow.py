"""A workflow that takes signals and updates; a module of its own because the sandbox imports it anew for each run."""

from orkestra.sdk import Context, workflow
from pydantic import BaseModel
from temporalio import workflow as temporal


class Nothing(BaseModel):
    """Needs no input."""


@workflow("counts-repeats")
async def counts_repeats(ctx: Context, asked: Nothing) -> int:
    """Count what updates add until somebody ends it."""
    count = 0

    def hear(words: str) -> None:
        return None

    def add(more: int) -> int:
        nonlocal count
        count += more
        return count

    temporal.set_signal_handler("go-on", hear)
    temporal.set_update_handler("add", add)
    await temporal.wait_condition(lambda: count >= 1000)
    return count
