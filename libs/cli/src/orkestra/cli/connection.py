"""Commands that ask a REST door: where it is, who asks, what a refusal says and which exit code it is."""

import asyncio
import inspect
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer
from orkestra.cli.output import Output
from orkestra.cli.state import StateDir, StateError
from orkestra.wire import Error

if TYPE_CHECKING:
    from orkestra.sdk import Client

FAILED = 1
USAGE = 2
UNREACHABLE = 3
REFUSED = 4
NOT_YET = 5
Actor = Literal["admin", "operator", "person"]
F = TypeVar("F", bound=Callable[..., Awaitable[None]])

DEFAULT_STATE = Path(".orkestra")
OPTIONS: Mapping[str, tuple[Any, Any]] = {  # what every command that asks the door takes besides its own
    "url": (
        Annotated[
            str | None, typer.Option("--url", envvar="ORKESTRA_URL", help="The REST door; the local stack's if absent.")
        ],
        None,
    ),
    "key": (
        Annotated[
            str | None,
            typer.Option("--key", envvar="ORKESTRA_API_KEY", help="API key; one of the local stack's if absent."),
        ],
        None,
    ),
    "acting": (
        Annotated[
            str | None,
            typer.Option(
                "--as", help="Act as this person: e-mail address. Asks for the password except of demo people."
            ),
        ],
        None,
    ),
    "tenant": (
        Annotated[str | None, typer.Option("--tenant", help="With --as: the tenant's slug, where it is not plain.")],
        None,
    ),
    "state_dir": (Annotated[Path, typer.Option("--state-dir", help="Folder of the local stack.")], DEFAULT_STATE),
    "as_json": (Annotated[bool, typer.Option("--json", help="Print JSON, as the REST door answers.")], False),
}


class NothingRunsError(Exception):
    """There is no door to ask; the text says what to do."""


class UsageError(Exception):
    """The command line cannot be meant so; the text says what to write."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The options of `OPTIONS` as they were given."""

    url: str | None
    key: str | None
    acting: str | None
    tenant: str | None
    state_dir: Path
    as_json: bool


@dataclass(frozen=True)
class Session:
    """What a command works with."""

    client: "Client"
    output: Output


def asks(app: typer.Typer, name: str, *, acts_as: Actor = "admin") -> Callable[[F], F]:
    """Make an async function `(session, …)` a command of `app` that asks the REST door.

    `acts_as` is whose key of the local stack it takes where none is given; `person` needs `--as`.
    """

    def register(function: F) -> F:
        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        common = [
            inspect.Parameter(option, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
            for option, (kind, default) in OPTIONS.items()
        ]

        def run(**given: Any) -> None:
            asked = Asked(**{option: given.pop(option) for option in OPTIONS})
            ask(lambda session: function(session, **given), asked, acts_as)

        run.__signature__ = inspect.Signature([*own, *common])  # type: ignore[attr-defined]  # what Typer reads
        run.__annotations__ = {one.name: one.annotation for one in [*own, *common]}
        run.__doc__ = function.__doc__
        app.command(name)(run)
        return function

    return register


def ask(work: Callable[[Session], Awaitable[None]], asked: Asked, acts_as: Actor) -> None:
    """Run one command; what is refused is said with the next step and ends with its exit code."""
    output = Output(as_json=asked.as_json)
    try:
        asyncio.run(_ask(work, asked, acts_as, output))
    except Error as refused:
        _say_refusal(output, refused)
        raise typer.Exit(exit_code(refused)) from None
    except NothingRunsError as nothing:
        output.warn(str(nothing))
        raise typer.Exit(UNREACHABLE) from None
    except UsageError as wrong:
        output.warn(str(wrong))
        raise typer.Exit(USAGE) from None
    except StateError as unusable:
        output.warn(str(unusable))
        raise typer.Exit(FAILED) from None


def exit_code(refused: Error) -> int:
    """Return the exit code of a refusal, as `orkestra --help` lists them."""
    if refused.kind == "unavailable":
        return UNREACHABLE
    return FAILED if refused.retryable else REFUSED


async def _ask(work: Callable[[Session], Awaitable[None]], asked: Asked, acts_as: Actor, output: Output) -> None:
    async with await _connect(asked, acts_as) as client:
        await work(Session(client, output))


async def _connect(asked: Asked, acts_as: Actor) -> "Client":
    from orkestra.sdk import Client  # noqa: PLC0415 - takes a second to import

    state = StateDir(asked.state_dir)
    local = state.stack or {}
    url = asked.url or local.get("rest")
    if url is None:
        raise NothingRunsError(
            f"No stack runs in {asked.state_dir}: start one with `orkestra dev --detach`, or say where the REST door "
            "is with --url or ORKESTRA_URL."
        )
    if asked.acting is not None:
        password = _password(asked.acting, local if asked.url is None else {})
        return await Client.sign_in(url, asked.acting, password, tenant=asked.tenant)
    if asked.key is None and acts_as == "person":
        raise UsageError(f"This needs a person: say who with --as EMAIL.{_people(local)}")
    key = asked.key or (_local_key(state, local, acts_as) if asked.url is None else None)
    if key is None:
        raise UsageError(f"{url} wants to know who asks: give --key, ORKESTRA_API_KEY or --as EMAIL.")
    return Client(url, key)


def _local_key(state: StateDir, local: Mapping[str, Any], acts_as: Actor) -> str | None:
    if acts_as == "operator":
        return state.secrets()["service_key"]
    key: str | None = local.get("api_keys", {}).get("admin")
    return key


def _password(email: str, local: Mapping[str, Any]) -> str:
    known = {user["email"]: user["password"] for user in local.get("users", [])}
    if email in known:
        password: str = known[email]
        return password
    if not sys.stdin.isatty():
        raise UsageError(
            f"{email} is not one of the local stack's people, and a password is asked for at a terminal only: "
            "give the token of a session by --key instead."
        )
    asked: str = typer.prompt(f"Password of {email}", hide_input=True, err=True)
    return asked


def _people(local: Mapping[str, Any]) -> str:
    known = ", ".join(user["email"] for user in local.get("users", []))
    return f" The local stack has {known}." if known else ""


def _say_refusal(output: Output, refused: Error) -> None:
    step = next_step(refused)
    if output.as_json:
        errors = [{"path": one.path, "code": one.code, "message": one.message} for one in refused.errors]
        said = {"code": refused.reason, "detail": refused.message, "errors": errors, "next": step}
        output.warn(json.dumps(said, ensure_ascii=False))
        return
    output.warn(f"{refused.message} [{refused.reason}]")
    for error in refused.errors:
        if error.message not in refused.message:
            output.warn(f"  {error.path or 'all of it'}: {error.message}")
    if step:
        output.warn(step)


STEPS = {  # by reason, or else by kind
    "DOOR_UNREACHABLE": "Start the local stack with `orkestra dev --detach`, or give --url.",
    "TASK_NOT_OPEN": "`orkestra task show` says who has it.",
    "TASK_NOT_FOUND": "`orkestra task list` shows the tasks that you may see.",
    "DEFINITION_NOT_FOUND": "`orkestra workflow definitions` lists what can be started.",
    "INPUT_INVALID": "`orkestra workflow definitions --json` shows what the input looks like.",
    "WORKFLOW_NOT_FOUND": "`orkestra workflow list` shows the runs that you may see.",
    "ROUTE_NOT_FOUND": "This installation does not offer it.",
    "unauthenticated": "Give a key that is valid: --key or ORKESTRA_API_KEY, or a person: --as EMAIL.",
    "permission_denied": "Ask as somebody who may: --as EMAIL, or --key with another key.",
    "version_mismatch": "Look at it again before you decide.",
    "unavailable": "Try again shortly; `orkestra dev status` says what runs here.",
    "resource_exhausted": "Wait a little before you try again.",
}


def next_step(refused: Error) -> str | None:
    """Return what to do about a refusal, where it is known."""
    return STEPS.get(refused.reason) or STEPS.get(refused.kind)


def json_of(text: str | None, *, option: str) -> Any:
    """Return the JSON of an option: the text itself, `@FILE`, or `-` for standard input."""
    if text is None:
        return None
    try:
        if text == "-":
            text = typer.get_text_stream("stdin").read()
        elif text.startswith("@"):
            text = Path(text[1:]).read_text("utf-8")
        return json.loads(text)
    except (OSError, ValueError) as wrong:
        raise UsageError(f"{option} takes JSON, @FILE with JSON, or - for standard input: {wrong}") from None


def object_of(text: str | None, *, option: str) -> dict[str, Any]:
    """Return the JSON object of an option."""
    value = json_of(text, option=option)
    if not isinstance(value, dict):
        raise UsageError(f'{option} takes a JSON object, such as {{"name": "value"}}.')
    return value
