"""Which refusals the code can raise: found by reading it, so that none is left out of docs/errors.md."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from orkestra.wire.errors import KINDS

from tools.reference.markdown import Gap

CLASSES = {kind.__name__: kind.kind for kind in KINDS.values()}
SHAPE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
BY_STATUS = {400: "invalid_argument", 404: "not_found", 405: "invalid_argument", 415: "invalid_argument"}
"""What the REST door answers before a request reaches a room, by HTTP status: the table CODES of its problems."""


@dataclass(frozen=True, order=True)
class Raised:
    """One place where one refusal is made."""

    reason: str
    kind: str
    by: str
    """The package: the folder below libs/ or services/."""
    status: int | None = None
    """The HTTP status where it is not that of the kind."""


def raised_in(root: Path) -> set[Raised]:
    """Returns every refusal of the libraries and services; raises Gap where one's reason cannot be read."""
    paths = [*root.glob("libs/*/src/**/*.py"), *root.glob("services/*/src/**/*.py")]
    passed_over = ("orkestra/v1/", "orkestra/testkit/", "orkestra/cli/")
    found: set[Raised] = set()
    for path in sorted(paths):
        if not any(part in path.as_posix() for part in passed_over):
            found |= set(_raised(path, root))
    return found


def failures_in(root: Path) -> set[str]:
    """Returns every type of failure that a run of a workflow can end with by the SDK and workflow-worker."""
    paths = [*root.glob("libs/sdk/src/**/*.py"), *root.glob("services/workflow-worker/src/**/*.py")]
    return {word for path in sorted(paths) for word in _failures(_tree(path))}


def _failures(tree: ast.Module) -> Iterator[str]:
    """The types given as type=…, and those given first to a function of the module that raises with them."""
    raising = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and any(_name(call.func) == "ApplicationError" for call in _calls(node))
    }
    for call in _calls(tree):
        for keyword in call.keywords:
            if keyword.arg == "type":
                yield from _words(keyword.value)
        if _name(call.func) in raising and call.args:
            yield from _words(call.args[0])


def _raised(path: Path, root: Path) -> Iterator[Raised]:
    tree = _tree(path)
    package = path.relative_to(root).parts[1]
    for call in _calls(tree):
        kind = CLASSES.get(_name(call.func))
        if kind is None or not call.args:
            continue
        reasons = _reasons(call, tree, path)
        if not reasons:
            where = f"{path.relative_to(root)}:{call.lineno}"
            raise Gap(f"the reason of the refusal at {where} cannot be read; write it there, or in a table REASONS.")
        yield from (Raised(reason, kind, package) for reason in reasons)
    for status, reason in _by_status(tree):
        yield Raised(reason, BY_STATUS[status], package, status)


def _reasons(call: ast.Call, tree: ast.Module, path: Path) -> set[str]:
    """The reasons that a call can give: written in it, or in the tables that it looks them up in."""
    first = call.args[0]
    if isinstance(first, ast.Starred) or not (written := _words(first)):
        names = {_name(one.value) for one in ast.walk(call) if isinstance(one, ast.Subscript)} | {_name(first)}
        tables = [table for name in names for table in _tables(name, tree, path)]
        return {word for table in tables for word in _words(table)}
    return written


def _tables(name: str, tree: ast.Module, path: Path) -> Iterator[ast.expr]:
    """The module-level values of a name, here or in the module of the same package that it comes from."""
    for node in tree.body:
        if isinstance(node, ast.AnnAssign | ast.Assign) and node.value is not None:
            targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
            if name in [_name(target) for target in targets]:
                yield node.value
        if isinstance(node, ast.ImportFrom) and name in [one.name for one in node.names]:
            source = path.with_name(f"{(node.module or '').rpartition('.')[2]}.py")
            if source.exists() and source != path:
                yield from _tables(name, _tree(source), source)


def _by_status(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and _name(node.targets[0]) == "CODES" and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, int) and isinstance(value, ast.Constant):
                    yield key.value, str(value.value)


def _words(node: ast.expr) -> set[str]:
    """The words in the shape of a reason; INTERNAL is the one without an underscore."""
    texts = {one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)}
    return {text for text in texts if SHAPE.fullmatch(text) or text == "INTERNAL"}


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))
