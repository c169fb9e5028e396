"""Measures what an installation has to have room for: bytes of an open task and of a cycle, connections, memory.

python -m bench.sizing [--tasks 100000] [--cycles 600]
"""

import argparse
import asyncio
from collections.abc import Mapping
from typing import Any

import asyncpg
import nats
from orkestra.chassis.streams import EVENTS
from orkestra.testkit.stack import running_stack
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client

from bench.calls import PER_TENANT
from bench.compared import comparison
from bench.cpu import cpu_seconds
from bench.cycle import Load, throughput
from bench.filling import fill
from bench.resting import memory_mb

CLIENTS = 32
SETTLED_SECONDS = 15
"""After the load, until its last events are handled, histories are signed, and dead rows are counted."""
SIZES = """
select format('%I.%I', schemaname, relname) as name, pg_total_relation_size(relid) as bytes
from pg_stat_user_tables where schemaname <> 'bench'
"""
CONNECTIONS = """
select usename as role, count(*) as number from pg_stat_activity
where datname = current_database() and usename <> 'postgres' group by usename order by usename
"""


class Room:
    """What is taken, read from outside."""

    def __init__(self, info: dict[str, Any], conn: asyncpg.Connection) -> None:
        self._info = info
        self._conn = conn

    async def tables(self) -> dict[str, int]:
        """Return the bytes of each table with its indexes and what is stored beside it."""
        return {row["name"]: row["bytes"] for row in await self._conn.fetch(SIZES)}

    async def connections(self) -> dict[str, int]:
        """Return how many connections each role has."""
        return {row["role"]: row["number"] for row in await self._conn.fetch(CONNECTIONS)}

    async def stream(self) -> tuple[int, int]:
        """Return events and their bytes in JetStream."""
        client = await nats.connect(self._info["nats"])
        try:
            state = (await client.jetstream().stream_info(EVENTS)).state
            return state.messages, state.bytes
        finally:
            await client.close()

    async def cycles(self) -> int:
        """Return how many runs there were."""
        return int(await self._conn.fetchval("select count(*) from workflow.runs"))

    async def history_bytes(self) -> int:
        """Return what Temporal stores of the newest run."""
        workflow_id = await self._conn.fetchval(
            "select workflow_id from workflow.runs order by started_at desc limit 1"
        )
        client = await Client.connect(self._info["temporal"])
        request = DescribeWorkflowExecutionRequest(
            namespace="default", execution=WorkflowExecution(workflow_id=workflow_id)
        )
        described = await client.workflow_service.describe_workflow_execution(request)
        return int(described.workflow_execution_info.history_size_bytes)


def each(title: str, before: Mapping[str, int], after: Mapping[str, int], number: int) -> list[str]:
    """Render the bytes that each table has grown by, divided by `number`; the smallest are left out."""
    grown = {name: (after[name] - before.get(name, 0)) / number for name in after}
    kept = sorted(((size, name) for name, size in grown.items() if size >= 10), reverse=True)
    return [
        title,
        *(f"  {name:40}{size:10.0f}" for size, name in kept),
        f"  {'together':40}{sum(grown.values()):10.0f}",
    ]


async def busy(info: dict[str, Any], *, cycles: int) -> Load:
    """Run at least so many cycles with many clients at once."""
    async with comparison(info) as compared:
        await throughput(compared.ours, clients=4, seconds=2, cpu=dict)  # warm
        done: list[Load] = []
        while sum(load.finished for load in done) < cycles:
            load = await throughput(
                compared.ours, clients=CLIENTS, seconds=10, cpu=lambda: cpu_seconds(compared.processes)
            )
            done.append(load)
    names = done[0].cpu
    return Load(
        [cycle for load in done for cycle in load.cycles],
        sum(load.seconds for load in done),
        {name: sum(load.cpu[name] for load in done) for name in names},
    )


async def measured(info: dict[str, Any], room: Room, *, tasks: int, cycles: int) -> list[str]:
    """Load the stack, and say what that took."""
    idle = await room.connections()
    before, events_before = await room.tables(), await room.stream()
    load = await busy(info, cycles=cycles)
    connections, memory = await room.connections(), memory_mb(info["processes"])
    await asyncio.sleep(SETTLED_SECONDS)
    after, events = await room.tables(), await room.stream()
    number = await room.cycles()
    await fill(info["postgres"], info["tenant"]["tenant_id"], per_tenant=PER_TENANT, tenants=range(tasks // PER_TENANT))
    filled = await room.tables()
    told, told_bytes = (new - old for new, old in zip(events, events_before, strict=True))
    return [
        *each(f"bytes of an open task, {tasks} loaded", after, filled, tasks),
        *each(f"bytes of a cycle, {number} run", before, after, number),
        f"events of a cycle {told / number:.1f}, their bytes in JetStream {told_bytes / number:.0f}",
        f"bytes of a cycle's history in Temporal {await room.history_bytes()}",
        f"{load.finished / load.seconds:.1f} cycles a second; milliseconds of CPU for one:",
        *(f"  {name:40}{seconds * 1000 / load.finished:10.1f}" for name, seconds in load.cpu.items()),
        "connections idle and under load",
        *(f"  {role:40}{idle.get(role, 0):10}{number:10}" for role, number in connections.items()),
        "memory under load, MB",
        *(f"  {name:40}{mb:10.0f}" for name, mb in memory.items()),
    ]


async def main() -> None:
    """Start a stack of its own, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.sizing", description=__doc__)
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--cycles", type=int, default=600)
    given = parser.parse_args()
    async with running_stack(port_offset=1500) as stack:
        conn = await asyncpg.connect(stack.info["postgres"])
        lines = await measured(stack.info, Room(stack.info, conn), tasks=given.tasks, cycles=given.cycles)
        await conn.close()
    print("\n".join(lines))


if __name__ == "__main__":
    asyncio.run(main())
