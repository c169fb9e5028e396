"""Escalation policies: ordered rules by which agents go on alone or hand over, each answer recorded."""

import asyncio
from typing import Any

import pytest
from orkestra.rules import TENANT_GRANTS
from orkestra.v1.task import (
    CheckEscalationRequest,
    EscalationDecision,
    EscalationRule,
    GetEscalationPolicyRequest,
    PutEscalationPolicyRequest,
)
from orkestra.wire import InvalidArgument, PermissionDenied, VersionMismatch
from task_world import Caller, Tenant, World, world

__all__ = ["world"]

REFUNDS = EscalationRule(topic="refunds*", threshold=0.95)


async def put(caller: Caller, *rules: EscalationRule, version: int | None = None) -> int:
    return (await caller.put_escalation_policy(PutEscalationPolicyRequest(rules=list(rules), version=version))).version


def boss(tenant: Tenant) -> Caller:
    return tenant.person("boss", roles=("manager",))


async def test_without_a_policy_an_agent_escalates_below_four_fifths(world: World) -> None:
    tenant = world.tenant()
    agent = tenant.agent()
    policy = await agent.get_escalation_policy(GetEscalationPolicyRequest())
    assert (policy.rules, policy.version) == ([], 0)
    low = await agent.check_escalation(CheckEscalationRequest(topic="refunds", confidence=0.79, model="m-1"))
    assert (low.decision, low.threshold, low.policy_version) == (EscalationDecision.ESCALATE, 0.8, 0)
    assert low.reason == "Your confidence of 0.79 is below 0.8: hand this over to a person."
    high = await agent.check_escalation(CheckEscalationRequest(topic="refunds", confidence=0.8))
    assert (high.decision, high.sampled) == (EscalationDecision.PROCEED, False)
    rows = await world.rows("select * from escalation_checks where tenant_id = $1 order by checked_at", tenant.id)
    assert [(row["check_id"], row["decision"], row["checked_by"], row["model"]) for row in rows] == [
        (low.check_id, "escalate", agent.id, "m-1"),
        (high.check_id, "proceed", agent.id, None),
    ]
    assert {row["task_id"] for row in rows} == {None}


async def test_the_first_rule_that_fits_decides(world: World) -> None:
    tenant = world.tenant()
    assert await put(boss(tenant), REFUNDS, EscalationRule(topic="*", threshold=0.5)) == 1
    agent = tenant.agent()

    async def decision(topic: str) -> EscalationDecision:
        return (await agent.check_escalation(CheckEscalationRequest(topic=topic, confidence=0.9))).decision

    assert await decision("refunds/opened") is EscalationDecision.ESCALATE
    assert await decision("shipping") is EscalationDecision.PROCEED


async def test_a_share_of_the_confident_cases_goes_to_people_too(world: World) -> None:
    tenant = world.tenant()
    await put(boss(tenant), EscalationRule(topic="faq", threshold=0.5, sample_rate=1.0))
    agent = tenant.agent()
    sampled = await agent.check_escalation(CheckEscalationRequest(topic="faq", confidence=0.9))
    assert (sampled.decision, sampled.sampled) == (EscalationDecision.ESCALATE, True)
    unsure = await agent.check_escalation(CheckEscalationRequest(topic="faq", confidence=0.1))
    assert (unsure.decision, unsure.sampled) == (EscalationDecision.ESCALATE, False)


async def test_each_put_is_a_version_and_none_is_lost(world: World) -> None:
    tenant = world.tenant()
    manager = boss(tenant)
    versions = await asyncio.gather(*(put(manager, REFUNDS) for _ in range(5)))
    assert sorted(versions) == [1, 2, 3, 4, 5]
    with pytest.raises(VersionMismatch):
        await put(manager, version=4)
    assert await put(manager, version=5) == 6
    rows = await world.rows("select version from escalation_policies where tenant_id = $1 order by 1", tenant.id)
    assert [row["version"] for row in rows] == [1, 2, 3, 4, 5, 6]
    kept = await manager.get_escalation_policy(GetEscalationPolicyRequest())
    assert (kept.rules, kept.updated_by) == ([], manager.id)


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ({"topic": "", "threshold": 0.5}, "rules[0].topic"),
        ({"topic": "x", "threshold": 1.5}, "rules[0].threshold"),
        ({"topic": "x", "threshold": 0.5, "sample_rate": -1}, "rules[0].sample_rate"),
    ],
)
async def test_a_rule_that_cannot_be_is_refused(world: World, rule: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await put(boss(world.tenant()), EscalationRule(**rule))
    assert [error.path for error in refusal.value.errors] == [path]


@pytest.mark.parametrize(("topic", "confidence", "path"), [("", 0.5, "topic"), ("x", 1.01, "confidence")])
async def test_a_question_that_cannot_be_is_refused(world: World, topic: str, confidence: float, path: str) -> None:
    with pytest.raises(InvalidArgument) as refusal:
        await world.tenant().agent().check_escalation(CheckEscalationRequest(topic=topic, confidence=confidence))
    assert [error.path for error in refusal.value.errors] == [path]


async def test_policies_end_at_the_border_of_their_tenant(world: World) -> None:
    await put(boss(world.tenant()), REFUNDS)
    assert (await world.tenant().agent().get_escalation_policy(GetEscalationPolicyRequest())).version == 0


async def test_every_role_may_what_the_table_says(world: World) -> None:
    tenant = world.tenant()
    people = {role: tenant.person(role, roles=(role,)) for role in ("member", "manager", "admin", "auditor")}
    callers = people | {"agent": tenant.agent(), "system": tenant.system(), "worker": tenant.worker()}
    for role, caller in callers.items():
        calls = {
            "check_escalation": caller.check_escalation(CheckEscalationRequest(topic="x", confidence=1)),
            "view_escalation_policy": caller.get_escalation_policy(GetEscalationPolicyRequest()),
            "put_escalation_policy": caller.put_escalation_policy(PutEscalationPolicyRequest(rules=[])),
        }
        for operation, call in calls.items():
            if role in TENANT_GRANTS[operation]:
                await call
                continue
            with pytest.raises(PermissionDenied):
                await call
