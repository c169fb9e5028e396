"""Measures 2,000 open pages before one dashboard: its memory, and how long an event takes to all of them.

python -m bench.streams [--clients 2000] [--sessions 500] [--events 30]
"""

import argparse
import asyncio
import json
import resource
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
from orkestra.testkit.stack import running_stack
from orkestra.v1.identity import IdentityServiceClient, SignInRequest
from orkestra.v1.task import CreateTaskRequest, TaskServiceClient

from bench.compared import session_token
from bench.cpu import cpu_seconds
from bench.story import Token

GROUP = "support-l1"
AT_ONCE = 4
"""Sign-ins, and connections that are opened, at the same time."""
MOST_MEMORY = 300
MOST_LATENCY = 500.0
PAUSE = 0.5


class Pages:
    """Connections that read as browsers do, and note when each event came."""

    def __init__(self) -> None:
        self.came: dict[str, list[float]] = {}
        self.ended = 0
        self._news = asyncio.Event()
        self._reading: list[asyncio.Task[None]] = []

    async def open(self, address: str, session: str) -> None:
        """Open one, and return when it hears."""
        place = urlsplit(address)
        reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=1 << 16)
        head = f"GET /live HTTP/1.1\r\nhost: {place.netloc}\r\ncookie: orkestra_session={session}\r\n\r\n"
        writer.write(head.encode())
        await reader.readuntil(b"event: hello")
        self._reading.append(asyncio.create_task(self._read(reader, writer)))

    async def hear(self, task_id: str, pages: int) -> None:
        """Return when so many pages have heard of a task."""
        while len(self.came.get(task_id, ())) < pages:
            self._news.clear()
            await self._news.wait()

    def close(self) -> None:
        """End all of them."""
        for each in self._reading:
            each.cancel()

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                if line.startswith(b'data: {"id"'):
                    self.came.setdefault(json.loads(line[6:])["task_id"], []).append(time.perf_counter())
                    self._news.set()
            self.ended += 1
        finally:
            writer.close()


@asynccontextmanager
async def rooms(info: dict[str, Any]) -> AsyncIterator[tuple[IdentityServiceClient, TaskServiceClient]]:
    """Open what signs people in, and what asks."""
    session = await session_token(info)
    async with (
        grpc.aio.insecure_channel(info["identity"]) as identity,
        grpc.aio.insecure_channel(info["task"]) as tasks,
    ):
        people = IdentityServiceClient(identity)
        yield people, TaskServiceClient(tasks, Token(people, session))


async def opened(info: dict[str, Any], people: IdentityServiceClient, pages: Pages, given: argparse.Namespace) -> None:
    """Open so many pages of so many sessions of members of the group: to sign in takes longer than all the rest."""
    members = [user for user in info["users"] if GROUP in user["groups"]]
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(place: int) -> None:
        member = members[place % len(members)]
        async with slots:
            asked = SignInRequest(email=member["email"], password=member["password"], tenant=info["tenant"]["slug"])
            session = await people.sign_in(asked, timeout=60.0)
            for _ in range(place, given.clients, given.sessions):
                await pages.open(info["dashboard"], session.token)

    await asyncio.gather(*(one(place) for place in range(min(given.sessions, given.clients))))


async def told(tasks: TaskServiceClient, pages: Pages, *, clients: int, events: int) -> list[float]:
    """Ask a group of all of them, again and again; returns milliseconds from asking until each page heard."""
    found: list[float] = []
    for number in range(events):
        began = time.perf_counter()
        task = await tasks.create_task(CreateTaskRequest(title=f"Number {number}", candidate_groups=[GROUP]))
        async with asyncio.timeout(60):
            await pages.hear(task.task_id, clients - pages.ended)
        found += [(at - began) * 1000 for at in pages.came[task.task_id]]
        await asyncio.sleep(PAUSE)
    return found


def megabytes(pid: int) -> float:
    """Return the resident memory of a process."""
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


def shown(times: list[float], before: float, after: float, used: dict[str, float], seconds: float) -> str:
    """Return what was found, beside what is promised."""
    p95 = statistics.quantiles(times, n=20)[18]
    busy = ", ".join(f"{name} {100 * share / seconds:.0f} %" for name, share in used.items() if share / seconds > 0.01)
    return "\n".join(
        (
            f"memory {before:.0f} MB before, {after:.0f} MB with all   ≤ {MOST_MEMORY} "
            + ("met" if after <= MOST_MEMORY else "MISSED"),
            f"event to page p50 {statistics.median(times):.0f} ms, p95 {p95:.0f} ms, longest {max(times):.0f} ms   "
            f"p95 ≤ {MOST_LATENCY:.0f} " + ("met" if p95 <= MOST_LATENCY else "MISSED"),
            f"of a processor while nothing happens: {busy}",
        )
    )


async def main() -> None:
    """Start a stack of its own, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.streams", description=__doc__)
    parser.add_argument("--clients", type=int, default=2000)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--events", type=int, default=30)
    given = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    async with running_stack(port_offset=820) as stack:
        pages, pid = Pages(), stack.info["processes"]["dashboard"]
        async with rooms(stack.info) as (people, tasks):
            before = megabytes(pid)
            await opened(stack.info, people, pages, given)
            began, used = time.perf_counter(), cpu_seconds(stack.info["processes"])
            await asyncio.sleep(10)
            seconds, now = time.perf_counter() - began, cpu_seconds(stack.info["processes"])
            times = await told(tasks, pages, clients=given.clients, events=given.events)
            after = megabytes(pid)
        pages.close()
    shape = f"{given.clients} pages of {given.sessions} sessions, {given.events} events to each"
    print(f"{shape}; {pages.ended} pages were let go meanwhile")
    print(shown(times, before, after, {name: now[name] - used[name] for name in now}, seconds))


if __name__ == "__main__":
    asyncio.run(main())
