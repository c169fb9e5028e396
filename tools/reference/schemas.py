"""JSON Schemas as people read them: a type in words, an object as a table of its fields."""

from collections.abc import Mapping
from typing import Any

from tools.reference import markdown
from tools.reference.markdown import code

Json = dict[str, Any]

HEADS = ("Field", "Type", "What it is")
BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "more than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} entries",
    "maxItems": "at most {} entries",
}
WIDEST = {2**31 - 1, -(2**31), 2**63 - 1, -(2**63)}
"""Bounds that only say how a number travels."""
WORDS = {"string": "text", "integer": "whole number", "boolean": "true or false", "object": "object", "null": "null"}
FORMATS = {"date-time": "time", "date": "date", "duration": "duration", "uri": "address"}


def fields(schema: Json, definitions: Mapping[str, Json], linked: Mapping[str, str]) -> str:
    """Returns the table of an object's fields; `linked` says by name which definitions have an anchor of their own."""
    required = set(schema.get("required", []))
    rows = []
    for name, field in schema.get("properties", {}).items():
        needed = " **required**" if name in required else ""
        told = [markdown.sentence(field.get("description", "")), default_of(field)]
        about = " ".join(markdown.plain(text) for text in told if text)
        rows.append((code(name) + needed, kind(field, definitions, linked), about))
    return markdown.table(HEADS, rows)


def default_of(field: Json) -> str:
    """Returns a sentence on what is taken where nothing is given."""
    default = field.get("default")
    return (
        ""
        if default in (None, [], {}, "")
        else f"Default: `{str(default).lower() if default in (True, False) else default}`."
    )


def kind(field: Json, definitions: Mapping[str, Json], linked: Mapping[str, str]) -> str:
    """Returns a type in words."""
    if "$ref" in field:
        return _named(str(field["$ref"]).rpartition("/")[2], definitions, linked)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in field:
            kinds = [kind(one, definitions, linked) for one in field[several] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    if "enum" in field or "const" in field:
        return " ".join(code(str(value)) for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"list of {kind(field.get('items', {}), definitions, linked)}"
    return _plain(field)


def _plain(field: Json) -> str:
    named = field.get("type", "any value")
    named = " or ".join(named) if isinstance(named, list) else named
    words = FORMATS.get(field.get("format", ""), WORDS.get(named, named))
    bounds = [
        text.format(field[bound]) for bound, text in BOUNDS.items() if bound in field and field[bound] not in WIDEST
    ]
    return ", ".join([words, *bounds])


def _named(name: str, definitions: Mapping[str, Json], linked: Mapping[str, str]) -> str:
    target = definitions.get(name, {})
    if "enum" in target or "properties" not in target:
        return kind(target, definitions, linked)
    anchor = linked.get(name)
    return f"[{name.removesuffix('Input')}](#{anchor})" if anchor else "object"
