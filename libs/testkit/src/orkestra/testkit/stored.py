"""What a running stack has stored anywhere: rows, events and runs; for tests that something was stored nowhere."""

import asyncpg
import nats
from nats.js.errors import NotFoundError
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from temporalio.client import Client

STREAMS = ("ORKESTRA_EVENTS", "ORKESTRA_DEAD")
PASSING = ("rate_limits", "sign_in_failures", "schema_migrations")
"""Tables that count requests on purpose, refused ones too."""
UNSIGNED = "not yet signed"
"""Entries of histories that the next sweep signs."""

Stored = dict[str, int]


async def stored(stack: Stack) -> Stored:
    """Counts what there is: rows by table (outbox and request ids included), messages by stream, runs of Temporal."""
    return await _rows(stack) | await _messages(stack) | await _runs(stack)


async def settled(stack: Stack) -> Stored:
    """Counts when nothing of what was done before is still on its way."""
    last: Stored = {}

    async def is_still() -> bool:
        nonlocal last
        before, last = last, await stored(stack)
        return last == before and last[UNSIGNED] == 0

    await eventually(is_still, timeout=30, every=0.7)
    return last


async def _rows(stack: Stack) -> Stored:
    connection = await asyncpg.connect(stack.info["postgres"])
    try:
        tables = await connection.fetch(
            "select schemaname || '.' || tablename as name from pg_tables "
            "where schemaname !~ '^(pg_|information_schema|public)' and tablename <> all($1::text[])",
            list(PASSING),
        )
        names = [table["name"] for table in tables]
        unpublished = [
            f"select count(*) from {name} where published_at is null" for name in names if name.endswith(".outbox")
        ]
        counted = {name: await connection.fetchval(f"select count(*) from {name}") for name in names}
        unsigned = await connection.fetchval("select count(*) from task.task_history where signature is null")
        counted[UNSIGNED] = unsigned
        return counted | {"not yet published": sum([await connection.fetchval(count) for count in unpublished])}
    finally:
        await connection.close()


async def _messages(stack: Stack) -> Stored:
    client = await nats.connect(stack.info["nats"])
    try:
        counted = {}
        for stream in STREAMS:
            try:
                counted[stream] = (await client.jetstream().stream_info(stream)).state.last_seq
            except NotFoundError:
                counted[stream] = 0
        return counted
    finally:
        await client.close()


async def _runs(stack: Stack) -> Stored:
    client = await Client.connect(stack.info["temporal"])
    return {"runs of Temporal": (await client.count_workflows()).count}
