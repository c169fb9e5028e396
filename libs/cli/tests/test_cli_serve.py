"""The small servers of an evaluation: each becomes what it says, and keeps what it was given."""

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest
from orkestra.chassis import streams
from orkestra.chassis.access import NatsAccess
from orkestra.cli.ports import free_port
from orkestra.cli.process import Process
from orkestra.cli.servers import UNPRIVILEGED
from orkestra.testkit.waiting import eventually
from temporalio.client import Client

PASSWORD = "p@ss/word"


class Server:
    """`orkestra serve` in a process of its own, not as root."""

    def __init__(self, name: str, folder: Path, *options: str) -> None:
        self.port = free_port()
        is_root = os.geteuid() == 0
        command = [sys.executable, "-m", "orkestra.cli", "serve", name, "--data", str(folder), "--port", str(self.port)]
        self.process = Process(
            name,
            [*command, *options],
            log=folder / "log",
            env={**os.environ, "TMPDIR": str(folder)},
            user=UNPRIVILEGED if is_root else None,
            keep_paths=is_root,
        )
        self.process.spawn()


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="orkestra-serve-"))  # a socket's path is short
    made.chmod(0o777)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def password_file(folder: Path) -> Path:
    file = folder / "password"
    file.write_text(PASSWORD, "utf-8")
    return file


async def test_postgresql_lets_in_by_password_and_keeps_its_data(folder: Path, password_file: Path) -> None:
    async def opened(server: Server) -> asyncpg.Connection | None:
        try:
            return await asyncpg.connect(
                host="127.0.0.1", port=server.port, user="postgres", password=PASSWORD, database="orkestra", timeout=5
            )
        except (OSError, asyncpg.PostgresError):
            return None

    for is_first in (True, False):
        server = Server("postgresql", folder, "--password-file", str(password_file))
        try:
            conn = await eventually(partial(opened, server), timeout=60)
            if is_first:
                await conn.execute("create table kept (a int)")
                with pytest.raises(asyncpg.InvalidPasswordError):
                    await asyncpg.connect(f"postgresql://postgres:wrong@127.0.0.1:{server.port}/orkestra")
            assert await conn.fetchval("select count(*) from kept") == 0
            await conn.close()
        finally:
            server.process.stop()


async def test_nats_lets_in_by_password_and_has_jetstream(folder: Path, password_file: Path) -> None:
    server = Server("nats", folder, "--password-file", str(password_file))

    url = f"nats://127.0.0.1:{server.port}"
    welcome = await streams.connect(url, name="test", access=NatsAccess("orkestra", PASSWORD))
    stranger = await streams.connect(url, name="test", access=NatsAccess("orkestra", "wrong"))
    try:
        async with asyncio.timeout(30):
            await welcome.connected()
        assert await welcome.ensure_streams()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await stranger.connected()
    finally:
        await welcome.close()
        await stranger.close()
        server.process.stop()


async def test_temporal_answers(folder: Path) -> None:
    server = Server("temporal", folder)

    async def opened() -> Client | None:
        try:
            return await Client.connect(f"127.0.0.1:{server.port}")
        except RuntimeError:
            return None

    try:
        client = await eventually(opened, timeout=60)
        async with asyncio.timeout(30):
            assert [one async for one in client.list_workflows()] == []
        assert (folder / "temporal.db").exists()
    finally:
        server.process.stop()
