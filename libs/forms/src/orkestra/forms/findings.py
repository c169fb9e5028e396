"""What is wrong with a value: the engine's errors in our codes, and what JSON Schema has no word for."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import jsonschema_rs
from orkestra.forms.engine import engine
from orkestra.forms.field_types import FIELD_TYPES
from orkestra.forms.patterns import steps
from orkestra.forms.values import Finding, beyond_schema

_HINTS: Final = "x-orkestra"
_AS_JSON: Final[Mapping[str, str]] = {"None": "null", "True": "true", "False": "false"}
_CODES: Final[Mapping[str, str]] = {
    "type": "wrong_type",
    "enum": "not_an_option",
    "const": "not_an_option",
    "minLength": "too_short",
    "maxLength": "too_long",
    "pattern": "pattern_mismatch",
    "minimum": "too_small",
    "maximum": "too_large",
    "multipleOf": "not_a_step",
    "minItems": "too_few_items",
    "maxItems": "too_many_items",
    "uniqueItems": "duplicate_item",
}
_FORMATS: Final[Mapping[str, str]] = {
    "email": "not_an_email",
    "uri": "not_a_url",
    "date": "not_a_date",
    "date-time": "not_a_datetime",
}
_BY_NAME: Final[Mapping[str, str]] = {
    "required": "required",
    "additionalProperties": "unknown_field",
    "unevaluatedProperties": "unknown_field",
}
MAX_FINDINGS: Final = 200
SPARE_ITEMS: Final = 100
MAX_TOTAL_WORK: Final = 5_000_000
"""Steps of all patterns times characters of their texts, in one answer."""


class Findings:
    """Looks at the values of one answer. Each field's schema is compiled once, and patterns have a limit together."""

    def __init__(self) -> None:
        self._engines: dict[int, jsonschema_rs.Draft202012Validator] = {}
        self._work = 0

    def of(self, schema: Mapping[str, Any], value: Any) -> list[Finding]:
        """Returns everything that is wrong with the value of one field, whose schema is `schema`."""
        hint = schema[_HINTS]
        too_long = self._too_long(schema, value)
        if too_long is not None:
            return [too_long]
        compiled = self._engines.get(id(schema))
        if compiled is None:
            compiled = self._engines[id(schema)] = engine(schema)
        found = list(
            islice(engine_findings(compiled.iter_errors(value), FIELD_TYPES[hint["type"]].words), MAX_FINDINGS)
        )
        return found or list(beyond_schema(hint["type"], hint, value))

    def _too_long(self, schema: Mapping[str, Any], value: Any) -> Finding | None:
        """Refuses first what would take long to look at: a text for its pattern, a list for its options."""
        if isinstance(value, str) and "maxLength" in schema:
            if len(value) > schema["maxLength"]:
                return (), "too_long", str(schema["maxLength"])
            self._work += steps(schema["pattern"]) * len(value) if "pattern" in schema else 0
            return ((), "too_complex", "") if self._work > MAX_TOTAL_WORK else None
        if isinstance(value, list) and schema.get("type") == "array":
            options = schema["items"].get("enum", ()) if "items" in schema else ()
            most = schema.get("maxItems", len(options) or SPARE_ITEMS)
            return ((), "too_many_items", str(most)) if len(value) > most + SPARE_ITEMS else None
        return None


def engine_findings(
    errors: Iterable[jsonschema_rs.ValidationError], words: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """Yields the engine's errors in our codes; `words` gives codes of a field type's own for single keywords."""
    for error in errors:
        yield from _finding(error, words or {})


def _finding(error: jsonschema_rs.ValidationError, words: Mapping[str, str]) -> Iterator[Finding]:
    path, keyword, limit = tuple(error.instance_path), error.kind.name, error.kind.value
    if keyword in words:
        yield path, words[keyword], ""
    elif keyword in _BY_NAME:
        for name in limit if isinstance(limit, list) else [limit]:
            yield (*path, name), _BY_NAME[keyword], ""
    elif keyword == "format":
        code = _FORMATS.get(str(limit))
        yield path, code or "does_not_fit", "" if code else limit
    elif keyword in _CODES:
        yield path, _CODES[keyword], _shown(limit)
    elif isinstance(
        error.kind, jsonschema_rs.ValidationErrorKind.AnyOf | jsonschema_rs.ValidationErrorKind.OneOfNotValid
    ):
        yield from _of_one_branch(error, path, keyword)
    else:
        yield path, "does_not_fit", keyword


def _of_one_branch(
    error: jsonschema_rs.ValidationError, path: tuple[str | int, ...], keyword: str
) -> Iterator[Finding]:
    """Where only one branch has the right type (an optional value, say), its errors are the ones to show."""
    branches = [branch for branch in error.kind.value if not _is_other_type(branch, path)]
    if len(branches) == 1:
        yield from engine_findings(branches[0])
    else:
        yield path, "does_not_fit", keyword


def _is_other_type(branch: list[jsonschema_rs.ValidationError], path: tuple[str | int, ...]) -> bool:
    return any(each.kind.name == "type" and tuple(each.instance_path) == path for each in branch)


def _shown(limit: Any) -> str:
    values = limit if isinstance(limit, list) else [limit]
    shown = ", ".join(_AS_JSON.get(repr(value)) or str(value) for value in values[:20])
    return shown if len(values) <= 20 else f"{shown}, …"
