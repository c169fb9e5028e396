"""The workflow without servers: the classifier goes on alone, is corrected, is confirmed."""

from pathlib import Path

import pytest
from content_moderation.workflows import Moderated, Post, content_moderation
from orkestra.sdk.testing import OrkestraTest, replay
from orkestra.v1.task import EscalationPolicy, EscalationRule

POST = Post(post_id="p-7", author="eve", text="Buy now!", action="remove", rule="spam", confidence=0.4)


async def test_where_the_classifier_is_sure_nobody_is_asked_and_it_is_recorded() -> None:
    async with OrkestraTest() as env:
        run = await env.start(content_moderation, POST.model_copy(update={"confidence": 0.85}))
        assert await run.result() == Moderated(action="remove", rule="spam", by="classifier", corrected=[])
        assert env.world.tasks == {}
        [check] = env.world.checks
        assert (check.topic, check.decision, check.confidence, check.threshold) == ("moderation", "proceed", 0.85, 0.85)


async def test_a_moderator_corrects_the_classifier() -> None:
    async with OrkestraTest() as env:
        run = await env.start(content_moderation, POST)
        task = await env.next_task()
        assert task.current.candidate_groups == ["moderators"]
        assert task.current.draft == {
            "action": {"value": "remove", "confidence": 0.4},
            "rule": {"value": "spam", "confidence": 0.4},
        }
        [check] = env.world.checks
        assert check.decision == "escalate"
        assert task.current.context is not None
        assert task.current.context.agent is not None
        agent = task.current.context.agent
        assert (agent.name, agent.model, agent.confidence) == ("classifier", "classifier-1", 0.4)
        assert (check.check_id, check.agent, check.model) == (agent.check_id, "classifier", "classifier-1")
        await task.complete(action="hide", rule="spam", note="A first one.", by="mo")
        assert await run.result() == Moderated(action="hide", rule="spam", by="mo", corrected=["action"])


async def test_a_moderator_confirms_the_classifier() -> None:
    async with OrkestraTest() as env:
        run = await env.start(content_moderation, POST)
        await (await env.next_task()).complete(action="remove", rule="spam", by="mo")
        assert await run.result() == Moderated(action="remove", rule="spam", by="mo", corrected=[])


@pytest.mark.parametrize("rate", [0.0, 1.0])
async def test_the_tenants_policy_may_have_people_look_at_what_is_sure(rate: float) -> None:
    async with OrkestraTest() as env:
        rule = EscalationRule(topic="moderation", threshold=0.99, sample_rate=rate)
        env.world.policy = EscalationPolicy(rules=[rule], version=1)
        run = await env.start(content_moderation, POST.model_copy(update={"confidence": 0.95}))
        if rate:
            await (await env.next_task()).complete(action="remove", rule="spam", by="mo")
        assert (await run.result()).by == ("mo" if rate else "classifier")


async def test_what_nobody_looks_at_in_time_is_hidden() -> None:
    async with OrkestraTest() as env:
        run = await env.start(content_moderation, POST)
        await env.next_task()
        await env.skip("4h")
        assert await run.result() == Moderated(action="hide", rule=None, by="policy", corrected=[])


async def test_what_was_recorded_replays() -> None:
    assert await replay(content_moderation, histories=Path(__file__).parent / "histories") == 2
