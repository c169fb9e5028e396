"""`orkestra dev`: the whole stack on this machine."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from orkestra.cli.announcement import announcement
from orkestra.cli.installed import absent
from orkestra.cli.options import OWN_STATE, JsonOption, NearestStateOption, OwnStateOption
from orkestra.cli.output import Output
from orkestra.cli.process import end
from orkestra.cli.refusals import CommandError, NothingRunsError, refusals
from orkestra.cli.state import StateDir

if TYPE_CHECKING:
    from orkestra.cli.stack import LocalStack

START_TIMEOUT = 180.0
STOP_TIMEOUT = 90.0

app = typer.Typer(help="The whole stack on this machine: start it, stop it, look at it.")


@app.callback(invoke_without_command=True)
def dev(
    context: typer.Context,
    *,
    state_dir: OwnStateOption = OWN_STATE,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is ready and leave it running.")] = False,
    port_offset: Annotated[int, typer.Option(min=0, max=50_000, help="Added to every usual port.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Start PostgreSQL, NATS, Temporal, every service and a worker; Ctrl-C stops them. What was stored stays."""
    if context.invoked_subcommand is not None:
        return
    output = Output(as_json=as_json)
    state = StateDir(state_dir)
    with refusals(output):
        if not state.is_taken():
            _refuse_without_services()
        start = _detached if detach else _attached
        start(state, port_offset, output)


@app.command()
def stop(*, state_dir: NearestStateOption, as_json: JsonOption = False) -> None:
    """Stop the stack of the state folder, in order; data stays."""
    output = Output(as_json=as_json)
    with refusals(output):
        state = StateDir(state_dir)
        supervisor = state.recorded("supervisor")
        was_running = state.is_taken() and supervisor is not None
        if supervisor is not None and was_running:
            with output.waiting("Stopping; what is in hand is finished first"):
                end(*supervisor, timeout=STOP_TIMEOUT)
        elif state.path.exists() and state.take():
            _end_leftovers(state, output)
        output.give({"stopped": was_running}, "Stopped." if was_running else f"No stack runs in {state.path}.")


@app.command()
def status(*, state_dir: NearestStateOption, as_json: JsonOption = False) -> None:
    """Say what runs and where. Exit code 3 when nothing does."""
    output = Output(as_json=as_json)
    with refusals(output):
        state = StateDir(state_dir)
        running, stack = state.is_taken(), state.stack
        if as_json or running:
            begun = f"A stack is starting or stopping in {state.path}."
            told = announcement(stack, state.path, detached=True) if stack else begun
            output.give({"running": running, "ready": running and stack is not None, "stack": stack}, told)
        if not running:
            raise NothingRunsError(f"No stack runs in {state.path}.", step="`orkestra dev --detach` starts one.")


def _refuse_without_services() -> None:
    missing = absent()
    if missing:
        step = (
            "Install them beside it: `pip install 'orkestra-cli[stack]'`, with --find-links FOLDER where FOLDER has "
            "Orkestra's wheels; or name the folder of a stack that another installation runs with --state-dir."
        )
        raise CommandError(f"Not installed here: {', '.join(missing)}.", step=step, code="NOT_INSTALLED")


def _attached(state: StateDir, port_offset: int, output: Output) -> None:
    if not state.take():
        _already_running(state, output)
        return
    state.forget_stack()
    _end_leftovers(state, output)
    asyncio.run(_run(state, port_offset, dict(os.environ), output))


async def _run(state: StateDir, port_offset: int, environ: Mapping[str, str], output: Output) -> None:
    from orkestra.chassis.migrate import MigrationError  # noqa: PLC0415 - slow to import, as the next one
    from orkestra.cli.process import StartError  # noqa: PLC0415 - see above
    from orkestra.cli.stack import LocalStack  # noqa: PLC0415 - see above

    stack = LocalStack(state, port_offset=port_offset, environ=environ, say=lambda line: _say(line, output))
    _listen_for_signals(asyncio.current_task(), stack)
    output.say(f"Starting in {state.path} …")
    try:
        description = await stack.start()
        output.give(description, announcement(description, state.path))
        sys.stdout.flush()
        await stack.watch()
    except asyncio.CancelledError:
        output.say("Stopping …")
    except (StartError, MigrationError) as failed:
        step = f"All logs are in {state.logs}. Without {state.path} it starts from nothing."
        raise CommandError(str(failed), step=step) from None
    finally:
        await stack.stop()
    output.say(f"Stopped. Data is kept in {state.path}.")


def _listen_for_signals(task: asyncio.Task[Any] | None, stack: "LocalStack") -> None:
    """The first Ctrl-C or SIGTERM stops in order, the second at once."""
    asked: list[signal.Signals] = []

    def heard(number: signal.Signals) -> None:
        if asked or task is None:
            stack.hurry()
        else:
            task.cancel()
        asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, heard, number)


def _detached(state: StateDir, port_offset: int, output: Output) -> None:
    if state.is_taken():
        _already_running(state, output)
        return
    state.make()
    state.forget_stack()
    log = state.logs / "orkestra.log"
    command = [sys.executable, "-m", "orkestra.cli", "dev", "--state-dir", str(state.path)]
    with log.open("wb") as written:
        child = subprocess.Popen(
            [*command, "--port-offset", str(port_offset)],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with output.waiting("Starting PostgreSQL, NATS, Temporal and the services; the first time takes longest"):
        stack = _await_ready(state, child, log)
    output.give(stack, announcement(stack, state.path, detached=True))


def _await_ready(state: StateDir, child: "subprocess.Popen[bytes]", log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_TIMEOUT
    try:
        while child.poll() is None and time.monotonic() < deadline:
            stack = state.stack
            if stack is not None:
                return stack
            time.sleep(0.05)
    except KeyboardInterrupt:
        typer.echo("Stopping …", err=True)
    child.terminate()
    child.wait(STOP_TIMEOUT)
    raise CommandError(log.read_text("utf-8", "replace").strip(), step=f"All logs are in {state.logs}.")


def _already_running(state: StateDir, output: Output) -> None:
    stack = state.stack
    if stack is None:
        step = "`orkestra dev stop` ends it."
        raise CommandError(f"A stack is starting or stopping in {state.path}.", step=step, code="BUSY")
    output.give(stack, f"Already running (pid {stack['supervisor']}).", announcement(stack, state.path, detached=True))


def _end_leftovers(state: StateDir, output: Output) -> None:
    ended = state.end_leftovers()
    if ended:
        output.say(f"Ended what an earlier stack left behind: {', '.join(ended)}.")


def _say(line: str, output: Output) -> None:
    output.say(f"{time.strftime('%H:%M:%S')}  {line}")
    sys.stdout.flush()
