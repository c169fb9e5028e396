"""The REST door on a real port before rooms that a test sets up."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from door_rooms import Rooms, channel_to, running_rooms
from orkestra.api_gateway.routes import Door, build_app
from orkestra.api_gateway.routes.endpoint import ROOMS
from orkestra.api_gateway.routes.stream import EventStream
from orkestra.chassis import streams
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.database import Database
from orkestra.chassis.drain import Drain
from orkestra.chassis.http import HttpServer
from orkestra.chassis.ratelimit import Limit, RateLimits
from orkestra.chassis.tokens import Signer
from orkestra.testkit.databases import Schema
from orkestra.v1.task import Task

Migrated = Callable[..., Awaitable[Schema]]
NOWHERE = "nats://127.0.0.1:9"
MUCH = Limit("key", 1_000_000, 60)


@dataclass(frozen=True)
class RestWorld:
    rooms: Rooms
    http: httpx.AsyncClient
    drain: Drain
    port: int


@asynccontextmanager
async def rest_door(
    signer: Signer, database_url: str, *, nats_url: str = NOWHERE, **changes: Any
) -> AsyncIterator[RestWorld]:
    """A door with its own rooms; `changes` replace parts of it, such as its limits. Without NATS unless it is named."""
    database = await Database.connect(database_url, schema="gateway")
    events = await streams.connect(nats_url, name="rest-door")
    drain = Drain()
    async with running_rooms(signer) as rooms, channel_to(rooms) as channel:
        values: dict[str, Any] = {
            "rooms": dict.fromkeys(ROOMS, channel),
            "credentials": CredentialCache(channel),
            "limits": RateLimits(database),
            "drain": drain,
            "per_key": MUCH,
            "per_tenant": MUCH,
            "per_address": MUCH,
            "body_limit": 64 * 1024,
            "request_seconds": 5.0,
            "transfer_seconds": 20.0,
            "events": EventStream(events),
        }
        server = HttpServer(build_app(Door(**values | changes)), host="127.0.0.1", port=0, drain_seconds=2)
        await server.start()
        headers = {"authorization": f"Bearer {rooms.know('ork_known')}"}
        base = f"http://127.0.0.1:{server.port}"
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=20) as http:
            yield RestWorld(rooms, http, drain, server.port)
        await server.stop()
    await events.close()
    await database.close()


def task(**values: Any) -> Task:
    given = {
        "task_id": "task_0198a1b2c3d47e8f9a0b1c2d3e4f5a6d",
        "tenant_id": "0198a1b2-0000-7000-8000-000000000001",
        "title": "Customer needs help",
        "priority": "normal",
        "status": "open",
        "version": 3,
        "revision": 1,
        "created_at": "2030-01-31T12:00:00Z",
        "updated_at": "2030-01-31T12:00:00Z",
    }
    return Task.model_validate(given | values)
