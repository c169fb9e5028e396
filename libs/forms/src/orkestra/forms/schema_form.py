"""Reads a form that is written as a JSON Schema back into fields."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from orkestra.forms.field_types import FIELD_TYPES, GROUP_PICKER, KEYWORDS, MANY_CHOICES, FieldType
from orkestra.forms.problems import Invalid, Problem, join

HINTS: Final = "x-orkestra"
_ROOT: Final = frozenset(
    {"$schema", "$defs", "definitions", "title", "description", "type", "properties", "required"}
) | {
    "additionalProperties",
    HINTS,
}
_IGNORED: Final = frozenset({"examples", "$comment"})
_STRUCTURE: Final = frozenset(
    {"type", "format", "enum", "const", "oneOf", "anyOf", "items", "properties", "required", "additionalProperties"}
    | {"uniqueItems", "not"}
)
_KEYS: Final = {keyword: key for key, keyword in KEYWORDS.items()}
_BY_FORMAT: Final = {"email": "email", "uri": "url", "date": "date", "time": "time", "date-time": "datetime"}
_BY_TYPE: Final = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}


def is_schema(form: Mapping[str, Any]) -> bool:
    """Whether a form is written as a JSON Schema; a field of the short form is always an object."""
    return form.get("type") == "object" or isinstance(form.get("$schema"), str)


class SchemaReader:
    """Reads one document. Local references are followed; every other is refused."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._read = 0
        self.problems: list[Problem] = []

    def definition(self) -> dict[str, Any]:
        """Returns the form in its long form."""
        document = self._document
        for key in document:
            if key not in _ROOT | _IGNORED:
                self._refuse(key, "unknown_key", f"A form has no keyword {key}; declare fields under properties.")
        if document.get("type", "object") != "object":
            self._refuse("type", "wrong_value", "A form is an object.")
        if document.get("additionalProperties", False) is not False:
            self._refuse("additionalProperties", "wrong_value", "A form takes no fields but its own.")
        hint = document.get(HINTS, {})
        fields = self._fields(document, "", ())
        if not isinstance(hint, dict):
            self._refuse(HINTS, "wrong_value", "x-orkestra is an object.")
            hint = {}
        words = {key: document[key] for key in ("title", "description") if key in document}
        return {**words, **hint, "fields": fields}

    def _refuse(self, path: str, code: str, message: str) -> None:
        self.problems.append(Problem(path, code, message))

    def _fields(self, schema: Mapping[str, Any], path: str, trail: tuple[str, ...]) -> Any:
        properties, required = schema.get("properties"), schema.get("required", [])
        if not isinstance(properties, dict):
            return properties
        if not isinstance(required, list) or not all(isinstance(name, str) and name in properties for name in required):
            self._refuse(join(path, "required"), "wrong_value", "required lists names of properties.")
            required = []
        inside = join(path, "properties")
        return {
            name: self._field(schema, join(inside, name), trail, is_required=name in required)
            for name, schema in properties.items()
        }

    def _field(self, schema: Any, path: str, trail: tuple[str, ...], *, is_required: bool) -> Any:
        self._read += 1
        if self._read > 1000:
            raise Invalid([Problem(path, "too_many_fields", "A form has at most 200 fields.")])
        if not isinstance(schema, dict):
            return schema
        schema, trail = self._resolved(schema, path, trail)
        hint = schema.get(HINTS, {})
        if not isinstance(hint, dict):
            self._refuse(join(path, HINTS), "wrong_value", "x-orkestra is an object.")
            hint = {}
        if isinstance(schema.get("items"), dict):
            schema = {**schema, "items": self._resolved(schema["items"], join(path, "items"), trail)[0]}
        name = hint.get("type", _infer(schema))
        if name == "group" and "properties" not in schema:
            name, hint = GROUP_PICKER, {**hint, "type": GROUP_PICKER}
        kind = FIELD_TYPES.get(name) if isinstance(name, str) else None
        if kind is None:
            return {**hint, "type": name}
        spec = {"type": name, **dict(self._keys(schema, kind, path))}
        if is_required:
            spec["required"] = True
        spec |= self._nested(schema, kind, path, trail)
        return {**spec, **hint}

    def _keys(self, schema: Mapping[str, Any], kind: FieldType, path: str) -> Iterator[tuple[str, Any]]:
        for keyword, value in schema.items():
            key = _KEYS.get(keyword)
            if keyword == HINTS or keyword in _STRUCTURE | _IGNORED or kind.schema.get(keyword) == value:
                continue
            if keyword == "default" and value is None:
                continue
            if key is None:
                self._refuse(
                    join(path, keyword), "unknown_key", f"The field type {kind.name} has no keyword {keyword}."
                )
            elif key not in kind.hints:
                yield key, value

    def _nested(self, schema: Mapping[str, Any], kind: FieldType, path: str, trail: tuple[str, ...]) -> dict[str, Any]:
        match kind.name:
            case "group":
                return {"fields": self._fields(schema, path, trail)}
            case "table":
                row = schema.get("items")
                row, trail = self._resolved(row if isinstance(row, dict) else {}, join(path, "items"), trail)
                return {"columns": self._fields(row, join(path, "items"), trail)}
            case name if "options" in kind.hints and "options_from" not in schema.get(HINTS, {}):
                choice = schema.get("items") if name in MANY_CHOICES else schema
                choice, _ = self._resolved(choice if isinstance(choice, dict) else {}, join(path, "items"), trail)
                options = _options(choice)
                return {} if options is None else {"options": options}
        return {}

    def _resolved(
        self, schema: dict[str, Any], path: str, trail: tuple[str, ...]
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Follows references and drops the null of an optional field, until neither is left."""
        while True:
            reference = schema.get("$ref")
            inner = _without_null(schema)
            if reference is not None:
                found = self._target(reference, path, trail)
                trail = (*trail, str(reference))
                schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}
            elif inner is not None:
                schema = inner
            else:
                return schema, trail

    def _target(self, reference: Any, path: str, trail: tuple[str, ...]) -> dict[str, Any]:
        place = join(path, "$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            self._refuse(place, "ref_leaves_document", "A $ref stays within the document, such as #/$defs/Address.")
            return {}
        if reference in trail:
            self._refuse(place, "ref_cycle", f"References go round in a circle: {' → '.join((*trail, reference))}.")
            return {}
        found = local(self._document, reference)
        if not isinstance(found, dict):
            self._refuse(place, "ref_unknown", f"There is nothing at {reference}.")
            return {}
        return found


def local(document: Any, reference: str) -> Any:
    """Returns what a local reference (`#/$defs/Address`) points to, None where there is nothing."""
    found = document
    for part in reference[2:].split("/"):
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(name)
        elif isinstance(found, list) and name.isdecimal() and len(name) < 6 and int(name) < len(found):
            found = found[int(name)]
        else:
            return None
    return found


def _without_null(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the schema of an optional value (`anyOf` with null, a type list with null, one `allOf`), else None."""
    kinds, choices = schema.get("type"), schema.get("anyOf", schema.get("allOf"))
    if isinstance(kinds, list) and "null" in kinds:
        rest = [kind for kind in kinds if kind != "null"]
        return {**schema, "type": rest[0] if len(rest) == 1 else rest}
    if isinstance(choices, list) and all(isinstance(choice, dict) for choice in choices):
        rest = [choice for choice in choices if choice.get("type") != "null"]
        outer = {key: value for key, value in schema.items() if key not in ("anyOf", "allOf")}
        if len(rest) == 1:
            return {**rest[0], **outer}
        if {choice.get("type") for choice in rest} == {"number", "string"}:  # Pydantic's Decimal
            return {**next(choice for choice in rest if choice["type"] == "number"), **outer}
    return None


def _infer(schema: Mapping[str, Any]) -> Any:
    kind = schema.get("type")
    if _options(schema) is not None:
        return "select"
    if kind == "array":
        items = schema.get("items", {})
        return "table" if isinstance(items, dict) and "properties" in items else "multiselect"
    if kind == "object":
        return "group" if "properties" in schema else "json"
    if kind == "string" and isinstance(schema.get("format"), str):
        return _BY_FORMAT.get(schema["format"], schema["format"])
    if kind is None and not set(schema) & _STRUCTURE:
        return "json"
    return _BY_TYPE.get(kind, kind) if isinstance(kind, str) else kind


def _options(schema: Mapping[str, Any]) -> list[Any] | None:
    if isinstance(schema.get("enum"), list):
        return list(schema["enum"])
    if "const" in schema:
        return [schema["const"]]
    choices = schema.get("oneOf")
    if isinstance(choices, list) and all(isinstance(choice, dict) and "const" in choice for choice in choices):
        return [{"value": each["const"], "label": each.get("title", str(each["const"]))} for each in choices]
    return None
