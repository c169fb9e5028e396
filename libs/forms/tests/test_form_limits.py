"""Hostile forms and answers: refused with their place, in little time, without asking anybody else."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from time import process_time
from typing import Any

import pytest
from orkestra.forms import Invalid, check, check_schema, validate
from orkestra.forms.patterns import steps

MOST_SECONDS = 1.5
"""Of the processor; far above what is measured (0.3 s), far below what a hostile form would take."""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize("take", [check, check_schema])
def test_a_remote_reference_is_refused_with_its_place_and_nobody_is_asked(
    listener: socket.socket, take: Callable[[Any], Any]
) -> None:
    here = f"http://127.0.0.1:{listener.getsockname()[1]}/schema.json"
    form = {
        "type": "object",
        "properties": {"a": {"$ref": here}, "b": {"type": "array", "items": {"$ref": f"{here}#/x"}}},
        "$defs": {"c": {"$ref": here}},
    }
    with pytest.raises(Invalid) as caught:
        take(form)
    found = {(problem.path, problem.code) for problem in caught.value.problems}
    assert {("properties.a.$ref", "ref_leaves_document"), ("properties.b.items.$ref", "ref_leaves_document")} <= found
    with pytest.raises(BlockingIOError):
        listener.accept()


def _deep() -> dict[str, Any]:
    form: Any = {"type": "object", "properties": {"a": {"type": "string"}}}
    for _ in range(5000):
        form = {"type": "object", "properties": {"a": form}}
    return {"a": {"type": "json", "default": form}}


HOSTILE: dict[str, Callable[[], Any]] = {
    "10,000 fields": lambda: {f"f{n}": {"type": "text"} for n in range(10_000)},
    "10,000 properties": lambda: {
        "type": "object",
        "properties": {f"f{n}": {"type": "string"} for n in range(10_000)},
    },
    "deep nesting": _deep,
    "100,000 options": lambda: {"a": {"type": "select", "options": list(range(100_000))}},
    "200 slow patterns": lambda: {
        f"f{n}": {"type": "text", "pattern": f"^((\\p{{L}}{{1,30}}){{1,9}}x{n})+$"} for n in range(200)
    },
    "repeated repetition": lambda: {"a": {"type": "text", "pattern": "((a{1,99}){1,99}){1,99}"}},
    "look-ahead": lambda: {"a": {"type": "text", "pattern": "^(?=(a+)+b)"}},
    "back-reference": lambda: {"a": {"type": "text", "pattern": "(a+)\\1"}},
    "wide tables": lambda: {
        f"t{n}": {"type": "table", "columns": {f"c{m}": {"type": "text"} for m in range(60)}, "max_items": 100_000}
        for n in range(3)
    },
    "long condition": lambda: {
        "a": {"type": "text"},
        "b": {"type": "text", "visible_when": {"any": [{"field": "a", "equals": n} for n in range(10_000)]}},
    },
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_form_is_refused_in_little_time(name: str) -> None:
    form = HOSTILE[name]()
    began = process_time()
    with pytest.raises(Invalid) as caught:
        check(form)
    assert process_time() - began < MOST_SECONDS
    assert len(caught.value.problems) >= 1


@pytest.mark.parametrize(
    ("form", "data"),
    [
        ({"a": {"type": "text", "pattern": "^(a+)+$"}}, {"a": "a" * 200_000 + "!"}),
        ({"a": {"type": "text", "pattern": "^(a{1,900})+$"}}, {"a": "a" * 1000}),
        (
            {"t": {"type": "table", "columns": {"a": {"type": "text", "pattern": "^(a{1,900})+$"}}}},
            {"t": [{"a": "a" * 1000}] * 200},
        ),
        ({"t": {"type": "table", "columns": {f"c{n}": {"type": "text"} for n in range(190)}}}, {"t": [{}] * 80_000}),
        (
            {
                "t": {
                    "type": "table",
                    "max_items": 2500,
                    "columns": {
                        "a": {"type": "text", "required_when": {"field": "b", "in": list(range(20))}},
                        "b": {"type": "text"},
                    },
                }
            },
            {"t": [{}] * 2500},
        ),
        ({"a": {"type": "multiselect", "options": list(range(1000))}}, {"a": list(range(40_000))}),
        ({"a": {"type": "json"}}, {"a": [[]] * 100_000}),
        ({"a": {"type": "text"}}, {f"x{n}": 1 for n in range(20_000)}),
    ],
)
def test_no_answer_takes_long_to_check(form: dict[str, Any], data: dict[str, Any]) -> None:
    schema = check(form)
    began = process_time()
    with suppress(Invalid):
        validate(schema, data)
    assert process_time() - began < MOST_SECONDS


def test_patterns_of_one_answer_have_a_limit_together() -> None:
    schema = check({"t": {"type": "table", "columns": {"a": {"type": "text", "pattern": "^(a{1,900})+$"}}}})
    with pytest.raises(Invalid) as caught:
        validate(schema, {"t": [{"a": "a" * 1000}] * 200})
    assert {problem.code for problem in caught.value.problems} == {"too_complex"}


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("abc", 3),
        ("a{5}", 5),
        ("(ab){2,3}", 6),
        ("[a-z]{4}", 8),
        (r"\d\.\d{2}", 8),
        ("(a{10}){10}", 100),
        (r"\p{L}+", 2),
    ],
)
def test_counted_repetitions_are_written_out_to_say_how_slow_a_pattern_is(pattern: str, count: int) -> None:
    assert steps(pattern) == count


def test_a_long_list_of_errors_ends_after_two_hundred() -> None:
    schema = check({"t": {"type": "table", "columns": {f"c{n}": {"type": "integer"} for n in range(10)}}})
    with pytest.raises(Invalid) as caught:
        validate(schema, {"t": [{f"c{n}": "x" for n in range(10)}] * 100})
    assert len(caught.value.problems) == 200
