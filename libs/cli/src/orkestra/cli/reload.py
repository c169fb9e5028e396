"""Runs a command again whenever the code in a folder changes."""

import os
import signal
import subprocess
import threading
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
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())  # an exception in the middle of a start would lose the child
    child = subprocess.Popen(command)
    while _changes(folder, ended, child, say):
        say("The code has changed; starting again.")
        _stop(child)
        child = subprocess.Popen(command)
    _stop(child)


def _changes(
    folder: Path, ended: threading.Event, child: "subprocess.Popen[bytes]", say: Callable[[str], None]
) -> bool:
    """Wait; True where the code has changed, False where the end was asked for. Says once that the command is over."""
    before, has_ended = _state(folder), False
    while not ended.wait(EVERY_SECONDS):
        if not has_ended and child.poll() is not None:
            has_ended = True
            say("It starts again when the code changes.")
        if _state(folder) != before:
            return True
    return False


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
