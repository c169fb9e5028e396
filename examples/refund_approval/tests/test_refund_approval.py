"""The workflow without servers: three departments are played, and the receipts are real."""

from pathlib import Path

from orkestra.sdk.testing import HumanTask, OrkestraTest, replay
from orkestra.v1.task import TaskStatus
from refund_approval.workflows import Refund, pay_refund, refund_approval

REFUND = Refund(order_id="2041", amount_cents=8000, reason="The cup came broken.")


async def departments(env: OrkestraTest) -> dict[str, HumanTask]:
    tasks = [await env.next_task() for _ in range(3)]
    return {task.current.candidate_groups[0]: task for task in tasks}


async def test_two_approvals_of_three_pay_and_use_their_receipts_up() -> None:
    async with OrkestraTest(activities=[pay_refund]) as env:
        run = await env.start(refund_approval, REFUND)
        asked = await departments(env)
        await asked["finance"].complete(outcome="approve", by="fay")
        await asked["support-l2"].complete(outcome="approve", by="sam")
        refunded = await run.result()
        assert (refunded.paid, refunded.payment_id) == (True, "refund-2041-8000")
        assert sorted(refunded.decided_by) == ["fay", "sam"]
        assert asked["fraud"].current.status is TaskStatus.CANCELLED
        assert set(env.world.redeemed) == {asked["finance"].task_id, asked["support-l2"].task_id}


async def test_what_is_approved_is_this_amount() -> None:
    async with OrkestraTest(activities=[pay_refund]) as env:
        run = await env.start(refund_approval, REFUND)
        asked = await departments(env)
        shown = asked["finance"].current
        assert shown.title == "Pay back 80.00 for order 2041?"
        assert shown.context is not None
        assert shown.context.action is not None
        assert shown.context.action.args == {"order_id": "2041", "amount_cents": 8000}
        another = await env.start(refund_approval, Refund(order_id="2041", amount_cents=800000, reason="x"))
        others = await departments(env)
        assert others["finance"].current.action_digest != shown.action_digest
        await another.cancel()
        await run.cancel()


async def test_two_rejections_pay_nothing_and_ask_nobody_else() -> None:
    async with OrkestraTest(activities=[pay_refund]) as env:
        run = await env.start(refund_approval, REFUND)
        asked = await departments(env)
        await asked["fraud"].complete(outcome="reject", comment="Third one this week.", by="kim")
        await asked["finance"].complete(outcome="reject", comment="As fraud says.", by="fay")
        assert (await run.result()).paid is False
        assert asked["support-l2"].current.status is TaskStatus.CANCELLED
        assert env.world.redeemed == {}


async def test_one_person_in_two_departments_is_one_approval() -> None:
    async with OrkestraTest(activities=[pay_refund]) as env:
        run = await env.start(refund_approval, REFUND)
        asked = await departments(env)
        await asked["finance"].complete(outcome="approve", by="fay")
        await asked["support-l2"].complete(outcome="approve", by="fay")
        assert asked["fraud"].current.status is TaskStatus.OPEN
        await env.skip("49h")
        assert (await run.result()).paid is False


async def test_what_was_recorded_replays() -> None:
    assert await replay(refund_approval, histories=Path(__file__).parent / "histories") == 2
