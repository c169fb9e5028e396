"""Durations and shares as people write them: `30m`, `1h30m`, `PT2H`, `50%`."""

import re
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

LONGEST: Final = timedelta(days=3660)
_SHORT: Final = re.compile(r"(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,9})s)?", re.ASCII)
_ISO: Final = re.compile(
    r"P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?=\d)(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,9})S)?)?", re.ASCII
)
_SHARE: Final = re.compile(r"(\d{1,4}(?:\.\d{1,3})?)%", re.ASCII)


@lru_cache(1024)
def parse_duration(text: str) -> timedelta:
    """Returns the duration of `45s`, `30m`, `2h`, `1d`, `1h30m` or ISO 8601 (`PT1H30M`, `P1D`; no years or months).

    Raises ValueError for anything else, for nothing, for zero, and for more than 3660 days.
    """
    found = _SHORT.fullmatch(text) or _ISO.fullmatch(text)
    if not found or not any(found.groups()):
        raise ValueError(f"{text!r} is not a duration such as 45s, 30m, 2h, 1d, 1h30m or PT2H.")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    duration = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not timedelta() < duration <= LONGEST:
        raise ValueError(f"{text!r} is not longer than nothing and at most 3660 days.")
    return duration


@lru_cache(256)
def parse_share(text: str) -> Decimal:
    """Returns the share of `50%` as 0.5. Raises ValueError where it is no share above 0% and up to 1000%."""
    found = _SHARE.fullmatch(text)
    share = Decimal(found[1]) / 100 if found else Decimal(0)
    if not 0 < share <= 10:
        raise ValueError(f"{text!r} is not a share such as 50%.")
    return share


def is_share(text: str) -> bool:
    """Whether a text is meant as a share of a total."""
    return text.endswith("%")


def offset(text: str, total: timedelta | None) -> timedelta:
    """Returns how long after its clock's start a step is due. Raises ValueError for a share of no total."""
    if not is_share(text):
        return parse_duration(text)
    if total is None:
        raise ValueError(f"{text!r} is a share, but its clock has no total.")
    microseconds = Decimal(total // timedelta(microseconds=1)) * parse_share(text)
    return timedelta(microseconds=int(microseconds))
