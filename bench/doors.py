"""Measures the REST door beside the direct gRPC call: what it adds, and how it stands a steady load.

python -m bench.doors [--seconds 20]
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from orkestra.testkit.stack import running_stack
from orkestra.v1.identity import IdentityServiceClient
from orkestra.v1.task import CompleteTaskRequest, CreateTaskRequest, GetTaskRequest, TaskServiceClient
from orkestra.wire import Error

from bench.calls import timed
from bench.compared import session_token
from bench.cpu import cpu_seconds
from bench.plain import Connections
from bench.story import Token

PAIRS = 160
SETTLED_SECONDS = 0.04
"""How long, after a completion, others hear of it and its workflow goes on, on two cores."""
WARM_UP = 20
PER_SECOND = 300
FORM = {"answer": {"type": "text", "label": "Answer", "required": True}}
DATA = {"answer": "Yes."}
Call = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Sides:
    """A person at the room, and the same person at the door before it."""

    room: TaskServiceClient
    door: Connections


@asynccontextmanager
async def sides(info: dict[str, Any]) -> AsyncIterator[Sides]:
    """Open both with the same session."""
    session = await session_token(info)
    door = Connections(info["rest"], session)
    async with (
        grpc.aio.insecure_channel(info["identity"]) as identity,
        grpc.aio.insecure_channel(info["task"]) as task,
    ):
        yield Sides(TaskServiceClient(task, Token(IdentityServiceClient(identity), session)), door)
    door.close()


async def in_turns(
    room: Callable[[int], Call], door: Callable[[int], Call], between: Call | None = None
) -> tuple[float, float]:
    """Call both sides in turns, each after `between`; return the medians."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(PAIRS):
        for side, call in enumerate((room(number), door(number))):
            if between is not None:
                await between()
            times[side].append(await timed(call))
    return statistics.median(times[0][WARM_UP:]), statistics.median(times[1][WARM_UP:])


async def added(both: Sides, info: dict[str, Any]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the medians of get and of complete, at the room and at the door."""
    task_ids = await open_tasks(info, 2 * PAIRS + 1)
    looked = task_ids.pop()

    def complete_at_room(number: int) -> Call:
        request = CompleteTaskRequest(task_id=task_ids[2 * number], data=DATA)
        return lambda: both.room.complete_task(request)

    def complete_at_door(number: int) -> Call:
        path = f"/v1/tasks/{task_ids[2 * number + 1]}/complete"
        return lambda: both.door.post(path, {"data": DATA})

    async def reading() -> None:
        """Read on both sides until what the last completion set off is over: both are as busy as at any time."""
        until = time.perf_counter() + SETTLED_SECONDS
        while time.perf_counter() < until:
            await both.door.get(f"/v1/tasks/{looked}")
            await both.room.get_task(GetTaskRequest(task_id=looked))

    get = await in_turns(
        lambda _: lambda: both.room.get_task(GetTaskRequest(task_id=looked)),
        lambda _: lambda: both.door.get(f"/v1/tasks/{looked}"),
    )
    complete = await in_turns(complete_at_room, complete_at_door, between=reading)
    return get, complete


def shown(name: str, medians: tuple[float, float]) -> str:
    """Render both medians, their difference and their ratio."""
    room, door = medians
    return f"{name:10} gRPC p50 {room:6.2f} ms   REST p50 {door:6.2f} ms   {door - room:+.2f} ms   {door / room:.2f} x"


async def open_tasks(info: dict[str, Any], count: int) -> list[str]:
    """Make tasks that anybody of the first line may complete."""
    key = info["api_keys"]["system"]
    async with (
        grpc.aio.insecure_channel(info["identity"]) as identity,
        grpc.aio.insecure_channel(info["task"]) as channel,
    ):
        client = TaskServiceClient(channel, Token(IdentityServiceClient(identity), key))
        asked = CreateTaskRequest(title="A question", candidate_groups=["support-l1"], form=FORM)
        return [(await client.create_task(asked)).task_id for _ in range(count)]


async def steady(name: str, call: Call, info: dict[str, Any], *, seconds: int) -> str:
    """Make calls at a steady rate, whether or not earlier ones are answered; render latencies and the door's CPU."""
    times: list[float] = []
    under_way: set[asyncio.Task[None]] = set()

    failed = 0

    async def one() -> None:
        nonlocal failed
        try:
            times.append(await timed(call))
        except (Error, OSError):
            failed += 1

    before, began = cpu_seconds(info["processes"]), time.perf_counter()
    for number in range(PER_SECOND * seconds):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
        task = asyncio.create_task(one())
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    took, after = time.perf_counter() - began, cpu_seconds(info["processes"])
    door = (after["api-gateway"] - before["api-gateway"]) * 1000 / len(times)
    quantiles = statistics.quantiles(times, n=100)
    rate = len(times) / took
    told = f"{name:10} {rate:5.0f}/s   p50 {quantiles[49]:7.2f}   p99 {quantiles[98]:7.2f} ms"
    return f"{told}   {failed} failed   door {door:.2f} ms CPU each"


async def main() -> None:
    """Start a stack of its own, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.doors", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    seconds = parser.parse_args().seconds
    async with running_stack(port_offset=780) as stack:
        info = stack.info
        async with sides(info) as both:
            (looked,) = await open_tasks(info, 1)
            get, complete = await added(both, info)
            lines = [shown("get", get), shown("complete", complete)]
            request = GetTaskRequest(task_id=looked)
            lines.append(await steady("gRPC", lambda: both.room.get_task(request), info, seconds=seconds))
            lines.append(await steady("REST", lambda: both.door.get(f"/v1/tasks/{looked}"), info, seconds=seconds))
    print("\n".join(lines))


if __name__ == "__main__":
    asyncio.run(main())
