"""docs/api-reference/sdk-reference.md: everything a workflow author imports, from its signatures and docstrings."""

import logging
from collections import defaultdict
from pathlib import Path
from typing import Any

import griffe

from tools.reference import markdown
from tools.reference.markdown import Gap, block, code

ABOUT = """
A workflow imports from `orkestra.sdk`, its tests from `orkestra.sdk.testing`; nothing else is promised.
[Your first workflow](../getting-started/first-workflow.md) shows them at work, [Workflows](../concepts/workflows.md)
says what they promise.
"""
PACKAGES = ("orkestra.sdk", "orkestra.sdk.testing")
TITLES = {  # by the module that a name comes from, in the order of the page
    "definition": "Workflows",
    "context": "The context of a workflow",
    "tasks": "Tasks",
    "assignment": "Who is asked",
    "sla": "Clocks and escalation",
    "approval": "Approvals",
    "receipts": "Receipts",
    "policy": "Approval policies",
    "asking": "Questions",
    "combining": "Several tasks at once",
    "client": "The client for programs",
    "forms": "Forms",
    "rules": "Shapes",
    "v1": "Shapes",
}
WIDTH = 100


def page(root: Path) -> str:
    """Returns the page; raises Gap where something public says nothing."""
    logging.getLogger("griffe").setLevel(logging.ERROR)
    loader = griffe.GriffeLoader(search_paths=[str(path) for path in sorted(root.glob("libs/*/src"))])
    loader.load("orkestra.sdk")
    loader.resolve_aliases(implicit=True, external=True)
    silent: list[str] = []
    sections = []
    for package in PACKAGES:
        module = loader.modules_collection[package]
        sections += _package(module, package, silent)
    if silent:
        raise Gap(f"without a docstring: {', '.join(silent)}.")
    return markdown.page("SDK", ABOUT, *sections)


def _package(module: Any, package: str, silent: list[str]) -> list[str]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(module.exports or ()):
        one = _target(module, name)
        title = "Testing" if package.endswith("testing") else _title(one.path)
        groups[title].append(_entry(name, one, silent))
    order = list(dict.fromkeys([*TITLES.values(), *sorted(groups)]))
    return ["\n\n".join([f"## {title}", f"From `{package}`.", *groups[title]]) for title in order if title in groups]


def _target(module: Any, name: str) -> Any:
    """What a name means to who imports it; a function hides the module of the same name that it comes from."""
    found = module[name]
    found = found[name] if found.is_module else found
    return found.final_target if found.is_alias else found


def _title(path: str) -> str:
    parts = path.split(".")[1:-1]
    module = parts[1] if parts[0] == "sdk" and len(parts) > 1 else parts[0]
    return TITLES.get(module, module.replace("_", " ").capitalize())


def _entry(name: str, one: Any, silent: list[str]) -> str:
    parts = [f"### {name}", _signature(name, one), _said(one, name, silent)]
    if one.is_class:
        parts += [_fields(one), *[_method(name, method, silent) for method in _methods(one)]]
    return "\n\n".join(part for part in parts if part)


def _said(one: Any, name: str, silent: list[str]) -> str:
    if one.docstring is None:
        if one.is_class or one.is_function:
            silent.append(name)
        return ""
    return str(one.docstring.value)


def _signature(name: str, one: Any) -> str:
    if one.is_function:
        return block(_call(name, one), "python")
    if one.is_class:
        bases = ", ".join(str(base) for base in one.bases)
        return block(f"class {name}({bases})" if bases else f"class {name}", "python")
    return block(f"{name} = {one.value}" if one.value is not None else name, "python")


def _call(name: str, function: Any) -> str:
    """A function as it is called: on one line where it fits, else a line each."""
    shown = _parameters(function)
    answer = f" -> {function.returns}" if function.returns is not None else ""
    start = "async def" if "async" in function.labels else "def"
    line = f"{start} {name}({', '.join(shown)}){answer}"
    if len(line) <= WIDTH:
        return line
    lines = "".join(f"    {parameter},\n" for parameter in shown)
    return f"{start} {name}(\n{lines}){answer}"


def _parameters(function: Any) -> list[str]:
    shown, keyword_only = [], False
    for one in function.parameters:
        if one.name in ("self", "cls"):
            continue
        kind = one.kind.value if one.kind else ""
        if kind == "keyword-only" and not keyword_only:
            keyword_only = True
            shown.append("*")
        star = {"variadic positional": "*", "variadic keyword": "**"}.get(kind, "")
        keyword_only = keyword_only or star == "*"
        default = "" if star or one.default is None else f" = {one.default}"
        typed = f": {one.annotation}" if one.annotation is not None else ""
        shown.append(f"{star}{one.name}{typed}{default}")
    return shown


def _fields(one: Any) -> str:
    """The attributes of a class that are part of its promise."""
    rows = []
    for name, member in one.members.items():
        if name.startswith("_") or member.is_alias or not member.is_attribute or member.annotation is None:
            continue
        if "ClassVar" in str(member.annotation):
            continue
        said = markdown.sentence(str(member.docstring.value)) if member.docstring else ""
        rows.append((code(name), code(str(member.annotation)), markdown.plain(said)))
    return markdown.table(("Attribute", "Type", "What it is"), rows)


def _methods(one: Any) -> list[Any]:
    return [
        member
        for name, member in one.members.items()
        if not name.startswith("_") and not member.is_alias and member.is_function
    ]


def _method(owner: str, method: Any, silent: list[str]) -> str:
    said = _said(method, f"{owner}.{method.name}", silent)
    return f"#### {owner}.{method.name}\n\n{block(_call(method.name, method), 'python')}\n\n{said}".strip()
