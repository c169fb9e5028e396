"""Tasks that are kept no longer, and what one person has written: gone, and nothing beside it is touched."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from orkestra.v1.task import (
    Action,
    AddCommentRequest,
    AnswerTaskRequest,
    CancelTaskRequest,
    CompleteTaskRequest,
    ConfirmWakeUpsRequest,
    EraseWordsRequest,
    ForgetTasksRequest,
    GetReceiptKeysRequest,
    GetTaskFiguresRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListCommentsRequest,
    ListForgettableTasksRequest,
    ListForgettableTasksResponse,
    Receipt,
    RedeemReceiptRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    Task,
    TaskContext,
    TaskFigures,
    TaskHistoryEntry,
    VerifyTaskHistoryRequest,
    WokenEnd,
)
from orkestra.wire import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from task_world import ANSWER, Caller, Tenant, World, ask, world

__all__ = ["world"]

OF_TASKS = """
select c.relname::text from pg_class c
join pg_attribute a on a.attrelid = c.oid and a.attname = 'task_id' and not a.attisdropped
where c.relnamespace = 'task'::regnamespace and c.relkind = 'r'
"""


def soon() -> datetime:
    """A time before which everything has ended that has."""
    return datetime.now(UTC) + timedelta(hours=1)


async def done(tenant: Tenant, ana: Caller, *, asker: Caller | None = None, **fields: Any) -> Task:
    """A task that Ana has completed and whose end is known."""
    asked = {"title": "Customer needs help", "candidate_groups": ["l1"]} | fields
    task = await (asker or tenant.system()).create_task(ask(**asked))
    ended = await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    end = WokenEnd(task_id=ended.task_id, version=ended.version)
    await tenant.service().confirm_wake_ups(ConfirmWakeUpsRequest(ends=[end]))
    return ended


async def forgettable(tenant: Tenant, before: datetime) -> list[str]:
    """Every task that may be forgotten, page by page."""
    found: list[str] = []
    page = ListForgettableTasksResponse(tasks=[], after=None)
    while True:
        request = ListForgettableTasksRequest(ended_before=before, after=page.after)
        page = await tenant.service().list_forgettable_tasks(request)
        found += [task.task_id for task in page.tasks]
        if page.after is None:
            return found


async def forget(tenant: Tenant, *task_ids: str, before: datetime | None = None) -> int:
    request = ForgetTasksRequest(task_ids=list(task_ids), ended_before=before or soon())
    return (await tenant.service().forget_tasks(request)).forgotten


async def rows_of(world: World, task_id: str) -> dict[str, int]:
    """How many rows each table has of a task."""
    tables = [row[0] for row in await world.rows(OF_TASKS)]
    count = "select count(*) from {} where task_id = $1"
    return {one: (await world.rows(count.format(one), task_id))[0][0] for one in tables}


async def history(who: Caller, task: Task) -> list[TaskHistoryEntry]:
    return list((await who.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries)


async def test_only_what_has_ended_before_and_nothing_waits_for_is_forgettable(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "l1")
    ended = await done(tenant, ana)
    live = await tenant.system().create_task(ask(candidate_groups=["l1"]))
    unconfirmed = await tenant.system().create_task(ask(candidate_groups=["l1"]))
    await ana.complete_task(CompleteTaskRequest(task_id=unconfirmed.task_id, data=ANSWER))
    action = TaskContext(summary="s", action=Action(name="refund", args={"order": 1}))
    asker = tenant.system()
    usable = await done(tenant, ana, asker=asker, context=action)
    assert await forgettable(tenant, soon()) == [ended.task_id]
    assert await forgettable(tenant, datetime.now(UTC) - timedelta(days=1)) == []
    named = (ended.task_id, live.task_id, unconfirmed.task_id, usable.task_id)
    assert await forget(tenant, *named, before=datetime.now(UTC) - timedelta(days=1)) == 0
    assert await forget(tenant, *named) == 1
    for kept in named[1:]:
        assert (await ana.verify_task_history(VerifyTaskHistoryRequest(task_id=kept))).intact
    receipt = (await asker.get_task(GetTaskRequest(task_id=usable.task_id))).receipt
    assert receipt is not None
    await asker.redeem_receipt(RedeemReceiptRequest(token=receipt.token, use_id="1"))
    assert await forget(tenant, usable.task_id) == 1


async def test_a_forgotten_task_leaves_no_row_in_any_table(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "l1")
    task, other = await done(tenant, ana), await done(tenant, ana)
    await ana.add_comment(AddCommentRequest(task_id=task.task_id, text="It was this."))
    before = await rows_of(world, other.task_id)
    assert (await rows_of(world, task.task_id))["task_comments"] == 1
    assert await forget(tenant, task.task_id) == 1
    assert set((await rows_of(world, task.task_id)).values()) == {0}
    assert await rows_of(world, other.task_id) == before
    with pytest.raises(NotFound):
        await ana.get_task(GetTaskRequest(task_id=task.task_id))
    assert await forget(tenant, task.task_id) == 0


async def test_tasks_of_another_tenant_are_never_forgotten(world: World) -> None:
    theirs, ours = world.tenant(), world.tenant()
    task = await done(theirs, theirs.person("ana", "l1"))
    assert await forgettable(ours, soon()) == []
    assert await forget(ours, task.task_id) == 0
    assert await forgettable(theirs, soon()) == [task.task_id]


async def test_only_the_installation_forgets_and_erases(world: World) -> None:
    tenant = world.tenant()
    for caller in (tenant.person("boss", roles=("admin",)), tenant.agent(), tenant.system()):
        for call in (
            caller.list_forgettable_tasks(ListForgettableTasksRequest(ended_before=soon())),
            caller.forget_tasks(ForgetTasksRequest(task_ids=[], ended_before=soon())),
            caller.erase_words(EraseWordsRequest(user_id=caller.id)),
        ):
            with pytest.raises(PermissionDenied):
                await call
    with pytest.raises(InvalidArgument):
        await tenant.service().list_forgettable_tasks(ListForgettableTasksRequest(ended_before=soon(), after="?"))
    with pytest.raises(InvalidArgument):
        await tenant.service().forget_tasks(ForgetTasksRequest(task_ids=["task_0"] * 201, ended_before=soon()))


async def test_what_a_person_wrote_is_erased_and_what_they_decided_and_others_wrote_stays(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person("ana", "l1"), tenant.person("ben", "l1")
    boss = tenant.person("boss", roles=("manager",))
    task = await ben.create_task(ask(candidate_groups=["l1"]))
    await ana.add_comment(AddCommentRequest(task_id=task.task_id, text="Ana's comment"), request_id="once")
    await ben.add_comment(AddCommentRequest(task_id=task.task_id, text="Ben's comment"))
    await ana.claimed(task)
    await ana.save_draft(SaveDraftRequest(task_id=task.task_id, data={"answer": "Ana's draft"}))
    await ana.request_changes(RequestChangesRequest(task_id=task.task_id, message="Ana's question"))
    await ben.answer_task(AnswerTaskRequest(task_id=task.task_id, message="Ben's answer"))
    await ana.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    dropped = await ana.create_task(ask(candidate_groups=["l1"]))
    await ana.cancel_task(CancelTaskRequest(task_id=dropped.task_id, reason="Ana's reason"))
    while await world.tips.sign():
        pass
    erased = await tenant.service().erase_words(EraseWordsRequest(user_id=ana.id))
    assert (erased.more, erased.erased > 0) == (False, True)
    left = await stored(world, tenant.id)
    assert [word for word in ("comment", "draft", "question", "reason") if f"Ana's {word}" in left] == []
    assert [word for word in ("comment", "answer") if f"Ben's {word}" not in left] == []
    now = await boss.get_task(GetTaskRequest(task_id=task.task_id))
    assert (now.result, now.completed_by) == (ANSWER, ana.id)
    for one in (task, dropped):
        verified = await boss.verify_task_history(VerifyTaskHistoryRequest(task_id=one.task_id))
        assert verified.intact
        assert verified.erased
    comments = (await boss.list_comments(ListCommentsRequest(task_id=task.task_id))).comments
    assert [(one.author, one.text) for one in comments] == [(ana.id, ""), (ben.id, "Ben's comment")]
    again = await tenant.service().erase_words(EraseWordsRequest(user_id=ana.id))
    assert (again.erased, again.more) == (0, False)


async def test_why_a_task_was_cancelled_is_told_once_with_who_did_it(world: World) -> None:
    """Nothing that is told of it later has the words, so that what is erased is all there is."""
    tenant = world.tenant()
    ana, ben = tenant.person("ana", "l1"), tenant.person("ben", "l1")
    task = await tenant.worker().create_task(ask(candidate_groups=["l1"], requested_by=ana.id, workflow_id="wf_1"))
    await ana.cancel_task(CancelTaskRequest(task_id=task.task_id, reason="Ana's reason"))
    await ben.add_comment(AddCommentRequest(task_id=task.task_id, text=f"@{ana.id}: really?"))
    await world.ends.tell_again(timedelta())
    rows = await world.rows("select subject, payload from outbox where tenant_id = $1 order by seq", tenant.id)
    told = [(row["subject"].rpartition(".")[2], json.loads(bytes(row["payload"]))) for row in rows]
    assert [event for event, _ in told] == ["created", "cancelled", "commented", "mentioned", "cancelled"]
    assert [data.get("actor") for _, data in told if "Ana's reason" in json.dumps(data)] == [ana.id]


async def signed(world: World) -> None:
    """Let the tips of all histories be signed."""
    while await world.tips.sign():
        pass


async def receipt_of(asker: Caller, task: Task) -> Receipt:
    receipt = (await asker.get_task(GetTaskRequest(task_id=task.task_id))).receipt
    assert receipt is not None
    return receipt


async def assert_verifies(who: Caller, receipt: Receipt) -> None:
    """Check a receipt as anybody may: by the public keys alone."""
    keys = (await who.get_receipt_keys(GetReceiptKeysRequest())).jwks["keys"]
    [key] = [key for key in keys if key["kid"] == jwt.get_unverified_header(receipt.token)["kid"]]
    claims = jwt.decode(receipt.token, jwt.PyJWK(key, algorithm="EdDSA"), algorithms=["EdDSA"], issuer="orkestra")
    assert (claims["task_id"], claims["decided_by"]) == (receipt.task_id, receipt.decided_by)


async def test_the_receipt_of_an_erased_person_verifies_and_is_used_once_and_outlives_its_task(world: World) -> None:
    tenant = world.tenant()
    ana, boss, asker = tenant.person("ana", "l1"), tenant.person("boss", roles=("manager",)), tenant.system()
    action = TaskContext(summary="s", action=Action(name="refund", args={"order": 1}))
    task = await done(tenant, ana, asker=asker, context=action)
    await signed(world)
    assert not (await tenant.service().erase_words(EraseWordsRequest(user_id=ana.id))).more
    receipt = await receipt_of(asker, task)
    assert receipt.decided_by == ana.id
    await assert_verifies(asker, receipt)
    used = await asker.redeem_receipt(RedeemReceiptRequest(token=receipt.token, use_id="1"))
    assert used.action_digest == receipt.action_digest
    with pytest.raises(FailedPrecondition) as second:
        await asker.redeem_receipt(RedeemReceiptRequest(token=receipt.token, use_id="2"))
    assert second.value.reason == "RECEIPT_USED"
    await signed(world)
    verified = await boss.verify_task_history(VerifyTaskHistoryRequest(task_id=task.task_id))
    assert (verified.intact, verified.entries, verified.signed_up_to) == (True, 3, 3)

    assert await forget(tenant, task.task_id) == 1
    await assert_verifies(asker, receipt)
    for use in ("1", "2"):
        with pytest.raises(InvalidArgument) as gone:
            await asker.redeem_receipt(RedeemReceiptRequest(token=receipt.token, use_id=use))
        assert gone.value.reason == "RECEIPT_INVALID"


async def figures(who: Caller) -> TaskFigures:
    return await who.get_task_figures(GetTaskFiguresRequest(since=soon() - timedelta(days=1), until=soon()))


async def test_figures_are_of_the_tasks_that_are_kept_and_their_histories_verify_after_both(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person("ana", "l1"), tenant.person("ben", "l1")
    boss = tenant.person("boss", roles=("manager",))
    old, kept = [await done(tenant, ana) for _ in range(2)], [await done(tenant, one) for one in (ana, ben)]
    live = await tenant.system().create_task(ask(candidate_groups=["l1"]))
    await ana.add_comment(AddCommentRequest(task_id=live.task_id, text="Ana's comment"))
    await signed(world)
    before = await figures(boss)
    assert (before.asked, before.live, before.completed, before.time_to_complete.count) == (5, 1, 4, 4)
    assert {one.user_id: one.completed for one in before.people} == {ana.id: 3, ben.id: 1}

    assert await forget(tenant, *(task.task_id for task in old)) == 2
    await tenant.service().erase_words(EraseWordsRequest(user_id=ana.id))
    after = await figures(boss)
    assert (after.asked, after.live, after.completed, after.time_to_complete.count) == (3, 1, 2, 2)
    assert {one.user_id: one.completed for one in after.people} == {ana.id: 1, ben.id: 1}
    assert sum(day.completed for day in after.days) == 2
    for task in (*kept, live):
        verified = await boss.verify_task_history(VerifyTaskHistoryRequest(task_id=task.task_id))
        assert (verified.intact, verified.signed_up_to) == (True, verified.entries)
    for task in old:
        with pytest.raises(NotFound):
            await boss.verify_task_history(VerifyTaskHistoryRequest(task_id=task.task_id))


async def stored(world: World, tenant_id: str) -> str:
    """Everything that the schema holds of a tenant but what is on its way to the stream."""
    tables = await world.rows(
        "select c.relname::text from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' "
        "where c.relnamespace = 'task'::regnamespace and c.relkind = 'r'"
    )
    found: list[str] = []
    for (table,) in tables:
        rows = await world.rows(f"select t::text from {table} t where tenant_id = $1", tenant_id)
        found += [row[0] for row in rows]
    return "\n".join(found)
