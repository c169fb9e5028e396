"""Queries that forget their tenant, on a running stack with two of them: row-level security alone keeps them apart."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import asyncpg
import httpx
import pytest
from orkestra.chassis.sql import Queries, Query
from orkestra.testkit.stack import Stack
from orkestra.testkit.stored import settled
from orkestra.testkit.waiting import eventually

QUERIES = {  # package: schema
    "orkestra.identity_service": "identity",
    "orkestra.notification_service": "notification",
    "orkestra.task_service": "task",
    "orkestra.workflow_worker": "workflow",
}
TENANT = re.compile(r"(?:\w+\.)?tenant_id = :tenant_id")
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
ECHOES = {"scarcest_term"}
"""Queries that give back what they were asked with, a term of theirs too."""
NAMED = {"before": "~", "after": ""}
NEUTRAL: dict[str, Any] = {  # by PostgreSQL's name of a type, for what no column has
    "text": "2100-01-01T00:00:00Z",
    "bool": True,
    "int4": 100,
    "int8": 100,
    "float8": 0.5,
    "interval": timedelta(0),
    "timestamptz": BEGINNING,
    "json": "{}",
    "jsonb": "{}",
    "bytea": b"",
}
if TYPE_CHECKING:  # generic in the stubs, not at run time
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Tenants:
    """Whose request a query runs for, and whose rows it must not meet."""

    ours: str
    theirs: str


async def asking_workflow(stack: Stack, keys: dict[str, str]) -> str:
    """Leaves a run and a task with a comment in a tenant; returns the tenant's id."""
    body = {"question": "q", "conversation_id": "c", "customer_id": "d"}
    async with httpx.AsyncClient(base_url=stack.info["rest"], timeout=60) as http:
        system = {"authorization": f"Bearer {keys['system']}"}
        admin = {"authorization": f"Bearer {keys['admin']}"}
        start = {"definition": "customer-support", "input": body, "business_id": uuid4().hex}
        started = (await http.post("/v1/workflows", json=start, headers=system)).raise_for_status().json()
        workflow_id = started["workflow_id"]

        async def task() -> dict[str, Any] | None:
            listed = await http.get("/v1/tasks", params={"workflow_id": workflow_id}, headers=admin)
            first: dict[str, Any] | None = (listed.json()["tasks"] or [None])[0]
            return first

        found = await eventually(task, timeout=30)
        await http.post(f"/v1/tasks/{found['task_id']}/comments", json={"text": "hello"}, headers=system)
        return str(found["tenant_id"])


@pytest.fixture(scope="module")
async def tenants(stack: Stack) -> Tenants:
    keys = stack.info["api_keys"], stack.info["other"]["api_keys"]
    ours, theirs = [await asking_workflow(stack, key) for key in keys]
    await settled(stack)
    return Tenants(ours, theirs)


@asynccontextmanager
async def superuser(stack: Stack, schema: str) -> AsyncIterator[Connection]:
    settings = {"search_path": schema, "lock_timeout": "4000"}
    conn = await asyncpg.connect(stack.info["postgres"], server_settings=settings)
    try:
        yield conn
    finally:
        await conn.close()


@asynccontextmanager
async def undone(conn: Connection) -> AsyncIterator[None]:
    """A transaction of which nothing stays, on a stack that goes on running."""
    transaction = conn.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


async def with_tenant(conn: Connection, schema: str) -> list[str]:
    rows = await conn.fetch(
        "select table_name from information_schema.columns where table_schema = $1 and column_name = 'tenant_id'",
        schema,
    )
    return sorted(row["table_name"] for row in rows)


async def fingerprint(conn: Connection, tables: list[str], tenant_id: str) -> list[Any]:
    """What a tenant's rows are, whatever they are."""
    text = "select md5(string_agg(t::text, ',' order by t::text)) from {} t where tenant_id = $1"
    return [await conn.fetchval(text.format(table), tenant_id) for table in tables]


async def what_they_have(conn: Connection, tables: list[str], tenant_id: str) -> dict[str, Any]:
    """A value of each column that the other tenant's rows have: what a query would need to find them."""
    found: dict[str, Any] = {}
    for table in tables:
        for row in await conn.fetch(f"select * from {table} where tenant_id = $1 limit 20", tenant_id):
            found |= {name: value for name, value in dict(row).items() if value is not None}
    return found


async def arguments(conn: Connection, query: Query, known: dict[str, Any]) -> list[Any]:
    types = (await conn.prepare(query.text)).get_parameters()
    return [argument(name, kind.name, known) for name, kind in zip(query.parameters, types, strict=True)]


def argument(name: str, kind: str, known: dict[str, Any]) -> Any:
    element = kind.removesuffix("[]")
    if element != kind:
        return [argument(name.removesuffix("s"), element, known)]
    fits = name in known and (kind != "text" or isinstance(known[name], str))
    return known[name] if fits else NAMED.get(name, NEUTRAL[kind])


def mutants(package: str) -> Queries:
    """The package's queries without their tenant; task-service's have none to begin with."""
    return Queries(TENANT.sub("true", (resources.files(package) / "queries.sql").read_text("utf-8")))


async def meets(conn: Connection, query: Query, known: dict[str, Any], tenant_id: str) -> bool:
    """Whether what a query gives is of that tenant; a refusal gives nothing."""
    try:
        async with conn.transaction():
            rows = await conn.fetch(query.text, *await arguments(conn, query, known))
    except (asyncpg.InsufficientPrivilegeError, asyncpg.IntegrityConstraintViolationError):
        return False
    named = () if query.name in ECHOES else ("task_id", "workflow_id", "user_id", "key_id")
    ids = {known[name] for name in named if name in known}
    return any(str(row.get("tenant_id")) == tenant_id or ids & set(map(str, row.values())) for row in rows)


@pytest.mark.parametrize("package", sorted(QUERIES))
async def test_no_query_without_its_tenant_meets_or_changes_anything_of_another(
    stack: Stack, tenants: Tenants, package: str
) -> None:
    schema = QUERIES[package]
    asked = [query for query in mutants(package) if "tenant_id" not in query.parameters]
    met: list[str] = []
    async with superuser(stack, schema) as conn:
        tables = await with_tenant(conn, schema)
        known = await what_they_have(conn, tables, tenants.theirs)
        before = await fingerprint(conn, tables, tenants.theirs)
        for query in asked:
            async with undone(conn):
                if await meets(conn, query, known, tenants.theirs):  # row-level security passes a superuser over
                    met.append(query.name)
            async with undone(conn):
                await conn.execute(f"set local role {schema}_app")
                await conn.execute("select set_config('app.tenant_id', $1, true)", tenants.ours)
                assert not await meets(conn, query, known, tenants.theirs), query.name
                await conn.execute("reset role")
                assert await fingerprint(conn, tables, tenants.theirs) == before, query.name
    assert len(met) >= 2, f"without row-level security the mutants would meet the other tenant; these did: {met}"
