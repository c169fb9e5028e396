"""`orkestra dev` as people use it: found again, restarted after crashes, stopped cleanly, never leaving orphans."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from orkestra.cli.process import started_at
from orkestra.testkit import eventually_sync

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stack"), pytest.mark.timeout(240)]
OFFSET = 2200 + os.getpid() % 50 * 400  # two checkouts may be tested at once
PROCESSES = {
    "postgres",
    "nats",
    "temporal",
    "identity-service",
    "task-service",
    "workflow-worker",
    "notification-service",
    "worker",
    "api-gateway",
    "mcp-gateway",
    "dashboard",
}


class Dev:
    """The command on one state folder."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "orkestra.cli", "dev", *arguments, "--state-dir", str(self.state_dir)]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("ORKESTRA_")}
        return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=120, check=False)

    def up(self) -> str:
        done = self.run("--detach", "--port-offset", str(OFFSET))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def info(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.state_dir / "stack.json").read_text())
        return found

    def all_gone(self, pids: dict[str, int]) -> bool:
        return all(started_at(pid) is None for pid in pids.values())


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dev]:
    started = Dev(tmp_path_factory.mktemp("dev") / "state")
    started.up()
    yield started
    started.run("stop")


def test_stack_json_says_everything_to_its_owner_only(dev: Dev) -> None:
    info = dev.info
    assert stat.S_IMODE((dev.state_dir / "stack.json").stat().st_mode) == 0o600
    assert set(info["processes"]) == PROCESSES
    assert set(info["api_keys"]) == {"admin", "agent", "system", "worker"}
    shown = [(user["roles"], user["groups"]) for user in info["users"]]
    assert shown == [
        (["admin"], []),
        (["manager"], []),
        (["member"], ["support-l1"]),
        (["member"], ["support-l1"]),
        (["member"], ["support-l2"]),
        (["auditor"], []),
    ]
    assert info["other"]["tenant"]["tenant_id"] != info["tenant"]["tenant_id"]


def test_every_demo_person_can_sign_in(dev: Dev) -> None:
    for user in dev.info["users"]:
        body = {"email": user["email"], "password": user["password"]}
        assert httpx.post(f"{dev.info['rest']}/v1/sessions", json=body, timeout=20).is_success


def test_a_second_start_finds_the_first(dev: Dev) -> None:
    before = dev.info
    for arguments in (["--detach"], []):
        second = dev.run(*arguments)
        assert second.returncode == 0
        assert f"Already running (pid {before['supervisor']})" in second.stdout
    assert dev.info == before


def test_a_killed_service_is_started_again_and_answers(dev: Dev) -> None:
    before = dev.info["processes"]["api-gateway"]
    os.kill(before, signal.SIGKILL)
    eventually_sync(lambda: dev.info["processes"]["api-gateway"] != before)
    log = dev.state_dir / "logs" / "orkestra.log"
    eventually_sync(lambda: "api-gateway is back." in log.read_text(), timeout=60)
    assert "api-gateway was killed by SIGKILL; starting it again" in log.read_text()
    eventually_sync(lambda: httpx.get(f"{dev.info['rest']}/v1/tasks").status_code == httpx.codes.UNAUTHORIZED)


def test_another_stack_goes_round_the_taken_ports_and_says_whose_they_are(dev: Dev, tmp_path: Path) -> None:
    another = Dev(tmp_path / "another")
    another.up()
    try:
        said = (another.state_dir / "logs" / "orkestra.log").read_text()
        assert f"is taken by nats-server (pid {dev.info['processes']['nats']}); using" in said
        assert another.info["rest"] != dev.info["rest"]
        processes = another.info["processes"]
        assert another.run("stop").stdout.strip() == "Stopped."
        assert another.all_gone(processes)
        assert not (another.state_dir / "stack.json").exists()
        assert another.run("status").returncode == 3
    finally:
        another.run("stop")


def test_kill_9_of_the_supervisor_leaves_no_process_and_no_loss(dev: Dev) -> None:
    before = dev.info
    os.kill(before["supervisor"], signal.SIGKILL)
    dev.up()
    assert dev.all_gone(before["processes"])
    after = dev.info
    assert (after["users"], after["api_keys"], after["tenant"]) == (
        before["users"],
        before["api_keys"],
        before["tenant"],
    )
    answer = httpx.get(f"{after['rest']}/v1/tasks", headers={"authorization": f"Bearer {after['api_keys']['admin']}"})
    assert answer.is_success
