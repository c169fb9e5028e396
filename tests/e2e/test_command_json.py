"""Every command with --json before the whole stack: programs can read whatever it prints, refusals too."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cli_commands import commands
from cli_typed import PROGRAM, QUESTION, Command, Said
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually

pytestmark = [pytest.mark.xdist_group("stack"), pytest.mark.timeout(600)]

FLOWS = """
from orkestra.sdk import Context, workflow


@workflow("answers-at-once")
async def answers_at_once(ctx: Context, input: dict[str, str]) -> str:
    return "at once"
"""


class Asking:
    """Runs commands with --json, reads what they print, and remembers which they were."""

    def __init__(self, orkestra: Command) -> None:
        self._orkestra = orkestra
        self.person = orkestra.person
        self.asked: set[str] = set()

    async def __call__(self, command: str, *words: str, code: int = 0, bare: bool = False) -> Any:
        """Return the one document that the command prints; it takes the stack's folder unless it is `bare`."""
        [document] = await self.lines(command, *words, code=code, bare=bare, whole=True)
        return document

    async def lines(
        self, command: str, *words: str, code: int = 0, bare: bool = False, whole: bool = False
    ) -> list[Any]:
        """Return the documents that the command prints, one on each line."""
        run = self._orkestra.bare if bare else self._orkestra
        said = await run(*command.split(), *words, "--json")
        assert said.code == code, (command, said)
        self.asked.add(command)
        return [json.loads(said.out)] if whole else [json.loads(line) for line in said.out.splitlines()]


@pytest.fixture
def ask(stack: Stack) -> Asking:
    return Asking(Command(stack))


async def test_every_command_answers_in_json(
    ask: Asking, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    await projects(ask, tmp_path, monkeypatch)
    await installation(ask, stack, tmp_path)
    await people(ask)
    await tenants(ask)
    await runs(ask, tmp_path)
    await tasks(ask, stack)
    async with worker(ask, stack, tmp_path, "build-1"):
        promote = ("worker promote", "build-1", "--task-queue", "json")
        promoted = await eventually(lambda: ask(*promote), timeout=60, every=0.5)  # Temporal knows it a little later
        assert promoted == {"deployment": "json", "build": "build-1"}
    assert sorted({words for words, _ in commands()} - ask.asked) == []


async def projects(ask: Asking, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await ask("init", "desk", bare=True))["folder"] == "desk"
    monkeypatch.chdir(folder / "desk")
    assert len((await ask("workflow new", "more", bare=True))["made"]) == 2
    monkeypatch.chdir(folder)


async def installation(ask: Asking, stack: Stack, folder: Path) -> None:
    assert (await ask("dev"))["rest"] == stack.info["rest"]
    assert (await ask("dev status"))["ready"] is True
    assert await ask("dev stop", "--state-dir", str(folder / "none"), bare=True) == {"stopped": False}
    assert (await ask("doctor", "--timeout", "30"))["findings"]
    migrated = ("--database-url", stack.info["postgres"], "--schema", "mcp")
    assert await ask("migrate", *migrated, bare=True) == {"schemas": ["mcp"]}
    assert await ask("events dead", "--consumer", "nobody") == {"dead_letters": []}
    assert await ask("events replay", "--all", "--consumer", "nobody") == {"replayed": []}
    assert (await ask("export corrections", "-o", str(folder / "corrections")))["file"] == str(folder / "corrections")


async def people(ask: Asking) -> None:
    email = f"{uuid4().hex}@demo.example"
    user = await ask("user create", email)
    assert (await ask("user list"))["users"]
    group = (await ask("group create", f"g-{uuid4().hex}", "--member", email))["group_id"]
    assert (await ask("group list"))["groups"]
    assert (await ask("group revoke", group, "--yes"))["group_id"] == group
    assert (await ask("user revoke", email, "--yes"))["status"] == "disabled"
    assert (await ask("user erase", user["user_id"], "--yes"))["user_id"] == user["user_id"]
    key = (await ask("key create", "json"))["api_key"]["key_id"]
    assert (await ask("key list"))["api_keys"]
    assert (await ask("key revoke", key, "--yes"))["revoked_at"]


async def tenants(ask: Asking) -> None:
    slug = f"json-{uuid4().hex[:12]}"
    assert (await ask("tenant create", slug))["slug"] == slug
    assert (await ask("tenant list", "--limit", "100"))["tenants"]
    assert (await ask("tenant revoke", slug, "--yes"))["status"] == "suspended"
    assert (await ask("tenant delete", slug, "--confirm", slug))["slug"] == slug


async def started(ask: Asking) -> tuple[str, str]:
    """A run and the task that it waits for."""
    run = (await ask("workflow start", "customer-support", "--input", json.dumps(QUESTION)))["workflow_id"]

    async def asked() -> str | None:
        found = (await ask("task list", "--workflow", run))["tasks"]
        return found[0]["task_id"] if found else None

    return run, await eventually(asked, timeout=60)


async def runs(ask: Asking, folder: Path) -> None:
    run, _ = await started(ask)
    assert (await ask("workflow list", "--limit", "1"))["workflows"]
    assert (await ask("workflow definitions"))["definitions"]
    assert (await ask("workflow show", run))["timeline"]
    assert (await ask("workflow result", run, "--wait", "0", code=5))["status"] == "running"
    assert (await ask("workflow signal", run, "hello", "--payload", "1"))["workflow_id"] == run
    assert (await ask("workflow reset", run))["status"] == "running"
    histories = ("--record", run, "--histories", str(folder / "histories"))
    assert (await ask("replay", "customer_support.workflows", *histories))["replays"][0]["failure"] is None
    assert (await ask("workflow cancel", run))["workflow_id"] == run
    assert (await ask("workflow result", run, "--wait", "60", code=1))["status"] == "cancelled"
    other, _ = await started(ask)
    assert (await ask("workflow terminate", other))["status"] == "terminated"


async def tasks(ask: Asking, stack: Stack) -> None:
    _, task = await started(ask)
    given = ("--data", '{"answer": "Yes."}', "--as", ask.person)
    assert (await ask("task claim", task, "--as", ask.person))["status"] == "claimed"
    assert (await ask("task show", task))["task_id"] == task
    async with stack.rest(key="admin") as admin:
        try:
            (await admin.put("/v1/task-settings", json={"undo_seconds": 3600})).raise_for_status()
            assert (await ask("task complete", task, *given))["submission"]["result"] == {"answer": "Yes."}
            assert (await ask("task undo", task, "--as", ask.person))["saved"] == {"answer": "Yes."}
        finally:
            await admin.put("/v1/task-settings", json={"undo_seconds": 0})
    assigned = await ask("task assign", task, "--group", "support-l2", "--reason", "Hard")
    assert assigned["candidate_groups"] == ["support-l2"]
    assert (await ask("task cancel", task))["status"] == "cancelled"
    assert [one["status"] for one in await ask.lines("task watch", task)] == ["cancelled"]


@asynccontextmanager
async def worker(ask: Asking, stack: Stack, folder: Path, build: str) -> AsyncIterator[None]:
    """A worker that serves a build of `flows`, and says so in JSON."""
    (folder / "flows.py").write_text(FLOWS, "utf-8")
    words = ("flows", "--task-queue", "json", "--build", build, "--json", "--state-dir", stack.state_dir)
    serving = await asyncio.create_subprocess_exec(
        *(PROGRAM, "worker", "run", *words), cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    assert serving.stdout is not None
    try:
        async with asyncio.timeout(120):
            told = [await serving.stdout.readline()]
            while told[-1] != b"}\n":
                assert told[-1], told
                told.append(await serving.stdout.readline())
        assert json.loads(b"".join(told)) == {"serving": ["flows"], "task_queue": "json"}
        ask.asked.add("worker run")
        yield
    finally:
        serving.terminate()
        await asyncio.wait_for(serving.wait(), 60)


REFUSALS = {  # what is typed, and the code of what is wrong with it
    "workflow start nothing": "DEFINITION_NOT_FOUND",
    "workflow start customer-support": "INPUT_INVALID",
    "workflow start customer-support --input {": "USAGE",
    "workflow list --key ork_nobody": "CREDENTIAL_UNKNOWN",
    "workflow definitions --key ork_nobody": "CREDENTIAL_UNKNOWN",
    "workflow show wf_none": "WORKFLOW_NOT_FOUND",
    "workflow result wf_none": "WORKFLOW_NOT_FOUND",
    "workflow cancel wf_none": "WORKFLOW_NOT_FOUND",
    "workflow terminate wf_none": "WORKFLOW_NOT_FOUND",
    "workflow reset wf_none": "WORKFLOW_NOT_FOUND",
    "workflow signal wf_none hello": "WORKFLOW_NOT_FOUND",
    "task list --assignee nobody@demo.example": "NAME_UNKNOWN",
    "task show task_none": "TASK_NOT_FOUND",
    "task claim task_none": "USAGE",
    "task claim task_none --as ann@demo.example": "TASK_NOT_FOUND",
    "task complete task_none --as ann@demo.example --data {}": "TASK_NOT_FOUND",
    "task assign task_none --group support-l1 --reason Because": "TASK_NOT_FOUND",
    "task assign task_none --reason Because": "USAGE",
    "task undo task_none": "TASK_NOT_FOUND",
    "task cancel task_none": "TASK_NOT_FOUND",
    "task watch task_none": "TASK_NOT_FOUND",
    "tenant create demo": "TENANT_EXISTS",
    "tenant create Not-A-Slug": "REQUEST_INVALID",
    "tenant list --key ork_nobody": "CREDENTIAL_UNKNOWN",
    "tenant revoke no-such-tenant --yes": "TENANT_NOT_FOUND",
    "tenant delete demo --confirm demo": "TENANT_NOT_SUSPENDED",
    "user create ann@demo.example": "EMAIL_TAKEN",
    "user list --as stranger@demo.example": "USAGE",
    "user revoke nobody@demo.example --yes": "USER_NOT_FOUND",
    "user revoke ann@demo.example": "USAGE",
    "user erase ann@demo.example --yes": "USER_NOT_DISABLED",
    "group create support-l1": "GROUP_EXISTS",
    "group list --url http://127.0.0.1:1 --key ork_x": "DOOR_UNREACHABLE",
    "group revoke no-such-group --yes": "GROUP_NOT_FOUND",
    "key create bot --as ann@demo.example": "ROLE_REQUIRED",
    "key list --as ann@demo.example": "ROLE_REQUIRED",
    "key revoke key_none --yes": "API_KEY_NOT_FOUND",
    "export corrections --as ann@demo.example": "CORRECTIONS_NOT_VISIBLE",
    "events replay": "USAGE",
    "events replay 999999999": "DEAD_LETTER_NOT_FOUND",
    "replay nothing": "USAGE",
    "worker run no_such_module": "MODULE_NOT_FOUND",
    "worker promote none --task-queue nobodys": "BUILD_NOT_FOUND",
}
AWAY = ("events dead", "task list", "worker run flows", "worker promote b --task-queue q")
USAGE = ("migrate --schema none --database-url postgresql://x", "init No-Name", "workflow new one-more")


async def test_every_refusal_is_json_with_the_next_step(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    orkestra = Command(stack)
    assert {typed: reason_of(await orkestra(*typed.split(), "--json")) for typed in REFUSALS} == REFUSALS
    nowhere = ("--state-dir", str(tmp_path / "none"), "--json")
    away = {typed: reason_of(await orkestra.bare(*typed.split(), *nowhere)) for typed in AWAY}
    assert away == dict.fromkeys(AWAY, "NOTHING_RUNS")
    wrong = {typed: reason_of(await orkestra.bare(*typed.split(), "--json")) for typed in USAGE}
    assert wrong == dict.fromkeys(USAGE, "USAGE")


def reason_of(said: Said) -> str:
    """The code of a refusal, which is one line of JSON and nothing else; where no next step is in it, that too."""
    assert (said.code in (1, 2, 3, 4), said.out) == (True, ""), said
    told = json.loads(said.err.strip().splitlines()[-1])
    assert sorted(told) == ["code", "detail", "errors", "next"], told
    return f"{told['code']}{'' if told['next'] else ' without a next step'}"
