"""Who is told of what happens to a task: each rule, once per person, in any order, however often it is heard."""

import asyncio
import itertools

import pytest
from notification_world import Reader, World, after, stepped, world
from orkestra.chassis.streams import EVENTS
from orkestra.notification_service.operations import Heard
from orkestra.testkit.waiting import eventually
from orkestra.v1.events import GroupEvent, NotificationEvent, TaskEvent
from orkestra.v1.identity import UserStatus
from orkestra.v1.notification import NotificationKind
from orkestra.v1.task import Assignment, EscalationStep, Priority, TaskStatus

__all__ = ["world"]

L1 = ["support-l1"]


async def test_the_assignee_is_told_and_candidates_besides_are_not(world: World) -> None:
    tenant = world.tenant()
    ana, ben, lee = tenant.person(), tenant.person(), tenant.person()
    tenant.group("support-l1", ana, ben)
    task = tenant.task(assignee=ana.id, candidate_groups=L1)
    await tenant.hears("created", task, actor=lee)
    [entry] = await ana.feed()
    assert (entry.kind, entry.text) == (NotificationKind.ASSIGNED, "A task was assigned to you.")
    assert (entry.task_id, entry.title, entry.read_at) == (task.task_id, "Customer needs help", None)
    assert await ben.feed() == await lee.feed() == []


async def test_nobody_is_told_of_what_they_did_themselves(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person(), tenant.person()
    tenant.group("support-l1", ana, ben)
    await tenant.tells("created", tenant.task(assignee=ana.id, requested_by=ana.id), actor=ana)
    await tenant.tells("created", tenant.task(candidate_groups=L1, requested_by=ana.id), actor=ana)
    await tenant.hears("completed", tenant.task(status=TaskStatus.COMPLETED, requested_by=ana.id, version=3), actor=ana)
    assert await ana.feed() == []
    assert await ben.shown() == [("group_task", True)]


async def test_a_task_that_is_given_on_tells_whom_it_is_given_to(world: World) -> None:
    tenant = world.tenant()
    ana, ben, eve = tenant.person(), tenant.person(), tenant.person()
    task = tenant.task(assignee=ana.id)
    await tenant.tells("created", task)
    given = after(task, assignee=ben.id)
    await tenant.tells("assigned", given, actor=ana)
    await tenant.hears("delegated", after(given, assignee=eve.id), actor=ben)
    assert await ana.shown() == await ben.shown() == [("assigned", False)]
    assert await eve.shown() == [("assigned", True)]


async def test_who_is_offered_a_task_by_a_manager_hears_of_it(world: World) -> None:
    tenant = world.tenant()
    ana, ben, boss = tenant.person(), tenant.person(), tenant.person()
    tenant.group("support-l2", ben)
    task = tenant.task(candidate_users=[ana.id], candidate_groups=["support-l2"])
    await tenant.hears("assigned", task, actor=boss)
    assert (await ana.shown(), await ben.shown()) == ([("assigned", True)], [("group_task", True)])


async def test_each_member_of_a_candidate_group_is_told_of_a_new_task(world: World) -> None:
    tenant = world.tenant()
    ana, ben, eve = tenant.person(), tenant.person(), tenant.person()
    tenant.group("support-l1", ana, ben)
    tenant.group("support-l2", ben)
    await tenant.hears("created", tenant.task(candidate_groups=["support-l1", "support-l2"]))
    assert await ana.shown() == await ben.shown() == [("group_task", True)]
    assert await eve.feed() == []


async def test_a_person_asked_by_name_and_by_group_is_told_once(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person(), tenant.person()
    tenant.group("support-l1", ana, ben)
    await tenant.hears("created", tenant.task(candidate_groups=L1, candidate_users=[ana.id]))
    assert [entry.text for entry in await ana.feed()] == ["A task is offered to you."]
    assert await ben.shown() == [("group_task", True)]


async def test_who_may_not_decide_is_not_asked_to(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person(), tenant.person()
    tenant.group("support-l1", ana, ben)
    await tenant.hears("created", tenant.task(candidate_groups=L1, excluded_users=[ana.id]))
    assert await ana.feed() == []
    assert await ben.shown() == [("group_task", True)]


async def test_a_claim_takes_the_task_off_the_others_and_a_release_offers_it_anew(world: World) -> None:
    tenant = world.tenant()
    ana, ben, eve = tenant.person(), tenant.person(), tenant.person()
    tenant.group("support-l1", ana, ben, eve)
    task = tenant.task(candidate_groups=L1)
    other = tenant.task(candidate_groups=L1)
    await tenant.tells("created", other)
    await tenant.tells("created", task)
    claimed = after(task, status=TaskStatus.CLAIMED, assignee=ana.id)
    await tenant.hears("claimed", claimed, actor=ana)
    assert {entry.task_id: entry.read_at is None for entry in await ben.feed()} == {
        task.task_id: False,
        other.task_id: True,
    }
    await tenant.hears("released", after(claimed, status=TaskStatus.OPEN, assignee=None), actor=ana)
    assert sorted(await ben.shown()) == [("group_task", False), ("group_task", True), ("group_task", True)]
    assert len(await ana.feed()) == 2


@pytest.mark.parametrize("end", ["completed", "cancelled", "expired"])
async def test_an_end_is_told_to_those_who_asked_and_leaves_no_one_asked_to_act(world: World, end: str) -> None:
    tenant = world.tenant()
    ana, ben, lee, kim = (tenant.person() for _ in range(4))
    tenant.group("support-l1", ana, ben)
    task = tenant.task(candidate_groups=L1, requested_by=lee.id, on_behalf_of=kim.id)
    await tenant.tells("created", task, actor=lee)
    await tenant.hears(end, after(task, status=TaskStatus(end)), actor=ana if end == "completed" else None)
    assert await lee.shown() == await kim.shown() == [("answered", True)]
    assert await ana.shown() == await ben.shown() == [("group_task", False)]


async def test_an_end_that_is_told_again_under_another_id_is_one_entry(world: World) -> None:
    tenant = world.tenant()
    lee = tenant.person()
    task = tenant.task(status=TaskStatus.COMPLETED, requested_by=lee.id, version=3)
    await tenant.tells("completed", task)
    await tenant.hears("completed", task)
    assert await lee.shown() == [("answered", True)]


async def test_a_key_that_asked_has_no_feed(world: World) -> None:
    tenant = world.tenant()
    task = tenant.task(status=TaskStatus.COMPLETED, requested_by="key_" + "a" * 32, version=3)
    await tenant.hears("completed", task)
    assert await world.rows("select * from notifications where tenant_id = $1", tenant.id) == []


async def test_an_escalation_tells_the_next_group_and_takes_the_task_off_the_first(world: World) -> None:
    tenant = world.tenant()
    ana, ben, both, boss = (tenant.person() for _ in range(4))
    tenant.group("support-l1", ana, both)
    tenant.group("support-l2", ben, both)
    task = tenant.task(candidate_groups=L1)
    await tenant.tells("created", task)
    step = EscalationStep(after="50%", assign_to=Assignment(groups=["support-l2"]), notify=[f"user:{boss.id}"])
    await tenant.hears("escalated", stepped(task, step, candidate_groups=["support-l2"]))
    assert await ana.shown() == [("group_task", False)]
    assert await ben.shown() == await boss.shown() == [("escalated", True)]
    assert await both.shown() == [("escalated", True), ("group_task", False)]


async def test_a_group_that_comes_in_addition_leaves_the_task_to_the_first_too(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person(), tenant.person()
    tenant.group("support-l1", ana)
    tenant.group("support-l2", ben)
    task = tenant.task(candidate_groups=L1)
    await tenant.tells("created", task)
    step = EscalationStep(after="1h", add_group="support-l2")
    await tenant.hears("escalated", stepped(task, step, candidate_groups=["support-l1", "support-l2"]))
    assert await ana.shown() == [("group_task", True)]
    assert await ben.shown() == [("escalated", True)]


async def test_more_urgency_is_told_to_whoever_holds_the_task(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person(), tenant.person()
    tenant.group("support-l1", ana, ben)
    task = tenant.task(candidate_groups=L1, assignee=ana.id, status=TaskStatus.CLAIMED, version=2)
    await tenant.hears("escalated", stepped(task, EscalationStep(after="1h", priority=Priority.URGENT)))
    assert [entry.text for entry in await ana.feed()] == ["A task of yours has become more urgent."]
    assert await ben.feed() == []


async def test_a_step_that_reminds_tells_those_it_names_and_those_whose_work_it_is(world: World) -> None:
    tenant = world.tenant()
    ana, boss, lead = tenant.person(), tenant.person(), tenant.person()
    tenant.group("support-l1", ana)
    tenant.group("leads", lead)
    step = EscalationStep(after="1h", remind=True, notify=[f"user:{boss.id}", "group:leads"])
    await tenant.hears("reminder_due", stepped(tenant.task(candidate_groups=L1), step))
    assert await boss.shown() == await lead.shown() == [("escalated", True)]
    assert await ana.shown() == [("reminder", True)]


async def test_those_whom_a_comment_mentions_are_told_of_each_comment(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person(), tenant.person()
    task = tenant.task()
    await tenant.tells("mentioned", task, actor=ben, mentioned=[ana, ben])
    await tenant.tells("mentioned", task, actor=ben, mentioned=[ana])
    await tenant.hears("claimed", after(task, status=TaskStatus.CLAIMED, assignee=ben.id), actor=ben)
    assert await ana.shown() == [("mentioned", True), ("mentioned", True)]
    assert await ben.feed() == []


async def test_an_event_that_is_heard_again_changes_nothing(world: World) -> None:
    tenant = world.tenant()
    ana, ben, lee = tenant.person(), tenant.person(), tenant.person()
    tenant.group("support-l1", ana, ben)
    task = tenant.task(candidate_groups=L1, requested_by=lee.id)
    claimed = after(task, status=TaskStatus.CLAIMED, assignee=ana.id)
    await tenant.tells("created", task)
    await tenant.tells("mentioned", task, mentioned=[ben])
    await tenant.tells("claimed", claimed, actor=ana)
    await tenant.tells("completed", after(claimed, status=TaskStatus.COMPLETED), actor=ana)
    await tenant.hears("created", tenant.task(assignee=ben.id))
    before = [await person.feed() for person in (ana, ben, lee)]
    assert [len(feed) for feed in before] == [1, 3, 1]
    told = await delivered(world, tenant.id)
    await world.hear_all_again()
    assert [await person.feed() for person in (ana, ben, lee)] == before
    assert await delivered(world, tenant.id) == told


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
async def test_the_order_of_arrival_makes_no_difference(world: World, order: tuple[int, ...]) -> None:
    tenant = world.tenant()
    ana, ben, eve = tenant.person(), tenant.person(), tenant.person()
    tenant.group("support-l1", ana, ben)
    tenant.group("support-l2", ben, eve)
    task = tenant.task(candidate_groups=L1)
    claimed = after(task, status=TaskStatus.CLAIMED, assignee=ana.id)
    released = after(claimed, status=TaskStatus.OPEN, assignee=None)
    added = stepped(released, EscalationStep(after="1h", add_group="support-l2"), candidate_groups=[*L1, "support-l2"])
    happened = [
        ("created", task, None),
        ("claimed", claimed, ana),
        ("released", released, ana),
        ("escalated", added, None),
    ]
    for number in order:
        event, state, actor = happened[number]
        await tenant.hears(event, state, actor=actor)
    rows = await world.rows(
        "select user_id, kind, task_version, read_at is null as unread from notifications where tenant_id = $1",
        tenant.id,
    )
    assert {(row["user_id"], row["task_version"]): (row["kind"], row["unread"]) for row in rows} == {
        (ana.id, 1): ("group_task", False),
        (ben.id, 1): ("group_task", False),
        (ben.id, 3): ("group_task", False),
        (ben.id, 4): ("escalated", True),
        (eve.id, 4): ("escalated", True),
    }


async def test_two_processes_that_hear_of_one_task_at_once_leave_nobody_asked(world: World) -> None:
    tenant = world.tenant()
    people = [tenant.person() for _ in range(20)]
    await tenant.tells_group(tenant.group("support-l1", *people))
    await world.settled()
    told = []
    for _ in range(20):
        task = tenant.task(candidate_groups=L1)
        claimed = after(task, status=TaskStatus.CLAIMED, assignee=people[0].id)
        for event, state in (("created", task), ("claimed", claimed)):
            told.append(world.feeds.tell(tenant.id, [Heard(event, event, TaskEvent(task=state))]))
    await asyncio.gather(*told)
    rows = await world.rows("select read_at is null as unread from notifications where tenant_id = $1", tenant.id)
    assert [row["unread"] for row in rows] == [False] * 400


async def test_groups_are_known_from_events_and_only_newer_versions_count(world: World) -> None:
    tenant = world.tenant()
    ana, ben, eve = tenant.person(), tenant.person(), tenant.person()
    first, newest = tenant.group("support-l1", ana, ben), tenant.group("support-l1", ben, eve, version=3)
    world.identity.groups.clear()
    await tenant.tells_membership(newest, eve, member=True)
    await tenant.tells_group(first)
    await world.settled()
    calls = world.identity.calls
    await tenant.hears("created", tenant.task(candidate_groups=L1))
    assert await ana.feed() == []
    assert await ben.shown() == await eve.shown() == [("group_task", True)]
    assert world.identity.calls == calls


async def test_identity_service_is_asked_about_a_group_once(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    tenant.group("support-l1", ana)
    calls = world.identity.calls
    for _ in range(2):
        await tenant.hears("created", tenant.task(candidate_groups=L1))
    assert await ana.shown() == [("group_task", True), ("group_task", True)]
    assert world.identity.calls == calls + 1


async def test_a_group_that_does_not_exist_tells_nobody(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    await tenant.hears("created", tenant.task(candidate_groups=["nobody"], candidate_users=[ana.id]))
    assert await ana.shown() == [("assigned", True)]


async def test_an_event_waits_while_identity_service_is_away(world: World) -> None:
    tenant = world.tenant()
    ana, ben, eve = tenant.person(), tenant.person(), tenant.person()
    tenant.group("support-l1", ana)
    world.identity.is_away = True
    try:
        await tenant.tells("created", tenant.task(candidate_groups=L1, candidate_users=[ben.id]))
        await tenant.tells("created", tenant.task(assignee=eve.id))
        await eventually(lambda: is_shown(eve, ("assigned", True)))
        assert await ben.feed() == []
    finally:
        world.identity.is_away = False
    await eventually(lambda: is_shown(ana, ("group_task", True)), timeout=60)
    assert await ben.shown() == [("assigned", True)]


async def test_a_disabled_account_is_told_nothing(world: World) -> None:
    tenant = world.tenant()
    ana, ben = tenant.person(), tenant.person()
    await tenant.tells_person(ana, UserStatus.DISABLED, version=2)
    await tenant.tells_person(ana, UserStatus.ACTIVE, version=1)
    await world.settled()
    await tenant.hears("created", tenant.task(candidate_users=[ana.id, ben.id]))
    assert await ana.feed() == []
    assert await ben.shown() == [("assigned", True)]


async def test_a_large_group_is_told_whole(world: World) -> None:
    tenant = world.tenant()
    people = [tenant.person() for _ in range(450)]
    tenant.group("everybody", *people)
    await tenant.hears("created", tenant.task(candidate_groups=["everybody"]))
    [row] = await world.rows("select count(*) as told from notifications where tenant_id = $1", tenant.id)
    assert row["told"] == 450
    assert len(await delivered(world, tenant.id)) == 450


async def test_doors_hear_of_each_new_entry_and_whose_it_is(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    heard: list[NotificationEvent] = []
    subject = f"orkestra.v1.{tenant.id}.notification.delivered"
    subscription = await world.stream.client.subscribe(subject)
    await tenant.hears("created", tenant.task(assignee=ana.id))
    message = await subscription.next_msg(timeout=5)
    heard.append(NotificationEvent.model_validate_json(message.data))
    await subscription.unsubscribe()
    [entry] = await ana.feed()
    assert heard == [NotificationEvent(notification=entry, user_id=ana.id)]


async def test_what_is_over_before_it_is_told_reaches_no_door(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    task = tenant.task(candidate_users=[ana.id])
    await tenant.hears("cancelled", after(task, status=TaskStatus.CANCELLED))
    await tenant.hears("created", task)
    assert await ana.shown() == [("assigned", False)]
    assert await delivered(world, tenant.id) == []


async def test_an_unreadable_event_is_put_aside_and_the_next_is_heard(world: World) -> None:
    tenant = world.tenant()
    ana = tenant.person()
    await tenant.emit("task", "created", GroupEvent(group=tenant.group("support-l1")), key="task_x", version=1)
    await tenant.hears("created", tenant.task(assignee=ana.id))
    assert await ana.shown() == [("assigned", True)]

    async def buried() -> bool:
        subject = f"orkestra_dead.notification-service.orkestra.v1.{tenant.id}.task.created"
        return (await world.stream.jetstream.get_last_msg("ORKESTRA_DEAD", subject)).data is not None

    await eventually(buried)
    assert (await world.stream.jetstream.consumer_info(EVENTS, "notification-service")).num_ack_pending == 0


async def is_shown(reader: Reader, *entries: tuple[str, bool]) -> bool:
    return await reader.shown() == list(entries)


async def delivered(world: World, tenant_id: str) -> list[str]:
    subject = f"orkestra.v1.{tenant_id}.notification.delivered"
    rows = await world.rows("select event_id::text from outbox where subject = $1 order by seq", subject)
    return [row["event_id"] for row in rows]
