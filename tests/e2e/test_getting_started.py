"""The pages of docs/getting-started do what they say, block by block, in order."""

import asyncio
import re
import sys
from pathlib import Path

import pytest
from orkestra.testkit.stack import Stack

ROOT = Path(__file__).parents[2]
PAGES = ["quick-start.md", "first-workflow.md"]

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / "docs/getting-started" / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)


async def test_the_pages_run_from_top_to_bottom_and_print_what_they_promise(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / ".orkestra").symlink_to(stack.state_dir)
    (tmp_path / ".venv").symlink_to(Path(sys.prefix))
    script = "\n".join(block for page in PAGES for block in blocks(page, "sh"))
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 150)
    assert process.returncode == 0, f"{out.decode()}\n{err.decode()}"
    promised = [block.strip() for page in PAGES for block in blocks(page, "text")]
    assert promised
    assert [line for line in promised if line not in out.decode()] == []


def test_every_page_that_the_documentation_links_to_exists() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in (ROOT / "docs").rglob("*.md")
        for link in re.findall(r"\]\((?!http)([^)#]+)[^)]*\)", page.read_text("utf-8"))
        if not (page.parent / link).exists()
    ]
    assert broken == []
