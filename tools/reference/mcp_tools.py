"""docs/api-reference/mcp-tools.md: what the MCP door lists when the official client asks it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from nats.aio.client import Client as NatsClient
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.drain import Drain
from orkestra.chassis.http import HttpServer
from orkestra.chassis.ratelimit import Limit, RateLimits, Standing
from orkestra.chassis.streams import Nats
from orkestra.mcp_gateway.tools import INSTRUCTIONS, Door, build_app
from orkestra.mcp_gateway.tools.news import News
from orkestra.mcp_gateway.tools.resource import Resource
from orkestra.v1.identity import AccessToken, PrincipalKind

from tools.reference import markdown, schemas
from tools.reference.markdown import code

ABOUT = """
The MCP door serves Streamable HTTP at `/mcp` (on the local stack `http://127.0.0.1:8001/mcp`), without sessions, for
clients of the protocol version 2026-07-28 and of the versions before it. Authenticate with an API key of kind `agent`:
`Authorization: Bearer ork_…`. [Connect an agent](../guides/connect-an-agent.md) has a configuration for each common
client.

Every tool refuses arguments that it does not know, answers with structured content, and says in `next` what to call
next. A refusal is a result with `isError` whose text begins with its [reason](../errors.md).
"""
HINTS = (
    ("read_only_hint", "reads only"),
    ("destructive_hint", "ends something"),
    ("idempotent_hint", "safe to repeat"),
)


async def page() -> str:
    """Returns the page."""
    async with _client() as client:
        tools = (await client.list_tools()).tools
        templates = (await client.list_resource_templates()).resource_templates
        prompts = (await client.list_prompts()).prompts
    listed = markdown.table(("Tool", "What it does"), [(_link(one.name), _first(one.description)) for one in tools])
    resources = [(code(one.uri_template), markdown.plain(one.description or "")) for one in templates]
    return markdown.page(
        "MCP tools",
        ABOUT,
        "## What the server tells the model",
        f"> {INSTRUCTIONS}",
        "## Tools",
        listed,
        *[_tool(tool) for tool in tools],
        "## Resources",
        markdown.table(("Address", "What it is"), resources),
        "## Prompts",
        *[_prompt(prompt) for prompt in prompts],
    )


def _tool(tool: Any) -> str:
    hints = [word for name, word in HINTS if getattr(tool.annotations, name, None)]
    answer = tool.output_schema or {}
    return "\n\n".join(
        part
        for part in (
            f"### {tool.name}",
            markdown.plain(tool.description or ""),
            f"*{', '.join(hints).capitalize()}.*" if hints else "",
            schemas.fields(tool.input_schema, tool.input_schema.get("$defs", {}), {}),
            f"Answers with {', '.join(code(name) for name in answer.get('properties', {}))}.",
        )
        if part
    )


def _prompt(prompt: Any) -> str:
    rows = [
        (code(one.name) + (" **required**" if one.required else ""), markdown.plain(one.description or ""))
        for one in prompt.arguments or ()
    ]
    parts = (
        f"### {prompt.name}",
        markdown.plain(prompt.description or ""),
        markdown.table(("Argument", "What it is"), rows),
    )
    return "\n\n".join(part for part in parts if part)


def _link(name: str) -> str:
    return f"[{code(name)}](#{name})"


def _first(description: str | None) -> str:
    return markdown.plain(markdown.sentence((description or "").partition(". ")[0].partition("\n")[0]))


@asynccontextmanager
async def _client() -> AsyncIterator[Client]:
    """The official client before the door itself, with no room behind it: listing asks none."""
    async with grpc.aio.insecure_channel("127.0.0.1:9") as nobody:
        server = HttpServer(build_app(_door(nobody)), host="127.0.0.1", port=0, drain_seconds=1)
        await server.start()
        try:
            headers = {"authorization": "Bearer ork_reader"}
            async with (
                httpx2.AsyncClient(headers=headers, timeout=30) as http,
                Client(streamable_http_client(f"http://127.0.0.1:{server.port}/mcp", http_client=http)) as client,
            ):
                yield client
        finally:
            await server.stop()


def _door(nobody: grpc.aio.Channel) -> Door:
    plenty = Limit("key", 1_000, 60)
    return Door(
        tasks=nobody,
        workflows=nobody,
        news=News(Nats(NatsClient(), replicas=1)),
        credentials=_Anyone(nobody),
        limits=_Unlimited(),
        drain=Drain(),
        per_key=plenty,
        per_tenant=plenty,
        resource=Resource(url="http://127.0.0.1:8001/mcp", issuers=[], scope="orkestra"),
        allowed_hosts=["127.0.0.1:*"],
        allowed_origins=[],
        state_key="k" * 32,
        body_limit=1024 * 1024,
    )


class _Anyone(CredentialCache):
    async def exchange(self, credential: str, *, ip: str | None = None) -> AccessToken:  # noqa: ARG002  taken as it is
        return AccessToken(
            token=credential,
            subject="reader",
            kind=PrincipalKind.AGENT,
            expires_at=datetime.now(UTC) + timedelta(minutes=1),
        )


class _Unlimited(RateLimits):
    def __init__(self) -> None:
        """Counts nothing, so it needs no database."""

    async def take(self, *claims: tuple[Limit, str]) -> Sequence[Standing]:  # noqa: ARG002  taken as it is
        return []
