"""The floor's worker: the bare Temporal SDK, one local activity with one asyncpg write, one signal."""

import asyncio
import sys

import asyncpg
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from bench.floor_workflow import TASK_QUEUE, Floor

TABLE = """
create schema if not exists bench;
create table if not exists bench.questions (
    workflow_id text primary key, created_at timestamptz not null default now()
);
create or replace function bench.tell() returns trigger language plpgsql as
$$begin perform pg_notify('bench_questions', new.workflow_id); return new; end$$;
create or replace trigger tell after insert on bench.questions for each row execute function bench.tell();
"""


class Activities:
    """The one write."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    @activity.defn
    async def write_question(self, workflow_id: str) -> None:
        await self._pool.execute("insert into bench.questions (workflow_id) values ($1)", workflow_id)


async def serve(temporal: str, postgres: str) -> None:
    """Poll until the process is ended."""
    async with asyncpg.create_pool(postgres, min_size=4, max_size=10) as pool:
        await pool.execute(TABLE)
        client = await Client.connect(temporal)
        activities = Activities(pool)
        async with Worker(client, task_queue=TASK_QUEUE, workflows=[Floor], activities=[activities.write_question]):
            print("ready", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
