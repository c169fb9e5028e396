"""Whether a process can do its work, and what keeps it from it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from orkestra.chassis.drain import Drain
from orkestra.chassis.logs import get_logger
from orkestra.wire import Error

CHECK_SECONDS = 1.5
OK = "ok"
Check = Callable[[], Awaitable[None]]

logger = get_logger(__name__)


class UnwellError(Exception):
    """A dependency does not do its work; the text is a sentence for whoever asks."""


@dataclass(frozen=True, slots=True)
class Report:
    """What the checks said: `dependencies` maps each name to "ok" or a sentence."""

    status: str
    is_ready: bool
    dependencies: dict[str, str]


class Readiness:
    """The checks of one process."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self._needed: dict[str, Check] = {}
        self._watched: dict[str, Check] = {}
        self._failing: set[str] = set()
        self.is_started = False

    def need(self, name: str, check: Check) -> None:
        """Count this process as not ready while `check` raises or takes longer than 1.5 seconds."""
        self._needed[name] = check

    def watch(self, name: str, check: Check) -> None:
        """Report `check` without counting it: requests are answered without this dependency."""
        self._watched[name] = check

    async def report(self) -> Report:
        """Run every check at once."""
        checks = self._needed | self._watched
        said = await asyncio.gather(*(verdict(check, CHECK_SECONDS) for check in checks.values()))
        dependencies = dict(zip(checks, said, strict=True))
        self._log_changes(dependencies)
        if self._drain.draining:
            return Report("draining", is_ready=False, dependencies=dependencies)
        if not self.is_started:
            return Report("starting", is_ready=False, dependencies=dependencies)
        if any(dependencies[name] != OK for name in self._needed):
            return Report("unavailable", is_ready=False, dependencies=dependencies)
        degraded = any(text != OK for text in said)
        return Report("degraded" if degraded else "ready", is_ready=True, dependencies=dependencies)

    def _log_changes(self, dependencies: dict[str, str]) -> None:
        failing = {name for name, text in dependencies.items() if text != OK}
        for name in failing - self._failing:
            logger.warning("dependency is away", dependency=name, detail=dependencies[name])
        for name in self._failing - failing:
            logger.info("dependency is back", dependency=name)
        self._failing = failing


async def verdict(check: Check, seconds: float) -> str:
    """Return "ok", or a sentence that says why `check` failed or that it took longer."""
    try:
        async with asyncio.timeout(seconds):
            await check()
    except TimeoutError:
        return f"does not answer within {seconds:g} seconds"
    except Error as away:
        return away.message
    except UnwellError as said:
        return str(said)
    except Exception as broken:  # a check may fail in any way, and each of them means not ok
        return f"{type(broken).__name__}: {broken}"
    return OK
