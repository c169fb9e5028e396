"""A project is made outside the repository, installs from the wheels, and passes its own test."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from orkestra.cli.__main__ import app
from orkestra.testkit.waiting import eventually_sync
from typer.testing import CliRunner

from tools.install import environment

ROOT = Path(__file__).parents[3]
UV = Path(sys.executable).with_name("uv")


def run(*command: str | Path, cwd: Path) -> str:
    clean = {name: value for name, value in environment(UV).items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def orkestra(*words: str) -> tuple[int, str]:
    ran = CliRunner().invoke(app, words)
    return ran.exit_code, ran.output


@pytest.mark.timeout(400)
@pytest.mark.xdist_group("project")
def test_a_project_installs_from_the_wheels_and_passes_its_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dist = tmp_path / "dist"
    build = ("--all-packages", "--wheel", "--no-build-isolation", "--offline", "--quiet")
    run(UV, "build", *build, "--out-dir", dist, cwd=ROOT)
    monkeypatch.chdir(tmp_path)
    code, said = orkestra("init", "holiday-desk", "--wheels", str(dist))
    assert (code, f"--find-links {dist}" in said) == (0, True), said
    project = tmp_path / "holiday-desk"
    monkeypatch.chdir(project)
    assert orkestra("workflow", "new", "second-opinion")[0] == 0

    run(UV, "venv", "--quiet", "--python", sys.executable, ".venv", cwd=project)
    python = project / ".venv/bin/python"
    pins = tmp_path / "pins.txt"
    lock = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pins.write_text("\n".join(line.rstrip(" \\") for line in lock if not line.startswith(" ")), "utf-8")
    install = ("--quiet", "--python", python, "--find-links", dist, "--constraint", pins)
    run(UV, "pip", "install", *install, "-e", ".[dev]", cwd=project)
    assert "4 passed" in run(python, "-m", "pytest", "-q", cwd=project)
    assert "Temporal" not in run(project / ".venv/bin/orkestra", "worker", "run", "--help", cwd=project)[:200]


def test_what_is_made_is_whole_and_overwrites_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert orkestra("init", "holiday-desk")[0] == 0
    project = tmp_path / "holiday-desk"
    worker = yaml.safe_load((project / "deploy/values.yaml").read_text("utf-8"))["workers"][0]
    assert (worker["modules"], worker["taskQueue"]) == (["holiday_desk.workflows"], "holiday-desk")
    assert "holiday_desk.workflows" in (project / "Dockerfile").read_text("utf-8")
    assert not [path for path in project.rglob("*") if path.is_file() and "$" in path.read_text("utf-8")]
    code, said = orkestra("init", "holiday-desk")
    assert (code, "would be overwritten" in said) == (4, True)
    assert orkestra("init", "Holiday Desk")[0] == 2
    assert orkestra("workflow", "new", "other")[0] == 2


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
