"""The `orkestra` command."""

import typer
from orkestra.cli import dev, schema, serve, worker

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they would print secrets that stand in local variables
    help="Orkestra: workflows that ask people.",
)
app.add_typer(dev.app, name="dev")
app.add_typer(worker.app, name="worker")
app.add_typer(serve.app, name="serve", hidden=True)
app.command(name="migrate")(schema.migrate)


@app.callback()
def orkestra() -> None:
    """Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing runs."""


def main() -> None:
    """Runs the command line of this process."""
    app()


if __name__ == "__main__":
    main()
