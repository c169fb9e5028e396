from collections.abc import Callable
from contextlib import suppress
from datetime import date
from decimal import Decimal
from enum import Enum
from time import monotonic
from typing import Any, Literal

import pytest
from orkestra.forms import Form, Invalid, check, date_, outcome, schema_of, select, table, textarea
from orkestra.forms.field_types import FIELD_TYPES
from pydantic import BaseModel


class Reply(Form):
    answer: str = textarea(required=True, max_length=4000)
    sentiment: Literal["positive", "neutral", "frustrated"] | None = select()


REPLY_IN_SHORT: dict[str, Any] = {
    "answer": {"type": "textarea", "label": "Answer", "required": True, "max_length": 4000},
    "sentiment": {
        "type": "select",
        "options": [
            {"value": "positive", "label": "Positive"},
            {"value": "neutral", "label": "Neutral"},
            {"value": "frustrated", "label": "Frustrated"},
        ],
    },
}


def refusals(form: Any, context: dict[str, Any] | None = None) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        check(form, context)
    return {(problem.path, problem.code) for problem in caught.value.problems}


def test_the_three_ways_to_write_a_form_give_the_same_schema() -> None:
    schema = check(REPLY_IN_SHORT)
    assert check({"version": 1, "fields": REPLY_IN_SHORT}) == schema
    assert check({"fields": REPLY_IN_SHORT}) == schema
    assert schema_of(Reply) == schema
    plain = {
        "type": "object",
        "properties": {
            "answer": {"type": "string", "maxLength": 4000, "x-orkestra": {"type": "textarea"}},
            "sentiment": {"enum": ["positive", "neutral", "frustrated"]},
        },
        "required": ["answer"],
    }
    assert check(plain) == schema


def test_a_schema_keeps_the_order_of_the_fields() -> None:
    assert list(check({"z": {"type": "text"}, "a": {"type": "text"}})["properties"]) == ["z", "a"]


def test_no_form_means_one_required_answer() -> None:
    schema = check(None)
    assert (list(schema["properties"]), schema["required"]) == (["answer"], ["answer"])


def test_a_short_form_may_have_a_field_that_is_called_fields() -> None:
    assert list(check({"fields": {"type": "text"}})["properties"]) == ["fields"]


SPECS: dict[str, dict[str, Any]] = {
    "slider": {"min": 0, "max": 1, "step": 0.1},
    "select": {"options": ["a", "b"]},
    "radio": {"options": [1, 2]},
    "multiselect": {"options": ["a"], "min_items": 1},
    "checkboxes": {"options": ["a"], "max_items": 1},
    "group": {"fields": {"inner": {"type": "text", "required": True}}},
    "table": {"columns": {"n": {"type": "integer"}}, "max_items": 3},
    "money": {"min": "0.50", "currencies": ["EUR"], "decimals": 2},
    "date": {"min": "2026-01-01"},
    "heading": {"text": "Read this"},
    "note": {"text": "*Read* this"},
    "image": {"url": "https://example.com/a.png"},
    "link": {"url": "https://example.com"},
    "data": {"value": {"a": 1}},
    "diff": {"before": "a", "after": "b"},
}


@pytest.mark.parametrize("kind", FIELD_TYPES)
def test_a_compiled_form_of_any_type_compiles_to_itself(kind: str) -> None:
    spec = {"type": kind, **SPECS.get(kind, {})}
    required = {} if FIELD_TYPES[kind].display else {"required": True}
    schema = check({"first": {"type": "text"}, "field": {**spec, **required}})
    assert check(schema) == schema
    hidden = check({"first": {"type": "text"}, "field": {**spec, "visible_when": {"field": "first", "empty": False}}})
    assert check(hidden) == hidden


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Item(BaseModel):
    """One line of an order."""

    name: str
    count: int = 1


class Order(Form, outcomes=[outcome("approve", style="primary"), outcome("reject", "Send back", require=["why"])]):
    items: list[Item] = table(min_items=1)
    main: Item | None = None
    colour: Colour
    due: date | None = date_()
    price: Decimal | None = None
    why: str | None = textarea()


def test_a_class_may_hold_enums_models_dates_and_decimals() -> None:
    schema = schema_of(Order)
    kinds = {name: inner["x-orkestra"]["type"] for name, inner in schema["properties"].items()}
    assert kinds == {
        "items": "table",
        "main": "group",
        "colour": "select",
        "due": "date",
        "price": "number",
        "why": "textarea",
    }
    assert schema["required"] == ["colour"]
    assert schema["properties"]["main"]["title"] == "Main"
    assert schema["x-orkestra"]["outcomes"] == [
        {"key": "approve", "style": "primary", "label": "Approve"},
        {"key": "reject", "label": "Send back", "require": ["why"]},
    ]
    assert check(schema) == schema


MANY_COMPARISONS = {"type": "text", "required_when": {"not": {"any": [{"field": "a", "in": list(range(251))}]}}}
LOOP = {"a": {"type": "text", "visible_when": {"field": "b", "empty": True}}} | {
    "b": {"type": "text", "visible_when": {"not": {"field": "a", "empty": True}}}
}


@pytest.mark.parametrize(
    ("form", "path", "code"),
    [
        ([], "", "form_invalid"),
        ({}, "", "fields_missing"),
        ({"a": "text"}, "a", "field_invalid"),
        ({"1a": {"type": "text"}}, "1a", "name_invalid"),
        ({"a": {"type": "colour"}}, "a.type", "unknown_type"),
        ({"a": {"type": ["text"]}}, "a.type", "unknown_type"),
        ({"a": {"type": "file", "accept": "pdf"}}, "a.accept", "wrong_value"),
        ({"a": {"type": "file", "accept": ["pdf"]}}, "a.accept", "wrong_value"),
        ({"a": {"type": "file", "max_size": 0}}, "a.max_size", "wrong_value"),
        ({"a": {"type": "user", "options": ["x"]}}, "a.options", "unknown_key"),
        ({"a": {"type": "select", "options": [1, "1"]}}, "a.options[1]", "duplicate_option"),
        ({"a": {"type": "text", "colour": "red"}}, "a.colour", "unknown_key"),
        ({"a": {"type": "boolean", "max_length": 3}}, "a.max_length", "unknown_key"),
        ({"a": {"type": "heading", "text": "x", "required": True}}, "a.required", "unknown_key"),
        ({"a": {"type": "heading"}}, "a.text", "missing_key"),
        ({"a": {"type": "text", "required": "yes"}}, "a.required", "wrong_value"),
        ({"a": {"type": "text", "min_length": 3, "max_length": 2}}, "a.min_length", "wrong_value"),
        ({"a": {"type": "text", "pattern": "(?=a)"}}, "a.pattern", "wrong_value"),
        ({"a": {"type": "text", "pattern": "((a{1000}){1000}){1000}"}}, "a.pattern", "wrong_value"),
        ({"a": {"type": "integer", "min": 1.5}}, "a.min", "wrong_value"),
        ({"a": {"type": "integer", "default": "x"}}, "a.default", "wrong_value"),
        ({"a": {"type": "date", "min": "2026-02-30"}}, "a.min", "wrong_value"),
        ({"a": {"type": "money", "max": 1.5}}, "a.max", "wrong_value"),
        ({"a": {"type": "rating", "max": 21}}, "a.max", "wrong_value"),
        ({"t": {"type": "table", "columns": {"a": {"type": "text"}}, "max_items": 5001}}, "t.max_items", "too_complex"),
        ({"t": {"type": "table", "columns": {"a": MANY_COMPARISONS}}}, "t.max_items", "too_complex"),
        ({"a": {"type": "select"}}, "a.options", "options_missing"),
        ({"a": {"type": "select", "options": []}}, "a.options", "options_missing"),
        ({"a": {"type": "select", "options": ["x", {"value": "x"}]}}, "a.options[1]", "duplicate_option"),
        ({"a": {"type": "select", "options": [None]}}, "a.options[0]", "option_invalid"),
        (
            {"a": {"type": "text", "visible_when": {"field": "b", "empty": True}}},
            "a.visible_when.field",
            "unknown_field",
        ),
        ({"a": {"type": "text", "visible_when": {"field": "a"}}}, "a.visible_when", "condition_invalid"),
        ({"a": {"type": "text", "visible_when": {"all": []}}}, "a.visible_when", "condition_invalid"),
        (
            {"a": {"type": "text", "required_when": {"any": [{"field": "a", "like": "x"}]}}},
            "a.required_when.any[0].like",
            "condition_invalid",
        ),
        (LOOP, "a.visible_when", "condition_cycle"),
        (
            {"t": {"type": "table", "columns": {"g": {"type": "group", "fields": {}}}}},
            "t.columns.g.type",
            "table_not_flat",
        ),
        ({"version": 2, "fields": {"a": {"type": "text"}}}, "version", "wrong_value"),
        ({"fields": {"a": {"type": "text"}}, "colour": 1}, "colour", "unknown_key"),
        ({"fields": {"a": {"type": "x"}}}, "fields.a.type", "unknown_type"),
        (
            {"fields": {"a": {"type": "text"}}, "outcomes": [{"key": "x"}, {"key": "x"}]},
            "outcomes[1].key",
            "duplicate_outcome",
        ),
        (
            {"fields": {"a": {"type": "text"}}, "outcomes": [{"key": "x", "require": ["b"]}]},
            "outcomes[0].require",
            "unknown_field",
        ),
        (
            {"fields": {"a": {"type": "text"}}, "outcomes": [{"key": "x", "style": "pink"}]},
            "outcomes[0].style",
            "wrong_value",
        ),
        (
            {"fields": {"a": {"type": "text"}}, "rules": [{"check": {}, "message": "m"}]},
            "rules[0].check",
            "condition_invalid",
        ),
        (
            {"fields": {"a": {"type": "text"}}, "locales": {"German": {"a": {"label": "A"}}}},
            "locales.German",
            "wrong_value",
        ),
        (
            {"fields": {"a": {"type": "text"}}, "locales": {"de": {"b": {"label": "B"}}}},
            "locales.de.b",
            "unknown_field",
        ),
        ({"type": "object", "properties": {"a": {"$ref": "http://x/y"}}}, "properties.a.$ref", "ref_leaves_document"),
        (
            {"type": "object", "properties": {"a": {"$ref": "file:///etc/passwd"}}},
            "properties.a.$ref",
            "ref_leaves_document",
        ),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}}, "properties.a.$ref", "ref_unknown"),
        (
            {"type": "object", "properties": {"a": {"type": "string", "maxLength": -1}}},
            "properties.a.maxLength",
            "wrong_value",
        ),
        ({"type": "object", "properties": {"a": {"type": "string", "if": {}}}}, "properties.a.if", "unknown_key"),
        ({"type": "object", "allOf": [], "properties": {"a": {"type": "string"}}}, "allOf", "unknown_key"),
        ({"a": {"type": "text", "label": "\0"}}, "a.label", "not_text"),
        ({"a": {"type": "text", "label": "\ud800"}}, "a.label", "not_text"),
        ({"a": {"type": "number", "default": float("nan")}}, "a.default", "not_json"),
    ],
)
def test_a_wrong_form_is_refused_with_the_place_and_a_code(form: Any, path: str, code: str) -> None:
    assert (path, code) in refusals(form)


def test_a_group_without_fields_picks_a_group_of_people() -> None:
    schema = check({"team": {"type": "group"}})
    assert schema == check({"team": {"type": "group_picker"}})
    assert (schema["properties"]["team"]["type"], check(schema)) == ("string", schema)


def test_every_problem_of_a_form_is_told_at_once() -> None:
    form = {"a": {"type": "x"}, "b": {"type": "text", "y": 1}, "c": {"type": "select"}}
    assert refusals(form) == {("a.type", "unknown_type"), ("b.y", "unknown_key"), ("c.options", "options_missing")}


def test_a_recursive_schema_is_refused() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
    assert any(code == "ref_cycle" for _, code in refusals({"$defs": {"Node": node}, **node}))


def test_more_than_200_fields_are_refused_and_200_are_not() -> None:
    assert len(check({f"f{n}": {"type": "text"} for n in range(200)})["properties"]) == 200
    assert ("", "too_many_fields") in refusals({f"f{n}": {"type": "text"} for n in range(201)})


def test_more_than_64_kib_are_refused() -> None:
    assert refusals({"a": {"type": "text", "help": "x" * 70_000}}) == {("", "form_too_large")}


def test_a_form_that_is_nested_too_deep_is_refused() -> None:
    form: dict[str, Any] = {"a": {"type": "text"}}
    for _ in range(40):
        form = {"a": {"type": "group", "fields": form}}
    assert {code for _, code in refusals(form)} == {"too_deep"}


def _bomb() -> dict[str, Any]:
    defs = {
        f"d{n}": {"type": "object", "properties": {side: {"$ref": f"#/$defs/d{n + 1}"} for side in ("l", "r")}}
        for n in range(60)
    }
    return {"type": "object", "properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": {**defs, "d60": {"type": "string"}}}


@pytest.mark.parametrize(
    "form",
    [
        _bomb,
        lambda: {f"f{n}": {"type": "text", "pattern": "^(a+)+$"} for n in range(200)},
        lambda: {f"f{n}": {"type": "text"} for n in range(4000)},
        lambda: {"a": {"type": "select", "options": [f"o{n}" for n in range(5000)]}},
    ],
)
def test_no_form_takes_long_to_check(form: Callable[[], Any]) -> None:
    began = monotonic()
    with suppress(Invalid):
        check(form())
    assert monotonic() - began < 2


def test_options_come_from_the_context_and_are_pinned() -> None:
    form = {"plan": {"type": "select", "options_from": "context.data.plans"}}
    schema = check(form, {"data": {"plans": ["basic", {"value": "pro", "label": "Pro plan"}]}})
    assert schema["properties"]["plan"]["enum"] == ["basic", "pro"]
    assert check(schema, {}) == schema
    assert refusals(form, {}) == {("plan.options_from", "options_missing")}
    with pytest.raises(Invalid, match=r"The context has no list of options at context\.data\.plans\."):
        check(form, {"data": {"plan": ["basic"]}})
