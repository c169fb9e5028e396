"""The field types of a form: what each is in JSON Schema, and which keys it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

COMMON_KEYS: Final = frozenset(
    {"type", "label", "help", "placeholder", "required", "default", "readonly", "sensitive", "visible_when"}
    | {"required_when"}
)
KEYWORDS: Final[Mapping[str, str]] = {
    "label": "title",
    "help": "description",
    "default": "default",
    "readonly": "readOnly",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
    "min": "minimum",
    "max": "maximum",
    "step": "multipleOf",
    "min_items": "minItems",
    "max_items": "maxItems",
}

_TEXT = frozenset({"min_length", "max_length", "pattern"})
_LENGTH = frozenset({"min_length", "max_length"})
_RANGE = frozenset({"min", "max"})
_CHOICE = frozenset({"options", "options_from"})
_ITEMS = frozenset({"min_items", "max_items"})


@dataclass(frozen=True, slots=True)
class FieldType:
    """One type. `schema` is its fixed part, `hints` are keys of its own that live under x-orkestra."""

    name: str
    schema: Mapping[str, Any]
    keys: frozenset[str] = frozenset()
    hints: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()
    display: bool = False
    words: Mapping[str, str] = field(default_factory=dict)  # keyword of the fixed part -> the code of its errors


_STRING: Mapping[str, Any] = {"type": "string"}
_NOTHING: Mapping[str, Any] = {"not": {}}
_DATE: Mapping[str, Any] = {"type": "string", "format": "date"}
AMOUNT: Final = r"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,8})?$"


GROUP_PICKER: Final = "group_picker"
"""What `group` means where it has no fields of its own: one of the groups of people."""
_FILE: Final[Mapping[str, Any]] = {
    "attachment_id": {"type": "string", "pattern": "^attachment_[0-9a-f]{32}$"},
    "name": {"type": "string", "minLength": 1, "maxLength": 255},
    "media_type": {"type": "string", "maxLength": 255},
    "size": {"type": "integer", "minimum": 0},
}


def _closed(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    required = list(properties)
    return {"type": "object", "properties": dict(properties), "required": required, "additionalProperties": False}


def _shown(name: str, needs: set[str], more: set[str] | None = None) -> FieldType:
    return FieldType(name, _NOTHING, hints=frozenset(needs | (more or set())), needs=frozenset(needs), display=True)


_TYPES = (
    FieldType("text", _STRING, _TEXT),
    FieldType("textarea", _STRING, _TEXT),
    FieldType("markdown", _STRING, _TEXT),
    FieldType("email", {"type": "string", "format": "email"}, _LENGTH),
    FieldType(
        "url",
        {"type": "string", "format": "uri", "pattern": "^https?://"},
        _LENGTH,
        words={"format": "not_a_url", "pattern": "not_a_url"},
    ),
    FieldType(
        "phone",
        {"type": "string", "pattern": r"^\+?[0-9(][0-9 ()./-]{2,30}[0-9]$"},
        _LENGTH,
        words={"pattern": "not_a_phone"},
    ),
    FieldType("integer", {"type": "integer"}, _RANGE | {"step"}),
    FieldType("number", {"type": "number"}, _RANGE | {"step"}, hints=frozenset({"decimals"})),
    FieldType("rating", {"type": "integer"}, _RANGE),
    FieldType("slider", {"type": "number"}, _RANGE | {"step"}, needs=_RANGE),
    FieldType(
        "money",
        _closed({"amount": {"type": "string", "pattern": AMOUNT}, "currency": {"type": "string"}}),
        hints=frozenset({"min", "max", "decimals", "currencies"}),
        words={"pattern": "not_an_amount"},
    ),
    FieldType("boolean", {"type": "boolean"}),
    FieldType("select", {}, hints=_CHOICE),
    FieldType("radio", {}, hints=_CHOICE),
    FieldType("multiselect", {"type": "array", "uniqueItems": True}, _ITEMS, hints=_CHOICE),
    FieldType("checkboxes", {"type": "array", "uniqueItems": True}, _ITEMS, hints=_CHOICE),
    FieldType("user", {"type": "string", "pattern": "^user_[0-9a-f]{32}$"}, words={"pattern": "not_a_user"}),
    FieldType(
        GROUP_PICKER,
        {"type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"},
        words={"pattern": "not_a_group"},
    ),
    FieldType("date", _DATE, hints=_RANGE),
    FieldType(
        "time",
        {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$"},
        hints=_RANGE,
        words={"pattern": "not_a_time"},
    ),
    FieldType("datetime", {"type": "string", "format": "date-time"}, hints=_RANGE),
    FieldType("date_range", _closed({"start": dict(_DATE), "end": dict(_DATE)}), hints=_RANGE),
    FieldType(
        "signature",
        _closed({"name": {"type": "string", "minLength": 1, "maxLength": 200}, "attest": {"const": True}}),
        hints=frozenset({"statement"}),
    ),
    FieldType(
        "file",
        {"type": "array", "items": _closed(_FILE), "uniqueItems": True},
        _ITEMS,
        hints=frozenset({"accept", "max_size"}),
        words={"pattern": "not_a_file"},
    ),
    FieldType("json", {}),
    FieldType("group", {"type": "object", "additionalProperties": False}, hints=frozenset({"fields"})),
    FieldType("table", {"type": "array"}, _ITEMS, hints=frozenset({"columns"}), needs=frozenset({"columns"})),
    _shown("heading", {"text"}),
    _shown("note", {"text"}),
    _shown("image", {"url"}, {"alt"}),
    _shown("link", {"url"}, {"text"}),
    _shown("data", {"value"}),
    _shown("diff", {"before", "after"}),
)

FIELD_TYPES: Final[Mapping[str, FieldType]] = {each.name: each for each in _TYPES}
TEXT_TYPES: Final = frozenset({"text", "textarea", "markdown", "email", "url", "phone"})
SINGLE_CHOICE: Final = frozenset({"select", "radio"})
MANY_CHOICES: Final = frozenset({"multiselect", "checkboxes"})
TIME_TYPES: Final = frozenset({"date", "time", "datetime", "date_range"})
PICKERS: Final = frozenset({"user", GROUP_PICKER})

_CURRENCIES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF
CLP CNY COP COU CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS
VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES: Final = frozenset(_CURRENCIES.split())  # ISO 4217, without the codes of metals and tests
