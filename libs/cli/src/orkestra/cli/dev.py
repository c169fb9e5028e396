"""`orkestra dev`: the whole stack on this machine."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from orkestra.chassis.migrate import MigrationError
from orkestra.cli.announcement import announcement
from orkestra.cli.process import StartError, end
from orkestra.cli.stack import LocalStack
from orkestra.cli.state import StateDir, StateError

START_TIMEOUT = 180.0
STOP_TIMEOUT = 90.0
FAILED = 1
NOT_RUNNING = 3

app = typer.Typer(help="The whole stack on this machine: start it, stop it, look at it.")
StateOption = Annotated[Path, typer.Option("--state-dir", help="Folder that keeps data, logs and keys.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_STATE = Path(".orkestra")


@app.callback(invoke_without_command=True)
def dev(
    context: typer.Context,
    *,
    state_dir: StateOption = DEFAULT_STATE,
    detach: Annotated[bool, typer.Option("--detach", help="Return when it is ready and leave it running.")] = False,
    port_offset: Annotated[int, typer.Option(min=0, max=50_000, help="Added to every usual port.")] = 0,
) -> None:
    """Start PostgreSQL, NATS, Temporal, every service and a worker; Ctrl-C stops them. What was stored stays."""
    if context.invoked_subcommand is not None:
        return
    state = StateDir(state_dir)
    try:
        code = _detached(state, port_offset) if detach else _attached(state, port_offset)
    except StateError as unusable:
        typer.echo(str(unusable), err=True)
        code = FAILED
    raise typer.Exit(code)


@app.command()
def stop(*, state_dir: StateOption = DEFAULT_STATE) -> None:
    """Stop the stack of the state folder, in order; data stays."""
    state = StateDir(state_dir)
    supervisor = state.recorded("supervisor")
    if not state.is_taken() or supervisor is None:
        typer.echo(f"No stack runs in {state.path}.")
        if state.path.exists() and state.take():
            _end_leftovers(state)
        return
    end(*supervisor, timeout=STOP_TIMEOUT)
    typer.echo("Stopped.")


@app.command()
def status(*, state_dir: StateOption = DEFAULT_STATE, as_json: JsonOption = False) -> None:
    """Say what runs and where. Exit code 3 when nothing does."""
    state = StateDir(state_dir)
    running, stack = state.is_taken(), state.stack
    if as_json:
        typer.echo(json.dumps({"running": running, "ready": running and stack is not None, "stack": stack}, indent=2))
    elif running and stack:
        typer.echo(announcement(stack, state.path))
    else:
        typer.echo(
            f"A stack is starting or stopping in {state.path}." if running else f"No stack runs in {state.path}."
        )
    raise typer.Exit(0 if running else NOT_RUNNING)


def _attached(state: StateDir, port_offset: int) -> int:
    if not state.take():
        return _already_running(state)
    state.forget_stack()
    _end_leftovers(state)
    return asyncio.run(_run(state, port_offset, dict(os.environ)))


async def _run(state: StateDir, port_offset: int, environ: Mapping[str, str]) -> int:
    stack = LocalStack(state, port_offset=port_offset, environ=environ, say=_say)
    _listen_for_signals(asyncio.current_task(), stack)
    typer.echo(f"Starting in {state.path} …")
    try:
        description = await stack.start()
        typer.echo(announcement(description, state.path))
        await stack.watch()
    except asyncio.CancelledError:
        typer.echo("Stopping …")
    except (StartError, MigrationError) as failed:
        typer.echo(f"{failed}\nAll logs are in {state.logs}. `make clean-state` starts from nothing.", err=True)
        return FAILED
    finally:
        await stack.stop()
    typer.echo(f"Stopped. Data is kept in {state.path}.")
    return 0


def _listen_for_signals(task: asyncio.Task[Any] | None, stack: LocalStack) -> None:
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


def _detached(state: StateDir, port_offset: int) -> int:
    if state.is_taken():
        return _already_running(state)
    state.make()
    state.forget_stack()
    log = state.logs / "orkestra.log"
    command = [sys.executable, "-m", "orkestra.cli", "dev", "--state-dir", str(state.path)]
    with log.open("wb") as output:
        child = subprocess.Popen(
            [*command, "--port-offset", str(port_offset)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return _await_ready(state, child, log)


def _await_ready(state: StateDir, child: "subprocess.Popen[bytes]", log: Path) -> int:
    deadline = time.monotonic() + START_TIMEOUT
    try:
        while child.poll() is None and time.monotonic() < deadline:
            stack = state.stack
            if stack is not None:
                typer.echo(announcement(stack, state.path, detached=True))
                return 0
            time.sleep(0.05)
    except KeyboardInterrupt:
        typer.echo("Stopping …")
    child.terminate()
    child.wait(STOP_TIMEOUT)
    typer.echo(log.read_text("utf-8", "replace").strip(), err=True)
    return FAILED


def _already_running(state: StateDir) -> int:
    stack = state.stack
    if stack is None:
        typer.echo(f"A stack is starting or stopping in {state.path}; `make down` ends it.")
    else:
        typer.echo(f"Already running (pid {stack['supervisor']}).\n{announcement(stack, state.path, detached=True)}")
    return 0


def _end_leftovers(state: StateDir) -> None:
    ended = state.end_leftovers()
    if ended:
        typer.echo(f"Ended what an earlier stack left behind: {', '.join(ended)}.")


def _say(line: str) -> None:
    typer.echo(f"{time.strftime('%H:%M:%S')}  {line}")
