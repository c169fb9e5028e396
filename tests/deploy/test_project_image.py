"""The image of a project that `orkestra init` made: it is built as its README says, and its worker serves.

`make test-images` runs it, where Docker and the image's base are: ORKESTRA_TEST_BASE names the base, python:3.12-slim
if absent, ORKESTRA_TEST_DOCKER the client, and ORKESTRA_TEST_BUILD further options of `docker build`, such as
`--secret id=pip,src=pip.conf`.
"""

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from orkestra.cli.commands import app
from orkestra.testkit import free_port
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from typer.testing import CliRunner

from tools.install import environment

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
DOCKER = os.environ.get("ORKESTRA_TEST_DOCKER", "docker")
BASE = os.environ.get("ORKESTRA_TEST_BASE", "python:3.12-slim")
BUILD = shlex.split(os.environ.get("ORKESTRA_TEST_BUILD", ""))
PACKAGES = ("chassis", "contracts", "forms", "rules", "sdk", "wire", "workflow-worker")
HARDENED = ("--read-only", "--user", "10001:10001", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
PLACES = {"TEMPORAL": "temporal", "IDENTITY": "identity", "TASK": "task", "WORKFLOW": "workflow"}


def why_not() -> str | None:
    """Say why no image can be built here."""
    if shutil.which(DOCKER) is None:
        return f"there is no {DOCKER} here"
    asked = subprocess.run([DOCKER, "image", "inspect", BASE], capture_output=True, text=True, check=False)
    return None if asked.returncode == 0 else f"Docker does not have the base {BASE}: {asked.stderr.strip()}"


WHY_NOT = why_not()
pytestmark = [
    pytest.mark.docker,
    pytest.mark.xdist_group("stack"),
    pytest.mark.timeout(900),
    pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT)),
]


def docker(*words: str | Path, cwd: Path | None = None) -> str:
    ran = subprocess.run(
        [DOCKER, *words],
        cwd=cwd,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout.strip()


def project(folder: Path, name: str) -> Path:
    """Make a project with the wheels that its worker needs, as `make wheels` and `orkestra init` do."""
    for package in PACKAGES:
        build: list[str | Path] = [UV, "build", "--wheel", "--no-build-isolation", "--offline", "--quiet"]
        words = [*build, "--directory", ROOT, "--out-dir", folder / "dist", "--package", f"orkestra-{package}"]
        subprocess.run(words, check=True, env=environment(UV))
    made = CliRunner().invoke(app, ["init", name, "--wheels", str(folder / "dist")])
    assert made.exit_code == 0, made.output
    return folder / name


@asynccontextmanager
async def serving(image: str, stack: Stack) -> AsyncIterator[None]:
    """Run the image against the stack, as hardened as the chart runs it."""
    known = {f"ORKESTRA_{name}_ADDRESS": stack.info[place] for name, place in PLACES.items()}
    known |= {"ORKESTRA_WORKER_KEY": stack.info["api_keys"]["worker"], "ORKESTRA_HEALTH_PORT": str(free_port())}
    given = [word for name, value in known.items() for word in ("--env", f"{name}={value}")]
    words = ("run", "--detach", "--network", "host", *HARDENED, *given, image)
    container = await asyncio.to_thread(docker, *words)
    try:
        yield
        await asyncio.to_thread(docker, "stop", "--time", "30", container)
        ended = await asyncio.to_thread(docker, "inspect", "--format", "{{.State.ExitCode}}", container)
        assert ended == "0", await asyncio.to_thread(docker, "logs", container)
    finally:
        await asyncio.to_thread(docker, "rm", "--force", container)


async def test_a_projects_image_is_built_and_its_worker_asks_people(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"desk-{uuid4().hex[:8]}"
    folder = await asyncio.to_thread(project, tmp_path, name)
    await asyncio.to_thread(docker, "build", *BUILD, "--build-arg", f"BASE={BASE}", "--tag", name, ".", cwd=folder)
    try:
        async with stack.rest(key="system") as system, serving(name, stack):

            async def started() -> str | None:
                body = {"definition": name, "input": {"question": "From an image?"}}
                said = await system.post("/v1/workflows", json=body)
                return said.json()["workflow_id"] if said.status_code == 201 else None

            async def asked() -> str | None:
                found = (await system.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
                return found[0]["task_id"] if found else None

            workflow_id = await eventually(started, timeout=120, every=0.5)
            task_id = await eventually(asked, timeout=60, every=0.2)
            async with stack.rest(email=stack.member_of("support-l1")) as person:
                await person.post(f"/v1/tasks/{task_id}/complete", json={"data": {"decision": "yes"}})
            done = (await system.get(f"/v1/workflows/{workflow_id}/result", params={"wait": 30})).json()
            assert (done["status"], done["result"]) == ("completed", {"decision": "yes"})
    finally:
        await asyncio.to_thread(docker, "image", "rm", "--force", name)
