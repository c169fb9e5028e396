"""The stack that is broken, as tests see it: two of each service, and the means to break what lies between them."""

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from orkestra.testkit.stack import Stack, start_stack

HERE = Path(__file__).parent
READY_WITHIN = 400.0
OWN_DISK = ("unshare", "--mount", "--propagation", "private")
"""Mounts of a test are its own, and gone with it; an ordinary user may where the kernel lets them have namespaces."""
AS_USER = ("unshare", "--user", "--map-current-user", "--keep-caps", "--mount", "--propagation", "private")


class FaultedStack(Stack):
    """A running stack whose links, disk and clock can be broken; `folder` arms points of its processes."""

    folder: Path

    async def order(self, do: str, **order: Any) -> Any:
        """Have the stack's own process do something."""
        reader, writer = await asyncio.open_unix_connection(str(self.state_dir / "orders"))
        writer.write(json.dumps({"do": do, **order}).encode() + b"\n")
        answer = json.loads(await reader.readline())
        writer.close()
        return answer["done"]

    async def link(self, client: str, target: str, mode: str, amount: float = 0.0) -> int:
        """Change every link between two services or processes; how many there are."""
        count: int = await self.order("link", client=client, target=target, mode=mode, amount=amount)
        return count

    @asynccontextmanager
    async def broken(self, client: str, target: str, mode: str, amount: float = 0.0) -> AsyncIterator[None]:
        """Break what goes between two services or processes for the length of the block."""
        assert await self.link(client, target, mode, amount) > 0, f"{client} never calls {target}"
        try:
            yield
        finally:
            await self.link(client, target, "ok")

    @asynccontextmanager
    async def parted(self, one: str, other: str) -> AsyncIterator[None]:
        """Let nothing pass between two services or processes, in either direction."""
        count = await self.link(one, other, "silent") + await self.link(other, one, "silent")
        assert count > 0, f"{one} and {other} never speak"
        try:
            yield
        finally:
            await self.link(one, other, "ok")
            await self.link(other, one, "ok")

    @asynccontextmanager
    async def full_disk(self) -> AsyncIterator[None]:
        """Leave PostgreSQL no room on its disk."""
        await self.order("fill")
        try:
            yield
        finally:
            await self.order("free")

    @asynccontextmanager
    async def read_only(self) -> AsyncIterator[None]:
        """Have PostgreSQL refuse every write, as a replica or a server in trouble does."""
        await self._configure("alter system set default_transaction_read_only = on")
        try:
            yield
        finally:
            await self._configure("alter system reset default_transaction_read_only")

    @asynccontextmanager
    async def locked(self, table: str) -> AsyncIterator[None]:
        """Let nobody get at a table."""
        async with self.rows() as rows, rows.transaction():
            await rows.execute(f"lock table {table} in access exclusive mode")
            yield

    @asynccontextmanager
    async def shut_out(self, role: str) -> AsyncIterator[None]:
        """Have PostgreSQL let a role in no more, and end the connections that it has."""
        async with self.rows() as rows:
            await rows.execute(f"alter role {role} connection limit 0")
            try:
                await rows.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = $1", role)
                yield
            finally:
                await rows.execute(f"alter role {role} connection limit -1")

    @asynccontextmanager
    async def clock_moved(self, seconds: float) -> AsyncIterator[None]:
        """Have the clocks of all services be wrong; the servers' stay right."""
        clock, new = self.folder / "clock", self.folder / "clock.new"
        new.write_text(str(seconds), "utf-8")
        new.rename(clock)
        try:
            yield
        finally:
            clock.unlink()

    async def _configure(self, statement: str) -> None:
        async with self.rows() as rows:
            await rows.execute("set default_transaction_read_only = off")
            await rows.execute(statement)
            await rows.execute("select pg_reload_conf()")

    @asynccontextmanager
    async def rows(self) -> AsyncIterator[asyncpg.Connection]:
        """A superuser's connection, past every link."""
        connection = await asyncpg.connect(self.info["postgres"], timeout=30)
        try:
            yield connection
        finally:
            await connection.close()


def clock() -> str:
    """Return the time of day to the millisecond, to lay what callers heard beside what was done."""
    return datetime.now(UTC).time().isoformat("milliseconds")


@asynccontextmanager
async def faulted_stack(
    *,
    port_offset: int,
    python: str = sys.executable,
    drain_pause: int = 0,
    settings: Mapping[str, str] | None = None,
) -> AsyncIterator[FaultedStack]:
    """Run two of each service in a temporary folder for the length of the block; all of it is the code of `python`.

    A process that is to end goes on serving for `drain_pause` seconds, until a balancer has noticed.
    """
    with tempfile.TemporaryDirectory(prefix="orkestra-faults-", ignore_cleanup_errors=True) as made:
        os.chmod(made, 0o755)  # PostgreSQL runs as another user when the tests run as root
        folder = Path(made)
        points = folder / "points"
        points.mkdir()
        environment = {"PYTHONPATH": str(HERE / "inject"), "FAULT_FOLDER": str(points), **(settings or {})}
        environment |= {"FAULT_DRAIN_PAUSE": str(drain_pause)} if drain_pause else {}
        namespace = OWN_DISK if os.geteuid() == 0 else AS_USER
        started = await asyncio.to_thread(
            start_stack,
            folder / "state",
            port_offset=port_offset,
            settings=environment,
            command=[*namespace, python, HERE / "fault_stack.py"],
            ready_within=READY_WITHIN,
        )
        stack = FaultedStack(started.state_dir, started._process)
        stack.folder = points
        try:
            yield stack
        finally:
            await asyncio.to_thread(stack.stop)
