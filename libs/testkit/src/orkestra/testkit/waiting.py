"""Waiting for conditions instead of for time."""

import asyncio
import inspect
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, overload

T = TypeVar("T")


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

    After `timeout` seconds the last failed assertion is raised, or one that names the condition.
    """
    deadline = time.monotonic() + timeout
    while True:
        failed: AssertionError | None = None
        try:
            asked = condition()
            answer = await asked if inspect.isawaitable(asked) else asked
            if answer:
                return answer
        except AssertionError as error:
            failed = error
        if time.monotonic() > deadline:
            raise failed or AssertionError(f"not true within {timeout:g} s: {_source(condition)}")
        await asyncio.sleep(every)


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
