"""The local stack with two of each service, its own network and its own small disk; run as a program.

python fault_stack.py --state-dir FOLDER --port-offset N. It takes orders as lines of JSON on FOLDER/orders.
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from fault_network import Address, Network
from orkestra.cli.dev import _listen_for_signals
from orkestra.cli.servers import POSTGRES_PORT, Server
from orkestra.cli.services import Service
from orkestra.cli.stack import LocalStack, choose_ports
from orkestra.cli.state import StateDir
from orkestra.cli.supervisor import Supervisor

SECONDS_PORTS = 20
DISK = "640m"
READY_WITHIN = 200.0
LEFT = 64 * 1024
"""Bytes that a full disk still has, at most."""
ROOMS = {
    "ORKESTRA_IDENTITY_ADDRESS": "identity-service",
    "ORKESTRA_TASK_ADDRESS": "task-service",
    "ORKESTRA_WORKFLOW_ADDRESS": "workflow-worker",
    "ORKESTRA_NOTIFICATION_ADDRESS": "notification-service",
}
DOORS = {"rest": "api-gateway", "mcp": "mcp-gateway", "dashboard": "dashboard"}
PORTS = {"identity-service": "identity", "task-service": "task", "notification-service": "notification"}
PORTS |= {"workflow-worker": "workflow", "api-gateway": "rest", "mcp-gateway": "mcp", "dashboard": "dashboard"}


class Patient(Supervisor):
    """Gives a start the time that a dozen processes take on a machine which others use too."""

    async def start(self, server: Server, timeout: float = READY_WITHIN) -> None:  # noqa: ASYNC109 - as it overrides
        await super().start(server, timeout)


CERTIFIED = "identity-service"
"""Has a certificate for PostgreSQL, which looks at none on a socket of this machine: only its figures matter here."""


class TwoOfEach(LocalStack):
    """`orkestra dev` with a second process of every service, each called by whoever calls the first."""

    def __init__(self, state: StateDir, *, port_offset: int, environ: Mapping[str, str]) -> None:
        super().__init__(state, port_offset=port_offset, environ=environ, say=_say)
        self._supervisor = Patient(say=_say, changed=self._changed)
        self._second_ports = choose_ports(port_offset + SECONDS_PORTS, _say)
        self._folder = Path(tempfile.mkdtemp(prefix="orkestra-net-"))
        self._network = Network(self._folder)
        self._entries: dict[str, int] = {}
        self._second_rooms = [self._second(service) for service in self._rooms]
        self._second_doors = [self._second(service) for service in self._doors]
        self._is_whole = False

    async def start(self) -> dict[str, Any]:
        """Start the first of each and, once those work, the others: all at once would keep each other waiting."""
        await super().start()
        self._rooms += self._second_rooms
        self._doors += self._second_doors
        for group in (self._second_rooms, self._second_doors):
            await asyncio.gather(*(self._supervisor.start(service) for service in group))
        self._is_whole = True
        self._changed()
        return self.description

    async def connect(self) -> None:
        """Lay a link along every arrow; no process is told where another really is."""
        for service in (*self._rooms, *self._doors, *self._second_rooms, *self._second_doors):
            await self._rewire(service)
        for door, name in DOORS.items():
            self._entries[door] = await self._network.tcp("clients", name, partial(self._both, name))

    async def take_orders(self, path: Path) -> None:
        """Listen for orders: to change links, to fill the disk and to free it, to replace a process."""
        await asyncio.start_unix_server(self._order, path)

    def forget(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def description(self) -> dict[str, Any]:
        """What stack.json says, with doors that lead to both processes."""
        shown = super().description
        entries = {door: f"http://127.0.0.1:{port}" for door, port in self._entries.items()}
        entries["mcp"] += "/mcp"
        return {**shown, **entries}

    def _changed(self) -> None:
        if self._is_whole:
            super()._changed()
        else:
            self._state.record({"supervisor": os.getpid(), **self._supervisor.pids})

    def _second(self, first: Service) -> Service:
        """Another process with the first one's settings and ports of its own."""
        process = first.process
        environment = dict(process.env or {})
        for name in ("ORKESTRA_HEALTH_PORT", "ORKESTRA_GRPC_PORT", "ORKESTRA_HTTP_PORT"):
            if name in environment:
                environment[name] = str(self._second_port(environment[name]))
        name = f"{process.name}-2"
        return Service(
            name,
            process.command[-1],
            health_port=int(environment["ORKESTRA_HEALTH_PORT"]),
            env=environment,
            log=process.log.with_name(f"{name}.log"),
        )

    def _second_port(self, first: str) -> int:
        use = next(use for use, port in self._ports.items() if port == int(first))
        return self._second_ports[use]

    def _both(self, service: str) -> list[Address]:
        return [self._address(service), self._address(f"{service}-2")]

    def _address(self, process: str) -> Address:
        ports = self._second_ports if process.endswith("-2") else self._ports
        return "127.0.0.1", ports[PORTS[process.removesuffix("-2")]]

    async def _rewire(self, service: Service) -> None:
        environment = dict(service.process.env or {})
        if pause := os.environ.get("FAULT_DRAIN_PAUSE"):
            environment["ORKESTRA_DRAIN_PAUSE_SECONDS"] = pause
        client = service.process.name
        for name in list(environment):
            if name in ROOMS:
                ports = [await self._room(client, process) for process in (ROOMS[name], f"{ROOMS[name]}-2")]
                environment[name] = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
            elif name == "ORKESTRA_TEMPORAL_ADDRESS":
                port = await self._network.tcp(client, "temporal", lambda: [("127.0.0.1", self._temporal.port)])
                environment[name] = f"127.0.0.1:{port}"
            elif name == "ORKESTRA_NATS_URL":
                port = await self._network.tcp(client, "nats", lambda: [("127.0.0.1", self._nats.port)])
                environment[name] = f"nats://127.0.0.1:{port}"
        if "ORKESTRA_DATABASE_URL" in environment:
            folder = await self._network.unix(client, "postgres", self._socket)
            for name, value in environment.items():
                if name.endswith("DATABASE_URL"):
                    environment[name] = re.sub(r"host=[^&]+", f"host={folder}", value)
        if client == CERTIFIED and (shown := os.environ.get("FAULT_CERTIFICATES")):
            environment["ORKESTRA_DATABASE_URL"] += f"&sslcert={shown}/tls.crt&sslkey={shown}/tls.key"
        service.process.env = environment

    async def _replace(self, process: str, command: list[str], environment: dict[str, str]) -> None:
        """Have a process be other code with other settings, those of a first process, and end the one that runs."""
        health = int(environment["ORKESTRA_HEALTH_PORT"])
        running = next(service for service in (*self._rooms, *self._doors) if service.process.name == process)
        name = process.removesuffix("-2")
        wanted = Service(name, command[-1], health_port=health, env=environment, log=running.process.log)
        if name != process:
            wanted = self._second(wanted)
        await self._rewire(wanted)
        running.process.command, running.process.env = command, wanted.process.env
        running.process.ask_to_stop()

    async def _room(self, client: str, process: str) -> int:
        return await self._network.tcp(client, process, lambda: [self._address(process)])

    def _socket(self) -> str:
        return str(self._postgres.socket_folder / f".s.PGSQL.{self._postgres.port or POSTGRES_PORT}")

    async def _order(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        order = json.loads(await reader.readline())
        match order.pop("do"):
            case "link":
                done: Any = self._network.become(**order)
            case "fill":
                done = await asyncio.to_thread(fill, self._postgres.data / "ballast")
            case "free":
                (self._postgres.data / "ballast").unlink(missing_ok=True)
                done = None
            case "ports":
                done = self._ports
            case "replace":
                await self._replace(**order)
                done = None
            case unknown:
                raise ValueError(f"nobody knows how to {unknown}")
        writer.write(json.dumps({"done": done}).encode() + b"\n")
        await writer.drain()
        writer.close()


def fill(path: Path) -> int:
    """Take what is left of the disk; return how many bytes that were."""
    taken, step = 0, 64 * 1024 * 1024
    with path.open("wb") as ballast:
        while step >= LEFT:
            try:
                os.posix_fallocate(ballast.fileno(), taken, step)
            except OSError:
                step //= 2
            else:
                taken += step
    return taken


def mount(folder: Path) -> None:
    """Give PostgreSQL a small disk of its own, seen by this process and its children only."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", folder], check=True)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def run(state: StateDir, port_offset: int) -> None:
    stack = TwoOfEach(state, port_offset=port_offset, environ=dict(os.environ))
    _listen_for_signals(asyncio.current_task(), stack)
    try:
        await stack.connect()
        await stack.take_orders(state.path / "orders")
        await stack.start()
        await stack.watch()
    except asyncio.CancelledError:
        _say("Stopping …")
    finally:
        await stack.stop()
        stack.forget()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state-dir", type=Path, required=True)
    parser.add_argument("--port-offset", type=int, required=True)
    given = parser.parse_args()
    state = StateDir(given.state_dir)
    if not state.take():
        raise SystemExit(f"A stack runs in {state.path}.")
    mount(state.path / "postgres")
    asyncio.run(run(state, given.port_offset))


if __name__ == "__main__":
    main()
