"""What people made of an agent's question, as an evaluation needs it: times, agreement, distance, scores."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from orkestra import forms
from orkestra.v1.task import Task, TaskHistoryEntry, TaskStatus
from orkestra.wire import dumps

REDACTED = "[sensitive]"
MOST_STEPS = 1_000_000
"""Beyond that many comparisons of words a text counts as rewritten."""
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")


class Later(OSError):  # noqa: N818 - what the caller may do
    """It was not told, and another try may help."""


class Refused(Exception):  # noqa: N818 - what it is
    """It was not told, and never will be taken."""


Phase = Literal["queue", "active", "waiting"]
_PHASES: Mapping[TaskStatus, Phase] = {
    TaskStatus.OPEN: "queue",
    TaskStatus.CLAIMED: "active",
    TaskStatus.WAITING: "waiting",
}


@dataclass(frozen=True, slots=True)
class AgentTrace:
    """The agent's own trace, and the span of it below which people's work belongs; both hexadecimal."""

    trace_id: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a task waited for somebody to take it, was worked on, or waited for its requester."""

    phase: Phase
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Score:
    """One figure of an evaluation."""

    name: str
    value: float | str
    data_type: Literal["BOOLEAN", "NUMERIC", "CATEGORICAL"]


def agent_trace(given: str | None) -> AgentTrace | None:
    """Return the trace that an agent named: a W3C traceparent, a Langfuse trace id, or a UUID; None for anything else.

    An id of zeros is none (W3C Trace Context).
    """
    text = (given or "").strip().lower()
    whole = _TRACEPARENT.fullmatch(text)
    if whole is not None:
        trace = AgentTrace(whole[1], whole[2] if int(whole[2], 16) else None)
    elif _TRACE_ID.fullmatch(text):
        trace = AgentTrace(text)
    else:
        try:
            trace = AgentTrace(UUID(text).hex)
        except ValueError:
            return None
    return trace if int(trace.trace_id, 16) else None


def stretches(task: Task, history: Sequence[TaskHistoryEntry]) -> list[Stretch]:
    """Return how a task spent its time from its creation to its end, in order."""
    phase: Phase | None = "queue"
    began = task.created_at
    found: list[Stretch] = []
    for entry in history:
        status = (entry.after or {}).get("status")
        if status is None or (following := _PHASES.get(TaskStatus(status))) == phase:
            continue
        if phase is not None:
            found.append(Stretch(phase, began, entry.at))
        phase, began = following, entry.at
    if phase is not None:
        found.append(Stretch(phase, began, ended_at(task)))
    return [one for one in found if one.ended > one.began]


def seconds_in(phase: Phase, spent: Sequence[Stretch]) -> float:
    """Return how long a task was in a phase, in all."""
    return sum((one.ended - one.began).total_seconds() for one in spent if one.phase == phase)


def ended_at(task: Task) -> datetime:
    """Return when a task ended."""
    return task.completed_at or task.updated_at


def masked(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return values with those of the form's sensitive fields replaced."""
    return forms.redacted(value, schema, mark=REDACTED)


def proposed(task: Task) -> dict[str, Any]:
    """Return the values that the agent proposed, by field."""
    return {name: one["value"] for name, one in (task.draft or {}).items() if isinstance(one, dict) and "value" in one}


def scores_of(task: Task) -> list[Score]:
    """Return what can be scored of a task that has ended."""
    found = [Score("outcome", task.outcome or task.status.value, "CATEGORICAL")]
    if task.status is not TaskStatus.COMPLETED:
        return found
    result, draft = task.result or {}, proposed(task)
    if draft:
        kept = all(result.get(name) == value for name, value in draft.items())
        changed = [edit_distance(value, result.get(name)) for name, value in draft.items()]
        found.append(Score("human_agreement", 1.0 if kept else 0.0, "BOOLEAN"))
        found.append(Score("edit_distance", round(sum(changed) / len(changed), 4), "NUMERIC"))
    sentiment = result.get("sentiment")
    if isinstance(sentiment, str) and not _is_sensitive(task, "sentiment"):
        found.append(Score("sentiment", sentiment, "CATEGORICAL"))
    return found


def edit_distance(before: Any, after: Any) -> float:
    """Return how far two values are apart, 0 (the same) to 1: of texts the share of words to change (Levenshtein)."""
    if before == after:
        return 0.0
    if not isinstance(before, str) or not isinstance(after, str):
        return 0.0 if dumps(before) == dumps(after) else 1.0
    first, second = before.split(), after.split()
    longest = max(len(first), len(second))
    if longest == 0:
        return 0.0
    if len(first) * len(second) > MOST_STEPS:
        return 1.0
    return _changed_words(first, second) / longest


def _changed_words(first: Sequence[str], second: Sequence[str]) -> int:
    above = list(range(len(second) + 1))
    for row, word in enumerate(first, start=1):
        here = [row]
        for column, other in enumerate(second, start=1):
            here.append(min(above[column] + 1, here[-1] + 1, above[column - 1] + (word != other)))
        above = here
    return above[-1]


def _is_sensitive(task: Task, field: str) -> bool:
    schema = (task.form or {}).get("properties", {}).get(field, {})
    return bool(schema.get("x-orkestra", {}).get("sensitive"))
