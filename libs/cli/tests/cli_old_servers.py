"""Servers that answer in the real ones' protocols as old versions do: tests have no old real ones."""

import asyncio
import json
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from orkestra.chassis.access import Tls
from orkestra.chassis.certificates import Certificates
from temporalio.api.workflowservice.v1 import (
    GetSystemInfoRequest,
    GetSystemInfoResponse,
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentCurrentVersionResponse,
)

SSL_REQUEST = 80877103
SERVICE = "temporal.api.workflowservice.v1.WorkflowService"
COLUMNS = {"version": 25, "number": 23, "is_durable": 16, "free_connections": 20, "clock": 701}
"""What doctor asks of PostgreSQL: the columns and the oids of their types."""


@asynccontextmanager
async def _listening(serve: Callable[[StreamReader, StreamWriter], Awaitable[None]]) -> AsyncIterator[int]:
    async def until_gone(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(until_gone, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def old_postgresql(version: str, number: int) -> AsyncIterator[str]:
    """Answer PostgreSQL's frontend/backend protocol 3.0, and every query with one row; yields the address."""

    def said(kind: bytes, body: bytes = b"") -> bytes:
        return kind + struct.pack("!i", len(body) + 4) + body

    names = [name.encode() + b"\0" + struct.pack("!ihihih", 0, 0, oid, -1, -1, 1) for name, oid in COLUMNS.items()]
    cells = [version.encode(), struct.pack("!i", number), b"\1", struct.pack("!q", 50), struct.pack("!d", 0.0)]
    row = b"".join(struct.pack("!i", len(cell)) + cell for cell in cells)
    count = struct.pack("!h", len(COLUMNS))
    ready = said(b"Z", b"I")
    answers = {
        b"P": said(b"1"),
        b"D": said(b"t", struct.pack("!h", 0)) + said(b"T", count + b"".join(names)),
        b"B": said(b"2"),
        b"E": said(b"D", count + row) + said(b"C", b"SELECT 1\0"),
        b"S": ready,
    }
    told = {"server_version": version, "server_encoding": "UTF8", "client_encoding": "UTF8", "TimeZone": "UTC"}
    start = said(b"R", struct.pack("!i", 0)) + said(b"K", struct.pack("!ii", 1, 1))
    start += b"".join(said(b"S", f"{name}\0{value}\0".encode()) for name, value in told.items()) + ready

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            size, code = struct.unpack("!ii", await reader.readexactly(8))
            await reader.readexactly(size - 8)
            if code != SSL_REQUEST:
                break
            writer.write(b"N")
        writer.write(start)
        while (kind := await reader.readexactly(1)) != b"X":
            [size] = struct.unpack("!i", await reader.readexactly(4))
            await reader.readexactly(size - 4)
            writer.write(answers.get(kind, b""))

    async with _listening(serve) as port:
        yield f"postgresql://postgres@127.0.0.1:{port}/orkestra"


@asynccontextmanager
async def old_nats(version: str) -> AsyncIterator[str]:
    """Answer NATS's client protocol as far as who is there; yields the address."""
    info = {"server_id": "old", "version": version, "proto": 1, "headers": True, "max_payload": 1 << 20}

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(f"INFO {json.dumps(info)}\r\n".encode())
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")

    async with _listening(serve) as port:
        yield f"nats://127.0.0.1:{port}"


@dataclass
class Temporal:
    """What Temporal's frontend was asked; it knows every build."""

    version: str
    address: str = ""
    promoted: list[tuple[str, str, str]] = field(default_factory=list)
    """Namespace, deployment and build of each promotion."""
    keys: list[object] = field(default_factory=list)
    """What each promotion showed as its credential."""

    async def get_system_info(self, request: GetSystemInfoRequest, context: Any) -> GetSystemInfoResponse:
        return GetSystemInfoResponse(server_version=self.version)

    async def promote(
        self, request: SetWorkerDeploymentCurrentVersionRequest, context: Any
    ) -> SetWorkerDeploymentCurrentVersionResponse:
        self.promoted.append((request.namespace, request.deployment_name, request.build_id))
        self.keys.append(dict(context.invocation_metadata()).get("authorization"))
        return SetWorkerDeploymentCurrentVersionResponse()


@asynccontextmanager
async def temporal_like(version: str, tls: Tls | None = None) -> AsyncIterator[Temporal]:
    """Answer what Temporal's frontend is asked, by TLS where a certificate is given."""
    server, made = grpc.aio.server(), Temporal(version)
    rpcs: dict[str, tuple[Any, Any]] = {
        "GetSystemInfo": (made.get_system_info, GetSystemInfoRequest),
        "SetWorkerDeploymentCurrentVersion": (made.promote, SetWorkerDeploymentCurrentVersionRequest),
    }
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=asked.FromString,
            response_serializer=lambda answered: answered.SerializeToString(),
        )
        for name, (answer, asked) in rpcs.items()
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    if tls is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port(
            "127.0.0.1:0", Certificates(Tls(None, tls.cert_file, tls.key_file)).server_credentials()
        )
    made.address = f"127.0.0.1:{port}"
    await server.start()
    try:
        yield made
    finally:
        await server.stop(None)
