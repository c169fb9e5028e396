"""What both sides of the comparison have to offer: one cycle in two halves, timed."""

import asyncio
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

PERSON_SECONDS = 0.05
"""How long a person thinks: until the workflow has said that it waits.

An answer that comes sooner meets the step that asked still under way, and Temporal hands the next step over with the
end of that one: a step through its queue less, which no person's answer saves. The bare SDK would have that in three
cycles of four.
"""


@dataclass(frozen=True)
class Cycle:
    """Seconds from question to visible task, and from answer to finished workflow; not the person's own."""

    asked: float
    answered: float


class Side(Protocol):
    """One way to ask a person: Orkestra, or the bare SDK."""

    name: str

    async def cycle(self) -> Cycle:
        """Ask, see the question, answer, and wait for the workflow's end."""
        ...


@dataclass(frozen=True)
class Load:
    """What many clients at once came to: finished cycles, seconds, and seconds of CPU by process."""

    cycles: Sequence[Cycle]
    seconds: float
    cpu: Mapping[str, float]

    @property
    def finished(self) -> int:
        """How many cycles ended."""
        return len(self.cycles)


@dataclass(frozen=True)
class Figures:
    """Medians of the halves in milliseconds; cycles per second, and milliseconds of CPU a cycle, with many clients."""

    asked_ms: float
    answered_ms: float
    cycles_per_second: float
    cpu_ms: Mapping[str, float]


async def halves(side: Side, *, cycles: int) -> list[Cycle]:
    """Run cycles one after the other."""
    return [await side.cycle() for _ in range(cycles)]


async def throughput(side: Side, *, clients: int, seconds: float, cpu: Callable[[], Mapping[str, float]]) -> Load:
    """Run cycles with many clients at once for `seconds`; `cpu` reads what each process has used so far."""
    until = time.monotonic() + seconds
    cycles: list[Cycle] = []

    async def client() -> None:
        while time.monotonic() < until:
            cycles.append(await side.cycle())

    before, began = cpu(), time.monotonic()
    await asyncio.gather(*(client() for _ in range(clients)))
    took, after = time.monotonic() - began, cpu()
    return Load(cycles, took, {name: after[name] - before[name] for name in before})


def figures(cycles: Sequence[Cycle], loads: Sequence[Load]) -> Figures:
    """Reduce measurements to the figures that are compared."""
    finished = sum(load.finished for load in loads)
    return Figures(
        asked_ms=statistics.median(cycle.asked for cycle in cycles) * 1000,
        answered_ms=statistics.median(cycle.answered for cycle in cycles) * 1000,
        cycles_per_second=statistics.median(load.finished / load.seconds for load in loads),
        cpu_ms={name: sum(load.cpu[name] for load in loads) * 1000 / finished for name in loads[0].cpu},
    )
