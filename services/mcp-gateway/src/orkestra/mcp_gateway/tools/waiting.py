"""Waits for tasks: until the end, until the requester is asked something, or until the time is over."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from orkestra.chassis.metrics import held
from orkestra.mcp_gateway.tools.answering import is_live, open_request, waiting_for
from orkestra.mcp_gateway.tools.rooms import Rooms
from orkestra.v1.task import Task

LOOK_SECONDS = 1.0
"""A wait looks this often without news, so that lost news, and a revoked key, do not hold it up."""

Progress = Callable[[float, float, str], Awaitable[None]]


async def wait_for_task(rooms: Rooms, task_id: str, *, seconds: float, progress: Progress) -> Task:
    """Returns the task when it has ended, asks its requester something, or `seconds` are over.

    A process that is about to end returns it as it is.
    """
    if seconds <= 0:
        return await rooms.task(task_id)
    tenant_id = (await rooms.caller()).tenant_id
    async with rooms.news.of_tenant(tenant_id, "task"):
        with rooms.news.of(task_id) as news, held():
            return await _until_end(rooms, task_id, news, seconds=seconds, progress=progress)


async def _until_end(rooms: Rooms, task_id: str, news: asyncio.Event, *, seconds: float, progress: Progress) -> Task:
    until = time.monotonic() + seconds
    task = await rooms.task(task_id)
    while is_live(task) and open_request(task) is None and not rooms.drain.draining:
        left = until - time.monotonic()
        if left <= 0:
            break
        await progress(seconds - left, seconds, f"{task.title}: {waiting_for(task)}")
        await _first(news.wait(), rooms.drain.wait(), seconds=min(left, LOOK_SECONDS))
        news.clear()
        task = await rooms.task(task_id)
    return task


async def _first(*happenings: Awaitable[object], seconds: float) -> None:
    waits = [asyncio.ensure_future(happening) for happening in happenings]
    try:
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
