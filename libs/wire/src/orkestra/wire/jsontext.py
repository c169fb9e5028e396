"""JSON text as RFC 8259 means it: exact numbers, no NaN, no text that PostgreSQL cannot store."""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from orkestra.wire.errors import FieldError, InvalidArgument, join_path

MAX_DEPTH = 32


def loads(text: str | bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """Read strict RFC 8259 text; integers stay exact and keys keep their order.

    Refuses (InvalidArgument REQUEST_INVALID) what is not JSON, NaN and Infinity, numbers beyond a double's range,
    NUL and lone surrogates in strings, a key given twice, and nesting deeper than `max_depth`.
    """
    source = _decode(text)
    try:
        value = _decoder.decode(source)
    except json.JSONDecodeError as exc:
        where = f"line {exc.lineno}, column {exc.colno}"
        raise refusal("", "not_json", f"This is not JSON: {exc.msg[:1].lower()}{exc.msg[1:]} at {where}.") from exc
    except RecursionError:
        raise _too_deep("", max_depth) from None
    except ValueError:  # Python's own limit for the digits of an integer
        raise refusal("", "out_of_range", "A number has too many digits.") from None
    if _is_suspect(source) or (source.count("{") + source.count("[") > max_depth and _depth(value) > max_depth):
        check_json(value, max_depth=max_depth)
    return value


def dumps(value: Any) -> str:
    """Write compact JSON text.

    Refuses (InvalidArgument REQUEST_INVALID) NaN, Infinity, NUL, lone surrogates and what JSON cannot say.
    """
    try:
        text = _encoder.encode(value)
    except RecursionError:
        raise _too_deep("", MAX_DEPTH) from None
    except ValueError as exc:
        raise refusal("", "not_finite", "JSON has no NaN and no Infinity.") from exc
    except TypeError as exc:
        raise refusal("", "wrong_type", f"JSON cannot say this: {exc}.") from exc
    if _is_suspect(text):
        check_json(value)
    return text


def check_json(value: Any, *, max_depth: int = MAX_DEPTH) -> None:
    """Refuse a value that `loads` would not have returned, naming the field."""
    for path, depth, item in _walk(value):
        if depth > max_depth:
            raise _too_deep(path, max_depth)
        if isinstance(item, str):
            check_text(item, path)
        elif isinstance(item, float) and not math.isfinite(item):
            raise refusal(path, "not_finite", "JSON has no NaN and no Infinity.")


def check_text(text: str, path: str = "") -> str:
    """Return `text` unless it has a NUL or a lone surrogate, which PostgreSQL and UTF-8 cannot hold."""
    if "\0" in text:
        raise refusal(path, "invalid_text", "Text must not contain the character U+0000.")
    if not text.isascii() and _has_surrogate(text):
        raise refusal(path, "invalid_text", "Text must not contain a lone surrogate.")
    return text


def refusal(path: str, code: str, message: str) -> InvalidArgument:
    """Refuse one field of a request."""
    return InvalidArgument("REQUEST_INVALID", message, errors=[FieldError(path, code, message)])


def _decode(text: str | bytes) -> str:
    if isinstance(text, str):
        return text
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise refusal("", "not_json", f"This is not UTF-8: {exc.reason} at byte {exc.start}.") from exc


def _is_suspect(source: str) -> bool:
    """Say whether the text may hold what only a walk over the value can tell. Cheap, and wrong only towards yes."""
    return (
        "\\u0000" in source or "\\ud" in source or "\\uD" in source or (not source.isascii() and _has_surrogate(source))
    )


def _has_surrogate(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _depth(root: Any) -> int:
    depth, level = 0, [root]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [item for outer in level for item in (outer.values() if isinstance(outer, dict) else outer)]
    return depth


def _walk(root: Any) -> Iterator[tuple[str, int, Any]]:
    """Yield every value and key below `root` with its path and how many arrays and objects enclose it."""
    stack: list[tuple[str, int, Any]] = [("", 0, root)]
    while stack:
        path, depth, value = stack.pop()
        if isinstance(value, dict):
            yield path, depth + 1, None
            for key, item in value.items():
                yield path, depth, key
                stack.append((join_path(path, str(key)), depth + 1, item))
        elif isinstance(value, list | tuple):
            yield path, depth + 1, None
            stack.extend((f"{path}[{index}]", depth + 1, item) for index, item in enumerate(value))
        else:
            yield path, depth, value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)  # in one walk: a list's count of each takes minutes
        twice = next(name for name, count in counts.items() if count > 1)
        raise refusal("", "duplicate_key", f"The key {twice[:100]!r} is given twice in one object.")
    return found


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise refusal("", "out_of_range", f"The number {text[:40]} is beyond what a double can hold.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise refusal("", "not_finite", f"JSON has no {name}.")


def _too_deep(path: str, max_depth: int) -> InvalidArgument:
    return refusal(path, "too_deep", f"JSON must not be nested deeper than {max_depth} levels.")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant, parse_float=_float)
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
