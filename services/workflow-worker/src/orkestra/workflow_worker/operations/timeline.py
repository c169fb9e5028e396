"""What happened in a run, in words: from its row, its tasks and Temporal's history, without what they carry."""

import asyncio
import json
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from orkestra.chassis.operations import Tx, read
from orkestra.sdk.run import ALARM_SUMMARY, WAKE_UP_SIGNAL
from orkestra.v1.task import Task, TaskHistoryEntry
from orkestra.v1.workflow import GetTimelineRequest, Timeline, TimelineEntry, Workflow, WorkflowStatus
from orkestra.wire import Context, Error
from orkestra.workflow_worker.operations.base import Base, visible_run
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

OUR_ACTIVITIES = "orkestra."
LONGEST_WORDS = 200
HAPPENED_TO_TASK = {
    "created": "was opened",
    "claimed": "was claimed",
    "released": "was put back",
    "voted": "was voted on",
    "submitted": "was answered, which can still be taken back",
    "undone": "had its answer taken back",
    "completed": "was completed",
    "cancelled": "was cancelled",
    "expired": "expired, because nobody answered in time",
    "escalated": "was escalated",
    "reminder_due": "was brought to mind again",
    "sla_breached": "ran over its time",
    "late_answer": "got an answer that came too late",
    "assigned": "was assigned",
    "delegated": "was delegated",
    "updated": "was changed",
    "changes_requested": "needs an answer of its requester",
    "answered": "was answered by its requester",
}
CODE_FAILED = (
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
)
"""The other causes are Temporal's housekeeping."""
T = TypeVar("T")


class Telling(Base):
    """The rpc that tells what happened."""

    async def get_timeline(self, ctx: Context, request: GetTimelineRequest) -> Timeline:
        """Return what the row, the tasks and Temporal say; what cannot be asked now is named at the end."""
        run = await self._told_run(ctx, request)
        tasks, history = await asyncio.gather(
            _unless_away(self.tasks_of(ctx.tenant_id, run.workflow_id)),
            _unless_away(self.engine.history(run.workflow_id)),
        )
        entries = list(run_entries(run))
        for task, changes in tasks or ():
            entries += task_entries(task, changes)
        entries += history_entries(history or ())
        entries.sort(key=lambda entry: entry.at)
        if tasks is None:
            entries.append(_left_out("task-service cannot be reached, so what happened to tasks is left out."))
        if history is None:
            entries.append(_left_out("Temporal cannot be reached, so activities, timers and signals are left out."))
        return Timeline(entries=entries)

    @read
    async def _told_run(self, tx: Tx, request: GetTimelineRequest) -> Workflow:
        return await visible_run(tx, request.workflow_id)


def run_entries(run: Workflow) -> Iterator[TimelineEntry]:
    """Yield what the row of a run tells."""
    yield TimelineEntry(
        at=run.started_at,
        kind="workflow",
        event="started",
        text=f"{run.definition} version {run.version} was started.",
        actor=run.requested_by,
    )
    if run.cancel_requested_at is not None:
        at = run.cancel_requested_at
        yield TimelineEntry(at=at, kind="workflow", event="cancel_requested", text="The run was asked to stop.")
    if run.closed_at is not None:
        ends = {WorkflowStatus.TIMED_OUT: "ran over its time", WorkflowStatus.FAILED: "failed"}
        words = ends.get(run.status, f"was {run.status}")
        why = "" if run.failure is None else f" ({run.failure.type}: {_short(run.failure.message)})"
        yield TimelineEntry(at=run.closed_at, kind="workflow", event=str(run.status), text=f"The run {words}{why}.")


def task_entries(task: Task, changes: Iterable[TaskHistoryEntry]) -> Iterator[TimelineEntry]:
    """Yield what the history of a task tells."""
    for change in changes:
        words = HAPPENED_TO_TASK.get(change.event, f"had this happen: {change.event.replace('_', ' ')}")
        yield TimelineEntry(
            at=change.at,
            kind="task",
            event=change.event,
            text=f"“{_short(task.title)}” {words}{_particulars(change)}.",
            task_id=task.task_id,
            actor=change.actor,
        )


def history_entries(events: Sequence[HistoryEvent]) -> Iterator[TimelineEntry]:
    """Yield what Temporal's histories tell of the author's own activities, timers, signals, children and failures."""
    known: dict[int, HistoryEvent] = {}
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:  # each execution counts from 1
            known = {}
        known[event.event_id] = event
        told = _told(event, known)
        if told is not None:
            kind, happened, text = told
            yield TimelineEntry(at=event.event_time.ToDatetime(UTC), kind=kind, event=happened, text=text)


def _told(event: HistoryEvent, known: dict[int, HistoryEvent]) -> tuple[str, str, str] | None:
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            name = event.workflow_execution_signaled_event_attributes.signal_name
            return None if name == WAKE_UP_SIGNAL else ("signal", "received", f"The signal {_short(name)} came.")
        case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            task = event.workflow_task_failed_event_attributes
            failed = f"The workflow's code failed and is tried again{_why(task.failure)}."
            return ("workflow", "failed", failed) if task.cause in CODE_FAILED else None
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            return "workflow", "continued", "The run goes on with a new history."
        case EventType.EVENT_TYPE_MARKER_RECORDED:
            return _local_activity(event)
        case EventType.EVENT_TYPE_TIMER_STARTED | EventType.EVENT_TYPE_TIMER_FIRED:
            return _timer(event, known)
    return _activity(event, known) or _child(event)


def _activity(event: HistoryEvent, known: dict[int, HistoryEvent]) -> tuple[str, str, str] | None:
    match event.event_type:
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            first, happened, words = event.event_id, "scheduled", "was asked for"
        case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started = event.activity_task_started_event_attributes
            if started.attempt < 2:
                return None
            first, happened = started.scheduled_event_id, "retried"
            words = f"was tried {started.attempt} times{_why(started.last_failure)}"
        case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            first = event.activity_task_completed_event_attributes.scheduled_event_id
            happened, words = "completed", "was done"
        case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
            failed = event.activity_task_failed_event_attributes
            first, happened, words = failed.scheduled_event_id, "failed", f"failed{_why(failed.failure)}"
        case EventType.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT:
            first = event.activity_task_timed_out_event_attributes.scheduled_event_id
            happened, words = "timed_out", "took too long"
        case EventType.EVENT_TYPE_ACTIVITY_TASK_CANCELED:
            first = event.activity_task_canceled_event_attributes.scheduled_event_id
            happened, words = "cancelled", "was cancelled"
        case _:
            return None
    if first not in known:
        return None
    name = known[first].activity_task_scheduled_event_attributes.activity_type.name
    return None if name.startswith(OUR_ACTIVITIES) else ("activity", happened, f"The activity {_short(name)} {words}.")


def _local_activity(event: HistoryEvent) -> tuple[str, str, str] | None:
    marker = event.marker_recorded_event_attributes
    about = marker.details["data"].payloads if "data" in marker.details else ()
    if marker.marker_name != "core_local_activity" or not about:
        return None
    try:
        name = str(json.loads(about[0].data)["activity_type"])
    except (ValueError, KeyError, TypeError):
        return None
    if name.startswith(OUR_ACTIVITIES):
        return None
    if marker.HasField("failure"):
        return "activity", "failed", f"The activity {_short(name)} failed{_why(marker.failure)}."
    return "activity", "completed", f"The activity {_short(name)} was done."


def _timer(event: HistoryEvent, known: dict[int, HistoryEvent]) -> tuple[str, str, str] | None:
    fired = event.event_type == EventType.EVENT_TYPE_TIMER_FIRED
    first = known.get(event.timer_fired_event_attributes.started_event_id) if fired else event
    if first is None or _summary(first).startswith(ALARM_SUMMARY):
        return None
    length = first.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
    if fired:
        return "timer", "fired", f"The wait of {_words(length)} was over."
    return "timer", "started", f"The workflow waits for {_words(length)}."


def _child(event: HistoryEvent) -> tuple[str, str, str] | None:
    attributes: Any
    match event.event_type:
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED:
            attributes, happened = event.child_workflow_execution_started_event_attributes, "started"
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_COMPLETED:
            attributes, happened = event.child_workflow_execution_completed_event_attributes, "completed"
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_FAILED:
            attributes, happened = event.child_workflow_execution_failed_event_attributes, "failed"
        case EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_CANCELED:
            attributes, happened = event.child_workflow_execution_canceled_event_attributes, "cancelled"
        case _:
            return None
    name = _short(attributes.workflow_type.name)
    why = _why(attributes.failure) if happened == "failed" else ""
    verb = happened if happened == "failed" else f"was {happened}"
    return "workflow", f"child_{happened}", f"The child workflow {name} {verb}{why}."


def _particulars(change: TaskHistoryEntry) -> str:
    after = change.after or {}
    people = [*(after.get("candidate_groups") or []), *(after.get("candidate_users") or [])]
    if after.get("assignee") is not None and change.event not in ("claimed", "completed"):
        people.append(after["assignee"])
    words = f" for {', '.join(map(str, people))}" if people else ""
    if after.get("outcome") is not None:
        words += f" with the outcome {_short(str(after['outcome']))}"
    if after.get("decided_by") == "policy":
        words += " by its policy"
    return words + ("" if change.reason is None else f": {_short(change.reason).rstrip('.')}")


def _summary(event: HistoryEvent) -> str:
    return event.user_metadata.summary.data.decode("utf-8", "replace").strip('"')


def _why(failure: Failure) -> str:
    kind = failure.application_failure_info.type
    message = _short(failure.message).rstrip(".")
    return f": {kind}: {message}" if kind and message else f": {message or kind}" if message or kind else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_WORDS else line[: LONGEST_WORDS - 1] + "…"


def _words(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return " ".join(f"{count}{unit}" for count, unit in parts if count) or "less than 1s"


def _left_out(text: str) -> TimelineEntry:
    return TimelineEntry(at=datetime.now(UTC), kind="workflow", event="left_out", text=text)


async def _unless_away(asked: Awaitable[T]) -> T | None:
    """Return what was asked for; None where whoever is asked cannot be reached."""
    try:
        return await asked
    except Error as error:
        if error.retryable:
            return None
        raise
