"""The guide to writing workflows does what it says: its blocks make a project, whose tests pass."""

import os
import re
import subprocess
import sys
from pathlib import Path

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "writing-workflows.md"
BLOCK = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def test_every_block_of_the_guide_runs(tmp_path: Path) -> None:
    text = GUIDE.read_text("utf-8")
    blocks = BLOCK.findall(text)
    assert len(blocks) == text.count("```python")
    for name, code in blocks:
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(code)
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\nasyncio_mode = "auto"\n', "utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ran = subprocess.run(command, cwd=tmp_path, env=kept, capture_output=True, text=True, check=False)
    tests = sum(code.count("async def test_") for _, code in blocks)
    assert (ran.returncode, f"{tests} passed" in ran.stdout) == (0, True), ran.stdout + ran.stderr
