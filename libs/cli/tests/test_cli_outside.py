"""`orkestra doctor` asks rooms of others' servers where it knows their health ports, and says where it does not."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cli_examined import NOWHERE, Findings, asked, examined
from orkestra.chassis.http import HttpServer
from orkestra.chassis.process import Process
from orkestra.chassis.readiness import UnwellError
from orkestra.chassis.settings import ServiceSettings
from orkestra.cli.state import StateDir
from orkestra.testkit import eventually, free_port


async def refuses() -> None:
    raise UnwellError("it refuses us")


@pytest.fixture
async def health() -> AsyncIterator[str]:
    """The health port of a room that uses a mail server."""
    process = Process(ServiceSettings(health_port=0))
    process.readiness.is_started = True
    process.outside("mail server", refuses, remedy="Give it the password.")
    server = HttpServer(process.health_app(), host="127.0.0.1", port=0, drain_seconds=1)
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.stop()


async def test_a_room_of_the_local_stack_is_asked_at_its_health_port(health: str, tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    state.make()
    state.write_stack(
        {
            "rest": f"http://{NOWHERE}",
            "identity": NOWHERE,
            "health": {"notification-service": health, "dashboard": health},
        }
    )
    code, found = await asked(tmp_path)
    one = found["mail server"]
    assert (code, one["status"], one["detail"], one["remedy"]) == (
        1,
        "broken",
        "it refuses us",
        "Give it the password.",
    )
    assert [found[name]["status"] for name in ("notification-service", "dashboard")] == ["ok", "ok"]


async def test_a_health_port_that_is_away_or_is_none_is_named_by_its_variable() -> None:
    code, found = await examined(f"http://{NOWHERE}", "TASK")
    assert (code, found["task-service: outside"]["status"]) == (1, "broken")
    assert "ORKESTRA_TASK_HEALTH_URL" in found["task-service: outside"]["remedy"]
    code, found = await examined("nothing", "NOTIFICATION")
    assert (code, found["notification-service: outside"]["status"]) == (1, "broken")


async def test_a_room_whose_health_port_is_not_known_is_not_said_to_be_well(tmp_path: Path) -> None:
    port = free_port()
    process = Process(ServiceSettings(health_port=0, drain_seconds=0.2))
    process.grpc_server(port)
    running = asyncio.create_task(process.run())

    async def well() -> tuple[int, Findings] | None:
        code, found = await asked(tmp_path, ORKESTRA_TASK_ADDRESS=f"127.0.0.1:{port}")
        return (code, found) if found["task-service"]["status"] == "ok" else None

    try:
        code, found = await eventually(well, timeout=60)
    finally:
        process.drain.begin()
        await running
    unasked = found["task-service: outside"]
    assert (code, unasked["status"]) == (0, "unchecked")
    assert "ORKESTRA_TASK_HEALTH_URL, such as http://orkestra-task-service:9102" in unasked["remedy"]
