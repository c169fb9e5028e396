"""What breaks while clients work: processes killed at any moment or at a chosen point, servers stopped, stores lost."""

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

ROOMS = {
    "task-service": "orkestra.task_service",
    "workflow-worker": "orkestra.workflow_worker",
    "identity-service": "orkestra.identity_service",
    "notification-service": "orkestra.notification_service",
}
KILLED = (*ROOMS, "worker", "api-gateway", "nats", "temporal", "postgres")
POINTS = ("before-commit", "after-commit", "before-publish", "mid-publish")
STOPPED = ("nats", "temporal", "postgres", "task-service", "workflow-worker")
SECONDS_STOPPED = 4.0
DOUBLED = ("task-service", "workflow-worker", "notification-service", "worker")


class Breaker:
    """Breaks one thing after another, chosen by a seed; `done` says what was broken."""

    def __init__(self, stack: Stack, folder: Path, seed: int) -> None:
        self.done: list[str] = []
        self._stack = stack
        self._folder = folder
        self._chance = random.Random(seed)

    async def run(self, count: int, *, pause: float) -> None:
        """Break `count` things, each after a pause of at most `pause` seconds."""
        kinds = [self._kill, self._kill_at_a_point, self._stop, self._lose_the_stream]
        chosen = self._chance.choices(kinds, weights=[4, 4, 3, 1], k=count)
        for one in chosen:
            await asyncio.sleep(self._chance.uniform(0, pause))
            await one()

    async def _kill(self) -> None:
        victim = self._chance.choice(KILLED)
        self.done.append(f"kill -9 {victim}")
        await self._stack.kill(victim)

    async def _kill_at_a_point(self) -> None:
        service, point = self._chance.choice(list(ROOMS)), self._chance.choice(POINTS)
        armed = {"id": uuid4().hex, "module": ROOMS[service], "point": point, "after": self._chance.randint(1, 4)}
        fired = self._folder / f"fired-{armed['id']}"
        being_written = self._folder / "being-written"
        being_written.write_text(json.dumps(armed), "utf-8")
        being_written.rename(self._folder / "armed")
        with suppress(AssertionError):  # nobody came by
            await eventually(fired.exists, timeout=8)
        (self._folder / "armed").unlink(missing_ok=True)
        came = "" if fired.exists() else " (nobody came by)"
        self.done.append(f"kill -9 {service} {point}{came}")

    async def _stop(self) -> None:
        victim = self._chance.choice(STOPPED)
        self.done.append(f"{victim} stands still for {SECONDS_STOPPED:g} s")
        async with self._stack.paused(victim):
            await asyncio.sleep(SECONDS_STOPPED)

    async def _lose_the_stream(self) -> None:
        self.done.append("JetStream's store is deleted")
        async with self._stack.paused("nats"):  # else it may write into what is being deleted
            shutil.rmtree(self._stack.state_dir / "nats")
            await self._stack.kill("nats")


@contextmanager
def doubled(stack: Stack, names: tuple[str, ...] = DOUBLED) -> Iterator[None]:
    """A second process of each service that works off queues and events, beside the one that calls go to."""
    started = [_second(stack, name) for name in names]
    try:
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(40)


def _second(stack: Stack, name: str) -> "subprocess.Popen[bytes]":
    first = Path(f"/proc/{stack.pid(name)}")
    words = (first / "environ").read_bytes().split(b"\0")
    environment = dict(word.decode().split("=", 1) for word in words if b"=" in word)
    environment |= {key: "0" for key in ("ORKESTRA_HEALTH_PORT", "ORKESTRA_GRPC_PORT") if key in environment}
    module = (first / "cmdline").read_bytes().split(b"\0")[2].decode()
    with (stack.state_dir / "logs" / f"{name}-second.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module], env=environment, cwd=os.getcwd(), stdout=log, stderr=log
        )
