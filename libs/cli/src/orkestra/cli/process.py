"""A child process that never outlives us: started, watched, stopped or killed by its pid."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

LAUNCHER = Path(__file__).with_name("launch.py")
CAUSES = ("panic:", "fatal error:")


class Process:
    """One program of ours with its log file. Starting it twice in a row is a restart on the same command."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        keep_paths: bool = False,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.command = list(command)
        self.log = log
        self.env = env
        self.user = user
        self.keep_paths = keep_paths
        self.stop_signal = stop_signal
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The pid of the running or last child; refuses when it was never started."""
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How the last child ended: negative for a signal, None while it runs."""
        return self._child.poll() if self._child else None

    def spawn(self) -> None:
        """Starts the child without waiting until it is ready; it ends with the thread that calls this."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        launcher = [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), str(int(self.stop_signal))]
        who = [self.user or "-", "1" if self.keep_paths else "0", "--"]
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*launcher, *who, *self.command],
                env=None if self.env is None else dict(self.env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, timeout: float = 10.0) -> None:
        """Asks the child to end and waits; kills it after `timeout` seconds."""
        self.ask_to_stop()
        if self._child is not None:
            self.wait(timeout)

    def wait(self, timeout: float) -> int:
        """Waits for the child's own end and returns how it ended; kills it after `timeout` seconds."""
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._child.wait()

    def ask_to_stop(self) -> None:
        """Sends the stop signal and does not wait."""
        if self._child is not None and self.alive:
            self._child.send_signal(self.stop_signal)

    def kill(self) -> None:
        """Ends the child with SIGKILL, as a crash would, and reaps it."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                self._child.kill()
            self._child.wait()

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the log; where a panic began before them, its first line too."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 64_000))
            read = log.read().decode("utf-8", "replace").splitlines()
        causes = [line for line in read[:-lines] if line.startswith(CAUSES)]
        return "\n".join([*causes[-1:], *read[-lines:]])


class StartError(RuntimeError):
    """A process ended or stayed unready; the text ends with the last lines of its log."""

    def __init__(self, process: Process, what: str) -> None:
        super().__init__(f"{process.name} {what}. Last lines of {process.log}:\n{process.log_tail()}")
        self.process = process


def started_at(pid: int) -> str | None:
    """A mark of when the process began, so that a reused pid is not taken for it; None when it does not run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return _started_at_by_ps(pid)
    return None if fields[0] == "Z" else fields[19]


def _started_at_by_ps(pid: int) -> str | None:
    if Path("/proc/self/stat").exists():
        return None
    found = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.strip() or None


def end(pid: int, mark: str, *, timeout: float = 10.0, number: signal.Signals = signal.SIGTERM) -> bool:
    """Ends a process of ours that we are not the parent of; False where it is gone or the pid is another's now."""
    if started_at(pid) != mark:
        return False
    os.kill(pid, number)
    deadline = time.monotonic() + timeout
    while started_at(pid) == mark:
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            deadline = time.monotonic() + 5.0
        time.sleep(0.02)
    return True
