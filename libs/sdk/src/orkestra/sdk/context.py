"""The workflow's surroundings."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from logging import LoggerAdapter
from typing import Any, TypeVar, overload

from orkestra.rules import parse_duration
from orkestra.sdk.run import current_run
from orkestra.v1.workflow import Emitted, ReportProgressRequest, ReportProgressResponse
from temporalio import workflow

REPORT_PROGRESS = "orkestra.report_progress"
R = TypeVar("R")


class Context:
    """What a workflow function is given first; everything else of Temporal stays reachable beside it."""

    @property
    def tenant(self) -> str:
        """The id of the tenant that the run belongs to."""
        return current_run().required_header().tenant_id

    @property
    def info(self) -> workflow.Info:
        """What Temporal knows of the run."""
        return workflow.info()

    @property
    def log(self) -> "LoggerAdapter[Any]":
        """A logger that is silent while history is replayed."""
        return workflow.logger

    def now(self) -> datetime:
        """The workflow's time, UTC; the same when the code is replayed."""
        return workflow.now()

    async def sleep(self, duration: str | timedelta) -> None:
        """Wait durably, for a duration such as 2h."""
        await workflow.sleep(_duration(duration))

    async def continue_when_long(self, input: Any) -> None:
        """Go on with `input` in a new history where this one has grown long; does nothing where it has not.

        Call it between the rounds of a loop, with all that the next round needs in `input`. It is the same run to
        everybody else: its id, its tenant and its tasks stay. What was going on beside the loop is begun anew, and a
        task() with a `key` finds its task again. Handlers of signals and updates are waited for.
        """
        if workflow.info().is_continue_as_new_suggested():
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(input)

    async def progress(self, words: str) -> None:
        """Tell how far the run is, in at most 300 characters: shown with it, and told as the event `progressed`."""
        await _tell(ReportProgressRequest(workflow_id=_run_id(), progress=words))

    async def emit(self, event: str, data: Mapping[str, Any] | None = None) -> None:
        """Tell the world what happened, as the event `emitted` of the run: a name such as order.paid, and its data.

        Raises ApplicationError PROGRESS_INVALID where the name is not lower-case words joined by dots or hyphens.
        """
        emitted = Emitted(name=event, data=None if data is None else dict(data))
        await _tell(ReportProgressRequest(workflow_id=_run_id(), emitted=emitted))

    @overload
    async def activity(
        self,
        activity: Callable[..., Awaitable[R]],
        *args: Any,
        timeout: str | timedelta = "1m",  # noqa: ASYNC109 - see below
        **options: Any,
    ) -> R: ...

    @overload
    async def activity(
        self,
        activity: Callable[..., R],
        *args: Any,
        timeout: str | timedelta = "1m",  # noqa: ASYNC109 - see below
        **options: Any,
    ) -> R: ...

    @overload
    async def activity(
        self,
        activity: str,
        *args: Any,
        timeout: str | timedelta = "1m",  # noqa: ASYNC109 - see below
        **options: Any,
    ) -> Any: ...

    async def activity(
        self,
        activity: str | Callable[..., Any],
        *args: Any,
        timeout: str | timedelta = "1m",  # noqa: ASYNC109 - kept by Temporal, not by this loop
        **options: Any,
    ) -> Any:
        """Run an activity with at most `timeout` for one try; further options are those of Temporal."""
        return await workflow.execute_activity(
            activity, args=args, start_to_close_timeout=_duration(timeout), **options
        )


def _run_id() -> str:
    """Return whose run it is: a child's words are its parent's."""
    return current_run().required_header().workflow_id


async def _tell(request: ReportProgressRequest) -> None:
    """Tell it once, with the intent in the history first."""
    await current_run().call_recorded(REPORT_PROGRESS, request, ReportProgressResponse)


def _duration(duration: str | timedelta) -> timedelta:
    if isinstance(duration, timedelta):
        return duration
    if not isinstance(duration, str):
        raise TypeError(f"A duration is text such as 2h, or a timedelta, not {duration!r}.")
    return parse_duration(duration)
