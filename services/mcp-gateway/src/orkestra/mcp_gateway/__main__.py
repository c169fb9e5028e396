"""Starts the MCP door: `python -m orkestra.mcp_gateway`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from orkestra.chassis import streams
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.database import Database
from orkestra.chassis.grpc import channel
from orkestra.chassis.guessing import Guesses
from orkestra.chassis.process import Process, run
from orkestra.chassis.ratelimit import Limit, RateLimits
from orkestra.mcp_gateway.settings import McpGatewaySettings
from orkestra.mcp_gateway.tools import Door, build_app
from orkestra.mcp_gateway.tools.news import News
from orkestra.mcp_gateway.tools.resource import Resource
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


@asynccontextmanager
async def build(process: Process, settings: McpGatewaySettings) -> AsyncIterator[None]:
    """Opens what the door needs and registers its server with `process`."""
    database = await Database.connect(settings.database_url, schema="mcp", max_size=settings.pool_size)
    limits = RateLimits(database)
    refused = Limit("refused", settings.rate_refused, settings.rate_window)
    nats = await streams.connect(
        settings.nats_url, name="mcp-gateway", replicas=settings.nats_replicas, access=settings.nats_access
    )
    news = News(nats)
    resource = _resource(settings)
    async with (
        channel(settings.identity_address, settings.grpc_tls) as identity,
        channel(settings.task_address, settings.grpc_tls) as tasks,
        channel(settings.workflow_address, settings.grpc_tls) as workflows,
    ):
        door = Door(
            tasks=tasks,
            workflows=workflows,
            news=news,
            credentials=CredentialCache(identity, audience=resource.url, guesses=Guesses(limits, refused)),
            limits=limits,
            drain=process.drain,
            per_key=Limit("key", settings.rate_per_key, settings.rate_window),
            per_tenant=Limit("tenant", settings.rate_per_tenant, settings.rate_window),
            resource=resource,
            allowed_hosts=_names(settings.allowed_hosts),
            allowed_origins=_names(settings.allowed_origins),
            state_key=settings.mcp_state_key.get_secret_value(),
            body_limit=settings.body_limit,
        )
        app: Any = build_app(door)
        process.http_server(ProxyHeadersMiddleware(app, _names(settings.trusted_proxies)), settings.http_port)
        process.watch("database", database.check)
        process.watch("nats", nats.check)
        process.loop("news", news.run)
        process.loop("prune rate limits", limits.prune)
        yield
    await nats.close()
    await database.close()


def _resource(settings: McpGatewaySettings) -> Resource:
    url = settings.oauth_resource or settings.public_url
    return Resource(url=url, issuers=_names(settings.oauth_issuers), scope=settings.oauth_scope)


def _names(by_commas: str) -> list[str]:
    return [name.strip() for name in by_commas.split(",") if name.strip()]


if __name__ == "__main__":
    run("mcp-gateway", McpGatewaySettings, build)
