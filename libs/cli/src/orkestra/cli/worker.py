"""`orkestra worker`: runs anyone's workflows."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from orkestra.cli.options import DEFAULT_STATE, JsonOption, StateOption
from orkestra.cli.output import Output
from orkestra.cli.places import WORKER_KEY, needed, places
from orkestra.cli.refusals import CommandError, DoorError, refusals
from orkestra.cli.reload import run_reloading

if TYPE_CHECKING:
    from orkestra.sdk.worker import WorkerSettings

DEFAULT_TASK_QUEUE = "orkestra"
NEEDED = (
    "ORKESTRA_TEMPORAL_ADDRESS",
    "ORKESTRA_IDENTITY_ADDRESS",
    "ORKESTRA_TASK_ADDRESS",
    "ORKESTRA_WORKFLOW_ADDRESS",
    WORKER_KEY,
)

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
    as_json: JsonOption = False,
) -> None:
    """Register the workflows of the modules and run them until Ctrl-C.

    The services are those of ORKESTRA_TEMPORAL_ADDRESS, ORKESTRA_IDENTITY_ADDRESS, ORKESTRA_TASK_ADDRESS,
    ORKESTRA_WORKFLOW_ADDRESS and ORKESTRA_WORKER_KEY; what is not set comes from the local stack. Traces go to
    ORKESTRA_OTLP_ENDPOINT where it is set.
    """
    output = Output(as_json=as_json)
    if reload:
        options = ["--task-queue", task_queue, "--state-dir", str(state_dir), *(["--json"] if as_json else [])]
        command = [sys.executable, "-m", "orkestra.cli", "worker", "run", *modules, *options]
        run_reloading(command, Path.cwd(), say=output.warn)
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    sys.path.insert(0, str(Path.cwd()))
    with refusals(output):
        known = places(state_dir, os.environ)
        needed(known, *NEEDED, state_dir=state_dir)
        _run(modules, known, task_queue, output)


def _run(modules: list[str], known: dict[str, str], task_queue: str, output: Output) -> None:
    from orkestra.chassis import telemetry  # noqa: PLC0415 - slow to import
    from orkestra.sdk.worker import WorkerSettings  # noqa: PLC0415 - Temporal's library takes a second to import
    from orkestra.wire import Error  # noqa: PLC0415 - see above

    finish_traces = telemetry.configure("worker", otlp_endpoint=os.environ.get("ORKESTRA_OTLP_ENDPOINT"))
    settings = WorkerSettings(
        temporal_address=known["ORKESTRA_TEMPORAL_ADDRESS"],
        identity_address=known["ORKESTRA_IDENTITY_ADDRESS"],
        task_address=known["ORKESTRA_TASK_ADDRESS"],
        workflow_address=known["ORKESTRA_WORKFLOW_ADDRESS"],
        worker_key=known[WORKER_KEY],
        task_queue=task_queue,
    )
    try:
        asyncio.run(_serve(modules, settings, output))
    except Error as refused:
        raise DoorError(refused) from None
    except (ImportError, ValueError) as wrong:
        step = "Name modules that can be imported from here and have workflows, such as my_package.workflows."
        raise CommandError(f"The worker cannot serve {', '.join(modules)}: {wrong}", step=step) from None
    except RuntimeError as away:  # Temporal's client, where nobody answers
        step = "`orkestra doctor` says what does not answer."
        raise CommandError(f"The worker cannot serve {', '.join(modules)}: {away}", step=step) from None
    finally:
        finish_traces()


async def _serve(modules: list[str], settings: "WorkerSettings", output: Output) -> None:
    from orkestra.sdk.worker import run_worker  # noqa: PLC0415 - see above

    stop, ready = asyncio.Event(), asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    telling = asyncio.create_task(_tell(ready, modules, settings.task_queue, output))
    try:
        await run_worker(modules, settings=settings, stop=stop, ready=ready)
    finally:
        telling.cancel()


async def _tell(ready: asyncio.Event, modules: list[str], task_queue: str, output: Output) -> None:
    await ready.wait()
    told = f"Serving {', '.join(modules)} on the task queue {task_queue}. Ctrl-C ends it."
    output.give({"serving": modules, "task_queue": task_queue}, told)
    sys.stdout.flush()
