"""What can break while clients work, by name: processes, links, PostgreSQL's disk and rights, the stream."""

import asyncio
import json
import random
import shutil
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import uuid4

from fault_events import heard_slowly, poisoned, told_again
from fault_system import FaultedStack
from orkestra.testkit.waiting import eventually

Fault = Callable[[FaultedStack, random.Random], Awaitable[str]]
"""Breaks something, lasts a few seconds, mends it, and says what was broken."""

MODULES = {
    "task-service": "orkestra.task_service",
    "workflow-worker": "orkestra.workflow_worker",
    "identity-service": "orkestra.identity_service",
    "notification-service": "orkestra.notification_service",
}
SERVICES = (*MODULES, "worker", "api-gateway", "mcp-gateway", "dashboard")
SERVERS = ("nats", "temporal", "postgres")
PROCESSES = (*SERVICES, *(f"{name}-2" for name in SERVICES), *SERVERS)
POINTS = ("before-commit", "after-commit", "before-publish", "mid-publish")
CALLED = {
    "task-service": ("identity-service", "postgres", "nats"),
    "workflow-worker": ("identity-service", "task-service", "postgres", "nats", "temporal"),
    "identity-service": ("postgres", "nats"),
    "notification-service": ("identity-service", "postgres", "nats"),
    "worker": ("identity-service", "task-service", "workflow-worker", "temporal"),
    "api-gateway": ("identity-service", "task-service", "workflow-worker", "postgres"),
    "clients": ("api-gateway",),
}
"""Who calls whom while clients work."""


async def killed(stack: FaultedStack, chance: random.Random) -> str:
    victim = chance.choice(PROCESSES)
    await stack.kill(victim)
    return f"kill -9 {victim}"


async def killed_both(stack: FaultedStack, chance: random.Random) -> str:
    victim = chance.choice(SERVICES)
    await asyncio.gather(stack.kill(victim), stack.kill(f"{victim}-2"))
    return f"kill -9 {victim}, both"


async def killed_at_a_point(stack: FaultedStack, chance: random.Random) -> str:
    service, point = chance.choice(list(MODULES)), chance.choice(POINTS)
    armed = {"id": uuid4().hex, "module": MODULES[service], "point": point, "after": chance.randint(1, 4)}
    fired = stack.folder / f"fired-{armed['id']}"
    being_written = stack.folder / "being-written"
    being_written.write_text(json.dumps(armed), "utf-8")
    being_written.rename(stack.folder / "armed")
    with suppress(AssertionError):  # nobody came by
        await eventually(fired.exists, timeout=6)
    (stack.folder / "armed").unlink(missing_ok=True)
    return f"kill -9 {service} {point}{'' if fired.exists() else ' (nobody came by)'}"


async def stopped(stack: FaultedStack, chance: random.Random) -> str:
    victim, seconds = chance.choice(PROCESSES), chance.uniform(2, 5)
    async with stack.paused(victim):
        await asyncio.sleep(seconds)
    return f"{victim} stands still for {seconds:.0f} s"


async def stream_lost(stack: FaultedStack, _chance: random.Random) -> str:
    async with stack.paused("nats"):  # else it may write into what is being deleted
        shutil.rmtree(stack.state_dir / "nats")
        await stack.kill("nats")
    return "JetStream's store is deleted"


async def replies_cut(stack: FaultedStack, chance: random.Random) -> str:
    client, target = _arrow(chance)
    mode, seconds = chance.choice(["cut", "torn"]), chance.uniform(1, 4)
    async with stack.broken(client, target, mode):
        await asyncio.sleep(seconds)
    return f"answers of {target} to {client} are {'lost' if mode == 'cut' else 'broken off'} for {seconds:.0f} s"


async def parted(stack: FaultedStack, chance: random.Random) -> str:
    client, target = _arrow(chance)
    seconds = chance.uniform(2, 6)
    async with stack.parted(client, target):
        await asyncio.sleep(seconds)
    return f"nothing passes between {client} and {target} for {seconds:.0f} s"


async def parted_from_one(stack: FaultedStack, chance: random.Random) -> str:
    """One process of a service is cut off from everything: a machine behind a broken cable."""
    victim = f"{chance.choice([name for name in CALLED if name != 'clients'])}-2"
    seconds = chance.uniform(3, 8)
    async with stack.parted(victim, "*"):
        await asyncio.sleep(seconds)
    return f"{victim} is cut off for {seconds:.0f} s"


async def read_only(stack: FaultedStack, chance: random.Random) -> str:
    seconds = chance.uniform(2, 5)
    async with stack.read_only():
        await asyncio.sleep(seconds)
    return f"PostgreSQL is read-only for {seconds:.0f} s"


async def full_disk(stack: FaultedStack, chance: random.Random) -> str:
    seconds = chance.uniform(2, 5)
    async with stack.full_disk():
        await asyncio.sleep(seconds)
    return f"PostgreSQL's disk is full for {seconds:.0f} s"


async def pool_exhausted(stack: FaultedStack, chance: random.Random) -> str:
    """Nobody gets at a table, so that every connection waits in a transaction and callers wait for connections."""
    table = chance.choice(["task.tasks", "task.outbox", "workflow.runs", "notification.deliveries", "identity.users"])
    seconds = chance.uniform(2, 5)
    async with stack.locked(table):
        await asyncio.sleep(seconds)
    return f"{table} is locked for {seconds:.0f} s and connections run out"


async def connections_refused(stack: FaultedStack, chance: random.Random) -> str:
    role = f"{chance.choice(['task', 'workflow', 'identity', 'notification', 'gateway'])}_app"
    seconds = chance.uniform(2, 4)
    async with stack.shut_out(role):
        await asyncio.sleep(seconds)
    return f"PostgreSQL lets {role} in no more for {seconds:.0f} s"


async def clock_moved(stack: FaultedStack, chance: random.Random) -> str:
    """The clocks of all services go wrong at once, and are set right again at once."""
    hours, seconds = chance.choice([-3, -1, 1, 3]), chance.uniform(4, 8)
    async with stack.clock_moved(hours * 3600):
        await asyncio.sleep(seconds)
    return f"clocks are wrong by {hours} h for {seconds:.0f} s"


def _arrow(chance: random.Random) -> tuple[str, str]:
    client = chance.choice(list(CALLED))
    return client, chance.choice(CALLED[client])


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        killed,
        killed_both,
        killed_at_a_point,
        stopped,
        stream_lost,
        replies_cut,
        parted,
        parted_from_one,
        read_only,
        full_disk,
        pool_exhausted,
        connections_refused,
        clock_moved,
        told_again,
        poisoned,
        heard_slowly,
    )
}
