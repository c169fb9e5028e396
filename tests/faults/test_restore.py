"""A backup is worth what comes back from it: a restored dump, with an empty broker, goes on as if nothing had been."""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from orkestra.cli.servers import Postgres, postgres_programs, start
from orkestra.cli.state import SECRETS
from orkestra.testkit.stack import Stack, start_stack
from orkestra.testkit.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stack"), pytest.mark.timeout(600)]

OFFSET = 2300 + os.getpid() % 50 * 400  # two checkouts may be tested at once
QUESTION = {"question": "May I return it?", "conversation_id": "conv-1", "customer_id": "cust-1"}
ROTATED = ("token_signing_key", "service_key", "worker_key", "csrf_key", "mcp_state_key")
ANSWER = {"answer": "Yes, within 30 days.", "sentiment": "positive"}


@asynccontextmanager
async def running(state: Path) -> AsyncIterator[Stack]:
    """The stack of a state folder for the length of the block; what was stored stays."""
    stack = await asyncio.to_thread(start_stack, state, port_offset=OFFSET)
    try:
        yield stack
    finally:
        await asyncio.to_thread(stack.stop)


async def asked(stack: Stack) -> tuple[str, str]:
    """Start a workflow that asks a person; its id and the task's."""
    async with stack.rest(key="system") as system, stack.rest(key="admin") as admin:
        started = await system.post("/v1/workflows", json={"definition": "customer-support", "input": QUESTION})
        workflow_id = started.json()["workflow_id"]

        async def first() -> str | None:
            tasks = (await admin.get("/v1/tasks", params={"workflow_id": workflow_id})).json()["tasks"]
            return tasks[0]["task_id"] if tasks else None

        return workflow_id, await eventually(first, timeout=60)


async def answered(stack: Stack, task_id: str) -> None:
    async with stack.rest(email=stack.member_of("support-l1")) as person:
        done = await person.post(f"/v1/tasks/{task_id}/complete", json={"data": ANSWER})
        assert done.status_code == 200, done.text


async def ended(stack: Stack, workflow_id: str) -> dict[str, Any]:
    """The run, once it has ended."""

    async def result() -> dict[str, Any] | None:
        async with stack.rest(key="system") as system:
            run: dict[str, Any] = (await system.get(f"/v1/workflows/{workflow_id}")).json()
            return run if run["status"] != "running" else None

    return await eventually(result, timeout=120)


async def task(stack: Stack, task_id: str) -> dict[str, Any]:
    async with stack.rest(key="admin") as admin:
        found: dict[str, Any] = (await admin.get(f"/v1/tasks/{task_id}")).json()
        return found


async def is_verified(stack: Stack, task_id: str) -> bool:
    """Whether the history of a task is whole and signed up to its end."""
    async with stack.rest(key="admin") as admin:
        found = (await admin.get(f"/v1/tasks/{task_id}/history/verify")).json()
        assert found["intact"], found
        return bool(found.get("signed_up_to") == found["entries"])


def run(name: str, *words: str | Path) -> None:
    done = subprocess.run([postgres_programs() / name, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def back_up(url: str, folder: Path) -> None:
    """What docs/guides/operations.md says: the roles, and the database."""
    run("pg_dumpall", "--roles-only", "--no-role-passwords", "--dbname", url, "--file", folder / "roles.sql")
    run("pg_dump", "--format", "custom", "--dbname", url, "--file", folder / "orkestra.dump")


def restore(state: Path, folder: Path) -> None:
    """Into a new and empty server."""
    shutil.rmtree(state / "postgres")
    server = Postgres(state / "postgres", log=state / "logs/postgres.log")
    start(server, 60)
    try:
        run("psql", "--quiet", "--dbname", server.url(), "--file", folder / "roles.sql")
        run("psql", "--quiet", "--dbname", server.url(), "--command", "create database orkestra")
        run("pg_restore", "--dbname", server.url("orkestra"), "--exit-on-error", folder / "orkestra.dump")
    finally:
        server.process.stop(30)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="orkestra-restore-", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
        yield Path(made)


def rotate(state: Path) -> None:
    """New keys for tokens, services, workers, doors: all that docs/guides/operations.md says may be rotated."""
    kept = secrets_of(state)
    new = {name: SECRETS[name]() for name in ROTATED}
    assert not [name for name in ROTATED if kept[name] == new[name]]
    new["receipt_signing_key"] = f"{SECRETS['receipt_signing_key']()},{kept['receipt_signing_key']}"
    (state / "secrets.json").write_text(json.dumps({**kept, **new}), "utf-8")


def secrets_of(state: Path) -> dict[str, str]:
    kept: dict[str, str] = json.loads((state / "secrets.json").read_text("utf-8"))
    return kept


async def test_a_restored_dump_with_an_empty_broker_loses_nothing_that_it_knew_and_leaves_no_orphan(
    folder: Path,
) -> None:
    """The keys are rotated besides: those that were taken with the backup are worth nothing any more."""
    state = folder / "state"
    async with running(state) as stack:
        finished, answered_before = await asked(stack)
        await answered(stack, answered_before)
        assert (await ended(stack, finished))["status"] == "completed"
        waiting, open_task = await asked(stack)
        later, answered_later = await asked(stack)
        await asyncio.to_thread(back_up, stack.info["postgres"], folder)
        await answered(stack, answered_later)  # the dump does not know it; Temporal does
        assert (await ended(stack, later))["status"] == "completed"
    shutil.rmtree(state / "nats")
    await asyncio.to_thread(restore, state, folder)
    old_worker_key = secrets_of(state)["worker_key"]
    rotate(state)

    async with running(state) as stack:
        async with httpx.AsyncClient(base_url=stack.info["rest"], timeout=60) as thief:
            stolen = {"authorization": f"Bearer {old_worker_key}"}
            assert (await thief.get("/v1/tasks", headers=stolen)).status_code == httpx.codes.UNAUTHORIZED
        assert (await ended(stack, finished))["result"]["answer"] == ANSWER["answer"]
        assert (await task(stack, answered_before))["status"] == "completed"
        await eventually(lambda: is_verified(stack, answered_before), timeout=60)  # signed by the key before
        await answered(stack, open_task)
        assert (await ended(stack, waiting))["result"]["answer"] == ANSWER["answer"]
        await eventually(lambda: is_verified(stack, open_task), timeout=60)  # and its end by the new one
        assert (await ended(stack, later))["status"] == "completed"

        async def is_settled() -> bool:
            return (await task(stack, answered_later))["status"] not in ("open", "claimed", "waiting")

        await eventually(is_settled, timeout=120)
