"""A room of two that ends while it is called: what its clients may repeat, they do, and their callers hear nothing."""

import asyncio
import secrets

from orkestra.testkit.waiting import eventually
from orkestra.wire import Context, Model
from orkestra.wire.connection import connect
from wire_world import animal, keeper, started, zoo

GRACE = 20


async def test_no_call_fails_while_one_of_two_rooms_ends() -> None:
    answered = {"first": 0, "second": 0}
    fed: Model = animal()

    def room(name: str) -> object:
        async def answer(_ctx: Context, _request: Model) -> Model:
            await asyncio.sleep(0.005)
            answered[name] += 1
            return fed

        return keeper(answer)

    (first, one), (second, other) = await started(room("first")), await started(room("second"))
    over = asyncio.Event()
    async with connect(f"ipv4:127.0.0.1:{one},127.0.0.1:{other}") as channel:
        client = zoo().ZooServiceClient(channel, "keeper", timeout=GRACE)

        async def reads() -> None:
            while not over.is_set():
                await client.get_animal(zoo().GetAnimalRequest(name="Mia"))

        async def writes() -> None:
            while not over.is_set():
                await client.feed_animal(animal(), request_id=secrets.token_hex(8))

        async with asyncio.TaskGroup() as callers:
            for calls in [reads, writes] * 4:
                callers.create_task(calls())
            await eventually(lambda: min(answered.values()) >= 50)
            await first.stop(GRACE)
            before = answered["second"]
            await eventually(lambda: answered["second"] >= before + 50)
            over.set()
    await second.stop(GRACE)
