"""The MCP door as its own process: `python -m orkestra.mcp_gateway`."""

import asyncio
import signal

import httpx2
from door_rooms import running_rooms, workflow
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_world import Migrated
from orkestra.chassis.tokens import Signer
from orkestra.testkit.waiting import eventually
from test_rest_process import answers, free_ports, process


async def test_the_process_serves_the_official_client_and_ends(
    signer: Signer, migrated: Migrated, nats_url: str
) -> None:
    schema = await migrated("orkestra.mcp_gateway", "mcp")
    http_port, health_port = free_ports(2)
    async with running_rooms(signer) as rooms:
        rooms.answer("get_workflow", workflow())
        settings = {
            "HTTP_PORT": http_port,
            "HEALTH_PORT": health_port,
            "DATABASE_URL": schema.app_url,
            "IDENTITY_ADDRESS": rooms.address,
            "TASK_ADDRESS": rooms.address,
            "WORKFLOW_ADDRESS": rooms.address,
            "NATS_URL": nats_url,
            "MCP_STATE_KEY": "s" * 32,
        }
        headers = {"authorization": f"Bearer {rooms.know('ork_known')}"}
        async with process("orkestra.mcp_gateway", settings) as door:
            await eventually(lambda: answers(f"http://127.0.0.1:{health_port}/readyz"), timeout=30)
            url = f"http://127.0.0.1:{http_port}/mcp"
            async with (
                httpx2.AsyncClient(headers=headers, timeout=30) as http,
                Client(streamable_http_client(url, http_client=http)) as client,
            ):
                answer = await client.call_tool("workflow_status", {"workflow_id": "w"})
            door.send_signal(signal.SIGTERM)
            status = await asyncio.wait_for(door.wait(), 15)
    assert answer.structured_content is not None
    assert answer.structured_content["status"] == "running"
    assert status == 0
