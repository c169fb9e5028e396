"""How a command that cannot do what was asked ends: with a sentence, the next step, and its exit code."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING, Protocol

import typer

if TYPE_CHECKING:
    from orkestra.wire import Error

FAILED = 1
USAGE = 2
UNREACHABLE = 3
REFUSED = 4
NOT_YET = 5
HELP = "`--help` after the command says what it takes."


class CommandError(Exception):
    """What was asked is not done; the text says why, `step` what to do next, `code` names it for programs."""

    exit_code = FAILED
    code = "FAILED"

    def __init__(
        self, detail: str, *, step: str | None = None, code: str | None = None, errors: Sequence[Mapping[str, str]] = ()
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.step = step
        self.code = code or self.code
        self.errors = errors

    def said(self) -> Mapping[str, object]:
        """What `--json` says of it, in one line on standard error."""
        return {"code": self.code, "detail": self.detail, "errors": list(self.errors), "next": self.step}

    def lines(self) -> list[str]:
        """What people read."""
        return [self.detail, *([self.step] if self.step else [])]


class UsageError(CommandError):
    """The command line cannot be meant so; the text says what to write."""

    exit_code = USAGE
    code = "USAGE"

    def said(self) -> Mapping[str, object]:
        return {**super().said(), "next": self.step or HELP}


class NothingRunsError(CommandError):
    """What the command needs does not run or does not answer; the text says what to do."""

    exit_code = UNREACHABLE
    code = "NOTHING_RUNS"


class RefusedError(CommandError):
    """What was asked is refused; asking again changes nothing."""

    exit_code = REFUSED
    code = "REFUSED"


class DoorError(CommandError):
    """An answer of a door or room that is a refusal; its kind says whether a later try may succeed."""

    def __init__(self, refused: "Error") -> None:
        errors = [{"path": one.path, "code": one.code, "message": one.message} for one in refused.errors]
        super().__init__(refused.message, step=next_step(refused), code=refused.reason, errors=errors)
        self.exit_code = exit_code(refused)

    def lines(self) -> list[str]:
        fields = [error for error in self.errors if error["message"] not in self.detail]
        told = [f"  {error['path'] or 'all of it'}: {error['message']}" for error in fields]
        return [f"{self.detail} [{self.code}]", *told, *([self.step] if self.step else [])]


class Sayer(Protocol):
    """Where a refusal is said."""

    def refuse(self, lines: Sequence[str], said: Mapping[str, object]) -> None: ...


@contextmanager
def refusals(output: Sayer) -> Iterator[None]:
    """Say a CommandError of the block and end the process with its exit code."""
    try:
        yield
    except CommandError as refused:
        output.refuse(refused.lines(), refused.said())
        raise typer.Exit(refused.exit_code) from None


def exit_code(refused: "Error") -> int:
    """Return the exit code of a service's refusal, as `orkestra --help` lists them."""
    if refused.kind == "unavailable":
        return UNREACHABLE
    return FAILED if refused.retryable else REFUSED


STEPS = {  # by reason, or else by kind
    "DOOR_UNREACHABLE": "Start the local stack with `orkestra dev --detach`, or give --url.",
    "TASK_NOT_OPEN": "`orkestra task show TASK_ID` says who has it.",
    "TASK_NOT_LIVE": "`orkestra task show TASK_ID` says how it ended.",
    "NAME_UNKNOWN": "`orkestra user list` and `orkestra group list` show who there is.",
    "TASK_NOT_FOUND": "`orkestra task list` shows the tasks that you may see.",
    "DEFINITION_NOT_FOUND": "`orkestra workflow definitions` lists what can be started.",
    "INPUT_INVALID": "`orkestra workflow definitions --json` shows what the input looks like.",
    "WORKFLOW_NOT_FOUND": "`orkestra workflow list` shows the runs that you may see.",
    "BUILD_NOT_FOUND": "`orkestra worker run MODULES --build BUILD` serves it, on the same task queue.",
    "TASK_QUEUE_TAKEN": "Have one worker serve all the modules, or give this one a queue of its own with --task-queue.",
    "NOTHING_TO_UNDO": "`orkestra task show TASK_ID` says what became of it.",
    "BUSINESS_ID_TAKEN": "`orkestra workflow list --business-id BUSINESS_ID` shows it; another id starts another run.",
    "TASK_CLAIMED_BY_ANOTHER": "`orkestra task show TASK_ID` says who has it.",
    "DATA_INVALID": "`orkestra task show TASK_ID` shows the form.",
    "ROUTE_NOT_FOUND": "This installation does not offer it.",
    "unauthenticated": "Give a key that is valid: --key or ORKESTRA_API_KEY, or a person: --as EMAIL.",
    "permission_denied": "Ask as somebody who may: --as EMAIL, or --key with another key.",
    "version_mismatch": "Look at it again before you decide.",
    "unavailable": "Try again shortly; `orkestra doctor` says what is wrong.",
    "resource_exhausted": "Wait a little before you try again.",
}


def next_step(refused: "Error") -> str | None:
    """Return what to do about a service's refusal, where it is known: by this command, or else by docs/errors.md."""
    return STEPS.get(refused.reason) or STEPS.get(refused.kind) or _remedies().get(refused.reason)


def _remedies() -> Mapping[str, str]:
    reasons = tomllib.loads((files("orkestra.wire") / "reasons.toml").read_text("utf-8"))
    return {reason: told["remedy"] for reason, told in reasons.items() if "remedy" in told}
