"""What the keys of a field may hold."""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from orkestra.forms.field_types import AMOUNT, CURRENCIES, TIME_TYPES, FieldType
from orkestra.forms.patterns import MAX_LENGTH, MAX_PATTERN, MAX_WORK, is_pattern, steps
from orkestra.forms.values import is_moment

MAX_ACCEPTED: Final = 50
MAX_RATING: Final = 20
_ACCEPT: Final = re.compile(r"\.[A-Za-z0-9]{1,16}|[a-z]{1,32}/(\*|[A-Za-z0-9.+-]{1,100})")
_ASCII_PATH: Final = re.compile(r"^context(\.[A-Za-z0-9_-]{1,64}){1,8}$")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_safe_pattern(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= MAX_PATTERN and is_pattern(value)


def _are_currencies(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v in CURRENCIES for v in value)


def _are_accepted(value: Any) -> bool:
    if not isinstance(value, list) or not 0 < len(value) <= MAX_ACCEPTED:
        return False
    return all(isinstance(each, str) and bool(_ACCEPT.fullmatch(each)) for each in value)


def _is_link(value: Any) -> bool:
    return isinstance(value, str) and value.lower().startswith(("https://", "http://"))


_CHECKS: Final[Mapping[str, tuple[Callable[[Any], bool], str]]] = {
    **dict.fromkeys(("label", "help", "placeholder", "text", "alt", "statement"), (_is_text, "a text")),
    **dict.fromkeys(("required", "readonly", "sensitive"), (_is_flag, "true or false")),
    **dict.fromkeys(("min_length", "max_length", "min_items", "max_items"), (_is_count, "a whole number from 0 on")),
    "decimals": (lambda value: _is_count(value) and value <= 8, "a whole number from 0 to 8"),
    "step": (lambda value: _is_number(value) and value > 0, "a number above 0"),
    "pattern": (
        _is_safe_pattern,
        f"a pattern of at most {MAX_PATTERN} characters without look-around or back-references",
    ),
    "accept": (_are_accepted, 'a list of endings and media types such as [".pdf", "image/*"]'),
    "max_size": (lambda value: _is_count(value) and value > 0, "a number of bytes above 0"),
    "currencies": (_are_currencies, "a list of ISO 4217 codes"),
    "url": (_is_link, "an address that starts with http:// or https://"),
    "options_from": (
        lambda value: isinstance(value, str) and bool(_ASCII_PATH.match(value)),
        "such as context.data.plans",
    ),
}


def wrong_keys(kind: FieldType, spec: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields each key of `spec` whose value is not what the key holds, with a sentence."""
    for key, value in spec.items():
        is_right, expected = _CHECKS.get(key, (None, ""))
        if key in ("min", "max"):
            is_right, expected = _bound(kind)
        if is_right and not is_right(value):
            yield key, f"{key} must be {expected}."
    if kind.name == "rating" and _steps_of_rating(spec) > MAX_RATING:
        yield "max", f"A rating has at most {MAX_RATING} values."
    if _is_slow(spec):
        yield "pattern", "pattern repeats too much for the texts it is held against; say a smaller max_length."
    for low, high in (("min_length", "max_length"), ("min_items", "max_items"), ("min", "max")):
        if low in spec and high in spec and _is_above(kind, spec[low], spec[high]):
            yield low, f"{low} must not be above {high}."


def _steps_of_rating(spec: Mapping[str, Any]) -> int:
    low, high = spec.get("min", 1), spec.get("max", 5)
    return high - low + 1 if isinstance(low, int) and isinstance(high, int) else 0


def _is_slow(spec: Mapping[str, Any]) -> bool:
    longest = spec.get("max_length", MAX_LENGTH)
    return _is_safe_pattern(spec.get("pattern")) and _is_count(longest) and steps(spec["pattern"]) * longest > MAX_WORK


def _bound(kind: FieldType) -> tuple[Callable[[Any], bool], str]:
    if kind.name in TIME_TYPES:
        name = "date" if kind.name == "date_range" else kind.name
        return (lambda value: isinstance(value, str) and is_moment(name, value)), f"a {name} as text"
    if kind.name == "money":
        return (
            lambda value: isinstance(value, str) and bool(re.fullmatch(AMOUNT, value))
        ), 'an amount as text such as "12.50"'
    if kind.name in ("integer", "rating"):
        return (lambda value: isinstance(value, int) and not isinstance(value, bool)), "a whole number"
    return _is_number, "a number"


def _is_above(kind: FieldType, low: Any, high: Any) -> bool:
    if kind.name == "money":
        try:
            return Decimal(low) > Decimal(high)
        except (InvalidOperation, TypeError):
            return False
    if type(low) is not type(high) and not (_is_number(low) and _is_number(high)):
        return False
    return not isinstance(low, list | dict | bool) and low is not None and low > high


def options_of(options: Any) -> Iterator[tuple[int, dict[str, Any] | None, str]]:
    """Yields (position, option with value and label or None, sentence where it is refused) for each option."""
    seen: set[str] = set()
    for position, option in enumerate(options):
        whole = option if isinstance(option, dict) else {"value": option}
        value, label = whole.get("value"), whole.get("label")
        if (
            set(whole) - {"value", "label"}
            or not isinstance(value, str | int)
            or isinstance(value, bool)
            or value == ""
        ):
            yield position, None, 'An option is a text, a whole number, or {"value": …, "label": …}.'
        elif label is not None and not isinstance(label, str):
            yield position, None, "The label of an option is a text."
        elif str(value) in seen:  # 1 and "1" too: a page shows them alike
            yield position, None, f"The option {value!r} is given twice."
        else:
            seen.add(str(value))
            yield position, {"value": value, "label": in_words(str(value)) if label is None else label}, ""


def in_words(name: str) -> str:
    """Returns a name as a person reads it: `customer_id` as `Customer id`."""
    words = name.replace("_", " ").strip() or name
    return words[:1].upper() + words[1:]
