"""A decision is bound to its action: digest, signed receipt, and one use of it."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from orkestra.chassis.grpc import channel
from orkestra.rules import action_digest
from orkestra.rules.receipts import TYPE
from orkestra.v1.task import (
    Action,
    AdvanceClockRequest,
    AnswerTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    GetReceiptKeysRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListTasksRequest,
    Receipt,
    RedeemReceiptRequest,
    Redemption,
    RequestChangesRequest,
    Task,
    TaskContext,
    TaskServiceClient,
)
from orkestra.wire import FailedPrecondition, InvalidArgument, PermissionDenied
from task_world import ANSWER, Caller, Tenant, World, ask, world

__all__ = ["world"]

ACTION = Action(name="refund", args={"order": 7, "amount": "80.00"})


async def asked(tenant: Tenant, **fields: Any) -> tuple[Task, Caller, Caller]:
    agent, ana = tenant.agent(), tenant.person("ana", "support-l1")
    context = TaskContext(summary="A broken cup", action=ACTION)
    return await agent.create_task(ask(candidate_groups=["support-l1"], context=context, **fields)), agent, ana


async def decided(tenant: Tenant) -> tuple[Receipt, Caller, Caller]:
    task, agent, ana = await asked(tenant)
    await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    receipt = (await agent.get_task(GetTaskRequest(task_id=task.task_id))).receipt
    assert receipt is not None
    return receipt, agent, ana


async def redeem(caller: Caller, token: str, use_id: str = "use-1") -> Redemption:
    return await caller.redeem_receipt(RedeemReceiptRequest(token=token, use_id=use_id))


async def test_a_receipt_states_what_was_decided_and_anybody_can_check_it(world: World) -> None:
    tenant = world.tenant()
    receipt, _, ana = await decided(tenant)
    assert (receipt.revision, receipt.outcome, receipt.decided_by) == (1, None, ana.id)
    assert receipt.expires_at - receipt.decided_at == timedelta(hours=24)
    parts = {"form_digest": receipt.form_digest, "shown_digest": receipt.shown_digest}
    assert receipt.action_digest == action_digest("refund", {"amount": "80.00", "order": 7}, **parts)
    assert receipt.action_digest != action_digest("refund", {"amount": "80.01", "order": 7}, **parts)
    [key] = (await TaskServiceClient(world.channel).get_receipt_keys(GetReceiptKeysRequest())).jwks["keys"]
    claims = jwt.decode(receipt.token, jwt.PyJWK(key, algorithm="EdDSA"), algorithms=["EdDSA"], issuer="orkestra")
    stated = receipt.model_dump(mode="json", exclude_none=True, exclude={"token"})
    assert {name: claims[name] for name in stated} == stated
    assert claims["tenant_id"] == tenant.id


async def test_the_token_is_for_whoever_asked_and_in_no_list_event_or_history(world: World) -> None:
    tenant = world.tenant()
    task, agent, ana = await asked(tenant)
    done = await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert done.action_digest == task.action_digest
    for seen in (done, await ana.get_task(GetTaskRequest(task_id=task.task_id))):
        assert seen.receipt is not None
        assert (seen.receipt.token, seen.receipt.decided_by) == ("", ana.id)
    state = await tenant.worker().advance_clock(AdvanceClockRequest(task_id=task.task_id))
    assert state.receipt == (await agent.get_task(GetTaskRequest(task_id=task.task_id))).receipt
    assert state.receipt is not None
    token = state.receipt.token
    assert token not in (await agent.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).model_dump_json()
    assert token not in (await agent.list_tasks(ListTasksRequest(status=done.status))).model_dump_json()
    rows = await world.rows("select payload from outbox where tenant_id = $1", tenant.id)
    assert not [row for row in rows if token.encode() in row["payload"]]


async def test_without_an_action_there_is_no_receipt(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "support-l1")
    task = await tenant.agent().create_task(ask(candidate_groups=["support-l1"]))
    done = await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert (done.action_digest, done.receipt) == (None, None)


async def test_what_no_digest_can_bind_is_refused(world: World) -> None:
    context = TaskContext(action=Action(name="refund", args={"order": 2**60}))
    with pytest.raises(InvalidArgument) as refusal:
        await world.tenant().agent().create_task(ask(context=context))
    assert [(error.path, error.code) for error in refusal.value.errors] == [("context.action", "not_canonical")]


async def test_a_new_revision_is_another_decision_and_keeps_the_action(world: World) -> None:
    tenant = world.tenant()
    task, agent, ana = await asked(tenant)
    await ana.claimed(task)
    await ana.request_changes(RequestChangesRequest(task_id=task.task_id, message="Which cup?"))
    await agent.answer_task(
        AnswerTaskRequest(task_id=task.task_id, message="The blue one", context=TaskContext(summary="A blue cup"))
    )
    changed = await ana.get_task(GetTaskRequest(task_id=task.task_id))
    assert changed.context == TaskContext(summary="A blue cup", action=ACTION)
    assert (changed.revision, changed.action_digest != task.action_digest) == (2, True)
    done = await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert done.receipt is not None
    assert (done.receipt.revision, done.receipt.action_digest) == (2, changed.action_digest)


async def test_whoever_asked_decides_nothing_that_an_action_hangs_on(world: World) -> None:
    tenant = world.tenant()
    cara = tenant.person("cara", "support-l1")
    agent = tenant.agent(on_behalf_of=[cara.id])
    context = TaskContext(action=ACTION)
    task = await agent.create_task(ask(candidate_groups=["support-l1"], context=context, on_behalf_of=cara.id))
    own = await cara.create_task(ask(candidate_groups=["support-l1"], context=context))
    for one in (task, own):
        for call in (
            cara.claim_task(ClaimTaskRequest(task_id=one.task_id)),
            cara.complete_task(CompleteTaskRequest(task_id=one.task_id, data=ANSWER)),
        ):
            with pytest.raises(PermissionDenied) as refusal:
                await call
            assert refusal.value.reason == "FOUR_EYES_REQUIRED"
    for call in (
        agent.claim_task(ClaimTaskRequest(task_id=task.task_id)),
        agent.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER)),
    ):
        with pytest.raises(PermissionDenied) as refusal:
            await call
        assert refusal.value.reason == "ONLY_PEOPLE_DECIDE"


async def test_a_receipt_is_used_once_and_the_same_use_is_answered_again(world: World) -> None:
    tenant = world.tenant()
    receipt, agent, _ = await decided(tenant)
    used = await redeem(agent, receipt.token)
    assert (used.task_id, used.use_id, used.action_digest) == (receipt.task_id, "use-1", receipt.action_digest)
    assert await redeem(agent, receipt.token) == used
    by_whom_and_when = f" by {agent.id} at {used.redeemed_at.isoformat(timespec='seconds')}."
    for caller, use_id, told in (
        (agent, "use-2", f"The receipt was used for use-1{by_whom_and_when}"),
        (tenant.worker(), "use-1", f"The receipt was used for use-1{by_whom_and_when}"),
        (tenant.agent(), "use-2", f"The receipt was used{by_whom_and_when}"),  # who may not see the task
    ):
        with pytest.raises(FailedPrecondition) as refusal:
            await redeem(caller, receipt.token, use_id)
        assert (refusal.value.reason, refusal.value.message) == ("RECEIPT_USED", told)
    entries = (await agent.get_task_history(GetTaskHistoryRequest(task_id=receipt.task_id))).entries
    assert [entry.event for entry in entries] == ["created", "completed", "receipt_redeemed"]
    assert (entries[-1].actor, entries[-1].after) == (agent.id, {"use_id": "use-1"})


async def test_who_used_a_receipt_is_told_for_what_without_seeing_the_task(world: World) -> None:
    tenant = world.tenant()
    receipt, _, _ = await decided(tenant)
    bearer = tenant.agent()
    await redeem(bearer, receipt.token, "payment-7")
    with pytest.raises(FailedPrecondition, match="was used for payment-7 by"):
        await redeem(bearer, receipt.token, "payment-8")


async def test_of_two_clients_that_redeem_at_once_one_succeeds(world: World) -> None:
    tenant = world.tenant()
    receipt, agent, _ = await decided(tenant)
    elsewhere = channel(world.address)
    other = Caller(tenant.system().principal, world.signer, elsewhere, "rest")
    uses = [redeem(caller, receipt.token, f"use-{number}") for number in range(10) for caller in (agent, other)]
    results = await asyncio.gather(*uses, return_exceptions=True)
    await elsewhere.close(None)
    assert len([one for one in results if isinstance(one, Redemption)]) == 1
    refused = [one for one in results if isinstance(one, FailedPrecondition)]
    assert {one.reason for one in refused} == {"RECEIPT_USED"}
    assert len(refused) == 19


async def test_an_expired_receipt_is_refused_but_a_use_before_is_still_known(world: World) -> None:
    tenant = world.tenant()
    used, agent, _ = await decided(tenant)
    unused, other_agent, _ = await decided(tenant)
    first = await redeem(agent, used.token)
    old = {token: await aged(world, token) for token in (used.token, unused.token)}
    with pytest.raises(FailedPrecondition) as refusal:
        await redeem(other_agent, old[unused.token])
    assert refusal.value.reason == "RECEIPT_EXPIRED"
    assert (await redeem(agent, old[used.token])).redeemed_at == first.redeemed_at


async def aged(world: World, token: str) -> str:
    """Make the receipt two days older, as the key of the platform would have signed it then."""
    claims = jwt.decode(token, options={"verify_signature": False})
    [row] = await world.rows("select * from tasks where task_id = $1", claims["task_id"])
    context = TaskContext(summary="A broken cup", action=ACTION)
    form = json.loads(row["form"])
    task = Task.model_validate(
        {name: value for name, value in row.items() if name in Task.model_fields}
        | {"tenant_id": str(row["tenant_id"]), "context": context, "form": form, "sla": None, "receipt": None}
        | {"result": None, "input": None, "draft": None, "change_requests": [], "votes": []}
        | {"completed_at": row["completed_at"] - timedelta(days=2)}
    )
    receipt = world.operations.receipt_key.issue(task)
    assert receipt is not None
    stored = receipt.model_dump_json(exclude_none=True)
    await world.rows("update tasks set receipt = $2 where task_id = $1", claims["task_id"], stored)
    return receipt.token


async def test_what_was_not_signed_for_this_tenant_is_no_receipt(world: World) -> None:
    tenant = world.tenant()
    receipt, agent, _ = await decided(tenant)
    claims = jwt.decode(receipt.token, options={"verify_signature": False})
    header, body, signature = receipt.token.split(".")
    kid, stranger_key = world.operations.receipt_key.kid, Ed25519PrivateKey.from_private_bytes(bytes(32))
    forged = jwt.encode(claims, stranger_key, algorithm="EdDSA", headers={"kid": kid, "typ": TYPE})
    unsigned = jwt.encode(claims, "", algorithm="none")
    bearer, _ = world.signer.sign(agent.principal)
    for token in (forged, unsigned, bearer, f"{header}.{body}.{signature[:-4]}AAAA", "x", ""):
        with pytest.raises(InvalidArgument) as refusal:
            await redeem(agent, token)
        assert refusal.value.reason == "RECEIPT_INVALID"
    with pytest.raises(InvalidArgument) as refusal:
        await redeem(world.tenant().agent(), receipt.token)
    assert refusal.value.reason == "RECEIPT_INVALID"
    await redeem(agent, receipt.token)


async def test_people_use_no_receipts_and_a_use_has_an_id(world: World) -> None:
    tenant = world.tenant()
    receipt, agent, ana = await decided(tenant)
    with pytest.raises(PermissionDenied) as denied:
        await redeem(ana, receipt.token)
    assert denied.value.reason == "REDEEM_NOT_ALLOWED"
    for use_id in ("", " ", "x" * 201):
        with pytest.raises(InvalidArgument):
            await redeem(agent, receipt.token, use_id)
