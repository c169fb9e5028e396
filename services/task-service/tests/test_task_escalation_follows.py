"""What became of the cases that agents were unsure about is recorded with the checks that they asked for."""

from typing import Any

import pytest
from orkestra.rules import TENANT_GRANTS
from orkestra.v1.task import (
    AdvanceClockRequest,
    AgentInfo,
    AnswerTaskRequest,
    CancelTaskRequest,
    CheckEscalationRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    DecidedBy,
    EscalationCheck,
    EscalationDecision,
    GetEscalationCheckRequest,
    ListEscalationChecksRequest,
    RequestChangesRequest,
    Task,
    TaskContext,
    TaskStatus,
)
from orkestra.wire import InvalidArgument, NotFound, PermissionDenied
from task_world import Caller, Tenant, World, ask, ask_for_run, world

__all__ = ["world"]

FORM = {"amount": {"type": "number", "required": True}, "note": {"type": "text"}, "sure": {"type": "boolean"}}
DRAFT = {"amount": {"value": 80, "confidence": 0.6}, "sure": {"value": True}}


async def check(agent: Caller, topic: str = "refunds", confidence: float = 0.5) -> EscalationCheck:
    asked = CheckEscalationRequest(topic=topic, confidence=confidence, agent="bot", model="m-1", prompt_version="3")
    return await agent.check_escalation(asked)


def of(check: EscalationCheck) -> TaskContext:
    return TaskContext(agent=AgentInfo(name="bot", confidence=check.confidence, check_id=check.check_id))


async def asked(agent: Caller, check: EscalationCheck, **fields: Any) -> Task:
    given = {"form": FORM, "draft": DRAFT, "candidate_groups": ["support-l1"], "context": of(check)}
    return await agent.create_task(ask(**given | fields))


async def followed(caller: Caller, check: EscalationCheck) -> EscalationCheck:
    return await caller.get_escalation_check(GetEscalationCheckRequest(check_id=check.check_id))


def team(tenant: Tenant) -> tuple[Caller, Caller]:
    return tenant.agent(), tenant.person("ana", "support-l1")


async def test_a_check_is_recorded_whole_and_nothing_has_become_of_it_yet(world: World) -> None:
    agent, _ = team(world.tenant())
    made = await check(agent)
    assert (made.topic, made.confidence, made.agent, made.model, made.prompt_version) == (
        *("refunds", 0.5, "bot", "m-1", "3"),
    )
    assert (made.checked_by, made.decision) == (agent.id, EscalationDecision.ESCALATE)
    assert (made.task_id, made.task_status, made.ended_at) == (None, None, None)
    assert await followed(agent, made) == made


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        ({"amount": 80, "sure": True}, True),
        ({"amount": 80.0, "sure": True, "note": "Fine."}, True),
        ({"amount": 79, "sure": True}, False),
        ({"amount": 80}, False),
        ({"amount": 80, "sure": False}, False),
    ],
)
async def test_a_persons_answer_says_whether_the_draft_was_kept(
    world: World, answer: dict[str, Any], kept: bool
) -> None:
    agent, ana = team(world.tenant())
    made = await check(agent)
    task = await asked(agent, made)
    linked = await followed(agent, made)
    assert (linked.task_id, linked.task_status) == (task.task_id, None)
    done = await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=answer))
    became = await followed(agent, made)
    assert (became.task_id, became.task_status, became.kept_draft) == (task.task_id, TaskStatus.COMPLETED, kept)
    assert (became.decided_by, became.ended_at) == (DecidedBy.PERSON, done.completed_at)


async def test_without_a_draft_there_is_nothing_to_agree_with_but_the_outcome_is_known(world: World) -> None:
    agent, ana = team(world.tenant())
    made = await check(agent)
    form = {"fields": {"why": {"type": "text"}}, "outcomes": [{"key": "yes", "label": "Yes"}], "version": 1}
    task = await asked(agent, made, draft=None, form=form)
    await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data={}, outcome="yes"))
    became = await followed(agent, made)
    assert (became.outcome, became.kept_draft, became.task_status) == ("yes", None, TaskStatus.COMPLETED)


async def test_a_task_without_an_answer_is_followed_too(world: World) -> None:
    agent, _ = team(world.tenant())
    made = await check(agent)
    task = await asked(agent, made)
    await agent.cancel_task(CancelTaskRequest(task_id=task.task_id))
    became = await followed(agent, made)
    assert (became.task_status, became.kept_draft, became.decided_by) == (TaskStatus.CANCELLED, None, None)


async def test_the_draft_that_counts_is_the_one_that_was_last_proposed(world: World) -> None:
    agent, ana = team(world.tenant())
    made = await check(agent)
    task = await asked(agent, made)
    await ana.claim_task(ClaimTaskRequest(task_id=task.task_id))
    await ana.request_changes(RequestChangesRequest(task_id=task.task_id, message="Less?"))
    await agent.answer_task(
        AnswerTaskRequest(
            task_id=task.task_id, message="Yes.", draft={"amount": {"value": 40}}, context=TaskContext(summary="Less")
        )
    )
    await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data={"amount": 40}))
    became = await followed(agent, made)
    assert (became.task_id, became.kept_draft) == (task.task_id, True)


async def test_a_run_that_was_handed_over_is_followed_by_its_first_task(world: World) -> None:
    tenant = world.tenant()
    agent, ana = team(tenant)
    made = await check(agent)
    shape = {"requested_by": agent.id, "candidate_groups": ["support-l1"], "context": of(made)}
    first, second = [await tenant.worker().create_task(ask_for_run(**shape)) for _ in range(2)]
    for task in (second, first):
        await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data={"answer": task.task_id}))
    became = await followed(agent, made)
    assert became.task_id == first.task_id
    assert became.task_status == TaskStatus.COMPLETED


async def test_a_check_of_somebody_else_and_one_that_is_unknown_record_nothing(world: World) -> None:
    tenant = world.tenant()
    (agent, ana), other = team(tenant), tenant.agent()
    made = await check(agent)
    stranger, _ = team(world.tenant())
    for asker in (other, stranger):
        assert (await asked(asker, made, candidate_groups=[])).status is TaskStatus.OPEN
    unknown = made.model_copy(update={"check_id": "check_none"})
    task = await asked(agent, unknown)
    await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data={"amount": 1}))
    assert await followed(agent, made) == made


async def test_checks_are_listed_newest_first_in_pages_and_by_topic_and_decision(world: World) -> None:
    tenant = world.tenant()
    agent, boss = tenant.agent(), tenant.person("boss", roles=("manager",))
    made = [await check(agent, topic, confidence) for topic in ("a", "b") for confidence in (0.1, 0.9, 0.2)]

    async def listed(caller: Caller, **asked: Any) -> list[str]:
        found, token = [], None
        while True:
            page = await caller.list_escalation_checks(ListEscalationChecksRequest(**asked, page_token=token))
            found += [one.check_id for one in page.checks]
            token = page.next_page_token
            if token is None:
                return found

    newest = [one.check_id for one in reversed(made)]
    assert await listed(boss) == newest
    assert await listed(boss, page_size=2) == newest
    assert await listed(agent, topic="b") == newest[:3]
    assert await listed(boss, decision=EscalationDecision.PROCEED, page_size=1) == [newest[1], newest[4]]
    assert await listed(tenant.agent()) == []
    with pytest.raises(InvalidArgument):
        await listed(boss, page_size=0)
    with pytest.raises(InvalidArgument):
        await boss.list_escalation_checks(ListEscalationChecksRequest(page_token="x"))


async def test_checks_are_for_overseers_and_for_whoever_asked(world: World) -> None:
    tenant = world.tenant()
    agent = tenant.agent()
    made = await check(agent)
    for role in ("manager", "admin", "auditor"):
        assert await followed(tenant.person(role, roles=(role,)), made) == made
    for caller in (tenant.agent(), tenant.system(), world.tenant().agent()):
        with pytest.raises(NotFound):
            await followed(caller, made)
    assert "member" not in TENANT_GRANTS["view_escalation_checks"]
    with pytest.raises(PermissionDenied):
        await followed(tenant.person("ana", "support-l1"), made)


async def test_a_runs_check_is_its_requesters_and_what_became_of_its_task_is_told(world: World) -> None:
    tenant = world.tenant()
    agent, ana = team(tenant)
    question = CheckEscalationRequest(topic="refunds", confidence=0.7, threshold=0.75, requested_by=agent.id)
    made = await tenant.worker().check_escalation(question)
    assert (made.decision, made.threshold, made.checked_by) == (EscalationDecision.ESCALATE, 0.75, agent.id)
    opened = ask_for_run(form=FORM, draft=DRAFT, candidate_groups=["support-l1"], context=of(made))
    task = await tenant.worker().create_task(opened.model_copy(update={"requested_by": agent.id}))
    await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data={"amount": 80, "sure": False}))
    became = await followed(agent, made)
    assert (became.task_id, became.task_status, became.kept_draft) == (task.task_id, TaskStatus.COMPLETED, False)
    state = await tenant.worker().advance_clock(AdvanceClockRequest(task_id=task.task_id))
    assert state.provenance == {"amount": "human_confirmed", "sure": "human_changed"}


async def test_an_agent_cannot_lower_its_own_threshold(world: World) -> None:
    agent, _ = team(world.tenant())
    with pytest.raises(PermissionDenied):
        await agent.check_escalation(CheckEscalationRequest(topic="refunds", confidence=0.1, threshold=0.05))
