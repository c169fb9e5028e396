"""The MCP calls that an agent needs, with the official client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

LONGEST_WAIT = 50


class RefusedError(Exception):
    """Orkestra refused a call; the text says why and what to do next."""


class OrkestraAgent:
    """An agent's side of Orkestra."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def check(self, topic: str, confidence: float) -> dict[str, Any]:
        """Ask the tenant's escalation policy whether to go on alone; returns the recorded check."""
        return await self._call("escalation_check", {"topic": topic, "confidence": confidence, "agent": "support-bot"})

    async def hand_over(self, question: str, handoff: dict[str, Any], *, definition: str = "customer-support") -> str:
        """Start the workflow that asks a person; returns its id."""
        asked = {"question": question, "conversation_id": "conv-17", "customer_id": "cust-4"}
        started = await self._call("workflow_start", {"definition": definition, "input": asked, "handoff": handoff})
        workflow_id: str = started["workflow_id"]
        return workflow_id

    async def outcome(self, workflow_id: str) -> dict[str, Any]:
        """Wait for the end of the workflow, however long it takes."""
        while True:
            arguments = {"workflow_id": workflow_id, "wait_seconds": LONGEST_WAIT}
            workflow = await self._call("workflow_result", arguments)
            if workflow["status"] != "running":
                return workflow

    async def _call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        answer = await self._client.call_tool(tool, arguments)
        if answer.is_error:
            texts = [part.text for part in answer.content if isinstance(part, TextContent)]
            raise RefusedError(f"{tool}: {' '.join(texts)}")
        return dict(answer.structured_content or {})


@asynccontextmanager
async def connected(url: str, key: str) -> AsyncIterator[OrkestraAgent]:
    """Connect to the MCP door with an agent's API key."""
    headers = {"authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=90) as http,
        Client(streamable_http_client(url, http_client=http)) as client,
    ):
        yield OrkestraAgent(client)
