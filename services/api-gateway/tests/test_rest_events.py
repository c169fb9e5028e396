"""`GET /v1/events`: who hears what, and that nothing is lost between two connections."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest_asyncio
from door_rooms import TENANT
from orkestra.chassis import streams
from orkestra.chassis.streams import EVENTS, Nats
from orkestra.chassis.tokens import Signer
from orkestra.testkit.waiting import eventually
from orkestra.wire import Principal
from rest_world import Migrated, RestWorld, rest_door

OTHER = "0198a1b2-0000-7000-8000-000000000009"


@dataclass
class Heard:
    """What one listener has heard."""

    messages: list[dict[str, str]] = field(default_factory=list)
    ended: bool = False

    @property
    def last_id(self) -> str:
        return self.messages[-1]["id"]

    def told(self) -> list[dict[str, Any]]:
        return [json.loads(one["data"]) for one in self.messages if "data" in one]

    def keys(self) -> list[str]:
        return [one.get("subject", one["type"]) for one in self.told()]

    async def has(self, *keys: str) -> None:
        async def heard() -> bool:
            return self.keys() == list(keys)

        await eventually(heard, timeout=20)


@dataclass(frozen=True)
class World:
    door: RestWorld
    nats: Nats

    def person(self, name: str, *groups: str, tenant_id: str = TENANT, role: str = "member") -> str:
        credential = f"ors_{name}"
        self.door.rooms.people[credential] = Principal(
            f"user_{name}", "user", tenant_id, frozenset({role}), frozenset(groups)
        )
        return credential

    async def tell(self, key: str, *audience: str, tenant_id: str = TENANT, event: str = "created") -> None:
        headers = {
            "ce-id": uuid4().hex,
            "ce-type": f"orkestra.v1.task.{event}",
            "ce-tenant": tenant_id,
            "ce-subject": key,
            "ce-version": "1",
            "ce-time": datetime.now(UTC).isoformat(),
        }
        data = json.dumps({"task": {"task_id": key}, "audience": list(audience), "actor": "user_ann"}).encode()
        await self.nats.jetstream.publish(f"orkestra.v1.{tenant_id}.task.{event}", data, headers=headers)

    @asynccontextmanager
    async def listening(self, credential: str, last: str | None = None) -> AsyncIterator[Heard]:
        heard, open_now = Heard(), asyncio.Event()
        headers = {"authorization": f"Bearer {credential}"} | ({} if last is None else {"last-event-id": last})

        async def listen() -> None:
            async with self.door.http.stream("GET", "/v1/events", headers=headers, timeout=60) as answer:
                assert answer.status_code == 200, await answer.aread()
                assert answer.headers["content-type"].startswith("text/event-stream")
                open_now.set()
                message: dict[str, str] = {}
                async for line in answer.aiter_lines():
                    name, _, value = line.partition(": ")
                    if line:
                        message[name] = value
                    elif "id" in message:
                        heard.messages.append(message)
                        message = {}
            heard.ended = True

        listener = asyncio.create_task(listen())
        opening = asyncio.create_task(open_now.wait())
        try:
            await asyncio.wait([listener, opening], return_when=asyncio.FIRST_COMPLETED, timeout=20)
            if listener.done():
                listener.result()
            yield heard
        finally:
            listener.cancel()
            opening.cancel()
            await asyncio.wait([listener])


@pytest_asyncio.fixture(scope="module")
async def world(signer: Signer, migrated: Migrated, nats_url: str) -> AsyncIterator[World]:
    schema = await migrated("orkestra.api_gateway", "gateway")
    nats = await streams.connect(nats_url, name="teller")
    await nats.connected()
    await nats.ensure_streams()
    async with rest_door(signer, schema.app_url, nats_url=nats_url) as door:
        made = World(door, nats)
        probe = made.person("probe")

        async def is_connected() -> bool:
            async with door.http.stream("GET", "/v1/events", headers={"authorization": f"Bearer {probe}"}) as answer:
                return answer.status_code == 200

        await eventually(is_connected, timeout=20)
        yield made
    await nats.close()


async def test_a_caller_hears_what_is_for_it_and_nothing_else(world: World) -> None:
    ann, manager = world.person("ann", "support"), world.person("mia", role="manager")
    theirs = world.person("olga", tenant_id=OTHER, role="admin")
    async with world.listening(ann) as hers, world.listening(manager) as all_of_it, world.listening(theirs) as other:
        await world.tell("task_hers", "user:user_ann", "all")
        await world.tell("task_bens", "user:user_ben", "all")
        await world.tell("task_groups", "group:support", "all")
        await world.tell("task_theirs", "user:user_ann", "group:support", "all", tenant_id=OTHER)
        await hers.has("task_hers", "task_groups")
        await all_of_it.has("task_hers", "task_bens", "task_groups")
        await other.has("task_theirs")
    first = hers.told()[0]
    assert first.keys() == {"id", "type", "subject", "version", "time", "data"}
    assert (first["type"], first["data"]) == ("task.created", {"task": {"task_id": "task_hers"}, "actor": "user_ann"})


async def test_a_stream_goes_on_after_the_last_id_without_loss(world: World) -> None:
    ann = world.person("ann")
    async with world.listening(ann) as before:
        await world.tell("task_1", "user:user_ann")
        await before.has("task_1")
    for number in range(2, 8):
        await world.tell(f"task_{number}", "user:user_ann" if number % 2 else "user:user_ben")
    async with world.listening(ann, before.last_id) as after:
        await after.has("task_3", "task_5", "task_7")


async def test_a_place_that_is_no_longer_kept_or_of_another_stream_is_reset(world: World) -> None:
    ann = world.person("ann")
    async with world.listening(ann) as before:
        await world.tell("task_old", "user:user_ann")
        await before.has("task_old")
        await world.tell("task_older", "user:user_ann")
        await before.has("task_old", "task_older")
    await world.nats.jetstream.purge_stream(EVENTS)
    await world.tell("task_between", "user:user_ben")
    first = before.messages[0]["id"]
    for gone in (first, "0-1", "nonsense", f"{first.split('-')[0]}-999999"):
        async with world.listening(ann, gone) as after:
            await after.has("reset")
            assert after.messages[0]["event"] == "reset"
            await world.tell("task_new", "user:user_ann")
            await after.has("reset", "task_new")


async def test_a_group_that_is_left_and_a_credential_that_ends_are_noticed_while_the_stream_is_open(
    world: World,
) -> None:
    ben = world.person("ben", "support")
    async with world.listening(ben) as heard:
        await world.tell("task_a", "group:support")
        await heard.has("task_a")
        world.person("ben")
        await asyncio.sleep(2.2)  # what a door knows of a caller is at most this old
        await world.tell("task_b", "group:support")
        await world.tell("task_c", "user:user_ben")
        await heard.has("task_a", "task_c")
        del world.door.rooms.people[ben]

        async def ended() -> bool:
            return heard.ended

        await eventually(ended, timeout=20)


async def test_without_a_credential_or_a_tenant_nothing_is_streamed(world: World) -> None:
    async with httpx.AsyncClient(base_url=world.door.http.base_url) as nobody:
        assert (await nobody.get("/v1/events")).status_code == 401
    above = world.door.rooms.know("ork_operator", tenant_id=None)
    refused = await world.door.http.get("/v1/events", headers={"authorization": f"Bearer {above}"})
    assert (refused.status_code, refused.json()["code"]) == (403, "TENANT_REQUIRED")


async def test_a_caller_has_a_limited_number_of_streams(world: World) -> None:
    greedy = world.person("greedy")
    async with asyncio.TaskGroup() as group:
        enough = asyncio.Event()

        async def hold() -> None:
            async with world.listening(greedy):
                await enough.wait()

        for _ in range(20):
            group.create_task(hold())

        async def is_refused() -> bool:
            headers = {"authorization": f"Bearer {greedy}"}
            async with world.door.http.stream("GET", "/v1/events", headers=headers) as answer:
                return answer.status_code == 429

        await eventually(is_refused, timeout=30)
        enough.set()


async def test_without_nats_a_stream_is_refused_and_the_rest_is_served(signer: Signer, migrated: Migrated) -> None:
    schema = await migrated("orkestra.api_gateway", "gateway")
    async with rest_door(signer, schema.app_url) as door:
        refused = await door.http.get("/v1/events")
        served = await door.http.get("/v1/tasks/task_1")
    assert (refused.status_code, refused.json()["code"]) == (503, "EVENTS_UNAVAILABLE")
    assert refused.headers["retry-after"]
    assert served.status_code == 404


async def test_a_door_that_ends_closes_its_streams_in_order(signer: Signer, migrated: Migrated, nats_url: str) -> None:
    schema = await migrated("orkestra.api_gateway", "gateway")
    async with rest_door(signer, schema.app_url, nats_url=nats_url) as door:
        nats = await streams.connect(nats_url, name="teller")
        await nats.connected()
        world = World(door, nats)
        ann = world.person("ann")

        async def is_connected() -> bool:
            async with door.http.stream("GET", "/v1/events") as answer:
                return answer.status_code == 200

        await eventually(is_connected, timeout=20)
        async with world.listening(ann) as heard:
            door.drain.begin()

            async def ended() -> bool:
                return heard.ended

            await eventually(ended, timeout=20)
        await nats.close()
