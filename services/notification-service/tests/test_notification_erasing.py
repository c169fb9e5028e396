"""A person is erased while what tells of them is in somebody's hands: whichever comes first, nothing of it is left."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from notification_world import SCHEMA, Reader, Tenant, World, world
from orkestra.chassis.connection import AheadConnection
from orkestra.chassis.database import Database
from orkestra.chassis.events import Event
from orkestra.notification_service.consumers import MailLinks, OutsideNews, PeopleCopies, RunNews, TaskNews
from orkestra.notification_service.operations import Directory, Feeds, Groups, Mailing
from orkestra.testkit.waiting import eventually
from orkestra.v1.events import MailLinkEvent, TaskEvent, UserEvent, WorkflowEvent
from orkestra.v1.identity import MailLink, MailLinkPurpose, UserStatus
from orkestra.v1.notification import (
    Channel,
    ChannelRule,
    CreateWebhookRequest,
    EraseMessagesRequest,
    NotificationKind,
    PutPreferencesRequest,
)
from orkestra.v1.task import TaskStatus
from orkestra.v1.workflow import Workflow, WorkflowStatus
from orkestra.wire import Model, Principal, Unavailable

__all__ = ["world"]

ERASED = 5
"""The person's version once identity-service has erased who they are."""
KINDS = ("who they are", "why they cancelled", "a task of theirs", "a run of theirs", "a link of theirs")
LEFT = """
select 'delivery' as kind from deliveries where tenant_id = $1 and position($2 in lane || content::text) > 0
union all select 'lane' from lanes where tenant_id = $1 and position($2 in lane) > 0
union all select 'entry' from notifications where tenant_id = $1 and user_id = $2
"""
WAITING = "select 1 from pg_locks where locktype = 'advisory' and not granted"


class Slow(Database):
    """Stands still before it writes, or before it commits what it wrote, until it may go on."""

    before_commit = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.stands = asyncio.Event()
        self.may_go_on = asyncio.Event()

    async def stand(self) -> None:
        self.stands.set()
        await self.may_go_on.wait()

    @asynccontextmanager
    async def opened(self, begin: str, *, asks: bool = False, seconds: float = 60) -> AsyncIterator[AheadConnection]:
        if not self.before_commit:
            await self.stand()
        async with super().opened(begin, asks=asks, seconds=60) as conn:
            yield cast(AheadConnection, Committing(conn, self.stand)) if self.before_commit else conn


class Committing:
    """A connection that stands still before it commits."""

    def __init__(self, conn: AheadConnection, stand: Callable[[], Awaitable[None]]) -> None:
        self._conn = conn
        self._stand = stand

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)

    async def execute(self, statement: str, *arguments: object) -> str:
        if statement.endswith("COMMIT"):
            await self._stand()
        return await self._conn.execute(statement, *arguments)


@pytest.fixture
async def slow(world: World) -> AsyncIterator[Slow]:
    database = await Slow.connect(world.url("app"), schema=SCHEMA, max_size=4)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def tenant(world: World) -> Tenant:
    """A tenant of whose people and tasks a webhook wants to hear."""
    tenant = world.tenant()
    asked = CreateWebhookRequest(url="http://127.0.0.1:9/closed", events=["identity.*", "task.*"])
    await tenant.reader("user", "user_admin", "admin").create_webhook(asked)
    return tenant


async def somebody(tenant: Tenant) -> Reader:
    """A person who wants mail of everything."""
    person = tenant.person()
    tenant.user(person, version=ERASED - 1)
    kinds = (NotificationKind.ASSIGNED, NotificationKind.RESULT)
    wanted = [ChannelRule(kind=kind, channels=[Channel.IN_APP, Channel.EMAIL]) for kind in kinds]
    await person.put_preferences(PutPreferencesRequest(rules=wanted))
    return person


def told(tenant: Tenant, name: str, payload: Model, *, version: int = 1, at: datetime | None = None) -> Event:
    """An event as it arrives."""
    aggregate, _, event = name.partition(".")
    data = payload.model_dump_json(exclude_none=True).encode()
    when = at or datetime.now(UTC)
    return Event(str(uuid4()), tenant.id, aggregate, event, uuid4().hex, version, when, data=data, headers={})


def person_changed(tenant: Tenant, person: Reader, *, version: int, **fields: Any) -> Event:
    user = tenant.user(person, version=version, **fields)
    return told(tenant, "identity.user_changed", UserEvent(user=user), version=version)


def cancelled_by(tenant: Tenant, person: Reader, at: datetime | None = None) -> Event:
    task = tenant.task(status=TaskStatus.CANCELLED, reason="I am Ana, and it is done.")
    return told(tenant, "task.cancelled", TaskEvent(task=task, actor=person.id), at=at)


def hearing(world: World, database: Database, tenant: Tenant, person: Reader, kind: str) -> Awaitable[None]:
    """Handle something that tells of a person or is told to them, over a database of a test's own."""

    def token(tenant_id: str | None) -> str:
        return world.signer.sign(Principal("service", "service", tenant_id, frozenset({"system"})))[0]

    directory = Directory(database, world.channel, token)
    mailing = Mailing(directory, list(Channel), world.deliverer.wake)
    feeds = Feeds(database, Groups(database, world.channel, token), mailing)
    outside = OutsideNews(database, world.deliverer.wake)
    now = datetime.now(UTC)
    match kind:
        case "who they are":
            return outside.hear([person_changed(tenant, person, version=ERASED - 1)])
        case "why they cancelled":
            return outside.hear([cancelled_by(tenant, person)])
        case "a task of theirs":
            given = TaskEvent(task=tenant.task(assignee=person.id))
            return TaskNews(feeds).hear([told(tenant, "task.created", given)])
        case "a run of theirs":
            run = run_of(tenant, person, now)
            return RunNews(feeds).hear(told(tenant, "workflow.completed", WorkflowEvent(workflow=run)))
    link = MailLink(
        link_id=f"link_{uuid4().hex}",
        tenant_id=tenant.id,
        user_id=person.id,
        purpose=MailLinkPurpose.INVITATION,
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    return MailLinks(mailing).hear(told(tenant, "identity.mail_link_created", MailLinkEvent(link=link)))


def run_of(tenant: Tenant, person: Reader, now: datetime) -> Workflow:
    return Workflow(
        workflow_id=f"wf_{uuid4().hex}",
        tenant_id=tenant.id,
        definition="refund",
        version=1,
        status=WorkflowStatus.COMPLETED,
        requested_by=person.id,
        started_at=now,
        updated_at=now,
        resource_version=2,
    )


async def erase(tenant: Tenant, person: Reader) -> None:
    """Have a person erased, again where a call was too slow, as the workflow of an erasure does."""
    service = tenant.reader("service", "service", "system")

    async def is_done() -> bool:
        try:
            step = await service.erase_messages(EraseMessagesRequest(user_id=person.id, version=ERASED))
        except Unavailable:
            return False
        return not step.more

    await eventually(is_done, timeout=30)


async def left(world: World, tenant: Tenant, person: Reader) -> set[str]:
    """Where something tells of a person, or is told to them."""
    return {row["kind"] for row in await world.rows(LEFT, tenant.id, person.id)}


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_in_hand_when_a_person_was_erased_is_not_written(
    world: World, slow: Slow, tenant: Tenant, kind: str
) -> None:
    ana, ben = await somebody(tenant), await somebody(tenant)
    handling = asyncio.ensure_future(hearing(world, slow, tenant, ana, kind))
    await slow.stands.wait()
    await erase(tenant, ana)
    slow.may_go_on.set()
    await handling
    assert await left(world, tenant, ana) == set()
    await hearing(world, slow, tenant, ben, kind)
    assert await left(world, tenant, ben) != set()


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_being_written_while_a_person_is_erased_is_waited_for_and_erased(
    world: World, slow: Slow, tenant: Tenant, kind: str
) -> None:
    slow.before_commit = True
    ana = await somebody(tenant)
    handling = asyncio.ensure_future(hearing(world, slow, tenant, ana, kind))
    await slow.stands.wait()
    erasing = asyncio.create_task(erase(tenant, ana))

    async def is_waiting() -> bool:
        return erasing.done() or bool(await world.rows(WAITING))

    await eventually(is_waiting, timeout=30)
    slow.may_go_on.set()
    await asyncio.gather(handling, erasing)
    assert await left(world, tenant, ana) == set()


async def test_an_older_copy_of_an_erased_person_that_comes_late_gives_way_to_what_they_are_now(
    world: World, tenant: Tenant
) -> None:
    ana = await somebody(tenant)
    copies = PeopleCopies(world.database)
    before = person_changed(tenant, ana, version=ERASED - 1, name="Ana")
    since = person_changed(tenant, ana, version=ERASED, name="Erased person", status=UserStatus.DISABLED)

    async def copy() -> list[tuple[str | None, str, int]]:
        rows = await world.rows("select * from people where tenant_id = $1 and user_id = $2", tenant.id, ana.id)
        return [(row["name"], row["status"], row["version"]) for row in rows]

    await copies.hear(before)
    assert await copy() == [("Ana", "active", ERASED - 1)]
    await erase(tenant, ana)
    await copies.hear(before)
    assert await copy() == [(None, "disabled", ERASED)]
    for late in (since, before):
        await copies.hear(late)
        assert await copy() == [("Erased person", "disabled", ERASED)]


async def test_webhooks_hear_who_an_erased_person_is_since_then_and_what_they_do_once_they_are_back(
    world: World, tenant: Tenant
) -> None:
    ana = await somebody(tenant)
    old = cancelled_by(tenant, ana)
    await erase(tenant, ana)
    news = OutsideNews(world.database, world.deliverer.wake)
    erased, back = (person_changed(tenant, ana, version=version) for version in (ERASED, ERASED + 1))
    still_away = cancelled_by(tenant, ana)
    await news.hear([erased, back, still_away])
    await PeopleCopies(world.database).hear(back)
    new = cancelled_by(tenant, ana)
    await news.hear([old, new])
    rows = await world.rows("select event_id from deliveries where tenant_id = $1 order by delivery_id", tenant.id)
    assert [row["event_id"] for row in rows] == [erased.id, back.id, new.id]
