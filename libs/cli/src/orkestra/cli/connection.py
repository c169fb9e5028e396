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
from orkestra.cli.options import StateOption
from orkestra.cli.output import Output
from orkestra.cli.people import People
from orkestra.cli.refusals import CommandError, DoorError, NothingRunsError, UsageError, refusals
from orkestra.cli.state import StateDir
from orkestra.wire import Error

if TYPE_CHECKING:
    from orkestra.sdk import Client

Actor = Literal["admin", "operator", "person"]
F = TypeVar("F", bound=Callable[..., Awaitable[None]])

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
    "state_dir": (StateOption, inspect.Parameter.empty),
    "as_json": (Annotated[bool, typer.Option("--json", help="Print JSON, as the REST door answers.")], False),
}


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
    people: People

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on where `yes` was said already or is said now.

        Refuses (CommandError, NOT_CONFIRMED) a no, and where nobody can be asked (UsageError): programs are not.
        """
        if yes:
            return
        step = "--yes does it without being asked."
        if self.output.as_json:
            raise UsageError("Nothing was changed: with --json nobody is asked.", step=step)
        try:
            is_meant = typer.confirm(question, err=True)
        except typer.Abort:  # the end of the input
            self.output.warn("")
            raise UsageError("Nothing was changed: nobody answered.", step=step) from None
        if not is_meant:
            raise CommandError("Nothing was changed.", step=step, code="NOT_CONFIRMED")


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
    with refusals(output):
        try:
            asyncio.run(_ask(work, asked, acts_as, output))
        except Error as refused:
            raise DoorError(refused) from None


async def _ask(work: Callable[[Session], Awaitable[None]], asked: Asked, acts_as: Actor, output: Output) -> None:
    async with await _connect(asked, acts_as) as client:
        await work(Session(client, output, People(client)))


async def _connect(asked: Asked, acts_as: Actor) -> "Client":
    from orkestra.sdk import Client  # noqa: PLC0415 - takes a second to import

    state = StateDir(asked.state_dir)
    local = state.stack or {}
    url = asked.url or local.get("rest")
    if url is None:
        step = "Start one with `orkestra dev --detach`, or say where the REST door is with --url or ORKESTRA_URL."
        raise NothingRunsError(f"No stack runs in {asked.state_dir}.", step=step)
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
