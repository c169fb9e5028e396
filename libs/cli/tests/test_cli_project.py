"""A project is made whole, with the wheels that it installs from; code that changes runs again."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from orkestra.cli.commands import app
from orkestra.cli.installed import SCHEMAS
from orkestra.cli.worker import queue_of
from orkestra.testkit.waiting import eventually_sync
from typer.testing import CliRunner

ROOT = Path(__file__).parents[3]
UV = Path(sys.executable).with_name("uv")


def orkestra(*words: str) -> tuple[int, str]:
    ran = CliRunner().invoke(app, words)
    return ran.exit_code, ran.output


def test_what_is_made_is_whole_and_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert orkestra("init", "holiday-desk")[0] == 0
    project = tmp_path / "holiday-desk"
    worker = yaml.safe_load((project / "deploy/values.yaml").read_text("utf-8"))["workers"][0]
    assert (worker["modules"], worker["taskQueue"]) == (["holiday_desk.workflows"], "holiday-desk")
    assert "holiday_desk.workflows" in (project / "Dockerfile").read_text("utf-8")
    left = re.compile(r"\$(name|module|function|file|links)\b|\$\$")
    assert not [path for path in project.rglob("*") if path.is_file() and left.search(path.read_text("utf-8"))]
    code, said = orkestra("init", "holiday-desk")
    assert (code, "would be overwritten" in said) == (4, True)
    assert orkestra("init", "Holiday Desk")[0] == 2
    assert orkestra("workflow", "new", "other")[0] == 2


def test_a_workflow_that_is_added_is_served_with_the_others_on_the_projects_own_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    orkestra("init", "holiday-desk")
    monkeypatch.chdir(tmp_path / "holiday-desk")
    code, said = orkestra("workflow", "new", "sick-note", "--json")
    serve = "orkestra worker run holiday_desk.workflows holiday_desk.sick_note --task-queue holiday-desk"
    assert (code, json.loads(said)["next"]) == (0, [serve])


@pytest.mark.parametrize(
    ("module", "queue"),
    [
        ("holiday_desk.workflows", "holiday-desk"),
        ("acme.holiday_desk.workflows", "acme-holiday-desk"),
        ("my_flows", "my-flows"),
    ],
)
def test_a_worker_is_on_the_queue_of_its_package_where_none_is_named(module: str, queue: str) -> None:
    assert queue_of(module) == queue


def test_the_wheels_are_copied_so_that_the_project_stands_on_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = orkestra("init", "a", "--wheels", str(tmp_path))
    assert (code, "make wheels" in said) == (2, True)
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/orkestra_sdk-0.1.0-py3-none-any.whl").write_bytes(b"wheel")
    code, said = orkestra("init", "a", "--wheels", "dist", "--json")
    assert (code, json.loads(said)["next"][2]) == (0, ".venv/bin/pip install --find-links wheels -e '.[dev]'")
    assert (tmp_path / "a/wheels/orkestra_sdk-0.1.0-py3-none-any.whl").read_bytes() == b"wheel"


def test_a_project_may_install_every_service_and_run_a_stack_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert orkestra("init", "a")[0] == 0
    extras = tomllib.loads((tmp_path / "a/pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert extras["stack"] == ["orkestra-cli[stack]"]
    ours = tomllib.loads((ROOT / "libs/cli/pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert sorted(ours["stack"]) == sorted(name.replace(".", "-").replace("_", "-") for name in SCHEMAS)


def test_a_stack_without_its_services_does_not_begin_and_says_how_to_install_them(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path = [path for path in sys.path if 'mcp-gateway' not in path]; "
        "from orkestra.cli.__main__ import main; main()"
    )
    command = [sys.executable, "-c", code, "dev", "--detach", "--json", "--state-dir", str(tmp_path / "state")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    said = json.loads(ran.stderr)
    assert (ran.returncode, said["code"], said["detail"]) == (1, "NOT_INSTALLED", "Not installed here: mcp-gateway.")
    assert "orkestra-cli[stack]" in said["next"]
    assert not (tmp_path / "state").exists()


def test_a_command_runs_again_when_the_code_changes_and_ends_when_it_is_told(tmp_path: Path) -> None:
    code, log = tmp_path / "code.py", tmp_path / "log"
    code.write_text("x = 1", "utf-8")
    child = f"import os, time; open({str(log)!r}, 'a').write(f'{{os.getpid()}}\\n'); time.sleep(600)"
    watch = (
        "import sys; from pathlib import Path; from orkestra.cli.reload import run_reloading; "
        "run_reloading([sys.executable, '-c', sys.argv[1]], Path(sys.argv[2]), say=print)"
    )
    watcher = subprocess.Popen([sys.executable, "-c", watch, child, tmp_path], stdout=subprocess.DEVNULL)

    def started(times: int) -> Sequence[str]:
        pids = log.read_text("utf-8").split() if log.exists() else []
        return pids if len(pids) >= times else ()

    try:
        eventually_sync(lambda: started(1))
        eventually_sync(lambda: _touched(code) and started(2))
    finally:
        watcher.terminate()
        watcher.wait(30)
    assert not [pid for pid in started(2) if Path("/proc", pid).exists()]


def _touched(path: Path) -> bool:
    """Change the file once; a change before the first look is none, so that it is made again till it is seen."""
    os.utime(path)
    return True
