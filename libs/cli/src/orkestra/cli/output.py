"""What commands print: tables and sentences for people, JSON for programs, nothing that a terminal would obey."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from orkestra.cli.hints import Hints
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from pydantic import BaseModel

WIDE = 1000
"""Columns of what is no terminal: a line there is never broken."""
LAYOUT = "\n\t"


class Output:
    """Standard output and standard error of one command."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.hints = Hints.of_this_command()
        self._out = _console(stderr=False)
        self._err = _console(stderr=True)

    def say(self, text: str) -> None:
        """Print a sentence for people; programs are not told."""
        if not self.as_json:
            self._out.print(printable(text), highlight=False)

    def warn(self, text: str) -> None:
        """Print to standard error, for people and programs alike."""
        self._err.print(printable(text), highlight=False)

    def refuse(self, lines: Sequence[str], said: Mapping[str, object]) -> None:
        """Print to standard error why something is not done: these lines, or `said` as one line of JSON."""
        if self.as_json:
            told = {name: self.hints.told(one) if isinstance(one, str) else one for name, one in said.items()}
            self.warn(json.dumps(told, ensure_ascii=False))
            return
        for line in lines:
            self.warn(self.hints.told(line))

    def give(self, value: "BaseModel | Mapping[str, Any]", *lines: str) -> None:
        """Print a resource: as JSON, or as these lines."""
        if self.as_json:
            print(json_text(value))  # noqa: T201 - plain, whatever the terminal
            return
        for line in lines:
            self.say(line)

    def table(
        self, value: Mapping[str, Any], columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str
    ) -> None:
        """Print a list: `value` as JSON, or the rows as a table; `empty` where there are none."""
        if self.as_json:
            self.give(value)
            return
        from rich.table import Table  # noqa: PLC0415 - most commands print none

        table = Table(*columns, box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*(printable(cell(one)) for one in row))
        self._out.print(table if table.row_count else printable(self.hints.told(empty)))

    def ids(self, ids: Iterable[str]) -> None:
        """Print ids for scripts, one on each line."""
        for one in ids:
            print(printable(one).plain)  # noqa: T201 - plain, whatever the terminal

    @contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show on a terminal that this takes time."""
        if self.as_json or not self._err.is_terminal:
            yield
            return
        with self._err.status(printable(text)):
            yield


def json_text(value: Any) -> str:
    """Return what `--json` prints: the fields of the REST door, in its order."""
    return json.dumps(_plain(value), indent=2, ensure_ascii=False)


def printable(text: str) -> Text:
    """Return text as it may be shown: without the characters that terminals obey, and never as markup."""
    return Text("".join(one for one in text if one.isprintable() or one in LAYOUT))


def cell(value: object) -> str:
    """Return a value as a table shows it."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return str(value).replace("\n", " ")


def fields(**given: object) -> list[str]:
    """Return one line for each field that has a value."""
    shown = {name.replace("_", " "): cell(value) for name, value in given.items() if value not in (None, [], "")}
    width = max((len(name) for name in shown), default=0)
    return [f"{name:<{width}}  {value}" for name, value in shown.items()]


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _console(*, stderr: bool) -> Console:
    """A console that writes to wherever the stream leads now; NO_COLOR and what is no terminal get no colour."""
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else WIDE, soft_wrap=not stream.isatty())
