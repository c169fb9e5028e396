"""A form as a page shows it: fields with values, choices, errors and the agent's proposals, ready for the template."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from orkestra.wire import dumps

HINTS = "x-orkestra"
DISPLAY = frozenset({"heading", "note", "image", "link", "data", "diff"})
EMPTY_ROWS = 1
MOST_ROWS = 200


@dataclass(frozen=True)
class Option:
    """One choice."""

    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field of a page's form. `name` is its name in the form that is posted, such as data.rows.0.amount."""

    kind: str
    name: str
    label: str
    help: str | None
    required: bool
    readonly: bool
    schema: Mapping[str, Any]
    hint: Mapping[str, Any]
    text: str = ""
    """What an input shows."""
    value: Any = None
    options: Sequence[Option] = ()
    fields: Sequence["Field"] = ()
    rows: Sequence[Sequence["Field"]] = ()
    blank: Sequence["Field"] = ()
    """A row to add."""
    error: str | None = None
    proposed: bool = False
    """Whether an agent proposed a value."""
    confidence: float | None = None

    @property
    def id(self) -> str:
        return f"f-{self.name.replace('.', '-')}"


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a form is shown with."""

    values: Mapping[str, Any]
    errors: Mapping[str, str]
    """By path with dots only, such as data.rows.0.amount."""
    proposals: Mapping[str, Any]
    zone: ZoneInfo
    language: str = "en"


def fields_of(schema: Mapping[str, Any], given: Given) -> list[Field]:
    """Returns the fields of a form in its order."""
    return _level(schema, given.values, "data", given)


def outcomes(schema: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    """Returns the form's ways to complete, labelled in the person's language."""
    hint = schema.get(HINTS, {})
    words = _texts(hint, language).get("$outcomes", {})
    return [{**each, "label": words.get(each["key"], each["label"])} for each in hint.get("outcomes", [])]


def start_values(
    schema: Mapping[str, Any], saved: Mapping[str, Any] | None, draft: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Returns what a form begins with: what the person saved, else what the agent proposes, else its defaults."""
    values = {name: inner["default"] for name, inner in schema["properties"].items() if "default" in inner}
    for name, proposal in (draft or {}).items():
        if name in schema["properties"] and isinstance(proposal, Mapping) and "value" in proposal:
            values[name] = proposal["value"]
    return values | dict(saved or {})


def answer_facts(schema: Mapping[str, Any], result: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns an answer as label and text."""
    properties = schema.get("properties", {})
    return [(properties.get(name, {}).get("title", name), _readable(value)) for name, value in result.items()]


def facts(data: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """Returns the entries of a JSON object as name and text."""
    return [(name.replace("_", " "), _readable(value)) for name, value in (data or {}).items()]


def dotted(path: str) -> str:
    """Returns an error's path as names of inputs have it: data.rows[2].amount is data.rows.2.amount."""
    return path.replace("[", ".").replace("]", "")


def _level(schema: Mapping[str, Any], values: Mapping[str, Any], path: str, given: Given) -> list[Field]:
    required = frozenset(schema.get("required", ()))
    texts = _texts(schema.get(HINTS, {}), given.language)
    return [
        _field(inner, values.get(name), f"{path}.{name}", given, required=name in required, words=texts.get(name, {}))
        for name, inner in schema["properties"].items()
    ]


def _texts(hint: Mapping[str, Any], language: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = hint.get("locales", {}).get(language, {})
    return found


def _field(
    schema: Mapping[str, Any],
    value: Any,
    name: str,
    given: Given,
    *,
    required: bool,
    words: Mapping[str, Any],
) -> Field:
    hint = schema[HINTS]
    kind = hint["type"]
    proposal = given.proposals.get(name.removeprefix("data."))
    inner: dict[str, Any] = {}
    if kind == "group":
        inner["fields"] = _level(schema, value if isinstance(value, Mapping) else {}, name, given)
    elif kind == "table":
        inner |= _rows(schema, value, name, given)
    elif kind in ("select", "radio", "multiselect", "checkboxes"):
        inner["options"] = _options(schema, value, words.get("options", {}))
    return Field(
        kind=kind,
        name=name,
        label=words.get("label", schema["title"]),
        help=words.get("help", schema.get("description")),
        required=required or hint.get("required") is True,
        readonly=bool(schema.get("readOnly")),
        schema=schema,
        hint={**hint, **{key: words[key] for key in ("placeholder",) if key in words}},
        text=_input_text(kind, value, given.zone),
        value=value,
        error=given.errors.get(name),
        proposed=isinstance(proposal, Mapping),
        confidence=proposal.get("confidence") if isinstance(proposal, Mapping) else None,
        **inner,
    )


def _rows(schema: Mapping[str, Any], value: Any, name: str, given: Given) -> dict[str, Any]:
    rows = [row if isinstance(row, Mapping) else {} for row in value] if isinstance(value, list) else []
    least = max(schema.get("minItems", 0), EMPTY_ROWS) if not rows else schema.get("minItems", 0)
    rows = (rows + [{}] * (least - len(rows)))[:MOST_ROWS]
    item = schema["items"]
    return {
        "rows": [_level(item, row, f"{name}.{at}", given) for at, row in enumerate(rows)],
        "blank": _level(item, {}, f"{name}.__row__", given),
    }


def _options(schema: Mapping[str, Any], value: Any, words: Mapping[str, Any]) -> list[Option]:
    choice = schema.get("items", schema)
    many = value if isinstance(value, list) else [value]
    chosen = {str(each) for each in many if each is not None}
    found = []
    for each in choice.get("oneOf", [{"const": value} for value in choice.get("enum", [])]):
        text = str(each["const"])
        found.append(Option(text, words.get(text, each.get("title", text)), text in chosen))
    return found


def _input_text(kind: str, value: Any, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if kind == "json":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    if kind == "datetime" and isinstance(value, str):
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        return (at.astimezone(zone) if at.tzinfo else at).replace(tzinfo=None).isoformat(timespec="minutes")
    return value if isinstance(value, str) else dumps(value) if isinstance(value, bool | int | float) else ""


def _readable(value: Any) -> str:  # noqa: PLR0911  one return for each kind
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
