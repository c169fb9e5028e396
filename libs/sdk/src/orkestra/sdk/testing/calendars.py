"""Hours for the calendars of a test."""

from collections.abc import Mapping, Sequence

from orkestra.rules.calendars import check_hours
from orkestra.v1.task import Holiday, OpenHours, Weekday, WorkingHours
from orkestra.wire import InvalidArgument

WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


def office_hours(
    time_zone: str = "UTC",
    *,
    opens: str = "09:00",
    closes: str = "17:00",
    days: Sequence[str] = WORKDAYS,
    holidays: Sequence[str] = (),
) -> WorkingHours:
    """The same hours on some days of the week; holidays are YYYY-MM-DD, or MM-DD for every year."""
    return WorkingHours(
        time_zone=time_zone,
        hours=[OpenHours(weekday=Weekday(day), opens=opens, closes=closes) for day in days],
        holidays=[Holiday(date=day) for day in holidays],
    )


def checked(calendars: Mapping[str, WorkingHours]) -> Mapping[str, WorkingHours]:
    """Return the calendars; raises InvalidArgument where one could not be kept by task-service either."""
    for name, hours in calendars.items():
        errors = check_hours(hours, f"calendars.{name}")
        if errors:
            raise InvalidArgument("CALENDAR_INVALID", f"{errors[0].path}: {errors[0].message}", errors=errors)
    return calendars
