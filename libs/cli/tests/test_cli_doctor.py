"""`orkestra doctor` names what is broken and what to do, whatever of it is broken."""

import asyncio
import json
import os
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cli_old_servers import old_nats, old_postgresql, temporal_like
from orkestra.chassis import streams
from orkestra.cli.commands import app
from orkestra.cli.installed import SCHEMAS
from orkestra.cli.ports import free_port
from orkestra.cli.process import Process
from orkestra.cli.servers import Nats, program, start
from orkestra.testkit.databases import migrated as bring_up
from typer.testing import CliRunner

Findings = Mapping[str, Mapping[str, Any]]


class Doctor:
    """The command with an environment of its own; `env` says what is known."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __call__(self, **env: str) -> tuple[int, Findings]:
        words = ["doctor", "--json", "--timeout", "10", "--state-dir", str(self._folder)]
        given = {name: None for name in os.environ if name.startswith("ORKESTRA_")} | env
        ran = await asyncio.to_thread(lambda: CliRunner().invoke(app, words, env=given))
        if ran.exception is not None and not isinstance(ran.exception, SystemExit):
            raise ran.exception
        said = json.JSONDecoder().raw_decode(ran.stdout[ran.stdout.index("{") :])[0]
        return ran.exit_code, {one["name"]: one for one in said["findings"]}


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    return Doctor(tmp_path)


def status(findings: Findings, name: str) -> str:
    found: str = findings[name]["status"] if name in findings else "absent"
    return found


async def test_a_database_is_empty_then_whole_then_lacks_a_migration_and_its_roles_too_strong(
    doctor: Doctor, empty_database: str
) -> None:
    code, empty = await doctor(ORKESTRA_ADMIN_DATABASE_URL=empty_database)
    assert (code, status(empty, "PostgreSQL"), status(empty, "PostgreSQL: schemas")) == (1, "ok", "broken")
    assert "orkestra migrate" in empty["PostgreSQL: schemas"]["remedy"]

    for package, (schema, extra) in SCHEMAS.items():
        await bring_up(empty_database, package, schema, extra_roles=extra)
    code, whole = await doctor(ORKESTRA_ADMIN_DATABASE_URL=empty_database)
    assert status(whole, "PostgreSQL: schemas") == "ok", whole

    conn = await asyncpg.connect(empty_database)
    try:
        await conn.execute(
            "delete from task.schema_migrations where version = (select max(version) from task.schema_migrations)"
        )
        await conn.execute(
            "insert into task.outbox (tenant_id, subject, payload, headers, created_at) "
            "values (gen_random_uuid(), 'x', '', '{}', now() - interval '2 minutes')"
        )
        await conn.execute("alter role task_sweep bypassrls")
        code, ill = await doctor(ORKESTRA_ADMIN_DATABASE_URL=empty_database)
    finally:
        await conn.execute("alter role task_sweep nobypassrls")
        await conn.close()
    assert code == 1
    assert ill["PostgreSQL: schemas"]["detail"] == "task lacks 1 migrations"
    assert "task_sweep" in ill["PostgreSQL: roles"]["detail"]
    assert "alter role task_sweep nosuperuser nobypassrls;" in ill["PostgreSQL: roles"]["remedy"]
    assert "1 events of task" in ill["PostgreSQL: outbox"]["detail"]


async def test_a_database_that_does_not_answer_or_is_not_there_is_named(
    doctor: Doctor, postgres_server_url: str
) -> None:
    code, away = await doctor(ORKESTRA_ADMIN_DATABASE_URL=f"postgresql://postgres@127.0.0.1:{free_port()}/orkestra")
    assert (code, status(away, "PostgreSQL")) == (1, "broken")
    assert "ORKESTRA_ADMIN_DATABASE_URL" in away["PostgreSQL"]["remedy"]
    absent = postgres_server_url.replace("/postgres?", "/nowhere?")
    code, found = await doctor(ORKESTRA_ADMIN_DATABASE_URL=absent)
    assert (code, "nowhere" in found["PostgreSQL"]["detail"]) == (1, True), found


async def test_nats_without_streams_without_jetstream_and_away_is_named(doctor: Doctor, tmp_path: Path) -> None:
    server = Nats(tmp_path / "store", log=tmp_path / "nats.log", port=free_port())
    start(server)
    try:
        code, bare = await doctor(ORKESTRA_NATS_URL=server.url)
        assert (code, status(bare, "NATS"), status(bare, "NATS: streams")) == (1, "ok", "broken")
        await _make_streams(server.url)
        code, made = await doctor(ORKESTRA_NATS_URL=server.url)
        assert (code, status(made, "NATS: streams")) == (0, "warning")  # one copy is no production
        assert (status(made, "NATS: disk"), status(made, "NATS: dead letters")) == ("unchecked", "absent")
        assert "ORKESTRA_NATS_MONITORING_URL" in made["NATS: disk"]["remedy"]
        await _bury_one(server.url)
        code, dead = await doctor(ORKESTRA_NATS_URL=server.url)
        assert (code, "orkestra events dead" in dead["NATS: dead letters"]["remedy"]) == (0, True)
    finally:
        server.process.stop()
    code, away = await doctor(ORKESTRA_NATS_URL=server.url)
    assert (code, status(away, "NATS")) == (1, "broken")
    assert "ORKESTRA_NATS_URL" in away["NATS"]["remedy"]


@pytest.mark.parametrize(("sync", "expected"), [("always", "ok"), ("2m", "warning")])
async def test_whether_nats_writes_to_the_disk_is_asked_of_its_monitoring(
    doctor: Doctor, tmp_path: Path, sync: str, expected: str
) -> None:
    port, monitoring = free_port(), free_port()
    jetstream = {"store_dir": str(tmp_path / "store"), "sync_interval": sync}
    settings = {"listen": f"127.0.0.1:{port}", "http": f"127.0.0.1:{monitoring}", "jetstream": jetstream}
    server = _nats(tmp_path, settings, port)
    try:
        url = f"http://127.0.0.1:{monitoring}"
        _, found = await doctor(ORKESTRA_NATS_URL=f"nats://127.0.0.1:{port}", ORKESTRA_NATS_MONITORING_URL=url)
        assert status(found, "NATS: disk") == expected
    finally:
        server.process.stop()


async def test_nats_that_lets_nobody_in_or_has_no_jetstream_is_named(doctor: Doctor, tmp_path: Path) -> None:
    port = free_port()
    server = _nats(tmp_path, {"listen": f"127.0.0.1:{port}", "authorization": {"user": "a", "password": "b"}}, port)
    try:
        code, stranger = await doctor(ORKESTRA_NATS_URL=f"nats://127.0.0.1:{port}")
        assert (code, "does not let us in" in stranger["NATS"]["detail"]) == (1, True), stranger
        assert "ORKESTRA_NATS_USER" in stranger["NATS"]["remedy"]
        code, plain = await doctor(ORKESTRA_NATS_URL=f"nats://a:b@127.0.0.1:{port}")
        assert (code, "JetStream" in plain["NATS"]["detail"]) == (1, True), plain
    finally:
        server.process.stop()


async def test_temporal_without_the_namespace_without_workers_and_away_is_named(
    doctor: Doctor, temporal_address: str
) -> None:
    code, lonely = await doctor(ORKESTRA_TEMPORAL_ADDRESS=temporal_address, ORKESTRA_TASK_QUEUE="nobody-polls-this")
    assert (code, status(lonely, "Temporal"), status(lonely, "workers")) == (0, "ok", "warning")
    assert "orkestra worker run" in lonely["workers"]["remedy"]
    code, absent = await doctor(ORKESTRA_TEMPORAL_ADDRESS=temporal_address, ORKESTRA_TEMPORAL_NAMESPACE="nowhere")
    assert (code, status(absent, "Temporal: namespace")) == (1, "broken")
    assert "namespace create --namespace nowhere" in absent["Temporal: namespace"]["remedy"]
    code, away = await doctor(ORKESTRA_TEMPORAL_ADDRESS=f"127.0.0.1:{free_port()}")
    assert (code, status(away, "Temporal")) == (1, "broken")
    assert "ORKESTRA_TEMPORAL_ADDRESS" in away["Temporal"]["remedy"]


async def test_servers_that_are_too_old_are_named_with_the_version_that_is_needed(doctor: Doctor) -> None:
    """Nothing else is said of them; one more step would need another answer of the tiny servers."""
    async with old_postgresql("15.4", 150004) as database, old_nats("2.10.29") as nats, temporal_like("1.27.2") as old:
        code, found = await doctor(
            ORKESTRA_ADMIN_DATABASE_URL=database, ORKESTRA_NATS_URL=nats, ORKESTRA_TEMPORAL_ADDRESS=old.address
        )
    told = {name: (one["detail"], one["remedy"]) for name, one in found.items() if one["status"] == "broken"}
    assert (code, told) == (
        1,
        {
            "PostgreSQL": ("version 15.4 is too old", "Bring it to version 18 or newer."),
            "NATS": ("version 2.10.29 is too old", "Bring it to version 2.11 or newer."),
            "Temporal": ("version 1.27.2 is too old", "Bring it to version 1.28 or newer."),
        },
    )


async def test_rooms_and_doors_that_are_away_are_named_by_their_variable(doctor: Doctor) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    rooms = {f"ORKESTRA_{room}_ADDRESS": nowhere for room in ("IDENTITY", "TASK", "WORKFLOW", "NOTIFICATION")}
    doors = {f"ORKESTRA_{door}": f"http://{nowhere}" for door in ("URL", "MCP_URL", "DASHBOARD_URL")}
    code, found = await doctor(**rooms, **doors)
    assert (code, {one["status"] for one in found.values()}) == (1, {"broken"})
    remedies = " ".join(one["remedy"] for one in found.values())
    assert [variable for variable in [*rooms, *doors] if variable not in remedies] == []


async def test_where_nothing_runs_it_says_how_to_begin(doctor: Doctor) -> None:
    code, found = await doctor()
    assert (code, status(found, "this machine")) == (3, "ok")


async def _make_streams(url: str) -> None:
    nats = await streams.connect(url, name="test")
    try:
        await nats.connected()
        await nats.ensure_streams()
    finally:
        await nats.close()


async def _bury_one(url: str) -> None:
    nats = await streams.connect(url, name="test")
    try:
        await nats.connected()
        await nats.jetstream.publish("orkestra_dead.somebody.orkestra.v1.t.task.created", b"{}")
    finally:
        await nats.close()


class _Configured:
    """A NATS server with settings of its own."""

    def __init__(self, process: Process, port: int) -> None:
        self.process = process
        self._port = port

    def prepare(self) -> None:
        """Its settings are a file."""

    def spawn(self) -> None:
        self.process.spawn()

    def ready(self) -> bool:
        import socket  # noqa: PLC0415

        with closing(socket.socket()) as probe:
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


def _nats(folder: Path, settings: Mapping[str, Any], port: int) -> _Configured:
    file = folder / "nats.conf"
    file.write_text(json.dumps(settings), "utf-8")
    process = Process("nats", [program("nats-server"), "--config", str(file)], log=folder / "nats.log")
    server = _Configured(process, port)
    start(server)
    return server
