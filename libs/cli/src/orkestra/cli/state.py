"""The state folder of a local stack: what runs, its secrets, its data."""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from orkestra.cli.process import end, started_at
from orkestra.cli.refusals import CommandError

STATE = ".orkestra"
SECRETS: dict[str, Callable[[], str]] = {
    "service_key": lambda: f"oin_{secrets.token_urlsafe(32)}",
    "worker_key": lambda: f"oin_{secrets.token_urlsafe(32)}",
    "token_signing_key": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    "receipt_signing_key": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    "key_pepper": lambda: secrets.token_urlsafe(32),
    "mcp_state_key": lambda: base64.b64encode(secrets.token_bytes(32)).decode(),
    "csrf_key": lambda: secrets.token_urlsafe(32),
    "demo_seed": lambda: secrets.token_urlsafe(32),
}


def nearest_state() -> Path:
    """The state folder that belongs here: `.orkestra` in this folder, or in the nearest one above that has it.

    Where there is none, the one that would be made here. Another user's is passed over: it names whom to trust.
    """
    if Path(STATE).is_dir():
        return Path(STATE)
    above = (folder / STATE for folder in Path.cwd().parents)
    return next((folder for folder in above if _is_ours(folder)), Path(STATE))


def _is_ours(folder: Path) -> bool:
    try:
        return folder.is_dir() and folder.stat().st_uid == os.geteuid()
    except OSError:
        return False


class StateError(CommandError):
    """The folder cannot be used; the text says what to do."""


class StateDir:
    """One folder, one stack: whoever holds its lock runs the stack."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self._lock: int | None = None

    def make(self) -> None:
        """Makes the folder where there is none; refuses another user's."""
        self.path.mkdir(parents=True, exist_ok=True)
        if self.path.stat().st_uid != os.geteuid():
            raise StateError(f"{self.path} belongs to another user: give another folder by --state-dir.")
        self.path.chmod(0o711 if os.geteuid() == 0 else 0o700)  # as root, PostgreSQL's user passes through
        self.logs.mkdir(mode=0o700, exist_ok=True)

    def take(self) -> bool:
        """Makes the folder and takes its lock; False where another process has it. The lock ends with this process."""
        self.make()
        self._lock = self._try_lock()
        return self._lock is not None

    def release(self) -> None:
        """Gives the lock back."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def is_taken(self) -> bool:
        """Whether a stack runs, or is starting, in the folder."""
        if not (self.path / "lock").exists():
            return False
        lock = self._try_lock()
        if lock is not None:
            os.close(lock)
        return lock is None

    def _try_lock(self) -> int | None:
        lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        return lock

    @property
    def stack(self) -> dict[str, Any] | None:
        """stack.json, which stands only while the stack is ready."""
        return self._read("stack.json")

    def write_stack(self, stack: Mapping[str, Any]) -> None:
        self._write("stack.json", stack)

    def forget_stack(self) -> None:
        (self.path / "stack.json").unlink(missing_ok=True)

    def secrets(self) -> dict[str, str]:
        """The installation's keys, made at the first start and kept."""
        kept = self._read("secrets.json") or {}
        made = {name: kept.get(name) or make() for name, make in SECRETS.items()}
        if made != kept:
            self._write("secrets.json", made)
        return made

    @property
    def demo(self) -> dict[str, Any] | None:
        """The demo tenants as they were made, None before."""
        return self._read("demo.json")

    def write_demo(self, demo: Mapping[str, Any]) -> None:
        self._write("demo.json", demo)

    def record(self, pids: Mapping[str, int]) -> None:
        """Remembers whom to end should this process be killed."""
        marks = {name: [pid, started_at(pid)] for name, pid in pids.items()}
        self._write("processes.json", {name: entry for name, entry in marks.items() if entry[1] is not None})

    def recorded(self, name: str) -> tuple[int, str] | None:
        """Pid and start mark of a recorded process that still runs."""
        entry = (self._read("processes.json") or {}).get(name)
        return (entry[0], entry[1]) if entry and started_at(entry[0]) == entry[1] else None

    def end_leftovers(self) -> list[str]:
        """Ends what a killed supervisor left behind and returns the names. Only for the holder of the lock."""
        left = self._read("processes.json") or {}
        ended = [name for name, (pid, mark) in left.items() if pid != os.getpid() and end(pid, mark)]
        (self.path / "processes.json").unlink(missing_ok=True)
        return ended

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads((self.path / name).read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as unreadable:
            raise StateError(f"{self.path / name} cannot be read ({unreadable}): remove it.") from None
        return found

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        """Writes the whole file or nothing, readable by its owner only."""
        new = self.path / f".{name}.new"
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
            file.write("\n")
        new.replace(self.path / name)
