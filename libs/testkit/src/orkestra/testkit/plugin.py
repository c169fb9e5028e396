"""The pytest plugin: real servers, started when the first test asks for them, one of each per test process."""

import base64
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from orkestra.chassis.tokens import Signer
from orkestra.testkit import databases, infra
from orkestra.testkit.stack import Stack, running_stack

PORTS_APART = 400
PLACES = 50


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Runs what is marked slow after everything else."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is not None)


@pytest.fixture(scope="session")
def postgres_server_url() -> Iterator[str]:
    """The superuser's address of the database `postgres` on this test process's PostgreSQL."""
    with infra.postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres(postgres_server_url: str) -> Iterator[str]:
    """The superuser's address of an empty database that only this test process uses."""
    with databases.fresh(postgres_server_url) as url:
        yield url


@pytest.fixture(scope="session")
def migrated(postgres: str) -> Callable[..., Awaitable[databases.Schema]]:
    """Call and await it with package and schema (and extra roles): migrates each schema once in this process."""
    done: dict[str, databases.Schema] = {}

    async def once(package: str, schema: str, *, extra_roles: tuple[str, ...] = ()) -> databases.Schema:
        if schema not in done:
            done[schema] = await databases.migrated(postgres, package, schema, extra_roles=extra_roles)
        return done[schema]

    return once


@pytest.fixture(scope="session")
def signer() -> Signer:
    """Mints tokens for any principal; `signer.verifier().authenticate` is what a service checks them with."""
    return Signer(base64.b64encode(secrets.token_bytes(32)).decode())


@pytest.fixture
def empty_database(postgres_server_url: str) -> Iterator[str]:
    """The superuser's address of an empty database that only this test uses."""
    with databases.fresh(postgres_server_url) as url:
        yield url


@pytest.fixture(scope="session")
def nats_url() -> Iterator[str]:
    """The test process's NATS server with JetStream."""
    with infra.nats_server() as url:
        yield url


@pytest.fixture(scope="session")
def temporal_address() -> Iterator[str]:
    """The test process's Temporal dev server, in memory and tuned."""
    with infra.temporal_server() as address:
        yield address


@pytest.fixture(scope="session")
async def stack() -> AsyncIterator[Stack]:
    """The whole stack as `make up` starts it, in a folder of its own; tests that use it share an xdist group."""
    offset = 2000 + os.getpid() % PLACES * PORTS_APART  # two checkouts may be tested at once
    async with running_stack(port_offset=offset) as running:
        yield running
