from time import monotonic
from typing import Any

import pytest
from orkestra.forms import Invalid, check_input, check_schema
from pydantic import BaseModel


class Customer(BaseModel):
    name: str
    friends: "list[Customer]" = []
    boss: "Customer | None" = None


class Question(BaseModel):
    question: str
    customer: Customer


def codes(schema: dict[str, Any], data: Any) -> set[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        check_input(schema, data)
    return {(problem.path, problem.code) for problem in caught.value.problems}


def test_the_schema_of_a_recursive_model_is_taken_and_applied() -> None:
    schema = Question.model_json_schema()
    check_schema(schema)
    check_input(schema, {"question": "why", "customer": {"name": "Ana", "boss": {"name": "Bob", "boss": None}}})
    assert codes(schema, {"customer": {"name": 1, "friends": [{}], "boss": {"name": 2}}}) == {
        ("question", "required"),
        ("customer.name", "wrong_type"),
        ("customer.friends[0].name", "required"),
        ("customer.boss.name", "wrong_type"),
    }


def _doubling(levels: int) -> dict[str, Any]:
    defs: dict[str, Any] = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": {**defs, f"d{levels}": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "code"),
    [
        ({"$ref": "http://169.254.169.254/x"}, "ref_leaves_document"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "ref_leaves_document"),
        ({"$ref": "#/$defs/gone"}, "ref_unknown"),
        ({"$id": "http://x", "type": "object"}, "unknown_key"),
        ({"type": "nonsense"}, "schema_invalid"),
        ({"pattern": "(?=a)b"}, "schema_invalid"),
        ({"$ref": "#"}, "too_complex"),
        ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/a"}]}}}, "too_complex"),
        (_doubling(40), "too_complex"),
        ({"description": "x" * 70_000}, "schema_too_large"),
    ],
)
def test_an_unsafe_schema_is_refused(schema: dict[str, Any], code: str) -> None:
    began = monotonic()
    with pytest.raises(Invalid) as caught:
        check_schema(schema)
    assert code in {problem.code for problem in caught.value.problems}
    assert monotonic() - began < 2


def test_data_that_would_take_exponential_time_is_refused() -> None:
    node = {"properties": {"x": {"allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}}}
    schema = {"$ref": "#/$defs/a", "$defs": {"a": node}}
    check_schema(schema)
    data: Any = 1
    for _ in range(30):
        data = {"x": data}
    began = monotonic()
    assert codes(schema, data) == {("", "too_complex")}
    assert monotonic() - began < 2
    check_input(schema, {"x": {"x": {}}})


def test_a_pattern_never_backtracks() -> None:
    schema = {"properties": {"a": {"pattern": "^(a+)+$"}}}
    check_schema(schema)
    began = monotonic()
    assert codes(schema, {"a": "a" * 50_000 + "!"}) == {("a", "pattern_mismatch")}
    assert monotonic() - began < 2


def test_a_property_may_be_called_like_a_keyword() -> None:
    check_schema({"type": "object", "properties": {"$ref": {"type": "string"}, "$id": {"type": "string"}}})
