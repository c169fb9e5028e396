"""Starts the people's door: `python -m orkestra.dashboard`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from orkestra.chassis import grpc
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.database import Database
from orkestra.chassis.guessing import Guesses
from orkestra.chassis.process import Process, run
from orkestra.chassis.ratelimit import Limit, RateLimits
from orkestra.chassis.streams import connect
from orkestra.dashboard.routes import Door, Live, build_app
from orkestra.dashboard.settings import DashboardSettings
from orkestra.v1.identity import IdentityServiceClient
from orkestra.v1.notification import NotificationServiceClient
from orkestra.v1.task import TaskServiceClient
from orkestra.v1.workflow import WorkflowServiceClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


@asynccontextmanager
async def build(process: Process, settings: DashboardSettings) -> AsyncIterator[None]:
    """Opens what the door needs and registers its server with `process`."""
    database = await Database.connect(settings.database_url, schema="dashboard", max_size=settings.pool_size)
    nats = await connect(
        settings.nats_url, name="dashboard", replicas=settings.nats_replicas, access=settings.nats_access
    )
    limits = RateLimits(database)
    async with (
        grpc.channel(settings.identity_address, settings.grpc_tls) as identity,
        grpc.channel(settings.task_address, settings.grpc_tls) as tasks,
        grpc.channel(settings.workflow_address, settings.grpc_tls) as workflows,
        grpc.channel(settings.notification_address, settings.grpc_tls) as notifications,
    ):
        live = Live(nats, identity, process.drain)
        door = Door(
            rooms={
                IdentityServiceClient: identity,
                TaskServiceClient: tasks,
                WorkflowServiceClient: workflows,
                NotificationServiceClient: notifications,
            },
            credentials=CredentialCache(identity, guesses=_guesses(limits, settings)),
            limits=limits,
            per_address=Limit("address", settings.rate_per_address, settings.rate_window),
            live=live,
            drain=process.drain,
            csrf_key=settings.csrf_key.get_secret_value().encode(),
            cookie_secure=settings.cookie_secure,
            body_limit=settings.body_limit,
            public_url=settings.public_url.rstrip("/"),
            temporal_ui_url=settings.temporal_ui_url,
            trace_url=settings.trace_url,
        )
        process.http_server(_behind_proxies(build_app(door), settings), settings.http_port)
        process.watch("database", database.check)
        process.watch("nats", nats.check)
        process.loop("live", live.run)
        process.loop("sessions of open pages", live.watch)
        process.loop("prune rate limits", limits.prune)
        yield
    await nats.close()
    await database.close()


def _guesses(limits: RateLimits, settings: DashboardSettings) -> Guesses:
    """Returns what bounds how often credentials are tried out."""
    return Guesses(limits, Limit("refused", settings.rate_refused, settings.rate_window))


def _behind_proxies(app: Any, settings: DashboardSettings) -> Any:
    """Returns the application as it is reached through the proxies that are trusted to say who calls."""
    return ProxyHeadersMiddleware(app, [name.strip() for name in settings.trusted_proxies.split(",") if name.strip()])


if __name__ == "__main__":
    run("dashboard", DashboardSettings, build)
