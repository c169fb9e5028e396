"""Checks an answer against its form and returns it cleaned, or every error at once."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from orkestra.forms.conditions import holds, is_empty, named_fields
from orkestra.forms.field_types import FIELD_TYPES, PICKERS
from orkestra.forms.findings import MAX_FINDINGS, Findings
from orkestra.forms.json_values import not_json, same
from orkestra.forms.messages import text
from orkestra.forms.problems import Invalid, Problem, join, path_of

HINTS: Final = "x-orkestra"


def validate(
    schema: Mapping[str, Any],
    data: Any,
    outcome: str | None = None,
    *,
    locale: str = "en",
    strangers: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Returns `data` as it is kept: hidden fields and nulls dropped, defaults put in, in the order of the form.

    `schema` is what `check` returned. A missing field takes its default, null says that nothing is given. Raises
    Invalid with every error (of the fields the first 200); an error about the outcome has the path `outcome`, which no
    path of a field equals when the caller puts `data` in front of those. `strangers` are ids that a picker of people or
    groups, or a file field, may not hold.
    """
    problems = not_json(data, locale)
    if problems:
        raise Invalid(problems)
    problems = list(_check_outcome(schema, outcome, locale))
    if not isinstance(data, dict):
        raise Invalid([*problems, Problem("", "wrong_type", text("wrong_type", locale, "object"))])
    require = _required_by(schema, outcome)
    level = Level(locale, strangers)
    cleaned = level.clean(schema, data, "", require)
    problems += level.problems[:MAX_FINDINGS]
    if not level.problems:
        problems += _broken_rules(schema, cleaned, locale)
    if problems:
        raise Invalid(problems)
    return cleaned


def outcomes_of(schema: Mapping[str, Any]) -> list[str]:
    """Returns the keys of a form's outcomes, in order; none where completing has only one meaning."""
    return [outcome["key"] for outcome in schema.get(HINTS, {}).get("outcomes", [])]


def _check_outcome(schema: Mapping[str, Any], outcome: str | None, locale: str) -> Iterator[Problem]:
    keys = outcomes_of(schema)
    if outcome is None and keys:
        yield Problem("outcome", "outcome_required", text("outcome_required", locale, ", ".join(keys)))
    elif outcome is not None and outcome not in keys:
        yield Problem("outcome", "unknown_outcome", text("unknown_outcome", locale))


def _required_by(schema: Mapping[str, Any], outcome: str | None) -> frozenset[str]:
    outcomes = schema.get(HINTS, {}).get("outcomes", [])
    return frozenset(name for each in outcomes if each["key"] == outcome for name in each.get("require", []))


def _broken_rules(schema: Mapping[str, Any], values: Mapping[str, Any], locale: str) -> Iterator[Problem]:
    hint = schema.get(HINTS, {})
    words = translated(hint, "$rules", locale)
    for position, rule in enumerate(hint.get("rules", [])):
        if not holds(rule["check"], values):
            yield Problem(rule.get("field", ""), "rule_broken", words[position] if words else rule["message"])


def translated(hint: Mapping[str, Any], name: str, locale: str) -> Any:
    """Returns a form's words in a language for a field, `$outcomes` or `$rules`; None where it has none."""
    locales = hint.get("locales", {})
    texts = locales.get(locale) or locales.get(locale.replace("_", "-").split("-")[0]) or {}
    return texts.get(name)


class Level:
    """Cleans the fields of one object: the form itself, a group, or a row of a table."""

    def __init__(self, locale: str, strangers: frozenset[str] = frozenset()) -> None:
        self._locale = locale
        self._strangers = strangers
        self._findings = Findings()
        self.problems: list[Problem] = []

    def clean(
        self, schema: Mapping[str, Any], data: Mapping[str, Any], path: str, require: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        """Returns the kept values of one object."""
        properties: Mapping[str, Any] = schema["properties"]
        for name in data:
            if name not in properties:
                self._refuse(join(path, name), "unknown_field")
        values = visible_values(properties, data)
        require = require | required_names(schema, values)
        cleaned = {}
        for name, inner in properties.items():
            hint, place = inner.get(HINTS, {}), join(path, name)
            if FIELD_TYPES[hint["type"]].display:
                if data.get(name) is not None:
                    self._refuse(place, "read_only")
                continue
            if name not in values:
                continue
            value = values[name]
            if is_empty(value) and name in require:
                self._refuse(place, "required")
            elif value is not None:
                cleaned[name] = self.check(inner, value, place)
        return cleaned

    def check(self, schema: Mapping[str, Any], value: Any, path: str) -> Any:
        """Returns the kept value of one field."""
        hint = schema[HINTS]
        if schema.get("readOnly") and not same(value, schema.get("default")):
            self._refuse(path, "read_only")
        if hint["type"] == "group" and isinstance(value, dict):
            return self.clean(schema, value, path)
        if hint["type"] == "table" and _are_rows(schema, value):
            rows = [self.clean(schema["items"], row, join(path, at)) for at, row in enumerate(value)]
            self._has_rows(schema, rows, path)
            return rows
        if hint["type"] == "integer" and isinstance(value, float) and value.is_integer():
            value = int(value)
        if hint["type"] in PICKERS and isinstance(value, str) and value in self._strangers:
            self._refuse(path, f"unknown_{'user' if hint['type'] == 'user' else 'group'}")
            return value
        if hint["type"] == "file" and isinstance(value, list) and self._has_strange_files(value, path):
            return value
        self._fits(schema, value, path)
        return value

    def _has_strange_files(self, files: list[Any], path: str) -> bool:
        """Whether any of the files is not there; each that is not is refused at its place."""
        ids = [file.get("attachment_id") if isinstance(file, dict) else None for file in files]
        strange = [at for at, one in enumerate(ids) if isinstance(one, str) and one in self._strangers]
        for at in strange:
            self._refuse(join(path, at), "unknown_file")
        return bool(strange)

    def _has_rows(self, schema: Mapping[str, Any], rows: list[Any], path: str) -> None:
        least = schema.get("minItems", 0)
        if len(rows) < least:
            self.problems.append(Problem(path, "too_few_items", text("too_few_items", self._locale, least)))

    def _fits(self, schema: Mapping[str, Any], value: Any, path: str) -> None:
        for below, code, limit in self._findings.of(schema, value):
            place = join(path, path_of(below)) if below else path
            self.problems.append(Problem(place, code, text(code, self._locale, limit)))

    def _refuse(self, path: str, code: str) -> None:
        self.problems.append(Problem(path, code, text(code, self._locale)))


def _are_rows(schema: Mapping[str, Any], value: Any) -> bool:
    """Whether each row can be looked at by itself; else the engine says what is wrong with the whole."""
    most = schema.get("maxItems", MAX_FINDINGS)
    return isinstance(value, list) and len(value) <= most and all(isinstance(row, dict) for row in value)


def visible_values(properties: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what is given, or else the default, for every field that is shown."""
    given = {name: data.get(name, inner.get("default")) for name, inner in properties.items()}
    shown: dict[str, bool] = {}

    def is_shown(name: str) -> bool:
        if name not in shown:
            condition = properties[name].get(HINTS, {}).get("visible_when")
            others = {other: given[other] for other in named_fields(condition) if is_shown(other)}
            shown[name] = condition is None or holds(condition, others)
        return shown[name]

    return {name: value for name, value in given.items() if is_shown(name)}


def required_names(schema: Mapping[str, Any], values: Mapping[str, Any]) -> frozenset[str]:
    """Returns the fields that must be given beside the given visible values."""
    return frozenset(schema.get("required", ())) | {
        name for name in values if _is_required(schema["properties"][name].get(HINTS, {}), values)
    }


def _is_required(hint: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    condition = hint.get("required_when")
    return hint.get("required") is True or (condition is not None and holds(condition, values))


def wrong_defaults(properties: Mapping[str, Any], path: str) -> Iterator[tuple[str, str]]:
    """Yields (path of the field, sentence) for each default that its own field would refuse."""
    for name, schema in properties.items():
        if "default" in schema:
            level = Level("en")
            level.check(schema, schema["default"], "")
            for problem in level.problems:
                yield join(path, name), f"The default does not fit: {problem.message}"
