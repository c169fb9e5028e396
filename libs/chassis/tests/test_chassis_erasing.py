"""Events taken out of the streams on purpose: those that are old, and those that tell who a person is."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from chassis_events import connected, nats_server
from orkestra.chassis.erasing import erase_told, purge_before
from orkestra.chassis.streams import DEAD, EVENTS, Nats

OURS, THEIRS = "00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"


async def tell(nats: Nats, tenant_id: str, event: str, key: str, data: bytes = b"{}") -> None:
    headers = {"ce-subject": key, "ce-type": f"orkestra.v1.{event}"}
    await nats.jetstream.publish(f"orkestra.v1.{tenant_id}.{event}", data, headers=headers)
    await nats.jetstream.publish(f"orkestra_dead.someone.orkestra.v1.{tenant_id}.{event}", data, headers=headers)


async def left(nats: Nats, stream: str, subject: str) -> int:
    """How many messages a stream has of a subject."""
    info = await nats.jetstream.stream_info(stream, subjects_filter=subject)
    return sum((info.state.subjects or {}).values())


async def test_events_before_a_time_are_purged_of_one_tenant_alone(tmp_path: Path) -> None:
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats:
            await nats.ensure_streams()
            subject = f"orkestra.v1.{OURS}.>"
            assert await purge_before(nats.jetstream, EVENTS, subject, datetime.now(UTC)) == 0
            for number in range(5):
                await tell(nats, OURS, "task.created", f"task_{number}")
                await tell(nats, THEIRS, "task.created", f"task_{number}")
            await asyncio.sleep(1.1)  # times of messages are read to the second
            between = datetime.now(UTC)
            await asyncio.sleep(1.1)
            for number in range(3):
                await tell(nats, OURS, "task.completed", f"task_{number}")
            assert await purge_before(nats.jetstream, EVENTS, subject, between) == 5
            assert await left(nats, EVENTS, subject) == 3
            assert await left(nats, EVENTS, f"orkestra.v1.{THEIRS}.>") == 5
            assert await left(nats, DEAD, f"orkestra_dead.*.orkestra.v1.{OURS}.>") == 8


async def test_what_was_told_of_a_person_is_erased_and_their_pseudonym_stays(tmp_path: Path) -> None:
    with nats_server(tmp_path) as server:
        async with connected(server.url) as nats:
            await nats.ensure_streams()
            await tell(nats, OURS, "identity.user_changed", "user_ana", b'{"user":{"email":"ana@acme.example"}}')
            await tell(nats, OURS, "identity.user_changed", "user_ben", b'{"user":{"email":"ben@acme.example"}}')
            await tell(nats, OURS, "identity.user_changed", "user_ana", b'{"user":{"email":"user_ana@erased.invalid"}}')
            await tell(nats, OURS, "task.cancelled", "task_1", b'{"actor":"user_ana","task":{"reason":"Ana said so"}}')
            await tell(nats, OURS, "task.cancelled", "task_2", b'{"actor":"user_ben","task":{"reason":"Ben said so"}}')
            await tell(nats, THEIRS, "identity.user_changed", "user_ana", b"{}")
            assert await erase_told(nats.jetstream, OURS, "user_ana") == 4
            assert await erase_told(nats.jetstream, OURS, "user_ana") == 0
            assert await left(nats, EVENTS, "orkestra.v1.>") == 4
            assert await left(nats, DEAD, "orkestra_dead.>") == 4
