"""Compiles the fields of a form to a JSON Schema in the profile, naming everything that is wrong with them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from orkestra.forms.conditions import check_condition, comparisons, cycle
from orkestra.forms.field_types import (
    COMMON_KEYS,
    FIELD_TYPES,
    GROUP_PICKER,
    KEYWORDS,
    MANY_CHOICES,
    SINGLE_CHOICE,
    TEXT_TYPES,
    FieldType,
)
from orkestra.forms.keys import in_words, options_of, wrong_keys
from orkestra.forms.patterns import MAX_LENGTH
from orkestra.forms.problems import Problem, join

MAX_FIELDS: Final = 200
MAX_PATTERNS: Final = 30
MAX_CELLS: Final = 5000
MAX_ROWS: Final = 200
MAX_COMPARISONS: Final = 50_000
MAX_FILES: Final = 10
HINTS: Final = "x-orkestra"
_NAME: Final = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")
_DISPLAY_KEYS: Final = frozenset({"type", "label", "help", "visible_when"})


@dataclass(slots=True)
class Compiler:
    """Collects problems while it compiles. `by_keyword` names places as they are called in a JSON Schema."""

    context: Mapping[str, Any] | None = None
    by_keyword: bool = False
    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    cells: int = 0
    patterns: set[str] = field(default_factory=set)

    def refuse(self, path: str, code: str, message: str) -> None:
        """Notes a problem."""
        self.problems.append(Problem(path, code, message))

    def place(self, path: str, key: str, kind: FieldType | None = None) -> str:
        """Returns the path of a field's key in the document that the author wrote."""
        if not self.by_keyword:
            return join(path, key)
        is_keyword = key in KEYWORDS and (kind is None or key not in kind.hints)
        return join(path, KEYWORDS[key] if is_keyword else f"{HINTS}.{key}")

    def compile_fields(self, fields: Any, path: str, *, flat: bool = False) -> dict[str, Any]:
        """Returns `properties` and, where there are any, `required` of the given fields."""
        if not isinstance(fields, dict) or not fields:
            self.refuse(path, "fields_missing", "A form has at least one field, each with a name and a type.")
            return {"properties": {}}
        properties = {}
        before = len(self.problems)
        for name, spec in fields.items():
            self.count += 1
            if self.count > MAX_FIELDS:
                if self.count == MAX_FIELDS + 1:
                    self.refuse(path, "too_many_fields", f"A form has at most {MAX_FIELDS} fields.")
                break
            properties[name] = self._field(name, spec, fields, join(path, name), flat=flat)
        if len(self.problems) == before:
            trail = cycle(fields)
            if trail:
                place = self.place(join(path, trail[0]), "visible_when")
                self.refuse(place, "condition_cycle", f"Conditions go round in a circle: {' → '.join(trail)}.")
        required = [name for name, spec in fields.items() if isinstance(spec, dict) and _is_always_required(spec)]
        return {"properties": properties, **({"required": required} if required else {})}

    def _field(self, name: str, spec: Any, siblings: Mapping[str, Any], path: str, *, flat: bool) -> dict[str, Any]:
        if not _NAME.match(name):
            self.refuse(
                path, "name_invalid", "A field's name has letters, digits, _ and -, at most 64, no digit first."
            )
        if not isinstance(spec, dict):
            self.refuse(path, "field_invalid", 'A field is an object such as {"type": "text"}.')
            return {}
        kind = self._type_of(spec, path, flat=flat)
        if kind is None:
            return {}
        self._check_keys(kind, spec, path)
        for key in ("visible_when", "required_when"):
            if key in spec:
                self.problems.extend(check_condition(spec[key], self.place(path, key), siblings))
        return self._schema(name, kind, spec, path)

    def _type_of(self, spec: Mapping[str, Any], path: str, *, flat: bool) -> FieldType | None:
        name, place = spec.get("type"), self.place(path, "type")
        if not isinstance(name, str):
            self.refuse(place, "unknown_type", f"A field has a type; there are {', '.join(FIELD_TYPES)}.")
            return None
        if name == "group" and "fields" not in spec:
            name = GROUP_PICKER
        kind = FIELD_TYPES.get(name)
        if kind is None:
            self.refuse(place, "unknown_type", f"There is no field type {name!r}; there are {', '.join(FIELD_TYPES)}.")
            return None
        if flat and name in ("group", "table"):
            self.refuse(place, "table_not_flat", "A table has flat rows: a column is neither a group nor a table.")
            return None
        return kind

    def _check_keys(self, kind: FieldType, spec: Mapping[str, Any], path: str) -> None:
        known = (_DISPLAY_KEYS if kind.display else COMMON_KEYS) | kind.keys | kind.hints
        for key in spec:
            if key not in known:
                place = self.place(path, key, kind)
                self.refuse(place, "unknown_key", f"The field type {kind.name} has no key {key}.")
        for key in sorted(kind.needs - set(spec)):
            self.refuse(self.place(path, key, kind), "missing_key", f"The field type {kind.name} needs the key {key}.")
        keys = {key: value for key, value in spec.items() if key in known}
        if "pattern" in keys and not self._has_room_for(keys["pattern"]):
            del keys["pattern"]
            place = self.place(path, "pattern", kind)
            self.refuse(place, "too_complex", f"A form has at most {MAX_PATTERNS} different patterns.")
        for key, sentence in wrong_keys(kind, keys):
            self.refuse(self.place(path, key, kind), "wrong_value", sentence)

    def _has_room_for(self, pattern: Any) -> bool:
        """Whether there may be one more pattern: each takes time to compile."""
        if isinstance(pattern, str):
            self.patterns.add(pattern)
        return len(self.patterns) <= MAX_PATTERNS

    def _schema(self, name: str, kind: FieldType, spec: Mapping[str, Any], path: str) -> dict[str, Any]:
        label = spec.get("label") or in_words(name or "field")
        words = {KEYWORDS[key]: spec[key] for key in ("help", "default", "readonly") if spec.get(key) is not None}
        rules = {KEYWORDS[key]: spec[key] for key in spec if key in kind.keys}
        hint: dict[str, Any] = {"type": kind.name}
        hint |= {key: spec[key] for key in ("placeholder", "sensitive", "visible_when", "required_when") if key in spec}
        hint |= {key: spec[key] for key in spec if key in kind.hints - {"options", "fields", "columns"}}
        if spec.get("required") is True and not _is_always_required(spec):
            hint["required"] = True
        schema = {"title": label, **words, **kind.schema, **rules}
        if kind.name == "rating":
            schema = {**schema, "minimum": spec.get("min", 1), "maximum": spec.get("max", 5)}
        if "pattern" in spec:
            schema.setdefault("maxLength", MAX_LENGTH)
        if kind.name == "file":
            schema.setdefault("maxItems", MAX_FILES)
        if spec.get("required") is True:
            _refuse_empty(kind, schema)
        if kind.name in SINGLE_CHOICE | MANY_CHOICES:
            self._add_options(kind, spec, schema, hint, path)
        if kind.name == "group":
            schema |= self.compile_fields(spec["fields"], self._inside(path, "fields"))
        if kind.name == "table" and "columns" in spec:
            row = self.compile_fields(spec["columns"], self._inside(path, "columns"), flat=True)
            schema["items"] = {"type": "object", **row, "additionalProperties": False}
            self._bound_rows(kind, spec["columns"], schema, path)
        return {**schema, HINTS: hint}

    def _bound_rows(self, kind: FieldType, columns: Any, schema: dict[str, Any], path: str) -> None:
        """Gives a table a highest number of rows, so that an answer is checked and shown in bounded time."""
        specs = [spec for spec in columns.values() if isinstance(spec, dict)] if isinstance(columns, dict) else []
        width = len(specs) or 1
        rows = schema.setdefault("maxItems", max(1, min(MAX_ROWS, MAX_CELLS // width)))
        if not isinstance(rows, int):
            return
        self.cells += rows * width
        compared = sum(comparisons(spec.get(key)) for spec in specs for key in ("visible_when", "required_when"))
        if self.cells > MAX_CELLS or rows * compared > MAX_COMPARISONS:
            what = f"{MAX_CELLS} cells, rows times columns, and {MAX_COMPARISONS} comparisons, rows times conditions"
            sentence = f"The tables of a form have at most {what}; say fewer rows in max_items."
            self.refuse(self.place(path, "max_items", kind), "too_complex", sentence)

    def _inside(self, path: str, key: str) -> str:
        if not self.by_keyword:
            return join(path, key)
        return join(path, "properties" if key == "fields" else "items.properties")

    def _add_options(
        self, kind: FieldType, spec: Mapping[str, Any], schema: dict[str, Any], hint: dict[str, Any], path: str
    ) -> None:
        options, place = spec.get("options"), self.place(path, "options", kind)
        if ("options" in spec) == ("options_from" in spec):
            self.refuse(place, "options_missing", "A choice has either options or options_from.")
            return
        if "options_from" in spec:
            if self.context is None or not isinstance(spec["options_from"], str):
                if kind.name in MANY_CHOICES:
                    schema["items"] = {}
                return
            place = self.place(path, "options_from", kind)
            options = _look_up(self.context, spec["options_from"].split(".")[1:])
            del hint["options_from"]
        if not isinstance(options, list) or not options:
            self.refuse(place, "options_missing", _no_options(spec.get("options_from")))
            return
        kept = self._options(options, place)
        hint["options"] = kept
        choice = {"enum": [option["value"] for option in kept]}
        if kept:
            schema |= {"items": choice} if kind.name in MANY_CHOICES else choice

    def _options(self, options: list[Any], place: str) -> list[dict[str, Any]]:
        kept = []
        for position, option, sentence in options_of(options):
            if option is None:
                code = "duplicate_option" if "twice" in sentence else "option_invalid"
                self.refuse(join(place, position), code, sentence)
            else:
                kept.append(option)
        return kept


def _no_options(source: str | None) -> str:
    if source is None:
        return "Options are a list with at least one entry."
    return f"The context has no list of options at {source}."


def _is_always_required(spec: Mapping[str, Any]) -> bool:
    return spec.get("required") is True and "visible_when" not in spec


def _refuse_empty(kind: FieldType, schema: dict[str, Any]) -> None:
    is_list = kind.schema.get("type") == "array"
    word = "minLength" if kind.name in TEXT_TYPES else "minItems" if is_list else ""
    if word and isinstance(schema.get(word, 0), int):
        schema[word] = max(1, schema.get(word, 0))


def _look_up(context: Mapping[str, Any], names: Iterable[str]) -> Any:
    value: Any = context
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
