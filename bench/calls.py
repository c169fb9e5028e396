"""Measures single calls: the inbox among many tasks, a claim beside its bare transaction, a door beside the room.

python -m bench.calls [--tasks 1000000]
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import asyncpg
import grpc
import httpx
from orkestra.chassis.database import Database
from orkestra.task_service.operations import TaskOperations
from orkestra.testkit.stack import running_stack
from orkestra.v1.identity import IdentityServiceClient
from orkestra.v1.task import ClaimTaskRequest, GetTaskRequest, ListTasksRequest, TaskServiceClient
from orkestra.wire import Context, Principal

from bench.__main__ import session_token
from bench.story import Token

TENANTS = 1000
FEW = 10_000
"""What the inbox among many tasks is compared with."""
CLAIMS = 400
READS = 220
WARM_UP = 20
MAKE_TASKS = """
with made as (
    insert into task.tasks (tenant_id, task_id, title, candidate_groups, priority, status, requested_by, created_at,
                            updated_at, due_at, is_claim_plain)
    select case when i % $2 = 0 then $1::uuid else md5((i % $2)::text)::uuid end, 'task_' || md5('bench' || i),
           'A question', array['support-l1'], 'normal', 'open', 'user_bench', now(),
           now(), now() + i % 9973 * interval '1 minute', true
    from generate_series($3::int, $4::int) as i
    returning tenant_id, task_id, due_at
)
insert into task.task_audience (tenant_id, task_id, audience, status, due_at, offered)
select tenant_id, task_id, 'group:support-l1', 'open', due_at, true from made
"""
BARE_CLAIM = """
update tasks set status = 'claimed', assignee = $2, version = version + 1, updated_at = now(), claimed_at = now()
where task_id = $1 and status = 'open' returning *
"""
BARE_EVENT = "insert into outbox (tenant_id, subject, payload, headers) values ($1, 'bench', $2, '{}')"
PAYLOAD = b"x" * 600


async def timed(call: Callable[[], Awaitable[object]]) -> float:
    """Return how many milliseconds the call took."""
    began = time.perf_counter()
    await call()
    return (time.perf_counter() - began) * 1000


def shown(name: str, times: list[float]) -> str:
    """Render median and 95th percentile."""
    return f"{name:40} p50 {statistics.median(times):7.2f} ms   p95 {statistics.quantiles(times, n=20)[-1]:7.2f} ms"


async def make_tasks(dsn: str, tenant_id: str, first: int, last: int) -> list[str]:
    """Store open tasks of many tenants, by number; returns the ids of those that belong to `tenant_id`."""
    conn = await asyncpg.connect(dsn)
    tenants = max(2, min(TENANTS, last // 1000))
    try:
        for begin in range(first, last + 1, 50_000):
            await conn.execute(MAKE_TASKS, tenant_id, tenants, begin, min(last, begin + 49_999))
        await conn.execute("analyze task.tasks, task.task_audience")
        rows = await conn.fetch("select task_id from task.tasks where tenant_id = $1", tenant_id)
        return [row["task_id"] for row in rows]
    finally:
        await conn.close()


def member(tenant_id: str) -> Principal:
    """Return the person who works."""
    return Principal("user_bench", "user", tenant_id, frozenset({"member"}), frozenset({"support-l1"}))


@asynccontextmanager
async def room(info: dict[str, Any]) -> AsyncIterator[tuple[Database, TaskOperations]]:
    """Open task-service's operations in this process, with its own role."""
    database = await Database.connect(info["postgres"].replace("postgres@", "task_app@", 1), schema="task")
    try:
        yield database, TaskOperations(database, None, None)  # type: ignore[arg-type]  # nothing here asks either
    finally:
        await database.close()


async def inbox(info: dict[str, Any], tenant_id: str, task_id: str) -> tuple[list[float], list[float]]:
    """Read a first page of the inbox, and one task, at the service, in turns."""
    ctx = Context(member(tenant_id), rpc="bench")
    pages, tasks = [], []
    async with room(info) as (_, operations):
        for _ in range(READS):
            pages.append(await timed(lambda: operations.list_tasks(ctx, ListTasksRequest(page_size=50))))
            tasks.append(await timed(lambda: operations.get_task(ctx, GetTaskRequest(task_id=task_id))))
    return pages[WARM_UP:], tasks[WARM_UP:]


def compared(few: list[float], many: list[float], count: int) -> list[str]:
    """Render the inbox among few and among many tasks."""
    p95 = statistics.quantiles(many, n=20)[-1] / statistics.quantiles(few, n=20)[-1]
    p50 = statistics.median(many) / statistics.median(few)
    return [
        shown(f"inbox at the service, {FEW} tasks", few),
        f"{shown(f'inbox at the service, {count} tasks', many)}   p95 ≤ 10",
        f"ratio p50 {p50:.2f}   p95 {p95:.2f}   ≤ 2",
    ]


async def claims(info: dict[str, Any], tenant_id: str, task_ids: list[str]) -> list[str]:
    """Claim tasks by the operation, and by the bare statements of the same transaction, in turns."""
    person = member(tenant_id)
    async with room(info) as (database, operations):
        times = await _claim(database, operations, person, task_ids)
    warm = [each[WARM_UP:] for each in times]
    ratio = statistics.median(warm[1]) / statistics.median(warm[0])
    return [shown("bare transaction", warm[0]), shown("claim", warm[1]), f"ratio {ratio:.2f}   ≤ 1.6"]


async def _claim(
    database: Database, operations: TaskOperations, person: Principal, task_ids: list[str]
) -> tuple[list[float], list[float]]:
    tenant_id = person.tenant_id or ""

    async def bare(task_id: str) -> None:
        async with database.transaction(tenant_id) as conn:
            await conn.fetchrow(BARE_CLAIM, task_id, person.subject)
            await conn.execute(BARE_EVENT, tenant_id, PAYLOAD)

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
    parser.add_argument("--tasks", type=int, default=10_000)
    count = parser.parse_args().tasks
    async with running_stack(port_offset=760) as stack:
        info = stack.info
        tenant_id = info["tenant"]["tenant_id"]
        task_ids = await make_tasks(info["postgres"], tenant_id, 1, min(FEW, count))
        few, one = await inbox(info, tenant_id, task_ids[-1])
        if count > FEW:
            task_ids = await make_tasks(info["postgres"], tenant_id, FEW + 1, count)
        many, one = await inbox(info, tenant_id, task_ids[-1])
        lines = [
            *compared(few, many, count),
            shown("get a task at the service", one),
            *await reads(info, task_ids[-1]),
            *await claims(info, tenant_id, task_ids),
        ]
    print("\n".join([f"{count} open tasks", *lines]))


if __name__ == "__main__":
    asyncio.run(main())
