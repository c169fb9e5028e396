"""The dashboard on a real port before rooms in memory, and a browser in front of it."""

import base64
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from dashboard_rooms import Rooms, running_rooms
from orkestra.chassis import grpc
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.database import Database
from orkestra.chassis.drain import Drain
from orkestra.chassis.guessing import Guesses
from orkestra.chassis.http import HttpServer
from orkestra.chassis.loops import Loops
from orkestra.chassis.ratelimit import Limit, OwnCounts, RateLimits
from orkestra.chassis.streams import connect
from orkestra.chassis.tokens import Signer
from orkestra.dashboard.routes import Door, Live, build_app
from orkestra.testkit import databases, infra
from orkestra.v1.identity import IdentityServiceClient, User
from orkestra.v1.notification import NotificationServiceClient
from orkestra.v1.task import TaskServiceClient
from orkestra.v1.workflow import WorkflowServiceClient

ROOT = Path(__file__).parents[3]
AXE = ROOT / "services/dashboard/frontend/node_modules/axe-core/axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CLIENTS = (IdentityServiceClient, TaskServiceClient, WorkflowServiceClient, NotificationServiceClient)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is missing; install it: apt-get install -y chromium"
)


@dataclass(frozen=True)
class DashboardWorld:
    rooms: Rooms
    base: str
    drain: Drain

    def tenant(self) -> str:
        return str(uuid4())

    def person(self, name: str, *groups: str, tenant_id: str, **more: Any) -> User:
        return self.rooms.identity.person(name, tenant_id, *groups, **more)

    @asynccontextmanager
    async def http(self, user: User | None = None) -> AsyncIterator[httpx.AsyncClient]:
        """A client as a browser without script: signed in where a person is given."""
        cookies = {} if user is None else {"orkestra_session": self.rooms.identity.session(user)}
        async with httpx.AsyncClient(base_url=self.base, cookies=cookies, timeout=20) as http:
            yield http


@asynccontextmanager
async def dashboard(signer: Signer, database_url: str, nats_url: str, **changes: Any) -> AsyncIterator[DashboardWorld]:
    database = await Database.connect(database_url, schema="dashboard")
    nats = await connect(nats_url, name="dashboard")
    drain, loops = Drain(), Loops()
    refused = changes.pop("refused", Limit("refused", 1_000_000, 60))
    async with running_rooms(signer, nats_url) as rooms, grpc.channel(rooms.address) as channel:
        live = Live(nats, channel, drain)
        values: dict[str, Any] = {
            "rooms": dict.fromkeys(CLIENTS, channel),
            "credentials": CredentialCache(channel, guesses=Guesses(OwnCounts(), refused)),
            "limits": RateLimits(database),
            "per_address": Limit("address", 1_000_000, 60),
            "live": live,
            "drain": drain,
            "csrf_key": b"a key of thirty-two characters!!",
            "cookie_secure": True,
            "body_limit": 64 * 1024,
        }
        server = HttpServer(build_app(Door(**values | changes)), host="127.0.0.1", port=0, drain_seconds=1)
        loops.add("live", live.run)
        loops.add("sessions of open pages", live.watch)
        loops.start()
        await nats.connected()
        await server.start()
        try:
            yield DashboardWorld(rooms, f"http://127.0.0.1:{server.port}", drain)
        finally:
            drain.begin()
            await server.stop()
            await loops.stop()
    await nats.close()
    await database.close()


@asynccontextmanager
async def running_world() -> AsyncIterator[DashboardWorld]:
    """The same with servers of its own, for a command."""
    signer = Signer(base64.b64encode(bytes(range(32))).decode())
    with infra.postgres_server() as server, infra.nats_server() as nats_url, databases.fresh(server) as database:
        schema = await databases.migrated(database, "orkestra.dashboard", "dashboard")
        async with dashboard(signer, schema.app_url, nats_url) as world:
            yield world
