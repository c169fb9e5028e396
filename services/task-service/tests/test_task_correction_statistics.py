"""Corrections in numbers: which fields people change, and how far the confidence of agents holds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from orkestra.v1.task import (
    CompleteTaskRequest,
    CorrectionStatistics,
    GetCorrectionStatisticsRequest,
    GetEscalationPolicyRequest,
    PutEscalationPolicyRequest,
    TaskContext,
)
from orkestra.wire import InvalidArgument
from task_world import Tenant, World, ask, world

__all__ = ["world"]

SPRING = datetime(2025, 4, 1, tzinfo=UTC)
FORM = {"answer": {"type": "text"}, "amount": {"type": "number"}, "pin": {"type": "text", "sensitive": True}}


async def answered(tenant: Tenant, draft: dict[str, Any] | None, data: dict[str, Any], **fields: Any) -> None:
    bot, ana = tenant.agent(), tenant.person("ana", "l1")
    agent = {"name": "bot", "model": "m-1", "confidence": 0.9} | fields.pop("agent", {})
    context = TaskContext.model_validate({"agent": agent})
    asked = ask(candidate_groups=["l1"], form=FORM, draft=draft, context=context, **fields)
    task = await bot.create_task(asked)
    await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=data))


async def numbers(tenant: Tenant, **fields: Any) -> CorrectionStatistics:
    boss = tenant.person("boss", roles=("manager",))
    return await boss.get_correction_statistics(GetCorrectionStatisticsRequest(**fields))


async def test_fields_are_counted_by_what_became_of_them(world: World) -> None:
    tenant = world.tenant()
    draft = {"answer": {"value": "Yes.", "confidence": 0.6}, "amount": {"value": 5}}
    await answered(tenant, draft, {"answer": "Yes.", "amount": 5.0}, type="refund")
    await answered(tenant, draft, {"answer": "No.", "amount": 5}, type="refund")
    await answered(tenant, draft, {"amount": 6}, type="refund")
    await answered(tenant, {"answer": {"value": "Hi.", "confidence": 1}}, {"answer": "Hi."})
    await answered(tenant, None, {"answer": "Nobody drafted this."})
    await answered(tenant, {}, {"answer": "An empty draft is none."})
    found = await numbers(tenant)
    assert (found.answered, found.kept, found.is_enough, found.suggested_threshold) == (4, 2, False, None)
    counts = [(one.type, one.field, one.drafted, one.kept, one.emptied, one.mean_confidence) for one in found.fields]
    assert counts == [
        ("refund", "amount", 3, 2, 0, None),
        ("refund", "answer", 3, 1, 1, pytest.approx(0.6)),
        (None, "answer", 1, 1, 0, 1.0),
    ]
    assert [one.change_rate for one in found.fields] == [pytest.approx(1 / 3), pytest.approx(2 / 3), 0]


async def test_confidence_is_held_against_what_people_kept(world: World) -> None:
    tenant = world.tenant()
    draft = {"answer": {"value": "Yes."}}
    for confidence, answer in ((0.29, "No."), (0.2, "Yes."), (1, "Yes."), (0.95, "Yes.")):
        await answered(tenant, draft, {"answer": answer}, agent={"confidence": confidence})
    await answered(tenant, draft, {"answer": "Yes."}, agent={"confidence": None})
    found = await numbers(tenant, target=0.5)
    assert (found.answered, found.target) == (5, 0.5)
    bands = [(one.at_least, one.answered, one.kept, one.kept_rate) for one in found.calibration]
    assert bands == [(0.2, 2, 1, 0.5), (0.9, 2, 2, 1.0)]


async def test_it_suggests_a_threshold_once_there_is_enough(world: World) -> None:
    tenant = world.tenant()
    await answered(tenant, {"answer": {"value": "Yes."}}, {"answer": "Yes."}, agent={"confidence": 0.9})
    await answered(tenant, {"answer": {"value": "Yes."}}, {"answer": "No."}, agent={"confidence": 0.4})
    assert (await numbers(tenant)).suggested_threshold is None
    await world.rows(  # as if each had been asked thirty times more
        "insert into tasks (tenant_id, task_id, title, draft, result, context, priority, status, decided_by,"
        " created_at, updated_at, completed_at) select tenant_id, task_id || '-' || n, title, draft, result, context,"
        " priority, status, decided_by, created_at, updated_at, completed_at from tasks, generate_series(1, 30) n"
        " where tenant_id = $1",
        tenant.id,
    )
    found = await numbers(tenant, target=0.8)
    assert (found.answered, found.kept, found.is_enough, found.suggested_threshold) == (62, 31, True, 0.9)
    assert (await numbers(tenant, target=0.95)).suggested_threshold is None


async def test_filters_are_of_time_type_and_agent(world: World) -> None:
    tenant = world.tenant()
    draft = {"answer": {"value": "Yes."}}
    await answered(tenant, draft, {"answer": "Yes."}, type="refund", agent={"name": "one"})
    await answered(tenant, draft, {"answer": "Yes."}, agent={"model": "m-2"})
    await answered(tenant, draft, {"answer": "Yes."}, agent={"prompt_version": "7"})
    now = datetime.now(UTC)
    for filters, count in (
        ({"type": "refund"}, 1),
        ({"agent": "one"}, 1),
        ({"agent": "bot"}, 2),
        ({"model": "m-2"}, 1),
        ({"prompt_version": "7"}, 1),
        ({"answered_before": now - timedelta(days=1)}, 0),
        ({"answered_after": now - timedelta(days=365), "answered_before": now + timedelta(minutes=1)}, 3),
    ):
        assert (await numbers(tenant, **filters)).answered == count, filters
    assert (await numbers(world.tenant())).answered == 0


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"target": 1.1}, "target"),
        ({"target": -0.1}, "target"),
        ({"answered_after": SPRING, "answered_before": SPRING}, "answered_after"),
        ({"answered_after": SPRING, "answered_before": SPRING + timedelta(days=367)}, "answered_after"),
    ],
)
async def test_what_cannot_be_counted_is_refused(world: World, fields: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await numbers(world.tenant(), **fields)
    assert [error.path for error in refused.value.errors] == [path]


async def test_a_suggestion_is_held_against_what_the_tenant_wants_kept(world: World) -> None:
    tenant = world.tenant()
    boss = tenant.person("boss", roles=("manager",))
    assert (await numbers(tenant)).target == 0.9
    await boss.put_escalation_policy(PutEscalationPolicyRequest(rules=[], kept_target=0.75))
    assert (await boss.put_escalation_policy(PutEscalationPolicyRequest(rules=[]))).kept_target == 0.75
    assert (await boss.get_escalation_policy(GetEscalationPolicyRequest())).kept_target == 0.75
    assert (await numbers(tenant)).target == 0.75
    assert (await numbers(tenant, target=0.5)).target == 0.5
    with pytest.raises(InvalidArgument) as refused:
        await boss.put_escalation_policy(PutEscalationPolicyRequest(rules=[], kept_target=1.5))
    assert [error.path for error in refused.value.errors] == ["kept_target"]
