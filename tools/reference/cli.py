"""docs/api-reference/cli-reference.md: every command, from the definition of `orkestra`."""

from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from orkestra.cli.commands import app
from orkestra.cli.later import LaterGroup
from typer.main import get_command

from tools.reference import markdown
from tools.reference.markdown import block, code

ABOUT = """
`orkestra` is installed into `.venv/bin` with everything else. `orkestra --help`, and `--help` after any command, says
the same as this page.
"""
VALUES = {int: "NUMBER", float: "NUMBER", Path: "PATH"}


def page() -> str:
    """Returns the page."""
    commands = _commands(get_command(app), "orkestra")
    listed = [(f"[{code(name)}](#{name.replace(' ', '-')})", _first(below)) for name, below in commands[1:]]
    parts = [part for name, below in commands[1:] for part in _section(name, below)]
    return markdown.page(
        "Command line", ABOUT, _exit_codes(), markdown.table(("Command", "What it does"), listed), *parts
    )


def _exit_codes() -> str:
    callback = app.registered_callback
    said = callback.callback.__doc__ if callback and callback.callback else None
    return markdown.plain(_unwrapped(said or ""))


def _first(command: Any) -> str:
    return markdown.plain(_unwrapped(command.help or "").partition("\n\n")[0])


def _commands(command: Any, name: str) -> list[tuple[str, Any]]:
    """A command and all below it that are shown, each with the words that call it."""
    found = [(name, command)]
    for word, below in _below(command).items():
        if not below.hidden:
            found += _commands(below, f"{name} {word}")
    return found


def _below(command: Any) -> dict[str, Any]:
    if isinstance(command, LaterGroup):
        return {word: command.load(word) for word in command.later}
    return dict(getattr(command, "commands", {}))


def _section(name: str, command: Any) -> list[str]:
    context = command.make_context(name, [], resilient_parsing=True)
    pieces = " ".join(command.collect_usage_pieces(context))
    help_text = markdown.plain(_unwrapped(command.help or ""))
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and not one.hidden]
    return [
        f"## {name}",
        help_text,
        block(f"{name} {pieces}".strip()),
        markdown.table(("Argument", "What it is"), [(code(_argument(one)), _help(one)) for one in arguments]),
        markdown.table(
            ("Option", "Default", "What it does"), [(_names(one), _default(one), _help(one)) for one in options]
        ),
    ]


def _unwrapped(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.replace("\f", "").replace("\b", "").split("\n\n"))


def _argument(argument: Any) -> str:
    name = str(argument.metavar or argument.name).upper()
    return name if argument.nargs == 1 else f"{name}..."


def _names(option: Any) -> str:
    names = ", ".join(code(name) for name in [*option.opts, *option.secondary_opts])
    return names if option.is_flag else f"{names} {code(_value(option))}"


def _value(option: Any) -> str:
    """What is written after an option: one of its choices, or the kind of value."""
    if option.metavar:
        return str(option.metavar)
    kind = option.type_descriptor.annotation
    members = get_args(kind)
    if get_origin(kind) is Literal:
        return "|".join(str(one) for one in members)
    kinds = [one for one in members or [kind] if one is not type(None)]
    if isinstance(kinds[0], type) and issubclass(kinds[0], Enum):
        return "|".join(str(one.value) for one in kinds[0])
    return str(VALUES.get(kinds[0], "TEXT"))


def _default(option: Any) -> str:
    if option.required:
        return "required"
    default = option.default
    if callable(default) or default is None or default is False or default in ((), []):
        return " "
    return code(str(default))


def _help(parameter: Any) -> str:
    text = markdown.plain(markdown.sentence(parameter.help or ""))
    named = getattr(parameter, "envvar", None)
    variables = [named] if isinstance(named, str) else list(named or [])
    return f"{text} Also {' or '.join(code(one) for one in variables)}." if variables else text
