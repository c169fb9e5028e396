"""Starts the REST door: `python -m orkestra.api_gateway`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from orkestra.api_gateway.routes import Door, build_app
from orkestra.api_gateway.routes.stream import EventStream
from orkestra.api_gateway.settings import ApiGatewaySettings
from orkestra.chassis import grpc, streams
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.database import Database
from orkestra.chassis.guessing import Guesses
from orkestra.chassis.process import Process, run
from orkestra.chassis.ratelimit import Limit, RateLimits
from orkestra.v1.identity import IdentityServiceClient
from orkestra.v1.notification import NotificationServiceClient
from orkestra.v1.task import TaskServiceClient
from orkestra.v1.workflow import WorkflowServiceClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


@asynccontextmanager
async def build(process: Process, settings: ApiGatewaySettings) -> AsyncIterator[None]:
    """Opens what the door needs and registers its server with `process`."""
    database = await Database.connect(settings.database_url, schema="gateway", max_size=settings.pool_size)
    limits = RateLimits(database)
    refused = Limit("refused", settings.rate_refused, settings.rate_window)
    nats = await streams.connect(
        settings.nats_url, name="api-gateway", replicas=settings.nats_replicas, access=settings.nats_access
    )
    async with (
        grpc.channel(settings.identity_address, settings.grpc_tls) as identity,
        grpc.channel(settings.task_address, settings.grpc_tls) as tasks,
        grpc.channel(settings.workflow_address, settings.grpc_tls) as workflows,
        grpc.channel(settings.notification_address, settings.grpc_tls) as notifications,
    ):
        door = Door(
            rooms={
                IdentityServiceClient: identity,
                TaskServiceClient: tasks,
                WorkflowServiceClient: workflows,
                NotificationServiceClient: notifications,
            },
            credentials=CredentialCache(identity, guesses=Guesses(limits, refused)),
            limits=limits,
            drain=process.drain,
            per_key=Limit("key", settings.rate_per_key, settings.rate_window),
            per_tenant=Limit("tenant", settings.rate_per_tenant, settings.rate_window),
            per_address=Limit("address", settings.rate_per_address, settings.rate_window),
            body_limit=settings.body_limit,
            request_seconds=settings.request_seconds,
            transfer_seconds=settings.transfer_seconds,
            events=EventStream(nats),
        )
        app: Any = build_app(door)
        proxies = [name.strip() for name in settings.trusted_proxies.split(",") if name.strip()]
        process.http_server(ProxyHeadersMiddleware(app, proxies), settings.http_port)
        process.watch("database", database.check)
        process.watch("nats", nats.check)
        process.loop("prune rate limits", limits.prune)
        yield
    await nats.close()
    await database.close()


if __name__ == "__main__":
    run("api-gateway", ApiGatewaySettings, build)
