"""What is wrong with a form or with data: a place, a stable code and a sentence."""

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Problem:
    """One error. `path` names the place (`answer`, `rows[2].amount`; empty for the whole), `code` is stable."""

    path: str
    code: str
    message: str

    def under(self, prefix: str) -> "Problem":
        """Returns the same problem seen from a document that holds this one at `prefix`."""
        return replace(self, path=join(prefix, self.path))


class Invalid(ValueError):  # noqa: N818 - a refusal, named like the kinds of orkestra.wire
    """A form or data that is refused, with every problem found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{p.path or 'the whole'}: {p.message}" for p in self.problems))


def join(prefix: str, name: str | int) -> str:
    """Returns the path of `name` (a key, an index or a path) within `prefix`."""
    if isinstance(name, int):
        return f"{prefix}[{name}]"
    if not prefix or not name:
        return prefix or name
    return f"{prefix}{name}" if name.startswith("[") else f"{prefix}.{name}"


def path_of(parts: Iterable[str | int]) -> str:
    """Returns the path of a chain of keys and indexes."""
    path = ""
    for part in parts:
        path = join(path, part)
    return path
