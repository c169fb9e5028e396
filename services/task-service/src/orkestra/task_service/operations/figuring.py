"""What the tasks of a tenant come to: how many, how long, how late, by whom, and what became of drafts."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from orkestra.chassis.operations import Tx, read
from orkestra.rules import may_in_tenant
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.statements import sql
from orkestra.v1.task import GetTaskFiguresRequest, TaskFigures, TaskStatus
from orkestra.wire import FieldError, InvalidArgument

SPAN = timedelta(days=30)
LONGEST_SPAN = timedelta(days=366)
MOST_ROWS = 200
SPANS = ("time_to_claim", "time_to_complete", "time_active", "time_waiting", "time_paused")


class Figuring(Base):
    """The rpc of the figures."""

    @read
    async def get_task_figures(self, tx: Tx, request: GetTaskFiguresRequest) -> TaskFigures:
        """Return the figures of what was asked in a time."""
        refusal = may_in_tenant("view_figures", tx.ctx.principal)
        if refusal is not None:
            raise refusal
        since, until = _window(request, await tx.now())
        found = await sql.task_figures.value(
            tx.conn,
            statuses=[status.value for status in TaskStatus],
            since=since,
            until=until,
            type=request.type,
            group=request.group,
            zone=_zone(request.time_zone),
            most=MOST_ROWS,
        )
        return TaskFigures.model_validate({"since": since, "until": until, **_shown(found)})


def _window(request: GetTaskFiguresRequest, now: datetime) -> tuple[datetime, datetime]:
    until = request.until or now
    since = request.since or until - SPAN
    if not timedelta() < until - since <= LONGEST_SPAN:
        raise _invalid(
            "since", "out_of_range", "Figures are of a time that begins before it ends, of at most 366 days."
        )
    return since, until


def _zone(name: str | None) -> str:
    try:
        return ZoneInfo(name or "UTC").key
    except (KeyError, ValueError, OSError) as unknown:
        raise _invalid("time_zone", "unknown", "There is no such time zone.") from unknown


def _invalid(path: str, code: str, message: str) -> InvalidArgument:
    return InvalidArgument("REQUEST_INVALID", f"{path}: {message}", errors=[FieldError(path, code, message)])


def _shown(found: dict[str, Any]) -> dict[str, Any]:
    """Returns the counts with what follows from them."""
    spans = {name: _span(*found[name]) for name in SPANS}
    drafts = [
        {
            **each,
            "edit_rate": each["edited"] / each["answered"],
            "override_rate": each["overridden"] / each["answered"],
        }
        for each in found["drafts"]
    ]
    rates = {
        "breach_rate": _rate(found["breached"], found["with_sla"]),
        "escalation_rate": _rate(found["escalated"], found["asked"]),
    }
    return {**found, **spans, **rates, "drafts": drafts}


def _span(count: int, percentiles: list[float] | None) -> dict[str, Any]:
    if not count or percentiles is None:
        return {"count": 0}
    median, p95 = (timedelta(seconds=float(each)) for each in percentiles)
    return {"count": count, "median": median, "p95": p95}


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
