"""The state of one run that task() and the interceptors share; lives inside the workflow sandbox."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from datetime import timedelta
from functools import cached_property
from typing import Any, TypeVar

from orkestra.rules import mint_task_id
from orkestra.sdk.header import RunHeader
from orkestra.v1.task import ClockState, TaskStatus
from pydantic import BaseModel, ConfigDict
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, FailureError, is_cancelled_exception

WAKE_UP_SIGNAL = "orkestra_task"
FIRE_SCHEDULE = "orkestra.fire_schedule"
APPLY_RETENTION = "orkestra.apply_retention"
ERASE_PART = "orkestra.erase_part"
FIRST_TRIES = RetryPolicy(initial_interval=timedelta(milliseconds=100), maximum_attempts=3)
WITHOUT_END = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))
CALL_TIMEOUT = timedelta(seconds=2)
QUICK_AT_ONCE = 50
CALLS_AT_ONCE = 100
"""Of one run; Temporal gives its code two seconds at a time, and keeps at most 2,000 activities pending."""
SHORTEST_ALARM = timedelta(milliseconds=10)
ALARM_SUMMARY = "alarm of "
"""Begins the summary of a timer that is a task's alarm, which tells it from an author's timers in the history."""

A = TypeVar("A", bound=BaseModel)


class WakeUp(BaseModel):
    """The signal that a task ended or a deadline of it moved.

    Where task-service has handed the end over, `state` is what it would answer to AdvanceClock: an end is final.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    task_id: str
    version: int
    state: ClockState | None = None


class ClockQuestion(BaseModel):
    """An AdvanceClockRequest, with the answer where a signal has brought it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    task_id: str
    known: ClockState | None = None


class Run:
    """One run: its header, and the newest version heard of each of its tasks."""

    def __init__(self) -> None:
        self.header: RunHeader | None = None
        self._heard: dict[str, int] = {}
        self._told: dict[str, ClockState] = {}
        self._waiting: dict[str, tuple[int, asyncio.Future[None]]] = {}
        self.has_ended = False
        """Whether the author's code has returned, raised, or goes on as another run."""
        self._ringing: list[asyncio.Task[None]] = []
        self._silencing: asyncio.Task[None] | None = None
        self._gate = asyncio.Semaphore(CALLS_AT_ONCE)
        self._wanted = 0

    @cached_property
    def slim_header(self) -> Payload | None:
        """What activities are given of the header."""
        return None if self.header is None else self.header.without_content().to_payload()

    def required_header(self) -> RunHeader:
        """Return the header; refuses a run that was not started through Orkestra."""
        if self.header is None:
            raise ApplicationError(
                "This run was not started through Orkestra, so nobody knows its tenant: "
                "start it with workflow_start, POST /v1/workflows or `orkestra workflow start`.",
                type="RUN_UNKNOWN",
                non_retryable=True,
            )
        return self.header

    def mint_task_id(self) -> str:
        """Return a new task id in the layout of a UUIDv7; the same one when the code is replayed.

        The time is the run's start and the rest comes from the run's random numbers: `workflow.uuid7()` would
        give another id after a worker dies inside the local activity that opens the task.
        """
        return mint_task_id(workflow.info().workflow_start_time, workflow.random().getrandbits(74))

    def listen(self, task_id: str) -> None:
        """Hear the signals about a task from now on."""
        self._heard.setdefault(task_id, 0)

    def forget(self, task_id: str) -> None:
        """Hear no more of a task."""
        self._heard.pop(task_id, None)
        self._told.pop(task_id, None)

    def hear(self, signal: WakeUp) -> None:
        """Note a signal; one about a task that this run does not wait for is ignored."""
        known = self._heard.get(signal.task_id)
        if known is None or signal.version <= known:
            return
        self._heard[signal.task_id] = signal.version
        state = signal.state
        if state is not None and (state.task_id, state.version) == (signal.task_id, signal.version) and _is_end(state):
            self._told[signal.task_id] = state
        since, told = self._waiting.get(signal.task_id, (0, None))
        if told is not None and signal.version > since and not told.done():
            told.set_result(None)

    def told(self, task_id: str) -> ClockState | None:
        """Return how a task has ended, where a signal said so."""
        return self._told.get(task_id)

    @property
    def takes_told_ends(self) -> bool:
        """Whether an end that came with its signal is taken as it is, which the run's history then shows."""
        return self.header is not None and self.header.takes_told_ends

    async def news(
        self, task_id: str, *, since: int, alarm: timedelta | None, unless: "asyncio.Future[Any] | None" = None
    ) -> None:
        """Wait until a version above `since` was heard of, the alarm rings, or `unless` is done.

        Each task has a future of its own: Temporal would ask a condition of each again at every step of the run.
        """
        if self._heard.get(task_id, 0) > since:
            return
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[task_id] = since, told
        until = [told] if unless is None else [told, unless]
        try:
            if alarm is None:
                await workflow.wait(until, return_when=asyncio.FIRST_COMPLETED)
                return
            length = max(alarm, SHORTEST_ALARM)
            ringing = asyncio.ensure_future(workflow.sleep(length, summary=f"{ALARM_SUMMARY}{task_id}"))
            try:
                await workflow.wait([*until, ringing], return_when=asyncio.FIRST_COMPLETED)
            except BaseException:  # cancelled, or taken out of memory
                ringing.cancel()
                raise
            self._silence(ringing)
        finally:
            self._waiting.pop(task_id, None)

    def _silence(self, ringing: "asyncio.Task[None]") -> None:
        """Stop an alarm: at once, or once the run has nothing more to do, for where it ends an alarm ends with it."""
        if ringing.done() or self.header is None or not self.header.ends_with_its_alarms:
            ringing.cancel()
            return
        self._ringing.append(ringing)
        if len(self._ringing) == 1:
            self._silencing = asyncio.ensure_future(self._silence_later())

    async def _silence_later(self) -> None:
        await workflow.wait_condition(lambda: True)  # looked at where nothing else is ready
        alarms, self._ringing = self._ringing, []
        if not self.has_ended:
            for alarm in alarms:
                alarm.cancel()

    async def call(
        self,
        activity: str,
        request: BaseModel | Callable[[], BaseModel],
        answer: type[A],
        *,
        quickly: BaseModel | None = None,
    ) -> A:
        """Call a service: three quick tries that leave one event, then tries without end at most 30 s apart.

        The quick ones are given `quickly`, where that says more than the request.

        A request that is a function is made when its turn has come: at most 100 calls of a run go on at once. Where
        many are wanted at once the quick tries are left out: Temporal takes a step back that has not ended after ten
        seconds, with all the calls that it has made.
        """
        self._wanted += 1
        is_quick = self._wanted <= QUICK_AT_ONCE
        try:
            async with self._gate:
                asked = request() if callable(request) else request
                if not is_quick:
                    return await self._recorded(activity, asked, answer)
                try:
                    return await self._quickly(activity, quickly or asked, answer)
                except FailureError as error:
                    _raise_refusal(error)
                    return await self._recorded(activity, asked, answer)
        finally:
            self._wanted -= 1

    async def call_recorded(self, activity: str, request: BaseModel, answer: type[A]) -> A:
        """Call a service with the intent in the history first; tried without end at most 30 s apart."""
        async with self._gate:
            return await self._recorded(activity, request, answer)

    async def _quickly(self, activity: str, request: BaseModel, answer: type[A]) -> A:
        answered: A = await workflow.execute_local_activity(
            activity,
            request,
            result_type=answer,
            start_to_close_timeout=CALL_TIMEOUT,
            retry_policy=FIRST_TRIES,
        )
        return answered

    async def _recorded(self, activity: str, request: BaseModel, answer: type[A]) -> A:
        try:
            answered: A = await workflow.execute_activity(
                activity,
                request,
                result_type=answer,
                start_to_close_timeout=CALL_TIMEOUT * 5,
                retry_policy=WITHOUT_END,
            )
        except FailureError as error:
            _raise_refusal(error)
            raise
        return answered


_current: ContextVar[Run] = ContextVar("orkestra_run")


def current_run() -> Run:
    """Return the run that the calling code belongs to; refuses a worker without Orkestra's interceptor."""
    run = _current.get(None)
    if run is None:
        raise ApplicationError(
            "Orkestra's interceptor is missing: run this workflow with orkestra.sdk.worker or `orkestra worker run`.",
            type="INTERCEPTOR_MISSING",
            non_retryable=True,
        )
    return run


def running_header() -> RunHeader | None:
    """Return the header of the run that the calling code belongs to; None where it belongs to none."""
    run = _current.get(None)
    return None if run is None else run.header


def enter(run: Run) -> None:
    """Make `run` the one that code in this asyncio task, and in tasks made by it, belongs to."""
    _current.set(run)


def _is_end(state: ClockState) -> bool:
    return state.status in (TaskStatus.COMPLETED, TaskStatus.CANCELLED, TaskStatus.EXPIRED)


def _raise_refusal(error: FailureError) -> None:
    """Raise what another try cannot change: a refusal, and a cancellation.

    An ordinary activity's failure is wrapped in ActivityError, a local one's comes as it is.
    """
    if is_cancelled_exception(error):
        raise error
    failure = error.cause if isinstance(error, ActivityError) else error
    if isinstance(failure, ApplicationError) and failure.non_retryable:
        raise failure from None
