"""When something happens again and again: five fields of cron, and names of time zones."""

from zoneinfo import available_timezones

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
FIELDS: tuple[tuple[str, int, int, tuple[str, ...]], ...] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("weekday", 0, 6, WEEKDAYS),
)


def parse_cron(text: str) -> str:
    """Returns cron's five fields in lower case with single spaces; numbers, names, `*`, `a-b`, `/n` and lists of them.

    Raises ValueError, with a sentence, for anything else, for a day of the month together with a weekday (of which
    cron's readers differ), and for a day that no named month has.
    """
    parts = text.lower().split()
    if len(parts) != len(FIELDS):
        raise ValueError("Give five fields: minute, hour, day of the month, month, weekday, such as 0 9 * * mon-fri.")
    _, _, days, months, _ = [
        _values(part, name=name, first=first, last=last, words=words)
        for part, (name, first, last, words) in zip(parts, FIELDS, strict=True)
    ]
    if parts[2] != "*" and parts[4] != "*":
        raise ValueError("Give a day of the month or a weekday, and * for the other.")
    if min(days) > max(LONGEST_MONTHS[month - 1] for month in months):
        raise ValueError("No month that is named has such a day.")
    return " ".join(parts)


def is_time_zone(name: str) -> bool:
    """Says whether `name` is a time zone in IANA's list."""
    return name in available_timezones()


def _values(text: str, *, name: str, first: int, last: int, words: tuple[str, ...]) -> set[int]:
    known = {word: number for number, word in enumerate(words, first)}
    found: set[int] = set()
    for item in text.split(","):
        span, slash, step = item.partition("/")
        begin, dash, end = (str(first), "-", str(last)) if span == "*" else span.partition("-")
        low, high = _number(begin, known), _number(end if dash else begin, known)
        if slash and not dash:
            high = last
        by = _number(step, {}) if slash else 1
        if low is None or high is None or not by or not first <= low <= high <= last:
            raise ValueError(f"The {name} is {text!r}; it takes {first} to {last}, such as *, {first}, a-b or */2.")
        found |= set(range(low, high + 1, by))
    return found


def _number(text: str, words: dict[str, int]) -> int | None:
    if text in words:
        return words[text]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 2 else None
