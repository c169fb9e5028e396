"""A worker ends when it is told to, even where the engine below it does not."""

import asyncio
import logging
import time
from typing import Any, cast

import pytest
from orkestra.sdk import worker
from temporalio.worker import Worker


class Stuck:
    """A worker whose engine lost an activity: it never ends, and shutting it down never returns."""

    task_queue = "stuck"

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def shutdown(self) -> None:
        await asyncio.Event().wait()


async def test_a_worker_that_cannot_end_is_left_behind(caplog: pytest.LogCaptureFixture) -> None:
    stop = asyncio.Event()
    stuck = cast("Worker", cast("Any", Stuck()))
    before = asyncio.all_tasks()
    began = time.monotonic()
    with caplog.at_level(logging.ERROR):
        async with worker._polling([stuck], stop, longest_seconds=0.2):
            pass
    assert 0.2 <= time.monotonic() - began < 10
    assert stop.is_set()
    assert "did not end within 0.2 s" in caplog.text
    for left in asyncio.all_tasks() - before:
        left.cancel()
