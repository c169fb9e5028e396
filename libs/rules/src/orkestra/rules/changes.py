"""What a decision comes to: changes to store and to tell, and at most one refusal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from orkestra.rules.permissions import audience
from orkestra.rules.working_time import working_time
from orkestra.v1.task import EscalationStep, Task, TaskStatus
from orkestra.wire import Error

_MEASURES: Final = {"status_since", "time_to_claim", "time_active", "time_waiting", "time_paused"}
_UNTOLD: Final = {"version", "updated_at", "saved", "saved_at", *_MEASURES}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the history and, but for late_answer, one event. `actor` is None where the clock did it."""

    event: str
    before: Task | None
    task: Task
    at: datetime
    actor: str | None = None
    reason: str | None = None
    step: EscalationStep | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_event(self) -> bool:
        """Whether it changed the task, so that others are told."""
        return self.before is None or self.task.version != self.before.version

    @property
    def audience(self) -> list[str]:
        """Who may hear of it, those just removed included."""
        return sorted({*(audience(self.before) if self.before else ()), *audience(self.task)})

    def fields(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Returns the changed fields before and after as JSON; `details` of an answer that came late come after."""
        names = {name for name in Task.model_fields if name not in _UNTOLD and self._is_changed(name)}
        before = self.before.model_dump(mode="json", exclude_none=True, include=names) if self.before else {}
        after = self.task.model_dump(mode="json", exclude_none=True, include=names)
        return before, {**after, **self.details}

    def _is_changed(self, name: str) -> bool:
        new = getattr(self.task, name)
        old = getattr(self.before, name) if self.before else None
        return old is not new and old != new


@dataclass(frozen=True, slots=True)
class Decision:
    """The task as it now is, what led there in order, and the refusal that the caller gets after it is stored."""

    task: Task
    changes: tuple[Change, ...] = ()
    refusal: Error | None = None


def changed(task: Task, now: datetime, since: datetime | None = None, /, **values: Any) -> Task:
    """Returns the task with other values, one version later. A new status began at `since`, now where it is left out.

    With the status ends what is measured of it.
    """
    if values.get("status", task.status) != task.status:
        values |= _measured(task, since or now)
    return task.model_copy(update={**values, "version": task.version + 1, "updated_at": now})


def _measured(task: Task, until: datetime) -> dict[str, Any]:
    """Returns the durations with the stretch that ends now: together they are the whole time since the creation."""
    began = task.status_since or task.created_at
    elapsed = max(until - began, timedelta())
    if task.status == TaskStatus.WAITING:
        return {"status_since": until, "time_waiting": (task.time_waiting or timedelta()) + elapsed}
    hours = task.sla.hours if task.sla else None
    counted = working_time(hours).between(began, until)
    name = "time_to_claim" if task.status == TaskStatus.OPEN else "time_active"
    measured: dict[str, Any] = {"status_since": until, name: (getattr(task, name) or timedelta()) + counted}
    if hours is not None:
        measured["time_paused"] = (task.time_paused or timedelta()) + elapsed - counted
    return measured
