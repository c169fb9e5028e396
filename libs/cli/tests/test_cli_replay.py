"""`orkestra replay` tells code that does again what it did from code that does not."""

import json
from pathlib import Path

import pytest
from orkestra.cli.commands import app
from typer.testing import CliRunner

EXAMPLES = Path(__file__).parents[3] / "examples"
RECORDED = sorted(path.parent.parent.name for path in EXAMPLES.glob("*/tests/histories"))


@pytest.mark.parametrize("example", RECORDED)
def test_the_recorded_histories_of_the_examples_replay(example: str) -> None:
    folder = EXAMPLES / example / "tests/histories"
    ran = CliRunner().invoke(app, ["replay", f"{example}.workflows", "--histories", str(folder), "--json"])
    assert ran.exit_code == 0, ran.output
    replays = json.loads(ran.stdout)["replays"]
    assert [one["failure"] for one in replays] == [None] * len(list(folder.glob("*.json")))


def test_a_mutant_that_does_something_else_first_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (EXAMPLES / "customer_support/src/customer_support/workflows.py").read_text("utf-8")
    mutant = source.replace("    result = await task(", '    await ctx.sleep("1s")\n    result = await task(', 1)
    assert mutant != source
    (tmp_path / "mutated_support.py").write_text(mutant, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    histories = str(EXAMPLES / "customer_support/tests/histories")
    ran = CliRunner().invoke(app, ["replay", "mutated_support", "--histories", histories])
    assert ran.exit_code == 1, ran.output
    assert "FAILED" in ran.stdout
    assert "workflow.patched()" in ran.stdout
    assert ("Nondeterminism error" in ran.stdout, "Some(" in ran.stdout) == (True, False)


def test_what_is_no_history_and_a_folder_without_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("{}", "utf-8")
    wrong = CliRunner().invoke(app, ["replay", "customer_support.workflows", "--histories", str(tmp_path)])
    assert (wrong.exit_code, "is no recorded history" in wrong.stderr) == (2, True)
    (tmp_path / "other.json").unlink()
    empty = CliRunner().invoke(app, ["replay", "customer_support.workflows", "--histories", str(tmp_path)])
    assert (empty.exit_code, "--record" in empty.stderr) == (2, True)
    none = CliRunner().invoke(app, ["replay", "customer_support.workflows", "--histories", str(tmp_path / "none")])
    assert (none.exit_code, "--record" in none.stderr) == (2, True)
