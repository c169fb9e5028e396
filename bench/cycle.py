"""What both sides of the comparison have to offer: one cycle in two halves, timed."""

import asyncio
import statistics
import time
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Cycle:
    """Seconds from question to visible task, and from answer to finished workflow."""

    asked: float
    answered: float


class Side(Protocol):
    """One way to ask a person: Orkestra, or the bare SDK."""

    name: str

    async def cycle(self) -> Cycle:
        """Ask, see the question, answer, and wait for the workflow's end."""
        ...


@dataclass(frozen=True)
class Figures:
    """Medians of the halves in milliseconds, and cycles per second with many clients."""

    asked_ms: float
    answered_ms: float
    cycles_per_second: float


async def halves(side: Side, *, cycles: int) -> list[Cycle]:
    """Run cycles one after the other."""
    return [await side.cycle() for _ in range(cycles)]


async def throughput(side: Side, *, clients: int, seconds: float) -> float:
    """Run cycles with many clients at once; returns finished cycles per second."""
    until = time.monotonic() + seconds
    finished = 0

    async def client() -> None:
        nonlocal finished
        while time.monotonic() < until:
            await side.cycle()
            finished += 1

    began = time.monotonic()
    await asyncio.gather(*(client() for _ in range(clients)))
    return finished / (time.monotonic() - began)


def figures(cycles: list[Cycle], cycles_per_second: float) -> Figures:
    """Reduce measurements to the figures that are compared."""
    return Figures(
        asked_ms=statistics.median(cycle.asked for cycle in cycles) * 1000,
        answered_ms=statistics.median(cycle.answered for cycle in cycles) * 1000,
        cycles_per_second=cycles_per_second,
    )
