"""The commands that ask the REST door, before the whole stack."""

import asyncio
import json
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from cli_typed import PROGRAM, QUESTION, Command, on_a_terminal
from orkestra.cli.commands import app
from orkestra.sdk import Client
from orkestra.testkit.stack import Stack
from orkestra.testkit.waiting import eventually
from typer.testing import CliRunner

pytestmark = pytest.mark.xdist_group("stack")


@pytest.fixture
def orkestra(stack: Stack) -> Command:
    return Command(stack)


async def test_a_question_is_asked_answered_at_the_prompt_and_its_result_read(orkestra: Command) -> None:
    workflow_id = await orkestra.start()
    task_id = await orkestra.task_of(workflow_id)
    still = await orkestra("workflow", "result", workflow_id, "--wait", "0")
    assert (still.code, "running" in still.out) == (5, True)

    claimed = await orkestra("task", "claim", task_id, "--as", orkestra.person)
    assert (claimed.code, claimed.out.startswith(f"{task_id} is yours.")) == (0, True), claimed
    typed = "\nYes, within 30 days.\nbored\n1\n"
    done = await orkestra("task", "complete", task_id, "--as", orkestra.person, typed=typed)
    assert (done.code, done.out.splitlines()[-1]) == (0, f"{task_id} is completed."), done  # the runner echoes
    assert "This field is required." in done.err
    assert "Choose a number from 1 to 3" in done.err

    result = await orkestra("workflow", "result", workflow_id, "--json")
    assert (result.code, result.json["result"]) == (0, {"answer": "Yes, within 30 days.", "handled_by": "human"})
    shown = await orkestra("workflow", "show", workflow_id)
    assert "The run was completed." in shown.out
    assert (await orkestra("workflow", "list", "--status", "completed", "--json")).json["workflows"]
    assert "positive" in (await orkestra("task", "show", task_id)).out


async def test_waiting_for_the_result_while_another_answers(orkestra: Command, stack: Stack, tmp_path: Path) -> None:
    question = tmp_path / "question.json"
    question.write_text(json.dumps(QUESTION), "utf-8")
    start = ("workflow", "start", "customer-support", "-i", f"@{question}", "--business-id", str(tmp_path))
    first = await orkestra(*start, "--json")
    again = await orkestra(*start)
    assert (again.code, "BUSINESS_ID_TAKEN" in again.err) == (4, True)
    wrong = [await orkestra(*start, "--handoff", text) for text in ('{"talk": 1}', '{"conversation": 3}')]
    assert [(one.code, "--handoff" in one.err) for one in wrong] == [(2, True)] * 2
    same = await orkestra(*start, "--business-id-policy", "use_running", "--quiet")
    assert same.out.strip() == first.json["workflow_id"]
    words = ("workflow", "result", first.json["workflow_id"], "--json", "--state-dir", stack.state_dir)
    watching = await asyncio.create_subprocess_exec(PROGRAM, *words, stdout=asyncio.subprocess.PIPE)
    task_id = await orkestra.task_of(first.json["workflow_id"])
    data = json.dumps({"answer": "No.", "sentiment": "neutral"})
    completed = await orkestra("task", "complete", task_id, "--as", orkestra.person, "--data", data, "--json")
    assert (completed.code, completed.json["status"]) == (0, "completed")
    printed, _ = await asyncio.wait_for(watching.communicate(), 60)
    assert json.loads(printed)["result"]["answer"] == "No."
    watched = await orkestra("task", "watch", task_id, "--json")
    assert json.loads(watched.out)["status"] == "completed"


async def test_a_manager_assigns_and_ends_tasks_and_runs(orkestra: Command, stack: Stack) -> None:
    workflow_id = await orkestra.start()
    task_id = await orkestra.task_of(workflow_id)
    reassigned = await orkestra("task", "assign", task_id, "--group", "support-l2", "--reason", "Hard", "--json")
    assert reassigned.json["candidate_groups"] == ["support-l2"], reassigned
    nobody = await orkestra("task", "assign", task_id, "--reason", "Hard")
    assert (nobody.code, "--to" in nobody.err) == (2, True)
    ended = await orkestra("task", "cancel", task_id, "--reason", "Not needed", "--json")
    assert ended.json["status"] == "cancelled"
    result = await orkestra("workflow", "result", workflow_id)
    assert (result.code, "failed" in result.out) == (1, True)

    other = await orkestra.start()
    assert (await orkestra("workflow", "cancel", other, "--reason", "Not needed")).code == 0
    result = await orkestra("workflow", "result", other, "--json")
    assert (result.code, result.json["status"]) == (1, "cancelled")
    assert (await orkestra("workflow", "signal", other, "late", "--payload", "[1]")).code == 4


async def test_a_refusal_says_why_and_what_to_do_next_with_its_exit_code(orkestra: Command, stack: Stack) -> None:
    missing = await orkestra("workflow", "start", "customer-support", "--input", '{"question": "?"}')
    assert missing.code == 4
    assert "input.customer_id: This field is required." in missing.err
    unknown = await orkestra("task", "show", "task_unknown", "--json")
    said = json.loads(unknown.err)
    assert (unknown.code, unknown.out, said["code"]) == (4, "", "TASK_NOT_FOUND")
    assert said["next"] == f"`orkestra task list --state-dir {stack.state_dir}` shows the tasks that you may see."
    assert (await orkestra("workflow", "start", "customer-support", "--input", "{")).code == 2
    nobody = await orkestra("task", "claim", "task_unknown")
    assert (nobody.code, "--as EMAIL" in nobody.err, orkestra.person in nobody.err) == (2, True, True)
    stranger = await orkestra("task", "list", "--key", "ork_stranger")
    assert (stranger.code, "--key" in stranger.err) == (4, True)
    away = await orkestra("task", "list", "--url", "http://127.0.0.1:1", env={"ORKESTRA_API_KEY": "ork_x"})
    assert (away.code, "http://127.0.0.1:1" in away.err) == (3, True)


async def test_what_is_told_to_do_next_works_as_it_is_printed(orkestra: Command) -> None:
    workflow_id = await orkestra.start()
    task_id = await orkestra.task_of(workflow_id)
    claimed = await orkestra("task", "claim", task_id, "--as", orkestra.person)
    complete = next_command(claimed.out)
    done = await orkestra.bare(*complete, "--data", '{"answer": "As printed."}')
    assert done.code == 0, (complete, done)
    refused = await orkestra("task", "claim", task_id, "--as", orkestra.person)
    shown = await orkestra.bare(*next_command(refused.err))
    assert (refused.code, shown.code, "As printed." in shown.out) == (4, 0, True), (refused, shown)
    started = await orkestra("workflow", "start", "customer-support", "--input", json.dumps(QUESTION))
    again = await orkestra.bare(*next_command(started.out), "--wait", "0")
    assert (again.code, "running" in again.out) == (5, True), again
    secret = await orkestra("task", "list", "--key", "ork_secret")
    assert (secret.code, "ork_secret" in secret.out + secret.err) == (4, False)


def next_command(said: str) -> list[str]:
    """The words of the one command that is named, without `orkestra` itself."""
    [named] = re.findall(r"`orkestra ([^`]+)`", said)
    return shlex.split(named)


async def test_a_folder_below_the_stacks_needs_to_name_nothing(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, orkestra: Command
) -> None:
    below = tmp_path / "project" / "src"
    below.mkdir(parents=True)
    (tmp_path / ".orkestra").symlink_to(stack.state_dir)
    monkeypatch.chdir(below)
    assert (await orkestra.bare("dev", "status", "--json")).json["ready"] is True
    assert (await orkestra.bare("workflow", "definitions")).code == 0
    (below / ".orkestra").mkdir()
    assert (await orkestra.bare("workflow", "definitions")).code == 3
    elsewhere = {"ORKESTRA_STATE_DIR": str(stack.state_dir)}
    assert (await orkestra.bare("workflow", "definitions", env=elsewhere)).code == 0


async def test_people_are_told_by_their_addresses_and_programs_by_their_ids(orkestra: Command, stack: Stack) -> None:
    workflow_id = await orkestra.start()
    task_id = await orkestra.task_of(workflow_id)
    assigned = await orkestra("task", "assign", task_id, "--to", orkestra.person, "--reason", "Yours")
    assert assigned.out == f"{task_id} is with {orkestra.person}.\n"
    listed = await orkestra("task", "list", "--workflow", workflow_id)
    told = [await orkestra("task", "show", task_id), await orkestra("workflow", "show", workflow_id), listed]
    assert [(orkestra.person in one.out, "user_" in one.out) for one in told] == [(True, False)] * 3, told
    ids = (await orkestra("task", "show", task_id, "--json")).json
    assert ids["assignee"].startswith("user_")
    await orkestra("task", "complete", task_id, "--as", orkestra.person, "--data", '{"answer": "Yes."}')
    shown = await orkestra("task", "show", task_id)
    assert f"answered by  {orkestra.person}" in shown.out
    watched = await orkestra("task", "watch", task_id)
    assert (orkestra.person in watched.out, "user_" in watched.out) == (True, False)


async def test_a_terminal_shows_that_it_waits_and_ctrl_c_ends_the_waiting_alone(
    orkestra: Command, stack: Stack
) -> None:
    workflow_id = await orkestra.start()
    words = ("workflow", "result", workflow_id, "--state-dir", stack.state_dir)
    waits = f"Waiting for {workflow_id}"
    code, shown = await asyncio.to_thread(lambda: on_a_terminal(*words, interrupt=lambda so_far: waits in so_far))
    assert (code, waits in shown, "Traceback" in shown) == (130, True, False), shown
    code, shown = await asyncio.to_thread(lambda: on_a_terminal(*words, "--json", "--wait", "0"))
    assert (code, waits in shown, json.loads(shown)["status"]) == (5, False, "running")


async def test_a_worker_on_a_queue_of_others_is_refused_with_the_next_step(
    stack: Stack, tmp_path: Path, orkestra: Command
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").touch()
    (tmp_path / "mine" / "flows.py").write_text(ALONE, "utf-8")
    run = (PROGRAM, "worker", "run", "mine.flows", "--json", "--state-dir", stack.state_dir)
    refused = await asyncio.create_subprocess_exec(
        *run, "--task-queue", "orkestra", cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, told = await asyncio.wait_for(refused.communicate(), 120)
    said = json.loads(told.decode().splitlines()[-1])
    assert (refused.returncode, said["code"], "--task-queue" in said["next"]) == (4, "TASK_QUEUE_TAKEN", True), told
    assert "customer-support" in said["detail"]
    worker = await asyncio.create_subprocess_exec(*run, cwd=tmp_path, stdout=asyncio.subprocess.PIPE)
    try:
        started = await eventually(lambda: alone(orkestra), timeout=120, every=0.5)
        ended = await orkestra("workflow", "result", started, "--wait", "60", "--json")
        assert (ended.code, ended.json["result"]) == (0, "alone"), ended
    finally:
        worker.terminate()
        out, _ = await asyncio.wait_for(worker.communicate(), 60)
    assert json.loads(out) == {"serving": ["mine.flows"], "task_queue": "mine"}


ALONE = """
from orkestra.sdk import Context, workflow


@workflow("alone")
async def alone(ctx: Context, input: dict[str, str]) -> str:
    return "alone"
"""


async def alone(orkestra: Command) -> str | None:
    """The run, once its workflow is known."""
    started = await orkestra("workflow", "start", "alone", "--quiet")
    return started.out.strip() if started.code == 0 else None


async def test_an_admin_makes_people_groups_and_keys_and_an_operator_tenants(orkestra: Command) -> None:
    tenant = await orkestra("tenant", "create", "made-by-command", "--json")
    assert (tenant.code, tenant.json["slug"]) == (0, "made-by-command"), tenant
    assert "made-by-command" in (await orkestra("tenant", "list")).out
    person = await orkestra("user", "create", "kim@demo.example", "--role", "member", "--json")
    assert (person.code, person.json["roles"]) == (0, ["member"]), person
    group = await orkestra("group", "create", "made-by-command", "--member", "kim@demo.example", "--json")
    assert group.json["members"] == [person.json["user_id"]], group
    assert "kim@demo.example" in (await orkestra("user", "list")).out
    assert "made-by-command" in (await orkestra("group", "list")).out
    again = await orkestra("user", "create", "kim@demo.example")
    assert (again.code, "EMAIL_TAKEN" in again.err) == (4, True)

    key = (await orkestra("key", "create", "bot", "--kind", "agent", "--expires", "2040-01-31", "--json")).json
    mine = ("workflow", "definitions", "--key", key["secret"])
    assert (await orkestra(*mine)).code == 0
    assert key["secret"] not in (await orkestra("key", "list")).out
    assert (await orkestra("key", "revoke", key["api_key"]["key_id"], "--yes")).code == 0

    async def refused() -> bool:
        return (await orkestra(*mine)).code == 4

    await eventually(refused)


async def test_who_is_revoked_is_gone_once_it_was_meant(orkestra: Command) -> None:
    await orkestra("tenant", "create", "to-suspend")
    await orkestra("user", "create", "gone@demo.example", "--password", "a long enough one")
    await orkestra("group", "create", "to-delete", "--member", "gone@demo.example")
    key_id = (await orkestra("key", "create", "to-revoke", "--json")).json["api_key"]["key_id"]
    named = {"tenant": "to-suspend", "user": "gone@demo.example", "group": "to-delete", "key": key_id}
    for kind, name in named.items():
        nobody = await orkestra(kind, "revoke", name, "--json")
        assert (nobody.code, nobody.out, json.loads(nobody.err)["code"]) == (2, "", "USAGE"), nobody
        ended = await orkestra(kind, "revoke", name, typed="")
        assert (ended.code, "--yes" in ended.err) == (2, True), ended
        no = await orkestra(kind, "revoke", name, typed="n\n")
        assert (no.code, "Nothing was changed." in no.err, "?" in no.err) == (1, True, True), no

    listed = (await orkestra("group", "list", "--json")).json["groups"]
    assert "to-delete" in [one["group_id"] for one in listed]
    assert "1 members?" in (await orkestra("group", "revoke", "to-delete", typed="n\n")).err
    yes = {kind: await orkestra(kind, "revoke", name, "--yes", "--json") for kind, name in named.items()}
    assert {kind: said.code for kind, said in yes.items()} == dict.fromkeys(named, 0), yes
    assert (yes["tenant"].json["status"], yes["user"].json["status"]) == ("suspended", "disabled")
    assert yes["key"].json["revoked_at"]
    assert "to-delete" not in [one["group_id"] for one in (await orkestra("group", "list", "--json")).json["groups"]]
    again = await orkestra("tenant", "revoke", yes["tenant"].json["tenant_id"], "--reason", "Unpaid", typed="y\n")
    assert (again.code, "/resume" in again.out) == (0, True), again
    missing = {kind: await orkestra(kind, "revoke", "nobody-has-this-name", "-y") for kind in named}
    assert {kind: said.code for kind, said in missing.items()} == dict.fromkeys(named, 4), missing


async def test_corrections_are_exported_a_line_of_json_each(orkestra: Command, stack: Stack, tmp_path: Path) -> None:
    post = {"post_id": "p-1", "author": "exported", "text": "Buy!", "action": "remove", "confidence": 0.2}
    started = await orkestra("workflow", "start", "content-moderation", "--input", json.dumps(post), "--quiet")
    task_id = await orkestra.task_of(started.out.strip())
    given = ("task", "assign", task_id, "--to", orkestra.person, "--reason", "Yours")
    assert (await orkestra(*given)).code == 0
    answer = ("task", "complete", task_id, "--as", orkestra.person, "--data", '{"action": "hide"}')
    assert (await orkestra(*answer)).code == 0
    file = tmp_path / "corrections.jsonl"
    told = await orkestra("export", "corrections", "--output", str(file), "--json")
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert (told.code, told.json["corrections"]) == (0, len(lines)), told
    [mine] = [one for one in lines if one["task_id"] == task_id]
    assert (mine["draft"]["action"]["value"], mine["answer"]["action"], mine["kept"]) == ("remove", "hide", False)
    none = await orkestra("export", "corrections", "--before", "2020-01-01")
    assert (none.code, none.out) == (0, "")


async def test_the_door_and_the_key_of_the_environment_are_taken(stack: Stack) -> None:
    info = stack.info
    env = {"ORKESTRA_URL": info["rest"], "ORKESTRA_API_KEY": info["api_keys"]["system"]}
    ran = await asyncio.to_thread(lambda: CliRunner().invoke(app, ["workflow", "definitions", "--json"], env=env))
    assert ran.exit_code == 0, ran.stderr
    assert "customer-support" in [one["name"] for one in json.loads(ran.stdout)["definitions"]]


async def test_the_command_itself_prints_no_colour_to_a_pipe_and_completes_words(stack: Stack) -> None:
    def run(words: Sequence[str], **env: str) -> str:
        command = [str(PROGRAM), *words]
        ran = subprocess.run(command, capture_output=True, text=True, check=True, env={**os.environ, **env})
        return ran.stdout

    listed = await asyncio.to_thread(run, ["task", "list", "--state-dir", str(stack.state_dir)])
    assert "\x1b" not in listed
    words = await asyncio.to_thread(
        run, [], _ORKESTRA_COMPLETE="complete_bash", COMP_WORDS="orkestra work", COMP_CWORD="1"
    )
    assert words.split() == ["worker", "workflow"]


async def test_the_client_for_programs_does_what_the_command_does(stack: Stack) -> None:
    info = stack.info
    user = next(user for user in info["users"] if user["email"] == stack.member_of("support-l1"))
    async with (
        Client(info["rest"], info["api_keys"]["system"]) as system,
        await Client.sign_in(info["rest"], user["email"], user["password"]) as person,
    ):
        run = await system.start("customer-support", QUESTION, handoff={"summary": "An opened headset."})

        async def asked() -> str | None:
            return next(iter([task.task_id async for task in person.tasks(workflow_id=run.workflow_id)]), None)

        task = await person.claim(await eventually(asked))
        assert task.context is not None
        assert task.context.summary == "An opened headset."
        await person.complete(task.task_id, {"answer": "Yes."}, version=task.version)
        assert (await system.wait(run.workflow_id, timeout=60)).result == {"answer": "Yes.", "handled_by": "human"}
        assert [entry.event for entry in (await person.task_history(task.task_id)).entries][-1] == "completed"
