"""Checks of single values that JSON Schema has no word for."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from orkestra.forms.field_types import CURRENCIES

Finding = tuple[tuple[str | int, ...], str, Any]  # path below the value, code, limit


def is_moment(kind: str, value: str) -> bool:
    """Whether `value` is a date, a time of day, or a date and time with its zone, in ISO 8601."""
    try:
        if kind == "date":
            return date.fromisoformat(value).isoformat() == value
        if kind == "time":
            return time.fromisoformat(value).tzinfo is None
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def beyond_schema(kind: str, hint: Mapping[str, Any], value: Any) -> Iterator[Finding]:
    """Yields what is wrong with a value that fits its schema."""
    match kind:
        case "date" | "time" | "datetime":
            yield from _in_time(kind, hint, value, ())
        case "date_range":
            for end in ("start", "end"):
                yield from _in_time("date", hint, value[end], (end,))
            if value["end"] < value["start"]:
                yield ("end",), "end_before_start", ""
        case "money":
            yield from _money(hint, value)
        case "file":
            yield from _files(hint, value)
        case "number" if "decimals" in hint:
            yield from _decimals(hint, Decimal(repr(value)), ())


def _in_time(kind: str, hint: Mapping[str, Any], value: str, path: tuple[str, ...]) -> Iterator[Finding]:
    if not is_moment(kind, value):
        yield path, f"not_a_{kind}", ""
        return
    order = (
        datetime.fromisoformat if kind == "datetime" else time.fromisoformat if kind == "time" else date.fromisoformat
    )
    if "min" in hint and order(value) < order(hint["min"]):  # type: ignore[operator]
        yield path, "too_small", hint["min"]
    if "max" in hint and order(value) > order(hint["max"]):  # type: ignore[operator]
        yield path, "too_large", hint["max"]


def _money(hint: Mapping[str, Any], value: Mapping[str, str]) -> Iterator[Finding]:
    amount, currency = Decimal(value["amount"]), value["currency"]
    if currency not in CURRENCIES:
        yield ("currency",), "unknown_currency", ""
    elif currency not in hint.get("currencies", CURRENCIES):
        yield ("currency",), "not_an_option", ", ".join(hint["currencies"])
    if "min" in hint and amount < Decimal(hint["min"]):
        yield ("amount",), "too_small", hint["min"]
    if "max" in hint and amount > Decimal(hint["max"]):
        yield ("amount",), "too_large", hint["max"]
    yield from _decimals({"decimals": hint.get("decimals", 8)}, amount, ("amount",))


def _files(hint: Mapping[str, Any], files: list[dict[str, Any]]) -> Iterator[Finding]:
    for position, file in enumerate(files):
        if "max_size" in hint and file["size"] > hint["max_size"]:
            yield (position,), "file_too_large", hint["max_size"]
        if "accept" in hint and not is_accepted(file["name"], file["media_type"], hint["accept"]):
            yield (position,), "file_not_accepted", ", ".join(hint["accept"])


def is_accepted(name: str, media_type: str, accept: Sequence[str]) -> bool:
    """Whether a file is of a kind as in HTML's `accept`: an ending, a media type, or a whole group of those."""
    kind, name = media_type.partition(";")[0].strip().lower(), name.lower()
    return any(
        name.endswith(each)
        if each.startswith(".")
        else kind.startswith(each[:-1])
        if each.endswith("/*")
        else kind == each
        for each in (one.lower() for one in accept)
    )


def _decimals(hint: Mapping[str, Any], value: Decimal, path: tuple[str, ...]) -> Iterator[Finding]:
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > hint["decimals"]:
        yield path, "too_many_decimals", hint["decimals"]
