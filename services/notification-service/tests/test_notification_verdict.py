"""What people made of a question, in figures: pure decisions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from orkestra.notification_service.channels.verdict import (
    AgentTrace,
    Score,
    agent_trace,
    edit_distance,
    masked,
    scores_of,
    seconds_in,
    stretches,
)
from orkestra.v1.task import Priority, Task, TaskHistoryEntry, TaskStatus

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
BEGAN = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)


def task(**fields: Any) -> Task:
    known: dict[str, Any] = {
        "task_id": "task_1",
        "tenant_id": "6b0e7a52-6a3b-4b55-9c0c-6f3f5c8c1a11",
        "title": "May it be returned?",
        "priority": Priority.NORMAL,
        "status": TaskStatus.COMPLETED,
        "version": 3,
        "revision": 1,
        "created_at": BEGAN,
        "updated_at": BEGAN + timedelta(minutes=30),
        "completed_at": BEGAN + timedelta(minutes=30),
        "candidate_users": [],
        "candidate_groups": [],
        "excluded_users": [],
        "allow_agents": [],
        "tags": [],
        "change_requests": [],
        "mentioned_users": [],
    }
    return Task(**known | fields)


def entry(event: str, minutes: float, status: str | None) -> TaskHistoryEntry:
    after = {} if status is None else {"status": status}
    return TaskHistoryEntry(sequence=1, event=event, at=BEGAN + timedelta(minutes=minutes), after=after)


@pytest.mark.parametrize(
    ("given", "trace"),
    [
        (f"00-{TRACE}-{SPAN}-01", AgentTrace(TRACE, SPAN)),
        (TRACE, AgentTrace(TRACE)),
        (TRACE.upper(), AgentTrace(TRACE)),
        ("0af76519-16cd-43dd-8448-eb211c80319c", AgentTrace(TRACE)),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        ("0" * 32, None),
        ("my-trace-7", None),
        ("", None),
        (None, None),
    ],
)
def test_a_trace_is_a_traceparent_or_the_id_of_one(given: str | None, trace: AgentTrace | None) -> None:
    assert agent_trace(given) == trace


@pytest.mark.parametrize(
    ("before", "after", "distance"),
    [
        ("yes within thirty days", "yes within thirty days", 0.0),
        ("yes within thirty days", "yes within ten days", 0.25),
        ("yes", "no, never", 1.0),
        ("", "something", 1.0),
        (3, 3, 0.0),
        (3, 4, 1.0),
        ({"a": [1]}, {"a": [1]}, 0.0),
        ("3", None, 1.0),
        ("a " * 5000, "b " * 5000, 1.0),
    ],
)
def test_the_distance_is_the_share_of_words_to_change(before: Any, after: Any, distance: float) -> None:
    assert edit_distance(before, after) == distance


def test_time_is_spent_waiting_for_somebody_working_and_waiting_for_the_requester() -> None:
    history = [
        entry("created", 0, "open"),
        entry("claimed", 5, "claimed"),
        entry("released", 6, "open"),
        entry("claimed", 10, "claimed"),
        entry("commented", 11, None),
        entry("changes_requested", 12, "waiting"),
        entry("answered", 20, "claimed"),
        entry("completed", 30, "completed"),
    ]
    spent = stretches(task(), history)
    assert [one.phase for one in spent] == ["queue", "active", "queue", "active", "waiting", "active"]
    assert {phase: seconds_in(phase, spent) / 60 for phase in ("queue", "active", "waiting")} == {
        "queue": 9,
        "active": 13,
        "waiting": 8,
    }


def test_a_task_answered_without_a_claim_only_waited() -> None:
    spent = stretches(task(), [entry("created", 0, "open"), entry("completed", 30, "completed")])
    assert [(one.phase, one.ended - one.began) for one in spent] == [("queue", timedelta(minutes=30))]


def test_a_kept_draft_is_agreement_and_a_changed_one_is_not() -> None:
    draft = {"answer": {"value": "Yes, you may", "confidence": 0.7}, "days": {"value": 30}}
    kept = task(draft=draft, result={"answer": "Yes, you may", "days": 30, "sentiment": "positive"}, outcome="send")
    changed = task(draft=draft, result={"answer": "No, you may", "days": 30})
    assert scores_of(kept) == [
        Score("outcome", "send", "CATEGORICAL"),
        Score("human_agreement", 1.0, "BOOLEAN"),
        Score("edit_distance", 0.0, "NUMERIC"),
        Score("sentiment", "positive", "CATEGORICAL"),
    ]
    assert scores_of(changed) == [
        Score("outcome", "completed", "CATEGORICAL"),
        Score("human_agreement", 0.0, "BOOLEAN"),
        Score("edit_distance", 0.1667, "NUMERIC"),
    ]


def test_what_nobody_answered_is_scored_by_how_it_ended() -> None:
    expired = task(status=TaskStatus.EXPIRED, draft={"answer": {"value": "Yes"}}, completed_at=None)
    assert scores_of(expired) == [Score("outcome", "expired", "CATEGORICAL")]


def test_sensitive_values_are_masked_wherever_they_are() -> None:
    secret = {"type": "string", "x-orkestra": {"type": "text", "sensitive": True}}
    schema = {
        "properties": {
            "iban": secret,
            "note": {"type": "string"},
            "payers": {"type": "array", "items": {"properties": {"iban": secret}}},
            "sentiment": secret,
        }
    }
    values = {"iban": "DE02", "note": "fine", "payers": [{"iban": "DE03", "name": "Ann"}], "sentiment": None}
    assert masked(values, schema) == {
        "iban": "[sensitive]",
        "note": "fine",
        "payers": [{"iban": "[sensitive]", "name": "Ann"}],
        "sentiment": None,
    }
    hidden = task(form=schema, result={"sentiment": "frustrated"})
    assert [score.name for score in scores_of(hidden)] == ["outcome"]
