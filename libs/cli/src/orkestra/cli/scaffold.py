"""`orkestra init` and `orkestra workflow new`: files to begin with."""

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated, NoReturn

import typer
from orkestra.cli.connection import REFUSED, USAGE

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Lower-case words joined by hyphens.")]


def init(
    name: NameArgument,
    *,
    wheels: Annotated[
        Path | None, typer.Option("--wheels", "--find-links", help="Folder with Orkestra's wheels (`make wheels`).")
    ] = None,
) -> None:
    """Make a project in the folder NAME: a workflow, a form, a test, a Dockerfile and Helm values."""
    folder, module = Path(name), _module(name)
    links = "" if wheels is None else f"--find-links {wheels.absolute()} "
    words = {"name": name, "module": module, "function": module, "file": "workflows", "links": links}
    made = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        ".gitignore": "gitignore",
        "Dockerfile": "Dockerfile",
        "deploy/values.yaml": "values.yaml",
        f"src/{module}/workflows.py": "workflow.py",
        "tests/test_workflows.py": "test.py",
    }
    _write(folder, made, words)
    (folder / "src" / module / "__init__.py").touch()
    typer.echo(f"Made {folder}. Next:\n\n  cd {folder}\n  python3 -m venv .venv")
    typer.echo(
        f"  .venv/bin/pip install {links}-e '.[dev]'\n  .venv/bin/python -m pytest\n\nREADME.md says how to run it."
    )


def new_workflow(name: NameArgument) -> None:
    """Add a workflow with its form and its test to the project of this folder."""
    file = _module(name)
    packages = sorted(path.parent.name for path in Path("src").glob("*/__init__.py"))
    if len(packages) != 1:
        _end(USAGE, "Call it in a project's folder, where src/ has one package: `orkestra init NAME` makes one.")
    module = packages[0]
    words = {"name": name, "module": module, "function": file, "file": file}
    _write(Path(), {f"src/{module}/{file}.py": "workflow.py", f"tests/test_{file}.py": "test.py"}, words)
    typer.echo(
        f"Made src/{module}/{file}.py and tests/test_{file}.py. `orkestra worker run {module}.{file}` serves it."
    )


def _write(folder: Path, made: Mapping[str, str], words: Mapping[str, str]) -> None:
    """Write every file from its template, or none where one is there already."""
    taken = [str(folder / path) for path in made if (folder / path).exists()]
    if taken:
        _end(REFUSED, f"{', '.join(taken)} would be overwritten: choose another name or another folder.")
    for path, template in made.items():
        text = (files("orkestra.cli") / "project" / f"{template}.template").read_text("utf-8")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(Template(text).substitute(words), "utf-8")


def _module(name: str) -> str:
    if not NAME.fullmatch(name):
        _end(USAGE, f"{name} is no name: lower-case words joined by hyphens, such as vacation-request.")
    return name.replace("-", "_")


def _end(code: int, text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(code)
