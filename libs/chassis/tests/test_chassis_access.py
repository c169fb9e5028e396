"""Rpcs, NATS and PostgreSQL over lines that others cannot read, with the credentials that settings name."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest
from chassis_certificates import Authority, tls_front
from grpc_health.v1 import health_pb2, health_pb2_grpc
from orkestra.chassis import streams
from orkestra.chassis.access import NatsAccess, Tls
from orkestra.chassis.database import Database
from orkestra.chassis.grpc import channel
from orkestra.chassis.migrate import main as migrate_main
from orkestra.chassis.migrate import migrate, migrated
from orkestra.chassis.process import Process
from orkestra.chassis.settings import (
    DatabaseSettings,
    NatsSettings,
    ServiceSettings,
    SettingsError,
    load,
    secret,
    with_password,
)
from orkestra.cli.ports import free_port
from orkestra.cli.process import Process as Child
from orkestra.cli.servers import Postgres, program, start
from orkestra.wire import Unavailable
from pydantic import SecretStr

COMMON = {"ORKESTRA_HEALTH_PORT": "0"}
PASSWORD = "p@ss/w:rd"


class Both(DatabaseSettings, NatsSettings, ServiceSettings):
    """Settings of a room."""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def settings_of(tls: Tls | None, port: int = 0) -> ServiceSettings:
    files = {"grpc_ca_file": tls.ca_file, "grpc_cert_file": tls.cert_file, "grpc_key_file": tls.key_file} if tls else {}
    return ServiceSettings(health_port=port, drain_seconds=0.2, **files)


@asynccontextmanager
async def serving(tls: Tls | None) -> AsyncIterator[str]:
    port = free_port()
    process = Process(settings_of(tls))
    process.grpc_server(port)
    running = asyncio.create_task(process.run())
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.drain.begin()
        await running


async def answers(address: str, tls: Tls | None) -> bool:
    async with channel(address, tls) as opened:
        try:
            await health_pb2_grpc.HealthStub(opened).Check(
                health_pb2.HealthCheckRequest(), timeout=5, wait_for_ready=True
            )
        except grpc.aio.AioRpcError:
            return False
        return True


async def test_rpcs_are_mutual_tls_where_certificates_are_given(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger").issue("client")
    async with serving(authority.issue("server")) as address:
        assert await answers(address, authority.issue("caller"))
        async with asyncio.TaskGroup() as group:
            tried = [
                group.create_task(answers(address, one))
                for one in (
                    None,
                    Tls(stranger.ca_file),
                    Tls(str(authority.ca_file), stranger.cert_file, stranger.key_file),
                )
            ]
    assert [one.result() for one in tried] == [False, False, False]


@asynccontextmanager
async def nats_with(folder: Path, tls: Tls) -> AsyncIterator[str]:
    port = free_port()
    config = {
        "port": port,
        "host": "127.0.0.1",
        "jetstream": {"store_dir": str(folder / "store")},
        "authorization": {"user": "orkestra", "password": PASSWORD},
        "tls": {"cert_file": tls.cert_file, "key_file": tls.key_file, "ca_file": tls.ca_file, "verify": True},
    }
    (folder / "nats.conf").write_text(json.dumps(config), "utf-8")
    server = Child("nats", [program("nats-server"), "--config", str(folder / "nats.conf")], log=folder / "nats.log")
    server.spawn()
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        server.stop()


async def test_nats_is_shown_a_certificate_and_a_password(authority: Authority, tmp_path: Path) -> None:
    client = authority.issue("client")
    (tmp_path / "password").write_text(PASSWORD, "utf-8")
    async with nats_with(tmp_path, authority.issue("nats")) as url:
        environ = (
            COMMON
            | {
                "ORKESTRA_NATS_URL": url,
                "ORKESTRA_NATS_USER": "orkestra",
                "ORKESTRA_NATS_PASSWORD_FILE": str(tmp_path / "password"),
                "ORKESTRA_NATS_CA_FILE": str(client.ca_file),
                "ORKESTRA_NATS_CERT_FILE": str(client.cert_file),
                "ORKESTRA_NATS_KEY_FILE": str(client.key_file),
            }
            | dict.fromkeys(
                ("ORKESTRA_DATABASE_URL", "ORKESTRA_RELAY_DATABASE_URL", "ORKESTRA_SWEEP_DATABASE_URL"), "x"
            )
        )
        settings = load(Both, environ)
        opened = await streams.connect(settings.nats_url, name="test", access=settings.nats_access)
        async with asyncio.timeout(20):
            await opened.connected()
        await opened.ensure_streams()
        await opened.close()
        plain = await streams.connect(url, name="test", access=NatsAccess("orkestra", PASSWORD))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1.5):
                await plain.connected()
        await plain.close()


@pytest.fixture
def listening_postgres(tmp_path: Path) -> Iterator[Postgres]:
    """A server that lets roles in with their password over TCP; its wheel is built without TLS."""
    folder = Path(tempfile.mkdtemp(prefix="orkestra-tls-"))
    server = Postgres(folder / "data", log=folder / "log", port=free_port(), durable=False)
    server.prepare()
    (server.data / "pg_hba.conf").write_text("local all postgres trust\nhost all all all scram-sha-256\n", "utf-8")
    start(server)
    try:
        yield server
    finally:
        server.process.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def test_postgresql_is_asked_by_tls_with_the_password_of_a_file(
    listening_postgres: Postgres, authority: Authority, tmp_path: Path
) -> None:
    await migrate(listening_postgres.url(), "chassis_room", "room", passwords={"app": SecretStr(PASSWORD)})
    (tmp_path / "password").write_text(PASSWORD, "utf-8")
    async with tls_front(listening_postgres.port, authority.issue("postgres"), postgresql=True) as front:
        address = f"postgresql://room_app@127.0.0.1:{front.port}/postgres?sslmode=verify-full&sslrootcert="
        environ = COMMON | {
            "ORKESTRA_NATS_URL": "nats://x",
            "ORKESTRA_DATABASE_URL": f"{address}{authority.ca_file}",
            "ORKESTRA_RELAY_DATABASE_URL": address,
            "ORKESTRA_SWEEP_DATABASE_URL": "postgresql://room_sweep:own@x/y",
            "ORKESTRA_DATABASE_PASSWORD_FILE": str(tmp_path / "password"),
        }
        settings = load(Both, environ)
        assert secret(settings.sweep_database_url) == "postgresql://room_sweep:own@x/y"
        database = await Database.connect(settings.database_url, schema="room")
        await database.check()
        await database.close()
        await migrated(settings.database_url, "chassis_room", "room")
        stranger = await Database.connect(
            f"{address}{Authority(tmp_path, 'other').ca_file}".replace("room_app@", "room_app:x@"), schema="room"
        )
        with pytest.raises(Unavailable):
            await stranger.check()
        await stranger.close()
    assert front.secured >= 2


async def test_a_new_password_is_asked_of_new_connections_and_those_that_are_open_go_on(
    listening_postgres: Postgres,
) -> None:
    async def opened(password: str) -> Database:
        url = f"postgresql://room_app:{password}@127.0.0.1:{listening_postgres.port}/postgres"
        return await Database.connect(url, schema="room")

    async def give(password: str) -> None:
        await migrate(listening_postgres.url(), "chassis_room", "room", passwords={"app": SecretStr(password)})

    await give("first")
    before = await opened("first")
    await before.check()
    await give("second")
    await before.check()
    stranger, after = await opened("first"), await opened("second")
    with pytest.raises(Unavailable):
        await stranger.check()
    await after.check()
    await asyncio.gather(*(each.close() for each in (before, stranger, after)))


@pytest.mark.parametrize("kind", ["GRPC", "NATS"])
def test_a_certificate_without_its_key_is_refused_in_a_sentence(kind: str) -> None:
    addresses = dict.fromkeys(("DATABASE_URL", "RELAY_DATABASE_URL", "SWEEP_DATABASE_URL", "NATS_URL"), "x")
    environ = COMMON | {f"ORKESTRA_{name}": value for name, value in addresses.items()}
    with pytest.raises(SettingsError, match="a certificate and its key are given together"):
        load(Both, environ | {f"ORKESTRA_{kind}_CERT_FILE": "/x"})


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("postgresql://app@db:5432/x?a=b", "postgresql://app:p%40ss%2Fw%3Ard@db:5432/x?a=b"),
        ("postgresql://app:own@db/x", "postgresql://app:own@db/x"),
        ("postgresql://db/x", "postgresql://db/x"),
        ("postgresql://app@/x?host=/run", "postgresql://app:p%40ss%2Fw%3Ard@/x?host=/run"),
    ],
)
def test_a_password_goes_into_the_address_that_lacks_one(url: str, wanted: str) -> None:
    assert with_password(url, PASSWORD) == wanted


async def test_who_waits_for_migrations_returns_when_they_have_run(empty_database: str) -> None:
    app_url = empty_database.replace("postgres@", "room_app@")
    waiting = asyncio.create_task(migrated(app_url, "chassis_room", "room"))
    await asyncio.sleep(0)
    assert not waiting.done()
    await migrate(empty_database, "chassis_room", "room")
    async with asyncio.timeout(30):
        await waiting


async def test_the_program_gives_every_role_the_password_that_it_is_told(
    empty_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "url").write_text(empty_database, "utf-8")
    monkeypatch.setenv("ORKESTRA_ADMIN_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("ORKESTRA_DATABASE_PASSWORD", PASSWORD)
    await asyncio.to_thread(migrate_main, ["chassis_room", "room"])
    assert capsys.readouterr().out == "room is up to date.\n"


def test_the_program_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORKESTRA_ADMIN_DATABASE_URL", raising=False)
    with pytest.raises(SystemExit, match="ORKESTRA_ADMIN_DATABASE_URL is missing"):
        migrate_main(["chassis_room", "room"])
