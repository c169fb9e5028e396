"""What happened in a run, in words: from its row, its tasks and Temporal's history, without what they carry."""

import asyncio
import json
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from orkestra.chassis.operations import Tx, read
from orkestra.sdk.run import ALARM_SUMMARY, WAKE_UP_SIGNAL
from orkestra.v1.task import Task, TaskHistoryEntry
from orkestra.v1.workflow import (
    GetTimelineRequest,
    Timeline,
    TimelineDetail,
    TimelineEntry,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import Context, Error
from orkestra.workflow_worker.operations.base import Base, visible_run
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import HistoryEvent

OUR_ACTIVITIES = "orkestra."
LONGEST_WORDS = 200
MOST_CHILDREN = 20
HAPPENED_TO_TASK = {
    "created": "was opened",
    "claimed": "was claimed",
    "released": "was put back",
    "vote_cast": "was voted on",
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


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that Temporal tells: in words, and as what they are made of."""

    kind: str
    event: str
    text: str
    code: str
    details: Mapping[str, str] = field(default_factory=dict)


class Telling(Base):
    """The rpc that tells what happened."""

    async def get_timeline(self, ctx: Context, request: GetTimelineRequest) -> Timeline:
        """Return what the row, the tasks and Temporal say; what cannot be asked now is named at the end.

        The tasks are the run's own and those of its children, at most of twenty of them.
        """
        run = await self._told_run(ctx, request)
        tasks, history = await asyncio.gather(
            _unless_away(self.tasks_of(ctx.tenant_id, run.workflow_id)),
            _unless_away(self.engine.history(run.workflow_id)),
        )
        if tasks is not None:
            of_children = (self.tasks_of(ctx.tenant_id, child) for child in children_in(history or ()))
            for asked in await asyncio.gather(*map(_unless_away, of_children)):
                tasks = None if asked is None or tasks is None else [*tasks, *asked]
        entries = list(run_entries(run))
        for task, changes in tasks or ():
            entries += task_entries(task, changes)
        entries += history_entries(history or ())
        entries.sort(key=lambda entry: entry.at)
        if tasks is None:
            entries.append(_left_out("tasks", "task-service cannot be reached, so what happened to tasks is left out."))
        if history is None:
            entries.append(
                _left_out("steps", "Temporal cannot be reached, so activities, timers and signals are left out.")
            )
        return Timeline(entries=entries)

    @read
    async def _told_run(self, tx: Tx, request: GetTimelineRequest) -> Workflow:
        return await visible_run(tx, request.workflow_id)


def children_in(history: Iterable[HistoryEvent]) -> list[str]:
    """Return the ids of the first child workflows that a run has started, whose tasks carry them."""
    event_type = EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED
    started = (
        event.child_workflow_execution_started_event_attributes.workflow_execution.workflow_id
        for event in history
        if event.event_type == event_type
    )
    return list(dict.fromkeys(started))[:MOST_CHILDREN]


def run_entries(run: Workflow) -> Iterator[TimelineEntry]:
    """Yield what the row of a run tells."""
    yield TimelineEntry(
        at=run.started_at,
        kind="workflow",
        event="started",
        text=f"{run.definition} version {run.version} was started.",
        actor=run.requested_by,
        code="run_started",
        details=_details(definition=run.definition, version=str(run.version)),
    )
    if run.cancel_requested_at is not None:
        yield TimelineEntry(
            at=run.cancel_requested_at,
            kind="workflow",
            event="cancel_requested",
            text="The run was asked to stop.",
            code="run_cancel_requested",
        )
    if run.closed_at is not None:
        ends = {WorkflowStatus.TIMED_OUT: "ran over its time", WorkflowStatus.FAILED: "failed"}
        words = ends.get(run.status, f"was {run.status}")
        why = "" if run.failure is None else f"{run.failure.type}: {_short(run.failure.message)}"
        yield TimelineEntry(
            at=run.closed_at,
            kind="workflow",
            event=str(run.status),
            text=f"The run {words}{why and f' ({why})'}.",
            code=f"run_{run.status}",
            details=_details(why=why),
        )


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
            code=f"task_{change.event}",
            details=_details(title=_short(task.title), **_about(change)),
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
            yield TimelineEntry(
                at=event.event_time.ToDatetime(UTC),
                kind=told.kind,
                event=told.event,
                text=told.text,
                code=told.code,
                details=_details(**told.details),
            )


def _told(event: HistoryEvent, known: dict[int, HistoryEvent]) -> Told | None:
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            name = event.workflow_execution_signaled_event_attributes.signal_name
            said = f"The signal {_short(name)} came."
            told = Told("signal", "received", said, "signal_received", {"name": _short(name)})
            return None if name == WAKE_UP_SIGNAL else told
        case EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED:
            task = event.workflow_task_failed_event_attributes
            why = _why(task.failure)
            failed = f"The workflow's code failed and is tried again{_said(why)}."
            told = Told("workflow", "failed", failed, "code_failed", {"why": why})
            return told if task.cause in CODE_FAILED else None
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW:
            return Told("workflow", "continued", "The run goes on with a new history.", "run_continued")
        case EventType.EVENT_TYPE_MARKER_RECORDED:
            return _local_activity(event)
        case EventType.EVENT_TYPE_TIMER_STARTED | EventType.EVENT_TYPE_TIMER_FIRED:
            return _timer(event, known)
    return _activity(event, known) or _child(event)


def _activity(event: HistoryEvent, known: dict[int, HistoryEvent]) -> Told | None:
    more: dict[str, str] = {}
    match event.event_type:
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            first, happened, words = event.event_id, "scheduled", "was asked for"
        case EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started = event.activity_task_started_event_attributes
            if started.attempt < 2:
                return None
            first, happened = started.scheduled_event_id, "retried"
            more = {"attempts": str(started.attempt), "why": _why(started.last_failure)}
            words = f"was tried {started.attempt} times{_said(more['why'])}"
        case EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            first = event.activity_task_completed_event_attributes.scheduled_event_id
            happened, words = "completed", "was done"
        case EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED:
            failed = event.activity_task_failed_event_attributes
            more = {"why": _why(failed.failure)}
            first, happened, words = failed.scheduled_event_id, "failed", f"failed{_said(more['why'])}"
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
    if name.startswith(OUR_ACTIVITIES):
        return None
    text, details = f"The activity {_short(name)} {words}.", {"name": _short(name), **more}
    return Told("activity", happened, text, f"activity_{happened}", details)


def _local_activity(event: HistoryEvent) -> Told | None:
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
    name = _short(name)
    if marker.HasField("failure"):
        why = _why(marker.failure)
        said = f"The activity {name} failed{_said(why)}."
        return Told("activity", "failed", said, "activity_failed", {"name": name, "why": why})
    return Told("activity", "completed", f"The activity {name} was done.", "activity_completed", {"name": name})


def _timer(event: HistoryEvent, known: dict[int, HistoryEvent]) -> Told | None:
    fired = event.event_type == EventType.EVENT_TYPE_TIMER_FIRED
    first = known.get(event.timer_fired_event_attributes.started_event_id) if fired else event
    if first is None or _summary(first).startswith(ALARM_SUMMARY):
        return None
    length = first.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
    details = {"seconds": str(round(length.total_seconds()))}
    if fired:
        return Told("timer", "fired", f"The wait of {_words(length)} was over.", "timer_fired", details)
    return Told("timer", "started", f"The workflow waits for {_words(length)}.", "timer_started", details)


def _child(event: HistoryEvent) -> Told | None:
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
    text = f"The child workflow {name} {verb}{_said(why)}."
    return Told("workflow", f"child_{happened}", text, f"child_{happened}", {"name": name, "why": why})


def _particulars(change: TaskHistoryEntry) -> str:
    about = _about(change)
    words = f" for {about['people']}" if about["people"] else ""
    words += f" with the outcome {about['outcome']}" if about["outcome"] else ""
    words += " by its policy" if about["by_policy"] else ""
    return words + _said(about["reason"])


def _about(change: TaskHistoryEntry) -> dict[str, str]:
    """Return what a change says beside its event; empty what it does not say."""
    after = change.after or {}
    people = [*(after.get("candidate_groups") or []), *(after.get("candidate_users") or [])]
    if after.get("assignee") is not None and change.event not in ("claimed", "completed"):
        people.append(after["assignee"])
    outcome = after.get("outcome")
    return {
        "people": ", ".join(map(str, people)),
        "outcome": "" if outcome is None else _short(str(outcome)),
        "by_policy": "yes" if after.get("decided_by") == "policy" else "",
        "reason": "" if change.reason is None else _short(change.reason).rstrip("."),
    }


def _summary(event: HistoryEvent) -> str:
    return event.user_metadata.summary.data.decode("utf-8", "replace").strip('"')


def _why(failure: Failure) -> str:
    kind = failure.application_failure_info.type
    message = _short(failure.message).rstrip(".")
    return f"{kind}: {message}" if kind and message else message or kind


def _said(why: str) -> str:
    return why and f": {why}"


def _details(**values: str) -> list[TimelineDetail]:
    return [TimelineDetail(name=name, value=value) for name, value in values.items() if value]


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_WORDS else line[: LONGEST_WORDS - 1] + "…"


def _words(length: timedelta) -> str:
    seconds = round(length.total_seconds())
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "m"), (seconds % 60, "s"))
    return " ".join(f"{count}{unit}" for count, unit in parts if count) or "less than 1s"


def _left_out(what: str, text: str) -> TimelineEntry:
    return TimelineEntry(at=datetime.now(UTC), kind="workflow", event="left_out", text=text, code=f"{what}_left_out")


async def _unless_away(asked: Awaitable[T]) -> T | None:
    """Return what was asked for; None where whoever is asked cannot be reached."""
    try:
        return await asked
    except Error as error:
        if error.retryable:
            return None
        raise
