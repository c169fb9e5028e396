"""What `orkestra doctor` finds of one thing that Orkestra needs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Status(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing, how it is, and what to do where it is not well."""

    name: str
    status: Status
    detail: str
    remedy: str | None = None


@dataclass(frozen=True, kw_only=True)
class Patient:
    """What is looked at: the places that are known, and the local stack where it is one."""

    known: Mapping[str, str]
    environ: Mapping[str, str]
    seconds: float
    health: Mapping[str, str] = field(default_factory=dict)
    logs: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is a stack of this machine."""
        return self.logs is not None

    def start_again(self, name: str, otherwise: str) -> str:
        """What to do about a process that is away: of the local stack, or `otherwise`."""
        if self.logs is None:
            return otherwise
        log = self.logs / f"{name}.log"
        return f"Read the end of {log}; `orkestra dev stop`, then `orkestra dev --detach` starts everything again."


def ok(name: str, detail: str) -> Finding:
    return Finding(name, Status.OK, detail)


def warning(name: str, detail: str, remedy: str) -> Finding:
    return Finding(name, Status.WARNING, detail, remedy)


def broken(name: str, detail: str, remedy: str) -> Finding:
    return Finding(name, Status.BROKEN, detail, remedy)


def unchecked(name: str, why: str, remedy: str) -> Finding:
    return Finding(name, Status.UNCHECKED, why, remedy)


async def looked_at(
    name: str, look: Callable[[Patient], Awaitable[list[Finding]]], patient: Patient, *, remedy: str
) -> list[Finding]:
    """Return what `look` finds; broken, with this remedy, where nothing answers in time."""
    try:
        async with asyncio.timeout(patient.seconds):
            return await look(patient)
    except TimeoutError:
        return [broken(name, f"does not answer within {patient.seconds:g} seconds", remedy)]
