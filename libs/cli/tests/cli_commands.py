"""Every command that the command line has, for tests that hold something of all of them."""

from collections.abc import Iterator
from typing import Any

from orkestra.cli.commands import Commands, app
from typer.main import get_command


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that is shown, by the words that call it."""
    group = get_command(app)
    assert isinstance(group, Commands)
    for word in group.later:
        found: Any = group.load(word)
        if found.hidden:
            continue
        below = getattr(found, "commands", {})
        yield from ((f"{word} {name}", one) for name, one in below.items())
        if not below or found.invoke_without_command:
            yield word, found
