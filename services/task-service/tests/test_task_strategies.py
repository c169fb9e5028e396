"""Groups give work to their members: in turn, by load, by who knows the case; who is away, full or unskilled not."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from orkestra.testkit.waiting import eventually
from orkestra.v1.events import GroupEvent, MembershipEvent, UserEvent
from orkestra.v1.identity import Group, GroupStrategy, User, UserStatus
from orkestra.v1.task import (
    AdvanceClockRequest,
    AssignTaskRequest,
    CancelTaskRequest,
    CompleteTaskRequest,
    EscalateTaskRequest,
    EscalationStep,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListTasksRequest,
    ReleaseTaskRequest,
    SlaPolicy,
    Task,
    TaskScope,
    TaskStatus,
)
from orkestra.wire import PermissionDenied
from task_world import ANSWER, Caller, Tenant, World, ask_for_run, some_task_id, world

__all__ = ["world"]

ROUND, LEAST, STICKY = GroupStrategy.ROUND_ROBIN, GroupStrategy.LEAST_LOADED, GroupStrategy.STICKY


def team(tenant: Tenant, strategy: GroupStrategy, size: int = 3, **fields: Any) -> list[Caller]:
    """A group l1 with so many members, by their ids."""
    tenant.group("l1", strategy=strategy, **fields)
    return sorted((tenant.person(f"p{number}", "l1") for number in range(size)), key=lambda person: person.id)


async def told_of(tenant: Tenant, *people: Caller) -> None:
    """Let the service hear what these people are good at and how much they take."""
    for person in people:
        user = tenant.world.identity.users[tenant.id, person.id]
        await tenant.hear("user_changed", UserEvent(user=user), key=person.id, version=user.version)


async def opened(tenant: Tenant, **fields: Any) -> Task:
    asked = ask_for_run(**{"candidate_groups": ["l1"], **fields})
    return await tenant.worker().create_task(asked)


async def done(person: Caller, task: Task) -> None:
    await person.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))


async def test_round_robin_gives_to_one_after_the_other_and_says_so(world: World) -> None:
    tenant = world.tenant()
    people = team(tenant, ROUND)
    tasks = [await opened(tenant) for _ in range(5)]
    assert [task.assignee for task in tasks] == [people[n % 3].id for n in range(5)]
    assert {(task.status, task.version, *task.candidate_groups) for task in tasks} == {("open", 2, "l1")}
    entries = (await people[0].get_task_history(GetTaskHistoryRequest(task_id=tasks[0].task_id))).entries
    assert [(one.event, one.actor, one.reason) for one in entries][1:] == [("assigned", None, "round robin in l1")]
    rows = await world.rows("select subject from outbox where tenant_id = $1 order by seq", tenant.id)
    assert [row["subject"].rpartition(".")[2] for row in rows][:2] == ["created", "assigned"]


async def test_it_is_in_the_inbox_of_whoever_has_it_who_alone_can_claim_it(world: World) -> None:
    tenant = world.tenant()
    first, other, _ = team(tenant, ROUND)
    task = await opened(tenant)
    mine = await first.list_tasks(ListTasksRequest(scope=TaskScope.MINE))
    assert [one.task_id for one in mine.tasks] == [task.task_id]
    with pytest.raises(PermissionDenied) as refused:
        await other.claimed(task)
    assert refused.value.reason == "ASSIGNED_TO_ANOTHER"
    assert (await first.claimed(task)).status == TaskStatus.CLAIMED


async def test_what_is_given_back_is_for_anyone_of_the_group(world: World) -> None:
    tenant = world.tenant()
    first, other, _ = team(tenant, ROUND)
    task = await opened(tenant)
    freed = await first.release_task(ReleaseTaskRequest(task_id=task.task_id))
    assert (freed.assignee, freed.status) == (None, TaskStatus.OPEN)
    assert (await other.claimed(task)).assignee == other.id


async def test_the_same_creation_again_takes_no_turn(world: World) -> None:
    tenant = world.tenant()
    people = team(tenant, ROUND)
    asked = ask_for_run(candidate_groups=["l1"], task_id=some_task_id())
    first, again = [await tenant.worker().create_task(asked) for _ in range(2)]
    assert first == again
    assert (await opened(tenant)).assignee == people[1].id


async def test_least_loaded_counts_what_is_live_wherever_it_came_from(world: World) -> None:
    tenant = world.tenant()
    people = team(tenant, LEAST)
    await opened(tenant, assignee=people[0].id)
    await opened(tenant, assignee=people[1].id)
    third = await opened(tenant)
    assert third.assignee == people[2].id
    await done(people[2], third)
    await people[0].claimed(await opened(tenant, assignee=people[0].id))
    assert [(await opened(tenant)).assignee for _ in range(4)] == [people[n].id for n in (2, 1, 2, 0)]


async def test_many_at_once_are_spread_evenly(world: World) -> None:
    tenant = world.tenant()
    people = team(tenant, LEAST, size=5)
    await opened(tenant)  # the group is known from then on
    tasks = await asyncio.gather(*(opened(tenant) for _ in range(24)))
    rows = await world.rows("select assignee from tasks where tenant_id = $1", tenant.id)
    assert Counter(row["assignee"] for row in rows) == {person.id: 5 for person in people}
    assert len({task.task_id for task in tasks}) == 24


async def test_whoever_has_as_much_as_they_take_is_passed_over_and_then_anyone_claims(world: World) -> None:
    tenant = world.tenant()
    tenant.group("l1", strategy=ROUND, max_open_tasks=2)
    one = tenant.person("one", "l1", max_open_tasks=1)
    two = tenant.person("two", "l1")
    await told_of(tenant, one, two)
    given = [(await opened(tenant)).assignee for _ in range(4)]
    assert Counter(given) == {one.id: 1, two.id: 2, None: 1}
    assert given[-1] is None
    mine = (await two.list_tasks(ListTasksRequest(scope=TaskScope.MINE))).tasks
    await done(two, mine[0])
    assert (await opened(tenant)).assignee == two.id


async def test_whoever_is_out_of_office_is_passed_over_for_the_types_that_they_left(world: World) -> None:
    tenant = world.tenant()
    people = team(tenant, ROUND)
    other = tenant.person("other")
    await tenant.away(people[0], other, task_types=["refund"])
    await tenant.away(people[1], None)
    assert (await opened(tenant, type="refund")).assignee == people[1].id
    assert (await opened(tenant, type="refund")).assignee == people[2].id
    assert (await opened(tenant, type="reply")).assignee == people[0].id
    await tenant.away(people[1], other, version=2, ends_at=datetime.now(UTC))
    assert (await opened(tenant)).assignee == people[1].id
    for number, person in enumerate(people):
        await tenant.away(person, other, version=7 + number)
    assert (await opened(tenant)).assignee is None


async def test_skills_of_the_group_that_the_task_is_tagged_with_are_needed(world: World) -> None:
    tenant = world.tenant()
    tenant.group("l1", strategy=ROUND, skills=["german", "billing"])
    german = tenant.person("german", "l1", skills=["german"])
    both = tenant.person("both", "l1", skills=["german", "billing"])
    none = tenant.person("none", "l1")
    await told_of(tenant, german, both, none)
    assert {(await opened(tenant, tags=["german", "vip"])).assignee for _ in range(3)} == {german.id, both.id}
    assert {(await opened(tenant, tags=["billing"])).assignee for _ in range(2)} == {both.id}
    assert {(await opened(tenant, tags=["vip"])).assignee for _ in range(3)} == {german.id, both.id, none.id}


async def test_sticky_gives_it_to_whoever_worked_on_the_correlation_last(world: World) -> None:
    tenant = world.tenant()
    people = team(tenant, STICKY)
    first = await opened(tenant, correlation="case-1")
    assert first.assignee is None
    await done(people[1], first)
    assert (await opened(tenant, correlation="case-2")).assignee is None
    assert (await opened(tenant)).assignee is None
    second = await opened(tenant, correlation="case-1")
    assert second.assignee == people[1].id
    await people[1].release_task(ReleaseTaskRequest(task_id=second.task_id))
    await done(people[2], second)
    assert (await opened(tenant, correlation="case-1")).assignee == people[2].id


async def test_whoever_asked_or_is_excluded_is_passed_over(world: World) -> None:
    tenant = world.tenant()
    first, second, third = team(tenant, ROUND)
    asked = await opened(tenant, requested_by=first.id, four_eyes=True, excluded_users=[second.id])
    assert asked.assignee == third.id


async def test_a_manager_who_assigns_to_the_group_lets_it_choose(world: World) -> None:
    tenant = world.tenant()
    people, boss = team(tenant, ROUND), tenant.person("boss", roles=("manager",))
    task = await opened(tenant, candidate_groups=[], assignee=boss.id)
    request = AssignTaskRequest(task_id=task.task_id, candidate_groups=["l1"], reason="Theirs.")
    given = await boss.assign_task(request)
    assert (given.assignee, given.version) == (people[0].id, task.version + 2)
    entries = (await boss.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))).entries
    assert [(one.event, one.actor) for one in entries][-2:] == [("assigned", boss.id), ("assigned", None)]


async def test_a_step_of_the_chain_lets_the_group_choose_by_hand_and_by_the_clock(world: World) -> None:
    tenant = world.tenant()
    people, boss = team(tenant, ROUND), tenant.person("boss", roles=("manager",))
    tenant.group("l0")
    chain = [EscalationStep.model_validate({"after": "1s", "assign_to": {"groups": ["l1"]}})]
    sla = SlaPolicy(claim="1h", complete="2h", escalate=chain)
    by_hand = await opened(tenant, candidate_groups=["l0"], sla=sla)
    assert by_hand.assignee is None
    escalated = await boss.escalate_task(EscalateTaskRequest(task_id=by_hand.task_id))
    assert (escalated.assignee, escalated.candidate_groups) == (people[0].id, ["l1"])
    by_clock = await opened(tenant, candidate_groups=["l0"], sla=sla)
    worker = tenant.worker()

    async def given() -> str | None:
        await worker.advance_clock(AdvanceClockRequest(task_id=by_clock.task_id))
        return (await worker.get_task(GetTaskRequest(task_id=by_clock.task_id))).assignee

    assert await eventually(given, timeout=30) == people[1].id


async def test_beside_people_agents_or_votes_no_group_chooses(world: World) -> None:
    tenant = world.tenant()
    people = team(tenant, ROUND)
    tasks = [
        await opened(tenant, candidate_users=[people[2].id]),
        await opened(tenant, allow_agents=["bot"]),
        await opened(tenant, approval_policy={"required": 2}),
    ]
    assert [task.assignee for task in tasks] == [None, None, None]


async def test_the_first_group_that_finds_somebody_gives_it(world: World) -> None:
    tenant = world.tenant()
    tenant.group("l0")
    tenant.group("l1", strategy=LEAST)  # nobody is in it
    tenant.group("l2", strategy=ROUND)
    eve = tenant.person("eve", "l2")
    assert (await opened(tenant, candidate_groups=["l0", "l1", "l2"])).assignee == eve.id


async def test_what_identity_tells_changes_whom_it_is_given_to(world: World) -> None:
    tenant = world.tenant()
    first, second, _ = team(tenant, GroupStrategy.PULL)
    assert (await opened(tenant)).assignee is None
    known = {"group_id": "l1", "tenant_id": tenant.id, "name": "L1", "created_at": datetime.now(UTC)}
    only = Group(**known, version=3, members=[first.id, second.id], strategy=ROUND)
    await tenant.hear("group_changed", GroupEvent(group=only), key="l1", version=3)
    assert [(await opened(tenant)).assignee for _ in range(3)] == [first.id, second.id, first.id]
    left = only.model_copy(update={"version": 4, "members": [second.id]})
    await tenant.hear(
        "membership_changed", MembershipEvent(group=left, user_id=first.id, member=False), key="l1", version=4
    )
    await tenant.hear("group_changed", GroupEvent(group=only), key="l1", version=3)  # told again, too late
    assert [(await opened(tenant)).assignee for _ in range(2)] == [second.id, second.id]
    user: User = world.identity.users[tenant.id, second.id]
    gone = user.model_copy(update={"version": 9, "status": UserStatus.DISABLED})
    await tenant.hear("user_changed", UserEvent(user=gone), key=second.id, version=9)
    assert (await opened(tenant)).assignee is None


async def test_another_tenants_load_and_turns_are_their_own(world: World) -> None:
    here, there = world.tenant(), world.tenant()
    ours, theirs = team(here, ROUND), team(there, ROUND)
    assert (await opened(here)).assignee == ours[0].id
    assert (await opened(there)).assignee == theirs[0].id


async def test_what_ended_meanwhile_is_given_to_nobody(world: World) -> None:
    tenant = world.tenant()
    team(tenant, ROUND)
    task = await opened(tenant)
    ended = await tenant.worker().cancel_task(CancelTaskRequest(task_id=task.task_id))
    assert (ended.status, ended.version) == (TaskStatus.CANCELLED, task.version + 1)
