"""What a form is on surfaces that show less than a page: never another form, and every loss declared."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from orkestra.forms import Button, answer_of, check, project, validate
from orkestra.forms.field_types import FIELD_TYPES
from test_form_check import SPECS

TEXT = {"type": "string"}
WORDS = {"title": TEXT, "description": TEXT}
TITLED = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["const", "title"],
        "properties": {"const": TEXT, "title": TEXT},
        "additionalProperties": False,
    },
}


def _kind(required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**WORDS, **required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


PRIMITIVE = {
    "oneOf": [
        _kind(
            {"type": {"const": "string"}},
            {
                "format": {"enum": ["email", "uri", "date", "date-time"]},
                "default": TEXT,
                "minLength": {"type": "integer"},
                "maxLength": {"type": "integer"},
            },
        ),
        _kind(
            {"type": {"enum": ["number", "integer"]}},
            {key: {"type": "number"} for key in ("minimum", "maximum", "default")},
        ),
        _kind({"type": {"const": "boolean"}}, {"default": {"type": "boolean"}}),
        _kind({"type": {"const": "string"}, "oneOf": TITLED}, {"default": TEXT}),
        _kind(
            {
                "type": {"const": "array"},
                "items": {
                    "type": "object",
                    "required": ["anyOf"],
                    "properties": {"anyOf": TITLED},
                    "additionalProperties": False,
                },
            },
            {
                "default": {"type": "array", "items": TEXT},
                "minItems": {"type": "integer"},
                "maxItems": {"type": "integer"},
            },
        ),
    ]
}
REQUESTED_SCHEMA = Draft202012Validator(
    {
        "type": "object",
        "required": ["type", "properties"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": "object"},
            "properties": {"type": "object", "additionalProperties": PRIMITIVE},
            "required": {"type": "array", "items": TEXT},
        },
    }
)
"""`requestedSchema` of MCP 2025-11-25, written down from its specification."""

LOSSES: dict[str, dict[str, Any]] = {
    "text": {"pattern": "^a"},
    "phone": {},
    "number": {"step": 2, "decimals": 1},
    "money": {"min": "1", "help": "Gross", "currencies": ["EUR"]},
    "date": {"min": "2026-01-01"},
    "textarea": {"placeholder": "Dear …"},
    "boolean": {"visible_when": {"field": "first", "empty": False}},
    "email": {"required_when": {"field": "first", "empty": False}},
}
CODES = {
    "text": {"checked_later"},
    "phone": {"checked_later"},
    "number": {"checked_later"},
    "money": {"checked_later", "split", "unexplained"},
    "date": {"checked_later"},
    "textarea": {"plain", "unexplained"},
    "boolean": {"always_shown"},
    "email": {"checked_later"},
}


def losses(form: Any, surface: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in project(check(form), surface).downgrades:
        found.setdefault(each.path, set()).add(each.code)
        assert each.message.endswith(".")
    return found


@pytest.mark.parametrize("kind", LOSSES)
def test_what_a_field_loses_where_an_agents_client_asks_is_declared(kind: str) -> None:
    form = {"first": {"type": "text"}, "field": {"type": kind, **LOSSES[kind]}}
    assert losses(form, "elicitation").get("field") == CODES[kind]


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_a_required_field_of_any_type_is_asked_for_or_the_form_becomes_a_link(kind: str) -> None:
    is_shown = FIELD_TYPES[kind].display
    form = {"field": {"type": kind, **SPECS.get(kind, {}), **({} if is_shown else {"required": True})}}
    projection = project(check(form), "elicitation")
    if kind in ("user", "group_picker", "file", "json", "group", "table"):
        assert (projection.kind, projection.schema) == ("link", None)
        assert {each.code for each in projection.downgrades} == {"needs_page"}
        return
    assert projection.kind == "form"
    assert projection.schema is not None
    REQUESTED_SCHEMA.validate(projection.schema)
    assert bool(projection.lines) == is_shown
    assert is_shown or all(name.startswith("field") for name in projection.schema["required"])


@pytest.mark.parametrize("kind", ["user", "group_picker", "file", "json", "table"])
def test_an_optional_field_that_cannot_be_asked_for_is_left_out_and_said_so(kind: str) -> None:
    projection = project(check({"a": {"type": "text"}, "field": {"type": kind, **SPECS.get(kind, {})}}), "elicitation")
    assert projection.schema is not None
    assert list(projection.schema["properties"]) == ["a"]
    assert {(each.path, each.code) for each in projection.downgrades} == {("field", "left_out")}


def test_sensitive_values_are_never_asked_for_through_an_agents_client() -> None:
    assert project(check({"pin": {"type": "text", "sensitive": True, "required": True}}), "elicitation").kind == "link"


FLAT = {
    "fields": {
        "about": {"type": "note", "text": "**Refund**"},
        "price": {"type": "money", "required": True, "currencies": ["EUR", "USD"]},
        "stay": {"type": "date_range"},
        "pieces": {"type": "select", "options": [{"value": 1, "label": "One"}, {"value": 2, "label": "Two"}]},
        "tags": {"type": "checkboxes", "options": ["a", "b"], "default": ["a"]},
        "outcome": {"type": "text"},
    },
    "outcomes": [{"key": "approve"}, {"key": "reject", "require": ["outcome"]}],
    "locales": {"de": {"price": {"label": "Preis"}, "$outcomes": {"approve": "Genehmigen"}}},
}


def test_an_answer_to_the_flat_form_is_an_answer_to_the_form() -> None:
    schema = check(FLAT)
    projection = project(schema, "elicitation", locale="de")
    assert projection.schema is not None
    REQUESTED_SCHEMA.validate(projection.schema)
    assert projection.lines == ("**Refund**",)
    assert projection.schema["required"] == ["price.amount", "price.currency", "outcome_"]
    assert projection.schema["properties"]["price.amount"]["title"] == "Preis: amount"
    content = {"price.amount": "12.50", "price.currency": "EUR", "pieces": "2", "tags": ["b"], "outcome_": "approve"}
    Draft202012Validator(projection.schema).validate(content)
    data, outcome = answer_of(schema, content)
    assert validate(schema, data, outcome) == {
        "price": {"amount": "12.50", "currency": "EUR"},
        "pieces": 2,
        "tags": ["b"],
    }


def test_buttons_are_offered_for_outcomes_that_are_a_whole_answer() -> None:
    form = {
        "fields": {"why": {"type": "textarea"}},
        "outcomes": [{"key": "approve", "label": "Approve"}, {"key": "reject", "style": "danger", "require": ["why"]}],
    }
    for surface in ("chat", "email"):
        projection = project(check(form), surface)
        assert projection.kind == "buttons"
        assert projection.buttons == (
            Button("approve", "Approve", "primary", opens=False),
            Button("reject", "Reject", "danger", opens=True),
        )
        assert losses(form, surface) == {"why": {"left_out"}, "outcomes[1]": {"needs_page"}}


@pytest.mark.parametrize(
    "form",
    [
        {"answer": {"type": "text"}},
        {"fields": {"why": {"type": "text", "required": True}}, "outcomes": [{"key": "ok"}]},
        {"fields": {"why": {"type": "text"}}, "outcomes": [{"key": f"o{n}"} for n in range(6)]},
    ],
)
def test_a_form_that_buttons_cannot_answer_is_a_link(form: dict[str, Any]) -> None:
    assert losses(form, "chat")[""] == {"needs_page"}
    assert project(check(form), "chat").kind == "link"


def test_a_page_shows_the_form_as_it_is() -> None:
    schema = check(FLAT)
    assert (project(schema, "web").schema, project(schema, "web").downgrades) == (schema, ())


NAMES = st.sampled_from(["a", "b", "c", "outcome"])
VALUES: dict[str, tuple[dict[str, Any], st.SearchStrategy[Any]]] = {
    "text": ({}, st.text(alphabet="ab é", min_size=1, max_size=5)),
    "textarea": ({"max_length": 9}, st.text(alphabet="ab\n", min_size=1, max_size=9)),
    "email": ({}, st.just("a@example.com")),
    "url": ({}, st.just("https://example.com/a")),
    "integer": ({"min": -3}, st.integers(-3, 2**70)),
    "number": ({}, st.floats(-1e6, 1e6) | st.integers(-9, 9)),
    "rating": ({}, st.integers(1, 5)),
    "boolean": ({}, st.booleans()),
    "select": ({"options": ["x", 7]}, st.sampled_from(["x", 7])),
    "checkboxes": ({"options": ["x", 7]}, st.lists(st.sampled_from(["x", 7]), min_size=1, unique=True)),
    "date": ({}, st.dates().map(str)),
    "money": (
        {},
        st.decimals(-9999, 9999, places=2).map(
            lambda each: {"amount": f"{each:f}".replace("-0.00", "0.00"), "currency": "EUR"}
        ),
    ),
    "signature": ({}, st.just({"name": "Ada", "attest": True})),
}


@st.composite
def flat_forms(draw: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    kinds = draw(st.dictionaries(NAMES, st.sampled_from(sorted(VALUES)), min_size=1))
    form = {name: {"type": kind, **VALUES[kind][0], "required": draw(st.booleans())} for name, kind in kinds.items()}
    data = {
        name: draw(VALUES[kind][1]) for name, kind in kinds.items() if form[name]["required"] or draw(st.booleans())
    }
    return form, data


def _flattened(data: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{part}": each for part, each in value.items()}
        elif isinstance(value, list):
            flat[name] = [str(each) for each in value]
        else:
            flat[name] = str(value) if value == 7 and not isinstance(value, float) else value
    return flat


@settings(max_examples=150, deadline=None)
@given(flat_forms())
def test_every_answer_that_a_form_takes_can_be_given_to_the_flat_form(
    drawn: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    form, data = drawn
    schema = check(form)
    kept = validate(schema, data)
    projection = project(schema, "elicitation")
    assert projection.schema is not None
    REQUESTED_SCHEMA.validate(projection.schema)
    content = {
        name: value if form[name.partition(".")[0]]["type"] in ("integer", "number") else flat
        for (name, flat), value in zip(
            _flattened(kept).items(), [kept.get(name) for name in _flattened(kept)], strict=True
        )
    }
    Draft202012Validator(projection.schema).validate(content)
    answer, outcome = answer_of(schema, content)
    assert (validate(schema, answer, outcome), outcome) == (kept, None)
