"""Measures single calls: lists among many tasks, a claim beside its bare transaction, a door beside the room.

python -m bench.calls [--tasks 1000000]
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
import grpc
import httpx
from orkestra.chassis.database import Database, session_settings, tenant_statement
from orkestra.chassis.drain import Drain
from orkestra.task_service.operations import TaskOperations
from orkestra.testkit.databases import as_role, fresh, migrated
from orkestra.testkit.stack import running_stack
from orkestra.v1.identity import IdentityServiceClient
from orkestra.v1.task import ClaimTaskRequest, GetTaskRequest, ListTasksRequest, TaskServiceClient, TaskSort
from orkestra.wire import Context, Principal

from bench.compared import session_token
from bench.filling import fill
from bench.story import Token

PER_TENANT = 1000
FEW = 10_000
"""What lists among many tasks are compared with."""
CLAIMS = 400
READS = 220
WARM_UP = 20
LISTS = {
    "inbox": ListTasksRequest(page_size=50),
    "newest first": ListTasksRequest(page_size=50, sort=TaskSort.NEWEST),
    "by a rare word": ListTasksRequest(page_size=50, q="order 77"),
    "by a common word": ListTasksRequest(page_size=50, q="question"),
    "by tag and type": ListTasksRequest(page_size=50, tags=["tag-7"], type="review"),
    "by a due window": ListTasksRequest(page_size=50, due_before=datetime(2026, 1, 2, 8, tzinfo=UTC)),
}
"""First pages of 50; the inbox has a target."""
BARE_CLAIM = """
update tasks set status = 'claimed', assignee = $2, version = version + 1, updated_at = now(), claimed_at = now()
where task_id = $1 and status = 'open' returning *
"""
BARE_EVENT = "insert into outbox (tenant_id, subject, payload, headers) values ($1, $2, $3, '{}')"
PAYLOAD = b"x" * 600


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    """Return how many milliseconds the call took."""
    began = time.perf_counter()
    await call()
    return (time.perf_counter() - began) * 1000


def shown(name: str, times: list[float]) -> str:
    """Render median and 95th percentile."""
    return f"{name:40} p50 {statistics.median(times):7.2f} ms   p95 {statistics.quantiles(times, n=20)[-1]:7.2f} ms"


def member(tenant_id: str) -> Principal:
    """Return the person who works."""
    return Principal("user_bench", "user", tenant_id, frozenset({"member"}), frozenset({"support-l1"}))


@asynccontextmanager
async def task_database(info: dict[str, Any]) -> AsyncIterator[Database]:
    """Open task-service's database in this process, with its own role."""
    database = await Database.connect(app_url(info), schema="task")
    try:
        yield database
    finally:
        await database.close()


@asynccontextmanager
async def room(url: str) -> AsyncIterator[TaskOperations]:
    """Open task-service's operations in this process."""
    database = await Database.connect(url, schema="task")
    try:
        yield TaskOperations(database, None, None, None, Drain())  # type: ignore[arg-type]  # nothing here asks them
    finally:
        await database.close()


def app_url(info: dict[str, Any]) -> str:
    """Return task-service's database for its own role."""
    return as_role(info["postgres"], "task_app")


async def lists(info: dict[str, Any], tenant_id: str, task_id: str) -> dict[str, list[float]]:
    """Read the first page of each list, and one task, at the service, in turns."""
    ctx = Context(member(tenant_id), rpc="bench")
    times: dict[str, list[float]] = {name: [] for name in (*LISTS, "get a task")}
    async with room(app_url(info)) as operations:
        for _ in range(READS):
            for name, request in LISTS.items():
                times[name].append(await timed(partial(operations.list_tasks, ctx, request)))
            times["get a task"].append(await timed(lambda: operations.get_task(ctx, GetTaskRequest(task_id=task_id))))
    return {name: each[WARM_UP:] for name, each in times.items()}


def compared(few: dict[str, list[float]], many: dict[str, list[float]]) -> list[str]:
    """Render what was read at the service among few tasks, and among many beside it."""
    lines = [f"at the service, beside p95 among {FEW}:"]
    for name, times in many.items():
        before, now = (statistics.quantiles(each, n=20)[-1] for each in (few[name], times))
        target = "   p95 ≤ 10, ratio ≤ 2" if name == "inbox" else ""
        lines.append(f"{shown(name, times)}   {before:7.2f} ms   ratio {now / before:.2f}{target}")
    return lines


async def inbox_p95(info: dict[str, Any], tenant_id: str, task_id: str) -> float:
    """Return the 95th percentile of the inbox's first page at the service, in milliseconds."""
    return statistics.quantiles((await lists(info, tenant_id, task_id))["inbox"], n=20)[-1]


async def claims(info: dict[str, Any], tenant_id: str) -> tuple[list[float], list[float]]:
    """Claim tasks by the bare statements with the bare driver, and by the operation, in turns; milliseconds of each.

    In a database of its own on the same server: what is told of one claim would else disturb the next, of either side.
    """
    with fresh(info["postgres"]) as url:
        schema = await migrated(url, "orkestra.task_service", "task", extra_roles=("sweep",))
        task_ids = await fill(url, tenant_id, per_tenant=PER_TENANT, tenants=range(1))
        plain = await asyncpg.connect(schema.app_url, server_settings=session_settings("task"))
        async with room(schema.app_url) as operations:
            bare, ours = await _claim(plain, operations, member(tenant_id), task_ids)
        await plain.close()
    return bare[WARM_UP:], ours[WARM_UP:]


def claims_shown(bare: list[float], ours: list[float]) -> list[str]:
    """Render claims beside their bare transactions."""
    ratio = statistics.median(ours) / statistics.median(bare)
    return [shown("bare transaction", bare), shown("claim", ours), f"ratio {ratio:.2f}   ≤ 1.6"]


async def _claim(
    plain: asyncpg.Connection, operations: TaskOperations, person: Principal, task_ids: list[str]
) -> tuple[list[float], list[float]]:
    tenant_id = person.tenant_id or ""

    async def bare(task_id: str) -> None:
        await plain.execute(tenant_statement(tenant_id))
        await plain.fetchrow(BARE_CLAIM, task_id, person.subject)
        await plain.execute(BARE_EVENT, tenant_id, f"orkestra.v1.{tenant_id}.bench.claimed", PAYLOAD)
        await plain.execute("COMMIT")

    async def ours(task_id: str) -> None:
        await operations.claim_task(Context(person, rpc="bench"), ClaimTaskRequest(task_id=task_id))

    times: tuple[list[float], list[float]] = ([], [])
    for number, task_id in enumerate(task_ids[:CLAIMS]):
        times[number % 2].append(await timed(partial((bare, ours)[number % 2], task_id)))
    return times


async def reads(info: dict[str, Any], task_id: str) -> list[str]:
    """Read a first page by gRPC, and one task by gRPC and by REST in turns."""
    session = await session_token(info)
    headers = {"authorization": f"Bearer {session}"}
    async with (
        grpc.aio.insecure_channel(info["identity"]) as identity,
        grpc.aio.insecure_channel(info["task"]) as served,
        httpx.AsyncClient(base_url=info["rest"], headers=headers) as http,
    ):
        tasks = TaskServiceClient(served, Token(IdentityServiceClient(identity), session))
        page, direct, door = [], [], []
        for _ in range(READS):
            page.append(await timed(lambda: tasks.list_tasks(ListTasksRequest(page_size=50))))
            direct.append(await timed(lambda: tasks.get_task(GetTaskRequest(task_id=task_id))))
            door.append(await timed(lambda: http.get(f"/v1/tasks/{task_id}")))
    more = statistics.median(door[WARM_UP:]) - statistics.median(direct[WARM_UP:])
    return [
        shown("inbox, first page of 50, gRPC", page[WARM_UP:]),
        shown("get a task, gRPC", direct[WARM_UP:]),
        shown("get a task, REST", door[WARM_UP:]),
        f"door: {more:.2f} ms more   ≤ 3",
    ]


async def main() -> None:
    """Start a stack of its own, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.calls", description=__doc__)
    parser.add_argument("--tasks", type=int, default=FEW)
    tenants = max(FEW, parser.parse_args().tasks) // PER_TENANT
    async with running_stack(port_offset=760) as stack:
        info = stack.info
        tenant_id = info["tenant"]["tenant_id"]
        filled = partial(fill, info["postgres"], tenant_id, per_tenant=PER_TENANT)
        task_ids = await filled(tenants=range(FEW // PER_TENANT))
        few = await lists(info, tenant_id, task_ids[-1])
        began = time.perf_counter()
        await filled(tenants=range(FEW // PER_TENANT, tenants))
        took = time.perf_counter() - began
        many = await lists(info, tenant_id, task_ids[-1])
        lines = [
            f"{tenants * PER_TENANT} open tasks of {tenants} tenants; all but {FEW} were loaded in {took:.0f} s",
            *compared(few, many),
            *await reads(info, task_ids[-1]),
            *claims_shown(*await claims(info, tenant_id)),
        ]
    print("\n".join(lines))


if __name__ == "__main__":
    asyncio.run(main())
