"""What a task is found by, and what it is not."""

from datetime import UTC, datetime
from typing import Any

import pytest
from orkestra import forms
from orkestra.rules import Term, terms_of, words_of
from orkestra.rules.finding import page_token, place_of
from orkestra.rules.terms import MAX_WORDS
from orkestra.v1.task import Priority, Task, TaskContext, TaskSort, TaskStatus
from orkestra.wire import InvalidArgument


def terms(**fields: Any) -> frozenset[Term]:
    now = datetime.now(UTC)
    known: dict[str, Any] = {"task_id": "task_1", "tenant_id": "t", "title": "Refund", "version": 1, "revision": 1}
    known |= {"priority": Priority.HIGH, "status": TaskStatus.OPEN, "created_at": now, "updated_at": now}
    return terms_of(Task(**known | fields))


def test_words_are_those_of_title_description_and_context_however_they_are_written() -> None:
    context = TaskContext.model_validate(
        {
            "summary": "**Straße** 5",
            "conversation": [{"role": "user", "text": "Where is my order?"}],
            "links": [{"label": "Dossier", "url": "https://example.com/hidden"}],
            "data": {"customer": {"name": "\uff3aoë"}},
        }
    )
    found = {term for kind, term in terms(description="it's LATE", context=context) if kind == "word"}
    assert found >= {"refund", "it", "s", "late", "strasse", "5", "order", "dossier", "zoë"}
    assert "hidden" not in found
    assert words_of("STRASSE straße Zoë", 10) == ["strasse", "zoë"]


def test_labels_are_found_as_they_are() -> None:
    found = terms(type="refund-approval", tags=["VIP"], correlation="case 7", workflow_id="wf_1")
    assert found == {
        ("word", "refund"),
        ("type", "refund-approval"),
        ("tag", "VIP"),
        ("correlation", "case 7"),
        ("workflow", "wf_1"),
        ("priority", "high"),
    }


def test_data_is_found_by_its_path_through_lists_too() -> None:
    data = {"order": {"id": 2041, "paid": True, "lines": [{"sku": "A"}, {"sku": "B"}]}, "none": None, "rate": 0.5}
    found = {term for kind, term in terms(context=TaskContext(data=data)) if kind == "data"}
    assert found == {
        *("order.id=2041", "order.paid=true", "order.lines.sku=A", "order.lines.sku=B", "none=null", "rate=0.5"),
    }


def test_what_the_form_calls_sensitive_is_not_found_wherever_the_context_has_it() -> None:
    form = forms.check(
        {
            "iban": {"type": "text", "sensitive": True},
            "rows": {"type": "table", "columns": {"pin": {"type": "text", "sensitive": True}}},
        }
    )
    data = {"iban": "DE0001", "customer": {"pin": "4711", "name": "Ana"}, "cards": [{"pin": ["4712"]}]}
    found = terms(
        form=form, context=TaskContext(data=data), draft={"iban": {"value": "DE0001"}}, result={"iban": "DE0001"}
    )
    assert not [term for _, term in found if "4711" in term or "4712" in term or "de0001" in term.casefold()]
    assert ("data", "customer.name=Ana") in found


def test_a_large_context_is_found_by_so_many_words_and_no_more() -> None:
    found = terms(context=TaskContext(summary=" ".join(f"w{n}" for n in range(5000)), data={"long": "x" * 500}))
    assert len([1 for kind, _ in found if kind == "word"]) <= MAX_WORDS
    assert not [term for kind, term in found if kind == "data"]


@pytest.mark.parametrize("token", ["nonsense", page_token(TaskSort.NEWEST, "2030-01-01 00:00:00+00", "task_1")])
def test_a_page_of_another_order_is_refused(token: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        place_of(TaskSort.DUE, token)
    assert [error.path for error in refused.value.errors] == ["page_token"]
