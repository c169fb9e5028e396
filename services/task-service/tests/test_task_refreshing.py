"""Copies of people and groups that have fallen behind what the broker handed over are asked for again."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from orkestra.chassis.consumer import Consumer
from orkestra.chassis.credentials import TokenSource
from orkestra.chassis.grpc import channel as grpc_channel
from orkestra.chassis.grpc import server as grpc_server
from orkestra.chassis.streams import Nats, connect
from orkestra.chassis.tokens import Signer
from orkestra.task_service.consumers import PEOPLE, PEOPLE_SUBJECTS, PeopleCopies, Refreshing
from orkestra.testkit.infra import nats_server
from orkestra.testkit.waiting import eventually
from orkestra.v1.events import SubstitutionEvent, UserEvent
from orkestra.v1.identity import (
    ListTenantsRequest,
    ListTenantsResponse,
    RepublishPeopleRequest,
    RepublishPeopleResponse,
    Substitution,
    Tenant,
    TenantStatus,
    User,
    UserStatus,
)
from orkestra.wire import Context, Model
from task_world import FewWordsIdentity, World, world

__all__ = ["world"]


class Telling(FewWordsIdentity):
    """An identity-service of one tenant that tells again, in pages, who is there and who is away."""

    answered = ("ListTenants", "RepublishPeople")

    def __init__(self, signer: Signer, stream: Nats) -> None:
        super().__init__(signer)
        self.tenant_id = str(uuid4())
        self.asked: list[str | None] = []
        self._stream = stream
        self.user = User(
            user_id=f"user_{uuid4().hex}",
            tenant_id=self.tenant_id,
            email="ana@example.com",
            name="Ana",
            roles=[],
            groups=[],
            status=UserStatus.ACTIVE,
            created_at=datetime.now(UTC),
            version=3,
        )

    async def list_tenants(self, _ctx: Context, request: ListTenantsRequest) -> ListTenantsResponse:
        tenant = Tenant(
            tenant_id=self.tenant_id,
            slug="t",
            name="T",
            status=TenantStatus.ACTIVE,
            created_at=datetime.now(UTC),
            version=1,
        )
        return ListTenantsResponse(tenants=[tenant])

    async def republish_people(self, ctx: Context, request: RepublishPeopleRequest) -> RepublishPeopleResponse:
        assert ctx.tenant_id == self.tenant_id
        self.asked.append(request.page_token)
        if request.page_token is None:
            await self.tell("user_changed", UserEvent(user=self.user), version=3)
            return RepublishPeopleResponse(emitted=1, next_page_token="more")
        away = Substitution(user_id=self.user.user_id, substitute="user_else", version=2)
        await self.tell("substitution_changed", SubstitutionEvent(substitution=away), version=2)
        return RepublishPeopleResponse(emitted=1)

    async def tell(self, event: str, payload: Model, *, version: int) -> None:
        headers = {
            "ce-specversion": "1.0",
            "ce-id": str(uuid4()),
            "ce-source": "orkestra/identity",
            "ce-type": f"orkestra.v1.identity.{event}",
            "ce-subject": self.user.user_id,
            "ce-time": datetime.now(UTC).isoformat(),
            "ce-tenant": self.tenant_id,
            "ce-version": str(version),
        }
        subject = f"orkestra.v1.{self.tenant_id}.identity.{event}"
        await self._stream.jetstream.publish(subject, payload.model_dump_json().encode(), headers=headers)


@pytest.fixture
async def stream() -> AsyncIterator[Nats]:
    """A stream of its own: whoever else hears under the same name would take its events."""
    with nats_server() as url:
        one = await connect(url, name="test")
        await one.connected()
        await one.ensure_streams()
        yield one
        await one.close()


@asynccontextmanager
async def served(world: World, identity: Telling, stream: Nats) -> AsyncIterator[None]:
    """What task-service runs for its copies, until it is stopped."""
    server = grpc_server()
    identity.serve(server, world.signer.verifier().authenticate)
    channel = grpc_channel(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    await server.start()
    refreshing = Refreshing(world.database, stream, channel, TokenSource(channel, base64.b64encode(b"k").decode()))
    consumer = Consumer(stream, PEOPLE, PEOPLE_SUBJECTS, PeopleCopies(world.database).hear)
    running = [asyncio.ensure_future(one()) for one in (refreshing.before(consumer.run), refreshing.run)]
    try:
        yield
    finally:
        await consumer.stop()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await channel.close(None)
        await server.stop(None)


async def copies(world: World, identity: Telling) -> tuple[int, int]:
    [row] = await world.rows(
        "select (select count(*) from people where tenant_id = $1) as people,"
        " (select count(*) from substitutions where tenant_id = $1) as away",
        identity.tenant_id,
    )
    return row["people"], row["away"]


async def state(world: World) -> Any:
    rows = await world.rows("select handed_over, is_old from heard where consumer = $1", PEOPLE)
    return rows[0] if rows else None


async def test_copies_of_an_older_dump_are_asked_for_again_and_only_then(world: World, stream: Nats) -> None:
    identity = Telling(world.signer, stream)
    await world.rows("delete from heard")

    async def are(people: int, away: int) -> bool:
        return await copies(world, identity) == (people, away)

    async with served(world, identity, stream):
        await identity.tell("user_changed", UserEvent(user=identity.user), version=3)
        await eventually(lambda: are(1, 0))
    asked_before = list(identity.asked)
    async with served(world, identity, stream):  # started again, with nothing lost
        await identity.tell("user_changed", UserEvent(user=identity.user), version=3)
        await stream.jetstream.publish("orkestra.v1.other.task.created", b"of others")
        await asyncio.sleep(0.3)
    async with served(world, identity, stream):
        await asyncio.sleep(0.3)
    assert identity.asked == asked_before

    heard = (await state(world))["handed_over"]
    await world.rows("delete from people where tenant_id = $1", identity.tenant_id)
    await world.rows("update heard set handed_over = $1", heard - 1)  # the dump was made before the last event
    async with served(world, identity, stream):
        await eventually(lambda: are(1, 1))
        await eventually(lambda: _is_new(world))
    assert identity.asked[len(asked_before) :] == [None, "more"]


async def test_a_stream_that_is_another_one_is_noticed(world: World, stream: Nats) -> None:
    identity = Telling(world.signer, stream)
    await world.rows("delete from heard")
    async with served(world, identity, stream):
        await identity.tell("user_changed", UserEvent(user=identity.user), version=3)
        await eventually(lambda: _is_new(world))
    before = len(identity.asked)
    await world.rows("update heard set stream_created = now() - interval '1 year'")
    async with served(world, identity, stream):
        await eventually(lambda: len(identity.asked) > before + 1)
        await eventually(lambda: _is_new(world))


async def _is_new(world: World) -> bool:
    row = await state(world)
    return row is not None and not row["is_old"]
