"""Figures of what is on its way: events that became true, that wait, that come again, that are dead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from chassis_events import connected
from chassis_world import Groups, someone
from orkestra.chassis import streams
from orkestra.chassis.consumer import Consumer, Handler
from orkestra.chassis.database import Database
from orkestra.chassis.events import Event, Poison
from orkestra.chassis.metrics import REGISTRY
from orkestra.chassis.relay import Relay
from orkestra.chassis.streams import Nats
from orkestra.testkit import Schema, eventually, migrated
from orkestra.v1.identity import CreateGroupRequest
from orkestra.wire import Unavailable

TENANT = str(uuid4())


def figure(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def consuming(nats: Nats, name: str, handler: Handler) -> AsyncIterator[None]:
    consumer = Consumer(nats, name, [f"orkestra.v1.{TENANT}.{name}.>"], handler)
    loop = asyncio.create_task(consumer.run())
    try:
        yield
    finally:
        loop.cancel()
        await asyncio.wait([loop])


async def publish(nats: Nats, kind: str) -> None:
    headers = {
        "ce-id": uuid4().hex,
        "ce-type": f"orkestra.v1.{kind}.changed",
        "ce-subject": uuid4().hex,
        "ce-tenant": TENANT,
        "ce-version": "1",
        "ce-time": datetime.now(UTC).isoformat(),
    }
    await nats.jetstream.publish(f"orkestra.v1.{TENANT}.{kind}.changed", b"{}", headers=headers)


@pytest.fixture
async def schema(empty_database: str) -> Schema:
    return await migrated(empty_database, "chassis_room", "room")


async def test_what_was_committed_counts_and_what_was_undone_does_not(schema: Schema) -> None:
    database = await Database.connect(schema.app_url, schema=schema.name)
    groups, ctx = Groups(database), someone()
    labels = {"orkestra_aggregate": "group", "orkestra_event": "created"}
    before = figure("orkestra_events_total", **labels)
    await groups.create_group(ctx, CreateGroupRequest(group_id="one"))
    with pytest.raises(RuntimeError):
        await groups.fail_after_writing(ctx, CreateGroupRequest(group_id="two"))
    assert figure("orkestra_events_total", **labels) == before + 1
    pool = {"db_client_connection_pool_name": "room_app"}
    assert figure("db_client_connection_count", **pool, db_client_connection_state="idle") == 1
    assert figure("db_client_connection_max", **pool) == 10
    await database.close()


async def test_what_waits_is_counted_while_nats_is_away_and_gone_once_it_is_published(
    schema: Schema, nats_url: str
) -> None:
    database = await Database.connect(schema.app_url, schema=schema.name)
    for number in range(3):
        await Groups(database).create_group(someone(), CreateGroupRequest(group_id=f"group-{number}"))
    labels = {"orkestra_schema": "room"}
    away = await streams.connect("nats://127.0.0.1:1", name="away")
    relay = asyncio.create_task(Relay(schema.relay_url, away, schema="room").run())
    await eventually(lambda: figure("orkestra_outbox_pending", **labels) == 3, timeout=30)
    assert figure("orkestra_relay_active", **labels) == 1
    assert figure("orkestra_outbox_age_seconds", **labels) > 0
    relay.cancel()
    await asyncio.wait([relay])
    await away.close()
    assert figure("orkestra_relay_active", **labels) == 0

    published = figure("orkestra_outbox_published_total", **labels)
    lags = figure("orkestra_relay_lag_seconds_count", **labels)
    async with connected(nats_url) as nats:
        relay = asyncio.create_task(Relay(schema.relay_url, nats, schema="room").run())
        await eventually(lambda: figure("orkestra_outbox_published_total", **labels) == published + 3, timeout=30)
        assert figure("orkestra_relay_lag_seconds_count", **labels) == lags + 3
        relay.cancel()
        await asyncio.wait([relay])
    await database.close()


async def test_events_are_counted_as_done_retried_redelivered_and_dead(nats_url: str) -> None:
    kind, tries = f"thing_{uuid4().hex}", 0

    async def handle(event: Event) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Unavailable("AWAY", "It is away.")
        if tries == 3:
            raise Poison("It says nothing.")

    async with connected(nats_url) as nats, consuming(nats, kind, handle):
        await publish(nats, kind)
        await eventually(lambda: tries == 2, timeout=30)
        await publish(nats, kind)
        await eventually(lambda: outcome(kind, "dead") == 1, timeout=30)
    assert {word: outcome(kind, word) for word in ("done", "retried", "dead")} == {"done": 1, "retried": 1, "dead": 1}
    assert figure("orkestra_events_redelivered_total", orkestra_consumer=kind) == 1
    assert figure("orkestra_consumer_lag_seconds_count", orkestra_consumer=kind) == 1
    assert figure("messaging_process_duration_seconds_count", orkestra_consumer=kind) == 1


def outcome(consumer: str, word: str) -> float:
    return figure("orkestra_events_handled_total", orkestra_consumer=consumer, orkestra_outcome=word)
