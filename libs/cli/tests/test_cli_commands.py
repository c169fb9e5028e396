"""The command as a whole: it starts at once, every command speaks JSON, and every mistake says what to do next."""

import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cli_commands import commands
from orkestra.cli.commands import Commands, app
from typer.main import get_command
from typer.testing import CliRunner

PROGRAM = Path(sys.executable).with_name("orkestra")
CPU_SECONDS = 0.8
"""Twice what it takes, for a machine that does other things."""


def run(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ORKESTRA_")}
    return subprocess.run([PROGRAM, *words], capture_output=True, text=True, env=environ, check=False)


def cpu_seconds(*words: str | Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(*words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("words", [("--help",), ("dev", "status", "--state-dir", "/nonexistent/orkestra")])
def test_it_starts_at_once(words: tuple[str, ...]) -> None:
    assert min(cpu_seconds(*words) for _ in range(3)) < CPU_SECONDS


@pytest.mark.parametrize(
    "words", [("--help",), ("dev", "status"), ("events", "dead"), ("migrate", "--help"), ("init", "a")]
)
def test_what_needs_no_temporal_imports_none_of_it(words: tuple[str, ...], tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv = ['orkestra', *sys.argv[1:]]\n"
        "from orkestra.cli.commands import app\n"
        "try: app()\n"
        "except SystemExit: pass\n"
        "print([name for name in sys.modules if name.startswith(('temporalio', 'orkestra.sdk'))])"
    )
    command = [sys.executable, "-c", code, *words]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"


ASKING = [
    *("workflow list", "workflow start a", "workflow show wf_1", "task list", "task show task_1", "task cancel task_1"),
    *("tenant list", "user list", "group list", "key list", "key create a", "export corrections"),
]
"""Commands that ask the REST door."""


class Refusing(BaseHTTPRequestHandler):
    """A REST door that lets nobody in."""

    def do_GET(self) -> None:
        self.refuse()

    def do_POST(self) -> None:
        self.refuse()

    def refuse(self) -> None:
        body = json.dumps({"status": 401, "title": "No", "detail": "Who are you?", "code": "UNAUTHENTICATED"}).encode()
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(401)
        self.send_header("content-type", "application/problem+json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *said: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing_door() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_asks_the_door_imports_nothing_of_temporal(refusing_door: str) -> None:
    code = (
        "import sys; from orkestra.cli.commands import app\n"
        "for command in sys.argv[2:]:\n"
        "    try: app([*command.split(), '--url', sys.argv[1], '--key', 'ork_x'])\n"
        "    except SystemExit as end: print(end.code)\n"
        "print('orkestra.sdk.client' in sys.modules, [name for name in sys.modules if name.startswith('temporalio')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, refusing_door, *ASKING], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == [*("4" for _ in ASKING), "True []"], ran.stderr


def test_what_help_lists_of_a_command_is_its_own_first_line() -> None:
    group = get_command(app)
    assert isinstance(group, Commands)
    for word, later in group.later.items():
        own = " ".join((group.load(word).help or "").partition("\n\n")[0].split())
        assert later.hidden or later.help == own, word


def test_every_command_takes_json() -> None:
    without = [
        words for words, command in commands() if "--json" not in {opt for one in command.params for opt in one.opts}
    ]
    assert without == []


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (("task", "list", "--state-dir", "/nonexistent/orkestra"), 3, "NOTHING_RUNS"),
        (("task", "list", "--nonsense"), 2, "USAGE"),
        (("nonsense",), 2, "USAGE"),
        (("dev", "status", "--state-dir", "/nonexistent/orkestra"), 3, "NOTHING_RUNS"),
        (("init", "No Name"), 2, "USAGE"),
        (("events", "replay", "--state-dir", "/nonexistent/orkestra"), 2, "USAGE"),
        (("migrate", "--database-url", "postgresql://postgres@127.0.0.1:1/orkestra"), 3, "NOTHING_RUNS"),
        (("worker", "run", "nothing", "--state-dir", "/nonexistent/orkestra"), 3, "NOTHING_RUNS"),
    ],
)
def test_a_mistake_is_one_line_of_json_with_the_next_step(words: tuple[str, ...], code: int, named: str) -> None:
    ran = run(*words, "--json")
    said = json.loads(ran.stderr)
    assert (ran.returncode, said["code"], bool(said["next"]), "\n" in ran.stderr.strip()) == (code, named, True, False)


def test_exit_codes_stand_in_the_help_and_words_are_completed() -> None:
    assert "3 nothing runs or answers" in " ".join(run("--help").stdout.split())
    env = {"_ORKESTRA_COMPLETE": "complete_bash", "COMP_WORDS": "orkestra task c", "COMP_CWORD": "2"}
    assert CliRunner().invoke(app, [], env=env, prog_name="orkestra").stdout.split() == ["claim", "complete", "cancel"]
