"""Fills task-service with open tasks of many tenants by COPY: who sees them, what they are found by, histories."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID

import asyncpg

TENANTS = 1000
AT_ONCE = 50
"""Tenants of one COPY."""
TYPES = ("refund", "reply", "review", "approval", "data")
TASK = (
    *("tenant_id", "task_id", "title", "type", "tags", "correlation", "candidate_groups", "priority", "status"),
    *("requested_by", "created_at", "updated_at", "status_since", "due_at", "is_claim_plain"),
)
AUDIENCE = ("tenant_id", "task_id", "audience", "status", "due_at", "created_at", "offered")
TERM = ("tenant_id", "kind", "term", "task_id")
HISTORY = ("tenant_id", "task_id", "sequence", "event", "at", "actor", "door")


async def fill(dsn: str, tenant_id: str, *, per_tenant: int, tenants: range) -> list[str]:
    """Store open tasks of the tenants with these numbers, of which 0 is `tenant_id`; returns the ids of its tasks."""
    conn = await asyncpg.connect(dsn, server_settings={"search_path": "task"})
    try:
        for first in range(tenants.start, tenants.stop, AT_ONCE):
            some = range(first, min(first + AT_ONCE, tenants.stop))
            places = [(_tenant(number, tenant_id), number, n) for number in some for n in range(per_tenant)]
            await _copy(conn, "tasks", TASK, (_task(*place) for place in places))
            await _copy(conn, "task_audience", AUDIENCE, (row for place in places for row in _audience(*place)))
            await _copy(conn, "task_terms", TERM, (row for place in places for row in _terms(*place)))
            await _copy(conn, "task_history", HISTORY, (_created(*place) for place in places if place[1] == 0))
        # What the server would do by itself in the next minutes, beside what is measured.
        await conn.execute("vacuum (analyze) tasks, task_audience, task_terms, task_history")
        await conn.execute("checkpoint")
        return [_id(0, n) for n in range(per_tenant)]
    finally:
        await conn.close()


async def _copy(conn: asyncpg.Connection, table: str, columns: Iterable[str], rows: Iterator[tuple[Any, ...]]) -> None:
    await conn.copy_records_to_table(table, columns=list(columns), records=rows, timeout=600)


def _tenant(number: int, tenant_id: str) -> UUID:
    return UUID(tenant_id if number == 0 else md5(f"tenant {number}".encode()).hexdigest())


def _id(number: int, n: int) -> str:
    return f"task_{md5(f'{number} {n}'.encode()).hexdigest()}"


def _task(tenant: UUID, number: int, n: int) -> tuple[Any, ...]:
    group, tag, at = ["support-l1"], [f"tag-{n % 20}"], _at(n)
    named = (f"A question about order {n}", TYPES[n % len(TYPES)], tag, f"case-{n}", group, "normal", "open")
    return tenant, _id(number, n), *named, "user_bench", at, at, at, at + timedelta(days=1), True


def _audience(tenant: UUID, number: int, n: int) -> Iterator[tuple[Any, ...]]:
    at = _at(n)
    for audience in ("all", "group:support-l1", "user:user_bench"):
        yield tenant, _id(number, n), audience, "open", at + timedelta(days=1), at, audience.startswith("group")


def _terms(tenant: UUID, number: int, n: int) -> Iterator[tuple[Any, ...]]:
    words = [("word", word) for word in ("a", "question", "about", "order", str(n))]
    named = [("type", TYPES[n % len(TYPES)]), ("tag", f"tag-{n % 20}"), ("correlation", f"case-{n}")]
    for kind, term in (*words, *named, ("priority", "normal")):
        yield tenant, kind, term, _id(number, n)


def _created(tenant: UUID, number: int, n: int) -> tuple[Any, ...]:
    return tenant, _id(number, n), 1, "created", _at(n), "user_bench", "rest"


def _at(n: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n)
