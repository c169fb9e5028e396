"""The supervisor starts crashed processes again and stops them in order."""

import asyncio
import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest
from orkestra.cli.process import Process, StartError
from orkestra.cli.supervisor import Supervisor
from orkestra.testkit import eventually

SLEEPS = "import time; time.sleep(600)"


class Sleeper:
    """A server that is ready as soon as it runs."""

    def __init__(self, name: str, folder: Path, *, program: str = SLEEPS) -> None:
        self.process = Process(name, [sys.executable, "-c", program], log=folder / f"{name}.log")

    def prepare(self) -> None:
        pass

    def spawn(self) -> None:
        self.process.spawn()

    def ready(self) -> bool:
        return self.process.alive


class World:
    """A supervisor with what it said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.changes = 0
        self.supervisor = Supervisor(say=self.said.append, changed=self.count)

    def has_said(self, line: str, *, times: int) -> bool:
        return self.said.count(line) == times

    def count(self) -> None:
        self.changes += 1


async def test_a_killed_process_is_started_again_with_a_message(tmp_path: Path) -> None:
    world, sleeper = World(), Sleeper("sleeper", tmp_path)
    await world.supervisor.start(sleeper)
    watching = asyncio.create_task(world.supervisor.watch())
    before = sleeper.process.pid
    os.kill(before, signal.SIGKILL)
    await eventually(lambda: "sleeper is back." in world.said)
    assert world.said[0].startswith("sleeper was killed by SIGKILL; starting it again")
    assert world.supervisor.pids == {"sleeper": sleeper.process.pid}
    assert sleeper.process.pid != before
    assert world.changes == 2
    watching.cancel()
    await world.supervisor.stop([[sleeper]])
    assert not sleeper.process.alive


async def test_repeated_crashes_are_started_again_more_and_more_slowly(tmp_path: Path) -> None:
    world, sleeper = World(), Sleeper("sleeper", tmp_path)
    await world.supervisor.start(sleeper)
    watching = asyncio.create_task(world.supervisor.watch())
    for crash in range(3):
        os.kill(sleeper.process.pid, signal.SIGKILL)
        await eventually(partial(world.has_said, "sleeper is back.", times=crash + 1))
    os.kill(sleeper.process.pid, signal.SIGKILL)
    await eventually(lambda: any("starting it again in 3 s" in line for line in world.said))
    watching.cancel()
    await world.supervisor.stop([[sleeper]])


async def test_what_ends_while_it_starts_is_reported_with_its_log(tmp_path: Path) -> None:
    world = World()
    broken = Sleeper("broken", tmp_path, program="print('no such setting'); raise SystemExit(3)")
    broken.ready = lambda: False  # type: ignore[method-assign]
    with pytest.raises(StartError, match=r"broken ended with code 3(.|\n)*no such setting"):
        await world.supervisor.start(broken)


async def test_a_later_group_stops_only_after_the_earlier_one(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    leaves = f"""
import pathlib, signal, sys, time
def leave(*_):
    time.sleep(0.1)
    with open({str(trace)!r}, "a") as file: file.write(sys.argv[1] + "\\n")
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("on", flush=True)
while True: time.sleep(600)
"""
    world = World()
    servers = [Sleeper(name, tmp_path, program=leaves) for name in ("below", "above")]
    for server in servers:
        server.process.command.append(server.process.name)
        await world.supervisor.start(server)
        await eventually(server.process.log_tail)
    await world.supervisor.stop([[servers[1]], [servers[0]]])
    assert trace.read_text().split() == ["above", "below"]
