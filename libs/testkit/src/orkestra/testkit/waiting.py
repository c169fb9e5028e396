"""Waiting for conditions instead of for time."""

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")
LAST_ANSWER = 5.0
"""Seconds that a condition asked in time may still take to answer."""


@overload
async def eventually(
    condition: Callable[[], Coroutine[Any, Any, T | None]],
    *,
    timeout: float = ...,  # noqa: ASYNC109
    every: float = ...,
) -> T: ...


@overload
async def eventually(condition: Callable[[], T], *, timeout: float = ..., every: float = ...) -> T: ...  # noqa: ASYNC109


async def eventually(condition: Callable[[], Any], *, timeout: float = 30.0, every: float = 0.02) -> Any:  # noqa: ASYNC109
    """Asks until the answer is true or truthy and returns it; an assertion that fails counts as not yet.

    After `timeout` seconds the last failed assertion is raised, or one that names the condition; so it is where the
    condition itself does not come back.
    """
    deadline = time.monotonic() + timeout
    failed: AssertionError | None = None
    try:
        async with asyncio.timeout(timeout + LAST_ANSWER) as patience:
            while True:
                failed = None
                try:
                    asked = condition()
                    answer = await asked if inspect.isawaitable(asked) else asked
                    if answer:
                        return answer
                except AssertionError as error:
                    failed = error
                if time.monotonic() > deadline:
                    break
                await asyncio.sleep(every)
    except TimeoutError:
        if not patience.expired():
            raise
    raise failed or AssertionError(f"not true within {timeout:g} s: {_source(condition)}")


def eventually_sync(condition: Callable[[], T], *, timeout: float = 30.0, every: float = 0.02) -> T:
    """The same outside an event loop; the answer must be truthy."""
    deadline = time.monotonic() + timeout
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not true within {timeout:g} s: {_source(condition)}")
        time.sleep(every)


def _source(condition: object) -> str:
    try:
        return inspect.getsource(condition).strip()  # type: ignore[arg-type]  # a condition without source has a repr
    except (OSError, TypeError):
        return repr(condition)
