"""`orkestra worker`: runs anyone's workflows."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from orkestra.cli.code import NAMED, broken, load
from orkestra.cli.options import JsonOption, StateOption
from orkestra.cli.output import Output
from orkestra.cli.places import WORKER_KEY, needed, payload_keys, places
from orkestra.cli.refusals import CommandError, DoorError, NothingRunsError, UsageError, refusals
from orkestra.cli.reload import run_reloading
from orkestra.cli.temporal import (
    DEFAULT_NAMESPACE,
    PREFIX,
    AddressOption,
    ApiKeyFileOption,
    CaFileOption,
    CertFileOption,
    KeyFileOption,
    NamespaceOption,
    ServerNameOption,
    TemporalAccess,
    TlsOption,
    temporal_access,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from orkestra.sdk.worker import WorkerSettings

DeploymentOption = Annotated[
    str | None, typer.Option("--deployment", help="What the build is one of; the task queue where absent.")
]
QueueOption = Annotated[
    str | None,
    typer.Option(
        "--task-queue",
        help="Where the workers look for work; named after the package of the first module if absent.",
    ),
]
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
    task_queue: QueueOption = None,
    build: Annotated[
        str | None, typer.Option("--build", help="Pin runs to this build of the code; see `worker promote`.")
    ] = None,
    deployment: DeploymentOption = None,
    state_dir: StateOption,
    reload: Annotated[bool, typer.Option("--reload", help="Start again when code in this folder changes.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Register the workflows of the modules and run them until Ctrl-C.

    The services are those of ORKESTRA_TEMPORAL_ADDRESS, ORKESTRA_IDENTITY_ADDRESS, ORKESTRA_TASK_ADDRESS,
    ORKESTRA_WORKFLOW_ADDRESS and ORKESTRA_WORKER_KEY; what is not set comes from the local stack. The services' other
    settings for Temporal (ORKESTRA_TEMPORAL_…) and for TLS (ORKESTRA_GRPC_…) hold here too. Traces go to
    ORKESTRA_OTLP_ENDPOINT where it is set. An installation that encrypts what Temporal stores gives its workers
    ORKESTRA_PAYLOAD_KEYS, or ORKESTRA_PAYLOAD_KEYS_FILE, and ORKESTRA_PAYLOAD_KEY_ID.

    Every worker of a task queue is given any of its runs. So a queue on which running workers serve other workflows,
    and none of these, is refused; with --build it is not asked.
    """
    output = Output(as_json=as_json)
    queue = task_queue or queue_of(modules[0])
    if reload:
        options = ["--task-queue", queue, "--state-dir", str(state_dir), *(["--json"] if as_json else [])]
        options += [
            word
            for name, value in (("--build", build), ("--deployment", deployment))
            if value
            for word in (name, value)
        ]
        command = [sys.executable, "-m", "orkestra.cli", "worker", "run", *modules, *options]
        run_reloading(command, Path.cwd(), say=output.warn)
        return
    logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(message)s", datefmt="%H:%M:%S", stream=sys.stderr)
    with refusals(output):
        known = places(state_dir, os.environ)
        needed(known, *NEEDED, state_dir=state_dir)
        settings = _settings(known, task_queue=queue, build=build, deployment=deployment)
        _run(modules, settings, output)


def queue_of(module: str) -> str:
    """Return the task queue of a module where none is given: `my_package.workflows` is served on `my-package`."""
    package, _, name = module.rpartition(".")
    return (package or name).replace("_", "-").replace(".", "-")


@app.command()
def promote(  # noqa: PLR0913 - an option each
    build: Annotated[str, typer.Argument(metavar="BUILD", help="The build that new runs shall begin on.")],
    *,
    task_queue: Annotated[
        str | None, typer.Option("--task-queue", help="That of the workers; their deployment.")
    ] = None,
    deployment: DeploymentOption = None,
    address: AddressOption = None,
    namespace: NamespaceOption = DEFAULT_NAMESPACE,
    api_key_file: ApiKeyFileOption = None,
    tls: TlsOption = False,
    ca_file: CaFileOption = None,
    cert_file: CertFileOption = None,
    key_file: KeyFileOption = None,
    server_name: ServerNameOption = None,
    state_dir: StateOption,
    as_json: JsonOption = False,
) -> None:
    """Let new runs begin on a build that `worker run --build` serves; those that run stay on theirs.

    Temporal is that of ORKESTRA_TEMPORAL_ADDRESS, or the local stack's. Going back is promoting the build before.
    """
    files = {"API_KEY_FILE": api_key_file, "CA_FILE": ca_file, "CERT_FILE": cert_file, "KEY_FILE": key_file}
    told = {**files, "ADDRESS": address, "NAMESPACE": namespace, "SERVER_NAME": server_name, "TLS": str(tls)}
    output = Output(as_json=as_json)
    with refusals(output):
        named = deployment or task_queue
        if named is None:
            raise UsageError("Say whose build it is: --task-queue, or --deployment, as its workers have them.")
        environ = os.environ | {PREFIX + name: value for name, value in told.items() if value is not None}
        known = places(state_dir, environ)
        needed(known, "ORKESTRA_TEMPORAL_ADDRESS", state_dir=state_dir)
        _promote(known["ORKESTRA_TEMPORAL_ADDRESS"], temporal_access(environ), named, build)
    said = f"New runs of {named} begin on the build {build}."
    output.give({"deployment": named, "build": build}, said)


def _promote(address: str, access: TemporalAccess, deployment: str, build: str) -> None:
    from orkestra.sdk.builds import promote as promote_build  # noqa: PLC0415 - Temporal's library is slow to import
    from orkestra.wire import Error  # noqa: PLC0415 - see above
    from temporalio.client import Client  # noqa: PLC0415 - see above

    async def ask() -> None:
        client = await Client.connect(address, namespace=access.namespace, api_key=access.api_key, tls=access.tls)
        await promote_build(client, deployment, build)

    try:
        asyncio.run(ask())
    except Error as refused:
        raise DoorError(refused) from None
    except RuntimeError as away:  # Temporal's client, where nobody answers
        step = "`orkestra doctor` says what does not answer."
        raise NothingRunsError(f"Temporal at {address} does not answer: {away}", step=step) from None


def _settings(known: dict[str, str], *, task_queue: str, build: str | None, deployment: str | None) -> "WorkerSettings":
    from orkestra.chassis.certificates import Certificates  # noqa: PLC0415 - slow to import
    from orkestra.cli.certificates import certificate_files  # noqa: PLC0415 - see above
    from orkestra.sdk.renewal import temporal_tls  # noqa: PLC0415 - Temporal's library takes a second to import
    from orkestra.sdk.worker import WorkerSettings  # noqa: PLC0415 - see above

    access = temporal_access(os.environ)
    files = {peer: Certificates(tls) for peer, tls in certificate_files(os.environ).items()}
    temporal, grpc = files.get("Temporal"), files.get("gRPC")
    named = os.environ.get("ORKESTRA_TEMPORAL_SERVER_NAME")
    return WorkerSettings(
        temporal_address=known["ORKESTRA_TEMPORAL_ADDRESS"],
        identity_address=known["ORKESTRA_IDENTITY_ADDRESS"],
        task_address=known["ORKESTRA_TASK_ADDRESS"],
        workflow_address=known["ORKESTRA_WORKFLOW_ADDRESS"],
        worker_key=known[WORKER_KEY],
        task_queue=task_queue,
        build=build,
        deployment=deployment,
        payload_keys=payload_keys(os.environ),
        only_its_own=build is None,
        temporal_namespace=access.namespace,
        temporal_tls=access.tls if temporal is None else temporal_tls(temporal.contents, named),
        temporal_api_key=access.api_key,
        grpc_credentials=None if grpc is None else grpc.client_credentials,
    )


def _run(modules: list[str], settings: "WorkerSettings", output: Output) -> None:
    from orkestra.chassis import telemetry  # noqa: PLC0415 - slow to import
    from orkestra.wire import Error  # noqa: PLC0415 - see above

    loaded = load(modules)
    finish_traces = telemetry.configure("worker", otlp_endpoint=os.environ.get("ORKESTRA_OTLP_ENDPOINT"))
    try:
        asyncio.run(_serve(loaded, settings, output))
    except Error as refused:
        raise DoorError(refused) from None
    except ValueError as wrong:
        raise CommandError(f"The worker cannot serve {', '.join(modules)}: {wrong}", step=NAMED) from None
    except RuntimeError as away:
        if away.__cause__ is not None:  # a workflow that Temporal's sandbox does not take
            raise broken(away.__cause__, {one.partition(".")[0] for one in modules}) from None
        step = "`orkestra doctor` says what does not answer."
        raise CommandError(f"The worker cannot serve {', '.join(modules)}: {away}", step=step) from None
    finally:
        finish_traces()


async def _serve(modules: "Sequence[ModuleType]", settings: "WorkerSettings", output: Output) -> None:
    from orkestra.sdk.worker import run_worker  # noqa: PLC0415 - see above

    stop, ready = asyncio.Event(), asyncio.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    telling = asyncio.create_task(_tell(ready, [one.__name__ for one in modules], settings.task_queue, output))
    try:
        await run_worker(modules, settings=settings, stop=stop, ready=ready)
    finally:
        telling.cancel()


async def _tell(ready: asyncio.Event, modules: list[str], task_queue: str, output: Output) -> None:
    await ready.wait()
    told = f"Serving {', '.join(modules)} on the task queue {task_queue}. Ctrl-C ends it."
    output.give({"serving": modules, "task_queue": task_queue}, told)
    sys.stdout.flush()
