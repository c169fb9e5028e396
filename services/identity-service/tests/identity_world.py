"""An identity-service in process on real PostgreSQL, driven by its client over gRPC."""

import asyncio
import zoneinfo
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import pytest
from orkestra.chassis.database import Database
from orkestra.chassis.grpc import channel as grpc_channel
from orkestra.chassis.grpc import server as grpc_server
from orkestra.chassis.tokens import Signer
from orkestra.identity_service.operations import (
    IdentityOperations,
    InstallationKeys,
    Passwords,
    Pepper,
    permitted,
)
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import (
    AccessToken,
    CreateTenantRequest,
    CreateUserRequest,
    ExchangeCredentialRequest,
    IdentityServiceClient,
    Role,
    Session,
    SignInRequest,
    Tenant,
    add_identity_service,
)
from orkestra.wire import Principal

SERVICE_KEY = "the service key of this test installation"
WORKER_KEY = "the worker key of this test installation!"
PASSWORD = "a password of enough length"
Migrated = Callable[..., Awaitable[Schema]]


@dataclass
class World:
    """A running identity-service and what looks behind it."""

    schema: Schema
    operations: IdentityOperations
    signer: Signer
    channel: grpc.aio.Channel

    @property
    def nobody(self) -> IdentityServiceClient:
        """A client without a token."""
        return IdentityServiceClient(self.channel)

    def as_principal(self, principal: Principal) -> IdentityServiceClient:
        """A client whose token is always fresh: a test may take longer than a token lasts."""

        async def token() -> str:
            return self.signer.sign(principal)[0]

        return IdentityServiceClient(self.channel, token)

    def as_role(self, role: str, *, tenant_id: str | None = None) -> IdentityServiceClient:
        """A caller with one role that need not exist: what a token says is believed."""
        kind: Any = "agent" if role == "agent" else "service" if role in ("system", "worker", "operator") else "user"
        subject = {"user": "user_", "agent": "key_", "service": "key_"}[kind] + "0" * 32
        return self.as_principal(Principal(subject=subject, kind=kind, tenant_id=tenant_id, roles=frozenset({role})))

    async def exchange(self, credential: str, **values: Any) -> AccessToken:
        return await self.nobody.exchange_credential(ExchangeCredentialRequest(credential=credential, **values))

    async def holder(self, credential: str, **values: Any) -> IdentityServiceClient:
        """A client with the token that this credential is worth."""
        return IdentityServiceClient(self.channel, (await self.exchange(credential, **values)).token)

    async def sign_in(self, email: str, password: str = PASSWORD, tenant: str | None = None) -> Session:
        return await self.nobody.sign_in(SignInRequest(email=email, password=password, tenant=tenant), timeout=60.0)

    async def tenant(self) -> "Home":
        """A new tenant with an admin."""
        operator = await self.holder(SERVICE_KEY)
        slug = f"t-{uuid4().hex[:12]}"
        admin = CreateUserRequest(email=f"admin@{slug}.example", name="Ada Admin", password=PASSWORD)
        tenant = await operator.create_tenant(CreateTenantRequest(slug=slug, name="A tenant", admin=admin))
        return Home(self, tenant, self.as_role("admin", tenant_id=tenant.tenant_id))

    async def rows(self, statement: str, *arguments: object) -> list[asyncpg.Record]:
        """Look behind the service, as superuser."""
        conn = await asyncpg.connect(self.schema.admin_url, server_settings={"search_path": "identity"})
        try:
            return await conn.fetch(statement, *arguments)
        finally:
            await conn.close()

    async def events(self, tenant_id: str) -> list[str]:
        """The names of the events that a tenant's outbox holds, oldest first."""
        rows = await self.rows("select subject from outbox where tenant_id = $1 order by seq", tenant_id)
        return [row["subject"].rpartition(".")[2] for row in rows]

    async def counts(self) -> dict[str, int]:
        """How many rows each table that a request may write has."""
        tables = ("tenants", "users", "groups", "memberships", "api_keys", "sessions", "outbox", "request_keys")
        return {table: (await self.rows(f"select count(*) from {table}"))[0][0] for table in tables}


@dataclass
class Home:
    """A tenant of a test's own."""

    world: World
    tenant: Tenant
    admin: IdentityServiceClient

    @property
    def id(self) -> str:
        return self.tenant.tenant_id

    def email(self, name: str) -> str:
        return f"{name}@{self.tenant.slug}.example"

    def as_role(self, role: Role | str) -> IdentityServiceClient:
        return self.world.as_role(role, tenant_id=self.id)

    async def person(self, name: str, **values: Any) -> str:
        """Create a person who can sign in; returns the user id."""
        request = CreateUserRequest(email=self.email(name), name=name.title(), password=PASSWORD, **values)
        return (await self.admin.create_user(request)).user_id


@asynccontextmanager
async def running(schema: Schema, signer: Signer, **changes: Any) -> AsyncIterator[World]:
    database = await Database.connect(schema.app_url, schema="identity")
    lookup = await Database.connect(schema.url("lookup"), schema="identity")
    passwords = Passwords()
    given = {"pepper": Pepper(b"the pepper of this test installation")} | changes
    operations = IdentityOperations(
        database=database,
        lookup=lookup,
        signer=signer,
        passwords=passwords,
        time_zones=frozenset(zoneinfo.available_timezones()),
        **given,
    )
    await InstallationKeys(operations, {"service": SERVICE_KEY, "worker": WORKER_KEY}).write()
    server = grpc_server()
    add_identity_service(server, operations, permitted(signer.verifier().authenticate))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc_channel(f"127.0.0.1:{port}") as channel:
            yield World(schema, operations, signer, channel)
    finally:
        await server.stop(None)
        await operations.settle()
        passwords.close()
        await asyncio.gather(database.close(), lookup.close())


@pytest.fixture(scope="session")
async def world(migrated: Migrated, signer: Signer) -> AsyncIterator[World]:
    """One identity-service for all tests of this process; each test has a tenant of its own."""
    schema = await migrated("orkestra.identity_service", "identity", extra_roles=("lookup",))
    async with running(schema, signer) as world:
        yield world


@pytest.fixture
async def home(world: World) -> Home:
    """A tenant of this test's own, with an admin."""
    return await world.tenant()
