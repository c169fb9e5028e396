from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from orkestra.rules import (
    check_policy,
    clock_state,
    decide_advance,
    decide_claim,
    decide_complete,
    decide_release,
    due,
    parse_duration,
    parse_share,
    wake_in,
)
from orkestra.v1.task import ClaimTaskRequest, CompleteTaskRequest, ReleaseTaskRequest, SlaPolicy, Task, TaskStatus
from orkestra.wire import FailedPrecondition
from task_cases import ANA, BOB, NOW, WORKER, created


def at(**duration: float) -> datetime:
    return NOW + timedelta(**duration)


def claim(task: Task, now: datetime) -> Task:
    decision = decide_claim(task, ANA, now, ClaimTaskRequest(task_id=task.task_id))
    assert decision.refusal is None
    return decision.task


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("45s", 45),
        ("30m", 1800),
        ("2h", 7200),
        ("1d", 86400),
        ("1w", 604800),
        ("1h30m", 5400),
        ("1d2h3m4s", 93784),
        ("PT30M", 1800),
        ("P1D", 86400),
        ("P1DT2H", 93600),
        ("P2W", 1209600),
        ("PT1H30M5S", 5405),
    ],
)
def test_a_duration_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0s",
        "5",
        "m",
        "-5m",
        "1.5h",
        "1m1h",
        "5 m",
        "P",
        "PT",
        "P1M",
        "P1Y",
        "P1DT",
        "9999999d",
        "4000d",
        "\u0661m",
        "1H",
    ],
)
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|longer"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["", "%", "0%", "-5%", "50", "5000%", "50 %", "1e2%"])
def test_anything_else_is_no_share(text: str) -> None:
    with pytest.raises(ValueError, match="share"):
        parse_share(text)


def test_the_story_with_an_sla_of_three_seconds() -> None:
    steps = [{"after": "1s", "assign_to": {"groups": ["l2"]}}]
    task = claim(created(sla={"complete": "3s", "escalate": steps}), NOW)
    assert wake_in(task, NOW) == timedelta(seconds=1)
    assert due(task, at(milliseconds=999)) == ()
    first = decide_advance(task, WORKER, at(seconds=1))
    assert [change.event for change in first.changes] == ["escalated"]
    assert (first.task.status, first.task.assignee, first.task.candidate_groups) == (TaskStatus.OPEN, None, ["l2"])
    assert {"group:l1", "group:l2", "user:user_ana"} <= set(first.changes[0].audience)
    assert clock_state(first.task, at(seconds=1)).wake_in == timedelta(seconds=2)
    last = decide_advance(first.task, WORKER, at(seconds=3))
    assert [change.event for change in last.changes] == ["expired"]
    state = clock_state(last.task, at(seconds=3))
    assert (state.status, state.wake_in, last.task.sla and last.task.sla.breached) == (TaskStatus.EXPIRED, None, True)
    assert decide_advance(last.task, WORKER, at(days=1)).changes == ()


def test_steps_that_are_due_at_once_are_performed_in_order_and_each_once() -> None:
    steps: list[dict[str, Any]] = [
        {"after": "75%", "priority": "urgent"},
        {"after": "10m", "remind": True},
        {"after": "20m", "add_group": "l2", "notify": ["group:leads"]},
    ]
    task = created(sla={"complete": "1h", "escalate": steps})
    changes = due(task, at(hours=2))
    assert [change.event for change in changes] == ["reminder_due", "escalated", "escalated", "expired"]
    assert [change.task.version for change in changes] == [2, 3, 4, 5]
    sla = changes[-1].task.sla
    assert sla is not None
    assert (sla.performed_steps, sla.escalation_level, sla.next_step_at) == ([1, 2, 0], 3, None)
    assert (changes[-1].task.priority, changes[-1].task.candidate_groups) == ("urgent", ["l1", "l2"])


def test_a_step_that_reassigns_restarts_the_time_to_claim_only() -> None:
    steps = [
        {"clock": "claim", "after": "15m", "assign_to": {"users": ["user_bob"]}},
        {"clock": "claim", "after": "20m", "remind": True},
    ]
    task = created(sla={"claim": "30m", "complete": "2h", "escalate": steps})
    changes = due(task, at(minutes=15))
    sla = changes[-1].task.sla
    assert sla is not None
    assert changes[-1].task.assignee == "user_bob"
    assert (sla.claim_by, sla.complete_by, sla.next_step_at) == (at(minutes=45), at(hours=2), at(minutes=35))


def test_claiming_silences_the_time_to_claim_and_releasing_restarts_it() -> None:
    steps = [{"clock": "claim", "after": "10m", "remind": True}]
    task = created(sla={"claim": "15m", "complete": "2h", "escalate": steps})
    assert wake_in(task, NOW) == timedelta(minutes=10)
    task = claim(task, at(minutes=5))
    assert wake_in(task, at(minutes=5)) == timedelta(minutes=115)
    task = decide_release(task, ANA, at(minutes=60), ReleaseTaskRequest(task_id=task.task_id)).task
    assert task.sla
    assert (task.sla.claim_by, task.sla.next_step_at, task.sla.complete_by) == (
        at(minutes=75),
        at(minutes=70),
        at(hours=2),
    )
    assert [change.event for change in due(task, at(minutes=80))] == ["reminder_due", "sla_breached"]


def test_an_answer_after_the_deadline_is_late_even_if_no_alarm_has_rung() -> None:
    task = created(sla={"complete": "30m"})
    answer = CompleteTaskRequest(task_id=task.task_id, data={"answer": "late"})
    on_time = decide_complete(task, ANA, at(minutes=29), answer)
    assert on_time.task.status == TaskStatus.COMPLETED
    late = decide_complete(task, ANA, at(minutes=30), answer)
    assert isinstance(late.refusal, FailedPrecondition)
    assert (late.refusal.reason, late.refusal.current) == ("TASK_NOT_LIVE", late.task)
    assert [(change.event, change.is_event) for change in late.changes] == [("expired", True), ("late_answer", False)]
    assert late.changes[-1].fields() == ({}, {"late_answer": {"data": {"answer": "late"}, "outcome": None}})
    assert late.changes[-1].actor == ANA.subject


def test_the_end_default_gives_the_result_prepared() -> None:
    sla = {"complete": "1h", "at_end": "default", "default_result": {"answer": "no", "other": None}}
    with pytest.raises(Exception, match="cannot be opened"):
        created(sla=sla)
    task = created(sla={**sla, "default_result": {"answer": "no"}})
    state = clock_state(decide_advance(task, WORKER, at(hours=1)).task, at(hours=1))
    assert (state.status, state.result, state.decided_by) == (TaskStatus.COMPLETED, {"answer": "no"}, "policy")


def test_the_end_keep_leaves_the_task_open_and_breached() -> None:
    steps = [{"after": "2h", "assign_to": {"groups": ["l2"]}}]
    task = created(sla={"complete": "1h", "at_end": "keep", "escalate": steps})
    changes = due(task, at(hours=3))
    assert [change.event for change in changes] == ["sla_breached", "escalated"]
    last = changes[-1].task
    assert (last.status, wake_in(last, at(hours=3))) == (TaskStatus.OPEN, None)
    answer = CompleteTaskRequest(task_id=last.task_id, data={"answer": "yes"})
    assert decide_complete(last, BOB, at(hours=4), answer).task.status == TaskStatus.COMPLETED


STEP = {"after": "1m", "remind": True}


@pytest.mark.parametrize(
    ("policy", "path", "code"),
    [
        ({}, "sla", "policy_empty"),
        ({"complete": "soon"}, "sla.complete", "duration_invalid"),
        ({"claim": "0m"}, "sla.claim", "duration_invalid"),
        ({"complete": "1h", "calendar": "berlin"}, "sla.calendar", "calendar_unknown"),
        ({"claim": "1h", "at_end": "keep"}, "sla.at_end", "complete_missing"),
        ({"complete": "1h", "at_end": "default"}, "sla.default_result", "required"),
        ({"complete": "1h", "default_result": {}}, "sla.default_result", "not_used"),
        ({"escalate": [{**STEP, "after": "50%"}]}, "sla.escalate[0].after", "total_missing"),
        (
            {"complete": "1h", "escalate": [{**STEP, "clock": "claim", "after": "50%"}]},
            "sla.escalate[0].after",
            "total_missing",
        ),
        ({"complete": "1h", "escalate": [{**STEP, "after": "x"}]}, "sla.escalate[0].after", "duration_invalid"),
        ({"complete": "1h", "escalate": [STEP, {**STEP, "after": "2h"}]}, "sla.escalate[1].after", "step_after_end"),
        ({"complete": "1h", "escalate": [{"after": "1m"}]}, "sla.escalate[0]", "step_empty"),
        ({"complete": "1h", "escalate": [{"after": "1m", "assign_to": {}}]}, "sla.escalate[0].assign_to", "required"),
        (
            {"complete": "1h", "escalate": [{"after": "1m", "notify": ["ana"]}]},
            "sla.escalate[0].notify[0]",
            "notify_invalid",
        ),
        ({"complete": "1h", "escalate": [STEP] * 51}, "sla.escalate", "too_many_items"),
    ],
)
def test_a_wrong_policy_is_refused_with_the_place(policy: dict[str, Any], path: str, code: str) -> None:
    assert (path, code) in {(error.path, error.code) for error in check_policy(SlaPolicy.model_validate(policy))}


@dataclass
class SlowWorld:
    """The clocks once more, obvious and slow: it looks at every second in turn."""

    policy: dict[str, Any]
    claimed_from: int
    log: list[tuple[int, str]] = field(default_factory=list)
    claim_began: int = 0
    is_open: bool = True
    breached: bool = False

    def run(self, seconds: int) -> list[tuple[int, str]]:
        waiting = list(self.policy["escalate"])
        for second in range(seconds + 1):
            if second == self.claimed_from:
                self.is_open = False
            while True:
                ready = [(self._at(step), step) for step in waiting if self._at(step) is not None]
                ready = [(when, step) for when, step in ready if when <= second]
                if not ready or (ready[0][0] > self.policy["complete"] and self.policy["complete"] <= second):
                    break
                when, step = min(ready, key=lambda pair: pair[0])
                if self._claim_missed(second) and self.claim_began + self.policy["claim"] < when:
                    self._breach(second)
                waiting.remove(step)
                self._perform(second, step)
            if self._claim_missed(second):
                self._breach(second)
            if second == self.policy["complete"]:
                self.log.append((second, "expired"))
                break
        return self.log

    def _at(self, step: dict[str, Any]) -> Any:
        if step["clock"] == "complete":
            return step["after"]
        return self.claim_began + step["after"] if self.is_open else None

    def _claim_missed(self, second: int) -> bool:
        return self.is_open and not self.breached and self.claim_began + self.policy["claim"] <= second

    def _breach(self, second: int) -> None:
        self.breached = True
        self.log.append((second, "sla_breached"))

    def _perform(self, second: int, step: dict[str, Any]) -> None:
        self.log.append((second, "escalated" if step["moves"] else "reminder_due"))
        if step["moves"]:
            self.claim_began, self.is_open, self.breached = second, True, False


STEPS = st.fixed_dictionaries(
    {"clock": st.sampled_from(["claim", "complete"]), "after": st.integers(1, 20), "moves": st.booleans()}
)


@settings(max_examples=300, deadline=None)
@given(st.integers(1, 15), st.integers(20, 30), st.lists(STEPS, max_size=4), st.integers(1, 40))
def test_the_clocks_agree_with_a_slow_obvious_counterpart(
    claim: int, complete: int, steps: list[dict[str, Any]], claimed_from: int
) -> None:
    policy = {"claim": claim, "complete": complete, "escalate": steps}
    moves = {"assign_to": {"groups": ["l1"]}}
    chain = [
        {"clock": each["clock"], "after": f"{each['after']}s", **(moves if each["moves"] else {"remind": True})}
        for each in steps
    ]
    task = created(sla={"claim": f"{claim}s", "complete": f"{complete}s", "escalate": chain})
    log = []
    for second in range(41):
        now = NOW + timedelta(seconds=second)
        if second == claimed_from and task.status == TaskStatus.OPEN and not due(task, now):
            task = decide_claim(task, ANA, now, ClaimTaskRequest(task_id=task.task_id)).task
        elif second == claimed_from:
            return  # a claim and a step in the same second: whichever comes first is right
        expected_wake = wake_in(task, now)
        changes = due(task, now)
        assert bool(changes) == (expected_wake == timedelta())
        log += [(second, change.event) for change in changes]
        task = changes[-1].task if changes else task
        assert due(task, now) == ()
    assert log == SlowWorld(policy, claimed_from).run(40)
