"""Calendar arithmetic against a counterpart that looks at every minute, and what a calendar must be."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from orkestra.rules.calendars import check_calendar, check_hours, pinned
from orkestra.rules.working_time import ALWAYS, DAYS, HORIZON, working_time
from orkestra.v1.task import Calendar, CreateCalendarRequest, Holiday, OpenHours, Weekday, WorkingHours
from task_cases import NOW, TENANT

MINUTE = timedelta(minutes=1)


def hours(zone: str, days: str, opens: str, closes: str, *holidays: str) -> WorkingHours:
    """Hours of some days, given as numbers from 1 for Monday."""
    return WorkingHours(
        time_zone=zone,
        hours=[OpenHours(weekday=DAYS[int(day) - 1], opens=opens, closes=closes) for day in days],
        holidays=[Holiday(date=day) for day in holidays],
    )


OFFICE = hours("Europe/Berlin", "12345", "09:00", "17:00", "2026-01-06", "12-25")


def at(text: str, zone: str = "Europe/Berlin", *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2026-01-05 10:00", timedelta(hours=2), "2026-01-05 12:00"),  # a Monday
        ("2026-01-05 10:00", timedelta(hours=7), "2026-01-05 17:00"),  # exactly to the close
        ("2026-01-05 16:00", timedelta(hours=2), "2026-01-07 10:00"),  # over the holiday of the 6th
        ("2026-01-05 03:00", timedelta(hours=1), "2026-01-05 10:00"),
        ("2026-01-09 16:59", timedelta(minutes=2), "2026-01-12 09:01"),  # over a weekend
        ("2026-12-24 16:00", timedelta(hours=1, microseconds=1), "2026-12-28 09:00:00.000001"),
        ("2026-01-05 09:00", timedelta(hours=8 * 260), "2027-01-05 17:00"),
    ],
)
def test_deadlines_in_an_office(start: str, duration: timedelta, end: str) -> None:
    office = working_time(OFFICE)
    assert office.after(at(start), duration) == at(end)
    assert office.between(at(start), at(end)) == duration


def test_the_hour_that_comes_twice_counts_twice_and_the_skipped_one_not() -> None:
    nights = working_time(hours("Europe/Berlin", "67", "00:00", "06:00"))
    spring, autumn = at("2026-03-29 00:00"), at("2026-10-25 00:00")
    assert nights.between(spring, spring + timedelta(days=1)) == timedelta(hours=5)
    assert nights.between(autumn, autumn + timedelta(days=1)) == timedelta(hours=7)
    assert nights.after(spring, timedelta(hours=2)) == at("2026-03-29 03:00")
    assert nights.after(autumn, timedelta(hours=3)) == at("2026-10-25 02:00", fold=1)


def test_a_zone_that_leaves_a_day_out() -> None:
    island = working_time(hours("Pacific/Apia", "1234567", "09:00", "17:00"))
    assert island.between(at("2011-12-29 00:00", "Pacific/Apia"), at("2012-01-01 00:00", "Pacific/Apia")) == timedelta(
        hours=16
    )


def test_without_a_calendar_every_instant_counts() -> None:
    assert ALWAYS.after(NOW, timedelta(days=3)) == NOW + timedelta(days=3)
    assert ALWAYS.between(NOW, NOW + timedelta(days=3)) == timedelta(days=3)
    assert ALWAYS.between(NOW, NOW - timedelta(days=3)) == timedelta()


def test_years_are_counted_fast_and_no_deadline_lies_beyond_the_horizon() -> None:
    seldom = working_time(hours("America/New_York", "3", "12:00", "12:01"))
    never = working_time(hours("UTC", "1", "12:00", "13:00", *(f"2026-01-{day:02}" for day in range(1, 32))))
    began = time.process_time()
    for minute in range(200):
        start = NOW + minute * MINUTE
        assert seldom.after(start, timedelta(days=3660)) == start + HORIZON
        assert never.between(start, start + timedelta(days=3650)) > timedelta(hours=510)
    assert time.process_time() - began < 5


ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Pacific/Apia",
    "America/Sao_Paulo",
)
TURNS = (  # near changes of clocks, a new year and a leap day
    datetime(2026, 3, 27, tzinfo=UTC),
    datetime(2026, 10, 23, tzinfo=UTC),
    datetime(2026, 11, 1, tzinfo=UTC),
    datetime(2026, 4, 4, tzinfo=UTC),
    datetime(2026, 2, 14, tzinfo=UTC),
    datetime(2025, 12, 30, tzinfo=UTC),
    datetime(2028, 2, 27, tzinfo=UTC),
    datetime(2011, 12, 29, tzinfo=UTC),
    datetime(2018, 11, 3, tzinfo=UTC),
)


@st.composite
def some_hours(draw: st.DrawFn) -> WorkingHours:
    spans = []
    for weekday in draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True)):
        times = draw(st.lists(st.integers(0, 96), min_size=2, max_size=4, unique=True).map(sorted))
        for opens, closes in zip(times[0::2], times[1::2], strict=False):
            spans.append(OpenHours(weekday=weekday, opens=_clock(opens), closes=_clock(closes)))
    turn = draw(st.sampled_from(TURNS))
    days = draw(st.lists(st.integers(-1, 5), max_size=2, unique=True))
    holidays = [
        Holiday(date=(turn + timedelta(days=day)).date().isoformat()[draw(st.sampled_from((0, 5))) :]) for day in days
    ]
    return WorkingHours(time_zone=draw(st.sampled_from(ZONES)), hours=spans, holidays=holidays)


def _clock(quarters: int) -> str:
    return f"{quarters // 4:02}:{quarters % 4 * 15:02}"


def open_minutes(calendar: WorkingHours, minutes: list[datetime]) -> list[datetime]:
    """The minutes in which a clock runs, obviously: what do the clocks on the wall show?"""
    zone, closed = ZoneInfo(calendar.time_zone), {each.date for each in calendar.holidays}
    found = []
    for minute in minutes:
        day, shown = minute.astimezone(zone).strftime("%Y-%m-%d"), minute.astimezone(zone).strftime("%u %H:%M")
        spans = [each for each in calendar.hours if f"{DAYS.index(each.weekday) + 1}" == shown[0]]
        is_closed = day in closed or day[5:] in closed
        if not is_closed and any(each.opens <= shown[2:] < each.closes for each in spans):
            found.append(minute)
    return found


@settings(max_examples=80, deadline=None)
@given(some_hours(), st.sampled_from(TURNS), st.integers(0, 24 * 60), st.integers(0, 3 * 24 * 60), st.data())
def test_counting_agrees_with_looking_at_every_minute(
    calendar: WorkingHours, turn: datetime, first: int, length: int, data: st.DataObject
) -> None:
    assert check_hours(calendar, "") == []
    start = turn + first * MINUTE
    counted = open_minutes(calendar, [start + number * MINUTE for number in range(length)])
    fast = working_time(calendar)
    assert fast.between(start, start + length * MINUTE) == len(counted) * MINUTE
    if counted:
        wanted = data.draw(st.integers(1, len(counted)))
        assert fast.after(start, wanted * MINUTE) == counted[wanted - 1] + MINUTE


@settings(max_examples=80, deadline=None)
@given(
    some_hours(),
    st.sampled_from(TURNS),
    st.integers(0, 10**12),
    st.integers(1, 10**11),
    st.integers(1, 10**11),
)
def test_counting_on_is_counting_at_once(
    calendar: WorkingHours, turn: datetime, offset: int, first: int, second: int
) -> None:
    fast = working_time(calendar)
    start = turn + timedelta(microseconds=offset)
    one, two = timedelta(microseconds=first), timedelta(microseconds=second)
    middle = fast.after(start, one)
    assert fast.between(start, middle) == one
    assert fast.between(start, middle - timedelta(microseconds=1)) < one
    assert fast.after(middle, two) == fast.after(start, one + two)


def calendar(**fields: Any) -> CreateCalendarRequest:
    return CreateCalendarRequest(**{"calendar_id": "office", "name": "Office", "working_hours": OFFICE, **fields})


def with_hours(*spans: tuple[Weekday, str, str], zone: str = "Europe/Berlin", holidays: tuple[str, ...] = ()) -> Any:
    return WorkingHours(
        time_zone=zone,
        hours=[OpenHours(weekday=day, opens=opens, closes=closes) for day, opens, closes in spans],
        holidays=[Holiday(date=day) for day in holidays],
    )


MON = Weekday.MONDAY
DAY = (MON, "09:00", "17:00")
EVERY_DAY = tuple((date(2000, 1, 1) + timedelta(days=day)).isoformat()[5:] for day in range(366))


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"calendar_id": "always"}, "calendar_id", "reserved"),
        ({"calendar_id": "Office hours"}, "calendar_id", "not_a_slug"),
        ({"calendar_id": "group:l1"}, "calendar_id", "not_a_slug"),
        ({"name": "  "}, "name", "wrong_length"),
        ({"working_hours": with_hours()}, "working_hours.hours", "required"),
    ],
)
def test_a_wrong_calendar_is_refused_with_the_place(fields: dict[str, Any], path: str, code: str) -> None:
    assert (path, code) in {(error.path, error.code) for error in check_calendar(calendar(**fields))}


@pytest.mark.parametrize(
    ("wrong", "path", "code"),
    [
        (with_hours(DAY, zone="Berlin"), "time_zone", "unknown_zone"),
        (with_hours(DAY, zone="Europe/Nowhere"), "time_zone", "unknown_zone"),
        (with_hours(DAY, zone="../etc/passwd"), "time_zone", "unknown_zone"),
        (with_hours((MON, "9:00", "17:00")), "hours[0].opens", "not_a_time"),
        (with_hours((MON, "09:00", "24:30")), "hours[0].closes", "not_a_time"),
        (with_hours((MON, "17:00", "09:00")), "hours[0].closes", "not_after_opens"),
        (with_hours((MON, "09:00", "12:00"), (MON, "11:00", "17:00")), "hours[1]", "overlaps"),
        (with_hours(*[DAY] * 51), "hours", "too_many_items"),
        (with_hours(DAY, holidays=("2026-02-30",)), "holidays[0].date", "not_a_date"),
        (with_hours(DAY, holidays=("20260106",)), "holidays[0].date", "not_a_date"),
        (with_hours(DAY, holidays=("01-06", "01-06")), "holidays[1].date", "duplicate"),
        (with_hours(DAY, holidays=("01-06",) * 401), "holidays", "too_many_items"),
        (with_hours(DAY, holidays=EVERY_DAY), "holidays", "never_open"),
    ],
)
def test_wrong_hours_are_refused_with_the_place(wrong: WorkingHours, path: str, code: str) -> None:
    assert (f"at.{path}", code) in {(error.path, error.code) for error in check_hours(wrong, "at")}


def test_a_right_calendar_passes() -> None:
    whole = with_hours((MON, "00:00", "12:00"), (MON, "12:00", "24:00"), holidays=("02-29", "2028-02-29"))
    assert check_calendar(calendar(calendar_id="a", working_hours=whole)) == []


def test_a_task_keeps_hours_without_names_and_without_what_is_over() -> None:
    holidays = [Holiday(date=day, name="Rest") for day in ("2025-12-25", "12-25", NOW.date().isoformat())]
    kept = pinned(
        Calendar(
            calendar_id="office",
            tenant_id=TENANT,
            name="Office",
            working_hours=OFFICE.model_copy(update={"holidays": holidays}),
            version=1,
            created_at=NOW,
            updated_at=NOW,
        ),
        NOW,
    )
    assert kept.holidays == [Holiday(date="12-25"), Holiday(date=date(2026, 1, 5).isoformat())]
