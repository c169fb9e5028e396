"""The pages of docs/getting-started do what they say, block by block, in order."""

import asyncio
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

from tools.install import environment

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
PAGES = ["quick-start.md", "first-workflow.md"]
WHEELS = ("chassis", "cli", "contracts", "forms", "rules", "sdk", "wire")  # those that a project needs
MOST_COMMANDS = 10
WORKFLOW = "vacation/src/vacation/workflows.py"

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(900)]


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs/getting-started" / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


def as_written(folder: Path) -> str:
    """The pages' commands; what installs takes the packages that are pinned, out of uv's cache."""
    lock = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    pins = folder / "pins.txt"
    pins.write_text("\n".join(line.rstrip(" \\") for line in lock if not line.startswith(" ")), "utf-8")
    build = f"{UV} build --wheel --no-build-isolation --offline --quiet --directory {ROOT} --out-dir $PWD/dist"
    quicker = {
        "make wheels": f"for name in {' '.join(WHEELS)}; do {build} --package orkestra-$name; done",
        "python3 -m venv .venv": f"{UV} venv --quiet --python {sys.executable} .venv",
        ".venv/bin/pip install": f"{UV} pip install --quiet --python .venv/bin/python --constraint {pins}",
    }
    script = "\n".join(block for page in PAGES for block in blocks(page, "sh"))
    for slow, quick in quicker.items():
        assert script.count(slow) == 1
        script = script.replace(slow, quick)
    return script


def surroundings() -> Mapping[str, str]:
    kept = environment(UV)
    return {name: value for name, value in kept.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV", "PYTEST_ADDOPTS")}


async def test_the_pages_run_from_top_to_bottom_and_print_what_they_promise(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / ".orkestra").symlink_to(stack.state_dir)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    out, err = tmp_path / "out", tmp_path / "err"
    script = f"trap 'kill $(jobs -p)' EXIT\n{as_written(tmp_path)}\necho ALL IS DONE\ncat"
    with out.open("wb") as told, err.open("wb") as warned:
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", script),
            cwd=tmp_path,
            env=dict(surroundings()),
            stdin=asyncio.subprocess.PIPE,
            stdout=told,
            stderr=warned,
            start_new_session=True,
        )
        try:
            await eventually(lambda: process.returncode is not None or "ALL IS DONE" in out.read_text(), timeout=600)
            said = out.read_text()
            assert process.returncode is None, f"{said}\n{err.read_text()}"
            promised = [block.strip() for page in PAGES for block in blocks(page, "text")]
            assert [line for line in promised if line not in said] == []
            assert "2 passed" in said
            await changed_code_runs(stack, tmp_path)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            await asyncio.wait_for(process.wait(), 60)


async def changed_code_runs(stack: Stack, folder: Path) -> None:
    """What is saved is what the next run does, and people see it in the dashboard."""
    workflow = folder / WORKFLOW
    workflow.write_text(workflow.read_text("utf-8").replace("Please decide", "Please decide soon"), "utf-8")

    async def asked_anew() -> bool:
        async with stack.rest(key="system") as system:
            body = {"definition": "vacation", "input": {"question": "And in August?"}}
            started = (await system.post("/v1/workflows", json=body)).json()
            return "Please decide soon" in await inbox_with(stack, started["workflow_id"])

    await eventually(asked_anew, timeout=180)


async def inbox_with(stack: Stack, workflow_id: str) -> str:
    """The inbox of a member of support-l1, once the run has asked."""
    email = stack.member_of("support-l1")
    password = next(user["password"] for user in stack.info["users"] if user["email"] == email)

    async def task_id() -> str | None:
        async with stack.rest(key="admin") as admin:
            tasks = (await admin.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
            return tasks[0]["task_id"] if tasks else None

    asked = await eventually(task_id, timeout=60)
    async with httpx.AsyncClient(base_url=stack.info["dashboard"], timeout=60) as http:
        signed_in = await http.post("/sign-in", data={"email": email, "password": password})
        http.headers["cookie"] = signed_in.headers["set-cookie"].partition(";")[0]
        return (await http.get(f"/tasks/{asked}")).text


def test_a_task_of_ones_own_is_in_the_dashboard_within_ten_commands() -> None:
    script = "\n".join(blocks("installation.md", "sh") + blocks("first-workflow.md", "sh"))
    commands = [line for line in script.splitlines() if line and not line.startswith((" ", "do "))]
    started = next(number for number, line in enumerate(commands, 1) if "workflow start" in line)
    assert started <= MOST_COMMANDS, commands


def test_the_first_workflow_is_the_one_that_init_makes() -> None:
    template = (ROOT / "libs/cli/src/orkestra/cli/project/workflow.py.template").read_text("utf-8")
    [shown] = blocks("first-workflow.md", "python")
    assert shown.strip() in template.replace("$name", "vacation").replace("$function", "vacation")


def test_every_page_that_the_documentation_links_to_exists() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in (ROOT / "docs").rglob("*.md")
        for link in re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", page.read_text("utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []
