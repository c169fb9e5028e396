"""Every schema of the house as PostgreSQL has it: apart from the others, closed by tenant, fit for its queries."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path

import asyncpg
import pytest
from orkestra.chassis.migrate import migrate
from orkestra.chassis.sql import Queries
from orkestra.cli.installed import SCHEMAS
from orkestra.testkit import as_role, databases

NAMES = sorted(name for name, _ in SCHEMAS.values())
PACKAGES = {schema: package for package, (schema, _) in SCHEMAS.items()}
WITH_QUERIES = [name for name in NAMES if (resources.files(PACKAGES[name]) / "queries.sql").is_file()]
EXTRA = dict(SCHEMAS.values())
TENANT = "(tenant_id = ( SELECT (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid AS \"nullif\"))"
OF_THE_INSTALLATION = {  # the only tables that no tenant owns
    "dashboard.rate_limits",
    "gateway.rate_limits",
    "identity.deleted_tenants",
    "identity.installation_keys",
    "identity.sign_in_failures",
    "mcp.rate_limits",
    "task.heard",
    "workflow.definitions",
}
CATALOG = """
select format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) as line
from information_schema.columns where table_schema = $1
union all select format('%s: %s', conrelid::regclass, pg_get_constraintdef(oid)) from pg_constraint
where connamespace = $1::text::regnamespace
union all select indexdef from pg_indexes where schemaname = $1
union all select format('%s %s %s %s %s %s', tablename, policyname, roles, cmd, qual, with_check) from pg_policies
where schemaname = $1
union all select format('%s %s %s %s', relname, relrowsecurity, relforcerowsecurity, relacl) from pg_class
where relnamespace = $1::text::regnamespace
union all select format('%s.%s %s', attrelid::regclass, attname, attacl) from pg_attribute
where attacl is not null and attrelid in (select oid from pg_class where relnamespace = $1::text::regnamespace)
order by 1
"""

pytestmark = pytest.mark.xdist_group("schemas")


@pytest.fixture(scope="module")
def house(postgres_server_url: str) -> Iterator[str]:
    """The superuser's address of a database for every schema."""
    with databases.fresh(postgres_server_url) as url:
        yield url


@pytest.fixture(scope="module")
async def migrated_house(house: str) -> str:
    for package, (schema, extra) in SCHEMAS.items():
        await migrate(house, package, schema, extra_roles=extra)
    return house


@asynccontextmanager
async def connected(url: str, role: str | None = None) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    conn = await asyncpg.connect(url if role is None else as_role(url, role))
    try:
        yield conn
    finally:
        await conn.close()


async def tables(url: str) -> list[str]:
    async with connected(url) as conn:
        rows = await conn.fetch("select schemaname, tablename from pg_tables where schemaname = any($1::text[])", NAMES)
    return sorted(f"{row['schemaname']}.{row['tablename']}" for row in rows)


@pytest.mark.parametrize("schema", NAMES)
async def test_the_roles_of_a_service_are_refused_on_every_other_schema(migrated_house: str, schema: str) -> None:
    others = [table for table in await tables(migrated_house) if not table.startswith(f"{schema}.")]
    assert {table.partition(".")[0] for table in others} == {*NAMES} - {schema}
    for role in ("app", "relay", "sweep", *EXTRA[schema]):
        async with connected(migrated_house, f"{schema}_{role}") as conn:
            for table in others:
                for verb in ("select 1 from {}", "delete from {}", "insert into {} default values"):
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await conn.execute(verb.format(table))
            for other in {*NAMES, "public"} - {schema}:
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await conn.execute(f"create table {other}.mine (a int)")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute("set role postgres")


async def test_no_role_of_a_service_owns_a_table_or_stands_above_row_level_security(migrated_house: str) -> None:
    async with connected(migrated_house) as conn:
        roles = await conn.fetch(
            "select rolname from pg_roles where split_part(rolname, '_', 1) = any($1::text[]) "
            "and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or (rolcanlogin and rolname ~ '_owner$'))",
            NAMES,
        )
        owners = await conn.fetch(
            "select distinct schemaname, tableowner from pg_tables where schemaname = any($1::text[])", NAMES
        )
    assert roles == []
    assert {(row["schemaname"], row["tableowner"]) for row in owners} == {(name, f"{name}_owner") for name in NAMES}


async def test_every_table_is_closed_by_tenant_or_known_to_belong_to_the_installation(migrated_house: str) -> None:
    async with connected(migrated_house) as conn:
        rows = await conn.fetch(
            """
            select format('%s.%s', n.nspname, c.relname) as name, c.relrowsecurity and c.relforcerowsecurity as forced,
                   exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as tenant
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind in ('r', 'p') and n.nspname = any($1::text[]) and c.relname <> 'schema_migrations'
            """,
            NAMES,
        )
    assert {row["name"] for row in rows if not row["tenant"]} == OF_THE_INSTALLATION
    assert [row["name"] for row in rows if row["tenant"] and not row["forced"]] == []


@pytest.mark.parametrize("schema", NAMES)
async def test_what_a_service_itself_meets_is_its_tenants_and_nothing_else(migrated_house: str, schema: str) -> None:
    async with connected(migrated_house) as conn:
        policies = await conn.fetch("select * from pg_policies where schemaname = $1", schema)
    own = [row for row in policies if {"public", f"{schema}_app"} & set(row["roles"])]
    assert {row["tablename"] for row in own} == {
        name.partition(".")[2]
        for name in await tables(migrated_house)
        if name.startswith(f"{schema}.") and name not in OF_THE_INSTALLATION and not name.endswith(".schema_migrations")
    }
    for row in own:
        assert (row["qual"], row["with_check"]) == (TENANT, TENANT), row["tablename"]


@pytest.mark.parametrize(
    "schema", [name for name in NAMES if (resources.files(PACKAGES[name]) / "queries.sql").is_file()]
)
async def test_every_query_prepares_against_the_migrated_schema(migrated_house: str, schema: str) -> None:
    queries = Queries((resources.files(PACKAGES[schema]) / "queries.sql").read_text("utf-8"))
    async with connected(migrated_house) as conn:
        await conn.execute(f"set search_path = {schema}")
        for query in queries:
            await conn.prepare(query.text)


@pytest.mark.parametrize("schema", NAMES)
async def test_a_schema_that_grew_migration_by_migration_equals_a_fresh_one(
    migrated_house: str, empty_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schema: str
) -> None:
    package = f"grown_{schema}"
    folder = tmp_path / package / "migrations"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    files = migrations_of(PACKAGES[schema])
    for path in files:
        (folder / path.name).write_text(path.read_text("utf-8"), "utf-8")
        await migrate(empty_database, package, schema, extra_roles=EXTRA[schema])
    grown, fresh = await catalog(empty_database, schema), await catalog(migrated_house, schema)
    assert len(files) < len(grown) == len(fresh)
    assert grown == fresh


def migrations_of(package: str) -> list[Path]:
    return sorted(Path(str(resources.files(package) / "migrations")).glob("*.sql"))


async def catalog(url: str, schema: str) -> list[str]:
    """Everything that PostgreSQL knows of a schema, a line each; positions of columns aside."""
    async with connected(url) as conn:
        await conn.execute("set search_path = pg_catalog")
        return [re.sub(r"\s+", " ", row["line"]) for row in await conn.fetch(CATALOG, schema)]
