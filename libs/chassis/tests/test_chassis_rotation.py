"""The credentials of NATS are rotated: both are taken for a while, processes start again, the old one is taken out."""

import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from orkestra.chassis import streams
from orkestra.chassis.settings import NatsSettings, load
from orkestra.chassis.streams import Nats
from orkestra.cli.ports import free_port
from orkestra.cli.process import Process
from orkestra.cli.servers import program
from orkestra.testkit.waiting import eventually
from orkestra.wire import Unavailable

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""nats-py leaves the line open on which it was refused; Python closes it when it is collected, and says so."""

OLD, NEW = "the old password", "the new password"


class Server:
    """A real NATS server that reads its users anew when it is told to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"nats://127.0.0.1:{self._port}"
        self._config = folder / "nats.conf"
        command = [program("nats-server"), "--config", str(self._config)]
        self.process = Process("nats", command, log=folder / "nats.log")

    def knows(self, **users: str) -> None:
        config = {
            "listen": f"127.0.0.1:{self._port}",
            "jetstream": {"store_dir": str(self._folder / "store")},
            "authorization": {"users": [{"user": name, "password": password} for name, password in users.items()]},
        }
        self._config.write_text(json.dumps(config), "utf-8")
        if self.process.alive:
            os.kill(self.process.pid, signal.SIGHUP)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    one = Server(tmp_path)
    one.knows(before=OLD)
    one.process.spawn()
    yield one
    one.process.stop()


@asynccontextmanager
async def started(server: Server, secret: Path, user: str) -> AsyncIterator[Nats]:
    """A process as it starts: it reads its password from the file."""
    told = {"ORKESTRA_NATS_URL": server.url, "ORKESTRA_NATS_USER": user, "ORKESTRA_NATS_PASSWORD_FILE": str(secret)}
    settings = load(NatsSettings, told)
    opened = await streams.connect(settings.nats_url, name="test", access=settings.nats_access)
    try:
        yield opened
    finally:
        await opened.close()


async def is_well(opened: Nats) -> bool:
    try:
        await opened.check()
    except (Unavailable, TimeoutError):
        return False
    return True


async def test_processes_go_over_to_a_new_password_and_no_event_is_lost(server: Server, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(OLD, "utf-8")
    async with started(server, secret, "before") as running:
        await eventually(lambda: is_well(running), timeout=30)
        await running.ensure_streams()
        await running.jetstream.publish("orkestra.v1.t.task.created", b"1")

        server.knows(before=OLD, after=NEW)
        secret.write_text(NEW, "utf-8")
        async with started(server, secret, "after") as again:
            await eventually(lambda: is_well(again), timeout=30)
            await running.jetstream.publish("orkestra.v1.t.task.claimed", b"2")
            assert await is_well(running)

            server.knows(after=NEW)
            await eventually(lambda: _not(running), timeout=30)
            await eventually(lambda: is_well(again), timeout=30)
            await again.jetstream.publish("orkestra.v1.t.task.completed", b"3")
            assert (await again.jetstream.stream_info(streams.EVENTS)).state.messages == 3


async def _not(opened: Nats) -> bool:
    return not await is_well(opened)


async def test_a_process_that_was_forgotten_goes_on_when_the_old_password_is_taken_again(
    server: Server, tmp_path: Path
) -> None:
    """Who took the old one out too early puts it back: nothing needs to be started again."""
    secret = tmp_path / "password"
    secret.write_text(OLD, "utf-8")
    async with started(server, secret, "before") as running:
        await eventually(lambda: is_well(running), timeout=30)
        server.knows(after=NEW)
        await eventually(lambda: _not(running), timeout=30)
        server.knows(before=OLD, after=NEW)
        await eventually(lambda: is_well(running), timeout=60)
