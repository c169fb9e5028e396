"""The whole stack as its users start it: `orkestra dev` in a folder of its own, driven from outside."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

READY_WITHIN = 90.0
DEV = (sys.executable, "-m", "orkestra.cli", "dev")


class Stack:
    """A running `orkestra dev`; `info` is its stack.json."""

    def __init__(self, state_dir: Path, process: subprocess.Popen[bytes]) -> None:
        self.state_dir = state_dir
        self._process = process

    @property
    def info(self) -> dict[str, Any]:
        """Read stack.json, which names new pids after a restart."""
        stack: dict[str, Any] = json.loads((self.state_dir / "stack.json").read_text("utf-8"))
        return stack

    def pid(self, name: str) -> int:
        """Return the process id of one service or server as stack.json has it."""
        pid: int = self.info["processes"][name]
        return pid

    def send(self, name: str, signum: signal.Signals) -> None:
        """Send a signal to one service or server."""
        os.kill(self.pid(name), signum)

    @asynccontextmanager
    async def paused(self, name: str) -> AsyncIterator[None]:
        """Keep one process stopped (SIGSTOP) for the length of the block."""
        pid = self.pid(name)
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):  # it may have been killed meanwhile
                os.kill(pid, signal.SIGCONT)

    async def kill(self, name: str) -> None:
        """Kill -9 one process and wait until the supervisor has started another."""
        before = self.pid(name)
        os.kill(before, signal.SIGKILL)
        async with asyncio.timeout(30):
            while self.pid(name) == before:  # noqa: ASYNC110 - another process writes the file
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def rest(self, *, key: str | None = None, email: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """Open the REST door with a demo key (admin, agent, system) or signed in as a demo user."""
        info = self.info
        async with httpx.AsyncClient(base_url=info["rest"], timeout=60) as http:
            if key is not None:
                http.headers["authorization"] = f"Bearer {info['api_keys'][key]}"
            if email is not None:
                user = next(user for user in info["users"] if user["email"] == email)
                body = {"email": email, "password": user["password"]}
                session = (await http.post("/v1/sessions", json=body)).raise_for_status()
                http.headers["authorization"] = f"Bearer {session.json()['token']}"
            yield http

    def member_of(self, group: str, *, nth: int = 0) -> str:
        """Return the e-mail address of a demo user of a group."""
        users = [user["email"] for user in self.info["users"] if group in user["groups"]]
        email: str = users[nth]
        return email

    def stop(self) -> None:
        """End the stack as Ctrl-C would, and wait for it."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)


def start_stack(
    state_dir: Path,
    *,
    port_offset: int,
    settings: Mapping[str, str] | None = None,
    command: Sequence[str | Path] = DEV,
    ready_within: float = READY_WITHIN,
) -> Stack:
    """Start `orkestra dev` and wait until stack.json says that it is ready; fails with the log's end.

    `settings` are what of the environment it passes on to its services; `command` is another program of its kind.
    """
    log = state_dir.parent / f"{state_dir.name}.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORKESTRA_")}
    environment |= settings or {}
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--state-dir", state_dir, "--port-offset", str(port_offset)],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=environment,
        )
    until = time.monotonic() + ready_within
    while time.monotonic() < until and process.poll() is None:
        if (state_dir / "stack.json").exists():
            return Stack(state_dir, process)
        time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"The stack was not ready within {ready_within:.0f} s. Its log ends:\n{log.read_text()[-4000:]}")


@asynccontextmanager
async def running_stack(*, port_offset: int, settings: Mapping[str, str] | None = None) -> AsyncIterator[Stack]:
    """Run a stack in a temporary folder for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="orkestra-stack-", ignore_cleanup_errors=True) as folder:
        os.chmod(folder, 0o755)  # PostgreSQL runs as another user when the tests run as root
        state = Path(folder) / "state"
        stack = await asyncio.to_thread(start_stack, state, port_offset=port_offset, settings=settings)
        try:
            yield stack
        finally:
            await asyncio.to_thread(stack.stop)
