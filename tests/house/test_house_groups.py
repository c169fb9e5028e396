"""Tests of one xdist group share one process: a stack, a browser or a fault is theirs alone."""

import re
import subprocess
import sys
from pathlib import Path

GROUPED = """
import pytest

@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_shared(number):
    pass
"""


def test_a_group_of_tests_runs_in_one_process(tmp_path: Path) -> None:
    for name in ("test_first.py", "test_second.py"):
        (tmp_path / name).write_text(GROUPED, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]", "utf-8")
    command = [sys.executable, "-m", "pytest", "-v", "-n", "2", "--dist", "loadgroup", "-p", "no:asyncio", "."]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    passed = re.findall(r"\[(gw\d)\].*PASSED", done.stdout)
    assert len(passed) == 16, done.stdout
    assert len(set(passed)) == 1, done.stdout
