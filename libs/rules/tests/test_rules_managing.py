"""Clocks on a calendar while work changes hands: what is paused, restarted, moved, performed once, and measured."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from orkestra.rules import (
    Decision,
    audience,
    audiences_of,
    decide_answer,
    decide_assign,
    decide_claim,
    decide_complete,
    decide_delegate,
    decide_escalate,
    decide_release,
    decide_request_changes,
    decide_update,
    due,
    is_live,
    visible,
    wake_in,
    working_time,
)
from orkestra.v1.task import (
    AnswerTaskRequest,
    AssignTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    DelegateTaskRequest,
    EscalateTaskRequest,
    Priority,
    ReleaseTaskRequest,
    RequestChangesRequest,
    Sla,
    Task,
    TaskStatus,
    UpdateTaskRequest,
)
from orkestra.wire import Error, InvalidArgument, Principal
from task_cases import AGENT, ANA, BOB, MANAGER, NOW, STRANGER, WORKER, created, person

BEN = person("ben", groups=("l1",))
BERLIN = ZoneInfo("Europe/Berlin")


def at(day: int, clock: str) -> datetime:
    """A moment of January 2026 in Berlin: the 5th, when every task is created at 10:00, is a Monday."""
    return datetime.fromisoformat(f"2026-01-{day:02} {clock}").replace(tzinfo=BERLIN)


def sla_of(task: Task) -> Sla:
    assert task.sla is not None
    return task.sla


def on_calendar(**policy: Any) -> dict[str, Any]:
    return {"sla": {"complete": "16h", "calendar": "office", **policy}}


def claimed(task: Task, now: datetime) -> Task:
    return decide_claim(task, ANA, now, ClaimTaskRequest(task_id=task.task_id)).task


def test_deadlines_and_steps_are_counted_on_the_calendar() -> None:
    steps: list[dict[str, Any]] = [
        {"after": "50%", "remind": True},
        {"after": "7h", "priority": "high"},
        {"after": "90m", "clock": "claim", "remind": True},
    ]
    task = created(**on_calendar(claim="1h", escalate=steps))
    sla = sla_of(task)
    assert (sla.claim_by, sla.complete_by, sla.calendar_version) == (at(5, "11:00"), at(8, "10:00"), 3)
    fired = [(change.event, change.task.version) for change in due(task, at(7, "10:00"))]
    assert fired == [("sla_breached", 2), ("reminder_due", 3), ("escalated", 4), ("reminder_due", 5)]
    assert wake_in(task, at(5, "10:00")) == timedelta(hours=1)
    late = claimed(task, at(5, "10:30"))
    assert [change.event for change in due(late, at(5, "16:59"))] == []
    assert [change.event for change in due(late, at(5, "17:00"))] == ["escalated"]
    assert [change.event for change in due(late, at(8, "10:00"))] == ["escalated", "reminder_due", "expired"]


def test_a_pause_moves_what_is_due_by_the_hours_that_count() -> None:
    task = claimed(created(AGENT, **on_calendar(escalate=[{"after": "12h", "remind": True}])), at(5, "10:00"))
    asked = RequestChangesRequest(task_id=task.task_id, message="Why?", answer_within="30d")
    task = decide_request_changes(task, ANA, at(5, "16:00"), asked).task
    assert wake_in(task, at(5, "16:00")) == timedelta(days=30)
    answer = AnswerTaskRequest(task_id=task.task_id, message="So.")
    task = decide_answer(task, AGENT, at(8, "11:00"), answer).task  # 1 h on Monday, 8 h on Wednesday, 2 h on Thursday
    assert sla_of(task).complete_by == at(9, "13:00")
    assert sla_of(task).next_step_at == at(8, "17:00")
    assert (task.time_to_claim, task.time_active, task.time_waiting) == (
        timedelta(),
        timedelta(hours=6),
        timedelta(days=2, hours=19),
    )


def test_a_clock_that_nobody_answers_runs_on_from_the_time_to_answer() -> None:
    task = claimed(created(AGENT, **on_calendar()), at(5, "10:00"))
    asked = RequestChangesRequest(task_id=task.task_id, message="Why?", answer_within="4h")
    task = decide_request_changes(task, ANA, at(5, "15:00"), asked).task
    [change] = due(task, at(7, "12:00"))
    assert (change.task.status, sla_of(change.task).complete_by) == (TaskStatus.CLAIMED, at(8, "12:00"))
    assert change.task.status_since == at(5, "19:00")
    assert change.task.time_waiting == timedelta(hours=4)


def test_the_time_to_claim_begins_again_with_new_hands_and_may_be_missed_again() -> None:
    task = created(**on_calendar(claim="2h"))
    [missed] = due(task, at(5, "13:00"))
    assert (missed.event, sla_of(missed.task).claim_missed_at) == ("sla_breached", at(5, "12:00"))
    request = AssignTaskRequest(task_id=task.task_id, candidate_groups=["l2"], reason="Ill.")
    given = decide_assign(missed.task, MANAGER, at(5, "16:00"), request).task
    assert (sla_of(given).claim_by, sla_of(given).complete_by) == (at(7, "10:00"), at(8, "10:00"))
    assert [change.event for change in due(given, at(7, "10:00"))] == ["sla_breached"]


def test_a_task_that_is_kept_is_breached_by_each_of_its_clocks() -> None:
    task = created(sla={"claim": "1h", "complete": "2h", "at_end": "keep"})
    changes = due(task, NOW + timedelta(hours=3))
    assert [change.event for change in changes] == ["sla_breached", "sla_breached"]
    sla = sla_of(changes[-1].task)
    assert (sla.claim_missed_at, sla.complete_missed_at) == (NOW + timedelta(hours=1), NOW + timedelta(hours=2))
    later = UpdateTaskRequest(task_id=task.task_id, complete_by=NOW + timedelta(hours=5))
    moved = decide_update(changes[-1].task, MANAGER, NOW + timedelta(hours=3), later).task
    assert [change.event for change in due(moved, NOW + timedelta(hours=5))] == ["sla_breached"]


def test_a_due_time_that_is_moved_moves_what_is_a_share_of_it() -> None:
    task = claimed(created(**on_calendar(escalate=[{"after": "50%", "remind": True}])), at(5, "10:00"))
    later = UpdateTaskRequest(task_id=task.task_id, complete_by=at(10, "12:00"))  # a Saturday
    moved = decide_update(task, MANAGER, at(5, "10:00"), later).task
    assert sla_of(moved).complete_by == at(10, "12:00")
    assert sla_of(moved).next_step_at == at(8, "09:30")  # half of the 31 h from Monday to Friday, Tuesday is a holiday
    assert [change.event for change in due(moved, at(9, "23:00"))] == ["reminder_due"]
    assert [change.event for change in due(moved, at(10, "12:00"))] == ["reminder_due", "expired"]


def test_a_step_performed_by_hand_is_not_performed_again() -> None:
    steps = [{"after": "2h", "assign_to": {"users": ["user_bob"]}}, {"after": "1h", "priority": "urgent"}]
    task = created(**on_calendar(claim="4h", escalate=steps))
    by_hand = EscalateTaskRequest(task_id=task.task_id, reason="Called.")
    first = decide_escalate(task, MANAGER, at(5, "10:10"), by_hand)
    assert [(change.event, change.actor, change.reason) for change in first.changes] == [
        ("escalated", MANAGER.subject, "Called.")
    ]
    assert (first.task.priority, sla_of(first.task).performed_steps) == (Priority.URGENT, [1])
    second = decide_escalate(first.task, MANAGER, at(5, "10:20"), by_hand).task
    assert (second.assignee, sla_of(second).claim_by) == (BOB.subject, at(5, "14:20"))
    assert [change.event for change in due(second, at(5, "16:00"))] == ["sla_breached"]


def test_due_steps_come_before_what_is_done_by_hand() -> None:
    task = created(sla={"complete": "1h"})
    late = NOW + timedelta(hours=2)
    for decision in (
        decide_update(task, MANAGER, late, UpdateTaskRequest(task_id=task.task_id, priority=Priority.LOW)),
        decide_assign(task, MANAGER, late, AssignTaskRequest(task_id=task.task_id, assignee="user_bob", reason="x")),
        decide_escalate(task, MANAGER, late, EscalateTaskRequest(task_id=task.task_id)),
    ):
        assert [change.event for change in decision.changes] == ["expired"]
        assert decision.refusal is not None
        assert decision.refusal.reason == "TASK_NOT_LIVE"


def test_a_form_that_the_default_does_not_fit_is_refused() -> None:
    task = created(sla={"complete": "9h", "at_end": "default", "default_result": {"answer": "no"}})
    request = UpdateTaskRequest(task_id=task.task_id, form={"other": {"type": "integer"}})
    refusal = decide_update(task, MANAGER, NOW, request).refusal
    assert isinstance(refusal, InvalidArgument)
    assert [(error.path, error.code) for error in refusal.errors] == [("form", "default_unfit")]


CALLS = (
    "claim",
    "release",
    "assign",
    "delegate",
    "update",
    "escalate",
    "request_changes",
    "answer",
    "complete",
    "wait",
)
PEOPLE = (ANA, BEN, BOB, MANAGER, AGENT, WORKER)


def call(name: str, task: Task, principal: Principal, now: datetime) -> Decision:  # noqa: PLR0911 - one for each
    task_id = task.task_id
    match name:
        case "claim":
            return decide_claim(task, principal, now, ClaimTaskRequest(task_id=task_id))
        case "release":
            return decide_release(task, principal, now, ReleaseTaskRequest(task_id=task_id))
        case "assign":
            request = AssignTaskRequest(task_id=task_id, assignee=BEN.subject, reason="So.")
            return decide_assign(task, principal, now, request)
        case "delegate":
            handed = DelegateTaskRequest(task_id=task_id, assignee=BEN.subject, reason="So.")
            return decide_delegate(task, principal, now, handed, groups=BEN.groups)
        case "update":
            later = UpdateTaskRequest(task_id=task_id, complete_by=now + timedelta(hours=30))
            return decide_update(task, principal, now, later)
        case "escalate":
            return decide_escalate(task, principal, now, EscalateTaskRequest(task_id=task_id))
        case "request_changes":
            asked = RequestChangesRequest(task_id=task_id, message="Why?", answer_within="20h")
            return decide_request_changes(task, principal, now, asked)
        case "answer":
            return decide_answer(task, principal, now, AnswerTaskRequest(task_id=task_id, message="So."))
        case "complete":
            return decide_complete(task, principal, now, CompleteTaskRequest(task_id=task_id, data={"answer": "x"}))
    changes = due(task, now)
    return Decision(changes[-1].task if changes else task, changes)


CHAIN = [
    {"after": "2h", "remind": True},
    {"after": "50%", "assign_to": {"groups": ["l1", "l2"]}},
    {"after": "1h", "clock": "claim", "priority": "high"},
    {"after": "75%", "clock": "claim", "notify": ["group:l2"]},
]


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(["office", None]),
    st.sampled_from(["expire", "keep"]),
    st.lists(
        st.tuples(st.sampled_from(CALLS), st.sampled_from(PEOPLE), st.integers(1, 20 * 60)), min_size=1, max_size=12
    ),
)
def test_whatever_happens_steps_fire_once_in_time_and_durations_add_up(
    calendar: str | None, at_end: str, calls: list[tuple[str, Principal, int]]
) -> None:
    sla = {"claim": "3h", "complete": "12h", "at_end": at_end, "calendar": calendar, "escalate": CHAIN}
    task, now = created(AGENT, sla=sla), NOW
    for name, principal, minutes in calls:
        now += timedelta(minutes=minutes)
        before, left = task, wake_in(task, now)
        decision = call(name, task, principal, now)
        task = decision.task
        assert bool([change for change in decision.changes if change.actor is None]) == (left == timedelta()) or (
            not is_live(before.status)
        )
        if due(task, now):  # a due time that was moved nearer; the alarm, which it sets again, rings at once
            assert (name, wake_in(task, now)) == ("update", timedelta())
        assert task.version - before.version == sum(change.is_event for change in decision.changes)
        performed = sla_of(task).performed_steps
        assert len(performed) == len(set(performed)) == sla_of(task).escalation_level
        parts = (task.time_to_claim, task.time_active, task.time_waiting, task.time_paused)
        assert task.status_since is not None
        assert sum((part or timedelta() for part in parts), timedelta()) == task.status_since - task.created_at
        for each in (*PEOPLE, STRANGER):
            assert visible(each, task) == (not set(audience(task)).isdisjoint(audiences_of(each)))
        if is_live(task.status):
            found = sla_of(task).next_step_at
            assert wake_in(task, now) == (None if found is None else max(found - now, timedelta()))


@pytest.mark.parametrize("field", ["claim_started_at", "complete_started_at"])
def test_deadlines_stay_as_far_from_the_start_of_their_clock_as_the_policy_says(field: str) -> None:
    task = claimed(created(AGENT, **on_calendar(claim="3h")), at(5, "12:00"))
    counting = working_time(sla_of(task).hours)
    for day in (7, 8, 9):
        asked = RequestChangesRequest(task_id=task.task_id, message="Why?")
        task = decide_request_changes(task, ANA, at(day, "09:30"), asked).task
        task = decide_answer(task, AGENT, at(day, "12:10"), AnswerTaskRequest(task_id=task.task_id, message="So.")).task
        sla = sla_of(task)
        began, by = getattr(sla, field), sla.claim_by if field == "claim_started_at" else sla.complete_by
        assert by is not None
        assert counting.between(began, by) == timedelta(hours=3 if field == "claim_started_at" else 16)


def test_a_refusal_keeps_what_was_due() -> None:
    task = created(sla={"complete": "9h", "escalate": [{"after": "1h", "priority": "high"}]})
    request = DelegateTaskRequest(task_id=task.task_id, assignee=STRANGER.subject, reason="So.")
    decision = decide_delegate(task, MANAGER, NOW + timedelta(hours=2), request, groups=())
    assert isinstance(decision.refusal, Error)
    assert [change.event for change in decision.changes] == ["escalated"]
