"""The servers start, survive kill -9 on the same data and port, and never outlive whoever started them."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import nats
import pytest
from orkestra.cli.ports import free_port
from orkestra.cli.process import Process, StartError, end, started_at
from orkestra.cli.servers import Nats, Postgres, Temporal, start
from orkestra.testkit import eventually_sync
from temporalio.client import Client


@pytest.fixture
def postgres_of_my_own(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "data", log=tmp_path / "postgres.log")
    start(server)
    yield server
    server.process.stop()


async def test_postgres_keeps_committed_rows_through_kill_9(postgres_of_my_own: Postgres) -> None:
    connection = await asyncpg.connect(postgres_of_my_own.url())
    await connection.execute("create table kept (n int); insert into kept values (42)")
    postgres_of_my_own.process.kill()
    connection.terminate()
    await asyncio.to_thread(postgres_of_my_own.prepare)
    start(postgres_of_my_own)
    connection = await asyncpg.connect(postgres_of_my_own.url())
    assert await connection.fetchval("select n from kept") == 42
    await connection.close()


def test_postgres_never_runs_as_root(postgres_of_my_own: Postgres) -> None:
    assert Path(f"/proc/{postgres_of_my_own.process.pid}").stat().st_uid != 0


async def test_postgres_runs_below_a_folder_that_is_closed_to_others(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = Postgres(closed / "data", log=closed / "postgres.log", durable=False)
    start(server)
    try:
        connection = await asyncpg.connect(server.url())
        assert await connection.fetchval("select 1") == 1
        await connection.close()
    finally:
        server.process.stop()


async def test_postgres_listens_on_tcp_where_a_port_is_given(tmp_path: Path) -> None:
    port = free_port()
    server = Postgres(tmp_path / "data", log=tmp_path / "postgres.log", port=port, durable=False)
    start(server)
    try:
        connection = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        await connection.close()
    finally:
        server.process.stop()


async def test_jetstream_keeps_messages_through_kill_9(tmp_path: Path) -> None:
    server = Nats(tmp_path / "store", log=tmp_path / "nats.log", port=free_port())
    start(server)
    try:
        connection = await nats.connect(server.url)
        await connection.jetstream().add_stream(name="KEPT", subjects=["kept.>"])
        await connection.jetstream().publish("kept.one", b"1")
        await connection.close()
        server.process.kill()
        start(server)
        connection = await nats.connect(server.url)
        assert (await connection.jetstream().stream_info("KEPT")).state.messages == 1
        await connection.close()
    finally:
        server.process.stop()


async def test_temporal_keeps_workflows_through_kill_9(tmp_path: Path) -> None:
    server = Temporal(log=tmp_path / "temporal.log", port=free_port(), database=tmp_path / "state" / "temporal.db")
    start(server)
    try:
        client = await Client.connect(server.address)
        await client.start_workflow("waits", id="kept", task_queue="nobody")
        server.process.kill()
        start(server)
        client = await Client.connect(server.address)
        assert (await client.get_workflow_handle("kept").describe()).id == "kept"
    finally:
        server.process.stop()


def test_temporal_that_lost_one_of_its_own_ports_is_started_again(tmp_path: Path) -> None:
    server = Temporal(log=tmp_path / "temporal.log", port=free_port())
    panics = f"""
if [ ! -e {tmp_path}/once ]; then
  touch {tmp_path}/once
  echo 'panic: failed assigning ephemeral port'
  for line in $(seq 30); do echo "frame $line"; done
  exit 2
fi
exec "$@"
"""
    server.process.command = ["/bin/sh", "-c", panics, "temporal", *server.process.command]
    try:
        start(server)
        assert server.ready()
        assert server.process.log.read_text().count("panic:") == 1
    finally:
        server.process.stop()


def test_a_start_that_panics_each_time_is_reported_with_the_panic(tmp_path: Path) -> None:
    server = Temporal(log=tmp_path / "temporal.log", port=free_port())
    panics = "echo 'panic: failed assigning ephemeral port'; seq 30; exit 2"
    server.process.command = ["/bin/sh", "-c", panics]
    with pytest.raises(StartError, match=r"ended with code 2(.|\n)*panic: failed(.|\n)*30"):
        start(server)
    assert server.process.log.read_text().count("panic:") == 3


def test_a_server_that_cannot_start_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    port = free_port()
    first = Nats(tmp_path / "a", log=tmp_path / "a.log", port=port)
    start(first)
    second = Temporal(log=tmp_path / "b.log", port=port)
    try:
        with pytest.raises(StartError, match="address already in use"):
            start(second)
    finally:
        first.process.stop()
        second.process.stop()


def test_a_child_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    program = f"""
import pathlib, sys, time
from orkestra.cli.process import Process
log = pathlib.Path({str(tmp_path / "log")!r})
child = Process("child", [sys.executable, "-c", "import time; time.sleep(600)"], log=log)
child.spawn()
print(child.pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert started_at(child) is not None
        parent.kill()
    eventually_sync(lambda: started_at(child) is None)


def test_a_process_that_will_not_stop_is_killed(tmp_path: Path) -> None:
    stubborn = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"
    )
    process = Process("stubborn", [sys.executable, "-c", stubborn], log=tmp_path / "log")
    process.spawn()
    eventually_sync(lambda: "on" in process.log_tail())
    process.stop(timeout=0.2)
    assert process.exit_code == -signal.SIGKILL


def test_only_the_process_that_was_recorded_is_ended() -> None:
    assert end(os.getpid(), "another start") is False
