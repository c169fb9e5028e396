"""approve(): the decision of a person is bound to the action, can be checked without I/O, and is used once."""

import jwt
import pytest
import sdk_workflows as author
from orkestra.sdk.interceptor import OrkestraInterceptor
from orkestra.sdk.testing import OrkestraTest
from orkestra.v1.task import Action
from orkestra.wire import FailedPrecondition, InvalidArgument, PermissionDenied
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

REFUND = author.Refund(order="7", amount="80.00")
TOPIC = author.Topic(topic="x")


async def test_an_approved_action_is_verified_used_up_and_done_and_the_history_replays() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.refund, REFUND)
        asked = await env.next_task()
        context = asked.current.context
        assert (asked.current.title, asked.current.type) == ("Approve refund_payment?", "approval")
        assert context is not None
        assert context.action == Action(name="refund_payment", args={"order": "7", "amount": "80.00"})
        await asked.complete(outcome="approve", by="fay")
        assert await run.result() == {"paid": True, "approved_by": "fay", "use": "refund-7"}
        assert [used.use_id for used in env.world.redeemed.values()] == ["refund-7"]
        history = await env.client.get_workflow_handle(run.workflow_id).fetch_history()
    replayer = Replayer(
        workflows=[author.refund],
        data_converter=pydantic_data_converter,
        interceptors=[OrkestraInterceptor()],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    await replayer.replay_workflow(history)


async def test_a_rejection_says_why_and_uses_nothing_up() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.refund, REFUND)
        asked = await env.next_task()
        with pytest.raises(InvalidArgument):
            await asked.complete(outcome="reject", by="fay")
        await asked.complete(outcome="reject", comment="It was ours.", by="fay")
        assert await run.result() == {"paid": False, "because": "It was ours."}
        assert env.world.redeemed == {}


async def test_whoever_asked_for_the_run_does_not_approve_its_action() -> None:
    async with OrkestraTest() as env:
        await env.start(author.refund, REFUND, requested_by="bot", on_behalf_of="cara")
        asked = await env.next_task()
        for person in ("bot", "cara"):
            with pytest.raises(PermissionDenied) as refusal:
                await asked.complete(outcome="approve", by=person)
            assert refusal.value.reason == "FOUR_EYES_REQUIRED"


async def test_a_receipt_that_was_forged_altered_or_is_too_old_is_refused_with_a_sentence() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.refund_tries, TOPIC)
        await (await env.next_task()).complete(outcome="approve", by="fay")
        await env.skip("26h")
        refusals = await run.result()
    invalid = "RECEIPT_INVALID: This is not a receipt of your tenant, or it has been altered."
    other = "RECEIPT_OF_ANOTHER_ACTION: Another action was approved than {} with these arguments."
    assert refusals == {
        "signature": invalid,
        "body": invalid,
        "no token": invalid,
        "outside": "RECEIPT_INVALID: This receipt comes from outside the run: read its token by receipt_of() first.",
        "amount": other.format("refund_payment"),
        "action": other.format("delete_account"),
        "altered fields": None,
        "read again": None,
        "a day later": "RECEIPT_EXPIRED: The approval of refund_payment has expired; ask for a new one.",
    }


async def test_a_rejection_cannot_be_verified() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.refund_tries, TOPIC)
        await (await env.next_task()).complete(outcome="reject", comment="no", by="fay")
        with pytest.raises(ApplicationError, match="fay has not approved this: reject") as refusal:
            await run.result()
        assert refusal.value.type == "RECEIPT_NOT_APPROVED"


async def test_the_end_of_the_time_approves_nothing() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.refund_by_default, REFUND)
        await env.next_task()
        await env.skip("61m")
        with pytest.raises(ApplicationError, match="No person has decided on refund_payment") as refusal:
            await run.result()
        assert refusal.value.type == "NOBODY_DECIDED"


async def test_a_receipt_is_used_once_also_by_another_run() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.refund_tries, TOPIC)
        asked = await env.next_task()
        await asked.complete(outcome="approve", by="fay")
        receipt = asked.current.receipt
        assert receipt is not None
        uses = await (await env.start(author.redeems, author.Topic(topic=receipt.token))).result()
        assert uses[:2] == ["use-1", "use-1"]
        assert uses[2].startswith("RECEIPT_USED: The receipt was used for use-1 at 2")
        await run.cancel()


async def test_what_another_key_signed_is_no_receipt_in_any_run() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.refund_tries, TOPIC)
        asked = await env.next_task()
        await asked.complete(outcome="approve", by="fay")
        assert asked.current.receipt is not None
        claims = jwt.decode(asked.current.receipt.token, options={"verify_signature": False})
        for token in (jwt.encode(claims, "", algorithm="none"), asked.current.receipt.token[:-9], "approved"):
            with pytest.raises(ApplicationError) as refusal:
                await (await env.start(author.redeems, author.Topic(topic=token))).result()
            assert refusal.value.type == "RECEIPT_INVALID"
        await run.cancel()


async def test_votes_of_two_groups_approve_an_action_and_a_veto_stops_it() -> None:
    people = {"fia": ["finance"], "lea": ["legal"]}
    async with OrkestraTest(people=people) as env:
        run = await env.start(author.refund_by_votes, REFUND)
        asked = await env.next_task()
        with pytest.raises(FailedPrecondition) as alone:
            await asked.complete(outcome="approve", by="fia")
        assert alone.value.reason == "VOTES_DECIDE"
        seen = await asked.vote("approve", by="fia")
        assert (seen.status, seen.tally and seen.tally.missing_from_groups) == ("open", {"legal": 1})
        await asked.vote("approve", by="lea", comment="Lawful.")
        assert await run.result() == {"paid": True, "because": "Lawful."}
        run = await env.start(author.refund_by_votes, REFUND)
        asked = await env.next_task()
        with pytest.raises(InvalidArgument):
            await asked.vote("reject", by="lea")
        await asked.vote("reject", by="lea", comment="It was ours.")
        assert await run.result() == {"paid": False, "because": "It was ours."}


async def test_a_policy_that_the_tests_people_cannot_meet_fails_the_run() -> None:
    async with OrkestraTest(people={"fia": ["finance"]}) as env:
        run = await env.start(author.refund_by_votes, REFUND)
        with pytest.raises(ApplicationError) as failed:
            await run.result()
        assert failed.value.type == "TASK_INVALID"
