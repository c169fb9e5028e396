"""The undo window: what is answered can be taken back for a while, and nobody acts on it before that is over."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from orkestra.testkit.waiting import eventually
from orkestra.v1.task import (
    Action,
    AdvanceClockRequest,
    ApprovalPolicy,
    CancelTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    GetTaskSettingsRequest,
    ListCorrectionsRequest,
    PutTaskSettingsRequest,
    RedeemReceiptRequest,
    SlaPolicy,
    Task,
    TaskContext,
    TaskSettings,
    TaskStatus,
    UndoTaskRequest,
    VerifyTaskHistoryRequest,
    VoteChoice,
    VoteTaskRequest,
)
from orkestra.wire import Error, FailedPrecondition, InvalidArgument, PermissionDenied, VersionMismatch
from task_world import ANSWER, Caller, Tenant, World, ask_for_run, world

__all__ = ["world"]

LONG = 3600


async def windowed(tenant: Tenant, seconds: int = LONG) -> Caller:
    """A manager, who has given the tenant an undo window."""
    boss = tenant.person("boss", roles=("manager",))
    await boss.put_task_settings(PutTaskSettingsRequest(undo_seconds=seconds))
    return boss


async def opened(tenant: Tenant, **fields: Any) -> Task:
    if (tenant.id, "l1") not in tenant.world.identity.groups:
        tenant.group("l1")
    return await tenant.worker().create_task(ask_for_run(candidate_groups=["l1"], **fields))


async def answered(caller: Caller, task: Task) -> Task:
    return await caller.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))


async def events(world: World, tenant: Tenant) -> list[str]:
    rows = await world.rows("select subject from outbox where tenant_id = $1 order by seq", tenant.id)
    return [row["subject"].rpartition(".")[2] for row in rows]


async def over(world: World, task: Task) -> None:
    """Let the time in which the answer can be taken back be over."""
    await world.rows(
        "update tasks set next_step_at = now() - interval '1 minute', told_at = now() - interval '1 minute', "
        "submission = jsonb_set(submission::jsonb, '{undo_until}', to_jsonb(now() - interval '1 minute'))::json "
        "where task_id = $1",
        task.task_id,
    )


async def test_without_a_window_an_answer_ends_the_task_at_once(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person("ana", "l1")
    assert await ana.get_task_settings(GetTaskSettingsRequest()) == TaskSettings(undo_seconds=0, version=0)
    done = await answered(ana, await opened(tenant))
    assert (done.status, done.submission) == (TaskStatus.COMPLETED, None)
    with pytest.raises(FailedPrecondition) as refused:
        await ana.undo_task(UndoTaskRequest(task_id=done.task_id))
    assert refused.value.reason == "NOTHING_TO_UNDO"


async def test_nobody_acts_on_an_answer_that_can_still_be_taken_back(world: World) -> None:
    tenant = world.tenant()
    boss, ana, worker = await windowed(tenant), tenant.person("ana", "l1"), tenant.worker()
    context = TaskContext(action=Action(name="pay", args={"euros": 5}))
    task = await opened(tenant, context=context, sla=SlaPolicy(complete="30m"), draft={"answer": {"value": "No."}})
    mine = await answered(ana, task)
    assert mine.submission is not None
    assert (mine.status, mine.result, mine.submission.result) == (TaskStatus.CLAIMED, None, ANSWER)
    for caller in (boss, worker):
        seen = (await caller.get_task(GetTaskRequest(task_id=task.task_id))).submission
        assert seen is not None
        assert (seen.result, seen.receipt, seen.undo_until) == (None, None, mine.submission.undo_until)
    clock = await worker.advance_clock(AdvanceClockRequest(task_id=task.task_id))
    assert clock.wake_in is not None
    assert timedelta(minutes=50) < clock.wake_in <= timedelta(hours=1)  # the time to complete stands still
    assert (clock.status, clock.result, clock.receipt) == (TaskStatus.CLAIMED, None, None)
    [row] = await world.rows("select submission -> 'receipt' ->> 'token' from tasks where task_id = $1", task.task_id)
    with pytest.raises(Error) as refused:
        await tenant.system().redeem_receipt(RedeemReceiptRequest(token=row[0], use_id="early"))
    assert refused.value.reason == "RECEIPT_INVALID"
    assert (await boss.list_corrections(ListCorrectionsRequest())).corrections == []
    assert await events(world, tenant) == ["created", "submitted"]


async def test_it_ends_when_the_time_is_over_with_the_answer_as_it_was_given(world: World) -> None:
    tenant = world.tenant()
    await windowed(tenant)
    ana, worker = tenant.person("ana", "l1"), tenant.worker()
    context = TaskContext(action=Action(name="pay", args={"euros": 5}))
    task = await opened(tenant, context=context)
    given = (await answered(ana, task)).submission
    await over(world, task)
    clock = await worker.advance_clock(AdvanceClockRequest(task_id=task.task_id))
    assert (clock.status, clock.result, clock.completed_by) == (TaskStatus.COMPLETED, ANSWER, ana.id)
    assert clock.receipt is not None
    used = await tenant.system().redeem_receipt(RedeemReceiptRequest(token=clock.receipt.token, use_id="once"))
    assert used.task_id == task.task_id
    done = await ana.get_task(GetTaskRequest(task_id=task.task_id))
    assert given is not None
    assert (done.submission, done.completed_at, done.woken_at) == (None, given.submitted_at, None)
    history = await ana.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))
    told = [(entry.event, entry.actor) for entry in history.entries]
    assert told == [("created", "worker"), ("submitted", ana.id), ("completed", None), ("receipt_redeemed", told[3][1])]
    assert "result" not in (history.entries[1].after or {})["submission"]
    assert (await ana.verify_task_history(VerifyTaskHistoryRequest(task_id=task.task_id))).intact
    assert await events(world, tenant) == ["created", "submitted", "completed"]


async def test_whoever_answered_takes_it_back_and_goes_on_with_what_was_typed(world: World) -> None:
    tenant = world.tenant()
    boss, ana, ben = await windowed(tenant), tenant.person("ana", "l1"), tenant.person("ben", "l1")
    task = await opened(tenant)
    first = await answered(ana, task)
    with pytest.raises(PermissionDenied) as refused:
        await ben.undo_task(UndoTaskRequest(task_id=task.task_id))
    assert refused.value.reason == "NOT_THE_ANSWERER"
    with pytest.raises(VersionMismatch):
        await ana.undo_task(UndoTaskRequest(task_id=task.task_id, version=first.version - 1))
    back = await ana.undo_task(UndoTaskRequest(task_id=task.task_id, reason="The wrong order."))
    assert (back.status, back.assignee, back.saved, back.submission) == (TaskStatus.CLAIMED, ana.id, ANSWER, None)
    await answered(ana, task)
    managed = await boss.undo_task(UndoTaskRequest(task_id=task.task_id))
    assert (managed.assignee, managed.saved) == (ana.id, None)
    history = await boss.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))
    told = [(entry.event, entry.actor, entry.reason) for entry in history.entries]
    assert told[1:] == [
        ("submitted", ana.id, None),
        ("undone", ana.id, "The wrong order."),
        ("submitted", ana.id, None),
        ("undone", boss.id, None),
    ]
    assert await events(world, tenant) == ["created", "submitted", "undone", "submitted", "undone"]


async def test_what_was_due_meanwhile_happens_once_it_is_taken_back_and_not_before(world: World) -> None:
    tenant = world.tenant()
    await windowed(tenant)
    ana = tenant.person("ana", "l1")
    task = await opened(tenant, sla=SlaPolicy(complete="2s"))
    await answered(ana, task)
    deadline = (task.sla and task.sla.complete_by) or datetime.now(UTC)

    async def passed() -> bool:
        return datetime.now(UTC) > deadline + timedelta(milliseconds=100)

    await eventually(passed)
    assert (await ana.get_task(GetTaskRequest(task_id=task.task_id))).status is TaskStatus.CLAIMED
    await ana.undo_task(UndoTaskRequest(task_id=task.task_id))
    assert (await ana.get_task(GetTaskRequest(task_id=task.task_id))).status is TaskStatus.EXPIRED


async def test_the_vote_that_decides_is_taken_back_by_its_voter(world: World) -> None:
    tenant = world.tenant()
    await windowed(tenant)
    ana, ben = tenant.person("ana", "l1"), tenant.person("ben", "l1")
    task = await opened(tenant, approval_policy=ApprovalPolicy(required=2))
    ballot = VoteTaskRequest(task_id=task.task_id, choice=VoteChoice.APPROVE, data=ANSWER, revision=1)
    await ana.vote_task(ballot)
    decided = await ben.vote_task(ballot)
    assert decided.submission is not None
    assert (decided.status, decided.submission.outcome) == (TaskStatus.OPEN, "approve")
    with pytest.raises(FailedPrecondition) as refused:
        await ana.vote_task(ballot.model_copy(update={"choice": VoteChoice.REJECT}))
    assert refused.value.reason == "TASK_ANSWERED"
    with pytest.raises(PermissionDenied):
        await ana.undo_task(UndoTaskRequest(task_id=task.task_id))
    back = await ben.undo_task(UndoTaskRequest(task_id=task.task_id))
    assert back.tally is not None
    assert ([vote.voter for vote in back.votes], back.tally.missing) == ([ana.id], 1)
    again = await ben.vote_task(ballot)
    assert again.submission is not None


async def test_a_run_that_ends_meanwhile_takes_no_answer_away(world: World) -> None:
    tenant = world.tenant()
    await windowed(tenant)
    ana = tenant.person("ana", "l1")
    task = await opened(tenant)
    await answered(ana, task)
    await world.ends.end_with_run(tenant.id, task.workflow_id or "", reason="Its workflow ended.")
    assert (await ana.get_task(GetTaskRequest(task_id=task.task_id))).submission is not None
    await over(world, task)
    assert (await ana.get_task(GetTaskRequest(task_id=task.task_id))).status is TaskStatus.COMPLETED


async def test_the_sweep_ends_what_nobody_has_come_by_to_end(world: World) -> None:
    tenant = world.tenant()
    await windowed(tenant)
    ana = tenant.person("ana", "l1")
    early, late = await opened(tenant), await opened(tenant)
    for task in (early, late):
        await answered(ana, task)
    await over(world, late)
    await world.ends.tell_again(timedelta(seconds=10))
    assert (await events(world, tenant)).count("completed") == 1
    rows = await world.rows("select task_id, status from tasks where tenant_id = $1", tenant.id)
    assert {row["task_id"]: row["status"] for row in rows} == {early.task_id: "claimed", late.task_id: "completed"}


@pytest.mark.parametrize("is_over", [False, True])
async def test_of_undo_cancel_and_the_end_of_the_window_one_wins(world: World, is_over: bool) -> None:
    tenant = world.tenant()
    boss, ana, worker = await windowed(tenant), tenant.person("ana", "l1"), tenant.worker()
    for _ in range(5):
        task = await opened(tenant)
        await answered(ana, task)
        if is_over:
            await over(world, task)
        calls: list[Callable[[], Any]] = [
            *[lambda task=task: ana.undo_task(UndoTaskRequest(task_id=task.task_id))] * 4,
            *[lambda task=task: boss.undo_task(UndoTaskRequest(task_id=task.task_id))] * 4,
            *[lambda task=task: answered(ana, task)] * 2,
            *[lambda task=task: worker.advance_clock(AdvanceClockRequest(task_id=task.task_id))] * 4,
            *[lambda task=task: ana.claim_task(ClaimTaskRequest(task_id=task.task_id))] * 2,
        ]
        await asyncio.gather(*(call() for call in calls), return_exceptions=True)
        await asyncio.gather(boss.cancel_task(CancelTaskRequest(task_id=task.task_id)), return_exceptions=True)
        seen = await boss.get_task(GetTaskRequest(task_id=task.task_id))
        history = [
            entry.event
            for entry in (await boss.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries[1:]
        ]
        if is_over:
            assert (history, seen.status) == (["submitted", "completed"], TaskStatus.COMPLETED)
            continue
        turns = [event for event in history if event != "cancelled"]
        assert turns == ["submitted", "undone"] * (len(turns) // 2) + ["submitted"] * (len(turns) % 2)
        assert (seen.status is TaskStatus.CANCELLED) is (seen.submission is None)


async def test_settings_are_checked_and_versioned(world: World) -> None:
    tenant = world.tenant()
    boss = tenant.person("boss", roles=("manager",))
    for seconds in (-1, 3601):
        with pytest.raises(InvalidArgument) as invalid:
            await boss.put_task_settings(PutTaskSettingsRequest(undo_seconds=seconds))
        assert [error.path for error in invalid.value.errors] == ["undo_seconds"]
    first = await boss.put_task_settings(PutTaskSettingsRequest(undo_seconds=30, version=0))
    assert (first.undo_seconds, first.version, first.updated_by) == (30, 1, boss.id)
    with pytest.raises(VersionMismatch) as stale:
        await boss.put_task_settings(PutTaskSettingsRequest(undo_seconds=0, version=0))
    assert stale.value.current == first
    second = await boss.put_task_settings(PutTaskSettingsRequest(undo_seconds=0, version=1))
    assert (second.undo_seconds, second.version) == (0, 2)
    assert await world.tenant().person("eve").get_task_settings(GetTaskSettingsRequest()) == TaskSettings(
        undo_seconds=0, version=0
    )
