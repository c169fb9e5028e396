"""The `orkestra` command as it is typed: its answer, and what a terminal shows of it."""

import asyncio
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from select import select
from typing import Any

from orkestra.cli.commands import app
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from typer.testing import CliRunner

PROGRAM = Path(sys.executable).with_name("orkestra")
QUESTION = {"question": "May I return it?", "conversation_id": "conv-1", "customer_id": "cust-1"}
CTRL_C = b"\x03"
OWN_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Ctrl-C reaches those whose terminal it is."""


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Command:
    """The `orkestra` command with the state folder of a stack."""

    def __init__(self, stack: Stack) -> None:
        self._state = str(stack.state_dir)
        self.person = stack.member_of("support-l1")

    async def __call__(self, *words: str, typed: str | None = None, env: dict[str, str] | None = None) -> Said:
        return await self.bare(*words, "--state-dir", self._state, typed=typed, env=env)

    async def bare(self, *words: str, typed: str | None = None, env: dict[str, str] | None = None) -> Said:
        """The words as they are."""
        ran = await asyncio.to_thread(lambda: CliRunner().invoke(app, words, input=typed, env=env))
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return Said(ran.exit_code, ran.stdout, ran.stderr)

    async def start(self) -> str:
        started = await self("workflow", "start", "customer-support", "--input", json.dumps(QUESTION), "--json")
        assert started.code == 0, started
        workflow_id: str = started.json["workflow_id"]
        return workflow_id

    async def task_of(self, workflow_id: str) -> str:
        async def first() -> str | None:
            tasks = (await self("task", "list", "--workflow", workflow_id, "--json")).json["tasks"]
            return tasks[0]["task_id"] if tasks else None

        return await eventually(first)


def on_a_terminal(
    *words: str | Path,
    interrupt: Callable[[str], bool] = lambda _: False,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    seconds: float = 60,
) -> tuple[int, str]:
    """Run the command on a terminal of its own; return its exit code and all that it showed.

    Ctrl-C is typed once `interrupt` of what is shown so far is true; what has not ended after `seconds` is killed.
    """
    ours, its = pty.openpty()
    command = [sys.executable, "-c", OWN_TERMINAL, PROGRAM, *words]
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, cwd=cwd, env=env, start_new_session=True)
    os.close(its)
    shown, until, asked = b"", time.monotonic() + seconds, False
    try:
        while time.monotonic() < until:
            if not select([ours], [], [], 0.1)[0]:
                continue
            try:
                shown += os.read(ours, 65536)
            except OSError:  # the terminal is closed: it has ended
                break
            if not asked and interrupt(shown.decode("utf-8", "replace")):
                asked = os.write(ours, CTRL_C) == 1
        else:
            process.kill()
    finally:
        os.close(ours)
    return process.wait(), shown.decode("utf-8", "replace")
