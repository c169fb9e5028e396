"""What takes time says so at a terminal, and there alone."""

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

import pytest
from cli_typed import PROGRAM, on_a_terminal
from orkestra.cli.ports import free_port
from orkestra.testkit.waiting import eventually

TAKING_TIME = [  # what is typed where nothing runs, what it says while it takes time
    ("doctor", "Asking everything how it is"),
    ("migrate --schema task --database-url postgresql://postgres@127.0.0.1:{port}/none", "Migrating task"),
    ("replay json --histories history.json", "Replaying 1 histories"),
]

HEARING = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
"""Tests that run in the background were started with Ctrl-C ignored."""
SLOW = "import pathlib, time; pathlib.Path({begun!r}).touch(); time.sleep(60)"


def surroundings() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ORKESTRA_", "NO_COLOR"))}
    return {**kept, "TERM": "xterm"}


@pytest.mark.parametrize(("typed", "says"), TAKING_TIME)
def test_what_takes_time_says_so_at_a_terminal(tmp_path: Path, typed: str, says: str) -> None:
    words = typed.format(port=free_port()).split()
    code, shown = on_a_terminal(*words, cwd=tmp_path, env=surroundings())
    assert (code != 0, says in shown, "Traceback" in shown) == (True, True, False), shown


def test_pipes_and_programs_are_not_told_that_it_takes_time(tmp_path: Path) -> None:
    piped = subprocess.run(
        [PROGRAM, "doctor"], cwd=tmp_path, env=surroundings(), capture_output=True, text=True, check=False
    )
    assert (piped.returncode, "Asking" in piped.stdout + piped.stderr) == (3, False)
    code, shown = on_a_terminal("doctor", "--json", cwd=tmp_path, env=surroundings())
    assert (code, "Asking" in shown, "\x1b" in shown) == (3, False, False), shown


@pytest.mark.parametrize(("slow", "words"), [("typer", []), ("pydantic", ["workflow", "list"])])
async def test_ctrl_c_while_the_code_is_imported_ends_it_without_a_word(
    tmp_path: Path, slow: str, words: list[str]
) -> None:
    begun = tmp_path / "begun"
    (tmp_path / f"{slow}.py").write_text(SLOW.format(begun=str(begun)), "utf-8")
    paths = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    env = {**surroundings(), "PYTHONPATH": paths}
    command = (sys.executable, "-S", "-c", HEARING, sys.executable, "-m", "orkestra.cli", *words)
    process = await asyncio.create_subprocess_exec(*command, env=env, stdout=PIPE, stderr=STDOUT)
    try:
        await eventually(begun.exists, timeout=60)
        process.send_signal(signal.SIGINT)
        said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    assert (process.returncode, said) == (130, b"")
