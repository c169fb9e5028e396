"""The chain of a history: whole as it is written, and whatever is done to it behind the service is named."""

import asyncio

import pytest
from orkestra.v1.task import (
    ApprovalPolicy,
    CancelTaskRequest,
    CompleteTaskRequest,
    GetTaskHistoryRequest,
    HistoryVerification,
    ReleaseTaskRequest,
    UpdateTaskRequest,
    VerifyTaskHistoryRequest,
    VoteChoice,
    VoteTaskRequest,
)
from orkestra.wire import Error, NotFound
from task_world import ANSWER, Caller, Tenant, World, ask_for_run, world

__all__ = ["world"]

HERE = "where task_id = $1"


class Case:
    """A task that was claimed, put back, voted on and cancelled, and answered too late: seven entries."""

    def __init__(self, world: World, boss: Caller, task_id: str) -> None:
        self.world, self.boss, self.task_id = world, boss, task_id

    async def verified(self) -> HistoryVerification:
        return await self.boss.verify_task_history(VerifyTaskHistoryRequest(task_id=self.task_id))

    async def faults(self) -> list[tuple[int, str]]:
        found = await self.verified()
        assert found.intact is (found.faults == [])
        return [(fault.sequence, fault.kind.value) for fault in found.faults]

    async def spoil(self, statement: str) -> None:
        await self.world.rows(f"{statement} returning 1", self.task_id)

    async def signed(self) -> None:
        while await self.world.tips.sign():
            pass


async def case(world: World, tenant: Tenant) -> Case:
    boss, ana, ben = tenant.person("boss", roles=("manager",)), tenant.person("ana", "l1"), tenant.person("ben", "l1")
    policy = ApprovalPolicy(required=2)
    task = await tenant.worker().create_task(ask_for_run(candidate_groups=["l1"], approval_policy=policy))
    await ana.claimed(task)
    await ana.release_task(ReleaseTaskRequest(task_id=task.task_id))
    ballot = VoteTaskRequest(task_id=task.task_id, choice=VoteChoice.APPROVE, data=ANSWER, revision=1)
    await ana.vote_task(ballot)
    await boss.update_task(UpdateTaskRequest(task_id=task.task_id, add_tags=["a"], reason="Bigger."))
    await boss.cancel_task(CancelTaskRequest(task_id=task.task_id, reason="Enough."))
    with pytest.raises(Error):
        await ben.vote_task(ballot)
    return Case(world, boss, task.task_id)


async def test_a_history_as_written_is_intact_and_signed_up_to_its_tip(world: World) -> None:
    it = await case(world, world.tenant())
    entries = (await it.boss.get_task_history(GetTaskHistoryRequest(task_id=it.task_id))).entries
    assert [entry.event for entry in entries] == [
        *("created", "claimed", "released", "vote_cast", "updated", "cancelled", "late_answer")
    ]
    assert len({entry.digest for entry in entries}) == 7
    found = await it.verified()
    assert (found.intact, found.entries, found.signed_up_to) == (True, 7, 0)
    await it.signed()
    found = await it.verified()
    assert (found.intact, found.signed_up_to, found.erased) == (True, 7, [])
    assert await world.tips.sign() == 0


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        ("update task_history set actor = 'user_eve' where task_id = $1 and sequence = 2", [(2, "altered")]),
        ("update task_history set reason = 'Smaller.' where task_id = $1 and sequence = 5", [(5, "altered")]),
        ("update task_history set at = at + interval '1 us' where task_id = $1 and sequence = 3", [(3, "altered")]),
        ("delete from task_history where task_id = $1 and sequence = 4", [(4, "missing")]),
        ("delete from task_history where task_id = $1 and sequence = 7", [(7, "missing")]),
        ("delete from task_history where task_id = $1 and sequence > 5", [(6, "missing"), (7, "missing")]),
        ("update task_history set signature = 'x' where task_id = $1 and sequence = 7", [(7, "altered")]),
    ],
)
async def test_what_is_altered_or_missing_is_named(world: World, spoil: str, expected: list[tuple[int, str]]) -> None:
    it = await case(world, world.tenant())
    await it.signed()
    assert await it.faults() == []
    await it.spoil(spoil)
    assert await it.faults() == expected


async def test_an_entry_with_a_digest_made_anew_is_named_by_the_one_after_it(world: World) -> None:
    it = await case(world, world.tenant())
    await it.signed()
    await it.spoil(
        "update task_history set actor = 'user_eve', digest = history_digest(task_id, sequence, event, at, 'user_eve',"
        f" acted_for, door, content_digest, previous) {HERE} and sequence = 2"
    )
    assert await it.faults() == [(2, "altered")]
    await it.spoil(
        "update task_history set actor = 'user_eve', digest = history_digest(task_id, sequence, event, at, 'user_eve',"
        f" acted_for, door, content_digest, previous) {HERE} and sequence = 7"
    )
    assert await it.faults() == [(2, "altered"), (7, "altered")]  # nothing comes after it but its signature


async def test_content_can_be_erased_and_the_chain_stays_whole(world: World) -> None:
    it = await case(world, world.tenant())
    await it.signed()
    await it.spoil(f"update task_history set reason = null, before = null, after = null {HERE} and sequence in (5, 7)")
    found = await it.verified()
    assert (found.intact, found.erased) == (True, [5, 7])


async def test_a_history_that_many_write_at_once_has_one_chain(world: World) -> None:
    tenant = world.tenant()
    people, boss = [tenant.person(f"p{number}", "l1") for number in range(6)], tenant.person("b", roles=("manager",))
    task = await tenant.worker().create_task(ask_for_run(candidate_groups=["l1"]))
    calls = [
        call
        for person in people
        for call in (
            person.claimed(task),
            person.release_task(ReleaseTaskRequest(task_id=task.task_id)),
            boss.update_task(UpdateTaskRequest(task_id=task.task_id, add_tags=[person.id])),
            person.complete_task(CompleteTaskRequest(task_id=task.task_id, data={"answer": ""})),
            world.tips.sign(),
        )
    ]
    await asyncio.gather(*calls, return_exceptions=True)
    it = Case(world, boss, task.task_id)
    await it.signed()
    found = await it.verified()
    assert found.entries >= 7
    assert (found.intact, found.signed_up_to) == (True, found.entries)


async def test_who_does_not_see_the_task_verifies_nothing(world: World) -> None:
    it = await case(world, world.tenant())
    for stranger in (world.tenant().person("eve", roles=("admin",)), world.tenant().worker()):
        with pytest.raises(NotFound):
            await stranger.verify_task_history(VerifyTaskHistoryRequest(task_id=it.task_id))
