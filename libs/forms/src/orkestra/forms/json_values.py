"""Looks at a value before anything else does: is it JSON at all, how deep, how large."""

import json
import math
from collections.abc import Iterator
from typing import Any

from orkestra.forms.messages import text
from orkestra.forms.problems import Problem, path_of

MAX_DEPTH = 32


def not_json(value: Any, locale: str = "en", *, max_depth: int = MAX_DEPTH) -> list[Problem]:
    """Returns a problem for each part of `value` that JSON, PostgreSQL or a reader could not hold.

    These are NaN and infinities, NUL and lone surrogates in text, keys that are no text, Python objects
    that are no JSON, and nesting beyond `max_depth`.
    """
    return list(_look(value, (), locale, max_depth))


def _look(value: Any, path: tuple[str | int, ...], locale: str, room: int) -> Iterator[Problem]:
    match value:
        case None | bool() | int():
            return
        case str():
            if not is_text(value):
                yield Problem(path_of(path), "not_text", text("not_text", locale))
        case float():
            if not math.isfinite(value):
                yield Problem(path_of(path), "not_json", text("not_json", locale))
        case dict() | list():
            if room == 0:
                yield Problem(path_of(path), "too_deep", text("too_deep", locale, MAX_DEPTH))
                return
            items = value.items() if isinstance(value, dict) else enumerate(value)
            for key, item in items:
                if isinstance(value, dict) and not (isinstance(key, str) and is_text(key)):
                    yield Problem(path_of(path), "not_text", text("not_text", locale))
                    continue
                yield from _look(item, (*path, key), locale, room - 1)
        case _:
            yield Problem(path_of(path), "not_json", text("not_json", locale))


def is_text(value: str) -> bool:
    """Whether PostgreSQL and UTF-8 can hold it: no NUL, no lone surrogate."""
    if "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def depth(value: Any) -> int:
    """Returns how many levels of objects and arrays `value` has; 0 for a scalar."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def size(value: Any) -> int:
    """Returns the bytes of `value` as compact JSON in UTF-8. The value must be JSON."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


def same(a: Any, b: Any) -> bool:
    """Whether two JSON values are equal: 1 and 1.0 are, 1 and true are not."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    return bool(a == b)
