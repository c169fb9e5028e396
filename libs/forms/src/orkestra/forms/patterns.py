"""Patterns: which are safe, and how long the longest text takes that one may be held against."""

from functools import lru_cache
from typing import Final

from orkestra.forms.engine import engine

MAX_PATTERN: Final = 500
"""Characters of a pattern."""
MAX_LENGTH: Final = 1000
"""Characters of a text that has a pattern, unless its field says fewer or more."""
MAX_WORK: Final = 1_000_000
"""Steps of a pattern times characters of its text."""


@lru_cache(maxsize=512)
def is_pattern(pattern: str) -> bool:
    """Whether a pattern belongs to the safe subset: linear time, bounded size, no look-around or back-reference."""
    try:
        engine({"pattern": pattern})
    except ValueError:
        return False
    return True


@lru_cache(maxsize=512)
def steps(pattern: str) -> int:
    """Returns how many steps a safe pattern has when every counted repetition is written out."""
    levels, last, at = [0], 0, 0
    while at < len(pattern):
        sign, at = pattern[at], at + 1
        if sign == "(":
            levels.append(0)
            continue
        if sign == ")" and len(levels) > 1:
            last = levels.pop()
        elif sign == "{":
            end = pattern.find("}", at)
            last, at = (last * (_most(pattern[at:end]) - 1), end + 1) if end > 0 else (1, at)
        elif sign == "[":
            last, at = 2, _after_class(pattern, at)
        elif sign == "\\":
            last, at = 2, _after_escape(pattern, at)
        else:
            last = 0 if sign in "*+?|^$" else 1
        levels[-1] += last
    return sum(levels)


def _most(count: str) -> int:
    """Returns the highest number of a count such as 2,5; without an upper end the lower one."""
    numbers = [int(each) for each in count.split(",") if each.strip().isdecimal()]
    return max(1, *numbers, 1)


def _after_class(pattern: str, at: int) -> int:
    at += pattern[at : at + 1] == "^"
    at += pattern[at : at + 1] == "]"
    while at < len(pattern) and pattern[at] != "]":
        at += 2 if pattern[at] == "\\" else 1
    return at + 1


def _after_escape(pattern: str, at: int) -> int:
    if pattern[at : at + 1] in ("p", "P", "x", "u") and pattern[at + 1 : at + 2] == "{":
        end = pattern.find("}", at)
        return end + 1 if end > 0 else at + 1
    return at + 1
