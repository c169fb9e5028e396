"""Moves the wall clock of a process as its Python code reads it: by the seconds in a file, from one moment to the next.

A library that is preloaded would move the sleeps of the interpreter and of gRPC as well, which a real clock that is set
does not. Monotonic time goes on.
"""

import ctypes
import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path

LOOK_SECONDS = 0.25


class Offset:
    """Seconds that the file says, looked at a few times a second; 0 where there is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seconds = 0.0
        self._look_at = 0.0

    def __call__(self) -> float:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            try:
                self._seconds = float(self._path.read_text("utf-8"))
            except (OSError, ValueError):
                self._seconds = 0.0
        return self._seconds


def move(path: Path) -> None:
    """Have `time.time` and `datetime.now` say what the moved clock shows, for whoever has imported them too."""
    offset, real = Offset(path), time.time

    def moved() -> float:
        return real() + offset()

    def now(_cls: type[datetime], tz: tzinfo | None = None) -> datetime:
        return datetime.fromtimestamp(moved(), tz)

    def utcnow(_cls: type[datetime]) -> datetime:
        return datetime.fromtimestamp(moved(), UTC).replace(tzinfo=None)

    time.time = moved
    time.time_ns = lambda: int(moved() * 1e9)
    _replace(datetime, now=now, utcnow=utcnow)


def _replace(kind: type, **methods: Callable[..., object]) -> None:
    """Put class methods into a type that is written in C."""
    members = gc.get_referents(kind.__dict__)[0]
    members |= {name: classmethod(method) for name, method in methods.items()}
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))
