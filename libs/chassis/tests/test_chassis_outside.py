"""Others' servers that a process uses are asked when somebody wants to know, and hold up nothing else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
from orkestra.chassis.http import HttpServer
from orkestra.chassis.outside import Outside
from orkestra.chassis.process import Process
from orkestra.chassis.readiness import UnwellError
from orkestra.chassis.settings import ServiceSettings
from orkestra.wire import Unavailable


@asynccontextmanager
async def health_of(checks: dict[str, Callable[[], Awaitable[None]]]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the health port of a process that uses these servers."""
    process = Process(ServiceSettings(health_port=0))
    process.readiness.is_started = True
    for name, check in checks.items():
        process.outside(name, check, remedy=f"Mend {name}.")
    server = HttpServer(process.health_app(), host="127.0.0.1", port=0, drain_seconds=1)
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
            yield client
    finally:
        await server.stop()


async def well() -> None:
    return


async def refusing() -> None:
    raise UnwellError("it refuses us")


async def away() -> None:
    raise Unavailable("NATS_UNAVAILABLE", "it is away")


async def silent() -> None:
    await asyncio.Event().wait()


async def test_each_is_told_with_what_to_do_and_none_makes_the_process_unready() -> None:
    async with health_of({"a": well, "b": refusing, "c": away, "d": silent}) as client:
        told = (await client.get("/outside", params={"seconds": 0.2})).json()["outside"]
        ready = await client.get("/readyz")
    assert [(one["name"], one["detail"], one["remedy"]) for one in told] == [
        ("a", "ok", ""),
        ("b", "it refuses us", "Mend b."),
        ("c", "it is away", "Mend c."),
        ("d", "does not answer within 0.2 seconds", "Mend d."),
    ]
    assert (ready.status_code, ready.json()["status"], ready.json()["dependencies"]) == (200, "ready", {})


async def test_who_asks_at_the_same_time_is_told_the_same_and_the_server_asked_once() -> None:
    asked, outside = 0, Outside()

    async def counted() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)

    outside.add("mail server", counted, remedy="")
    first, second = await asyncio.gather(outside.report(5), outside.report(5))
    assert (first is second, asked) == (True, 1)
    await outside.report(5)
    assert asked == 2


@pytest.mark.parametrize("seconds", ["soon", "nan", "-1", ""])
async def test_a_time_that_is_none_is_passed_over(seconds: str) -> None:
    async with health_of({"mail server": well}) as client:
        answer = await client.get("/outside", params={"seconds": seconds})
    assert (answer.status_code, answer.json()["outside"][0]["detail"]) == (200, "ok")
