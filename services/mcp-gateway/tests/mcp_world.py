"""The MCP door on a real port before rooms that a test sets up, and the official client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc
import httpx2
from door_rooms import TENANT, Rooms, channel_to, running_rooms
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from nats.aio.client import Client as NatsClient
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.database import Database
from orkestra.chassis.drain import Drain
from orkestra.chassis.http import HttpServer
from orkestra.chassis.ratelimit import Limit, RateLimits
from orkestra.chassis.streams import Nats
from orkestra.chassis.tokens import Signer
from orkestra.mcp_gateway.tools import Door, build_app
from orkestra.mcp_gateway.tools.news import News
from orkestra.mcp_gateway.tools.resource import Resource
from orkestra.testkit.databases import Schema
from orkestra.v1.task import Task

ROUND = {
    "round": 1,
    "message": "Which order?",
    "asked_by": "user_ben",
    "asked_at": "2030-01-31T12:01:00Z",
    "answer_by": "2030-02-01T12:01:00Z",
}
"""What a reviewer asks of the requester."""

Migrated = Callable[..., Awaitable[Schema]]
MODERN = "2026-07-28"
ERAS = ["legacy", MODERN]


@dataclass(frozen=True)
class McpWorld:
    rooms: Rooms
    drain: Drain
    news: News
    url: str
    server: HttpServer

    @asynccontextmanager
    async def client(self, era: str = MODERN, key: str = "ork_agent", **options: Any) -> AsyncIterator[Client]:
        """The official client, connected with a key."""
        headers = {"authorization": f"Bearer {key}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=era, **options) as client,
        ):
            yield client


@asynccontextmanager
async def mcp_door(
    signer: Signer, database_url: str, *, tasks: grpc.aio.Channel | None = None, **changes: Any
) -> AsyncIterator[McpWorld]:
    """A door before rooms that a test sets up; `tasks` leads to a real task-service instead."""
    database = await Database.connect(database_url, schema="mcp")
    drain = Drain()
    async with running_rooms(signer) as rooms, channel_to(rooms) as channel:
        rooms.know("ork_agent")
        values: dict[str, Any] = {
            "tasks": tasks or channel,
            "workflows": channel,
            "news": News(no_nats()),
            "credentials": CredentialCache(channel),
            "limits": RateLimits(database),
            "drain": drain,
            "per_key": Limit("key", 1_000_000, 60),
            "per_tenant": Limit("tenant", 1_000_000, 60),
            "resource": Resource(url="http://127.0.0.1:8001/mcp", issuers=[], scope="orkestra"),
            "allowed_hosts": ["127.0.0.1:*"],
            "allowed_origins": ["http://127.0.0.1:*"],
            "state_key": "k" * 32,
            "body_limit": 64 * 1024,
        }
        door = Door(**values | changes)
        server = HttpServer(build_app(door), host="127.0.0.1", port=0, drain_seconds=2)
        await server.start()
        yield McpWorld(rooms, drain, door.news, f"http://127.0.0.1:{server.port}/mcp", server)
        await server.stop()
    await database.close()


def no_nats() -> Nats:
    """NATS that is away; `News.hear` tells what it would bring."""
    return Nats(NatsClient(), replicas=1)


def asked_task(**values: Any) -> Task:
    """A task that ork_agent asked for."""
    given = {
        "task_id": "task_0198a1b2c3d47e8f9a0b1c2d3e4f5a6d",
        "tenant_id": TENANT,
        "title": "May I?",
        "requested_by": "ork_agent",
        "candidate_groups": ["support-l2"],
        "priority": "normal",
        "status": "open",
        "version": 1,
        "revision": 1,
        "created_at": "2030-01-31T12:00:00Z",
        "updated_at": "2030-01-31T12:00:00Z",
    }
    return Task.model_validate(given | values)
