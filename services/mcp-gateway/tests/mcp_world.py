"""The MCP door on a real port before rooms that a test sets up, and the official client."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from door_rooms import Rooms, channel_to, running_rooms
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.database import Database
from orkestra.chassis.drain import Drain
from orkestra.chassis.http import HttpServer
from orkestra.chassis.ratelimit import Limit, RateLimits
from orkestra.chassis.tokens import Signer
from orkestra.mcp_gateway.tools import Door, build_app
from orkestra.testkit.databases import Schema

Migrated = Callable[..., Awaitable[Schema]]
ERAS = ["legacy", "2026-07-28"]


@dataclass(frozen=True)
class McpWorld:
    rooms: Rooms
    drain: Drain
    url: str
    server: HttpServer

    @asynccontextmanager
    async def client(self, era: str, key: str = "ork_agent") -> AsyncIterator[Client]:
        headers = {"authorization": f"Bearer {key}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(self.url, http_client=http), mode=era) as client,
        ):
            yield client


@asynccontextmanager
async def mcp_door(signer: Signer, database_url: str, **changes: Any) -> AsyncIterator[McpWorld]:
    database = await Database.connect(database_url, schema="mcp")
    drain = Drain()
    async with running_rooms(signer) as rooms, channel_to(rooms) as channel:
        rooms.know("ork_agent")
        values: dict[str, Any] = {
            "workflows": channel,
            "credentials": CredentialCache(channel),
            "limits": RateLimits(database),
            "drain": drain,
            "per_key": Limit("key", 1_000_000, 60),
            "per_tenant": Limit("tenant", 1_000_000, 60),
            "public_url": "http://127.0.0.1:8001/mcp",
            "allowed_hosts": ["127.0.0.1:*"],
            "allowed_origins": ["http://127.0.0.1:*"],
            "state_key": "k" * 32,
            "body_limit": 64 * 1024,
        }
        server = HttpServer(build_app(Door(**values | changes)), host="127.0.0.1", port=0, drain_seconds=2)
        await server.start()
        yield McpWorld(rooms, drain, f"http://127.0.0.1:{server.port}/mcp", server)
        await server.stop()
    await database.close()
