"""The floor: the same two halves on the bare Temporal SDK."""

import asyncio
import time
import uuid

from temporalio.client import Client

from bench.cycle import PERSON_SECONDS, Cycle
from bench.floor_workflow import TASK_QUEUE
from bench.rows import Rows


class BareSdk:
    """Client here, worker in another process, local activity with one asyncpg write."""

    name = "bare SDK"

    def __init__(self, client: Client, rows: Rows) -> None:
        self._client, self._rows = client, rows

    async def cycle(self) -> Cycle:
        workflow_id = f"floor-{uuid.uuid4().hex}"
        began = time.perf_counter()
        handle = await self._client.start_workflow("floor", id=workflow_id, task_queue=TASK_QUEUE, result_type=str)
        await self._rows.of(workflow_id)
        asked = time.perf_counter()
        await asyncio.sleep(PERSON_SECONDS)
        answered = time.perf_counter()
        await handle.signal("answer", "yes")
        assert await handle.result() == "yes"
        return Cycle(asked - began, time.perf_counter() - answered)
