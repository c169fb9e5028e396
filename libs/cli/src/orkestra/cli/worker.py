"""`orkestra worker`: runs anyone's workflows."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from orkestra.chassis import telemetry
from orkestra.cli.dev import DEFAULT_STATE, StateOption
from orkestra.cli.reload import run_reloading
from orkestra.cli.state import StateDir, StateError
from orkestra.wire import Error

if TYPE_CHECKING:
    from orkestra.sdk.worker import WorkerSettings

FAILED = 1
NOT_RUNNING = 3
DEFAULT_TASK_QUEUE = "orkestra"
KEYS = {  # where an installation elsewhere says in the environment what stack.json says of a local one
    "temporal": "ORKESTRA_TEMPORAL_ADDRESS",
    "identity": "ORKESTRA_IDENTITY_ADDRESS",
    "task": "ORKESTRA_TASK_ADDRESS",
    "workflow": "ORKESTRA_WORKFLOW_ADDRESS",
    "key": "ORKESTRA_WORKER_KEY",
}

app = typer.Typer(help="Run workflows of your own.", no_args_is_help=True)


@app.callback()
def worker() -> None:
    """Run workflows of your own."""


@app.command()
def run(
    modules: Annotated[list[str], typer.Argument(help="Modules with workflows, such as my_package.workflows.")],
    *,
    task_queue: Annotated[
        str, typer.Option("--task-queue", help="Where the worker looks for work.")
    ] = DEFAULT_TASK_QUEUE,
    state_dir: StateOption = DEFAULT_STATE,
    reload: Annotated[bool, typer.Option("--reload", help="Start again when code in this folder changes.")] = False,
) -> None:
    """Register the workflows of the modules and run them until Ctrl-C.

    The services are those of ORKESTRA_TEMPORAL_ADDRESS, ORKESTRA_IDENTITY_ADDRESS, ORKESTRA_TASK_ADDRESS,
    ORKESTRA_WORKFLOW_ADDRESS and ORKESTRA_WORKER_KEY; what is not set comes from the local stack. Traces go to
    ORKESTRA_OTLP_ENDPOINT where it is set.
    """
    if reload:
        options = ["--task-queue", task_queue, "--state-dir", str(state_dir)]
        command = [sys.executable, "-m", "orkestra.cli", "worker", "run", *modules, *options]
        run_reloading(command, Path.cwd(), say=lambda text: typer.echo(text, err=True))
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    sys.path.insert(0, str(Path.cwd()))
    finish_traces = telemetry.configure("worker", otlp_endpoint=os.environ.get("ORKESTRA_OTLP_ENDPOINT"))
    try:
        asyncio.run(_serve(modules, _settings(state_dir, task_queue)))
    except (ImportError, ValueError, Error) as refusal:
        typer.echo(f"The worker cannot serve {', '.join(modules)}: {refusal}", err=True)
        raise typer.Exit(FAILED) from None
    finally:
        finish_traces()


async def _serve(modules: list[str], settings: "WorkerSettings") -> None:
    from orkestra.sdk.worker import run_worker  # noqa: PLC0415 - Temporal's library takes a second to import

    stop, ready = asyncio.Event(), asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    telling = asyncio.create_task(_tell(ready, modules, settings.task_queue))
    try:
        await run_worker(modules, settings=settings, stop=stop, ready=ready)
    finally:
        telling.cancel()


async def _tell(ready: asyncio.Event, modules: list[str], task_queue: str) -> None:
    await ready.wait()
    typer.echo(f"Serving {', '.join(modules)} on the task queue {task_queue}. Ctrl-C ends it.")


def _settings(state_dir: Path, task_queue: str) -> "WorkerSettings":
    from orkestra.sdk.worker import WorkerSettings  # noqa: PLC0415 - see above

    local = _local(state_dir)
    found = {name: os.environ.get(variable) or local.get(name) for name, variable in KEYS.items()}
    missing = [KEYS[name] for name, value in found.items() if not value]
    if missing:
        typer.echo(
            f"No stack runs in {state_dir}, and {', '.join(missing)} is not set: start one with `make up`, "
            "say where it is with --state-dir, or set what is missing.",
            err=True,
        )
        raise typer.Exit(NOT_RUNNING)
    return WorkerSettings(
        temporal_address=str(found["temporal"]),
        identity_address=str(found["identity"]),
        task_address=str(found["task"]),
        workflow_address=str(found["workflow"]),
        worker_key=str(found["key"]),
        task_queue=task_queue,
    )


def _local(state_dir: Path) -> dict[str, Any]:
    try:
        stack = StateDir(state_dir).stack or {}
    except StateError:
        return {}
    return {**stack, "key": stack.get("api_keys", {}).get("worker")}
