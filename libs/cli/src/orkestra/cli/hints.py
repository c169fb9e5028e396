"""The commands that an answer names, told so that they work as they are printed."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from typer._click.core import ParameterSource
from typer._click.globals import get_current_context

NAMED = re.compile(r"`(orkestra (\w+)[^`]*)`")
REPEATED = {"url": "--url", "key": "--key", "acting": "--as", "tenant": "--tenant", "state_dir": "--state-dir"}
DOOR = frozenset({"workflow", "task", "tenant", "user", "group", "key", "export"})
"""Commands that ask the REST door take all of these; the others, but `init`, know the folder alone."""
PLACES = {"TASK_ID": "task_id", "WORKFLOW_ID": "workflow_id", "BUSINESS_ID": "business_id"}


@dataclass(frozen=True)
class Hints:
    """What the command that runs was given on its command line, for those that it names to be given too."""

    options: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_this_command(cls) -> "Hints":
        """Return those of the running command; none outside of one. Keys are secrets, and told as `KEY`."""
        context = get_current_context(silent=True)
        if context is None:
            return cls()
        given = {
            option: "KEY" if option == "--key" else str(context.params[name])
            for name, option in REPEATED.items()
            if name in context.params and context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        }
        values = {place: str(context.params[name]) for place, name in PLACES.items() if context.params.get(name)}
        return cls(given, values)

    def told(self, text: str) -> str:
        """Return the text with every `orkestra …` in it whole: its ids filled in, its options repeated."""
        return NAMED.sub(lambda found: f"`{self._whole(found[1], found[2])}`", text)

    def _whole(self, command: str, word: str) -> str:
        words = [shlex.quote(self.values[one]) if one in self.values else one for one in command.split(" ")]
        taken = REPEATED.values() if word in DOOR else () if word == "init" else ("--state-dir",)
        for option in taken:
            if option in self.options and option not in words:
                words += [option, shlex.quote(self.options[option])]
        return " ".join(words)
