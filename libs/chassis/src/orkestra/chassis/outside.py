"""What a process uses of others' servers: asked when somebody wants to know, never for readiness."""

import asyncio
from dataclasses import dataclass

from orkestra.chassis.readiness import OK, Check, verdict

USUAL_SECONDS = 5.0
LONGEST_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One of them: `detail` is "ok" or a sentence, `remedy` what to do then."""

    name: str
    detail: str
    remedy: str


class Outside:
    """The servers that are set up besides what the installation is made of; without them requests are answered.

    Nothing is asked by itself: others' servers are not signed in at every second, and a slow one holds up no probe.
    """

    def __init__(self) -> None:
        self._checks: dict[str, tuple[Check, str]] = {}
        self._asking: asyncio.Task[list[Verdict]] | None = None

    def add(self, name: str, check: Check, *, remedy: str) -> None:
        """Have `check` said of `name` where somebody asks; it raises where the server does not do its work."""
        self._checks[name] = check, remedy

    async def report(self, seconds: float) -> list[Verdict]:
        """Ask all of them at once, for as long as that; whoever asks meanwhile gets the same report."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask(min(seconds, LONGEST_SECONDS)))
        return await asyncio.shield(self._asking)

    async def _ask(self, seconds: float) -> list[Verdict]:
        said = await asyncio.gather(*(verdict(check, seconds) for check, _ in self._checks.values()))
        found = zip(self._checks.items(), said, strict=True)
        return [Verdict(name, text, "" if text == OK else remedy) for (name, (_, remedy)), text in found]
