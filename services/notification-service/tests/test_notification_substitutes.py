"""Out of office: whoever takes a person's place is told of their work, in the words and at the hours of their own."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from notification_world import Reader, Tenant, World, after, stepped, world
from orkestra.testkit.waiting import eventually
from orkestra.v1.events import SubstitutionEvent
from orkestra.v1.identity import Substitution, UserStatus
from orkestra.v1.notification import Channel, ChannelRule, NotificationKind, PutPreferencesRequest
from orkestra.v1.task import EscalationStep, TaskStatus

__all__ = ["world"]


@pytest.fixture
def tenant(world: World) -> Tenant:
    return world.tenant()


async def away(tenant: Tenant, person: Reader, substitute: Reader | None, *, version: int = 1, **fields: Any) -> None:
    named = None if substitute is None else substitute.id
    told = SubstitutionEvent(
        substitution=Substitution(user_id=person.id, substitute=named, version=version, **fields), audience=[]
    )
    await tenant.emit("identity", "substitution_changed", told, key=person.id, version=version)
    await tenant.world.settled()


async def said(reader: Reader) -> list[str]:
    return [entry.text for entry in await reader.feed()]


async def test_the_substitute_is_told_of_everything_that_is_the_persons_to_do(tenant: Tenant) -> None:
    ana, bob = tenant.person(), tenant.person()
    await away(tenant, ana, bob)
    given = tenant.task(assignee=ana.id)
    await tenant.hears("created", given)
    reminded = stepped(given, EscalationStep(after="1h", remind=True))
    await tenant.hears("reminder_due", reminded)
    await tenant.hears("sla_breached", after(reminded))
    await tenant.hears("created", tenant.task(candidate_users=[ana.id]))
    assert await bob.shown() == [("assigned", True), ("breached", True), ("reminder", False), ("assigned", False)]
    assert await said(bob) == [
        "A task is offered to somebody whose place you take.",
        "A task of somebody whose place you take is past its due time.",
        "A task of somebody whose place you take waits to be done.",
        "A task was assigned to somebody whose place you take.",
    ]
    assert len(await ana.feed()) == 4


async def test_what_she_asked_for_her_groups_and_who_calls_her_are_not_his(tenant: Tenant) -> None:
    ana, bob = tenant.person(), tenant.person()
    tenant.group("l1", ana)
    await away(tenant, ana, bob)
    asked = tenant.task(requested_by=ana.id, candidate_groups=["l1"])
    await tenant.hears("created", asked)
    await tenant.hears("mentioned", asked, mentioned=[ana])
    await tenant.hears("escalated", stepped(asked, EscalationStep(after="1h", notify=[f"user:{ana.id}"])))
    await tenant.hears("completed", after(after(asked), status=TaskStatus.COMPLETED))
    assert len(await ana.feed()) == 4
    assert await bob.feed() == []


async def test_a_window_holds_by_the_clock_and_an_older_word_changes_nothing(tenant: Tenant) -> None:
    ana, bob = tenant.person(), tenant.person()
    begins = datetime.now(UTC) + timedelta(seconds=2)
    await away(tenant, ana, bob, begins_at=begins, ends_at=begins + timedelta(hours=1))
    early = tenant.task(assignee=ana.id, title="early")
    await tenant.hears("created", early)
    if datetime.now(UTC) < begins:
        assert await bob.feed() == []

    async def told() -> bool:
        await tenant.hears("created", tenant.task(assignee=ana.id))
        return bool(await bob.feed())

    await eventually(told, timeout=30)
    await away(tenant, ana, bob, version=3, ends_at=datetime.now(UTC) - timedelta(seconds=1))
    await away(tenant, ana, bob, version=2)
    before = await bob.feed()
    await tenant.hears("created", tenant.task(assignee=ana.id))
    await away(tenant, ana, None, version=4)
    await tenant.hears("created", tenant.task(assignee=ana.id))
    assert await bob.feed() == before


async def test_types_limit_and_circles_end(tenant: Tenant) -> None:
    ana, bob, eve = (tenant.person() for _ in range(3))
    await away(tenant, ana, bob, task_types=["refund"])
    await away(tenant, bob, eve)
    await away(tenant, eve, ana)
    await tenant.hears("created", tenant.task(assignee=ana.id, type="reply"))
    assert (await bob.feed(), await eve.feed()) == ([], [])
    await tenant.hears("created", tenant.task(assignee=ana.id, type="refund"))
    assert [len(await one.feed()) for one in (ana, bob, eve)] == [2, 1, 1]


async def test_one_message_for_one_thing_and_none_for_who_did_it_or_is_barred(tenant: Tenant) -> None:
    ana, bob, eve = (tenant.person() for _ in range(3))
    await away(tenant, ana, bob)
    await away(tenant, eve, bob)
    await tenant.hears("created", tenant.task(candidate_users=[ana.id, eve.id, bob.id]))
    assert await said(bob) == ["A task is offered to you."]
    await tenant.hears("created", tenant.task(candidate_users=[ana.id, eve.id]))
    assert (await said(bob))[0] == "A task is offered to somebody whose place you take."
    told = await bob.feed()
    await tenant.hears("assigned", tenant.task(assignee=ana.id), actor=bob)
    await tenant.hears("created", tenant.task(assignee=ana.id, excluded_users=[bob.id]))
    await tenant.tells_person(bob, UserStatus.DISABLED, version=2)
    await tenant.hears("created", tenant.task(assignee=ana.id))
    assert await bob.feed() == told


async def test_the_substitute_is_mailed_as_they_wish_and_in_their_language(world: World, tenant: Tenant) -> None:
    ana, bob = tenant.person(), tenant.person()
    await tenant.tells_person(bob, UserStatus.ACTIVE, version=2, locale="de")
    address = f"{bob.id}@example.com"
    wanted = [ChannelRule(kind=NotificationKind.ASSIGNED, channels=[Channel.EMAIL])]
    await bob.put_preferences(PutPreferencesRequest(rules=wanted))
    await away(tenant, ana, bob)
    await tenant.hears("created", tenant.task(assignee=ana.id, title="Refund"))
    [mail] = await world.mailbox.arrived(address)
    assert mail["subject"] == "Refund: Jemandem, den Sie vertreten, wurde eine Aufgabe zugewiesen."
    assert [entry for entry in await bob.shown() if entry[1]] == []
