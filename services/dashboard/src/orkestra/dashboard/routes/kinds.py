"""What fields that are shown and forms that are posted have in common."""

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

HINTS: Final = "x-orkestra"
DISPLAY: Final = frozenset({"heading", "note", "image", "link", "data", "diff"})
MOST_ROWS: Final = 1000


def N_(text: str) -> str:  # noqa: N802  gettext's own name for it
    """Marks a text for the catalog; it is translated where it is shown."""
    return text


def size_text(size: int) -> str:
    """Returns a number of bytes as people read it, in units of 1000."""
    for unit, width in (("MB", 10**6), ("kB", 10**3)):
        if size >= width:
            return f"{size / width:.1f} {unit}"
    return f"{size} B"


class Unread(str):
    """What was typed where it cannot be read as the field's kind: shown again as it is."""

    __slots__ = ()


def moment_text(moment: str, zone: ZoneInfo) -> str:
    """Returns a moment as an input of date and time shows it in a zone, to the millisecond."""
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    local = (shown_in(zone, at) if at.tzinfo else at).replace(tzinfo=None)
    exact = "milliseconds" if local.microsecond else "seconds" if local.second else "minutes"
    return local.isoformat(timespec=exact)


def typed_moment(typed: str | None, zone: ZoneInfo) -> datetime | None:
    """Returns a moment that was typed in a zone, None where nothing was; ValueError where it is none, in any zone."""
    if not typed:
        return None
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=zone).astimezone(UTC)
    except OverflowError as unreachable:  # the first day of the calendar may be a day before it elsewhere
        raise ValueError("This moment is outside of the calendar.") from unreachable


def shown_in(zone: ZoneInfo, at: datetime) -> datetime:
    """Returns a moment in a zone; as it is where it would leave the calendar there, so that no page fails with it."""
    try:
        return at.astimezone(zone)
    except OverflowError:
        return at
