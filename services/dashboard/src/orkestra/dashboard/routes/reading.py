"""Answers and data as people read them: labels in the place of keys, names in the place of ids."""

from collections.abc import Mapping, Sequence
from typing import Any

from orkestra.dashboard.routes.kinds import HINTS, size_text
from orkestra.wire import dumps


def answer_facts(
    schema: Mapping[str, Any], result: Mapping[str, Any], names: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Returns an answer as label and text: options by their labels, people by their names."""
    properties = schema.get("properties", {})
    return [
        (properties.get(name, {}).get("title", name), readable(_named(value, properties.get(name, {}), names)))
        for name, value in result.items()
    ]


def _named(value: Any, schema: Mapping[str, Any], names: Mapping[str, str]) -> Any:
    """Returns a value with labels and names in the place of what stands for them."""
    hint = schema.get(HINTS, {})
    labels = {str(each["value"]): each["label"] for each in hint.get("options", [])}
    match value:
        case list() if hint.get("type") == "file":
            return [f"{each['name']} ({size_text(each['size'])})" for each in value]
        case list():
            return [_named(each, {HINTS: hint} if labels else schema.get("items", {}), names) for each in value]
        case dict() if "properties" in schema and hint.get("type") in (None, "group"):
            inner = schema["properties"]
            return {
                inner.get(name, {}).get("title", name): _named(each, inner.get(name, {}), names)
                for name, each in value.items()
            }
        case str() if hint.get("type") == "user":
            return names.get(value, value)
    return labels.get(str(value), value)


def facts(data: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Returns the entries of a JSON object as name and text."""
    return [(name.replace("_", " "), readable(value)) for name, value in (data or {}).items()]


def sheet(value: Any) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Returns columns and cells of a list of objects, nothing of anything else."""
    if not isinstance(value, list) or not value or not all(isinstance(row, Mapping) for row in value):
        return (), ()
    columns = list(dict.fromkeys(name for row in value for name in row))
    return [name.replace("_", " ") for name in columns], [
        [readable(row.get(name)) for name in columns] for row in value
    ]


def readable(value: Any) -> str:  # noqa: PLR0911  one return for each kind
    """Returns a JSON value as a person reads it."""
    match value:
        case None:
            return "–"  # noqa: RUF001  a dash for nothing
        case bool():
            return "✓" if value else "✗"
        case str():
            return value
        case {"amount": str() as amount, "currency": str() as currency}:
            return f"{amount} {currency}"
        case {"start": str() as start, "end": str() as end}:
            return f"{start} – {end}"  # noqa: RUF001  a dash between two days
        case list() if all(isinstance(each, str | int) for each in value):
            return ", ".join(str(each) for each in value)
        case dict() | list():
            return _indented(value)
    return dumps(value)


def _indented(value: Any, depth: int = 0) -> str:
    """Returns nested JSON as indented lines, exact numbers and all."""
    space = "  " * depth
    if isinstance(value, Mapping) and value:
        return "\n".join(f"{space}{name}: {_inside(each, depth)}" for name, each in value.items())
    if isinstance(value, list) and value:
        return "\n".join(f"{space}- {_inside(each, depth)}" for each in value)
    return f"{space}{dumps(value)}"


def _inside(value: Any, depth: int) -> str:
    if isinstance(value, Mapping | list) and value:
        return "\n" + _indented(value, depth + 1)
    return value if isinstance(value, str) else dumps(value)
