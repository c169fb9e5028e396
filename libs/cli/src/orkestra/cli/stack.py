"""The local stack: its servers and services, in the order they start and stop."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
from orkestra.chassis.migrate import migrate
from orkestra.cli import demo
from orkestra.cli.installed import SCHEMAS
from orkestra.cli.ports import holder, is_free
from orkestra.cli.servers import Nats, Postgres, Server, Temporal
from orkestra.cli.services import PORTS, Service, Surroundings, doors, rooms
from orkestra.cli.state import StateDir
from orkestra.cli.supervisor import Supervisor

DATABASE = "orkestra"
NEXT_PORT = 10


class LocalStack:
    """Everything that `orkestra dev` runs, in one state folder whose lock the caller holds."""

    def __init__(
        self, state: StateDir, *, port_offset: int, environ: Mapping[str, str], say: Callable[[str], None]
    ) -> None:
        self._state = state
        self._say = say
        self._is_ready = False
        self._secrets = state.secrets()
        self._ports = choose_ports(port_offset, say)
        self._supervisor = Supervisor(say=say, changed=self._changed)
        logs, ports = state.logs, self._ports
        self._postgres = Postgres(state.path / "postgres", log=logs / "postgres.log")
        self._nats = Nats(state.path / "nats", log=logs / "nats.log", port=ports["nats"])
        self._temporal = Temporal(
            log=logs / "temporal.log",
            port=ports["temporal"],
            ui_port=ports["temporal_ui"],
            database=state.path / "temporal" / "temporal.db",
        )
        around = Surroundings(
            ports=ports,
            secrets=self._secrets,
            database_url=lambda role: self._postgres.url(DATABASE, role),
            nats_url=self._nats.url,
            temporal_address=self._temporal.address,
            logs=logs,
            environ=environ,
        )
        self._rooms = rooms(around)
        self._doors = doors(around)

    async def start(self) -> dict[str, Any]:
        """Starts everything and returns what stack.json says; raises StartError for what would not start."""
        began = time.monotonic()
        start = self._supervisor.start
        worker, *doors = self._doors
        early: list[Server] = [self._nats, self._temporal, *doors]  # a door asks no database before it is called
        await _together(self._start_rooms(worker), *(start(server) for server in early))
        self._is_ready = True
        self._changed()
        self._say(f"Ready in {time.monotonic() - began:.1f} s.")
        return self.description

    async def watch(self) -> None:
        """Keeps everything running, for ever."""
        await self._supervisor.watch()

    async def stop(self) -> None:
        """Stops doors, rooms, then the servers below them."""
        self._is_ready = False
        self._state.forget_stack()
        groups: list[list[Server]] = [[*self._doors], [*self._rooms], [self._nats, self._temporal], [self._postgres]]
        await self._supervisor.stop(groups)

    def hurry(self) -> None:
        """Makes a stop that is under way kill what has not ended yet."""
        self._supervisor.hurry()

    @property
    def description(self) -> dict[str, Any]:
        """What stack.json says."""
        shown = self._state.demo or {}
        return {
            "dashboard": f"http://127.0.0.1:{self._ports['dashboard']}",
            "rest": f"http://127.0.0.1:{self._ports['rest']}",
            "mcp": f"http://127.0.0.1:{self._ports['mcp']}/mcp",
            "temporal": self._temporal.address,
            "temporal_ui": f"http://127.0.0.1:{self._ports['temporal_ui']}",
            "nats": self._nats.url,
            "postgres": self._postgres.url(DATABASE),
            "identity": f"127.0.0.1:{self._ports['identity']}",
            "task": f"127.0.0.1:{self._ports['task']}",
            "workflow": f"127.0.0.1:{self._ports['workflow']}",
            "notification": f"127.0.0.1:{self._ports['notification']}",
            "health": {
                service.process.name: f"http://127.0.0.1:{service.health_port}"
                for service in (*self._rooms, *self._doors)
            },
            **shown,
            "api_keys": {**shown.get("api_keys", {}), "worker": self._secrets["worker_key"]},
            "processes": self._supervisor.pids,
            "supervisor": os.getpid(),
        }

    def _changed(self) -> None:
        self._state.record({"supervisor": os.getpid(), **self._supervisor.pids})
        if self._is_ready:
            self._state.write_stack(self.description)

    async def _start_rooms(self, worker: Service) -> None:
        await self._prepare_database()
        rooms = [self._supervisor.start(service) for service in (*self._rooms, worker)]
        await _together(self._make_demo(), *rooms)

    async def _prepare_database(self) -> None:
        await self._supervisor.start(self._postgres)
        connection = await asyncpg.connect(self._postgres.url(), timeout=10.0)
        try:
            if not await connection.fetchval("select true from pg_database where datname = $1", DATABASE):
                await connection.execute(f"create database {DATABASE}")
        finally:
            await connection.close()
        url = self._postgres.url(DATABASE)
        await _together(
            *(migrate(url, package, schema, extra_roles=extra) for package, (schema, extra) in SCHEMAS.items())
        )

    async def _make_demo(self) -> None:
        if self._state.demo is not None:
            return
        identity, tasks = self._rooms[:2]
        await _ready(identity)
        address, secrets = f"127.0.0.1:{self._ports['identity']}", self._secrets
        made = await demo.bootstrap(address, secrets)
        await _ready(tasks)
        await demo.calendars(address, f"127.0.0.1:{self._ports['task']}", secrets)
        self._state.write_demo(made)


async def _ready(service: Service) -> None:
    while not await asyncio.to_thread(service.ready):  # noqa: ASYNC110 - another process becomes ready
        await asyncio.sleep(0.05)


def choose_ports(offset: int, say: Callable[[str], None]) -> dict[str, int]:
    """The usual ports plus `offset`; where one is taken, the next free one, and `say` tells whose it is."""
    chosen: dict[str, int] = {}
    for name, usual in PORTS.items():
        wanted = usual + offset
        port = wanted
        while port in chosen.values() or not is_free(port):
            port += NEXT_PORT
        if port != wanted:
            say(f"Port {wanted} ({name}) is taken by {holder(wanted)}; using {port}.")
        chosen[name] = port
    return chosen


async def _together(*parts: Any) -> None:
    """Runs all at once; the first failure cancels the others and is raised."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
