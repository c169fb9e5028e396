"""News that come close to each other are told together: in few transactions, and as if each had come alone."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from notification_world import SCHEMA, Reader, Tenant, World, after, stepped, world
from orkestra.chassis.connection import AheadConnection
from orkestra.chassis.consumer import Consumer
from orkestra.chassis.database import Database
from orkestra.chassis.events import Event
from orkestra.chassis.operations import events_transaction
from orkestra.chassis.streams import EVENTS
from orkestra.chassis.together import Together
from orkestra.notification_service.consumers import GATHER_SECONDS, OutsideNews, TaskNews
from orkestra.notification_service.operations import Directory, Feeds, Groups, Mailing
from orkestra.rules import audience
from orkestra.testkit.waiting import eventually
from orkestra.v1.events import GroupEvent, TaskEvent
from orkestra.v1.identity import UserStatus
from orkestra.v1.notification import Channel, ChannelRule, CreateWebhookRequest, NotificationKind, PutPreferencesRequest
from orkestra.v1.task import EscalationStep, Task, TaskStatus
from orkestra.wire import Principal

__all__ = ["world"]

L1 = ["support-l1"]


class Counted(Database):
    """Counts transactions: those that only read, and those that may write."""

    looks = 0
    writes = 0

    @asynccontextmanager
    async def reading(self, tenant_id: str) -> AsyncIterator[AheadConnection]:
        self.looks += 1
        async with super().reading(tenant_id) as conn:
            yield conn

    @asynccontextmanager
    async def opened(self, begin: str, *, asks: bool = False, seconds: float = 2.8) -> AsyncIterator[AheadConnection]:
        self.writes += 1
        async with super().opened(begin, asks=asks, seconds=seconds) as conn:
            yield conn

    @property
    def counted(self) -> tuple[int, int]:
        return self.looks, self.writes


@pytest.fixture
async def counted(world: World) -> AsyncIterator[Counted]:
    database = await Counted.connect(world.url("app"), schema=SCHEMA, max_size=4)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
def tenant(world: World) -> Tenant:
    return world.tenant()


def telling(world: World, database: Database) -> TaskNews:
    """What hears of tasks, over a database of a test's own."""

    def token(tenant_id: str | None) -> str:
        return world.signer.sign(Principal("service", "service", tenant_id, frozenset({"system"})))[0]

    directory = Directory(database, world.channel, token)
    mailing = Mailing(directory, list(Channel), world.deliverer.wake)
    return TaskNews(Feeds(database, Groups(database, world.channel, token), mailing))


def event(name: str, task: Task, *, actor: Reader | None = None, at: datetime | None = None) -> Event:
    """What happened to a task, as it arrives."""
    payload = TaskEvent(task=task, audience=audience(task), actor=None if actor is None else actor.id)
    return Event(
        id=str(uuid4()),
        tenant_id=task.tenant_id,
        aggregate="task",
        event=name,
        key=task.task_id,
        version=task.version,
        time=at or datetime.now(UTC),
        data=payload.model_dump_json(exclude_none=True).encode(),
        headers={},
    )


async def entries(world: World, tenant: Tenant, *tasks: Task) -> set[tuple[str, int, str, bool]]:
    """Whom entries are for, of which version, of which kind and whether they are unread: of all tasks, or of these."""
    ids = [task.task_id for task in tasks] or None
    rows = await world.rows(
        "select user_id, task_version, kind, read_at is null as unread from notifications "
        "where tenant_id = $1 and task_id = any (coalesce($2::text[], array[task_id]))",
        tenant.id,
        ids,
    )
    return {(row["user_id"], row["task_version"], row["kind"], row["unread"]) for row in rows}


async def passed_on(world: World, tenant: Tenant) -> int:
    """How many entries the doors were told of."""
    subject = f"orkestra.v1.{tenant.id}.notification.delivered"
    [row] = await world.rows("select count(*) as told from outbox where subject = $1", subject)
    return int(row["told"])


async def test_news_of_many_tasks_take_one_look_and_one_transaction(
    world: World, tenant: Tenant, counted: Counted
) -> None:
    ana, ben, lee = tenant.person(), tenant.person(), tenant.person()
    await tenant.tells_group(tenant.group("support-l1", ana, ben))
    await world.settled()
    tasks = [tenant.task(candidate_groups=L1, candidate_users=[lee.id]) for _ in range(10)]
    happened = [event("created", task) for task in tasks]
    happened += [event("claimed", after(task, status=TaskStatus.CLAIMED, assignee=ana.id), actor=ana) for task in tasks]
    happened += [event("updated", after(task)) for task in tasks]
    await telling(world, counted).hear(happened)
    assert counted.counted == (1, 1)
    for person, kind in ((ana, "group_task"), (ben, "group_task"), (lee, "assigned")):
        assert await person.shown() == [(kind, False)] * 10
    assert await passed_on(world, tenant) == 30


async def test_news_that_concern_nobody_take_no_transaction(world: World, tenant: Tenant, counted: Counted) -> None:
    asked = tenant.task(requested_by="key_" + "a" * 32)
    await telling(world, counted).hear([event("created", asked), event("updated", after(asked))])
    assert counted.counted == (0, 0)


async def test_no_transaction_tells_more_people_than_it_has_time_for(
    world: World, tenant: Tenant, counted: Counted
) -> None:
    people = [tenant.person() for _ in range(120)]
    await tenant.tells_group(tenant.group("support-l1", *people))
    await world.settled()
    await telling(world, counted).hear([event("created", tenant.task(candidate_groups=L1)) for _ in range(3)])
    assert counted.counted == (1, 3)
    assert await passed_on(world, tenant) == 360


async def test_a_group_that_is_not_known_yet_is_asked_for_once(world: World, tenant: Tenant, counted: Counted) -> None:
    ana = tenant.person()
    tenant.group("support-l1", ana)
    calls = world.identity.calls
    named = [*L1, "nobody"]
    await telling(world, counted).hear([event("created", tenant.task(candidate_groups=named)) for _ in range(5)])
    assert world.identity.calls == calls + 2
    assert counted.counted == (2, 2)
    assert await ana.shown() == [("group_task", True)] * 5


@pytest.mark.parametrize("cut", range(4))
async def test_told_together_in_any_order_it_is_what_it_is_told_alone(world: World, tenant: Tenant, cut: int) -> None:
    """Whatever the order, and wherever it is cut into what is heard together."""
    ana, ben, eve = tenant.person(), tenant.person(), tenant.person()
    await tenant.tells_group(tenant.group("support-l1", ana, ben))
    await tenant.tells_group(tenant.group("support-l2", ben, eve))
    await world.settled()
    found = set()
    for order in itertools.permutations(range(4)):
        task = tenant.task(candidate_groups=L1)
        claimed = after(task, status=TaskStatus.CLAIMED, assignee=ana.id)
        released = after(claimed, status=TaskStatus.OPEN, assignee=None)
        step = EscalationStep(after="1h", add_group="support-l2")
        added = stepped(released, step, candidate_groups=[*L1, "support-l2"])
        happened = [
            event("created", task),
            event("claimed", claimed, actor=ana),
            event("released", released, actor=ana),
            event("escalated", added),
        ]
        heard = [happened[number] for number in order]
        for part in filter(None, (heard[:cut], heard[cut:])):
            await world.news.hear(part)
        found.add(frozenset(await entries(world, tenant, task)))
    assert found == {
        frozenset(
            {
                (ana.id, 1, "group_task", False),
                (ben.id, 1, "group_task", False),
                (ben.id, 3, "group_task", False),
                (ben.id, 4, "escalated", True),
                (eve.id, 4, "escalated", True),
            }
        )
    }


async def test_what_was_written_and_is_heard_again_in_another_company_is_not_repeated(
    world: World, tenant: Tenant
) -> None:
    """As after a kill between the commit and the acknowledgement."""
    ana, lee = tenant.person(), tenant.person()
    tasks = [tenant.task(assignee=ana.id, requested_by=lee.id) for _ in range(4)]
    happened = [event("created", task) for task in tasks]
    ended = [event("completed", after(task, status=TaskStatus.COMPLETED), actor=ana) for task in tasks[:2]]
    await world.news.hear([*happened, *ended])
    before = await entries(world, tenant), await passed_on(world, tenant), await ana.feed(), await lee.feed()
    await world.news.hear([ended[1], happened[0]])
    await world.news.hear([*reversed(happened), ended[0]])
    for one in happened:
        await world.news.hear([one, one])
    after_all = await entries(world, tenant), await passed_on(world, tenant), await ana.feed(), await lee.feed()
    assert after_all == before
    assert before[1] == 6


async def test_what_was_over_with_the_next_event_is_not_mailed(world: World, tenant: Tenant) -> None:
    ana = tenant.person()
    await tenant.tells_person(ana, UserStatus.ACTIVE, version=1)
    wanted = [ChannelRule(kind=NotificationKind.ASSIGNED, channels=[Channel.IN_APP, Channel.EMAIL])]
    await ana.put_preferences(PutPreferencesRequest(rules=wanted))
    over, open_task = tenant.task(assignee=ana.id), tenant.task(assignee=ana.id, title="Refund")
    cancelled = after(over, status=TaskStatus.CANCELLED)
    await world.news.hear([event("created", over), event("cancelled", cancelled), event("created", open_task)])
    [mail] = await world.mailbox.arrived(f"{ana.id}@example.com")
    assert "Refund" in mail["subject"]

    async def statuses() -> list[str]:
        rows = await world.rows("select status from deliveries where tenant_id = $1 order by status", tenant.id)
        return [row["status"] for row in rows]

    async def both() -> bool:
        return await statuses() == ["delivered", "skipped"]

    await eventually(both, timeout=30)


async def test_several_processes_that_hear_of_the_same_tasks_do_not_get_in_each_others_way(
    world: World, tenant: Tenant
) -> None:
    people = [tenant.person() for _ in range(5)]
    await tenant.tells_group(tenant.group("support-l1", *people))
    await world.settled()
    tasks = [tenant.task(candidate_groups=L1) for _ in range(15)]
    happened = [event("created", task) for task in tasks]
    ends = [event("cancelled", after(task, status=TaskStatus.CANCELLED)) for task in tasks]
    told = (happened, ends, list(reversed(happened)), list(reversed(ends)))
    await asyncio.gather(*(world.news.hear(part) for part in told))
    assert await entries(world, tenant) == {(one.id, 1, "group_task", False) for one in people}
    for one in people:
        assert len(await one.feed()) == 15


async def test_events_for_outside_take_one_look_and_one_transaction(
    world: World, tenant: Tenant, counted: Counted
) -> None:
    woken: list[int] = []
    news = OutsideNews(counted, lambda: woken.append(1))
    tasks = [tenant.task() for _ in range(10)]
    before = [event("created", task, at=datetime.now(UTC) - timedelta(minutes=1)) for task in tasks]
    await news.hear(before)
    assert (counted.counted, woken) == ((1, 0), [])

    admin = tenant.reader("user", "user_admin", "admin")
    lanes = []
    for filters in (["task.completed"], ["task.*"]):
        asked = CreateWebhookRequest(url="http://127.0.0.1:9/closed", events=filters)
        lanes.append(f"webhook:{(await admin.create_webhook(asked)).webhook.webhook_id}")
    soon = datetime.now(UTC) + timedelta(seconds=1)
    claimed = [event("claimed", after(task), at=soon) for task in tasks]
    ended = [event("completed", after(after(task)), at=soon) for task in tasks]
    for _ in range(2):  # heard again, nothing is put again
        await news.hear([*before, *claimed, *ended])
    assert (counted.counted, woken) == ((3, 2), [1, 1])
    rows = await world.rows(
        "select lane, event_id from deliveries where tenant_id = $1 order by delivery_id", tenant.id
    )
    heard = {lane: [row["event_id"] for row in rows if row["lane"] == lane] for lane in lanes}
    assert heard == {lanes[0]: [one.id for one in ended], lanes[1]: [one.id for one in (*claimed, *ended)]}


async def test_an_unreadable_event_among_others_is_put_aside_and_the_others_are_told(
    world: World, tenant: Tenant
) -> None:
    ana = tenant.person()
    good = [tenant.task(assignee=ana.id) for _ in range(4)]
    async with events_transaction(world.database, tenant.id) as tx:
        for task in good[:2]:
            await tx.emit(aggregate="task", event="created", payload=TaskEvent(task=task), key=task.task_id, version=1)
        unreadable = GroupEvent(group=tenant.group("support-l1"))
        await tx.emit(aggregate="task", event="created", payload=unreadable, key="task_x", version=1)
        for task in good[2:]:
            await tx.emit(aggregate="task", event="created", payload=TaskEvent(task=task), key=task.task_id, version=1)
    await world.settled()
    assert await ana.shown() == [("assigned", True)] * 4
    subject = f"orkestra_dead.notification-service.orkestra.v1.{tenant.id}.task.created"
    found = await world.stream.jetstream.get_last_msg("ORKESTRA_DEAD", subject)
    assert (found.headers or {})["orkestra-reason"].startswith("The data is not a TaskEvent")


async def test_one_piece_of_news_is_told_within_a_second(world: World, tenant: Tenant) -> None:
    took: list[float] = []

    async def hear(events: Sequence[Event]) -> None:
        await world.news.hear(events)
        took.extend((datetime.now(UTC) - one.time).total_seconds() for one in events)

    ana = tenant.person()
    subject = f"orkestra.v1.{tenant.id}.task.*"
    consumer = Consumer(world.stream, name := f"soon-{uuid4().hex}", [subject], Together(hear, GATHER_SECONDS))
    running = asyncio.create_task(consumer.run())
    for number in range(1, 6):
        await tenant.tells("created", tenant.task(assignee=ana.id))
        await eventually(lambda: len(took) == number, timeout=30)  # noqa: B023 - waited for within the turn
    await consumer.stop()
    running.cancel()
    await asyncio.wait([running])
    await world.stream.jetstream.delete_consumer(EVENTS, name)
    assert GATHER_SECONDS < min(took) < 1
