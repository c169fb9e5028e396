"""All that `orkestra` does, each command imported when it is called."""

import os
import sys
from contextlib import suppress
from typing import Any, ClassVar, NoReturn

import typer
from orkestra.cli.later import Later, LaterGroup
from orkestra.cli.output import Output
from orkestra.cli.refusals import UsageError
from typer._click.exceptions import ClickException

HERE = "orkestra.cli"


class Commands(LaterGroup):
    """Everything that `orkestra` does."""

    later: ClassVar[dict[str, Later]] = {
        "dev": Later(f"{HERE}.dev", "app", "The whole stack on this machine: start it, stop it, look at it."),
        "init": Later(
            f"{HERE}.scaffold",
            "init",
            "Make a project in the folder NAME: a workflow, a form, a test, a Dockerfile and Helm values.",
        ),
        "worker": Later(f"{HERE}.worker", "app", "Run workflows of your own."),
        "replay": Later(f"{HERE}.replay", "replay", "Replay recorded histories against the workflows as they are now."),
        "workflow": Later(f"{HERE}.workflow", "app", "Start workflows, follow them, end them."),
        "task": Later(f"{HERE}.task", "app", "Find tasks, take them, answer them."),
        "tenant": Later(f"{HERE}.identity", "tenants", "Customers of the installation."),
        "user": Later(f"{HERE}.identity", "users", "People."),
        "group": Later(f"{HERE}.identity", "groups", "Groups of people."),
        "key": Later(f"{HERE}.identity", "keys", "API keys for programs."),
        "export": Later(f"{HERE}.export", "app", "Write what people decided to a file, for evaluations and training."),
        "doctor": Later(
            f"{HERE}.doctor", "doctor", "Check everything that Orkestra needs, and say what to do about what is wrong."
        ),
        "events": Later(f"{HERE}.events", "app", "Events that could not be handled. For operators."),
        "migrate": Later(
            f"{HERE}.schema",
            "migrate",
            "Create roles and schemas where absent and run every migration that has not run; safe to repeat.",
        ),
        "serve": Later(f"{HERE}.serve", "app", "", hidden=True),
    }


EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing runs or answers, 4 refused, 5 not yet, 130 Ctrl-C."

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # they would print secrets that stand in local variables
    help="Orkestra: workflows that ask people.",
    epilog=EXIT_CODES,
)


@app.callback()
def orkestra() -> None:
    """Exit codes: 0 done, 1 failed, 2 wrong usage, 3 nothing runs or answers, 4 refused, 5 not yet, 130 Ctrl-C.

    A refusal says what to do next; the same command may succeed later only after 1, 3 and 5. With --json an answer is
    what the REST door answers, lists with all their pages in one, and an error is one line of JSON on standard error:
    code, detail, errors, next. Colours are for terminals; NO_COLOR switches them off.
    `orkestra --install-completion` has the shell complete commands and options.
    """


def run() -> NoReturn:
    """Runs the command line of this process; with --json a mistake in it is told as JSON too."""
    try:
        code = app(standalone_mode=False) if "--json" in sys.argv else app()
    except ClickException as wrong:
        said = UsageError(wrong.format_message()).said()
        Output(as_json=True).refuse((), said)
        code = wrong.exit_code
    except SystemExit as ended:
        code = ended.code
    _end(code)


def _end(code: Any) -> NoReturn:
    """End the process. Threads of Temporal's library may abort Python's own end, which would change the exit code."""
    if "temporalio.bridge" not in sys.modules or not isinstance(code, int | None):
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code or 0)
