"""What hangs in a test fails by itself, and says where."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from orkestra.testkit import eventually, waiting

HANGING = """
import asyncio

LEFT_OPEN = []

async def test_hangs():
    try:
        await asyncio.Event().wait()
    finally:
        LEFT_OPEN.append("closed")

async def test_comes_after():
    assert LEFT_OPEN == ["closed"]
"""


def test_an_async_test_that_hangs_fails_where_it_waits_and_the_next_one_runs(tmp_path: Path) -> None:
    (tmp_path / "test_hanging.py").write_text(HANGING)
    options = [
        "-p",
        "orkestra.testkit.plugin",
        "-o",
        "timeout=3",
        "-o",
        "timeout_func_only=true",
        "-p",
        "no:cacheprovider",
    ]
    loop = ["-o", "asyncio_mode=auto", "-o", "asyncio_default_test_loop_scope=session"]
    command = [sys.executable, "-m", "pytest", "-q", *options, *loop, "--rootdir", str(tmp_path), str(tmp_path)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    told = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False).stdout
    assert "1 failed, 1 passed" in told
    assert "await asyncio.Event().wait()" in told


async def test_a_condition_that_does_not_come_back_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LAST_ANSWER", 0.05)

    async def never() -> bool:
        await asyncio.Event().wait()
        return True

    with pytest.raises(AssertionError, match="never"):
        await eventually(never, timeout=0.05)


async def test_a_timeout_of_the_condition_itself_is_raised_as_it_is() -> None:
    async def late() -> bool:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        await eventually(late)
