import re
from fnmatch import translate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orkestra.rules import decide_escalation
from orkestra.rules.escalation import fits, is_sampled
from orkestra.v1.task import CheckEscalationRequest, EscalationDecision, EscalationPolicy, EscalationRule
from task_cases import NOW

TEXT = st.text(alphabet="ab/*", max_size=8)


@given(pattern=TEXT, topic=st.text(alphabet="ab/", max_size=8))
def test_a_star_stands_for_any_text(pattern: str, topic: str) -> None:
    assert fits(pattern, topic) == (re.match(translate(pattern), topic) is not None)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    assert not fits("*a" * 100 + "b", "a" * 200)


@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0])
def test_a_sample_is_the_share_asked_for_and_the_same_each_time(rate: float) -> None:
    ids = [f"check_{number:032x}" for number in range(4000)]
    chosen = [one for one in ids if is_sampled(one, rate)]
    assert len(chosen) / len(ids) == pytest.approx(rate, abs=0.03)
    assert chosen == [one for one in ids if is_sampled(one, rate)]


def test_a_larger_sample_holds_the_smaller_one() -> None:
    ids = [f"check_{number:032x}" for number in range(500)]
    assert all(is_sampled(one, 0.5) for one in ids if is_sampled(one, 0.2))


def test_the_first_rule_that_fits_decides_and_a_confidence_at_its_threshold_is_enough() -> None:
    rules = [EscalationRule(topic="a/*", threshold=0.9), EscalationRule(topic="*", threshold=0.3)]
    policy = EscalationPolicy(rules=rules, version=4)

    def decision(topic: str, confidence: float) -> EscalationDecision:
        request = CheckEscalationRequest(topic=topic, confidence=confidence)
        check = decide_escalation(policy, request, NOW, check_id="check_1", checked_by="key_1")
        assert (check.policy_version, check.checked_at) == (4, NOW)
        return check.decision

    assert decision("a/b", 0.9) is EscalationDecision.PROCEED
    assert decision("a/b", 0.89) is EscalationDecision.ESCALATE
    assert decision("b", 0.3) is EscalationDecision.PROCEED
