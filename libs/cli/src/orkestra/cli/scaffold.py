"""`orkestra init` and `orkestra workflow new`: files to begin with."""

import re
import shutil
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated

import typer
from orkestra.cli.options import JsonOption
from orkestra.cli.output import Output
from orkestra.cli.refusals import RefusedError, UsageError, refusals

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
PROJECT = {  # file: its template
    "pyproject.toml": "pyproject.toml",
    "README.md": "README.md",
    ".gitignore": "gitignore",
    ".dockerignore": "dockerignore",
    "Dockerfile": "Dockerfile",
    "deploy/values.yaml": "values.yaml",
    "tests/test_workflows.py": "test.py",
}
NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Lower-case words joined by hyphens.")]


def init(
    name: NameArgument,
    *,
    wheels: Annotated[
        Path | None, typer.Option("--wheels", help="Folder with Orkestra's wheels (`make wheels`), which are copied.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a project in the folder NAME: a workflow, a form, a test, a Dockerfile and Helm values."""
    output = Output(as_json=as_json)
    with refusals(output):
        folder, module = Path(name), _module(name)
        links = "" if wheels is None else "--find-links wheels "
        ours = [] if wheels is None else _ours(wheels)
        words = {"name": name, "module": module, "function": module, "file": "workflows", "links": links}
        made = _write(folder, {**PROJECT, f"src/{module}/workflows.py": "workflow.py"}, words)
        (folder / "src" / module / "__init__.py").touch()
        for wheel in ours:
            (folder / "wheels").mkdir(exist_ok=True)
            shutil.copy(wheel, folder / "wheels")
    steps = [
        f"cd {folder}",
        "python3 -m venv .venv",
        f".venv/bin/pip install {links}-e '.[dev]'",
        ".venv/bin/python -m pytest",
    ]
    told = [f"Made {folder}. Next:", "", *(f"  {step}" for step in steps), "", "README.md says how to run it."]
    output.give({"folder": str(folder), "made": made, "next": steps}, *told)


def new_workflow(name: NameArgument, *, as_json: JsonOption = False) -> None:
    """Add a workflow with its form and its test to the project of this folder."""
    output = Output(as_json=as_json)
    with refusals(output):
        file = _module(name)
        packages = sorted(path.parent.name for path in Path("src").glob("*/__init__.py"))
        if len(packages) != 1:
            step = "Call it in a project's folder; `orkestra init NAME` makes one."
            raise UsageError("There is no folder src/ with one package in it here.", step=step)
        module = packages[0]
        words = {"name": name, "module": module, "function": file, "file": file}
        made = _write(Path(), {f"src/{module}/{file}.py": "workflow.py", f"tests/test_{file}.py": "test.py"}, words)
    modules = [f"{module}.{one}" for one in ("workflows", file) if Path("src", module, f"{one}.py").exists()]
    step = f"orkestra worker run {' '.join(modules)} --task-queue {module.replace('_', '-')}"
    deployed = f"To deploy it, add {module}.{file} to `modules` in deploy/values.yaml."
    output.give({"made": made, "next": [step]}, f"Made {' and '.join(made)}. `{step}` serves it.", deployed)


def _ours(wheels: Path) -> list[Path]:
    found = sorted(wheels.glob("orkestra_*.whl"))
    if not found:
        raise UsageError(f"No wheels of Orkestra are in {wheels}.", step="`make wheels` builds them into dist/.")
    return found


def _write(folder: Path, made: Mapping[str, str], words: Mapping[str, str]) -> list[str]:
    """Write every file from its template and return their names, or refuse where one is there already."""
    taken = [str(folder / path) for path in made if (folder / path).exists()]
    if taken:
        step = "Choose another name or another folder."
        raise RefusedError(f"{', '.join(taken)} would be overwritten.", step=step, code="FILE_EXISTS")
    for path, template in made.items():
        text = (files("orkestra.cli") / "project" / f"{template}.template").read_text("utf-8")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(Template(text).substitute(words), "utf-8")
    return [str(folder / path) for path in made]


def _module(name: str) -> str:
    if not NAME.fullmatch(name):
        step = "Take lower-case words joined by hyphens, such as vacation-request."
        raise UsageError(f"{name} is no name.", step=step)
    return name.replace("-", "_")
