"""Workers as processes of their own, which a test may kill; run as a program it is such a worker."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from orkestra.sdk.worker import WorkerSettings, run_worker
from orkestra.testkit import eventually

SERVING = "everything is served now\n"


class WorkerProcess:
    """A worker process and its log."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log

    async def serving(self) -> None:
        """Wait until it serves; fails with its log where it ended."""

        def is_serving() -> bool:
            told = self._log.read_text()
            assert self._process.poll() is None, told
            return SERVING in told

        await eventually(is_serving, timeout=60)

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()

    async def stop(self) -> None:
        """End it as a deployment would."""
        self._process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(self._process.wait, 30)


@asynccontextmanager
async def worker_processes(settings: WorkerSettings, folder: Path) -> AsyncIterator["Starter"]:
    """Yield what starts workers, and kill whichever are left at the end."""
    starter = Starter(settings, folder)
    try:
        yield starter
    finally:
        for process in starter.started:
            process.kill()


class Starter:
    """Starts worker processes."""

    def __init__(self, settings: WorkerSettings, folder: Path) -> None:
        self._settings = settings
        self._folder = folder
        self.started: list[WorkerProcess] = []

    def start(self, *modules: str, code: Path | None = None) -> WorkerProcess:
        """Start a worker of these modules, which are looked for in the folder `code` first."""
        log = self._folder / f"worker-{len(self.started)}.log"
        places = [str(place) for place in (code, *sys.path) if place]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, __file__, json.dumps(_plain(self._settings)), *modules],
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
            )
        self.started.append(WorkerProcess(process, log))
        return self.started[-1]


def _plain(settings: WorkerSettings) -> dict[str, Any]:
    """Return what a command line carries of the settings: these tests encrypt nothing."""
    return {name: value for name, value in vars(settings).items() if name != "payload_keys"}


async def _serve(settings: WorkerSettings, modules: Sequence[str]) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    serving = asyncio.create_task(run_worker(modules, settings=settings, stop=stop, ready=ready))
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    if waiting.done():
        print(SERVING, end="", flush=True)  # noqa: T201 - read from the log
    waiting.cancel()
    await serving


if __name__ == "__main__":
    asyncio.run(_serve(WorkerSettings(**json.loads(sys.argv[1])), sys.argv[2:]))
