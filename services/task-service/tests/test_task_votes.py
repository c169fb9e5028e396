"""Votes over the wire: who casts them, what they come to, and what row, history and events keep of them."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from orkestra.v1.task import (
    AdvanceClockRequest,
    ApprovalPolicy,
    CancelTaskRequest,
    CompleteTaskRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListTasksRequest,
    Task,
    TaskStatus,
    UpdateTaskRequest,
    VoteChoice,
    VoteTaskRequest,
)
from orkestra.wire import DeadlineExceeded, Error, InvalidArgument, Model, Unavailable
from task_world import ANSWER, Caller, Tenant, World, ask, ask_for_run, world

__all__ = ["world"]

BOTH = {"finance": 1, "legal": 1}


class Board:
    """Two of finance, one of legal, and whoever asks them."""

    def __init__(self, tenant: Tenant) -> None:
        self.fia, self.fred = tenant.person("fia", "finance"), tenant.person("fred", "finance")
        self.lea, self.boss = tenant.person("lea", "legal"), tenant.person("boss", roles=("manager",))
        self.bot, self.worker = tenant.agent(), tenant.worker()

    async def asked(self, policy: dict[str, Any], **fields: Any) -> Task:
        groups = ["finance", "legal"]
        return await self.bot.create_task(
            ask(candidate_groups=groups, approval_policy=ApprovalPolicy(**policy), **fields)
        )


def ballot(task: Task, choice: str = "approve", **fields: Any) -> VoteTaskRequest:
    asked = {"task_id": task.task_id, "choice": VoteChoice(choice), "data": ANSWER, "revision": task.revision}
    return VoteTaskRequest(**{**asked, **fields})


async def test_one_of_each_group_approves_and_everybody_sees_who_has_voted_what(world: World) -> None:
    board = Board(world.tenant())
    task = await board.asked({"from_groups": BOTH})
    assert task.approval_policy == ApprovalPolicy(
        required=2, from_groups=BOTH, distinct=True, veto=True, finish_early=True
    )
    voted = await board.fia.vote_task(ballot(task))
    assert (voted.status, voted.version, voted.tally and voted.tally.missing_from_groups) == ("open", 2, {"legal": 1})
    seen = await board.lea.get_task(GetTaskRequest(task_id=task.task_id))
    assert seen.votes == voted.votes
    [listed] = (await board.lea.list_tasks(ListTasksRequest())).tasks
    assert (listed.tally, listed.votes) == (voted.tally, [])
    done = await board.lea.vote_task(ballot(task, data={"answer": "Lawful."}))
    assert (done.status, done.outcome, done.result) == ("completed", "approve", {"answer": "Lawful."})
    assert await board.bot.get_task(GetTaskRequest(task_id=task.task_id)) == done


async def test_history_and_events_tell_each_vote_before_the_end(world: World) -> None:
    tenant = world.tenant()
    board = Board(tenant)
    secret = {"answer": {"type": "text", "required": True, "sensitive": True}}
    task = await board.asked({"required": 2}, form=secret)
    await board.fia.vote_task(ballot(task))
    await board.lea.vote_task(ballot(task, "reject"))
    history = (await board.boss.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    assert [(entry.event, entry.actor) for entry in history] == [
        ("created", board.bot.id),
        ("vote_cast", board.fia.id),
        ("vote_cast", board.lea.id),
        ("completed", board.lea.id),
    ]
    assert history[2].after is not None
    [cast] = history[2].after["votes"]
    assert (cast["voter"], cast["choice"], cast["data"]) == (board.lea.id, "reject", {"answer": "[redacted]"})
    rows = await world.rows("select subject, payload from outbox where tenant_id = $1 order by seq", tenant.id)
    assert [row["subject"].rpartition(".")[2] for row in rows] == ["created", "vote_cast", "vote_cast", "completed"]
    assert all(ANSWER["answer"] not in str(row["payload"]) for row in rows)


async def test_a_vote_is_changed_until_a_new_revision_clears_them_all(world: World) -> None:
    board = Board(world.tenant())
    task = await board.asked({"required": 2, "veto": False})
    await board.fia.vote_task(ballot(task, "reject"))
    changed = await board.fia.vote_task(ballot(task))
    assert [(vote.voter, vote.choice) for vote in changed.votes] == [(board.fia.id, "approve")]
    renamed = await board.boss.update_task(UpdateTaskRequest(task_id=task.task_id, title="Something else"))
    assert (renamed.votes, renamed.tally and renamed.tally.missing) == ([], 2)
    with pytest.raises(Error) as stale:
        await board.lea.vote_task(ballot(task))
    assert stale.value.reason == "REVISION_MISMATCH"
    with pytest.raises(Error) as alone:
        await board.lea.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert alone.value.reason == "VOTES_DECIDE"
    with pytest.raises(InvalidArgument) as unfit:
        await board.lea.vote_task(ballot(renamed, data={"sentiment": "sour"}))
    assert {error.path for error in unfit.value.errors} == {"data.answer", "data.sentiment"}


async def test_without_a_veto_it_is_rejected_once_those_who_are_left_cannot_approve_it(world: World) -> None:
    board = Board(world.tenant())
    task = await board.asked({"required": 2, "veto": False})
    open_still = await board.fia.vote_task(ballot(task, "reject"))
    assert open_still.status == TaskStatus.OPEN
    done = await board.fred.vote_task(ballot(task, "reject"))
    assert (done.status, done.outcome, done.completed_by) == ("completed", "reject", board.fred.id)


async def test_a_policy_that_these_people_can_never_meet_is_refused_and_nothing_is_stored(world: World) -> None:
    tenant = world.tenant()
    board = Board(tenant)
    for policy, fields, expected in (
        ({"required": 4}, {}, ("approval_policy.required", "unreachable")),
        ({"from_groups": {"legal": 2}}, {}, ("approval_policy.from_groups.legal", "unreachable")),
        ({"from_groups": {"hr": 1}}, {}, ("approval_policy.from_groups", "not_a_candidate_group")),
        ({"required": 3}, {"excluded_users": [board.lea.id]}, ("approval_policy.required", "unreachable")),
    ):
        with pytest.raises(InvalidArgument) as refusal:
            await board.asked(policy, **fields)
        assert [(error.path, error.code) for error in refusal.value.errors] == [expected]
    assert await world.rows("select from tasks where tenant_id = $1", tenant.id) == []


async def test_four_eyes_hold_for_every_vote_and_where_they_are_asked_for(world: World) -> None:
    tenant = world.tenant()
    board = Board(tenant)
    asked = ask(candidate_groups=["finance", "legal"], excluded_users=[board.fred.id], approval_policy=ApprovalPolicy())
    task = await board.fia.create_task(asked)
    for who, reason in ((board.fia, "FOUR_EYES_REQUIRED"), (board.fred, "EXCLUDED_FROM_TASK")):
        for call in (who.vote_task(ballot(task)), who.claimed(task)):
            with pytest.raises(Error) as refusal:
                await call
            assert refusal.value.reason == reason
    plain = await board.fia.create_task(ask(candidate_groups=["finance"], four_eyes=True))
    with pytest.raises(Error) as own:
        await board.fia.complete_task(CompleteTaskRequest(task_id=plain.task_id, data=ANSWER))
    assert own.value.reason == "FOUR_EYES_REQUIRED"
    done = await board.fred.complete_task(CompleteTaskRequest(task_id=plain.task_id, data=ANSWER))
    assert done.status == TaskStatus.COMPLETED


@pytest.mark.parametrize("round_", range(4))
async def test_of_votes_cancels_and_the_clock_at_once_one_ends_it_and_each_voter_counts_once(
    world: World, round_: int
) -> None:
    tenant = world.tenant()
    voters = [tenant.person(f"p{number}", "l1") for number in range(8)]
    boss, worker = tenant.person("boss", roles=("manager",)), tenant.worker()
    policy = ApprovalPolicy(required=5, veto=False)
    task = await worker.create_task(ask_for_run(candidate_groups=["l1"], approval_policy=policy))
    choices = ["approve"] * (8 if round_ % 2 else 4) + ["reject"] * 4

    async def voted(caller: Caller, choice: str) -> Model:
        for _ in range(20):
            with suppress(Unavailable, DeadlineExceeded):  # a busy machine may not get to all sixteen
                return await caller.vote_task(ballot(task, choice))
        return await caller.vote_task(ballot(task, choice))

    async def calls_of(caller: Caller, choice: str) -> list[Model | BaseException]:
        return list(await asyncio.gather(*(voted(caller, choice) for _ in range(2)), return_exceptions=True))

    others = [worker.advance_clock(AdvanceClockRequest(task_id=task.task_id))]
    cancels = [boss.cancel_task(CancelTaskRequest(task_id=task.task_id))] if round_ == 3 else []
    cast = (calls_of(caller, choice) for caller, choice in zip(voters, choices, strict=False))
    answers = await asyncio.gather(*cast, *others, *cancels, return_exceptions=True)
    assert all(isinstance(answer, Model | Error | list) for answer in answers), answers
    seen = await boss.get_task(GetTaskRequest(task_id=task.task_id))
    assert len({vote.voter for vote in seen.votes}) == len(seen.votes)
    if seen.status == TaskStatus.COMPLETED:
        approvals = [vote.voter for vote in seen.votes if vote.choice == "approve"]
        assert (seen.outcome, len(approvals) >= 5) in {("approve", True), ("reject", False)}
    assert seen.status in ({"completed", "cancelled"} if cancels else {"completed"})
    history = (await boss.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    changes = [entry.event for entry in history if entry.event != "late_answer"]
    assert seen.version == len(changes)
    assert [event for event in changes if event in ("completed", "cancelled")] == [seen.status.value]
