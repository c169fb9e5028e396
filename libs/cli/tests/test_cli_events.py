"""Dead letters are listed with the reason and given to their consumers again."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from orkestra.chassis import streams
from orkestra.chassis.consumer import Consumer
from orkestra.chassis.dead import dead_letters
from orkestra.chassis.events import Event, Poison
from orkestra.chassis.streams import Nats
from orkestra.cli.commands import app
from orkestra.testkit.waiting import eventually
from typer.testing import CliRunner


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What is printed; the consumers of the test log to the same place, before and after."""
        return json.JSONDecoder().raw_decode(self.out[self.out.index("{") :])[0]


class World:
    """One tenant's events and two consumers of them, of which one is broken till it is mended."""

    def __init__(self, url: str, nats: Nats, folder: Path) -> None:
        self.url, self.nats, self.folder = url, nats, folder
        self.tenant, self.kind = str(uuid4()), f"thing_{uuid4().hex}"
        self.broken, self.whole = f"broken-{uuid4().hex}", f"whole-{uuid4().hex}"
        self.is_mended = False
        self.handled: dict[str, list[str]] = {self.broken: [], self.whole: []}

    async def __call__(self, *words: str, url: str | None = None) -> Said:
        env = {"ORKESTRA_NATS_URL": url or self.url}
        command = ["events", *words, "--state-dir", str(self.folder)]
        ran = await asyncio.to_thread(lambda: CliRunner().invoke(app, command, env=env))
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        return Said(ran.exit_code, ran.stdout, ran.stderr)

    async def break_handler(self, event: Event) -> None:
        if not self.is_mended:
            raise Poison(f"{event.key} cannot be handled yet.")
        self.handled[self.broken].append(event.id)

    async def handle(self, event: Event) -> None:
        if event.id not in self.handled[self.whole]:
            self.handled[self.whole].append(event.id)

    async def publish(self, key: str) -> str:
        event_id = uuid4().hex
        headers = {
            "ce-id": event_id,
            "ce-type": f"orkestra.v1.{self.kind}.changed",
            "ce-subject": key,
            "ce-tenant": self.tenant,
            "ce-version": "1",
            "ce-time": "2026-01-01T00:00:00+00:00",
            "Nats-Msg-Id": event_id,
        }
        subject = f"orkestra.v1.{self.tenant}.{self.kind}.changed"
        await self.nats.jetstream.publish(subject, b'{"thing": 1}', headers=headers)
        return event_id

    async def places(self) -> set[int]:
        return {one.place async for one in dead_letters(self.nats.jetstream, tenant_id=self.tenant)}

    async def dead(self, count: int, *, besides: Iterable[int] = ()) -> list[dict[str, Any]]:
        """What the command lists, once there are so many and none of `besides`."""

        async def buried() -> bool:
            places = await self.places()
            return len(places) == count and places.isdisjoint(besides)

        await eventually(buried, timeout=30)
        found: list[dict[str, Any]] = (await self("dead", "--tenant", self.tenant, "--json")).json["dead_letters"]
        return found


@pytest.fixture
async def world(nats_url: str, tmp_path: Path) -> AsyncIterator[World]:
    nats = await streams.connect(nats_url, name="test")
    await nats.connected()
    await nats.ensure_streams()
    made = World(nats_url, nats, tmp_path)
    subjects = [f"orkestra.v1.*.{made.kind}.*"]
    consumers = [
        Consumer(nats, made.broken, subjects, made.break_handler),
        Consumer(nats, made.whole, subjects, made.handle),
    ]
    running = [asyncio.create_task(consumer.run()) for consumer in consumers]
    try:
        yield made
    finally:
        for one in running:
            one.cancel()
        await asyncio.wait(running)
        await nats.close()


async def test_a_dead_letter_says_whose_it_is_and_why_and_is_handled_once_it_is_replayed(world: World) -> None:
    event_id = await world.publish("task_1")
    [letter] = await world.dead(1)
    assert letter["consumer"] == world.broken
    assert (letter["event_id"], letter["resource_id"]) == (event_id, "task_1")
    assert (letter["event"], letter["data"]) == (f"{world.kind}.changed", {"thing": 1})
    assert letter["reason"] == "task_1 cannot be handled yet."
    shown = await world("dead", "--consumer", world.broken)
    assert "task_1 cannot be handled yet." in shown.out

    world.is_mended = True
    assert "There are none." in (await world("replay", "--all", "--tenant", str(uuid4()))).out
    assert world.handled[world.broken] == []
    replayed = await world("replay", str(letter["place"]), "--json")
    assert [one["event_id"] for one in replayed.json["replayed"]] == [event_id]
    await eventually(lambda: world.handled[world.broken] == [event_id])
    assert await world.places() == set()
    assert world.handled[world.whole] == [event_id]
    again = await world("replay", str(letter["place"]), "--json")
    assert (again.code, json.loads(again.err)["code"]) == (4, "DEAD_LETTER_NOT_FOUND")


async def test_what_still_cannot_be_handled_is_dead_again_and_all_of_a_consumer_are_replayed_at_once(
    world: World,
) -> None:
    events = [await world.publish(f"task_{number}") for number in range(3)]
    before = await world.dead(3)
    assert (await world("replay", "--all", "--consumer", world.broken)).code == 0
    now = await world.dead(3, besides=[one["place"] for one in before])
    assert {one["event_id"] for one in now} == set(events)
    world.is_mended = True
    assert (await world("replay", "--all", "--tenant", world.tenant)).code == 0
    await eventually(lambda: sorted(world.handled[world.broken]) == sorted(events))
    assert await world.places() == set()


async def test_nats_away_and_a_command_that_says_nothing_are_refused_with_the_next_step(world: World) -> None:
    away = await world("dead", "--json", url="nats://127.0.0.1:1")
    said = json.loads(away.err)
    assert (away.code, said["code"]) == (3, "NOTHING_RUNS")
    assert "NATS at 127.0.0.1:1 does not answer" in said["detail"]
    assert "ORKESTRA_NATS_URL" in said["next"]
    nothing = await world("replay")
    assert (nothing.code, "--all" in nothing.err) == (2, True)
