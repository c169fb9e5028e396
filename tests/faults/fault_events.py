"""What can go wrong with events: told again and in another order, not to be understood, slow to be heard."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import nats
from fault_system import FaultedStack
from nats.aio.client import Client
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError
from orkestra.chassis.streams import DEAD, EVENTS

MOST_TOLD_AGAIN = 60
CONSUMERS = ("task-service", "workflow-worker", "notification-service")


@asynccontextmanager
async def broker(stack: FaultedStack) -> AsyncIterator[Client]:
    """A connection to NATS past every link."""
    client = await nats.connect(stack.info["nats"])
    try:
        yield client
    finally:
        await client.close()


async def told_again(stack: FaultedStack, chance: random.Random, *, times: int = 1) -> str:
    """The newest events come once more, shuffled, and the stream does not know them again."""
    async with broker(stack) as client:
        jetstream = client.jetstream()
        newest = (await jetstream.stream_info(EVENTS)).state.last_seq
        places = range(max(1, newest - MOST_TOLD_AGAIN + 1), newest + 1)
        found = await asyncio.gather(*(_at(client, place) for place in places))
        messages = [message for message in found if message is not None] * times
        chance.shuffle(messages)
        await asyncio.gather(*(_tell_again(client, message) for message in messages))
    return f"{len(messages)} events are told again in another order"


async def _tell_again(client: Client, message: RawStreamMsg) -> None:
    headers = {name: text for name, text in (message.headers or {}).items() if not name.startswith("Nats-")}
    headers["Nats-Msg-Id"] = uuid4().hex
    await client.jetstream(timeout=30).publish(str(message.subject), message.data or b"", headers=headers)


async def _at(client: Client, place: int) -> RawStreamMsg | None:
    try:
        return await client.jetstream(timeout=30).get_msg(EVENTS, seq=place)
    except NotFoundError:
        return None


async def poisoned(stack: FaultedStack, chance: random.Random) -> str:
    """Events that nobody can read: no headers at all, broken JSON, a task that is none, a tenant that is none."""
    tenant = stack.info["tenant"]["tenant_id"] if "tenant" in stack.info else str(uuid4())
    good = {
        "ce-id": uuid4().hex,
        "ce-type": "orkestra.v1.task.completed",
        "ce-tenant": tenant,
        "ce-subject": f"task_{uuid4().hex}",
        "ce-version": "3",
        "ce-time": "2026-01-01T00:00:00+00:00",
        "ce-specversion": "1.0",
    }
    poison: list[tuple[dict[str, str], bytes]] = [
        ({}, b"{}"),
        (good, b"\xff\xfe no JSON"),
        (good, b'{"task": 7, "audience": []}'),
        ({**good, "ce-version": "many"}, b"{}"),
        ({**good, "ce-tenant": "nobody' or true"}, b"{}"),
        (good, b"[" * 60_000),
    ]
    chance.shuffle(poison)
    async with broker(stack) as client:
        before = await dead(client)
        for headers, data in poison:
            named = headers | {"Nats-Msg-Id": uuid4().hex}
            await client.jetstream().publish(f"orkestra.v1.{tenant}.task.completed", data, headers=named)
        async with asyncio.timeout(60):
            while await dead(client) < before + len(poison):  # noqa: ASYNC110 - other processes bury them
                await asyncio.sleep(0.1)
    return f"{len(poison)} events cannot be read"


async def dead(client: Client) -> int:
    """How many events lie among the dead letters."""
    found = await client.jetstream().stream_info(DEAD)
    return int(found.state.messages)


async def heard_slowly(stack: FaultedStack, chance: random.Random) -> str:
    """One service hears a few events a second while all others go on."""
    slow, seconds = chance.choice(CONSUMERS), chance.uniform(3, 6)
    async with stack.broken(slow, "nats", "slow", 4000.0):
        await asyncio.sleep(seconds)
    return f"{slow} hears events at 4 kB a second for {seconds:.0f} s"
