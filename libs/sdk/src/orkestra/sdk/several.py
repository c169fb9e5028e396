"""Several tasks at once: the first, all of them, or as many as are needed; what is needed no longer is cancelled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, overload

from orkestra.sdk.tasks import TaskCancelled, TaskExpired
from temporalio import workflow

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
NO_ANSWER = (TaskExpired, TaskCancelled)


@dataclass(frozen=True)
class Quorum(Generic[T_co]):
    """What a quorum came to: `answers` are all that came, in the order in which they were asked for."""

    reached: bool
    answers: tuple[T_co, ...]
    counted: int


async def first_of(*asked: Awaitable[T]) -> T:
    """Return the first answer and cancel the other tasks.

    A task that expired or was cancelled is no answer; where none is left, the last one's TaskExpired or TaskCancelled
    is raised. Whatever else fails is raised at once.
    """
    async with _together(asked) as running:
        waiting = list(running)
        while True:
            done, waiting = await workflow.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                if not isinstance(one.exception(), NO_ANSWER):
                    return one.result()
            if not waiting:
                return done[-1].result()  # raises why there is no answer


@overload
async def all_of(first: Awaitable[A], second: Awaitable[B], /) -> tuple[A, B]: ...


@overload
async def all_of(first: Awaitable[A], second: Awaitable[B], third: Awaitable[C], /) -> tuple[A, B, C]: ...


@overload
async def all_of(*asked: Awaitable[T]) -> tuple[T, ...]: ...


async def all_of(*asked: Awaitable[Any]) -> tuple[Any, ...]:
    """Return every answer, in the order in which they were asked for.

    As soon as one fails, such as by TaskExpired, the others are cancelled and its error is raised.
    """
    async with _together(asked) as running:
        await workflow.wait(running, return_when=asyncio.FIRST_EXCEPTION)
        failed = [one for one in running if one.done() and one.exception() is not None]
        return tuple(one.result() for one in failed or running)


async def quorum(
    required: int,
    /,
    *asked: Awaitable[T],
    counts: Callable[[T], bool] = lambda _: True,
    by: Callable[[T], Hashable] | None = None,
) -> Quorum[T]:
    """Wait until `required` answers count, or no longer can, and cancel the tasks that are left.

    `counts` says which answers do, such as `lambda receipt: receipt.is_approved`. `by` tells whose an answer is, such
    as `lambda receipt: receipt.decided_by`: whoever answers several counts once. A task that expired or was cancelled
    does not count. Refuses (ValueError) more than are asked for.
    """
    if not 1 <= required <= len(asked):
        _close(asked)
        raise ValueError(f"A quorum of {required} cannot come of {len(asked)} tasks.")
    async with _together(asked) as running:
        waiting = list(running)
        while True:
            answers = [one.result() for one in running if one.done() and not isinstance(one.exception(), NO_ANSWER)]
            counted = _counted([one for one in answers if counts(one)], by)
            if counted >= required or counted + len(waiting) < required:
                return Quorum(counted >= required, tuple(answers), counted)
            _, waiting = await workflow.wait(waiting, return_when=asyncio.FIRST_COMPLETED)


def _counted(answers: Sequence[T], by: Callable[[T], Hashable] | None) -> int:
    return len(answers) if by is None else len({by(one) for one in answers})


@asynccontextmanager
async def _together(asked: Sequence[Awaitable[T]]) -> AsyncIterator[Sequence["asyncio.Future[T]"]]:
    """Begin all of them; at the end those that are left are cancelled, and their tasks with them."""
    if not asked:
        raise ValueError("There is nothing to wait for.")
    running = [asyncio.ensure_future(one) for one in asked]
    try:
        yield running
    finally:
        for one in running:
            one.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _close(asked: Sequence[Awaitable[Any]]) -> None:
    """Drop what was asked without having begun."""
    for one in asked:
        if asyncio.iscoroutine(one):
            one.close()
