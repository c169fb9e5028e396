"""Measures every row of the performance table beside its floor in one run, and what both sides come to over the load.

make bench [ARGS="--tasks 10000 --plot performance.svg"]
"""

import argparse
import asyncio
import statistics
from functools import partial
from pathlib import Path
from typing import Any

from orkestra.chassis.logs import configure

from bench import calls, doors, events, pages
from bench.compared import Comparison, comparison, measure
from bench.cpu import cpu_seconds
from bench.cycle import Figures, throughput
from bench.filling import fill
from bench.plot import Step, draw
from bench.resting import memory_mb, timed_stack
from bench.table import Row, difference, figure, ratio, rendered

CLIENTS = (1, 2, 4, 8, 16, 32, 64)
CALM_SECONDS = 10
"""After the stack is ready, before memory is read."""


def story_rows(floor: Figures, ours: Figures, *, clients: int) -> list[Row]:
    """Return the rows of the main job."""
    return [
        ratio("question → task visible, p50 ms", floor.asked_ms, ours.asked_ms, "≤", 1.5),
        ratio("answer → workflow finished, p50 ms", floor.answered_ms, ours.answered_ms, "≤", 1.5),
        ratio(f"cycles per second, {clients} clients", floor.cycles_per_second, ours.cycles_per_second, "≥", 0.6),
    ]


def cpu_table(floor: Figures, ours: Figures) -> str:
    """Render the CPU of a cycle by process."""
    used = [(name, floor.cpu_ms[name], ours.cpu_ms[name]) for name in floor.cpu_ms]
    totals = ("together", sum(floor.cpu_ms.values()), sum(ours.cpu_ms.values()))
    lines = [f"{name:58}{bare:10.1f}{measured:10.1f}" for name, bare, measured in (*used, totals)]
    return "\n".join(["CPU a cycle, ms", *lines])


async def over_load(compared: Comparison, *, seconds: float) -> dict[str, list[Step]]:
    """Return what each side comes to with one client, with two, and so on."""
    cpu = partial(cpu_seconds, compared.processes)
    lines: dict[str, list[Step]] = {compared.floor.name: [], compared.ours.name: []}
    for clients in CLIENTS:
        for side in (compared.floor, compared.ours):
            load = await throughput(side, clients=clients, seconds=seconds, cpu=cpu)
            middle = statistics.median(cycle.asked + cycle.answered for cycle in load.cycles) * 1000
            lines[side.name].append(Step(clients, load.finished / load.seconds, middle))
    return lines


async def call_rows(info: dict[str, Any], tenant_id: str) -> list[Row]:
    """Return the rows of single calls, for a stack that has nothing else to do."""
    bare, claimed = await calls.claims(info, tenant_id)
    async with doors.sides(info) as both:
        get, complete = await doors.added(both, info)
    return [
        ratio("claim, p50 ms", statistics.median(bare), statistics.median(claimed), "≤", 1.6),
        difference("get at the REST door, p50 ms", get, "≤", 3),
        difference("complete at the REST door, p50 ms", complete, "≤", 3),
    ]


async def list_rows(info: dict[str, Any], tenant_id: str, *, tasks: int) -> list[Row]:
    """Return the rows of lists among few tasks and among many, and of pages among many."""
    filled = partial(fill, info["postgres"], tenant_id, per_tenant=calls.PER_TENANT)
    few_tenants = calls.FEW // calls.PER_TENANT
    task_ids = await filled(tenants=range(few_tenants))
    few = await calls.inbox_p95(info, tenant_id, task_ids[-1])
    await filled(tenants=range(few_tenants, tasks // calls.PER_TENANT))
    many = await calls.inbox_p95(info, tenant_id, task_ids[-1])
    slowest = max(statistics.median(times) for times in (await pages.timed_pages(info, task_ids[-1])).values())
    return [
        figure(f"inbox among {tasks} tasks, p95 ms", many, "≤", 10, floor=few),
        ratio(f"the same beside {calls.FEW} tasks", few, many, "≤", 2),
        figure(f"slowest page among {tasks} tasks, p50 ms", slowest, "≤", 50),
    ]


async def event_rows(info: dict[str, Any], tenant_id: str, *, seconds: int) -> list[Row]:
    """Return the rows of events."""
    flow = await events.flow(info, tenant_id, seconds=seconds)
    return [
        figure("event, commit → consumer, p50 ms", flow.outbox_ms, "≤", 10, floor=flow.bare_ms),
        figure(
            f"events a second at {events.RATE} offered (p50 {flow.steady_ms:.0f} ms)",
            flow.per_second,
            "≥",
            events.SUSTAINED,
        ),
    ]


def asked() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cycles", type=int, default=30, help="one after the other, in each round")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=10, help="of load, in each round")
    parser.add_argument("--tasks", type=int, default=1_000_000, help="in the tables, for lists and pages")
    parser.add_argument("--plot", type=Path, help="an SVG to write, with both sides over the load")
    return parser.parse_args()


async def main() -> None:
    """Start a stack of its own, measure, print the table."""
    arguments = asked()
    configure("bench", level="warning")
    async with timed_stack(port_offset=700) as (stack, ready_seconds):
        info, tenant_id = stack.info, stack.info["tenant"]["tenant_id"]
        await asyncio.sleep(CALM_SECONDS)
        memory = memory_mb(info["processes"])
        single = await call_rows(info, tenant_id)
        async with comparison(info) as compared:
            floor, ours = await measure(
                compared,
                rounds=arguments.rounds,
                cycles=arguments.cycles,
                clients=arguments.clients,
                seconds=arguments.seconds,
            )
            if arguments.plot:
                draw(arguments.plot, await over_load(compared, seconds=arguments.seconds))
        rows = story_rows(floor, ours, clients=arguments.clients)
        rows += await event_rows(info, tenant_id, seconds=int(arguments.seconds))
        rows += await list_rows(info, tenant_id, tasks=max(arguments.tasks, calls.FEW))
        rows += single
        rows.append(figure("idle memory of the seven services, MB", sum(memory.values()), "≤", 700))
        rows.append(figure("start of the whole stack, s", ready_seconds, "≤", 15))
    print(rendered(rows), cpu_table(floor, ours), sep="\n\n")
    print("\nidle memory, MB", *(f"{name:58}{mb:20.1f}" for name, mb in memory.items()), sep="\n")


if __name__ == "__main__":
    asyncio.run(main())
