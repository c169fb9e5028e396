"""Runs on the test process's Temporal that a test left open."""

from contextlib import suppress

from orkestra.testkit.waiting import eventually
from temporalio.client import Client
from temporalio.service import RPCError


async def end_open_runs(temporal_address: str) -> None:
    """Terminates every open run: built-in workflows have one queue, and the next test's worker would take them up."""
    client = await Client.connect(temporal_address)

    async def none_is_left() -> bool:
        found = [run async for run in client.list_workflows("ExecutionStatus = 'Running'")]
        for run in found:
            with suppress(RPCError):  # it ended by itself
                await client.get_workflow_handle(run.id, run_id=run.run_id).terminate("left open by a test")
        return not found

    await eventually(none_is_left)
