"""`orkestra migrate`: brings the schemas of a database up to date."""

import asyncio
from typing import Annotated

import typer
from orkestra.chassis import migrate as chassis
from orkestra.cli.services import SCHEMAS

FAILED = 1


def migrate(
    *,
    database_url: Annotated[
        str,
        typer.Option(envvar="ORKESTRA_ADMIN_DATABASE_URL", help="PostgreSQL address of a role that may create roles."),
    ],
    schema: Annotated[list[str] | None, typer.Option(help="Only this schema; may be repeated.")] = None,
) -> None:
    """Create roles and schemas where absent and run every migration that has not run; safe to repeat."""
    known = {name: (package, extra) for package, (name, extra) in SCHEMAS.items()}
    for name in schema or known:
        if name not in known:
            typer.echo(f"There is no schema {name}; there are {', '.join(known)}.", err=True)
            raise typer.Exit(2)
        package, extra = known[name]
        try:
            asyncio.run(chassis.migrate(database_url, package, name, extra_roles=extra))
        except (chassis.MigrationError, OSError) as failed:
            typer.echo(f"{name}: {failed}", err=True)
            raise typer.Exit(FAILED) from None
        typer.echo(f"{name} is up to date.")
