"""PostgreSQL and NATS ask for certificates, which are renewed under a room at work: no event is lost, none refused."""

import asyncio
import hashlib
import json
import os
import signal
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import chassis_world as world
import pytest
from chassis_certificates import Authority, Front, Mounted, tls_front
from chassis_events import message_ids
from chassis_world import Groups, asking, outbox, someone
from orkestra.chassis import streams
from orkestra.chassis.access import NatsAccess, Tls
from orkestra.chassis.database import Database
from orkestra.chassis.relay import Relay
from orkestra.chassis.streams import Nats
from orkestra.cli.process import Process
from orkestra.cli.servers import program
from orkestra.testkit import Schema, eventually, free_port, migrated
from orkestra.v1.identity import CreateGroupRequest
from orkestra.wire import Context, Error, Unavailable

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
"""nats-py leaves the line open on which it was refused; Python closes it when it is collected, and says so."""


class Broker:
    """A real NATS server that lets in who shows a certificate of its authorities."""

    def __init__(self, folder: Path, tls: Tls) -> None:
        port, self._watched = free_port(), free_port()
        self.url = f"nats://127.0.0.1:{port}"
        config = {
            "listen": f"127.0.0.1:{port}",
            "http": f"127.0.0.1:{self._watched}",
            "jetstream": {"store_dir": str(folder / "store")},
            "tls": {"cert_file": tls.cert_file, "key_file": tls.key_file, "ca_file": tls.ca_file, "verify": True},
        }
        (folder / "nats.conf").write_text(json.dumps(config), "utf-8")
        command = [program("nats-server"), "--config", str(folder / "nats.conf")]
        self.process = Process("nats", command, log=folder / "nats.log")

    def reads_again(self) -> None:
        os.kill(self.process.pid, signal.SIGHUP)

    def starts_again(self) -> None:
        """Every line to it is lost, and made again."""
        self.process.stop()
        self.process.spawn()

    def _shown(self) -> set[str]:
        with urlopen(f"http://127.0.0.1:{self._watched}/connz?auth=1", timeout=5) as told:
            connections = json.load(told)["connections"]
        return {each["tls_peer_certs"][0]["cert_sha256"] for each in connections}

    async def is_shown(self, tls: Tls) -> bool:
        """Whether all who are connected have shown this certificate."""
        try:
            shown = await asyncio.to_thread(self._shown)
        except OSError:
            return False
        wanted = ssl.PEM_cert_to_DER_cert(Path(str(tls.cert_file)).read_text("ascii"))  # noqa: ASYNC240 - of memory
        return shown == {hashlib.sha256(wanted).hexdigest()}


@dataclass
class Room:
    """What a room is made of: a pool, a relay, a connection to NATS; and those who write to it."""

    groups: Groups
    nats: Nats
    ctx: Context = field(default_factory=someone)
    promised: int = 0
    refused: list[Error] = field(default_factory=list)

    async def write(self) -> None:
        """Write for ever; what is refused is repeated until it is answered."""
        while True:
            number = self.promised
            try:
                request = CreateGroupRequest(group_id=f"group-{number}")
                await self.groups.create_group(asking(self.ctx, f"request-{number}"), request)
                self.promised += 1
            except Error as refused:
                self.refused.append(refused)
            await asyncio.sleep(0.01)

    async def goes_on(self) -> None:
        before = self.promised
        await eventually(lambda: self.promised >= before + 10)

    async def has_kept_its_promises(self, schema: Schema) -> bool:
        rows = await outbox(schema, self.ctx.tenant_id)
        sent = await message_ids(self.nats, self.ctx.tenant_id)
        return sorted(sent) == sorted(str(row["event_id"]) for row in rows)


def address(schema: Schema, front: Front, role: str, tls: Tls) -> str:
    database = schema.app_url.partition("?")[0].rpartition("/")[2]
    files = f"sslrootcert={tls.ca_file}&sslcert={tls.cert_file}&sslkey={tls.key_file}"
    return f"postgresql://{schema.name}_{role}@127.0.0.1:{front.port}/{database}?sslmode=verify-full&{files}"


@asynccontextmanager
async def at_work(schema: Schema, front: Front, broker: Broker, tls: Tls) -> AsyncIterator[Room]:
    database = await Database.connect(address(schema, front, "app", tls), schema=schema.name, max_size=2)
    nats = await streams.connect(broker.url, name="room", access=NatsAccess(tls=tls))
    room = Room(Groups(database), nats)
    relay = Relay(address(schema, front, "relay", tls), nats, schema=schema.name)
    loops = [asyncio.create_task(relay.run()), asyncio.create_task(room.write())]
    try:
        yield room
        loops[1].cancel()
        await eventually(partial(room.has_kept_its_promises, schema), timeout=60)
    finally:
        for loop in loops:
            loop.cancel()
        await asyncio.wait(loops)
        await nats.close()
        await database.close()


@asynccontextmanager
async def refused(
    schema: Schema, front: Front, broker: Broker, tls: Tls
) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """A process that starts with these is let in nowhere, and says that both are away; yields whether it is well."""
    database = await Database.connect(address(schema, front, "app", tls), schema=schema.name)
    nats = await streams.connect(broker.url, name="stranger", access=NatsAccess(tls=tls))

    async def is_well() -> bool:
        try:
            await asyncio.gather(database.check(), nats.check())
        except Unavailable:
            return False
        return True

    with pytest.raises(Unavailable):
        await database.check()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await nats.connected()
    with pytest.raises(Unavailable):
        await nats.check()
    yield is_well
    await asyncio.gather(nats.close(), database.close())


@dataclass
class Place:
    """A room between servers whose files, and whose own, are renewed."""

    schema: Schema
    front: Front
    broker: Broker
    room: Room
    theirs: Mounted
    ours: Mounted

    async def renew(self, issuer: Authority, *authorities: Authority) -> None:
        """Put new files at both ends; the servers read them, lose all lines, and are shown the new ones."""
        self.theirs.put(issuer.issue("servers"), *authorities)
        number = self.ours.put(issuer.issue("room"), *authorities)
        self.broker.starts_again()
        self.front.cut()
        await eventually(lambda: self.front.peers[-2:] == [number, number], timeout=30)
        await eventually(partial(self.broker.is_shown, self.ours.tls), timeout=30)
        await self.room.goes_on()

    def trust(self, issuer: Authority, *authorities: Authority) -> None:
        """Let both ends trust more authorities; nothing that is open is lost by that."""
        self.theirs.put(issuer.issue("servers"), *authorities)
        self.ours.put(issuer.issue("room"), *authorities)
        self.broker.reads_again()


@pytest.fixture
async def schema(empty_database: str) -> Schema:
    return await migrated(empty_database, "chassis_room", "room")


@pytest.fixture
async def old(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "old")


@pytest.fixture
async def place(schema: Schema, old: Authority, tmp_path: Path) -> AsyncIterator[Place]:
    theirs, ours = Mounted(tmp_path / "servers"), Mounted(tmp_path / "room")
    theirs.put(old.issue("servers"), old)
    ours.put(old.issue("room"), old)
    broker = Broker(tmp_path, theirs.tls)
    broker.process.spawn()
    reach = partial(world.opened, schema.app_url)
    try:
        async with (
            tls_front(reach, theirs.tls, postgresql=True, asks_clients=True) as front,
            at_work(schema, front, broker, ours.tls) as room,
        ):
            await room.goes_on()
            yield Place(schema, front, broker, room, theirs, ours)
    finally:
        broker.process.stop()


def only_unavailable(room: Room) -> bool:
    return {type(one) for one in room.refused} <= {Unavailable}


async def test_renewed_certificates_are_shown_without_a_restart_and_no_event_is_lost(
    place: Place, old: Authority
) -> None:
    await place.renew(old, old)
    assert only_unavailable(place.room)


async def test_the_authority_of_servers_is_changed_and_the_old_one_is_refused(
    place: Place, old: Authority, tmp_path: Path
) -> None:
    new, left = Authority(tmp_path, "new"), Mounted(tmp_path / "left")
    left.put(old.issue("left"), old, new)
    place.trust(old, old, new)
    await place.renew(new, old, new)
    await place.renew(new, new)
    async with refused(place.schema, place.front, place.broker, left.tls) as is_well:
        left.put(new.issue("left"), new)
        await eventually(is_well)
    assert only_unavailable(place.room)
