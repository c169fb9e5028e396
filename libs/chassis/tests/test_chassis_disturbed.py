"""Connections cut, cancelled and kept waiting at any moment: no statement stands alone, no answer is another's."""

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import chassis_world as world
import pytest
from chassis_world import Migrated, someone
from orkestra.chassis.database import Database
from orkestra.testkit import eventually
from orkestra.wire import Unavailable

CALLERS, CALLS, PLACES = 8, 30, 3
BREAKS = 0.01
"""Share of what passes after which the line breaks."""
INSERT = "insert into groups (tenant_id, group_id, name) values ($1, $2, $2)"


@dataclass
class Line:
    """A line to the server that hands on bytes in pieces, with pauses, and breaks now and then."""

    chance: random.Random
    broken: int = 0
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                at = self.chance.randrange(len(data) + 1)
                for piece in (data[:at], data[at:]):
                    writer.write(piece)
                    await asyncio.sleep(self.chance.choice([0, 0, 0.001, 0.004]))
                if self.chance.random() < BREAKS:
                    self.broken += 1
                    break
        writer.close()


@asynccontextmanager
async def disturbed(url: str, chance: random.Random) -> AsyncIterator[tuple[str, Line]]:
    """The same database behind such a line."""
    line, tasks = Line(chance), set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await world.opened(url)
        both = [asyncio.create_task(line.carry(*pair)) for pair in ((reader, back), (there, writer))]
        tasks.update(both)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        writer.close()
        back.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    parts = urlsplit(url)
    place = f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield urlunsplit(parts._replace(netloc=place, query="sslmode=disable")), line
    finally:
        server.close()
        for task in tasks:
            task.cancel()


async def told(conn: asyncpg.Connection, query: str, *values: str) -> tuple[str, ...]:
    row = await conn.fetchrow(query, *values)
    assert row is not None
    return tuple(row)


class Caller:
    """Writes pairs and reads them, and knows which were acknowledged."""

    def __init__(self, name: str, database: Database, chance: random.Random, tenants: list[str]) -> None:
        self.name, self.database, self.chance, self.tenants = name, database, chance, tenants
        self.kept: list[tuple[str, str]] = []
        self.heard: list[str] = []

    async def work(self) -> None:
        for nth in range(CALLS):
            kind = self.chance.choice([self.write, self.write, self.look, self.alone, self.ahead, self.refused])
            limit = self.chance.choice([None, None, None, 0.002, 0.01, 0.05])
            try:
                async with asyncio.timeout(limit):
                    await kind(self.chance.choice(self.tenants), f"{self.name}-{nth}")
            except TimeoutError:
                self.heard.append("cancelled")
            except Unavailable:
                self.heard.append("unavailable")
            except asyncpg.UniqueViolationError:
                assert kind == self.refused
                self.heard.append("refused")

    async def write(self, tenant: str, mark: str) -> None:
        async with self.database.transaction(tenant) as conn:
            first = await told(conn, "select $1::text, pg_current_xact_id()::text", mark)
            await conn.execute(INSERT, tenant, f"{mark}-a")
            await conn.execute(INSERT, tenant, f"{mark}-b")
            again = await told(conn, "select $1::text, pg_current_xact_id()::text", mark)
            assert (first[0], first) == (mark, again)
        self.kept.append((tenant, mark))

    async def ahead(self, tenant: str, mark: str) -> None:
        async with self.database.transaction(tenant) as conn:
            await conn.execute(INSERT, tenant, f"{mark}-a")
            conn.send_ahead(f"insert into groups (tenant_id, group_id, name) values ('{tenant}', '{mark}-b', 'b')")
        self.kept.append((tenant, mark))

    async def refused(self, tenant: str, mark: str) -> None:
        async with self.database.transaction(tenant) as conn:
            await conn.execute(INSERT, tenant, f"{mark}-a")
            await conn.execute(INSERT, tenant, f"{mark}-a")

    async def look(self, tenant: str, mark: str) -> None:
        async with self.database.reading(tenant) as conn:
            settings = "current_setting('app.tenant_id'), current_setting('transaction_read_only')"
            assert await told(conn, f"select $1::text, {settings}", mark) == (mark, tenant, "on")
            if self.chance.random() < 0.5:
                assert await conn.fetchval("select $1::text", f"{mark} again") == f"{mark} again"

    async def alone(self, _tenant: str, mark: str) -> None:
        async with self.database.statement() as conn:
            tenant = "coalesce(current_setting('app.tenant_id', true), '')"
            assert await told(conn, f"select $1::text, {tenant}", mark) == (mark, "")


async def test_whatever_is_cut_or_cancelled_transactions_are_whole_and_answers_are_ones_own(migrated: Migrated) -> None:
    schema = await world.room(migrated)
    chance = random.Random(os.environ.get("FAULT_SEEDS", "1"))
    tenants = [someone().tenant_id for _ in range(3)]
    async with disturbed(schema.app_url, chance) as (url, line):
        database = await Database.connect(url, schema=schema.name, max_size=PLACES)
        callers = [Caller(f"{nth}", database, chance, tenants) for nth in range(CALLERS)]
        async with asyncio.TaskGroup() as at_once:
            for one in callers:
                at_once.create_task(one.work())
        await all_at_once(database)
        await database.close()
    heard = Counter(word for one in callers for word in one.heard)
    assert line.broken
    assert min(heard[word] for word in ("cancelled", "unavailable", "refused")) > 0
    found = await world.rows(
        schema, f"select tenant_id::text, group_id from {schema.name}.groups where tenant_id = any($1::uuid[])", tenants
    )
    pairs = Counter((row["tenant_id"], row["group_id"].rpartition("-")[0]) for row in found)
    assert set(pairs.values()) == {2}
    kept = [pair for one in callers for pair in one.kept]
    assert kept
    assert set(kept) <= pairs.keys()


async def all_at_once(database: Database) -> None:
    """Use every place of the pool at the same time: none was lost."""

    async def use() -> None:
        async with asyncio.timeout(5), database.statement() as conn:
            taken.append(conn)
            await eventually(lambda: len(taken) == PLACES)

    taken: list[object] = []
    for _ in range(PLACES):  # connections that have broken are known to be once they are used
        with contextlib.suppress(Unavailable):
            taken.clear()
            await asyncio.gather(*(use() for _ in range(PLACES)))
            return
    raise AssertionError("the pool has lost a place")


async def test_a_connection_that_cannot_be_prepared_is_closed(
    migrated: Migrated, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = await world.room(migrated)
    made: list[asyncpg.Connection] = []

    async def breaks(conn: asyncpg.Connection) -> None:
        made.append(conn)
        raise OSError("the line broke")

    monkeypatch.setattr("orkestra.chassis.database.prepare_connection", breaks)
    database = await Database.connect(schema.app_url, schema=schema.name)
    with pytest.raises(Unavailable):
        async with database.statement():
            pass
    await database.close()
    assert [conn.is_closed() for conn in made] == [True]
