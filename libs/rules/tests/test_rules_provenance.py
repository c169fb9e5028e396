"""Whose each value of a result is."""

import pytest
from orkestra.rules import asker_of, check_escalation, decide_escalation, provenance_of
from orkestra.v1.task import CheckEscalationRequest, DecidedBy, EscalationPolicy, EscalationRule, Task
from orkestra.wire import PermissionDenied, Principal
from task_cases import NOW

TASK = Task(
    task_id="task_1",
    tenant_id="t",
    title="x",
    priority="normal",
    status="completed",
    version=2,
    revision=1,
    created_at=NOW,
    updated_at=NOW,
    draft={"amount": {"value": 80, "confidence": 0.6}, "sure": {"value": True}, "rule": {"value": "spam"}},
    result={"amount": 80.0, "sure": 1, "note": "x"},
    decided_by=DecidedBy.PERSON,
)
WORKER = Principal(subject="worker", kind="service", tenant_id="t", roles=frozenset({"worker"}))
AGENT = Principal(subject="key_1", kind="agent", tenant_id="t", roles=frozenset({"agent"}))


def test_a_person_confirms_changes_empties_and_adds() -> None:
    assert provenance_of(TASK) == {
        "amount": "human_confirmed",
        "sure": "human_changed",
        "rule": "human_changed",
        "note": "human",
    }


def test_where_the_policy_decides_nobody_has_looked() -> None:
    by_policy = TASK.model_copy(update={"decided_by": DecidedBy.POLICY, "result": {"rule": "spam", "sure": False}})
    assert provenance_of(by_policy) == {"amount": "policy", "sure": "policy", "rule": "agent"}


def test_without_a_result_there_is_nothing_to_say() -> None:
    assert provenance_of(TASK.model_copy(update={"result": None})) is None


@pytest.mark.parametrize(("confidence", "decision"), [(0.59, "escalate"), (0.6, "proceed"), (0.95, "proceed")])
def test_a_workflows_threshold_counts_instead_of_the_policys(confidence: float, decision: str) -> None:
    policy = EscalationPolicy(rules=[EscalationRule(topic="*", threshold=0.9)], version=1)
    request = CheckEscalationRequest(topic="refunds", confidence=confidence, threshold=0.6, requested_by="key_1")
    asker = asker_of(request, WORKER)
    check = decide_escalation(policy, request, NOW, check_id="check_1", checked_by=asker)
    assert (check.decision, check.threshold, check.checked_by) == (decision, 0.6, "key_1")


@pytest.mark.parametrize("said", [{"threshold": 0.1}, {"requested_by": "key_2"}])
def test_an_agent_neither_sets_its_own_threshold_nor_asks_for_another(said: dict[str, object]) -> None:
    request = CheckEscalationRequest.model_validate({"topic": "refunds", "confidence": 0.5, **said})
    with pytest.raises(PermissionDenied) as refusal:
        asker_of(request, AGENT)
    assert refusal.value.reason == "RUN_NOT_YOURS"


def test_a_threshold_is_a_share() -> None:
    request = CheckEscalationRequest(topic="refunds", confidence=0.5, threshold=1.1)
    assert [error.path for error in check_escalation(request)] == ["threshold"]
