"""Kills a process of a test's stack at a point that the test has armed, and moves its clock; on that PYTHONPATH only.

FAULT_FOLDER has a file `armed`: `{"point": "after-commit", "module": "orkestra.task_service", "after": 2}`. The process
of that module that comes to the point for the `after`th time takes the file away, so that only one dies, and is killed
as `kill -9` would. A file `clock` there has the seconds by which the clocks of all services are wrong.
"""

import importlib.abc
import importlib.machinery
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import moved_clock  # type: ignore[import-not-found]  # beside us on that PYTHONPATH only

FOLDER = Path(os.environ.get("FAULT_FOLDER", "/nonexistent"))
SERVICE = sys.orig_argv[-1]
PATCHED: dict[str, Callable[[ModuleType], None]] = {}
passed: dict[str, int] = {}


def reached(point: str) -> None:
    """Dies here where this point of this process is armed."""
    armed = FOLDER / "armed"
    try:
        wanted = json.loads(armed.read_text("utf-8"))
    except (OSError, ValueError):
        return
    if (wanted["point"], wanted["module"]) != (point, SERVICE):
        return
    passed[wanted["id"]] = passed.get(wanted["id"], 0) + 1
    if passed[wanted["id"]] < wanted["after"]:
        return
    try:
        armed.rename(FOLDER / f"fired-{wanted['id']}")
    except FileNotFoundError:
        return  # another process was here first
    os.kill(os.getpid(), signal.SIGKILL)


def commits(operations: ModuleType) -> None:
    """Points around every commit of an operation."""
    commit = operations.Tx.commit

    async def watched(self: Any, *args: Any, **named: Any) -> None:
        reached("before-commit")
        await commit(self, *args, **named)
        reached("after-commit")

    operations.Tx.commit = watched


def publishes(client: ModuleType) -> None:
    """Points around every event that is handed to NATS: before, and sent but not yet marked as sent."""
    publish = client.Client.publish

    async def watched(self: Any, subject: str, *args: Any, **named: Any) -> None:
        of_ours = subject.startswith("orkestra.")
        if of_ours:
            reached("before-publish")
        await publish(self, subject, *args, **named)
        if of_ours:
            reached("mid-publish")

    client.Client.publish = watched


PATCHED["orkestra.chassis.operations"] = commits
PATCHED["nats.aio.client"] = publishes


class Finder(importlib.abc.MetaPathFinder):
    """Finds a module as Python would, and changes it once it is loaded."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname not in PATCHED:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_change(module: ModuleType) -> None:
            execute(module)
            PATCHED[fullname](module)

        spec.loader.exec_module = execute_and_change  # type: ignore[method-assign]
        return spec


if SERVICE.startswith("orkestra.") and FOLDER.exists():
    sys.meta_path.insert(0, Finder())
    moved_clock.move(FOLDER / "clock")
