"""Out of office: whoever takes a person's place finds and does their work, and history says for whom."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from orkestra.v1.task import (
    Action,
    AddCommentRequest,
    Assignment,
    AssignTaskRequest,
    CancelTaskRequest,
    CompleteTaskRequest,
    CreateTaskRequest,
    EscalateTaskRequest,
    EscalationStep,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListTasksRequest,
    ReleaseTaskRequest,
    SaveDraftRequest,
    SlaPolicy,
    Task,
    TaskContext,
    TaskScope,
    TaskStatus,
)
from orkestra.wire import Error, NotFound, PermissionDenied
from task_world import ANSWER, Caller, Tenant, World, ask_for_run, world

__all__ = ["world"]


async def opened(tenant: Tenant, **fields: Any) -> Task:
    asked: CreateTaskRequest = ask_for_run(**fields)
    return await tenant.worker().create_task(asked)


async def ids(caller: Caller, **filters: Any) -> list[str]:
    return [task.task_id for task in (await caller.list_tasks(ListTasksRequest(**filters))).tasks]


async def test_the_substitute_finds_claims_and_completes_and_history_says_for_whom(world: World) -> None:
    tenant = world.tenant()
    alice, bob = tenant.person("alice"), tenant.person("bob")
    task = await opened(tenant, assignee=alice.id)
    assert await ids(bob) == []
    await tenant.away(alice, bob)
    assert await ids(bob) == await ids(bob, scope=TaskScope.MINE) == [task.task_id]
    claimed = await bob.claimed(task)
    assert (claimed.assignee, claimed.acted_for) == (bob.id, alice.id)
    done = await bob.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert (done.completed_by, done.acted_for) == (bob.id, alice.id)
    history = await bob.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))
    told = [(entry.event, entry.actor, entry.acted_for) for entry in history.entries]
    assert told[1:] == [("claimed", bob.id, alice.id), ("completed", bob.id, alice.id)]


async def test_open_tasks_follow_also_what_is_claimed_already(world: World) -> None:
    tenant = world.tenant()
    alice, bob = tenant.person("alice"), tenant.person("bob")
    task = await opened(tenant, candidate_users=[alice.id])
    await alice.claimed(task)
    await tenant.away(alice, bob)
    assert await ids(bob, status=TaskStatus.CLAIMED) == [task.task_id]
    draft = await bob.save_draft(SaveDraftRequest(task_id=task.task_id, data=ANSWER))
    assert draft.saved == ANSWER
    done = await bob.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert (done.completed_by, done.acted_for) == (bob.id, alice.id)


@pytest.mark.parametrize("moved", ["released", "assigned", "escalated"])
async def test_who_has_the_task_after_a_substitute_acts_for_nobody(world: World, moved: str) -> None:
    tenant = world.tenant()
    alice, bob, carol = tenant.person("alice"), tenant.person("bob"), tenant.person("carol", "support-l2")
    boss = tenant.person("boss", roles=("manager",))
    step = EscalationStep(after="1h", assign_to=Assignment(groups=["support-l2"]))
    offered = {"candidate_users": [alice.id], "candidate_groups": ["support-l2"]}
    task = await opened(tenant, sla=SlaPolicy(complete="2h", escalate=[step]), **offered)
    await tenant.away(alice, bob)
    assert (await bob.claimed(task)).acted_for == alice.id
    if moved == "released":
        await bob.release_task(ReleaseTaskRequest(task_id=task.task_id))
    elif moved == "assigned":
        await boss.assign_task(AssignTaskRequest(task_id=task.task_id, candidate_groups=["support-l2"], reason="Hers."))
    else:
        await boss.escalate_task(EscalateTaskRequest(task_id=task.task_id))
    claimed = await carol.claimed(task)
    assert (claimed.assignee, claimed.acted_for) == (carol.id, None)
    done = await carol.complete_task(CompleteTaskRequest(task_id=task.task_id, data=ANSWER))
    assert (done.completed_by, done.acted_for) == (carol.id, None)
    history = await boss.get_task_history(GetTaskHistoryRequest(task_id=task.task_id))
    assert [entry.acted_for for entry in history.entries if entry.actor == carol.id] == [None, None]


async def test_it_lasts_as_long_as_the_window_and_an_older_word_changes_nothing(world: World) -> None:
    tenant = world.tenant()
    alice, bob = tenant.person("alice"), tenant.person("bob")
    task = await opened(tenant, candidate_users=[alice.id])
    now = datetime.now(UTC)
    await tenant.away(alice, bob, begins_at=now + timedelta(hours=1))
    assert await ids(bob) == []
    await tenant.away(alice, bob, version=2, ends_at=now - timedelta(seconds=1))
    assert await ids(bob) == []
    await tenant.away(alice, bob, version=4, begins_at=now - timedelta(hours=1), ends_at=now + timedelta(hours=1))
    assert await ids(bob) == [task.task_id]
    await tenant.away(alice, None, version=3)
    assert await ids(bob) == [task.task_id]
    await tenant.away(alice, None, version=5)
    assert await ids(bob) == []
    with pytest.raises(NotFound):
        await bob.claimed(task)


async def test_a_substitute_for_some_types_sees_and_does_those_alone(world: World) -> None:
    tenant = world.tenant()
    alice, bob = tenant.person("alice"), tenant.person("bob")
    refund = await opened(tenant, assignee=alice.id, type="refund")
    other = await opened(tenant, assignee=alice.id, type="reply")
    untyped = await opened(tenant, assignee=alice.id)
    await tenant.away(alice, bob, task_types=["refund"])
    assert await ids(bob) == await ids(bob, q="help") == [refund.task_id]
    for hidden in (other, untyped):
        with pytest.raises(NotFound):
            await bob.get_task(GetTaskRequest(task_id=hidden.task_id))
        with pytest.raises(NotFound):
            await bob.complete_task(CompleteTaskRequest(task_id=hidden.task_id, data=ANSWER))
    assert (await bob.claimed(refund)).acted_for == alice.id


async def test_chains_are_followed_and_a_circle_ends(world: World) -> None:
    tenant = world.tenant()
    alice, bob, carol = (tenant.person(name) for name in ("alice", "bob", "carol"))
    task = await opened(tenant, assignee=alice.id)
    await tenant.away(alice, bob)
    await tenant.away(bob, carol)
    await tenant.away(carol, alice)
    for caller in (alice, bob, carol):
        assert await ids(caller) == [task.task_id]
    assert (await carol.claimed(task)).acted_for == alice.id
    freed = await carol.release_task(ReleaseTaskRequest(task_id=task.task_id))
    assert (freed.assignee, freed.acted_for) == (None, None)


async def test_nobody_does_for_another_what_either_may_not(world: World) -> None:
    tenant = world.tenant()
    alice, bob = tenant.person("alice"), tenant.person("bob")
    action = TaskContext(action=Action(name="pay", args={"euros": 5}))
    hers = await alice.create_task(ask_for(candidate_users=[alice.id], context=action))
    barred = await opened(tenant, candidate_users=[alice.id], excluded_users=[bob.id])
    await tenant.away(alice, bob)
    for task in (hers, barred):
        with pytest.raises(PermissionDenied) as refused:
            await bob.claimed(task)
        assert refused.value.reason == "EXCLUDED_FROM_TASK"


async def test_what_she_asked_for_or_may_do_as_a_manager_is_not_his(world: World) -> None:
    tenant = world.tenant()
    alice, bob = tenant.person("alice", roles=("manager",)), tenant.person("bob")
    tenant.group("support-l1")
    asked = await alice.create_task(ask_for(candidate_groups=["support-l1"]))
    await tenant.away(alice, bob)
    assert await ids(bob) == []
    with pytest.raises(Error):
        await bob.get_task(GetTaskRequest(task_id=asked.task_id))


async def test_who_is_meant_in_person_acts_for_nobody(world: World) -> None:
    tenant = world.tenant()
    alice, bob = tenant.person("alice"), tenant.person("bob", "support-l1")
    await tenant.away(alice, bob)
    task = await opened(tenant, candidate_users=[alice.id], candidate_groups=["support-l1"])
    assert (await bob.claimed(task)).acted_for is None


async def audiences(world: World, task: Task) -> dict[str, set[str]]:
    """Who is told of each event of a task."""
    rows = await world.rows(
        "select subject, payload from outbox where convert_from(payload, 'UTF8') like $1 order by seq",
        f"%{task.task_id}%",
    )
    return {row["subject"].rpartition(".")[2]: set(json.loads(row["payload"])["audience"]) for row in rows}


async def test_events_are_told_to_whoever_takes_the_place_of_those_who_have_or_had_the_task(world: World) -> None:
    tenant = world.tenant()
    alice, bob, carol, dave = (tenant.person(name) for name in ("alice", "bob", "carol", "dave"))
    boss = tenant.person("boss", roles=("manager",))
    await tenant.away(alice, bob, task_types=["refund"])
    await tenant.away(bob, carol)
    await tenant.away(dave, bob, ends_at=datetime.now(UTC) - timedelta(seconds=1))
    other = await opened(tenant, candidate_users=[alice.id], type="reply")
    assert {f"user:{bob.id}", f"user:{carol.id}"}.isdisjoint((await audiences(world, other))["created"])
    task = await opened(tenant, candidate_users=[alice.id, dave.id], type="refund")
    await dave.claimed(task)
    await boss.add_comment(AddCommentRequest(task_id=task.task_id, text="Hm."))
    given = AssignTaskRequest(task_id=task.task_id, assignee=dave.id, candidate_users=[dave.id], reason="Hers no more.")
    await boss.assign_task(given)
    await boss.cancel_task(CancelTaskRequest(task_id=task.task_id))
    told = await audiences(world, task)
    standing = {f"user:{bob.id}", f"user:{carol.id}"}
    assert list(told) == ["created", "claimed", "commented", "assigned", "cancelled"]
    assert [event for event, audience in told.items() if standing <= audience] == list(told)[:4]
    assert standing.isdisjoint(told["cancelled"])


async def test_an_end_that_is_told_again_reaches_them_too(world: World) -> None:
    tenant = world.tenant()
    alice, bob = tenant.person("alice"), tenant.person("bob")
    await tenant.away(alice, bob)
    task = await opened(tenant, assignee=alice.id)
    await tenant.worker().cancel_task(CancelTaskRequest(task_id=task.task_id))
    await world.rows("delete from outbox where tenant_id = $1", tenant.id)
    await world.ends.tell_again(timedelta())
    assert f"user:{bob.id}" in (await audiences(world, task))["cancelled"]


def ask_for(**fields: Any) -> CreateTaskRequest:
    return CreateTaskRequest(title="Customer needs help", **fields)
