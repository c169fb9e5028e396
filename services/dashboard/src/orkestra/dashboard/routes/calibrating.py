"""The calibration curve: how often people keep drafts by the confidence that agents state, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from orkestra.dashboard.routes import charts
from orkestra.dashboard.routes.filters import inbox_href
from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.task import ConfidenceBand, CorrectionStatistics, GetCorrectionStatisticsRequest
from orkestra.wire import Error, Unauthenticated

ENOUGH = 50
"""Fewer answered drafts that state a confidence suggest nothing; the room says whether there are."""
NOT_ENOUGH = N_("There is not enough data: {n} answered drafts state a confidence, and {enough} are needed.")
NOWHERE = N_("From no confidence on do people surely keep {target} of the drafts.")
FROM_ON = N_("From a confidence of {threshold} on, people keep at least {target} of the drafts, with 95 % certainty.")


@dataclass(frozen=True, slots=True)
class Tenth:
    """One column of the curve, in units of the drawing, with what it says in words."""

    band: ConfidenceBand
    range: str
    share: str
    x: float
    height: float


async def kept_drafts(visit: Visit, since: datetime, until: datetime, *, type: str) -> CorrectionStatistics | None:  # noqa: A002
    """Returns what people made of the drafts that they answered in a time; None where that cannot be had."""
    asked = GetCorrectionStatisticsRequest(answered_after=since, answered_before=until, type=type or None)
    try:
        return await visit.tasks.get_correction_statistics(asked, timeout=10.0)
    except Unauthenticated:
        raise
    except Error:
        return None


def shown(
    visit: Visit,
    kept: CorrectionStatistics | None,
    *,
    type: str,  # noqa: A002  as the filter is called
    first: date,
    last: date,
) -> dict[str, Any] | None:
    """Returns the curve as its template draws it, with the sentence about the threshold that it suggests."""
    if kept is None:
        return None
    days = {"completed_from": first.isoformat(), "completed_until": last.isoformat()}
    threshold = kept.suggested_threshold
    return {
        "tenths": [_tenth(band) for band in kept.calibration],
        "target": _percent(kept.target),
        "target_y": _up(kept.target),
        "threshold_x": None if threshold is None else round(charts.WIDTH * threshold, 2),
        "threshold": threshold,
        "sentence": _sentence(visit, kept),
        "ticks": [(f"{part} %", charts.WIDTH * part / 100, _up(part / 100)) for part in range(0, 101, 20)],
        "href": inbox_href(scope="all", status="completed", type=type, **days),
        "policy_href": "/settings/policy" + ("" if threshold is None else f"?suggested={threshold:g}"),
    }


def rows(kept: CorrectionStatistics | None) -> Sequence[list[Any]]:
    """Returns the curve as rows of the CSV of the figures."""
    if kept is None:
        return []
    found: list[list[Any]] = []
    for band in kept.calibration:
        of = f"{band.at_least:.1f} to {_end(band):.1f}"
        found.append(["answered_drafts_by_confidence", of, band.answered, "drafts"])
        found.append(["kept_drafts_by_confidence", of, band.kept, "drafts"])
        found.append(["kept_rate_by_confidence", of, band.kept_rate, "share of answered_drafts_by_confidence"])
    found.append(["kept_target", "", kept.target, "share"])
    found.append(["suggested_threshold", "", kept.suggested_threshold, "confidence"])
    return found


def _sentence(visit: Visit, kept: CorrectionStatistics) -> str:
    text, target = visit.words.text, _percent(kept.target)
    if not kept.is_enough:
        return text(NOT_ENOUGH).format(n=sum(band.answered for band in kept.calibration), enough=ENOUGH)
    if kept.suggested_threshold is None:
        return text(NOWHERE).format(target=target)
    return text(FROM_ON).format(threshold=_percent(kept.suggested_threshold), target=target)


def _tenth(band: ConfidenceBand) -> Tenth:
    return Tenth(
        band=band,
        range=f"{100 * band.at_least:.0f}–{100 * _end(band):.0f} %",  # noqa: RUF001  a dash between two numbers
        share=_percent(band.kept_rate),
        x=round(charts.WIDTH * (band.at_least + 0.02), 2),
        height=round(charts.HEIGHT * band.kept_rate, 2),
    )


def _end(band: ConfidenceBand) -> float:
    return round(band.at_least + 0.1, 1)


def _up(share: float) -> float:
    """Returns how far below the top a share stands."""
    return round(charts.HEIGHT * (1 - share), 2)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
