"""Commands whose code is imported when they are called, so that `orkestra` itself starts at once."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from orkestra.cli.interrupts import ending_at_once
from typer._click.core import Command as AnyCommand
from typer._click.core import Context
from typer.core import TyperGroup
from typer.main import get_command, get_group


@dataclass(frozen=True)
class Later:
    """A command, or a group of them, that stands in a module under a name; `help` is the first line of its own."""

    module: str
    name: str
    help: str
    hidden: bool = False

    def load(self, word: str) -> AnyCommand:
        """Import the module and return the command as `word` calls it."""
        with ending_at_once():
            found: Any = getattr(import_module(self.module), self.name)
        if isinstance(found, typer.Typer):
            group: AnyCommand = get_group(found)
        else:
            alone = typer.Typer(add_completion=False)
            alone.command(word)(found)
            group = get_command(alone)
        group.name, group.hidden = word, self.hidden
        return group


class LaterGroup(TyperGroup):
    """A group that knows its commands by name and first line; a subclass says which in `later`."""

    later: ClassVar[dict[str, Later]] = {}

    def list_commands(self, ctx: Context) -> list[str]:  # noqa: ARG002 - the interface
        """Every command, also the hidden ones."""
        return list(self.later)

    def get_command(self, ctx: Context, cmd_name: str) -> AnyCommand | None:  # noqa: ARG002 - the interface
        """What lists and completions show of a command; nothing is imported for it."""
        known = self.later.get(cmd_name)
        return None if known is None else TyperGroup(name=cmd_name, help=known.help, hidden=known.hidden)

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, AnyCommand | None, list[str]]:
        """The command that is called, imported."""
        self.commands = {word: TyperGroup(name=word) for word in self.later}  # Typer suggests one of these names
        word, found, rest = super().resolve_command(ctx, args)
        return word, found if word is None else self.load(word), rest

    def load(self, word: str) -> AnyCommand:
        """Import one command."""
        return self.later[word].load(word)
