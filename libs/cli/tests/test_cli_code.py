"""Mistakes in an author's code are told in a few lines: the file, the line, what is wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from orkestra.cli.code import CodeError, load
from orkestra.cli.ports import free_port
from orkestra.cli.refusals import CommandError
from orkestra.testkit.waiting import eventually_sync

GOOD = """
from orkestra.sdk import Context, workflow

@workflow("mended")
async def mended(ctx: Context, input: dict[str, str]) -> str:
    return "mended"
"""
MISTAKES = [
    ("broken_syntax", "x = (1,\ny = 2\n", "line 1: SyntaxError: '(' was never closed", "x = (1,"),
    ("broken_import", "import pandaz\n", "line 1: ModuleNotFoundError: No module named 'pandaz'", "import pandaz"),
    ("broken_name", "\n\nx = nothing\n", "line 3: NameError: name 'nothing' is not defined", "x = nothing"),
    ("broken_call", "import json\n\njson.loads('{')\n", "line 3: JSONDecodeError: Expecting property", "json.loads("),
]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "orkestra.cli", "worker", "run", "flows", *words]


def surroundings() -> dict[str, str]:
    """An installation of which nothing answers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORKESTRA_")}
    nowhere = f"127.0.0.1:{free_port()}"
    places = {f"ORKESTRA_{name}_ADDRESS": nowhere for name in ("TEMPORAL", "IDENTITY", "TASK", "WORKFLOW")}
    return kept | places | {"ORKESTRA_WORKER_KEY": "none"}


@pytest.mark.parametrize(("module", "text", "told", "line"), MISTAKES)
def test_a_mistake_in_the_code_is_told_by_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, text: str, told: str, line: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # and sys.path is afterwards as it was before
    (tmp_path / f"{module}.py").write_text(text, "utf-8")
    with pytest.raises(CodeError) as wrong:
        load([module])
    first, second, step = wrong.value.lines()
    assert first.startswith(f"{module}.py, {told}"), first
    assert (second.strip().startswith(line), step) == (True, "Mend it, and try again.")


def test_a_module_that_is_not_there_is_told_from_one_that_it_imports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CommandError) as missing:
        load(["no_such_package.workflows"])
    assert (missing.value.code, missing.value.detail) == (
        "MODULE_NOT_FOUND",
        "There is no module no_such_package.workflows.",
    )


def test_programs_are_told_the_place_as_well(tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text("x = (1,\n", "utf-8")
    ran = subprocess.run(
        command("--json"), cwd=tmp_path, capture_output=True, text=True, check=False, env=surroundings()
    )
    said = json.loads(ran.stderr)
    assert (ran.returncode, said["code"], said["errors"][0]["path"]) == (1, "CODE_BROKEN", "flows.py, line 1")


def test_a_worker_that_reloads_says_the_mistake_and_starts_again_once_it_is_mended(tmp_path: Path) -> None:
    code, out = tmp_path / "flows.py", tmp_path / "out"
    code.write_text("x = (1,\n", "utf-8")
    with out.open("wb") as told:
        worker = subprocess.Popen(command("--reload"), cwd=tmp_path, stdout=told, stderr=told, env=surroundings())
    try:
        eventually_sync(lambda: "It starts again when the code changes." in out.read_text("utf-8"), timeout=60)
        code.write_text(GOOD, "utf-8")
        eventually_sync(lambda: "Temporal at 127.0.0.1" in out.read_text("utf-8"), timeout=60)
    finally:
        worker.terminate()
        worker.wait(60)
    assert "Traceback" not in out.read_text("utf-8")
