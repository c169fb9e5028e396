"""Arithmetic on calendars: what clocks count, exactly, and without walking through the minutes."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Final
from zoneinfo import ZoneInfo

from orkestra.v1.task import Weekday, WorkingHours

HORIZON: Final = timedelta(days=20 * 365)
"""No deadline lies further away: where a calendar is open too seldom, counting stops here."""
DAYS: Final = tuple(Weekday)
MINUTES_A_DAY: Final = 24 * 60
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MINUTE: Final = 60_000_000
_SECOND: Final = 1_000_000
_SAMPLE: Final = 6 * 3600 * _SECOND  # no zone has changed its offset twice within six hours

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """Hours in which a clock runs: an instant counts where the zone's own clocks then show a time within the hours.

    So the hour that comes twice in autumn counts twice, and the one that is skipped in spring does not count. Without a
    zone every instant counts.
    """

    zone: str | None = None
    weekly: tuple[tuple[Span, ...], ...] = ()
    """For each weekday from Monday on, from when until when in minutes of the day."""
    dates: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()

    def after(self, start: datetime, duration: timedelta) -> datetime:
        """Return the earliest instant by which `duration` has been counted from `start` on; `start` itself for none.

        Where that is further away than HORIZON, the horizon is returned.
        """
        if self.zone is None:
            return start + duration
        if duration <= timedelta():
            return start
        year, horizon = start.astimezone(UTC).year, start + HORIZON
        wanted = _year(self, year).counted_by(_instant(start)) + duration // _MICROSECOND
        while year <= horizon.year:
            hours = _year(self, year)
            if wanted <= hours.total:
                return min(_datetime(hours.reached(wanted)), horizon)
            wanted -= hours.total
            year += 1
        return horizon

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return what is counted from `start` to `end`; nothing where the end comes first."""
        if end <= start:
            return timedelta()
        if self.zone is None:
            return end - start
        first, last = start.astimezone(UTC).year, end.astimezone(UTC).year
        counted = _year(self, last).counted_by(_instant(end)) - _year(self, first).counted_by(_instant(start))
        return (counted + sum(_year(self, year).total for year in range(first, last))) * _MICROSECOND

    def spans_of(self, day: date) -> tuple[Span, ...]:
        """Return the hours of one day as the zone's clocks show them."""
        is_holiday = day in self.dates or (day.month, day.day) in self.yearly
        return () if is_holiday else self.weekly[day.weekday()]


ALWAYS: Final = WorkingTime()


def working_time(hours: WorkingHours | None) -> WorkingTime:
    """Return the arithmetic of hours that `check_hours` has let pass; ALWAYS where there are none."""
    if hours is None:
        return ALWAYS
    weekly: list[list[Span]] = [[] for _ in DAYS]
    for each in hours.hours:
        weekly[DAYS.index(each.weekday)].append((minute_of(each.opens), minute_of(each.closes)))
    full = (each.date for each in hours.holidays if len(each.date) > len("MM-DD"))
    yearly = (each.date for each in hours.holidays if len(each.date) == len("MM-DD"))
    return WorkingTime(
        zone=hours.time_zone,
        weekly=tuple(tuple(sorted(spans)) for spans in weekly),
        dates=frozenset(date.fromisoformat(text) for text in full),
        yearly=frozenset((int(text[:2]), int(text[3:])) for text in yearly),
    )


def minute_of(clock: str) -> int:
    """Return the minute of the day that `HH:MM` names."""
    return int(clock[:2]) * 60 + int(clock[3:])


@dataclass(frozen=True, slots=True)
class _Year:
    """The open intervals of one year of UTC, in microseconds since 1970, and what has been counted by their ends."""

    opens: tuple[int, ...]
    closes: tuple[int, ...]
    counted: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.counted[-1] if self.counted else 0

    def counted_by(self, instant: int) -> int:
        """Return what has been counted from the year's beginning to an instant of it."""
        position = bisect_right(self.opens, instant) - 1
        if position < 0:
            return 0
        return self.counted[position] - max(self.closes[position] - instant, 0)

    def reached(self, wanted: int) -> int:
        """Return the earliest instant by which so much has been counted."""
        position = bisect_left(self.counted, wanted)
        return self.closes[position] - (self.counted[position] - wanted)


@lru_cache(maxsize=512)
def _year(hours: WorkingTime, year: int) -> _Year:
    opened = list(_opened(hours, year))
    counted = accumulate(closes - opens for opens, closes in opened)
    return _Year(tuple(opens for opens, _ in opened), tuple(closes for _, closes in opened), tuple(counted))


def _opened(hours: WorkingTime, year: int) -> Iterator[Span]:
    for (begins, offset), (ends, _) in pairwise(_offsets(hours.zone or "UTC", year)):
        day = _datetime(begins + offset).date()
        while (midnight := _midnight(day) - offset) < ends:
            for opens, closes in hours.spans_of(day):
                span = max(midnight + opens * _MINUTE, begins), min(midnight + closes * _MINUTE, ends)
                if span[0] < span[1]:
                    yield span
            day += timedelta(days=1)


@lru_cache(maxsize=2048)
def _offsets(zone: str, year: int) -> tuple[Span, ...]:
    """Return from when on in a year of UTC which offset holds, and the end of the year."""
    info = ZoneInfo(zone)
    first, end = _instant(datetime(year, 1, 1, tzinfo=UTC)), _instant(datetime(year + 1, 1, 1, tzinfo=UTC))
    found = [(first, _offset(info, first))]
    for sample in [*range(first + _SAMPLE, end, _SAMPLE), end - _SECOND]:
        if (offset := _offset(info, sample)) != found[-1][1]:
            found.append((_change(info, max(sample - _SAMPLE, first), sample), offset))
    return (*found, (end, 0))


def _change(info: ZoneInfo, before: int, after: int) -> int:
    """Return the whole second between two instants from which on the later one's offset holds."""
    offset = _offset(info, after)
    while after - before > _SECOND:
        middle = before + (after - before) // (2 * _SECOND) * _SECOND
        before, after = (before, middle) if _offset(info, middle) == offset else (middle, after)
    return after


def _offset(info: ZoneInfo, instant: int) -> int:
    return (_datetime(instant).astimezone(info).utcoffset() or timedelta()) // _MICROSECOND


def _midnight(day: date) -> int:
    return (day - _EPOCH.date()).days * MINUTES_A_DAY * _MINUTE


def _instant(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _datetime(instant: int) -> datetime:
    return _EPOCH + instant * _MICROSECOND
