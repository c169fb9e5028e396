"""A project that `orkestra init` makes is deployed by its values and its image."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from deploy_chart import CHART, NEEDS_TOOLS, PROGRAMS, environment, pod_of, run_helm
from orkestra.cli.commands import app
from typer.testing import CliRunner


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    made = CliRunner().invoke(app, ["init", "holiday-desk"])
    assert made.exit_code == 0, made.output
    return tmp_path / "holiday-desk"


@NEEDS_TOOLS
def test_its_values_give_a_worker_with_its_image_its_module_and_its_task_queue(project: Path) -> None:
    files = ("--values", CHART / "ci" / "evaluation-values.yaml", "--values", project / "deploy/values.yaml")
    rendered = yaml.safe_load_all(run_helm("template", "orkestra", CHART, *files))
    [worker] = [
        one
        for one in rendered
        if one and one["metadata"]["name"] == "orkestra-holiday-desk" and "spec" in one and one["kind"] == "Deployment"
    ]
    [container] = pod_of(worker)["containers"]
    assert container["image"] == "holiday-desk:0.1.0"
    assert container["command"] == ["python", "-m", "orkestra.workflow_worker"]
    told = environment(container)
    assert told["ORKESTRA_WORKFLOW_MODULES"] == "holiday_desk.workflows"
    assert told["ORKESTRA_TASK_QUEUE"] == "holiday-desk"


@NEEDS_TOOLS
def test_its_dockerfile_is_sound_and_finds_the_python_that_the_chart_calls(project: Path) -> None:
    dockerfile = project / "Dockerfile"
    done = subprocess.run([PROGRAMS / "hadolint", dockerfile], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("", 0)
    final = dockerfile.read_text("utf-8").rpartition("\nFROM ")[2]
    assert re.search(r"^ENV PATH=/venv/bin:", final, re.MULTILINE)
    assert "USER 10001:10001" in final
