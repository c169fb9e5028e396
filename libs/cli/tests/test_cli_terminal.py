"""What takes time says so at a terminal, and there alone."""

import os
import subprocess
from pathlib import Path

import pytest
from cli_typed import PROGRAM, on_a_terminal
from orkestra.cli.ports import free_port

TAKING_TIME = [  # what is typed where nothing runs, what it says while it takes time
    ("doctor", "Asking everything how it is"),
    ("migrate --schema task --database-url postgresql://postgres@127.0.0.1:{port}/none", "Migrating task"),
    ("replay json --histories history.json", "Replaying 1 histories"),
]


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
