"""`orkestra migrate`: brings the schemas of a database up to date."""

import asyncio
from typing import Annotated

import typer
from orkestra.cli.installed import SCHEMAS
from orkestra.cli.options import JsonOption
from orkestra.cli.output import Output
from orkestra.cli.refusals import CommandError, NothingRunsError, UsageError, refusals

KNOWN = {name: (package, extra) for package, (name, extra) in SCHEMAS.items()}


def migrate(
    *,
    database_url: Annotated[
        str,
        typer.Option(envvar="ORKESTRA_ADMIN_DATABASE_URL", help="PostgreSQL address of a role that may create roles."),
    ],
    schema: Annotated[list[str] | None, typer.Option(help="Only this schema; may be repeated.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Create roles and schemas where absent and run every migration that has not run; safe to repeat."""
    output = Output(as_json=as_json)
    with refusals(output):
        names = schema or list(KNOWN)
        unknown = [name for name in names if name not in KNOWN]
        if unknown:
            raise UsageError(f"There is no schema {unknown[0]}.", step=f"There are {', '.join(KNOWN)}.")
        for name in names:
            with output.waiting(f"Migrating {name}"):
                _bring_up(database_url, name)
            output.say(f"{name} is up to date.")
    output.give({"schemas": names})


def _bring_up(database_url: str, name: str) -> None:
    import asyncpg  # noqa: PLC0415 - only here, and slow to import
    from orkestra.chassis import migrate as chassis  # noqa: PLC0415 - see above

    package, extra = KNOWN[name]
    try:
        asyncio.run(chassis.migrate(database_url, package, name, extra_roles=extra))
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError) as away:
        step = "See that it runs and that --database-url is its address; `orkestra doctor` asks it."
        raise NothingRunsError(f"{name}: PostgreSQL cannot be reached: {away}", step=step) from None
    except asyncpg.PostgresError as refused:
        step = "Give the address of a role that may log in and create roles and schemas."
        raise CommandError(f"{name}: {refused}", step=step) from None
    except chassis.MigrationError as failed:
        step = "What ran before it stays; mend what it says and migrate again."
        raise CommandError(f"{name}: {failed}", step=step) from None
