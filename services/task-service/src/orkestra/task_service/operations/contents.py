"""Where the content of files is kept: in this schema, or in a store outside; and what is left there is swept."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple, Protocol

import asyncpg
from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx
from orkestra.rules import AttachmentLimits, answer_with_files
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.rules import PartPlace
from orkestra.v1.task import Attachment, Task
from orkestra.wire import Unavailable

DATABASE: Final = "database"
SWEPT_AT_ONCE = 200
RETRY_SECONDS = 5.0


class Part(NamedTuple):
    """A part of a file: its number from 1 on, its bytes, and their SHA-256."""

    number: int
    size: int
    digest: str


class Store(Protocol):
    """Keeps parts of files. A place is never written with two contents: it is named by its content's digest."""

    async def put(self, place: PartPlace, content: bytes) -> None:
        """Keep a part; again, the same."""

    async def read(self, place: PartPlace, start: int, length: int) -> bytes:
        """Return a piece of a part."""

    async def remove(self, tenant_id: str, task_id: str, attachment_id: str) -> None:
        """Forget every part of a file, also one that is not there."""

    async def forget(self, tenant_id: str) -> None:
        """Forget every file of a tenant."""


class Chunks:
    """A store in the schema of tasks, under its row-level security; parts go with the row of their file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, place: PartPlace, content: bytes) -> None:
        """Keep a part."""
        async with self._database.transaction(place.tenant_id) as conn:
            await sql.put_chunk.execute(conn, **_columns(place), content=content)

    async def read(self, place: PartPlace, start: int, length: int) -> bytes:
        """Return a piece of a part."""
        async with self._database.transaction(place.tenant_id) as conn:
            found = await sql.read_chunk.value(conn, **_columns(place), start=start + 1, length=length)
        return found or b""

    async def remove(self, tenant_id: str, task_id: str, attachment_id: str) -> None:
        """Nothing is left: parts are deleted with their file."""

    async def forget(self, tenant_id: str) -> None:
        """Nothing is left: every row of a tenant is deleted."""


class Contents:
    """What files an installation takes, and where their content goes."""

    def __init__(self, stores: Mapping[str, Store], limits: AttachmentLimits, *, into: str = DATABASE) -> None:
        self._stores = stores
        self.limits = limits
        self.into = into

    async def forget(self, tenant_id: str) -> None:
        """Forget the content of every file of a tenant, wherever it is."""
        for store in self._stores.values():
            await store.forget(tenant_id)

    def store(self, name: str) -> Store:
        """Return the store of that name; Unavailable where the installation has it no more."""
        if name not in self._stores:
            message = f"The store {name} of this file is not set up here."
            raise Unavailable("ATTACHMENT_STORE_UNAVAILABLE", message, retry_after=RETRY_SECONDS)
        return self._stores[name]

    def store_of(self, row: asyncpg.Record) -> Store:
        """Return where the content of a file is."""
        return self.store(row["store"])


class Leftovers:
    """What nobody calls: files that were begun and left, and content outside whose file is gone."""

    def __init__(self, database: Database, sweep: Database, contents: Contents) -> None:
        self._database = database
        self._sweep = sweep
        self._contents = contents

    async def drop_unfinished(self, age: timedelta) -> int:
        """Drop files that were begun longer than `age` ago and never finished; return how many there were."""
        async with self._sweep.unscoped() as conn:
            rows = await sql.unfinished_attachments.rows(conn, age=age, limit=SWEPT_AT_ONCE)
        for row in rows:
            async with self._database.transaction(str(row["tenant_id"])) as conn:
                named = {"task_id": row["task_id"], "attachment_id": row["attachment_id"]}
                await sql.drop_stale_attachment.execute(conn, **named, age=age)
        return len(rows)

    async def clear(self) -> int:
        """Remove from stores outside what no file has any more; return how many files that were."""
        async with self._sweep.unscoped() as conn:
            rows = await sql.attachment_leftovers.rows(conn, limit=SWEPT_AT_ONCE)
        for row in rows:
            tenant_id, task_id, attachment_id = str(row["tenant_id"]), row["task_id"], row["attachment_id"]
            await self._contents.store(row["store"]).remove(tenant_id, task_id, attachment_id)
            async with self._database.transaction(tenant_id) as conn:
                await sql.forget_leftover.execute(conn, task_id=task_id, attachment_id=attachment_id)
        return len(rows)


async def with_files(tx: Tx, task: Task, data: object) -> tuple[object, frozenset[str]]:
    """Return an answer with its files named as they are kept, and the ids of those that the task does not have."""
    named, strangers = answer_with_files(task, data, [])
    if not strangers:
        return named, strangers
    found = await sql.task_attachments.all(tx.conn, Attachment, task_id=task.task_id)
    return answer_with_files(task, data, found)


def parts_of(row: asyncpg.Record) -> list[Part]:
    """Return the parts of a file in their order."""
    return [Part(*each) for each in row["parts"]]


def place_of(row: asyncpg.Record, part: Part) -> PartPlace:
    """Return where a part of a file is kept."""
    return PartPlace(str(row["tenant_id"]), row["task_id"], row["attachment_id"], part.number, part.digest)


def _columns(place: PartPlace) -> dict[str, object]:
    return {name: value for name, value in place._asdict().items() if name != "tenant_id"}
