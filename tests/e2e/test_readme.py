"""What the README tells to type does what the README says."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")

pytestmark = pytest.mark.xdist_group("stack")


def section(name: str, language: str) -> str:
    """Return the code blocks of one language between the section's marks, joined."""
    text = README.split(f"<!-- {name}: begin -->")[1].split(f"<!-- {name}: end -->")[0]
    return "\n".join(re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))


def folder_as_the_reader_has_it(stack: Stack, folder: Path) -> Path:
    (folder / ".orkestra").symlink_to(stack.state_dir)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return folder


async def test_the_story_by_curl_ends_with_the_persons_answer(stack: Stack, tmp_path: Path) -> None:
    script = section("story", "sh").replace(".venv/bin/python", sys.executable)
    folder = folder_as_the_reader_has_it(stack, tmp_path)
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    promised = README.split("<!-- story: end -->")[1].split("```\n")[1].strip()
    assert process.returncode == 0
    assert out.decode().strip().splitlines()[-1] == promised


async def test_the_agent_of_the_readme_prints_the_persons_answer(stack: Stack, tmp_path: Path) -> None:
    folder = folder_as_the_reader_has_it(stack, tmp_path)
    (folder / "agent.py").write_text(section("agent", "python"), "utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "agent.py", cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    workflow_id = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
    async with stack.rest(email=stack.member_of("support-l1")) as person:

        async def task() -> str | None:
            tasks = (await person.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
            return str(tasks[0]["task_id"]) if tasks else None

        body = {"data": {"answer": "Yes."}}
        (await person.post(f"/v1/tasks/{await eventually(task)}/complete", json=body)).raise_for_status()
    answer = (await asyncio.wait_for(process.stdout.readline(), 30)).decode().strip()
    assert answer == "{'answer': 'Yes.', 'handled_by': 'human'}"
    assert await process.wait() == 0


def test_the_first_code_block_is_the_example_that_runs() -> None:
    shown = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)[0]
    example = (ROOT / "examples/customer_support/src/customer_support/workflows.py").read_text("utf-8")
    wanted = [line for line in shown.splitlines() if line.strip()]
    there = set(example.splitlines())
    assert [line for line in wanted if line not in there] == []


def test_every_path_the_readme_links_to_exists() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
