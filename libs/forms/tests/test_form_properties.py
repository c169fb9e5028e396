"""Holds our validator against the independent `jsonschema` package where both speak of the same."""

from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from orkestra.forms import Invalid, check, validate

NAMES = st.sampled_from(["a", "b", "c", "d"])
WORDS = st.text(alphabet="ab", max_size=3)


def _optional(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


def _spec(kind: str, keys: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda required, keys: {"type": kind, "required": required, **keys}, st.booleans(), keys)


LENGTHS = _optional(min_length=st.integers(0, 1), max_length=st.integers(1, 3), pattern=st.just("^a"))
BOUNDS = _optional(min=st.integers(-3, 0), max=st.integers(0, 3), step=st.integers(1, 2))
OPTIONS = st.lists(
    st.text(alphabet="ab", min_size=1, max_size=3) | st.integers(0, 2),
    min_size=1,
    max_size=4,
    unique_by=lambda value: (type(value), value),
)
CHOICES = st.builds(lambda options: {"options": options}, OPTIONS)

SIMPLE = st.one_of(
    *(_spec(kind, LENGTHS) for kind in ("text", "textarea", "markdown")),
    _spec("integer", BOUNDS),
    _spec("number", BOUNDS),
    _spec("boolean", st.just({})),
    _spec("select", CHOICES),
    _spec("radio", CHOICES),
    _spec("multiselect", CHOICES),
    _spec("rating", st.just({})),
    _spec("json", st.just({})),
)
ROWS = st.dictionaries(NAMES, SIMPLE, min_size=1, max_size=3)
FIELDS = st.one_of(
    SIMPLE,
    _spec("group", st.builds(lambda fields: {"fields": fields}, ROWS)),
    _spec("table", st.builds(lambda columns: {"columns": columns}, ROWS)),
)
FORMS = st.dictionaries(NAMES, FIELDS, min_size=1, max_size=4)
SCALARS = st.one_of(WORDS, st.integers(-4, 7), st.booleans(), st.floats(-3, 3, width=16), st.just(2**70))
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
ANSWERS = st.dictionaries(NAMES | st.just("unknown"), VALUES, max_size=4)


def _leaf(spec: dict[str, Any], draw: Any) -> Any:
    match spec:
        case {"options": options, "type": "multiselect"}:
            return draw(st.lists(st.sampled_from(options), max_size=2, unique_by=repr))
        case {"options": options}:
            return draw(st.sampled_from(options))
        case {"fields": fields}:
            return _answer(fields, draw)
        case {"columns": columns}:
            return [_answer(columns, draw) for _ in range(draw(st.integers(0, 2)))]
    kinds = {"integer": st.integers(-4, 4), "number": st.integers(-4, 4), "rating": st.integers(0, 6)}
    return draw(kinds.get(spec["type"], st.booleans() if spec["type"] == "boolean" else WORDS))


def _answer(fields: dict[str, Any], draw: Any) -> dict[str, Any]:
    return {name: _leaf(spec, draw) for name, spec in fields.items() if draw(st.integers(0, 9)) > 0}


@st.composite
def forms_and_answers(draw: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    form = draw(FORMS)
    return form, (_answer(form, draw) if draw(st.booleans()) else draw(ANSWERS))


def _is_valid(schema: dict[str, Any], data: Any) -> bool:
    try:
        validate(schema, data)
    except Invalid:
        return False
    return True


def _asks_for_what_is_empty(schema: dict[str, Any], data: Any) -> bool:
    """An empty object or text for a required field is given to JSON Schema, and not to a person."""
    if not isinstance(data, dict) or "properties" not in schema:
        return False
    for name, inner in schema["properties"].items():
        value = data.get(name)
        if name in schema.get("required", ()) and value in ("", [], {}):
            return True
        rows = value if isinstance(value, list) and "items" in inner else []
        if _asks_for_what_is_empty(inner, value) or any(_asks_for_what_is_empty(inner["items"], row) for row in rows):
            return True
    return False


@settings(max_examples=400, deadline=None)
@given(forms_and_answers())
def test_the_validator_agrees_with_an_independent_one(drawn: tuple[dict[str, Any], dict[str, Any]]) -> None:
    form, data = drawn
    schema = check(form)
    Draft202012Validator.check_schema(schema)
    theirs = Draft202012Validator(schema).is_valid(data)
    if not _asks_for_what_is_empty(schema, data):
        assert _is_valid(schema, data) == theirs


@settings(max_examples=200, deadline=None)
@given(forms_and_answers())
def test_a_schema_checks_to_itself_and_a_cleaned_answer_to_itself(drawn: tuple[dict[str, Any], dict[str, Any]]) -> None:
    form, data = drawn
    schema = check(form)
    assert check(schema) == schema
    try:
        cleaned = validate(schema, data)
    except Invalid:
        return
    assert validate(schema, cleaned) == cleaned


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
KEYS = st.sampled_from(["type", "label", "options", "required", "visible_when", "fields", "min", "pattern", "default"])
KEY_VALUES = JSON | st.sampled_from(["text", "select", "group", "table", "object", {"field": "a", "equals": 1}])
HOSTILE = st.dictionaries(
    st.sampled_from(
        ["a", "b", "fields", "properties", "type", "rules", "outcomes", "locales", "x-orkestra", "version"]
    ),
    KEY_VALUES
    | st.dictionaries(KEYS, KEY_VALUES, max_size=5)
    | st.dictionaries(NAMES, st.dictionaries(KEYS, KEY_VALUES)),
    max_size=5,
)


@settings(max_examples=400, deadline=None)
@given(HOSTILE, JSON)
def test_anything_is_either_taken_or_refused_and_never_breaks_the_checker(form: Any, data: Any) -> None:
    with suppress(Invalid):
        validate(check(form), data)
