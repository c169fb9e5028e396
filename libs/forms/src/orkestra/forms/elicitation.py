"""A form as MCP asks for one: flat, of primitive values, without patterns, nesting or files (MCP 2025-11-25)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from orkestra.forms.downgrades import Downgrade, checked_later, left_out, lines_of, needs_page
from orkestra.forms.field_types import CURRENCIES, FIELD_TYPES, MANY_CHOICES, SINGLE_CHOICE
from orkestra.forms.validating import HINTS, translated

_PLAIN: Final[Mapping[str, Mapping[str, Any]]] = {
    "text": {"type": "string"},
    "textarea": {"type": "string"},
    "markdown": {"type": "string"},
    "phone": {"type": "string"},
    "time": {"type": "string"},
    "email": {"type": "string", "format": "email"},
    "url": {"type": "string", "format": "uri"},
    "date": {"type": "string", "format": "date"},
    "datetime": {"type": "string", "format": "date-time"},
    "integer": {"type": "integer"},
    "rating": {"type": "integer"},
    "number": {"type": "number"},
    "slider": {"type": "number"},
    "boolean": {"type": "boolean"},
}
_KEPT: Final = ("minLength", "maxLength", "minimum", "maximum", "default")
_PARTS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "money": {"amount": {"type": "string"}, "currency": {"type": "string", "minLength": 3, "maxLength": 3}},
    "date_range": {"start": _PLAIN["date"], "end": _PLAIN["date"]},
    "signature": {"name": {"type": "string", "minLength": 1, "maxLength": 200}, "attest": {"type": "boolean"}},
}
_LATER: Final[Mapping[str, str]] = {
    "pattern": "The form of the text",
    "multipleOf": "The step",
    "decimals": "The number of decimal places",
    "min": "The lowest value",
    "max": "The highest value",
    "required_when": "Whether it is required",
}


def requested_schema(
    schema: Mapping[str, Any], locale: str = "en"
) -> tuple[dict[str, Any] | None, list[str], list[Downgrade]]:
    """Returns a form's `requestedSchema` (None where it does not fit), the lines to put before it, and what it lost."""
    flat = _Flat(schema, locale)
    flat.read()
    lines, shown = lines_of(schema)
    if any(each.code == "needs_page" for each in flat.downgrades):
        return None, lines, [*flat.downgrades, *shown]
    required = {"required": flat.required} if flat.required else {}
    return {"type": "object", "properties": flat.properties, **required}, lines, [*flat.downgrades, *shown]


def answer_of(schema: Mapping[str, Any], content: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """Returns what was answered to `requested_schema` as data of the form and its outcome, for `validate` to check."""
    data = {}
    for name, inner in schema["properties"].items():
        kind = inner[HINTS]["type"]
        if kind in _PARTS:
            given = {part: content[f"{name}.{part}"] for part in _PARTS[kind] if f"{name}.{part}" in content}
            if any(given.values()):
                data[name] = given
        elif name in content:
            data[name] = _value(inner, content[name])
    outcome = content.get(outcome_name(schema))
    known = {*schema["properties"], outcome_name(schema)} | {
        name for name in content if name.rpartition(".")[0] in data
    }
    return data | {name: content[name] for name in content if name not in known}, outcome


def outcome_name(schema: Mapping[str, Any]) -> str:
    """Returns what the outcome is called among the fields."""
    return "outcome_" if "outcome" in schema["properties"] else "outcome"


@dataclass(slots=True)
class _Flat:
    """Collects the flat properties of a form."""

    form: Mapping[str, Any]
    locale: str
    properties: dict[str, Any] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    downgrades: list[Downgrade] = field(default_factory=list)

    def read(self) -> None:
        """Goes through the fields, the outcomes and the rules."""
        hint = self.form.get(HINTS, {})
        demanded = {name for each in hint.get("outcomes", []) for name in each.get("require", [])}
        for name, inner in self.form["properties"].items():
            if not FIELD_TYPES[inner[HINTS]["type"]].display:
                self._field(name, inner, is_demanded=name in demanded)
        self._outcomes(hint)
        self.downgrades += [checked_later(f"rules[{at}]", "This rule") for at, _ in enumerate(hint.get("rules", []))]

    def _field(self, name: str, inner: Mapping[str, Any], *, is_demanded: bool) -> None:
        hint = inner[HINTS]
        is_required = name in self.form.get("required", ())
        if inner.get("readOnly"):
            self.downgrades.append(left_out(name))
            return
        parts = None if hint.get("sensitive") else self._parts(name, inner)
        if parts is None:
            is_needed = is_required or is_demanded or hint.get("required") or "required_when" in hint
            why = "Sensitive values" if hint.get("sensitive") else f"A {hint['type']}"
            self.downgrades.append(
                needs_page(name, f"{why} cannot be asked for here.") if is_needed else left_out(name)
            )
            return
        self.properties |= parts
        if is_required:
            self.required += parts
        self.downgrades += _lost(name, inner)

    def _parts(self, name: str, inner: Mapping[str, Any]) -> dict[str, Any] | None:
        """Returns the properties that ask for a field, None where there are none."""
        kind = inner[HINTS]["type"]
        words = self._words(name, inner)
        if kind in _PLAIN:
            return {name: {**_PLAIN[kind], **words, **{key: inner[key] for key in _KEPT if key in inner}}}
        if kind in SINGLE_CHOICE | MANY_CHOICES and "options" in inner[HINTS]:
            return {name: {**self._choice(name, inner), **words}}
        if kind not in _PARTS:
            return None
        defaults = inner.get("default") or {}
        return {
            f"{name}.{part}": {
                **_part(inner, part),
                "title": f"{words['title']}: {part}",
                **({"default": defaults[part]} if part in defaults else {}),
            }
            for part in _PARTS[kind]
        }

    def _words(self, name: str, inner: Mapping[str, Any]) -> dict[str, str]:
        words = translated(self.form.get(HINTS, {}), name, self.locale) or {}
        described = words.get("help", inner.get("description"))
        return {"title": words.get("label", inner["title"]), **({"description": described} if described else {})}

    def _choice(self, name: str, inner: Mapping[str, Any]) -> dict[str, Any]:
        words = (translated(self.form.get(HINTS, {}), name, self.locale) or {}).get("options", {})
        options = [
            {"const": str(each["value"]), "title": words.get(str(each["value"]), each["label"])}
            for each in inner[HINTS]["options"]
        ]
        if inner[HINTS]["type"] in SINGLE_CHOICE:
            default = {"default": str(inner["default"])} if "default" in inner else {}
            return {"type": "string", "oneOf": options, **default}
        limits = {key: inner[key] for key in ("minItems", "maxItems") if key in inner}
        chosen = {"default": [str(each) for each in inner["default"]]} if "default" in inner else {}
        return {"type": "array", "items": {"anyOf": options}, **limits, **chosen}

    def _outcomes(self, hint: Mapping[str, Any]) -> None:
        outcomes = hint.get("outcomes", [])
        if not outcomes:
            return
        words = translated(hint, "$outcomes", self.locale) or {}
        options = [{"const": each["key"], "title": words.get(each["key"], each["label"])} for each in outcomes]
        name = outcome_name(self.form)
        self.properties[name] = {"type": "string", "title": "Outcome", "oneOf": options}
        self.required.append(name)
        for at, each in enumerate(outcomes):
            if each.get("require"):
                self.downgrades.append(checked_later(f"outcomes[{at}].require", "What this outcome needs"))


def _part(inner: Mapping[str, Any], part: str) -> dict[str, Any]:
    currencies = inner[HINTS].get("currencies")
    if part == "currency" and currencies:
        return {"type": "string", "oneOf": [{"const": code, "title": code} for code in currencies]}
    return dict(_PARTS[inner[HINTS]["type"]][part])


def _lost(name: str, inner: Mapping[str, Any]) -> Iterator[Downgrade]:
    hint = inner[HINTS]
    kind = hint["type"]
    if kind in _PARTS:
        yield Downgrade(name, "split", "Is asked as several fields.")
    if kind in ("textarea", "markdown"):
        yield Downgrade(name, "plain", "May be shown as one line of plain text.")
    if "placeholder" in hint or (kind in _PARTS and "description" in inner) or "statement" in hint:
        yield Downgrade(name, "unexplained", "A hint to the reader is not shown.")
    if "visible_when" in hint:
        yield Downgrade(name, "always_shown", "Is always shown here; what does not belong to the answer is dropped.")
    if hint.get("required"):
        yield checked_later(name, "Whether it is required")
    for key, rule in _LATER.items():
        if (key in inner or key in hint) or (key == "pattern" and kind in ("phone", "time", "url", "money")):
            yield checked_later(name, rule)
    if kind == "money" and "currencies" not in hint:
        yield checked_later(name, f"That the currency is one of {len(CURRENCIES)}")


def _value(inner: Mapping[str, Any], given: Any) -> Any:
    """Returns the option that stands behind its text; any other value is as it was given."""
    options = {str(each["value"]): each["value"] for each in inner[HINTS].get("options", [])}
    if isinstance(given, list):
        return [options.get(each, each) if isinstance(each, str) else each for each in given]
    return options.get(given, given) if isinstance(given, str) else given
