"""JSON at the doors: strict, exact, and every refusal at once."""

import json
import re
import time
from typing import Any

import pytest
from hypothesis import given, settings
from orkestra.wire import FieldError, InvalidArgument, Model, dumps, loads, parse
from pydantic import Field
from test_wire_models import JSON
from wire_world import animal, zoo


@settings(deadline=None)
@given(JSON)
def test_json_text_survives_reading_and_writing(value: Any) -> None:
    assert repr(loads(dumps(value))) == repr(value)
    assert repr(loads(json.dumps(value).encode())) == repr(value)


@pytest.mark.parametrize(
    ("text", "code", "path"),
    [
        ("{", "not_json", ""),
        ("", "not_json", ""),
        ("{} {}", "not_json", ""),
        ("\ufeff{}", "not_json", ""),
        (b"\xff", "not_json", ""),
        ('"a\x00b"', "not_json", ""),
        ("'a'", "not_json", ""),
        ("NaN", "not_finite", ""),
        ("[-Infinity]", "not_finite", ""),
        ("1e999", "out_of_range", ""),
        ("[" + "9" * 5000 + "]", "out_of_range", ""),
        ('{"a":{"b":["\\u0000"]}}', "invalid_text", "a.b[0]"),
        ('{"a":"\\uDC00"}', "invalid_text", "a"),
        ('"\ud800"', "invalid_text", ""),
        ('{"a\\u0000":1}', "invalid_text", ""),
        ('{"a":1,"a":2}', "duplicate_key", ""),
        ("[" * 33 + "]" * 33, "too_deep", "[0]" * 32),
        ('{"a":' * 33 + "1" + "}" * 33, "too_deep", ".".join("a" * 32)),
        ("[" * 200_000, "too_deep", ""),
    ],
)
def test_text_outside_strict_json_is_refused(text: str | bytes, code: str, path: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        loads(text)
    assert caught.value.reason == "REQUEST_INVALID"
    assert [(error.code, error.path) for error in caught.value.errors] == [(code, path)]


def test_a_key_that_is_given_twice_among_very_many_is_found_in_little_time() -> None:
    many = ",".join(f'"{number}":1' for number in range(100_000))
    began = time.process_time()
    with pytest.raises(InvalidArgument) as caught:
        loads("{" + many + ',"99999":1}')
    assert [error.code for error in caught.value.errors] == ["duplicate_key"]
    assert time.process_time() - began < 5, "it is found in one walk; counting each key takes minutes"


def test_a_refusal_names_the_first_two_hundred_fields_that_are_wrong() -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse(type(animal()), {str(number): 1 for number in range(10_000)})
    assert len(caught.value.errors) == 200
    assert len(str(caught.value)) < 200
    assert re.search(r"\(and \d{4,5} more\)", str(caught.value))


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_that_is_beyond_the_calendar_in_utc_is_refused(moment: str) -> None:
    given = animal().model_dump(mode="json") | {"died_at": moment}
    with pytest.raises(InvalidArgument) as caught:
        parse(type(animal()), given)
    assert [(error.path, error.code) for error in caught.value.errors] == [("died_at", "out_of_range")]


def test_text_at_the_limits_is_read() -> None:
    assert loads("[" * 32 + "]" * 32) == json.loads("[" * 32 + "]" * 32)
    assert loads('["\\ud83d\\ude00", "\\\\u0000", "[[{{"]') == ["😀", "\\u0000", "[[{{"]
    assert loads("[" + ",".join(["[]"] * 100) + "]") == [[]] * 100
    assert loads("9" * 400) == int("9" * 400)


def test_what_json_cannot_say_is_not_written() -> None:
    for value, code in ((float("nan"), "not_finite"), ({1: object()}, "wrong_type"), ("\ud800", "invalid_text")):
        with pytest.raises(InvalidArgument) as caught:
            dumps(value)
        assert [error.code for error in caught.value.errors] == [code]


def test_a_door_reads_text_and_decoded_values_alike() -> None:
    sent = animal()
    assert parse(zoo().Animal, sent.model_dump_json()) == sent
    assert parse(zoo().Animal, sent.model_dump_json().encode()) == sent
    assert parse(zoo().Animal, sent.model_dump(mode="json")) == sent


@settings(deadline=None)
@given(JSON)
def test_open_json_stays_exact_through_a_door(value: Any) -> None:
    body = animal().model_dump(mode="json") | {"wish": value}
    assert repr(parse(zoo().Animal, dumps(body)).wish) == repr(value)
    assert repr(parse(zoo().Animal, body).wish) == repr(value)


def test_a_door_says_everything_that_is_wrong_at_once() -> None:
    body = animal().model_dump(mode="json")
    del body["name"]
    body |= {"legs": "4", "tame": 1, "weight": 2**63, "gait": "fly", "cage": {"number": 1.5, "colour": "red"}}
    body |= {"born_at": "2026-01-01T00:00:00", "died_at": 0, "nap": "long", "tags": "x", "diet": [], "extra": 1}
    with pytest.raises(InvalidArgument) as caught:
        parse(zoo().Animal, body, path_prefix="animal")
    assert caught.value.reason == "REQUEST_INVALID"
    assert {(error.path.removeprefix("animal."), error.code) for error in caught.value.errors} == {
        ("name", "required"),
        ("legs", "wrong_type"),
        ("tame", "wrong_type"),
        ("weight", "out_of_range"),
        ("gait", "not_one_of"),
        ("cage.number", "wrong_type"),
        ("cage.colour", "unknown_field"),
        ("born_at", "invalid_format"),
        ("died_at", "wrong_type"),
        ("nap", "invalid_format"),
        ("tags", "wrong_type"),
        ("diet", "wrong_type"),
        ("extra", "unknown_field"),
    }
    assert all(error.message.endswith(".") for error in caught.value.errors)


def test_a_refusal_of_a_door_reads_as_sentences() -> None:
    body = animal().model_dump(mode="json") | {"gait": "fly", "legs": 2**31}
    with pytest.raises(InvalidArgument) as caught:
        parse(zoo().Animal, body)
    assert caught.value.errors == (
        FieldError("gait", "not_one_of", "This must be one of 'walk' or 'big_hop'."),
        FieldError("legs", "out_of_range", "This must be at most 2147483647."),
    )
    assert str(caught.value) == "gait: This must be one of 'walk' or 'big_hop'. (and 1 more)"


@pytest.mark.parametrize("given", ["[]", "null", "1", [], None, 1])
def test_a_body_that_is_not_an_object_is_refused(given: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse(zoo().Animal, given)
    assert [(error.path, error.code) for error in caught.value.errors] == [("", "wrong_type")]


@pytest.mark.parametrize("bad", ['{"name":"\\u0000"}', '{"name":NaN}', "{", {"name": "\0"}, {"name": float("inf")}])
def test_text_that_no_room_could_store_is_refused_at_the_door_under_its_prefix(bad: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse(zoo().Animal, bad, path_prefix="body")
    assert caught.value.errors[0].path.startswith("body")


class Arguments(Model):
    """A door's own arguments need no message."""

    size: int = Field(ge=1)
    word: str = Field(min_length=2, max_length=3, pattern="^[a-z]*$")


def test_a_doors_own_model_without_a_message_is_read_too() -> None:
    assert parse(Arguments, '{"size":1,"word":"abc"}') == Arguments(size=1, word="abc")
    with pytest.raises(InvalidArgument) as caught:
        parse(Arguments, '{"size":0,"word":"a"}')
    assert {(error.path, error.code) for error in caught.value.errors} == {
        ("size", "out_of_range"),
        ("word", "too_short"),
    }
