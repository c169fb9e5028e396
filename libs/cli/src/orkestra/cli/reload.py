"""Runs a command again whenever the code in a folder changes."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

EVERY_SECONDS = 0.3
STOP_SECONDS = 15.0
PASSED_OVER = frozenset({".venv", ".git", "node_modules", "__pycache__", ".orkestra"})


def run_reloading(command: Sequence[str], folder: Path, *, say: Callable[[str], None]) -> None:
    """Run the command until Ctrl-C or SIGTERM, and again after each change of a Python file in the folder.

    One that ends by itself, as with a mistake in the code, is started again after the next change.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    child = subprocess.Popen(command)
    try:
        while True:
            _wait_for_change(folder)
            say("The code has changed; starting again.")
            _stop(child)
            child = subprocess.Popen(command)
    except KeyboardInterrupt:
        return
    finally:
        _stop(child)


def _wait_for_change(folder: Path) -> None:
    before = _state(folder)
    while _state(folder) == before:
        time.sleep(EVERY_SECONDS)


def _state(folder: Path) -> dict[str, int]:
    found: dict[str, int] = {}
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in PASSED_OVER]
        for path in (os.path.join(at, name) for name in names if name.endswith(".py")):
            with suppress(FileNotFoundError):  # an editor replaces files
                found[path] = os.stat(path).st_mtime_ns
    return found


def _stop(child: "subprocess.Popen[bytes]") -> None:
    if child.poll() is not None:
        return
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
