"""`orkestra worker promote`; tests of workflow-worker hold what a promotion does to runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

from orkestra.cli.ports import free_port


def promote(folder: Path, address: str) -> tuple[int, dict[str, str]]:
    """Promote a build that nobody serves; return the exit code and what is said of it."""
    command = [sys.executable, "-m", "orkestra.cli", "worker", "promote", "2026-11-23", "--json"]
    told = subprocess.run(
        [*command, "--state-dir", str(folder / "none")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ORKESTRA_TEMPORAL_ADDRESS": address},
    )
    said: dict[str, str] = json.loads(told.stderr.splitlines()[-1])
    return told.returncode, said


def test_a_build_that_no_worker_serves_is_not_promoted(tmp_path: Path, temporal_address: str) -> None:
    code, said = promote(tmp_path, temporal_address)
    assert (code, said["code"]) == (4, "BUILD_NOT_FOUND")
    assert "2026-11-23" in said["detail"]


def test_a_temporal_that_is_away_is_said(tmp_path: Path) -> None:
    code, said = promote(tmp_path, f"127.0.0.1:{free_port()}")
    assert (code, said["code"]) == (3, "NOTHING_RUNS")
