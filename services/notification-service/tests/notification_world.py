"""A notification-service in process on real servers: events come in by an outbox and its relay, feeds by clients."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import pytest
from mail_server import Mailbox, mail_server
from orkestra.chassis.consumer import Consumer
from orkestra.chassis.database import Database
from orkestra.chassis.grpc import channel as grpc_channel
from orkestra.chassis.grpc import server as grpc_server
from orkestra.chassis.migrate import migrate
from orkestra.chassis.operations import events_transaction
from orkestra.chassis.relay import Relay
from orkestra.chassis.streams import EVENTS, Nats, connect
from orkestra.chassis.together import Together
from orkestra.chassis.tokens import Signer
from orkestra.notification_service.channels.guard import Guard
from orkestra.notification_service.channels.mail import MailChannel
from orkestra.notification_service.channels.posting import Poster
from orkestra.notification_service.channels.secrets import Secrets
from orkestra.notification_service.channels.writing import Writer
from orkestra.notification_service.consumers import (
    MAIL_LINKS,
    OUTSIDE,
    PEOPLE,
    RUNS,
    TASK_SUBJECTS,
    TASKS,
    TaskNews,
    hearing,
)
from orkestra.notification_service.operations import (
    Deliveries,
    Directory,
    Feeds,
    Groups,
    Mailing,
    NotificationOperations,
    Patience,
    Retention,
)
from orkestra.notification_service.workflows import Deliverer, carriers
from orkestra.rules import audience, mint_task_id
from orkestra.testkit.databases import as_role
from orkestra.testkit.waiting import eventually
from orkestra.v1.events import GroupEvent, MembershipEvent, TaskEvent, UserEvent
from orkestra.v1.identity import (
    GetGroupRequest,
    GetMailLinkTokenRequest,
    Group,
    MailLinkToken,
    Role,
    User,
    UserStatus,
)
from orkestra.v1.notification import (
    Channel,
    ListNotificationsRequest,
    Notification,
    NotificationServiceClient,
    add_notification_service,
)
from orkestra.v1.task import EscalationStep, Priority, Sla, SlaPolicy, Task, TaskStatus
from orkestra.wire import Context, Model, NotFound, Principal, Unavailable
from task_world import FewWordsIdentity

SCHEMA = "notification"
ALL = (TASKS, PEOPLE, OUTSIDE, RUNS, MAIL_LINKS)
GATHERED = 0.02
"""Seconds for which news are gathered; tests wait for each."""
PATIENCE = Patience(
    first_pause=timedelta(seconds=0.2), give_up=timedelta(seconds=1.5), disable_after=timedelta(seconds=3)
)


class Identity(FewWordsIdentity):
    """The same, and it can be away."""

    is_away = False
    answered = (*FewWordsIdentity.answered, "GetMailLinkToken")

    def __init__(self, signer: Signer) -> None:
        super().__init__(signer)
        self.links: dict[str, MailLinkToken] = {}

    async def get_mail_link_token(self, _ctx: Context, request: GetMailLinkTokenRequest) -> MailLinkToken:
        found = self.links.get(request.link_id)
        if found is None:
            raise NotFound("MAIL_LINK_NOT_FOUND", "There is no such link.")
        return found

    async def get_group(self, ctx: Context, request: GetGroupRequest) -> Group:
        if self.is_away:
            raise Unavailable("AWAY", "It is away.")
        return await super().get_group(ctx, request)


class Reader(NotificationServiceClient, service=NotificationServiceClient.service):
    """Somebody with a token and, if a person, a feed."""

    def __init__(self, principal: Principal, signer: Signer, channel: grpc.aio.Channel) -> None:
        async def token() -> str:
            return signer.sign(principal, lifetime=timedelta(minutes=5))[0]

        super().__init__(channel, token)
        self.id = principal.subject

    async def feed(self) -> list[Notification]:
        """The newest entries."""
        return (await self.list_notifications(ListNotificationsRequest())).notifications

    async def shown(self) -> list[tuple[str, bool]]:
        """Kind and whether it is unread of each entry, newest first."""
        return [(entry.kind.value, entry.read_at is None) for entry in await self.feed()]


@dataclass
class World:
    """Everything that the tests of notification-service share."""

    admin_url: str
    address: str
    identity: Identity
    signer: Signer
    database: Database
    retention: Retention
    feeds: Feeds
    news: TaskNews
    stream: Nats
    channel: grpc.aio.Channel
    mailbox: Mailbox
    secrets: Secrets
    deliverer: Deliverer

    def tenant(self) -> "Tenant":
        return Tenant(self)

    def url(self, role: str) -> str:
        return as_role(self.admin_url, f"{SCHEMA}_{role}")

    async def rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Look behind the service, as superuser."""
        connection = await asyncpg.connect(self.admin_url, server_settings={"search_path": SCHEMA})
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    async def settled(self, *consumers: str, timeout: float = 30) -> None:  # noqa: ASYNC109 - as eventually takes it
        """Wait until everything told has been published and heard."""

        async def all_heard() -> bool:
            [row] = await self.rows("select count(*) as waiting from outbox where published_at is null")
            if row["waiting"]:
                return False
            heard = [await self.stream.jetstream.consumer_info(EVENTS, one) for one in consumers or ALL]
            return all(info.num_pending == 0 and info.num_ack_pending == 0 for info in heard)

        await eventually(all_heard, timeout=timeout)

    async def hear_all_again(self) -> None:
        """Hand every event of the stream over once more, in the order of a new consumer."""
        consumer = Consumer(self.stream, name := f"again-{uuid4().hex}", TASK_SUBJECTS, Together(self.news.hear))
        running = asyncio.create_task(consumer.run())

        async def made() -> bool:
            return name in [info.name for info in await self.stream.jetstream.consumers_info(EVENTS)]

        await eventually(made)
        await self.settled(name)
        await consumer.stop()
        running.cancel()
        await asyncio.wait([running])


@dataclass
class Tenant:
    """One tenant of a test's own."""

    world: World
    id: str = field(default_factory=lambda: str(uuid4()))

    def person(self) -> Reader:
        return self.reader("user", f"user_{uuid4().hex}")

    def reader(self, kind: Any, subject: str, *roles: str, groups: Collection[str] = ()) -> Reader:
        principal = Principal(subject, kind, self.id, frozenset(roles or ("member",)), frozenset(groups))
        return Reader(principal, self.world.signer, self.world.channel)

    def group(self, name: str, *members: Reader, version: int = 1) -> Group:
        """A group as identity-service knows it; nobody has told notification-service of it."""
        group = Group(
            group_id=name,
            tenant_id=self.id,
            name=name,
            members=[member.id for member in members],
            created_at=datetime.now(UTC),
            version=version,
        )
        self.world.identity.groups[self.id, name] = group
        return group

    async def emit(self, aggregate: str, event: str, payload: Model, *, key: str, version: int) -> None:
        async with events_transaction(self.world.database, self.id) as tx:
            await tx.emit(aggregate=aggregate, event=event, payload=payload, key=key, version=version)

    async def tells_group(self, group: Group) -> None:
        await self.emit("identity", "group_changed", GroupEvent(group=group), key=group.group_id, version=group.version)

    async def tells_membership(self, group: Group, person: Reader, *, member: bool) -> None:
        payload = MembershipEvent(group=group, user_id=person.id, member=member)
        await self.emit("identity", "membership_changed", payload, key=group.group_id, version=group.version)

    def user(self, person: Reader, **fields: Any) -> User:
        """A person as identity-service knows them; nobody has told notification-service of them."""
        usual: dict[str, Any] = {
            "user_id": person.id,
            "tenant_id": self.id,
            "email": f"{person.id}@example.com",
            "name": "Ana",
            "roles": [Role.MEMBER],
            "status": UserStatus.ACTIVE,
            "created_at": datetime.now(UTC),
            "version": 1,
        }
        user = User(**usual | fields)
        self.world.identity.add_user(user)
        return user

    async def tells_person(self, person: Reader, status: UserStatus, *, version: int, **fields: Any) -> None:
        user = self.user(person, status=status, version=version, **fields)
        await self.emit("identity", "user_changed", UserEvent(user=user), key=user.user_id, version=version)
        await self.world.settled()  # what is told of tasks has a consumer of its own

    def task(self, **fields: Any) -> Task:
        now = datetime.now(UTC)
        usual: dict[str, Any] = {
            "task_id": mint_task_id(now, secrets.randbits(74)),
            "tenant_id": self.id,
            "title": "Customer needs help",
            "priority": Priority.NORMAL,
            "status": TaskStatus.OPEN,
            "version": 1,
            "revision": 1,
            "created_at": now,
            "updated_at": now,
        }
        return Task(**usual | fields)

    async def tells(
        self, event: str, task: Task, *, actor: Reader | None = None, mentioned: Collection[Reader] = ()
    ) -> None:
        """Tell what happened to a task, through an outbox and its relay."""
        payload = TaskEvent(
            task=task,
            audience=audience(task),
            actor=None if actor is None else actor.id,
            mentioned=[person.id for person in mentioned],
        )
        await self.emit("task", event, payload, key=task.task_id, version=task.version)

    async def hears(
        self, event: str, task: Task, *, actor: Reader | None = None, mentioned: Collection[Reader] = ()
    ) -> None:
        """The same, and wait until it has been heard."""
        await self.tells(event, task, actor=actor, mentioned=mentioned)
        await self.world.settled()


def after(task: Task, **fields: Any) -> Task:
    """The task one version later."""
    return task.model_copy(update={"version": task.version + 1, **fields})


def stepped(task: Task, step: EscalationStep, **fields: Any) -> Task:
    """The task one version later, after its clock has performed `step`."""
    sla = Sla(policy=SlaPolicy(complete="2h", escalate=[step]), breached=False, escalation_level=1, performed_steps=[0])
    return after(task, sla=sla, **fields)


@asynccontextmanager
async def running(admin_url: str, nats_url: str) -> AsyncIterator[World]:
    """Migrate the database, serve notification-service and identity-service, relay and consume."""
    await migrate(admin_url, "orkestra.notification_service", SCHEMA)
    async with AsyncExitStack() as stack:
        signer = Signer(base64.b64encode(bytes(range(32))).decode())
        identity = Identity(signer)
        server = grpc_server()
        identity.serve(server, signer.verifier().authenticate)
        port = server.add_insecure_port("127.0.0.1:0")
        channel = grpc_channel(f"127.0.0.1:{port}")
        database = await Database.connect(as_role(admin_url, f"{SCHEMA}_app"), schema=SCHEMA, max_size=10)
        stack.push_async_callback(database.close)
        sweep = await Database.connect(as_role(admin_url, f"{SCHEMA}_sweep"), schema=SCHEMA, max_size=2)
        stack.push_async_callback(sweep.close)
        guard = Guard(development=True)
        own_secrets = Secrets(b"k" * 40)

        def service_token(tenant_id: str | None) -> str:
            return signer.sign(Principal("service", "service", tenant_id, frozenset({"system"})))[0]

        groups = Groups(database, channel, service_token)
        operations = NotificationOperations(
            database, groups, reach=guard.check, secrets=own_secrets, link_lifetime=timedelta(hours=24)
        )
        add_notification_service(server, operations, signer.verifier().authenticate)
        await server.start()
        stack.push_async_callback(server.stop, None)
        stack.push_async_callback(channel.close, None)
        stream = await connect(nats_url, name="test")
        stack.push_async_callback(stream.close)
        await stream.connected()
        await stream.ensure_streams()
        mailbox = await stack.enter_async_context(mail_server())
        poster = Poster(guard, seconds=1)
        stack.push_async_callback(poster.close)
        deliveries = Deliveries(database, sweep, PATIENCE)
        directory = Directory(database, channel, service_token)
        carrying = carriers(
            deliveries,
            directory,
            poster,
            mail=MailChannel(mailbox.server),
            secrets=own_secrets,
            writer=Writer(own_secrets, dashboard_url="https://orkestra.example"),
        )
        deliverer = Deliverer(deliveries, carrying)
        mailing = Mailing(directory, list(Channel), deliverer.wake)
        feeds = Feeds(database, groups, mailing)
        news = TaskNews(feeds)
        consumers = hearing(partial(Consumer, stream), database, feeds, mailing, deliverer, seconds=GATHERED)
        relay = Relay(as_role(admin_url, f"{SCHEMA}_relay"), stream, schema=SCHEMA)
        loops = [asyncio.create_task(run()) for run in (*(one.run for one in consumers), relay.run, deliverer.run)]
        world = World(
            admin_url,
            f"127.0.0.1:{port}",
            identity,
            signer,
            database,
            Retention(sweep),
            feeds,
            news,
            stream,
            channel,
            mailbox,
            own_secrets,
            deliverer,
        )
        try:
            await eventually(lambda: _are_made(stream))
            await world.settled(timeout=60)  # what tests of other services left on the stream
            yield world
        finally:
            for consumer in consumers:
                await consumer.stop()
            await deliverer.stop()
            for loop in loops:
                loop.cancel()
            await asyncio.wait(loops)


async def _are_made(stream: Nats) -> bool:
    return set(ALL) <= {info.name for info in await stream.jetstream.consumers_info(EVENTS)}


@pytest.fixture(scope="module")
async def world(postgres: str, nats_url: str) -> AsyncIterator[World]:
    """A running notification-service; every test makes tenants of its own in it."""
    async with running(postgres, nats_url) as one:
        yield one
