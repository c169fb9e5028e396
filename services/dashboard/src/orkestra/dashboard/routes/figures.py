"""Figures: how much is asked, how long it takes, how often it is late, and what becomes of the drafts of agents."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi.responses import Response
from orkestra.dashboard.routes import calibrating, charts
from orkestra.dashboard.routes.exporting import csv_answer
from orkestra.dashboard.routes.filters import inbox_href, midnight
from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.task import CorrectionStatistics, DraftFigures, GetTaskFiguresRequest, Span, TaskFigures

PERIODS = {"7": N_("7 days"), "30": N_("30 days"), "90": N_("90 days"), "365": N_("A year")}
SPANS = {
    "time_to_claim": (N_("Until claimed"), N_("open, of those claimed")),
    "time_to_complete": (N_("Until completed"), N_("open and claimed, of those completed")),
    "time_active": (N_("Active"), N_("claimed, of those completed")),
    "time_waiting": (N_("Waiting"), N_("for whoever asked, of those that waited")),
    "time_paused": (N_("Paused"), N_("outside the hours of a calendar, of those that were")),
}
BEHIND = {
    "time_to_claim": "claimed",
    "time_to_complete": "completed",
    "time_active": "completed",
    "time_waiting": "waiting",
    "time_paused": "any",
}
"""The status of the tasks that a length of time leads to."""
MOST_ROWS = 20
MOST_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart of bars: its name, where it leads, and its values with their shares of the scale."""

    name: str
    href: str | None
    values: Sequence[tuple[str, float]]
    note: str = ""


async def figures(visit: Visit) -> Response:
    """Shows the figures of a period."""
    (asked, found, kept), counted = await asyncio.gather(_found(visit), visit.counts())
    text, behind = visit.words.text, _behind(visit, asked, found)
    names = await visit.names(*(each.user_id for each in found.people))
    first, last = _days(visit, found)
    volume = charts.volume(found.days, first, last)
    days = [_day(behind, column) for column in volume.columns]
    return await visit.page(
        "figures.html",
        current="figures",
        counted=counted,
        figures=found,
        periods=[(value, text(label)) for value, label in PERIODS.items()],
        asked=asked,
        volume=volume,
        days=days,
        links={each["column"].day: each for each in days},
        height=charts.HEIGHT,
        width=charts.WIDTH,
        spans=_spans(visit, found, behind),
        people=_people(found, names, behind),
        groups=_groups(found, behind),
        drafts=[_draft(visit, each, behind) for each in found.drafts[:MOST_ROWS]],
        behind={
            "asked": inbox_href(**behind, status="any"),
            "completed": inbox_href(**behind, status="completed"),
            "breached": inbox_href(**behind, status="any", clock="breached"),
            "escalated": inbox_href(**behind, status="any", clock="escalated"),
        },
        calibration=calibrating.shown(visit, kept, type=asked["type"], first=first, last=last),
        csv_href=inbox_href("/figures.csv", **asked),
    )


async def figures_csv(visit: Visit) -> Response:
    """Writes every figure of the period as CSV."""
    _, found, kept = await _found(visit)
    names = await visit.names(*(each.user_id for each in found.people))
    return await csv_answer("figures", ("figure", "of", "value", "unit"), _whole(found, names, kept))


async def _found(visit: Visit) -> tuple[dict[str, str], TaskFigures, CorrectionStatistics | None]:
    """Returns what was asked for, the figures of whole days, today the last of them, and what became of drafts."""
    period = visit.query("period") or "30"
    given = {name: (visit.query(name) or "")[:MOST_LENGTH] for name in ("type", "group")}
    asked = {"period": period if period in PERIODS else "30", **given}
    first = datetime.now(visit.words.zone).date() - timedelta(days=int(asked["period"]) - 1)
    since, until = midnight(visit, first), datetime.now(UTC)
    request = GetTaskFiguresRequest(
        since=since,
        until=until,
        type=asked["type"] or None,
        group=asked["group"] or None,
        time_zone=visit.words.zone.key,
    )
    found, kept = await asyncio.gather(
        visit.tasks.get_task_figures(request, timeout=10.0),
        calibrating.kept_drafts(visit, since, until, type=asked["type"]),
    )
    return asked, found, kept


def _days(visit: Visit, found: TaskFigures) -> tuple[date, date]:
    zone = visit.words.zone
    return found.since.astimezone(zone).date(), found.until.astimezone(zone).date()


def _behind(visit: Visit, asked: dict[str, str], found: TaskFigures) -> dict[str, str]:
    """Returns what every list of the tasks behind a figure has in common."""
    first, last = _days(visit, found)
    days = {"asked_from": first.isoformat(), "asked_until": last.isoformat()}
    return {"scope": "all", **days, "type": asked["type"], "group": asked["group"]}


def _day(behind: dict[str, str], column: charts.Column) -> dict[str, Any]:
    """Returns a day with where its two counts lead."""
    day = column.day.isoformat()
    asked = inbox_href(**{**behind, "asked_from": day, "asked_until": day}, status="any")
    completed = inbox_href(
        **{**behind, "asked_until": day}, status="completed", completed_from=day, completed_until=day
    )
    return {"column": column, "asked_href": asked, "completed_href": completed}


def _spans(visit: Visit, found: TaskFigures, behind: dict[str, str]) -> dict[str, Any]:
    """Returns how long things took, on one scale of hours."""
    spans: dict[str, Span] = {name: getattr(found, name) for name in SPANS}
    longest = max((span.p95.total_seconds() for span in spans.values() if span.p95), default=0.0)
    unit, size = next((each for each in visit.words.units if longest >= each[1] * 2), visit.words.units[-1])
    top = charts.round_end(longest / size)
    rows = []
    for name, span in spans.items():
        label, note = (visit.words.text(each) for each in SPANS[name])
        values = [
            (visit.words.duration(part.total_seconds()), charts.percent(part.total_seconds() / size, top))
            for part in (span.median, span.p95)
            if part is not None
        ]
        rows.append(Bar(label, inbox_href(**behind, status=BEHIND[name]), values, f"{note} ({span.count})"))
    return {"rows": rows, "unit": unit, "ticks": _ticks(top), "is_empty": not any(row.values for row in rows)}


def _people(found: TaskFigures, names: dict[str, str], behind: dict[str, str]) -> dict[str, Any]:
    top = charts.round_end(max((each.claimed + each.completed for each in found.people), default=0))
    rows = [
        Bar(
            names.get(each.user_id, each.user_id),
            inbox_href(**behind, status="any", assignee=each.user_id),
            [(str(count), charts.percent(count, top)) for count in (each.claimed, each.completed)],
        )
        for each in found.people[:MOST_ROWS]
    ]
    return {"rows": rows, "ticks": _ticks(top)}


def _groups(found: TaskFigures, behind: dict[str, str]) -> dict[str, Any]:
    top = charts.round_end(max((each.open + each.claimed + each.completed for each in found.groups), default=0))
    rows = [
        Bar(
            each.group_id,
            inbox_href(**{**behind, "group": each.group_id}, status="any"),
            [(str(count), charts.percent(count, top)) for count in (each.open, each.claimed, each.completed)],
        )
        for each in found.groups[:MOST_ROWS]
    ]
    return {"rows": rows, "ticks": _ticks(top)}


def _draft(visit: Visit, each: DraftFigures, behind: dict[str, str]) -> Bar:
    name = " · ".join(part for part in (each.agent, each.model, each.prompt_version) if part)
    values = [(_percent(rate), charts.percent(rate, 1)) for rate in (each.edit_rate, each.override_rate)]
    href = inbox_href(**behind, status="completed", q=each.agent or "")
    answered = visit.words.plural("{n} answer", "{n} answers", each.answered).format(n=each.answered)
    return Bar(name or visit.words.text(N_("No name given")), href, values, answered)


def _percent(rate: float) -> str:
    return f"{100 * rate:.0f} %"


def _ticks(top: int) -> list[int]:
    return sorted({round(top * part / charts.TICKS) for part in range(charts.TICKS + 1)})


async def _whole(
    found: TaskFigures, names: dict[str, str], kept: CorrectionStatistics | None
) -> AsyncIterator[list[Any]]:
    async for row in _rows(found, names):
        yield row
    for row in calibrating.rows(kept):
        yield row


async def _rows(found: TaskFigures, names: dict[str, str]) -> AsyncIterator[list[Any]]:
    for name in ("asked", "live", "completed", "completed_by_policy", "cancelled", "expired", "with_sla", "breached"):
        yield [name, "", getattr(found, name), "tasks"]
    yield ["escalated", "", found.escalated, "tasks"]
    yield ["breach_rate", "", found.breach_rate, "share of with_sla"]
    yield ["escalation_rate", "", found.escalation_rate, "share of asked"]
    for name in SPANS:
        span: Span = getattr(found, name)
        yield [name, "count", span.count, "tasks"]
        for part, value in (("median", span.median), ("p95", span.p95)):
            yield [name, part, value.total_seconds() if value is not None else None, "seconds"]
    for day in found.days:
        yield ["asked", day.day, day.asked, "tasks"]
        yield ["completed", day.day, day.completed, "tasks"]
    for person in found.people:
        for part in ("claimed", "completed"):
            yield [f"{part}_by", names.get(person.user_id, person.user_id), getattr(person, part), "tasks"]
    for group in found.groups:
        for part in ("open", "claimed", "completed"):
            yield [f"{part}_of_group", group.group_id, getattr(group, part), "tasks"]
    for draft in found.drafts:
        who = " / ".join(each or "-" for each in (draft.agent, draft.model, draft.prompt_version))
        yield ["answered_drafts", who, draft.answered, "tasks"]
        yield ["edit_rate", who, draft.edit_rate, "share of answered_drafts"]
        yield ["override_rate", who, draft.override_rate, "share of answered_drafts"]
