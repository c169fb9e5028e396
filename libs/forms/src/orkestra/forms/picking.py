"""The people and groups that an answer picks: found, so that a room can say who they are, and named by id."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orkestra.forms.field_types import GROUP_PICKER, PICKERS

_HINTS = "x-orkestra"


def picked(schema: Mapping[str, Any], data: Any) -> tuple[set[str], set[str]]:
    """Returns the people (by user id or e-mail address) and the groups that `data` picks in a form's pickers."""
    people: set[str] = set()
    groups: set[str] = set()
    for kind, value in _values(schema, data):
        (groups if kind == GROUP_PICKER else people).add(value)
    return people, groups


def with_ids(schema: Mapping[str, Any], data: Any, id_of: Callable[[str], str]) -> Any:
    """Returns `data` with `id_of` of each person that a picker holds."""
    kind = schema.get(_HINTS, {}).get("type")
    if kind == "user" and isinstance(data, str):
        return id_of(data)
    if isinstance(data, dict) and (kind in (None, "group")):
        fields = schema.get("properties", {})
        return {name: with_ids(fields.get(name, {}), value, id_of) for name, value in data.items()}
    if isinstance(data, list) and kind == "table":
        return [with_ids(schema["items"], row, id_of) for row in data]
    return data


def _values(schema: Mapping[str, Any], data: Any) -> Iterator[tuple[str, str]]:
    kind = schema.get(_HINTS, {}).get("type")
    if kind in PICKERS and isinstance(data, str):
        yield str(kind), data
    elif isinstance(data, dict) and kind in (None, "group"):
        for name, inner in schema.get("properties", {}).items():
            yield from _values(inner, data.get(name))
    elif isinstance(data, list) and kind == "table":
        for row in data:
            yield from _values(schema["items"], row)
