"""Charts as numbers that a template draws: scales with round ends, bars in percent of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from orkestra.v1.task import DayVolume

MOST_DAYS = 366
TICKS = 4
WIDTH = 720
HEIGHT = 160


@dataclass(frozen=True, slots=True)
class Column:
    """One day of the chart of volume: where its two bars stand, in units of the drawing."""

    day: date
    asked: int
    completed: int
    x: float
    width: float
    asked_height: float
    completed_height: float


@dataclass(frozen=True, slots=True)
class Volume:
    """The chart of volume by day, with the ticks of its axes."""

    columns: Sequence[Column]
    ticks: Sequence[tuple[int, float]]
    """Count and height."""
    labels: Sequence[tuple[date, float]]
    """Day and place."""

    @property
    def is_empty(self) -> bool:
        return not any(column.asked or column.completed for column in self.columns)


def volume(days: Sequence[DayVolume], first: date, last: date) -> Volume:
    """Returns the chart of every day from `first` to `last`, those without tasks too."""
    known = {each.day: each for each in days}
    span = min((last - first).days, MOST_DAYS - 1)
    dates = [last - timedelta(days=back) for back in range(span, -1, -1)]
    counts = [
        (known[each.isoformat()].asked, known[each.isoformat()].completed) if each.isoformat() in known else (0, 0)
        for each in dates
    ]
    top = round_end(max((max(pair) for pair in counts), default=0))
    slot = WIDTH / len(dates)
    columns = [
        Column(day, asked, completed, round(slot * place, 2), round(slot * 0.4, 2), *(_height(n, top) for n in pair))
        for place, (day, pair) in enumerate(zip(dates, counts, strict=True))
        for asked, completed in [pair]
    ]
    step = max(1, math.ceil(len(dates) / 7))
    labels = [(column.day, column.x) for column in columns[::step]]
    ticks = sorted({round(top * part / TICKS) for part in range(TICKS + 1)})
    return Volume(columns, [(tick, _height(tick, top)) for tick in ticks], labels)


def round_end(value: float) -> int:
    """Returns the smallest of 4, 8, 12, 20, 28, 40, 80 … that is no less: the end of a scale in four whole steps."""
    step = 1
    while True:
        for factor in (4, 8, 12, 20, 28):
            if value <= factor * step:
                return factor * step
        step *= 10


def percent(value: float, top: float) -> float:
    """Returns the share of a scale that a value takes, in percent."""
    return round(100 * value / top, 2) if top > 0 else 0.0


def _height(count: int, top: int) -> float:
    return round(HEIGHT * count / top, 2)
