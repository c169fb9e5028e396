"""What somebody asked who is erased: the words go from what a run waits for, whenever they are written."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from orkestra.chassis.connection import AheadConnection
from orkestra.chassis.database import Database
from orkestra.chassis.streams import EVENTS, connect
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema, eventually
from orkestra.v1.task import ChangeRequest
from orkestra.v1.workflow import ErasePartRequest, ErasureStep
from orkestra.wire import Unavailable
from orkestra.workflow_worker.operations import note_waiting
from orkestra.workflow_worker.rules import Waiting
from workflow_world import World, running_world

INSERT = """
insert into workflow.erasures (tenant_id, erasure_id, user_id, requested_by, started_at)
values ($1, $2, $3, 'user_boss', now()) returning erasure_id
"""
NOTED = "select version, message, asked_by from workflow.waiting_tasks where tenant_id = $1"
HELD_UP = "select 1 from pg_locks where locktype = 'advisory' and not granted"


class Slow(Database):
    """Stands still before it commits what it wrote, until it may go on."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.stands = asyncio.Event()
        self.may_go_on = asyncio.Event()

    @asynccontextmanager
    async def transaction(self, tenant_id: str, *, seconds: float = 60) -> AsyncIterator[AheadConnection]:
        async with super().transaction(tenant_id, seconds=seconds) as conn:
            yield conn
            self.stands.set()
            await self.may_go_on.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(
    migrated: Callable[..., Awaitable[Schema]], signer: Signer, nats_url: str, temporal_address: str
) -> AsyncIterator[World]:
    schema = await migrated("orkestra.workflow_worker", "workflow")
    async with running_world(schema, signer=signer, nats_url=nats_url, temporal_address=temporal_address) as world:
        yield world


@pytest.fixture
async def database(world: World) -> AsyncIterator[Database]:
    database = await Database.connect(world.schema.app_url, schema="workflow")
    try:
        yield database
    finally:
        await database.close()


def asked_by(user_id: str, *, version: int = 3, ago: timedelta = timedelta(minutes=5)) -> Waiting:
    """A task that waits for what a person has asked."""
    at = datetime.now(UTC) - ago
    words = ChangeRequest(round=1, message="I am Zoe: which?", asked_by=user_id, asked_at=at, answer_by=at)
    return Waiting(f"task_{user_id}", "wf_1", version, words)


async def erase(world: World, tenant_id: str, user_id: str) -> int:
    """Have what this service has of a person erased, again where that took too long; return how much it was."""
    erasure_id = f"erasure_{uuid4().hex}"
    await world.rows(INSERT, tenant_id, erasure_id, user_id)
    request = ErasePartRequest(erasure_id=erasure_id, part="workflow")

    async def step() -> ErasureStep | None:
        try:
            return await world.client("worker", tenant_id=tenant_id).erase_part(request)
        except Unavailable:
            return None

    done = await eventually(step, timeout=30)
    assert done is not None
    return done.erased


async def noted(world: World, tenant_id: str) -> list[tuple[int, str | None, str | None]]:
    return [tuple(row.values()) for row in await world.rows(NOTED + " order by task_id", tenant_id)]


async def test_what_an_erased_person_asked_is_left_without_their_words(world: World, database: Database) -> None:
    tenant_id = str(uuid4())
    for person in ("user_ben", "user_zoe"):
        await note_waiting(database, tenant_id, asked_by(person))
    assert await erase(world, tenant_id, "user_zoe") == 1
    assert await noted(world, tenant_id) == [(3, "I am Zoe: which?", "user_ben"), (3, "", "user_zoe")]


async def test_what_is_noted_late_of_an_erased_person_has_no_words_and_what_they_ask_once_back_has(
    world: World, database: Database
) -> None:
    tenant_id = str(uuid4())
    assert await erase(world, tenant_id, "user_zoe") == 0
    await note_waiting(database, tenant_id, asked_by("user_zoe"))
    assert await noted(world, tenant_id) == [(3, "", "user_zoe")]
    await note_waiting(database, tenant_id, asked_by("user_zoe", version=4, ago=-timedelta(hours=1)))
    assert await noted(world, tenant_id) == [(4, "I am Zoe: which?", "user_zoe")]


async def test_what_reached_the_stream_late_goes_with_the_last_part(world: World, nats_url: str) -> None:
    tenant_id = str(uuid4())
    subject = f"orkestra.v1.{tenant_id}.identity.user_changed"
    nats = await connect(nats_url, name="test")
    try:
        await nats.connected()
        for person in ("user_ben", "user_zoe"):
            headers = {"ce-subject": person, "ce-type": "orkestra.v1.identity.user_changed"}
            await nats.jetstream.publish(subject, b"{}", headers=headers)
        assert await erase(world, tenant_id, "user_zoe") == 1
        left = (await nats.jetstream.stream_info(EVENTS, subjects_filter=subject)).state.subjects
        assert left == {subject: 1}
    finally:
        await nats.jetstream.purge_stream(EVENTS, subject=subject)
        await nats.close()


async def test_what_is_being_noted_while_a_person_is_erased_is_waited_for(world: World) -> None:
    tenant_id, slow = str(uuid4()), await Slow.connect(world.schema.app_url, schema="workflow")
    noting = asyncio.create_task(note_waiting(slow, tenant_id, asked_by("user_zoe")))
    await slow.stands.wait()
    erasing = asyncio.create_task(erase(world, tenant_id, "user_zoe"))

    async def is_waiting() -> bool:
        return erasing.done() or bool(await world.rows(HELD_UP))

    await eventually(is_waiting, timeout=30)
    slow.may_go_on.set()
    await asyncio.gather(noting, erasing)
    await slow.close()
    assert await noted(world, tenant_id) == [(3, "", "user_zoe")]
