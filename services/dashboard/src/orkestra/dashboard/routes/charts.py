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
        return not self.columns


def volume(days: Sequence[DayVolume], first: date, last: date) -> Volume:
    """Returns the chart of the days from `first` to `last`: a place for each, a column for each that has tasks."""
    begin = max(first, last - timedelta(days=MOST_DAYS - 1))
    count = (last - begin).days + 1
    slot = WIDTH / count
    places = {each.day: (date.fromisoformat(each.day) - begin).days for each in days}
    shown = [each for each in days if 0 <= places[each.day] < count and (each.asked or each.completed)]
    top = round_end(max((max(each.asked, each.completed) for each in shown), default=0))
    columns = [
        Column(
            begin + timedelta(days=places[each.day]),
            each.asked,
            each.completed,
            round(slot * places[each.day], 2),
            round(slot * 0.4, 2),
            _height(each.asked, top),
            _height(each.completed, top),
        )
        for each in shown
    ]
    labels = [
        (begin + timedelta(days=place), round(slot * place, 2)) for place in range(0, count, math.ceil(count / 7))
    ]
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
