"""What fields that are shown and forms that are posted have in common."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

HINTS: Final = "x-orkestra"
DISPLAY: Final = frozenset({"heading", "note", "image", "link", "data", "diff"})
MOST_ROWS: Final = 1000


class Unread(str):
    """What was typed where it cannot be read as the field's kind: shown again as it is."""

    __slots__ = ()


def moment_text(moment: str, zone: ZoneInfo) -> str:
    """Returns a moment as an input of date and time shows it in a zone, to the millisecond."""
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        return moment
    local = (at.astimezone(zone) if at.tzinfo else at).replace(tzinfo=None)
    exact = "milliseconds" if local.microsecond else "seconds" if local.second else "minutes"
    return local.isoformat(timespec=exact)
