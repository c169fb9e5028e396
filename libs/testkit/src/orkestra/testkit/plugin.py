"""The pytest plugin: real servers, started when the first test asks for them, one of each per test process."""

import asyncio
import base64
import functools
import inspect
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from orkestra.chassis.tokens import Signer
from orkestra.testkit import databases, infra
from orkestra.testkit.stack import Stack, running_stack

PORTS_APART = 400
PLACES = 50
OF_THE_TIMEOUT = 0.85


@pytest.hookimpl(trylast=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Cancels an async test that hangs, so that it fails where it waits and leaves the loop to the tests after it.

    pytest-timeout would end it from outside: what it has opened then goes on in the loop that the next tests share.
    """
    test = getattr(item, "obj", None)
    if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(test) and not hasattr(test, "hypothesis"):
        marker = item.get_closest_marker("timeout")
        given = item.config.getini("timeout") if marker is None else [*marker.args, *marker.kwargs.values()][0]
        item.obj = _bounded(test, float(given or 0) * OF_THE_TIMEOUT)


def _bounded(test: Callable[..., Awaitable[None]], seconds: float) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def bounded(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(seconds or None):
            await test(*args, **kwargs)

    return bounded


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
