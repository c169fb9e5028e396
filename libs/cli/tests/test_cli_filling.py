"""A form is asked field by field, and what does not fit is asked again with the reason."""

from typing import Any

import pytest
from orkestra.cli.filling import Answer, Dialog, fill
from orkestra.forms import check


class Person:
    """Answers in order; `heard` is what was shown, `asked` what was asked with the default."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, str | None]] = []
        self.heard: list[str] = []

    def fill(self, form: dict[str, Any], proposed: dict[str, Any] | None = None, outcome: str | None = None) -> Answer:
        answer = fill(check(form), proposed or {}, Dialog(self.ask, self.heard.append), outcome=outcome)
        assert self._answers == []
        return answer

    def ask(self, question: str, default: str | None) -> str:
        self.asked.append((question, default))
        return self._answers.pop(0) or default or ""


def test_each_kind_of_value_is_read_from_what_is_typed() -> None:
    form = {
        "who": {"type": "text", "required": True},
        "many": {"type": "integer"},
        "share": {"type": "number"},
        "sure": {"type": "boolean"},
        "mood": {"type": "select", "options": ["good", "bad"]},
        "parts": {"type": "checkboxes", "options": ["red", "green", "blue"]},
        "price": {"type": "money", "currencies": ["EUR"]},
        "when": {"type": "date"},
    }
    person = Person("Ana", "3", "0.5", "y", "2", "red, 3", '{"amount": "20.00", "currency": "EUR"}', "2030-01-31")
    assert person.fill(form).data == {
        "who": "Ana",
        "many": 3,
        "share": 0.5,
        "sure": True,
        "mood": "bad",
        "parts": ["red", "blue"],
        "price": {"amount": "20.00", "currency": "EUR"},
        "when": "2030-01-31",
    }


def test_what_does_not_fit_is_asked_again_with_the_reason_and_what_may_be_absent_is_left_out() -> None:
    form = {"count": {"type": "integer", "min": 1, "required": True}, "note": {"type": "text"}}
    person = Person("", "many", "0", "2", "")
    assert person.fill(form).data == {"count": 2}
    assert person.heard[:2] == ["! This field is required.", "! This must be a whole number."]
    assert "1" in person.heard[2]
    assert person.asked[-1][0].endswith("(may be left out)")


def test_fields_that_an_answer_hides_are_not_asked() -> None:
    form = {
        "refund": {"type": "boolean", "required": True},
        "why": {"type": "text", "required": True, "visible_when": {"field": "refund", "equals": True}},
    }
    assert Person("n").fill(form).data == {"refund": False}
    assert Person("y", "late").fill(form).data == {"refund": True, "why": "late"}


def test_the_outcome_is_asked_first_and_says_what_is_required() -> None:
    form = {
        "fields": {"reason": {"type": "text"}},
        "outcomes": [
            {"key": "approve", "label": "Approve"},
            {"key": "reject", "label": "Reject", "require": ["reason"]},
        ],
    }
    person = Person("perhaps", "reject", "", "too much")
    assert person.fill(form) == Answer({"reason": "too much"}, "reject")
    assert Person("").fill(form, outcome="approve") == Answer({}, "approve")


def test_an_agents_draft_is_what_is_kept_by_saying_nothing() -> None:
    form = {"answer": {"type": "text", "required": True}, "sure": {"type": "boolean"}}
    person = Person("", "n")
    assert person.fill(form, {"answer": "Yes.", "sure": True}).data == {"answer": "Yes.", "sure": False}
    assert [default for _, default in person.asked] == ["Yes.", "y"]


@pytest.mark.parametrize("kind", ["heading", "note"])
def test_what_is_only_shown_is_shown(kind: str) -> None:
    person = Person("x")
    assert person.fill({"top": {"type": kind, "text": "Read this."}, "a": {"type": "text"}}).data == {"a": "x"}
    assert person.heard == ["Read this."]
