"""The fixtures give real servers that answer."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import asyncpg
import nats
from orkestra.chassis.tokens import Signer
from orkestra.testkit import Schema
from orkestra.wire import Principal
from temporalio.client import Client


async def test_the_database_is_empty_and_answers(postgres: str) -> None:
    connection = await asyncpg.connect(postgres)
    assert await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'") == 0
    assert (await connection.fetchval("show server_version")).startswith("18")
    await connection.close()


async def test_each_test_may_have_a_database_of_its_own(postgres: str, empty_database: str) -> None:
    assert postgres != empty_database


async def test_jetstream_keeps_what_is_published(nats_url: str) -> None:
    connection = await nats.connect(nats_url)
    stream = connection.jetstream()
    await stream.add_stream(name="TESTKIT", subjects=["testkit.>"])
    acknowledged = await stream.publish("testkit.hello", b"hello")
    assert acknowledged.seq == 1
    await stream.delete_stream("TESTKIT")
    await connection.close()


async def test_the_temporal_server_answers(temporal_address: str) -> None:
    client = await Client.connect(temporal_address)
    assert await client.service_client.check_health()


async def test_a_schema_is_migrated_once_and_its_roles_can_sign_in(
    migrated: Callable[..., Awaitable[Schema]],
) -> None:
    schema = await migrated("orkestra.testkit", "testkit")
    assert await migrated("orkestra.testkit", "testkit") is schema
    for role in ("app", "relay", "sweep"):
        connection = await asyncpg.connect(schema.url(role))
        assert await connection.fetchval("select current_user") == f"testkit_{role}"
        await connection.close()


async def test_a_minted_token_is_accepted_by_the_verifier_that_services_use(signer: Signer) -> None:
    principal = Principal(subject="user_1", kind="user", tenant_id=str(uuid4()), roles=frozenset({"member"}))
    token, _ = signer.sign(principal)
    assert await signer.verifier().verify(token) == principal
