"""The servers that tests run against: embedded ones, containers, or given ones."""

import contextlib
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

from orkestra.cli.ports import free_port
from orkestra.cli.process import StartError
from orkestra.cli.servers import Nats, Postgres, Temporal, start
from orkestra.testkit.waiting import eventually_sync

KINDS = ("embedded", "containers", "external")


def kind() -> str:
    """What ORKESTRA_TEST_INFRA asks for; refuses any other word."""
    chosen = os.environ.get("ORKESTRA_TEST_INFRA", "embedded")
    if chosen not in KINDS:
        raise ValueError(f"ORKESTRA_TEST_INFRA is {chosen!r}; it may be {', '.join(KINDS)}")
    return chosen


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server for one test process: the address of its database `postgres`, as superuser."""
    match kind():
        case "external":
            yield _given("ORKESTRA_TEST_POSTGRES_URL")
        case "containers":
            with _postgres_container() as url:
                yield url
        case _:
            with _folder() as folder:
                server = Postgres(folder / "data", log=folder / "postgres.log", durable=False)
                start(server)
                try:
                    yield server.url()
                finally:
                    server.process.stop()


@contextlib.contextmanager
def nats_server() -> Iterator[str]:
    """A NATS server with JetStream for one test process: its URL."""
    match kind():
        case "external":
            yield _given("ORKESTRA_TEST_NATS_URL")
        case "containers":
            with _nats_container() as url:
                yield url
        case _:
            with _folder() as folder:
                server = Nats(folder / "store", log=folder / "nats.log", port=free_port())
                start(server)
                try:
                    yield server.url
                finally:
                    server.process.stop()


@contextlib.contextmanager
def temporal_server() -> Iterator[str]:
    """A Temporal dev server in memory for one test process: its address. There is no container of it."""
    if kind() == "external":
        yield _given("ORKESTRA_TEST_TEMPORAL_ADDRESS")
        return
    with _folder() as folder:
        server = Temporal(log=folder / "temporal.log", port=free_port())
        start(server)
        try:
            yield server.address
            if not server.process.alive:
                raise StartError(server.process, f"ended by itself with code {server.process.exit_code}")
        finally:
            server.process.stop()


def _greets(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=0.5) as connection:
            return connection.recv(4).startswith(b"INFO")
    except OSError:
        return False


def _given(name: str) -> str:
    if name not in os.environ:
        raise ValueError(f"ORKESTRA_TEST_INFRA=external needs {name}")
    return os.environ[name]


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="orkestra-test-", ignore_cleanup_errors=True) as name:
        yield Path(name)


@contextlib.contextmanager
def _postgres_container() -> Iterator[str]:
    from testcontainers.community.postgres import PostgresContainer  # noqa: PLC0415 - needs Docker's client only here

    image = os.environ.get("ORKESTRA_TEST_POSTGRES_IMAGE", "postgres:18")
    with PostgresContainer(image, driver=None).with_env("POSTGRES_HOST_AUTH_METHOD", "trust") as container:
        yield container.get_connection_url()


@contextlib.contextmanager
def _nats_container() -> Iterator[str]:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - needs Docker's client only here

    image = os.environ.get("ORKESTRA_TEST_NATS_IMAGE", "nats:2.15")
    with DockerContainer(image).with_command("-js").with_exposed_ports(4222) as container:
        host, port = container.get_container_host_ip(), int(container.get_exposed_port(4222))
        eventually_sync(lambda: _greets(host, port), timeout=30.0)
        yield f"nats://{host}:{port}"
