from datetime import timedelta
from typing import Any

import pytest
from orkestra.rules import (
    Change,
    audience,
    audiences_of,
    clock_state,
    decide_answer,
    decide_claim,
    decide_complete,
    decide_request_changes,
    decide_save_draft,
    due,
    shown_to,
    visible,
    wake_in,
)
from orkestra.rules.actions import digest_of, digests_of
from orkestra.rules.receipts import ReceiptKey, read_receipt
from orkestra.v1.task import (
    Action,
    AnswerTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    Task,
    TaskContext,
    TaskStatus,
)
from orkestra.wire import InvalidArgument, NotFound
from task_cases import AGENT, ANA, MANAGER, NOW, STRANGER, TENANT, WORKER, created

KEY = ReceiptKey("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
HOUR = timedelta(hours=1)


def held(**fields: Any) -> Task:
    task = created(AGENT, **fields)
    return decide_claim(task, ANA, NOW, ClaimTaskRequest(task_id=task.task_id)).task


def waiting(task: Task, **fields: Any) -> Task:
    request = RequestChangesRequest(task_id=task.task_id, message="Why?", **fields)
    decision = decide_request_changes(task, ANA, NOW + HOUR, request)
    assert decision.refusal is None
    return decision.task


def test_every_deadline_moves_by_the_time_that_the_task_waited() -> None:
    steps = [{"after": "4h", "remind": True}]
    task = waiting(held(sla={"claim": "30m", "complete": "8h", "escalate": steps}))
    assert wake_in(task, NOW + HOUR) == timedelta(hours=24)
    assert due(task, NOW + 20 * HOUR) == ()
    request = AnswerTaskRequest(task_id=task.task_id, message="So.")
    back = decide_answer(task, AGENT, NOW + 6 * HOUR, request).task
    assert back.sla is not None
    assert (back.sla.complete_by, back.sla.next_step_at) == (NOW + 13 * HOUR, NOW + 9 * HOUR)
    assert [change.event for change in due(back, NOW + 14 * HOUR)] == ["reminder_due", "expired"]


def test_when_nobody_answers_the_clock_gives_the_task_back_as_of_the_time_to_answer() -> None:
    task = waiting(held(sla={"complete": "3h"}), answer_within="2h")
    changes = due(task, NOW + 100 * HOUR)
    assert [(change.event, change.actor) for change in changes] == [("updated", None), ("expired", None)]
    back = changes[0].task
    assert back.sla is not None
    assert (back.status, back.sla.complete_by) == (TaskStatus.CLAIMED, NOW + 5 * HOUR)
    assert back.change_requests[0].closed_at == NOW + 3 * HOUR


def test_a_task_without_a_policy_has_a_clock_only_while_it_waits() -> None:
    task = waiting(held())
    state = clock_state(task, NOW + HOUR)
    assert (state.wake_in, state.change_request) == (timedelta(hours=24), task.change_requests[0])
    [change] = due(task, NOW + 25 * HOUR)
    assert (change.task.status, change.task.sla) == (TaskStatus.CLAIMED, None)


def test_a_new_form_keeps_of_drafts_what_it_has_fields_for() -> None:
    form = {"a": {"type": "text"}, "b": {"type": "text"}}
    task = waiting(held(form=form, draft={"a": {"value": "1"}, "b": {"value": "2"}}))
    task = decide_save_draft(task, ANA, NOW + HOUR, SaveDraftRequest(task_id=task.task_id, data={"a": "1"})).task
    request = AnswerTaskRequest(task_id=task.task_id, message="So.", form={"b": {"type": "text"}})
    back = decide_answer(task, AGENT, NOW + 2 * HOUR, request).task
    assert (back.draft, back.saved, back.revision) == ({"b": {"value": "2"}}, {}, 2)


def test_a_new_form_fits_the_result_that_the_policy_gives() -> None:
    sla = {"complete": "9h", "at_end": "default", "default_result": {"answer": "no"}}
    task = waiting(held(sla=sla))
    request = AnswerTaskRequest(task_id=task.task_id, message="So.", form={"other": {"type": "integer"}})
    refusal = decide_answer(task, AGENT, NOW + 2 * HOUR, request).refusal
    assert isinstance(refusal, InvalidArgument)
    assert [(error.path, error.code) for error in refusal.errors] == [("form", "default_unfit")]


def test_drafts_are_in_no_history() -> None:
    task = held()
    saved = decide_save_draft(task, ANA, NOW, SaveDraftRequest(task_id=task.task_id, data={"answer": "x"}))
    assert (saved.changes, saved.task.version) == ((), task.version)
    assert Change("released", saved.task, saved.task.model_copy(update={"saved": None}), NOW).fields() == ({}, {})


def test_a_task_that_is_hidden_is_not_there_whatever_is_sent() -> None:
    task = held()
    huge = {"answer": "x" * 300_000}
    for decision in (
        decide_complete(task, STRANGER, NOW, CompleteTaskRequest(task_id=task.task_id, data=huge)),
        decide_save_draft(task, STRANGER, NOW, SaveDraftRequest(task_id=task.task_id, data=huge)),
        decide_request_changes(task, STRANGER, NOW, RequestChangesRequest(task_id=task.task_id, message="x" * 20_000)),
    ):
        assert isinstance(decision.refusal, NotFound)


def test_whoever_is_mentioned_sees_the_task() -> None:
    task = created().model_copy(update={"mentioned_users": [STRANGER.subject]})
    assert visible(STRANGER, task)
    assert not set(audiences_of(STRANGER)).isdisjoint(audience(task))


def test_partial_values_and_tokens_are_shown_to_those_they_are_for() -> None:
    task = held(context=TaskContext(action=Action(name="refund")))
    task = task.model_copy(update={"saved": {"answer": "x"}, "saved_at": NOW})
    assert shown_to(ANA, task) == task
    for principal in (MANAGER, AGENT, WORKER):
        assert shown_to(principal, task).saved is None
    done = decide_complete(
        task, ANA, NOW, CompleteTaskRequest(task_id=task.task_id, data={"answer": "x"}), issue=KEY.issue
    ).task
    assert done.receipt is not None
    tokens = {principal.subject: shown_to(principal, done).receipt for principal in (ANA, MANAGER, AGENT, WORKER)}
    shown = {subject for subject, receipt in tokens.items() if receipt and receipt.token}
    assert shown == {AGENT.subject, WORKER.subject}
    assert read_receipt(done.receipt.token, KEY.jwks(), tenant_id=TENANT) == done.receipt


def test_the_digest_is_that_of_the_canonical_json() -> None:
    assert digest_of({"b": 1, "a": [1.0, "\u00e9"]}) == digest_of({"a": [1, "é"], "b": 1.0})
    empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    assert digest_of({}) == empty


@pytest.mark.parametrize("change", ["name", "args", "title", "description", "context", "form"])
def test_the_digest_changes_with_whatever_is_decided_on(change: str) -> None:
    parts: dict[str, Any] = {"name": "refund", "args": {"n": 1}, "title": "t", "description": None}
    parts |= {"context": {"summary": "s"}, "form": {"x": 1}}

    def digest(**parts: Any) -> str:
        context = TaskContext(**parts["context"], action=Action(name=parts["name"], args=parts["args"]))
        found = digests_of(parts["title"], parts["description"], context, parts["form"])
        assert found is not None
        return found.action

    other = {"args": {"n": 2}, "context": {"summary": "other"}, "form": {"x": 2}}.get(change, "other")
    assert digest(**parts) == digest(**parts)
    assert digest(**parts) != digest(**parts | {change: other})


def test_a_decision_of_the_policy_has_no_receipt() -> None:
    sla = {"complete": "1h", "at_end": "default", "default_result": {"answer": "no"}}
    task = created(AGENT, context=TaskContext(action=Action(name="refund")), sla=sla)
    [change] = due(task, NOW + HOUR)
    assert (change.event, change.task.receipt) == ("completed", None)
