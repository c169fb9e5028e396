"""A process of the chassis as the tests start it: one held rpc, one database, one NATS."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
from orkestra.chassis import process, streams
from orkestra.chassis.database import Database
from orkestra.chassis.logs import get_logger
from orkestra.chassis.notifications import Notifications, hold
from orkestra.chassis.settings import DatabaseSettings, GrpcSettings, NatsSettings, ServiceSettings
from pydantic import SecretStr

logger = get_logger(__name__)


class Settings(DatabaseSettings, NatsSettings, GrpcSettings, ServiceSettings):
    """What the program can be told."""

    relay_database_url: SecretStr = SecretStr("")
    sweep_database_url: SecretStr = SecretStr("")


@asynccontextmanager
async def build(running: process.Process, settings: Settings) -> AsyncIterator[None]:
    database = await Database.connect(settings.database_url, schema="room")
    nats = await streams.connect(settings.nats_url, name="program")
    notifications = Notifications(settings.database_url, "room_news")
    running.need("postgres", database.check)
    running.watch("nats", nats.check)
    running.loop("notifications", notifications.run)
    running.loop("failing", fail)

    async def look() -> bytes:
        async with database.unscoped() as conn:
            count = await conn.fetchval("select count(*) from request_keys")
        return str(count).encode()

    async def held(_request: bytes, _call: object) -> bytes:
        async with notifications.listen("room_news", "one") as waiter:
            state = await hold(look, until=lambda _: False, waiter=waiter, drain=running.drain, seconds=30)
            return b"so far " + state

    handler = grpc.unary_unary_rpc_method_handler(held)
    server = running.grpc_server(settings.grpc_port)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Test", {"Hold": handler}),))
    try:
        yield
    finally:
        await nats.close()
        await database.close()


async def fail() -> None:
    raise RuntimeError("a loop that always fails")


if __name__ == "__main__":
    process.run("program", Settings, build)
