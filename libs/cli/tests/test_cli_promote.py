"""`orkestra worker promote`; tests of workflow-worker hold what a promotion does to runs."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from chassis_certificates import Authority
from cli_old_servers import temporal_like
from orkestra.cli.ports import free_port


def promote(folder: Path, *words: str, **env: str) -> tuple[int, dict[str, str]]:
    """Promote a build; return the exit code and what is said."""
    command = [sys.executable, "-m", "orkestra.cli", "worker", "promote", "2026-11-23", "--json", *words]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ORKESTRA_")}
    told = subprocess.run(
        [*command, "--state-dir", str(folder / "none")],
        capture_output=True,
        text=True,
        check=False,
        env=environ | {f"ORKESTRA_TEMPORAL_{name}": value for name, value in env.items()},
    )
    said: dict[str, str] = json.loads(told.stdout or told.stderr.splitlines()[-1])
    return told.returncode, said


def test_a_build_that_no_worker_serves_is_not_promoted(tmp_path: Path, temporal_address: str) -> None:
    code, said = promote(tmp_path, "--task-queue", "refunds", ADDRESS=temporal_address)
    assert (code, said["code"]) == (4, "BUILD_NOT_FOUND")
    assert "2026-11-23" in said["detail"]
    assert "--build" in said["next"]


def test_whose_build_it_is_must_be_said(tmp_path: Path) -> None:
    code, said = promote(tmp_path, ADDRESS="127.0.0.1:1")
    assert (code, said["code"], "--task-queue" in said["detail"]) == (2, "USAGE", True)


def test_a_temporal_that_is_away_is_said(tmp_path: Path) -> None:
    code, said = promote(tmp_path, "--task-queue", "refunds", "--address", f"127.0.0.1:{free_port()}")
    assert (code, said["code"]) == (3, "NOTHING_RUNS")


@pytest.mark.parametrize("how", ["options", "settings"])
async def test_temporal_is_asked_by_tls_with_a_key_in_the_namespace_that_was_said(tmp_path: Path, how: str) -> None:
    tls = Authority(tmp_path).issue("temporal")
    (tmp_path / "key").write_text("secret\n", "utf-8")
    async with temporal_like("1.32.0", tls) as temporal:
        told = {
            "ADDRESS": temporal.address,
            "NAMESPACE": "acme.a1b2c",
            "API_KEY_FILE": str(tmp_path / "key"),
            "CA_FILE": str(tls.ca_file),
            "SERVER_NAME": "localhost",
        }
        words = [word for name, value in told.items() for word in (f"--{name.lower().replace('_', '-')}", value)]
        given: dict[str, str] = told if how == "settings" else {}
        options = words if how == "options" else []
        code, said = await asyncio.to_thread(promote, tmp_path, *options, "--deployment", "refunds", **given)
    assert (code, said) == (0, {"deployment": "refunds", "build": "2026-11-23"})
    assert temporal.promoted == [("acme.a1b2c", "refunds", "2026-11-23")]
    assert temporal.keys == ["Bearer secret"]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"CERT_FILE": "/nowhere"}, "and its key"),
        ({"CA_FILE": "/nowhere"}, "ORKESTRA_TEMPORAL_CA_FILE"),
        ({"API_KEY": "a", "API_KEY_FILE": "/nowhere"}, "keep one of them"),
    ],
)
def test_what_does_not_belong_together_is_said(tmp_path: Path, wrong: dict[str, str], named: str) -> None:
    code, said = promote(tmp_path, "--task-queue", "refunds", **{"ADDRESS": "127.0.0.1:1", **wrong})
    assert (code, said["code"], named in said["detail"]) == (2, "USAGE", True), said
