"""PostgreSQL: whether it answers, is new enough, and holds what the services expect."""

import time
from importlib import resources
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
from orkestra.cli.diagnosis.finding import Finding, Patient, Status, broken, ok, warning
from orkestra.cli.installed import SCHEMAS

NAME = "PostgreSQL"
OLDEST = 180000
LONGEST_WAIT_SECONDS = 30
MOST_CLOCK_SECONDS = 5
SCARCE_CONNECTIONS = 10
_STATE = """
select
    current_setting('server_version') as version,
    current_setting('server_version_num')::int as number,
    current_setting('fsync') = 'on' and current_setting('full_page_writes') = 'on'
        and current_setting('synchronous_commit') <> 'off' as is_durable,
    current_setting('max_connections')::int
        - (select count(*) from pg_stat_activity where backend_type = 'client backend') as free_connections,
    extract(epoch from clock_timestamp())::float as clock
"""
_UNSAFE = """
select rolname from pg_roles
where rolname ~ ('^(' || array_to_string($1::text[], '|') || ')_(app|relay|sweep|lookup)$')
    and (rolsuper or rolbypassrls)
order by 1
"""
_WAITING = """
select count(*) as events, coalesce(extract(epoch from now() - min(created_at)), 0)::int as seconds
from {schema}.outbox where published_at is null
"""


async def look(patient: Patient) -> list[Finding]:
    """Say whether it answers, and what is wrong with what it holds."""
    url = patient.known["ORKESTRA_ADMIN_DATABASE_URL"]
    remedy = patient.start_again("postgres", "See that it runs and that ORKESTRA_ADMIN_DATABASE_URL is its address.")
    try:
        conn = await asyncpg.connect(url, timeout=patient.seconds)
    except (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError) as refused:
        return [broken(NAME, str(refused), "Give the role's name and password in ORKESTRA_ADMIN_DATABASE_URL.")]
    except asyncpg.InvalidCatalogNameError as absent:
        return [broken(NAME, str(absent), "Make the database, or name another in ORKESTRA_ADMIN_DATABASE_URL.")]
    except (OSError, asyncpg.PostgresError, ValueError) as away:
        return [broken(NAME, f"does not answer at {_place(url)}: {away}", remedy)]
    try:
        found = await _server(conn)
        if found[0].status is Status.BROKEN:  # what else an old one says means little
            return found
        return [*found, *await _schemas(conn), *await _outboxes(conn)]
    finally:
        await conn.close(timeout=patient.seconds)


async def _server(conn: asyncpg.Connection) -> list[Finding]:
    [row] = await conn.fetch(_STATE)
    if row["number"] < OLDEST:
        return [broken(NAME, f"version {row['version']} is too old", "Bring it to version 18 or newer.")]
    found = [ok(NAME, f"answers; version {row['version']}")]
    if not row["is_durable"]:
        remedy = "Set fsync, full_page_writes and synchronous_commit to on."
        found.append(broken(f"{NAME}: durability", "what it has confirmed may be lost in a crash", remedy))
    if row["free_connections"] < SCARCE_CONNECTIONS:
        remedy = "Raise max_connections, or lower ORKESTRA_POOL_SIZE or the number of replicas."
        found.append(warning(f"{NAME}: connections", f"{row['free_connections']} are left", remedy))
    apart = abs(row["clock"] - time.time())
    if apart > MOST_CLOCK_SECONDS:
        remedy = "Have both machines set their clocks by NTP; tokens live for 30 seconds."
        found.append(broken(f"{NAME}: clock", f"is {apart:.0f} seconds from this machine's", remedy))
    return found


async def _schemas(conn: asyncpg.Connection) -> list[Finding]:
    name, lacking = f"{NAME}: schemas", []
    for package, (schema, _) in SCHEMAS.items():
        applied = await _applied(conn, schema)
        missing = known_migrations(package) - applied
        if not applied:
            lacking.append(f"{schema} is not there")
        elif missing:
            lacking.append(f"{schema} lacks {len(missing)} migrations")
    found = [ok(name, f"{len(SCHEMAS)} are up to date")]
    if lacking:
        remedy = "Run `orkestra migrate`; it adds what is missing and may be repeated."
        found = [broken(name, "; ".join(lacking), remedy)]
    unsafe = [row["rolname"] for row in await conn.fetch(_UNSAFE, [schema for schema, _ in SCHEMAS.values()])]
    if unsafe:
        remedy = "".join(f"alter role {role} nosuperuser nobypassrls; " for role in unsafe).strip()
        detail = f"{', '.join(unsafe)} pass over row-level security: tenants are not kept apart"
        found.append(broken(f"{NAME}: roles", detail, remedy))
    return found


async def _outboxes(conn: asyncpg.Connection) -> list[Finding]:
    found = []
    for schema, _ in SCHEMAS.values():
        if await conn.fetchval("select to_regclass($1)", f"{schema}.outbox") is None:
            continue
        [row] = await conn.fetch(_WAITING.format(schema=schema))
        if row["seconds"] > LONGEST_WAIT_SECONDS:
            detail = f"{row['events']} events of {schema} have waited to be published, the oldest {row['seconds']} s"
            remedy = "See what is said of NATS here; then read the log of the service that has the schema."
            found.append(broken(f"{NAME}: outbox", detail, remedy))
    return found


def known_migrations(package: str) -> set[str]:
    """Return the versions that a service and the chassis bring; none where the service is not installed here."""
    try:
        folders = [Path(str(resources.files(one))) / "migrations" for one in ("orkestra.chassis", package)]
    except ModuleNotFoundError:
        return set()
    return {path.name.split("_")[0] for folder in folders for path in folder.glob("*.sql")}


async def _applied(conn: asyncpg.Connection, schema: str) -> set[str]:
    try:
        rows = await conn.fetch(f"select version from {schema}.schema_migrations")  # noqa: S608 - a name of our own
    except asyncpg.PostgresError:
        return set()
    return {row["version"] for row in rows}


def _place(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2] or "the unix socket"
