from typing import Any

import pytest
from orkestra.forms import Invalid, Problem, check, outcomes_of, picked, validate, with_ids

FILE = {"attachment_id": f"attachment_{'0' * 32}", "name": "a.PDF", "media_type": "application/pdf", "size": 11}


def problems(form: Any, data: Any, outcome: str | None = None, *, locale: str = "en") -> tuple[Problem, ...]:
    with pytest.raises(Invalid) as caught:
        validate(check(form), data, outcome, locale=locale)
    return caught.value.problems


def codes(form: Any, data: Any, outcome: str | None = None) -> set[tuple[str, str]]:
    return {(problem.path, problem.code) for problem in problems(form, data, outcome)}


def test_every_error_is_returned_at_once_in_the_language_asked_for() -> None:
    form = {"answer": {"type": "text", "required": True}, "n": {"type": "integer", "max": 3}}
    assert problems(form, {"n": 4, "x": 1}, locale="de-AT") == (
        Problem("x", "unknown_field", "Das Formular hat kein solches Feld."),
        Problem("answer", "required", "Dieses Feld ist erforderlich."),
        Problem("n", "too_large", "Darf höchstens 3 sein."),
    )
    assert problems(form, {}, locale="fr")[0].message == "Ce champ est obligatoire."
    assert problems(form, {}, locale="xx")[0].message == "This field is required."


@pytest.mark.parametrize(
    ("spec", "value", "code"),
    [
        ({"type": "text"}, 1, "wrong_type"),
        ({"type": "text", "min_length": 2}, "a", "too_short"),
        ({"type": "text", "max_length": 2}, "aaa", "too_long"),
        ({"type": "text", "pattern": "^[a-c]+$"}, "d", "pattern_mismatch"),
        ({"type": "email"}, "not", "not_an_email"),
        ({"type": "email"}, "Ana <ana@example.com>", "not_an_email"),
        ({"type": "url"}, "javascript:alert(1)", "not_a_url"),
        ({"type": "phone"}, "call me", "not_a_phone"),
        ({"type": "integer"}, True, "wrong_type"),
        ({"type": "integer"}, 1.5, "wrong_type"),
        ({"type": "integer"}, "1", "wrong_type"),
        ({"type": "number", "min": 1}, 0, "too_small"),
        ({"type": "number", "step": 0.5}, 0.7, "not_a_step"),
        ({"type": "number", "decimals": 2}, 0.123, "too_many_decimals"),
        ({"type": "rating"}, 6, "too_large"),
        ({"type": "slider", "min": 0, "max": 1}, 2, "too_large"),
        ({"type": "boolean"}, 1, "wrong_type"),
        ({"type": "select", "options": ["a", "b"]}, "c", "not_an_option"),
        ({"type": "radio", "options": [1]}, True, "not_an_option"),
        ({"type": "multiselect", "options": ["a"]}, ["a", "a"], "duplicate_item"),
        ({"type": "checkboxes", "options": ["a", "b"], "max_items": 1}, ["a", "b"], "too_many_items"),
        ({"type": "checkboxes", "options": ["a", "b"], "required": True}, [], "required"),
        ({"type": "text", "required": True}, "", "required"),
        ({"type": "date"}, "2026-02-30", "not_a_date"),
        ({"type": "date", "min": "2026-01-01"}, "2025-12-31", "too_small"),
        ({"type": "time"}, "24:00", "not_a_time"),
        ({"type": "time", "max": "12:00"}, "12:01", "too_large"),
        ({"type": "datetime"}, "2026-01-01T00:00:00", "not_a_datetime"),
        ({"type": "text", "readonly": True, "default": "x"}, "y", "read_only"),
        ({"type": "heading", "text": "x"}, "y", "read_only"),
    ],
)
def test_a_wrong_value_is_refused(spec: dict[str, Any], value: Any, code: str) -> None:
    assert codes({"field": spec}, {"field": value}) == {("field", code)}


@pytest.mark.parametrize(
    ("spec", "value", "path", "code"),
    [
        ({"type": "money"}, {"amount": 1.5, "currency": "EUR"}, "field.amount", "wrong_type"),
        ({"type": "money"}, {"amount": "1,5", "currency": "EUR"}, "field.amount", "not_an_amount"),
        ({"type": "money"}, {"amount": "1.50", "currency": "EUX"}, "field.currency", "unknown_currency"),
        ({"type": "money", "min": "1"}, {"amount": "0.99", "currency": "EUR"}, "field.amount", "too_small"),
        ({"type": "money", "decimals": 2}, {"amount": "0.999", "currency": "EUR"}, "field.amount", "too_many_decimals"),
        ({"type": "date_range"}, {"start": "2026-02-01", "end": "2026-01-01"}, "field.end", "end_before_start"),
        ({"type": "signature"}, {"name": "Ana", "attest": False}, "field.attest", "not_an_option"),
        ({"type": "group", "fields": {"a": {"type": "text", "required": True}}}, {}, "field.a", "required"),
        ({"type": "user"}, "ada@example.com", "field", "not_a_user"),
        ({"type": "group"}, "No Group", "field", "not_a_group"),
        ({"type": "file"}, [{**FILE, "attachment_id": "../x"}], "field[0].attachment_id", "not_a_file"),
        ({"type": "file", "max_size": 10}, [FILE], "field[0]", "file_too_large"),
        ({"type": "file", "accept": [".png", "text/*"]}, [FILE], "field[0]", "file_not_accepted"),
        ({"type": "file", "max_items": 1}, [FILE, {**FILE, "size": 1}], "field", "too_many_items"),
        ({"type": "table", "columns": {"n": {"type": "integer"}}}, [{"n": 1}, {"n": "x"}], "field[1].n", "wrong_type"),
        ({"type": "table", "columns": {"n": {"type": "integer"}}}, [{"n": 1}, 2], "field[1]", "wrong_type"),
    ],
)
def test_an_error_inside_a_value_names_its_place(spec: dict[str, Any], value: Any, path: str, code: str) -> None:
    assert (path, code) in codes({"field": {**spec, "required": spec["type"] != "group"}}, {"field": value})


def test_what_must_be_true_is_told_as_json_writes_it() -> None:
    signed = {"field": {"name": "Ana", "attest": False}}
    assert problems({"field": {"type": "signature"}}, signed)[0].message == "Must be one of: true."


@pytest.mark.parametrize("accept", [[".pdf"], ["application/pdf"], ["application/*", ".png"]])
def test_a_file_of_an_accepted_kind_is_taken(accept: list[str]) -> None:
    form = check({"proof": {"type": "file", "accept": accept, "max_size": 11, "required": True}})
    assert validate(form, {"proof": [FILE]}) == {"proof": [FILE]}


def test_people_and_groups_that_nobody_knows_are_named() -> None:
    form = {"who": {"type": "user"}, "rows": {"type": "table", "columns": {"team": {"type": "group_picker"}}}}
    data = {"who": f"user_{'0' * 32}", "rows": [{"team": "sales"}, {"team": "gone"}]}
    assert validate(check(form), data) == data
    assert picked(check(form), data) == ({data["who"]}, {"sales", "gone"})
    with pytest.raises(Invalid) as caught:
        validate(check(form), data, strangers=frozenset({"gone", str(data["who"])}))
    found = {(problem.path, problem.code) for problem in caught.value.problems}
    assert found == {("who", "unknown_user"), ("rows[1].team", "unknown_group")}
    assert with_ids(check(form), {"who": "ada@example.com"}, lambda _: "user_1") == {"who": "user_1"}


def test_numbers_stay_exact() -> None:
    form = {"n": {"type": "integer"}, "m": {"type": "money"}, "w": {"type": "integer"}}
    data = {"n": 2**80 + 1, "m": {"amount": "12345678901234567.89", "currency": "EUR"}, "w": 3.0}
    cleaned = validate(check(form), data)
    assert cleaned == data
    assert isinstance(cleaned["w"], int)


def test_null_says_that_nothing_is_given_and_a_missing_field_takes_its_default() -> None:
    form = {"a": {"type": "text", "default": "x"}, "b": {"type": "text"}}
    assert validate(check(form), {"b": None}) == {"a": "x"}
    assert validate(check(form), {"a": None}) == {}
    assert codes({"a": {"type": "text", "required": True}}, {"a": None}) == {("a", "required")}


HIDING = {
    "decision": {"type": "select", "options": ["approve", "reject"], "required": True},
    "why": {"type": "text", "required": True, "visible_when": {"field": "decision", "equals": "reject"}},
    "more": {"type": "text", "visible_when": {"field": "why", "empty": False}},
    "score": {"type": "integer"},
    "note": {"type": "text", "required_when": {"any": [{"field": "score", "lt": 3}, {"field": "score", "in": [9]}]}},
}


def test_a_hidden_field_is_neither_required_nor_kept_and_counts_as_empty() -> None:
    data = {"decision": "approve", "why": "because", "more": "x"}
    assert validate(check(HIDING), data) == {"decision": "approve"}
    assert codes(HIDING, {"decision": "reject"}) == {("why", "required")}
    assert validate(check(HIDING), {**data, "decision": "reject"}) == {**data, "decision": "reject"}


@pytest.mark.parametrize(("score", "is_required"), [(2, True), (3, False), (9, True), (None, False)])
def test_a_field_is_required_when_its_condition_holds(score: int | None, is_required: bool) -> None:
    data = {"decision": "approve", "score": score}
    if is_required:
        assert codes(HIDING, data) == {("note", "required")}
    else:
        validate(check(HIDING), data)


def test_rules_hold_fields_against_each_other() -> None:
    form = {
        "fields": {"start": {"type": "datetime"}, "end": {"type": "datetime"}},
        "rules": [{"check": {"field": "end", "gt": {"field": "start"}}, "message": "Too early.", "field": "end"}],
        "locales": {"de": {"$rules": ["Zu früh."]}},
    }
    early = {"start": "2026-01-01T12:00:00Z", "end": "2026-01-01T12:30:00+02:00"}
    assert problems(form, early) == (Problem("end", "rule_broken", "Too early."),)
    assert problems(form, early, locale="de")[0].message == "Zu früh."
    assert validate(check(form), {**early, "end": "2026-01-01T12:30:00Z"})


def test_an_outcome_is_chosen_from_the_form_and_may_require_fields() -> None:
    form = {
        "fields": {"why": {"type": "text"}},
        "outcomes": [{"key": "approve"}, {"key": "reject", "require": ["why"]}],
    }
    assert outcomes_of(check(form)) == ["approve", "reject"]
    assert validate(check(form), {}, "approve") == {}
    assert codes(form, {}, "reject") == {("why", "required")}
    assert codes(form, {}) == {("outcome", "outcome_required")}
    assert codes(form, {}, "other") == {("outcome", "unknown_outcome")}
    assert codes({"a": {"type": "text"}}, {}, "approve") == {("outcome", "unknown_outcome")}


@pytest.mark.parametrize("value", ["\0", "a\ud800", float("nan"), float("inf"), {1, 2}, {1: 2}, [["\0"]]])
def test_what_no_database_could_hold_is_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        validate(check({"a": {"type": "json"}}), {"a": value})


@pytest.mark.parametrize("data", [None, [], "x", 1])
def test_an_answer_is_an_object(data: Any) -> None:
    assert codes({"a": {"type": "text"}}, data) == {("", "wrong_type")}
