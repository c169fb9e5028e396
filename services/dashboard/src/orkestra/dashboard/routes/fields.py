"""A form as a page shows it: fields with values, choices, errors and the agent's proposals, ready for the template."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from orkestra.dashboard.routes.kinds import HINTS, MOST_ROWS, Unread, moment_text, size_text
from orkestra.dashboard.routes.reading import facts, sheet
from orkestra.forms import required_names, visible_values
from orkestra.v1.task import Attachment
from orkestra.wire import dumps

EMPTY_ROWS = 1
CHOICES = frozenset({"select", "radio", "multiselect", "checkboxes"})


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
    hidden: bool = False
    """Whether a condition hides it now."""
    proposed: bool = False
    """Whether an agent proposed a value."""
    confidence: float | None = None

    @property
    def id(self) -> str:
        return f"f-{self.name.replace('.', '-')}"

    @property
    def anchor(self) -> str:
        """Where a link to the field leads: its first input, or all of it."""
        return f"{self.id}-set" if self.kind in ("group", "table") else self.id

    @property
    def facts(self) -> Sequence[tuple[str, str]]:
        return facts(self.hint["value"])

    @property
    def columns(self) -> Sequence[str]:
        return sheet(self.hint["value"])[0]

    @property
    def cells(self) -> Sequence[Sequence[str]]:
        return sheet(self.hint["value"])[1]


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a form is shown with."""

    values: Mapping[str, Any]
    errors: Mapping[str, str]
    """By path with dots only, such as data.rows.0.amount."""
    proposals: Mapping[str, Any]
    zone: ZoneInfo
    language: str = "en"
    files: Sequence[Attachment] = ()
    """Those of the task."""
    pickable: Mapping[str, Sequence[Option]] = field(default_factory=dict)
    """Who can be picked, by kind of picker; nothing where they are too many to list."""


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


def _level(schema: Mapping[str, Any], values: Mapping[str, Any], path: str, given: Given) -> list[Field]:
    texts = _texts(schema.get(HINTS, {}), given.language)
    shown = visible_values(schema["properties"], values)
    required = required_names(schema, shown)
    fields = [
        _field(inner, values.get(name), f"{path}.{name}", given, required=name in required, words=texts.get(name, {}))
        for name, inner in schema["properties"].items()
    ]
    return [
        each if name in shown else replace(each, hidden=True)
        for name, each in zip(schema["properties"], fields, strict=True)
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
    if kind == "boolean" and value is None:
        value = schema.get("default")
    proposal = given.proposals.get(name.removeprefix("data."))
    inner: dict[str, Any] = {}
    if kind == "group":
        inner["fields"] = _level(schema, value if isinstance(value, Mapping) else {}, name, given)
    elif kind == "table":
        inner |= _rows(schema, value, name, given)
    elif kind == "file":
        inner["options"] = list(_files(value, name.removeprefix("data."), given.files))
    elif kind in CHOICES:
        inner["options"] = _options(hint.get("options", ()), value, words.get("options", {}))
    elif kind in given.pickable:
        inner["options"] = _pickable(given.pickable[kind], value)
    return Field(
        kind=kind,
        name=name,
        label=words.get("label", schema["title"]),
        help=words.get("help", schema.get("description")),
        required=required,
        readonly=bool(schema.get("readOnly")),
        schema=schema,
        hint=hint | _placeholder(schema, name, words, given.zone),
        text=_input_text(kind, value, given.zone),
        value=value,
        error=_error(kind, name, given.errors),
        proposed=isinstance(proposal, Mapping),
        confidence=proposal.get("confidence") if isinstance(proposal, Mapping) else None,
        **inner,
    )


def _placeholder(schema: Mapping[str, Any], name: str, words: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Within a group or a row a default is not yet there: it is told, and comes with the answer."""
    if "placeholder" in words:
        return {"placeholder": words["placeholder"]}
    text = _input_text(schema[HINTS]["type"], schema.get("default"), zone) if name.count(".") > 1 else ""
    return {"placeholder": text} if text else {}


def _error(kind: str, name: str, errors: Mapping[str, str]) -> str | None:
    """Returns what is wrong with a field; what is wrong with a part of it belongs to it, unless that is a field too."""
    inside = () if kind in ("group", "table") else (each for each in errors if each.startswith(f"{name}."))
    return " ".join(dict.fromkeys(errors[each] for each in (name, *inside) if each in errors)) or None


def _rows(schema: Mapping[str, Any], value: Any, name: str, given: Given) -> dict[str, Any]:
    rows = [row if isinstance(row, Mapping) else {} for row in value] if isinstance(value, list) else []
    least = max(schema.get("minItems", 0), EMPTY_ROWS) if not rows else schema.get("minItems", 0)
    rows = (rows + [{}] * (least - len(rows)))[:MOST_ROWS]
    item = schema["items"]
    return {
        "rows": [_level(item, row, f"{name}.{at}", given) for at, row in enumerate(rows)],
        "blank": _level(item, {}, f"{name}.__row__", given),
    }


def fields_of_kind(fields: Sequence[Field], kind: str) -> list[Field]:
    """Returns the fields of one kind, those within groups and rows, and of rows to add, included."""
    found = []
    for each in fields:
        inside = [*each.fields, *(inner for row in each.rows for inner in row), *each.blank]
        found += [each] * (each.kind == kind) + fields_of_kind(inside, kind)
    return found


def _files(value: Any, name: str, files: Sequence[Attachment]) -> Iterator[Option]:
    """Yields the files that an answer names, and those of the task that were sent for the field."""
    named = [each.get("attachment_id") for each in value or () if isinstance(each, Mapping)]
    for file in files:
        if file.attachment_id in named or file.field == name:
            label = f"{file.name} ({size_text(file.size)})"
            yield Option(file.attachment_id, label, file.attachment_id in named)


def _pickable(options: Sequence[Option], value: Any) -> list[Option]:
    """Returns whom a picker offers; who was picked before stays, even if nobody else may be picked like that."""
    kept = (
        [] if value is None or any(each.value == value for each in options) else [Option(str(value), str(value), True)]
    )
    return [*kept, *(replace(each, chosen=each.value == value) for each in options)]


def _options(options: Sequence[Mapping[str, Any]], value: Any, words: Mapping[str, Any]) -> list[Option]:
    many = value if isinstance(value, list) else [value]
    chosen = {str(each) for each in many if each is not None}
    texts = [str(each["value"]) for each in options]
    labels = [str(each["label"]) for each in options]
    return [Option(text, words.get(text, label), text in chosen) for text, label in zip(texts, labels, strict=True)]


def _input_text(kind: str, value: Any, zone: ZoneInfo) -> str:
    if value is None:
        return ""
    if kind == "json":
        return value if _is_half_typed(value) else json.dumps(value, ensure_ascii=False, indent=2)
    if kind == "datetime" and isinstance(value, str):
        return moment_text(value, zone)
    return value if isinstance(value, str) else dumps(value) if isinstance(value, bool | int | float) else ""


def _is_half_typed(value: Any) -> bool:
    """Whether a value is text that somebody had not finished as JSON; a kept draft has it as a string."""
    return isinstance(value, Unread) or (isinstance(value, str) and value.lstrip()[:1] in ("{", "["))
