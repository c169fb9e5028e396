"""What the house promises about its own tree, held by reading it."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = sorted(path.parent for path in (ROOT / "services").glob("*/pyproject.toml"))
ROOMS = {
    "__init__.py",
    "__main__.py",
    "py.typed",
    "settings.py",
    "routes.py",
    "tools.py",
    "consumers.py",
    "workflows.py",
    "operations.py",
    "activities.py",
    "rules.py",
    "rules",
    "queries.sql",
    "routes",
    "tools",
    "operations",
    "channels",
    "migrations",
    "templates",
    "static",
    "translations",
    "__pycache__",
}
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 40


def sources() -> list[Path]:
    found = [path for folder in ("libs", "services", "examples", "tools") for path in (ROOT / folder).rglob("*.py")]
    passed_over = ("orkestra/v1/", "/tests/", "/node_modules/")
    return [path for path in found if not any(part in path.as_posix() for part in passed_over)]


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(path.read_text("utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def lines_of_code(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count a function's lines after its signature and docstring."""
    statements = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - statements[0].lineno + 1 if statements else 0


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: path.name)
def test_a_service_has_only_the_rooms_of_the_house(service: Path) -> None:
    module = service / "src" / "orkestra" / service.name.replace("-", "_")
    assert {path.name for path in module.iterdir()} <= ROOMS
    assert (service / "README.md").exists()


def test_no_file_outgrows_a_reader() -> None:
    long = {str(path.relative_to(ROOT)): n for path in sources() if (n := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_no_function_outgrows_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in sources()
        for node in functions(path)
        if lines_of_code(node) > MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.read_text().strip() and ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None
    ]
    assert silent == []


def test_the_environment_is_read_only_where_a_service_is_put_together() -> None:
    reading = [
        str(path.relative_to(ROOT))
        for path in sources()
        if "os.environ" in path.read_text("utf-8")
        and "services/" in path.as_posix()
        and path.name not in ("settings.py", "__main__.py")
    ]
    assert reading == []


def test_every_member_of_the_workspace_is_named_as_a_source() -> None:
    sources_table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["uv"]["sources"]
    members = [
        path for pattern in ("libs", "services", "examples") for path in (ROOT / pattern).glob("*/pyproject.toml")
    ]
    names = {tomllib.loads(path.read_text("utf-8"))["project"]["name"] for path in members}
    assert names == set(sources_table)


def test_every_dependency_is_pinned_with_a_hash_and_no_host_is_named() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    assert "://" not in lock
    pinned = {line.split("==")[0] for line in lock.splitlines() if line and not line.startswith((" ", "#", "-"))}
    wanted = {
        dependency.split("[")[0].split(">")[0].split("=")[0].strip().lower()
        for path in ROOT.glob("*/*/pyproject.toml")
        for dependency in tomllib.loads(path.read_text("utf-8"))["project"]["dependencies"]
        if not dependency.startswith("orkestra-")
    }
    assert wanted <= pinned
    assert lock.count("--hash=sha256:") >= len(pinned)
