"""The relay: what was committed reaches the stream, whatever dies."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import asyncpg
import chassis_world as world
import pytest
from chassis_events import beside, connected, message_ids, messages, nats_server, restart_without_store
from chassis_world import Groups, outbox, someone
from orkestra.chassis import relay as chassis_relay
from orkestra.chassis import streams
from orkestra.chassis.consumer import Consumer
from orkestra.chassis.database import Database
from orkestra.chassis.events import Event, read_event
from orkestra.chassis.outbox import emit_call, outbox_event
from orkestra.chassis.relay import Relay
from orkestra.chassis.resend import settled_until
from orkestra.chassis.streams import EVENTS, Nats
from orkestra.cli.servers import start
from orkestra.testkit import Schema, eventually, migrated
from orkestra.v1.events import GroupEvent
from orkestra.v1.identity import CreateGroupRequest
from orkestra.wire import Context, Unavailable


@pytest.fixture
async def schema(empty_database: str) -> Schema:
    return await migrated(empty_database, "chassis_room", "room")


@pytest.fixture
async def groups(schema: Schema) -> AsyncIterator[Groups]:
    database = await Database.connect(schema.app_url, schema=schema.name)
    yield Groups(database)
    await database.close()


@contextlib.asynccontextmanager
async def relaying(schema: Schema, nats: Nats, *, of: Sequence[Database] = ()) -> AsyncIterator[Relay]:
    relay = Relay(schema.relay_url, nats, schema=schema.name, of=of)
    running = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        assert not running.done(), running.exception()
        running.cancel()
        await asyncio.wait((running,))


@contextlib.asynccontextmanager
async def consuming(nats: Nats, handler: Callable[[Event], Awaitable[None]]) -> AsyncIterator[None]:
    """Hear everything in a durable consumer named after the handler."""
    async with beside(Consumer(nats, handler.__name__, ["orkestra.v1.>"], handler).run()):
        yield


async def write(groups: Groups, ctx: Context, count: int, *, prefix: str = "group") -> None:
    for number in range(count):
        await groups.create_group(ctx, CreateGroupRequest(group_id=f"{prefix}-{number}"))


async def everything_is_published(schema: Schema, nats: Nats, tenant_id: str) -> bool:
    rows = await outbox(schema, tenant_id)
    sent = await message_ids(nats, tenant_id)
    return (
        bool(rows)
        and all(row["published_at"] for row in rows)
        and {row["event_id"].__str__() for row in rows} == set(sent)
    )


async def test_an_event_is_published_as_a_cloud_event_with_its_trace(
    groups: Groups, schema: Schema, tmp_path: Path
) -> None:
    ctx = someone()
    await groups.create_group(ctx, CreateGroupRequest(group_id="grüße/1", name="Greetings"))
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats, relaying(schema, nats):
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            (message,) = await messages(nats)
    (row,) = await outbox(schema, ctx.tenant_id)
    event = read_event(message.headers or {}, message.data or b"")
    assert message.subject == f"orkestra.v1.{ctx.tenant_id}.group.created"
    assert (event.id, event.tenant_id, event.aggregate, event.event) == (
        str(row["event_id"]),
        ctx.tenant_id,
        "group",
        "created",
    )
    assert (event.key, event.version, event.time) == ("grüße/1", 1, row["created_at"])
    assert event.payload(GroupEvent).group.name == "Greetings"
    assert row["stream_seq"] == message.seq


async def test_events_are_published_in_the_order_they_were_committed(
    groups: Groups, schema: Schema, tmp_path: Path
) -> None:
    ctx = someone()
    await write(groups, ctx, 40)
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats, relaying(schema, nats):
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            sent = await message_ids(nats, ctx.tenant_id)
    assert sent == [str(row["event_id"]) for row in await outbox(schema, ctx.tenant_id)]


async def test_an_event_that_commits_late_with_an_older_number_is_published(
    groups: Groups, schema: Schema, tmp_path: Path
) -> None:
    ctx = someone()
    group = await groups.create_group(ctx, CreateGroupRequest(group_id="one"))
    late = outbox_event(
        ctx.tenant_id,
        source="room",
        aggregate="group",
        event="late",
        key="one",
        version=2,
        payload=GroupEvent(group=group),
    )
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats, relaying(schema, nats):
            async with groups.database.transaction(ctx.tenant_id) as conn:
                await conn.execute(f"SELECT {emit_call(late)}")
                await write(groups, ctx, 5)
                await eventually(lambda: _count(nats, ctx.tenant_id, 6))
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            sent = await message_ids(nats, ctx.tenant_id)
    rows = await outbox(schema, ctx.tenant_id)
    assert sent[-1] == str(rows[1]["event_id"])


async def test_who_commits_beside_the_relay_tells_it_and_others_tell_by_postgresql(
    groups: Groups, schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chassis_relay, "LOOK_SECONDS", 60.0)
    ctx, heard = someone(), list[object]()
    elsewhere = await Database.connect(schema.app_url, schema=schema.name)
    listening = await asyncpg.connect(schema.admin_url)
    await listening.add_listener(f"{schema.name}_outbox", lambda *news: heard.append(news))
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats, relaying(schema, nats, of=[groups.database]) as relay:
            await eventually(lambda: relay.is_active)
            await write(groups, ctx, 3, prefix="here")
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            await listening.execute("select 1")
            assert heard == []
            await write(Groups(elsewhere), ctx, 3, prefix="elsewhere")
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            await eventually(lambda: len(heard) == 3)
            assert len(await message_ids(nats, ctx.tenant_id)) == 6
        await write(groups, ctx, 1, prefix="late")
        await eventually(lambda: len(heard) == 4)
    await elsewhere.close()
    await listening.close()


async def test_everything_is_sent_again_when_the_store_of_jetstream_was_deleted(
    groups: Groups, schema: Schema, tmp_path: Path
) -> None:
    ctx = someone()
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats, relaying(schema, nats):
            await write(groups, ctx, 30)
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            restart_without_store(server)
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id), timeout=30)
            await write(groups, ctx, 3, prefix="after")
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            assert len(await message_ids(nats, ctx.tenant_id)) == 33


async def test_what_every_consumer_has_handled_is_not_sent_again_unless_nobody_knows_who_has(
    groups: Groups, schema: Schema, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chassis_relay, "VERIFY_SECONDS", 0.2)
    ctx, quick, slow = someone(), set[str](), set[str]()

    async def hear_quickly(event: Event) -> None:
        quick.add(event.key)

    async def hear_slowly(event: Event) -> None:
        if event.key.startswith("late"):
            raise Unavailable("SERVICE_UNAVAILABLE", "away")
        slow.add(event.key)

    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats:
            async with relaying(schema, nats), consuming(nats, hear_quickly), consuming(nats, hear_slowly):
                await write(groups, ctx, 20)
                await eventually(lambda: len(quick) == len(slow) == 20)
                await write(groups, ctx, 3, prefix="late")
                await eventually(lambda: len(quick) == 23)
                await eventually(lambda: _settled(nats, 20))
                await asyncio.sleep(0.5)  # the relay's next look
                quick.clear()
                restart_without_store(server)
                await eventually(lambda: len(quick) == 3, timeout=30)
                assert quick == {"late-0", "late-1", "late-2"}
                await write(groups, ctx, 1, prefix="after")
                await eventually(lambda: "after-0" in quick and "after-0" in slow)
                assert len(await message_ids(nats, ctx.tenant_id)) == 4
            quick.clear()
            restart_without_store(server)
            async with relaying(schema, nats), consuming(nats, hear_quickly):
                await eventually(lambda: quick == {"late-0", "late-1", "late-2", "after-0"}, timeout=30)
    assert all(row["published_at"] for row in await outbox(schema, ctx.tenant_id))


async def _settled(nats: Nats, seq: int) -> bool:
    return await settled_until(nats.jetstream) == seq


async def test_only_the_lost_tail_is_sent_again_also_where_another_relay_has_overtaken(
    groups: Groups, schema: Schema, tmp_path: Path
) -> None:
    ctx = someone()
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats:
            async with relaying(schema, nats):
                await write(groups, ctx, 20)
                await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            kept = await _lose_tail(nats, keep=13)
            for _ in range(30):
                await nats.jetstream.publish("orkestra.v1.other.group.created", b"{}")
            async with relaying(schema, nats):
                await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            sent = await message_ids(nats, ctx.tenant_id)
    assert sent[:13] == kept
    assert len(sent) == 20


async def test_an_event_that_was_deleted_on_purpose_is_not_sent_again(
    groups: Groups, schema: Schema, tmp_path: Path
) -> None:
    ctx = someone()
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats:
            async with relaying(schema, nats):
                await write(groups, ctx, 10)
                await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            newest = (await nats.jetstream.stream_info(EVENTS)).state.last_seq
            await nats.jetstream.publish("orkestra.v1.other.group.created", b"{}")
            for seq in (newest, newest - 5):
                await nats.jetstream.delete_msg(EVENTS, seq)
            async with relaying(schema, nats) as relay:
                await eventually(lambda: relay.is_active)
                await write(groups, ctx, 1, prefix="after")

                async def is_told() -> bool:
                    return all(row["published_at"] for row in await outbox(schema, ctx.tenant_id))

                await eventually(is_told)
            assert len(await message_ids(nats, ctx.tenant_id)) == 9


async def test_a_stream_that_is_deleted_while_nothing_happens_is_made_again(
    groups: Groups, schema: Schema, tmp_path: Path
) -> None:
    ctx = someone()
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats, relaying(schema, nats):
            await write(groups, ctx, 3)
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            await nats.jetstream.delete_stream(EVENTS)
            await write(groups, ctx, 1, prefix="wakes-the-relay")
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id), timeout=60)


async def test_events_of_an_outage_of_nats_are_published_after_kill_and_restart(
    groups: Groups, schema: Schema, tmp_path: Path
) -> None:
    ctx = someone()
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats, relaying(schema, nats):
            await write(groups, ctx, 3)
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            server.process.kill()
            await write(groups, ctx, 3, prefix="during")
            start(server)
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id), timeout=60)
            assert len(await message_ids(nats, ctx.tenant_id)) == 6


async def test_of_two_relays_one_is_active_and_the_other_takes_over(
    groups: Groups, schema: Schema, tmp_path: Path
) -> None:
    ctx = someone()
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats, relaying(schema, nats) as standby_or_active:
            async with relaying(schema, nats) as other:
                await eventually(lambda: standby_or_active.is_active or other.is_active)
                await write(groups, ctx, 5)
                await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
                assert standby_or_active.is_active != other.is_active
            await eventually(lambda: standby_or_active.is_active)
            await write(groups, ctx, 5, prefix="after")
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))
            assert len(await message_ids(nats, ctx.tenant_id)) == 10


async def test_a_relay_whose_connection_is_cut_comes_back(groups: Groups, schema: Schema, tmp_path: Path) -> None:
    ctx = someone()
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats, relaying(schema, nats) as relay:
            await eventually(lambda: relay.is_active)
            await world.rows(
                schema, "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'room_relay'"
            )
            await write(groups, ctx, 5)
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))


async def test_a_relay_without_nats_waits_for_it(groups: Groups, schema: Schema, tmp_path: Path) -> None:
    ctx = someone()
    with nats_server(tmp_path) as server:
        server.process.kill()
        nats = await streams.connect(server.url, name="early")
        async with relaying(schema, nats):
            await write(groups, ctx, 2)
            start(server)
            await nats.connected()
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id), timeout=60)
        await nats.close()


async def test_old_events_and_answers_are_pruned_and_unpublished_ones_are_kept(
    groups: Groups, schema: Schema, tmp_path: Path
) -> None:
    ctx = someone()
    await write(groups, ctx, 2)
    await groups.create_group(world.asking(ctx, "old"), CreateGroupRequest(group_id="old"))
    await groups.create_group(world.asking(ctx, "new"), CreateGroupRequest(group_id="new"))
    await world.rows(schema, "update room.outbox set created_at = now() - interval '73 hours'")
    await world.rows(schema, "update room.outbox set published_at = now(), stream_seq = null where seq <= 2")
    await world.rows(
        schema, "update room.request_keys set created_at = now() - interval '25 hours' where request_id = 'old'"
    )
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats, relaying(schema, nats):
            await eventually(lambda: _is_left(schema, ctx.tenant_id, events=2, keys=["new"]))
            await eventually(lambda: everything_is_published(schema, nats, ctx.tenant_id))


async def test_a_relay_may_not_write_anything_but_the_outbox(schema: Schema) -> None:
    conn = await asyncpg.connect(schema.relay_url)
    for statement in ("select * from room.groups", "update room.outbox set payload = ''", "delete from room.groups"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute(statement)
    await conn.close()


async def _count(nats: Nats, tenant_id: str, count: int) -> bool:
    return len(await message_ids(nats, tenant_id)) >= count


async def _is_left(schema: Schema, tenant_id: str, *, events: int, keys: list[str]) -> bool:
    kept = await world.rows(schema, "select request_id from room.request_keys where tenant_id = $1", tenant_id)
    return len(await outbox(schema, tenant_id)) == events and [row["request_id"] for row in kept] == keys


async def _lose_tail(nats: Nats, *, keep: int) -> list[str]:
    """Make the stream one whose last writes did not reach the disk."""
    found = await messages(nats)
    await nats.jetstream.delete_stream(EVENTS)
    await nats.ensure_streams()
    for message in found[:keep]:
        await nats.jetstream.publish(str(message.subject), message.data or b"", headers=message.headers)
    return [(message.headers or {})["Nats-Msg-Id"] for message in found[:keep]]
