"""Imports an author's modules, and says in a few lines what is wrong with them."""

import importlib
import linecache
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from orkestra.cli.refusals import CommandError

LONGEST_LINES = 3
"""Of what a mistake says of itself."""
NAMED = "Name modules that can be imported from here and have workflows, such as my_package.workflows."


class CodeError(CommandError):
    """The code cannot be run; the text says where and why, and the line of code follows it."""

    code = "CODE_BROKEN"

    def __init__(self, place: str, why: str, line: str | None) -> None:
        super().__init__(f"{place}: {why}", step="Mend it, and try again.", errors=[_error(place, why)])
        self._line = line

    def lines(self) -> list[str]:
        first, *rest = super().lines()
        return [first, *([f"    {self._line.strip()}"] if self._line and self._line.strip() else []), *rest]


def load(modules: Sequence[str]) -> list[ModuleType]:
    """Import the modules, also from the current folder; refuses (CommandError) what is not there or is broken."""
    sys.path.insert(0, str(Path.cwd()))
    return [_load(module, {one.partition(".")[0] for one in modules}) for module in modules]


def _load(module: str, packages: set[str]) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name is not None and f"{module}.".startswith(f"{missing.name}."):
            raise CommandError(f"There is no module {module}.", step=NAMED, code="MODULE_NOT_FOUND") from None
        raise broken(missing, packages) from None
    except Exception as wrong:  # whatever code may raise while it is imported
        raise broken(wrong, packages) from None


def broken(wrong: BaseException, packages: set[str]) -> CodeError:
    """Return what is wrong, and where in the author's own code: a file of these packages, or of this folder."""
    if isinstance(wrong, SyntaxError) and wrong.filename is not None:
        return CodeError(f"{_shown(wrong.filename)}, line {wrong.lineno}", f"{_kind(wrong)}: {wrong.msg}", wrong.text)
    said = "\n".join(str(wrong).splitlines()[:LONGEST_LINES])
    why = f"{_kind(wrong)}: {said}" if said else _kind(wrong)
    places = [
        (frame.f_code.co_filename, line)
        for frame, line in traceback.walk_tb(wrong.__traceback__)
        if _is_own(str(frame.f_globals.get("__name__")), frame.f_code.co_filename, packages)
    ]
    if not places:
        return CodeError(", ".join(sorted(packages)), why, None)
    file, line = places[-1]
    return CodeError(f"{_shown(file)}, line {line}", why, linecache.getline(file, line))


def _is_own(module: str, file: str, packages: set[str]) -> bool:
    if module.partition(".")[0] in packages:
        return True
    return Path(file).is_relative_to(Path.cwd()) and "site-packages" not in file and not module.startswith("orkestra.")


def _kind(wrong: BaseException) -> str:
    return type(wrong).__name__


def _shown(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _error(place: str, why: str) -> dict[str, str]:
    return {"path": place, "code": why.partition(":")[0], "message": why}
