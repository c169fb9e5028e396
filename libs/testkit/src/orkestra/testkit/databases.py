"""Databases of a test's own on a given server."""

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
from orkestra.chassis.migrate import migrate


@contextlib.contextmanager
def fresh(server_url: str) -> Iterator[str]:
    """An empty database on the server, dropped afterwards with whatever is still connected to it."""
    name = f"test_{uuid4().hex}"
    _execute(server_url, f"create database {name}")
    try:
        yield in_database(server_url, name)
    finally:
        _execute(server_url, f"drop database {name} with (force)")


def in_database(url: str, database: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def as_role(url: str, role: str) -> str:
    """The same database for another role; our servers trust whoever can reach them."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}@{host}"))


@dataclass(frozen=True, slots=True)
class Schema:
    """A migrated schema and the addresses of its roles."""

    name: str
    admin_url: str

    def url(self, role: str) -> str:
        """The database as `<schema>_<role>`: app, relay, sweep or an extra role."""
        return as_role(self.admin_url, f"{self.name}_{role}")

    @property
    def app_url(self) -> str:
        return self.url("app")

    @property
    def relay_url(self) -> str:
        return self.url("relay")

    @property
    def sweep_url(self) -> str:
        return self.url("sweep")


async def migrated(admin_url: str, package: str, schema: str, *, extra_roles: tuple[str, ...] = ()) -> Schema:
    """Migrates `schema` with the chassis' and the package's migrations."""
    await migrate(admin_url, package, schema, extra_roles=extra_roles)
    return Schema(schema, admin_url)


def _execute(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url, timeout=10.0)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as other_thread:  # this one may belong to a test's event loop
        other_thread.submit(asyncio.run, run()).result()
