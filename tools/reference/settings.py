"""docs/settings.md: every variable that a process reads, from the settings classes."""

import importlib
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

from orkestra.chassis import settings as shared
from orkestra.chassis.settings import PREFIX, ServiceSettings
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tools.reference import markdown
from tools.reference.markdown import Gap, code

ABOUT = """
Every process reads its settings once, when it starts, from environment variables. A variable with the prefix
`ORKESTRA_` that the process does not know, one that is missing and one that does not fit stop the start; the sentence
names it and says what is known instead. What was read is logged at the start, with secrets starred.

A **secret** may also come from a file: `ORKESTRA_<NAME>_FILE` names it, in the place of `ORKESTRA_<NAME>`. That is how
a mounted Kubernetes Secret gets in.

The local stack (`make up`) sets all of this itself. Tests read `ORKESTRA_TEST_*` besides, which no process takes for a
setting.
"""
TITLES = {
    "ServiceSettings": "Every process",
    "DatabaseSettings": "Processes with a schema of their own",
    "NatsSettings": "Processes that tell or hear events",
    "IdentitySettings": "Processes that act as themselves",
    "GrpcSettings": "Processes that serve gRPC",
    "HttpSettings": "Processes that serve HTTP",
}
NAMES = {"str": "text", "int": "whole number", "float": "number", "bool": "`true` or `false`"}
BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than", "pattern": "matches"}


def page(root: Path) -> str:
    """Returns the page."""
    readers = _readers(root)
    declaring = _declaring(readers)
    sections = [
        _section(declared, [name for name, reader in readers.items() if issubclass(reader, declared)], readers)
        for declared in declaring
    ]
    return markdown.page("Settings", ABOUT, *sections)


def _readers(root: Path) -> dict[str, type[ServiceSettings]]:
    """The settings class of each process, by the process's name."""
    found: dict[str, type[ServiceSettings]] = {}
    for path in sorted(root.glob("services/*/src/orkestra/*/settings.py")):
        module = importlib.import_module(f"orkestra.{path.parent.name}.settings")
        service = path.parents[3].name
        leaves = _leaves(module)
        for leaf in leaves:
            role = leaf.__name__.removesuffix("Settings").lower()
            found[service if len(leaves) == 1 else f"{service} ({role})"] = leaf
    return found


def _leaves(module: ModuleType) -> list[type[ServiceSettings]]:
    """The classes of a module that a process is given, not those that they have in common."""
    classes = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, ServiceSettings) and value.__module__ == module.__name__
    ]
    return [one for one in classes if not any(one in other.__mro__[1:] for other in classes)]


def _declaring(readers: dict[str, type[ServiceSettings]]) -> list[type[BaseModel]]:
    """The classes that declare a setting: first those that processes share."""
    ordered: dict[type[BaseModel], None] = {}
    for name in TITLES:
        ordered[getattr(shared, name)] = None
    for reader in readers.values():
        for one in reversed(reader.__mro__):
            if issubclass(one, BaseModel) and one is not BaseModel:
                ordered[one] = None
    return [one for one in ordered if _own(one)]


def _own(declared: type[BaseModel]) -> list[str]:
    return [name for name in inspect.get_annotations(declared) if name in declared.model_fields]


def _section(declared: type[BaseModel], names: list[str], readers: dict[str, type[ServiceSettings]]) -> str:
    title = TITLES.get(declared.__name__)
    if title is None and declared.__module__.startswith("orkestra.chassis"):
        title = markdown.sentence(declared.__doc__ or "").rstrip(".")
    read_by = "every process" if len(names) == len(readers) else ", ".join(names)
    rows = [_row(name, declared.model_fields[name]) for name in _own(declared)]
    text = f"Read by: {read_by}." if title else ""
    heads = ("Variable", "Type", "Default", "What it says")
    return f"## {title or _of_service(names)}\n\n{text}\n\n{markdown.table(heads, rows)}".replace("\n\n\n\n", "\n\n")


def _of_service(names: list[str]) -> str:
    services = sorted({name.split(" (")[0] for name in names})
    return names[0] if len(names) == 1 else ", ".join(services)


def _row(name: str, field: FieldInfo) -> tuple[str, str, str, str]:
    if not field.description:
        raise Gap(f"{PREFIX}{name.upper()} has no description; give its Field one.")
    return code(PREFIX + name.upper()), _type(field), _default(field), markdown.plain(field.description)


def _type(field: FieldInfo) -> str:
    kinds = [one for one in _kinds(field.annotation) if one is not type(None)]
    named = " or ".join(_name(kind) for kind in kinds)
    bounds = [
        f"{word} {code(str(value))}"
        for bound in field.metadata
        for attribute, word in BOUNDS.items()
        if (value := getattr(bound, attribute, None)) is not None
    ]
    return ", ".join([named, *bounds])


def _kinds(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    members = get_args(annotation)
    return [kind for member in members for kind in _kinds(member)] if members else [annotation]


def _name(kind: Any) -> str:
    if kind is SecretStr:
        return "**secret**"
    if isinstance(kind, type):
        return NAMES.get(kind.__name__, kind.__name__)
    return code(str(kind))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is PydanticUndefined or field.default is None:
        return "none"
    if isinstance(field.default, SecretStr):
        return "none" if not field.default.get_secret_value() else "set"
    if isinstance(field.default, bool):
        return code(str(field.default).lower())
    if isinstance(field.default, float):
        return code(f"{field.default:g}")
    return code(str(field.default)) if str(field.default) else "empty"
