"""What an orchestrator asks: /livez, /readyz, /metrics and /outside, and the gRPC health protocol."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from orkestra.chassis.metrics import REGISTRY
from orkestra.chassis.outside import USUAL_SECONDS, Outside
from orkestra.chassis.readiness import Readiness
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

GRPC_CHECK_SECONDS = 1.0
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class HealthApp:
    """The ASGI application behind the health port."""

    def __init__(self, readiness: Readiness, outside: Outside) -> None:
        self._readiness = readiness
        self._outside = outside

    async def __call__(self, scope: MutableMapping[str, Any], _receive: object, send: Send) -> None:
        if scope["type"] != "http":
            return
        match scope["path"]:
            case "/livez":
                await _answer(send, 200, b'{"status":"alive"}')
            case "/readyz":
                report = await self._readiness.report()
                body = {"status": report.status, "pid": os.getpid(), "dependencies": report.dependencies}
                await _answer(send, 200 if report.is_ready else 503, json.dumps(body).encode())
            case "/metrics":
                await _answer(send, 200, generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)
            case "/outside":
                verdicts = await self._outside.report(_seconds(scope["query_string"]))
                await _answer(send, 200, json.dumps({"outside": [asdict(one) for one in verdicts]}).encode())
            case _:
                await _answer(send, 404, b'{"status":"unknown path"}')


class GrpcHealth:
    """The gRPC health service of a server, true within a second."""

    def __init__(self, server: grpc.aio.Server, readiness: Readiness) -> None:
        self._readiness = readiness
        self._servicer = health.aio.HealthServicer()  # type: ignore[attr-defined] # the stubs lack the asyncio half
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, server)

    async def run(self) -> None:
        """Keep the status as the readiness checks say."""
        while True:
            report = await self._readiness.report()
            status = health_pb2.HealthCheckResponse
            await self._servicer.set("", status.SERVING if report.is_ready else status.NOT_SERVING)
            await asyncio.sleep(GRPC_CHECK_SECONDS)

    async def drain(self) -> None:
        """Say not serving from now on."""
        await self._servicer.enter_graceful_shutdown()


def _seconds(query: bytes) -> float:
    """How long whoever asks wants to wait for others' servers."""
    try:
        return max(0.1, float(parse_qs(query.decode("ascii"))["seconds"][0]))
    except (KeyError, ValueError):
        return USUAL_SECONDS


async def _answer(send: Send, status: int, body: bytes, *, content_type: str = "application/json") -> None:
    headers = [(b"content-type", content_type.encode()), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
