"""The people, groups and files that an answer names: found, so that a room can say which they are, and told by id."""

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


def files_in(schema: Mapping[str, Any], data: Any) -> set[str]:
    """Returns the ids of the files that `data` names in a form's file fields."""
    return {
        file["attachment_id"]
        for kind, value in _values(schema, data, frozenset({"file"}))
        for file in value
        if isinstance(file, dict) and isinstance(file.get("attachment_id"), str)
    }


def with_files(schema: Mapping[str, Any], data: Any, files: Mapping[str, Mapping[str, Any]]) -> Any:
    """Returns `data` with each file that a file field names as `files` has it, by its id; others stay as they are."""
    kind = schema.get(_HINTS, {}).get("type")
    if kind == "file" and isinstance(data, list):
        return [_known(each, files) for each in data]
    if isinstance(data, dict) and (kind in (None, "group")):
        fields = schema.get("properties", {})
        return {name: with_files(fields.get(name, {}), value, files) for name, value in data.items()}
    if isinstance(data, list) and kind == "table":
        return [with_files(schema["items"], row, files) for row in data]
    return data


def _known(file: Any, files: Mapping[str, Mapping[str, Any]]) -> Any:
    named = file.get("attachment_id") if isinstance(file, dict) else None
    return dict(files[named]) if isinstance(named, str) and named in files else file


def _values(schema: Mapping[str, Any], data: Any, kinds: frozenset[str] = PICKERS) -> Iterator[tuple[str, Any]]:
    kind = schema.get(_HINTS, {}).get("type")
    if kind in kinds and isinstance(data, list if kind == "file" else str):
        yield str(kind), data
    elif isinstance(data, dict) and kind in (None, "group"):
        for name, inner in schema.get("properties", {}).items():
            yield from _values(inner, data.get(name), kinds)
    elif isinstance(data, list) and kind == "table":
        for row in data:
            yield from _values(schema["items"], row, kinds)
