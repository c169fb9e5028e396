"""Keeps child processes running: starts them, starts them again after a crash, stops them in order."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterable, Sequence

from orkestra.cli.process import StartError
from orkestra.cli.servers import Server, failed

LOOK_EVERY = 0.1
LONGEST_PAUSE = 10.0
CALM_AFTER = 30.0


class Supervisor:
    """Watches servers until it is told to stop them; `say` prints a line, `changed` hears of new pids."""

    def __init__(self, *, say: Callable[[str], None], changed: Callable[[], None]) -> None:
        self._say = say
        self._changed = changed
        self._servers: list[Server] = []
        self._crashes: dict[str, list[float]] = {}
        self._reviving: dict[str, asyncio.Task[None]] = {}
        self._patience = 15.0

    @property
    def pids(self) -> dict[str, int]:
        """The processes that were started, by name."""
        return {server.process.name: server.process.pid for server in self._servers}

    async def start(self, server: Server, timeout: float = 60.0) -> None:  # noqa: ASYNC109 - the deadline of readiness
        """Starts a server and returns when it answers; raises StartError with the end of its log otherwise."""
        await asyncio.to_thread(server.prepare)
        server.spawn()
        self._servers.append(server)
        self._changed()
        deadline = time.monotonic() + timeout
        while not await asyncio.to_thread(server.ready):
            if failed(server):
                raise StartError(server.process, how_it_ended(server.process.exit_code))
            if time.monotonic() > deadline:
                raise StartError(server.process, f"was not ready within {timeout:g} s")
            await asyncio.sleep(LOOK_EVERY / 2)

    async def watch(self) -> None:
        """Starts crashed servers again, for ever."""
        while True:
            for server in self._servers:
                name = server.process.name
                reviving = self._reviving.get(name)
                if server.process.alive or (reviving and not reviving.done()):
                    continue
                self._reviving[name] = asyncio.create_task(self._revive(server))
            await asyncio.sleep(LOOK_EVERY)

    async def stop(self, groups: Iterable[Sequence[Server]]) -> None:
        """Stops group after group; what has not ended within 15 seconds is killed."""
        for reviving in self._reviving.values():
            reviving.cancel()
        await asyncio.gather(*self._reviving.values(), return_exceptions=True)
        for group in groups:
            started = [server for server in group if server in self._servers]
            for server in started:
                server.process.ask_to_stop()
            began = time.monotonic()
            while any(server.process.alive for server in started):
                if time.monotonic() - began > self._patience:
                    self._kill(started)
                await asyncio.sleep(0.02)

    def hurry(self) -> None:
        """Makes a stop that is under way kill what has not ended yet."""
        self._patience = 0.0

    def _kill(self, servers: Sequence[Server]) -> None:
        for server in servers:
            if server.process.alive:
                self._say(f"{server.process.name} did not stop in time and is killed.")
                server.process.kill()

    async def _revive(self, server: Server) -> None:
        process = server.process
        while not process.alive:
            pause = self._pause(process.name)
            self._say(
                f"{process.name} {how_it_ended(process.exit_code)}; starting it again{_in(pause)} (log: {process.log})"
            )
            await asyncio.sleep(pause)
            await asyncio.to_thread(server.prepare)
            server.spawn()
            self._changed()
            while process.alive:
                if await asyncio.to_thread(server.ready):
                    self._say(f"{process.name} is back.")
                    return
                await asyncio.sleep(LOOK_EVERY / 2)

    def _pause(self, name: str) -> float:
        """Longer with every crash of the last half minute."""
        now = time.monotonic()
        recent = [at for at in self._crashes.get(name, []) if now - at < CALM_AFTER]
        self._crashes[name] = [*recent, now]
        return min(LONGEST_PAUSE, 0.1 * 3.0 ** len(recent))


def how_it_ended(code: int | None) -> str:
    """Says it as a sentence's end: "was killed by SIGKILL", "ended with code 1"."""
    if code is not None and code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with code {code}"


def _in(pause: float) -> str:
    return f" in {pause:.0f} s" if pause >= 1 else ""
