"""The `orkestra` command."""

import typer
from orkestra.cli import dev, identity, replay, scaffold, schema, serve, task, worker, workflow

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would print secrets that stand in local variables
    help="Orkestra: workflows that ask people.",
)
app.add_typer(dev.app, name="dev")
app.add_typer(worker.app, name="worker")
app.add_typer(workflow.app, name="workflow")
app.add_typer(task.app, name="task")
app.add_typer(identity.tenants, name="tenant")
app.add_typer(identity.users, name="user")
app.add_typer(identity.groups, name="group")
app.add_typer(identity.keys, name="key")
app.add_typer(serve.app, name="serve", hidden=True)
app.command(name="migrate")(schema.migrate)
app.command(name="init")(scaffold.init)
workflow.app.command(name="new")(scaffold.new_workflow)
app.command(name="replay")(replay.replay)


@app.callback()
def orkestra() -> None:
    """Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing runs or answers, 4 refused, 5 not yet.

    A refusal says what to do next; the same command may succeed later only after 1, 3 and 5. With --json an answer is
    what the REST door answers, lists with all their pages in one, and an error is one line of JSON on standard error:
    code, detail, errors, next. Colours are for terminals; NO_COLOR switches them off.
    """


def main() -> None:
    """Runs the command line of this process."""
    app()


if __name__ == "__main__":
    main()
