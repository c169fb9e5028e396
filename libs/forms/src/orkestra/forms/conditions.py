"""Conditions: data, no code. `{"field": "decision", "equals": "reject"}`, combined by all, any and not."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from orkestra.forms.json_values import same
from orkestra.forms.problems import Problem, join

COMPARISONS: Final = ("equals", "in", "gt", "lt", "empty")


def holds(condition: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether a checked condition is true of the values of visible fields; an absent field is empty."""
    match condition:
        case {"all": parts}:
            return all(holds(part, values) for part in parts)
        case {"any": parts}:
            return any(holds(part, values) for part in parts)
        case {"not": part}:
            return not holds(part, values)
    return _compares(condition, values)


def _compares(condition: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    value = values.get(condition["field"])
    if "empty" in condition:
        return is_empty(value) is condition["empty"]
    if "in" in condition:
        return any(same(value, each) for each in condition["in"])
    comparison = "equals" if "equals" in condition else "gt" if "gt" in condition else "lt"
    operand = condition[comparison]
    other = values.get(operand["field"]) if isinstance(operand, dict) else operand
    if comparison == "equals":
        return same(value, other)
    return _is_less(other, value) if comparison == "gt" else _is_less(value, other)


def is_empty(value: Any) -> bool:
    """Whether nothing was given: absent, null, empty text, an empty list or object."""
    return value is None or value in ("", [], {})


def _is_less(a: Any, b: Any) -> bool:
    if isinstance(a, bool) or isinstance(b, bool):
        return False
    if isinstance(a, int | float) and isinstance(b, int | float):
        return a < b
    if isinstance(a, str) and isinstance(b, str):
        moments = _moment(a), _moment(b)
        if moments[0] and moments[1]:
            return moments[0] < moments[1]
        return a < b
    return False


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def named_fields(condition: Any) -> Iterator[str]:
    """Names every field that a checked condition looks at."""
    match condition:
        case {"all": list(parts)} | {"any": list(parts)}:
            for part in parts:
                yield from named_fields(part)
        case {"not": part}:
            yield from named_fields(part)
        case {"field": str(name), **comparison}:
            yield name
            for operand in comparison.values():
                if isinstance(operand, dict):
                    yield operand["field"]


def comparisons(condition: Any) -> int:
    """Returns how many comparisons a condition makes at most; of one that is none, 0."""
    match condition:
        case {"all": list(parts)} | {"any": list(parts)}:
            return sum(map(comparisons, parts))
        case {"not": part}:
            return comparisons(part)
        case {"in": list(values)}:
            return len(values)
        case dict():
            return 1
    return 0


def check_condition(condition: Any, path: str, fields: Mapping[str, Any]) -> Iterator[Problem]:
    """Yields what is wrong with a condition over `fields`; nothing where it is right."""
    match condition:
        case {"all": list(parts), **rest} | {"any": list(parts), **rest} if not rest and parts:
            word = next(iter(condition))
            for position, part in enumerate(parts):
                yield from check_condition(part, join(join(path, word), position), fields)
        case {"not": part, **rest} if not rest:
            yield from check_condition(part, join(path, "not"), fields)
        case {"field": str(name), **comparison} if len(comparison) == 1:
            if name not in fields:
                yield _unknown(name, join(path, "field"))
            word, operand = next(iter(comparison.items()))
            yield from _check_comparison(str(word), operand, path, fields)
        case _:
            yield Problem(
                path,
                "condition_invalid",
                "A condition names a field and one of equals, in, gt, lt or empty, or combines conditions by all, any "
                'or not, such as {"field": "decision", "equals": "reject"}.',
            )


def _check_comparison(word: str, operand: Any, path: str, fields: Mapping[str, Any]) -> Iterator[Problem]:
    place = join(path, word)
    match word, operand:
        case "equals" | "gt" | "lt", {"field": str(name), **rest} if not rest:
            if name not in fields:
                yield _unknown(name, join(place, "field"))
        case "equals", str() | int() | float() | None:
            return
        case "gt" | "lt", str() | int() | float() if not isinstance(operand, bool):
            return
        case "in", list(values) if values and not any(isinstance(value, list | dict) for value in values):
            return
        case "empty", bool():
            return
        case _ if word in COMPARISONS:
            yield Problem(place, "condition_invalid", f"{word} does not take {operand!r}.")
        case _:
            yield Problem(place, "condition_invalid", f"There is no comparison {word}; use equals, in, gt, lt, empty.")


def _unknown(name: str, path: str) -> Problem:
    return Problem(path, "unknown_field", f"There is no field {name} beside it.")


def cycle(fields: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Returns the names of fields whose visibility depends on itself, in order, or nothing."""
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done or name not in fields:
            return []
        for other in named_fields(fields[name].get("visible_when")):
            found = walk(other, [*trail, name])
            if found:
                return found
        done.add(name)
        return []

    for name in fields:
        found = walk(name, [])
        if found:
            return found
    return []
