"""Runs an author's workflows: connects, makes the definitions known, serves the task queues."""

import asyncio
import importlib
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import ModuleType
from typing import Any

import grpc
from orkestra.sdk.activities import ServiceActivities
from orkestra.sdk.builds import pinned
from orkestra.sdk.converter import HEADERS, data_converter_of
from orkestra.sdk.definition import DEFAULT_TASK_QUEUE, Definition, WorkflowClass
from orkestra.sdk.ending import EndReports, ReportEnd
from orkestra.sdk.interceptor import OrkestraInterceptor
from orkestra.sdk.payloads import PayloadKeys
from orkestra.sdk.queues import check_own
from orkestra.sdk.renewal import TemporalTls, newest
from orkestra.sdk.sandbox import sandbox
from orkestra.sdk.tokens import WorkerTokens
from orkestra.v1.identity import IdentityServiceClient
from orkestra.v1.workflow import (
    ListDefinitionsRequest,
    ListDefinitionsResponse,
    RegisterDefinitionsRequest,
    WorkflowServiceClient,
)
from orkestra.wire import Error
from orkestra.wire.connection import Credentials, connect
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

log = logging.getLogger("orkestra.worker")
FIRST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 2.0
STEP_SECONDS = 8
"""How long a step of a run's code may take: Temporal's 2 are little for a long history on a busy machine."""
RENEWAL_SECONDS = 1.0
"""How often it is looked whether there are new certificates for Temporal."""
ENDING_SECONDS = 15.0
"""How long a worker may take to end beyond the time that its activities are given."""


@dataclass(frozen=True)
class WorkerSettings:
    """Where the services are and how the worker is known to them."""

    temporal_address: str
    identity_address: str
    task_address: str
    workflow_address: str
    worker_key: str
    temporal_namespace: str = "default"
    task_queue: str = DEFAULT_TASK_QUEUE
    build: str | None = None
    """Pins runs to this build of the code: new ones begin on it once it is promoted (`orkestra worker promote`)."""
    deployment: str | None = None
    """What the build is one of; the task queue where absent."""
    only_its_own: bool = False
    """Refuses to start on a task queue on which running workers serve other workflows and none of these."""
    graceful_seconds: float = 5.0
    max_cached_workflows: int = 1000
    temporal_tls: TemporalTls = False
    temporal_api_key: str | None = None
    grpc_credentials: Credentials | None = None
    """What the services are shown; where it is a function, the newest that it brings."""
    payload_keys: PayloadKeys = field(default_factory=PayloadKeys)
    """What Temporal stores is encrypted and decrypted with these; nothing is where there are none."""


@dataclass(frozen=True)
class Contents:
    """What is found in an author's modules."""

    workflows: tuple[type, ...]
    activities: tuple[Callable[..., Any], ...]

    @property
    def definitions(self) -> list[Definition]:
        """The definitions that can be started by name."""
        return [cls.definition for cls in self.workflows if issubclass(cls, WorkflowClass)]


def find_contents(modules: Iterable[str | ModuleType]) -> Contents:
    """Import the modules and return their workflows and activities; refuses modules in which there is no workflow."""
    loaded = [importlib.import_module(module) if isinstance(module, str) else module for module in modules]
    members = [member for module in loaded for _, member in inspect.getmembers(module)]
    workflows = {
        one: None for one in members if isinstance(one, type) and "__temporal_workflow_definition" in vars(one)
    }
    activities = {
        one: None for one in members if inspect.isfunction(one) and hasattr(one, "__temporal_activity_definition")
    }
    if not workflows:
        names = ", ".join(module.__name__ for module in loaded)
        raise ValueError(
            f"No workflow was found in {names}: an async function with @workflow, or a @workflow.defn class."
        )
    return Contents(tuple(workflows), tuple(activities))


async def run_worker(
    modules: Sequence[str | ModuleType],
    *,
    settings: WorkerSettings,
    stop: asyncio.Event | None = None,
    ready: asyncio.Event | None = None,
) -> None:
    """Serve the workflows of `modules` until `stop` is set; `ready` is set once they are known and served.

    Services that are away are waited for, with a message each time. Raises where the definitions are refused, such as
    a schema that was changed without a new version.
    """
    contents = find_contents(modules)
    stop = stop or asyncio.Event()
    async with AsyncExitStack() as stack:
        client = await _until_stopped(_connect(settings), stop)
        if client is None:
            return
        opened = await stack.enter_async_context(_channels(settings))
        identity, tasks, workflows = opened
        tokens = WorkerTokens(IdentityServiceClient(identity), settings.worker_key)
        service = WorkflowServiceClient(workflows, tokens.of(None), door="worker")
        if await _until_stopped(_check_queues(client, service, contents, settings), stop) is None:
            return
        activities = [*ServiceActivities(tasks, workflows, tokens).all(), *contents.activities]
        ends = EndReports(workflows, tokens)
        stack.push_async_callback(ends.finish)
        workers = make_workers(client, contents, activities, settings, report_end=ends.tell)
        longest = settings.graceful_seconds + ENDING_SECONDS
        await stack.enter_async_context(_polling(workers, stop, longest))
        await stack.enter_async_context(_renewing(workers, settings))
        if await _until_stopped(_register(service, contents, settings), stop) is None:
            return
        log.info("serving %s", ", ".join(one.temporal_type for one in contents.definitions))
        if ready is not None and not stop.is_set():
            ready.set()
        await stop.wait()


def make_workers(
    client: Client,
    contents: Contents,
    activities: Sequence[Callable[..., Any]],
    settings: WorkerSettings,
    *,
    report_end: ReportEnd | None = None,
    sandboxed: bool = True,
) -> list[Worker]:
    """Return one Temporal worker for each task queue that the definitions name."""
    queues = _queues(contents, settings)
    builds = None if settings.build is None else pinned(settings.deployment or settings.task_queue, settings.build)
    workers = [
        Worker(
            client,
            task_queue=queue,
            workflows=contents.workflows,
            activities=activities,
            interceptors=[OrkestraInterceptor(report_end)],
            workflow_runner=sandbox() if sandboxed else UnsandboxedWorkflowRunner(),
            max_cached_workflows=settings.max_cached_workflows,
            deployment_config=builds,
            graceful_shutdown_timeout=timedelta(seconds=settings.graceful_seconds),
        )
        for queue in sorted(queues)
    ]
    for worker in workers:
        inner = worker._workflow_worker  # noqa: SLF001 - Temporal has no option for it
        if inner is not None:
            inner._deadlock_timeout_seconds = STEP_SECONDS  # noqa: SLF001
    return workers


def _queues(contents: Contents, settings: WorkerSettings) -> set[str]:
    return {settings.task_queue} | {one.task_queue for one in contents.definitions if one.task_queue}


async def _check_queues(
    client: Client, service: WorkflowServiceClient, contents: Contents, settings: WorkerSettings
) -> bool:
    """Refuse (FailedPrecondition) queues that are others', where that is wanted; True where there are none.

    A service that is older than the SDK may not tell a worker what is registered: then it is not looked.
    """
    if not settings.only_its_own:
        return True
    try:
        known = await _patiently(lambda: service.list_definitions(ListDefinitionsRequest()), "asked for")
    except Error as refused:
        log.warning("Whether others serve the same task queue cannot be seen, and is not looked at: %s", refused)
        return True
    ours = {one.name for one in contents.definitions}
    for queue in sorted(_queues(contents, settings)):
        await check_own(client, known.definitions, ours=ours, queue=queue)
    return True


def _pauses() -> Iterator[float]:
    """Yield how long to wait before each next try: what starts beside us is there soon, what is away is not."""
    pause = FIRST_RETRY_SECONDS
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_RETRY_SECONDS)


async def _connect(settings: WorkerSettings) -> Client:
    pauses = _pauses()
    while True:
        try:
            return await Client.connect(
                settings.temporal_address,
                namespace=settings.temporal_namespace,
                data_converter=data_converter_of(settings.payload_keys),
                header_codec_behavior=HEADERS,
                tls=newest(settings.temporal_tls),
                api_key=settings.temporal_api_key,
            )
        except (RPCError, RuntimeError) as error:
            log.warning("Temporal at %s is not there yet: %s", settings.temporal_address, error)
            await asyncio.sleep(next(pauses))


@asynccontextmanager
async def _polling(workers: Sequence[Worker], stop: asyncio.Event, longest_seconds: float) -> AsyncIterator[None]:
    """Let the workers poll; where one fails `stop` is set, and its error is raised once all have ended.

    One that has not ended after `longest_seconds` is left behind: what it held is given out again by Temporal.

    Not the workers' own context manager: it cancels the task around it, also when a poll fails while the worker is
    being shut down, and the reason is lost.
    """

    async def poll(worker: Worker) -> None:
        try:
            await worker.run()
        except Exception as error:
            if stop.is_set():
                log.warning("a worker of %s did not end cleanly: %s", worker.task_queue, error)
                return
            raise
        finally:
            stop.set()

    running = [asyncio.create_task(poll(worker)) for worker in workers]
    try:
        yield
    finally:
        stop.set()
        ending = [asyncio.create_task(worker.shutdown()) for worker in workers]
        _, stuck = await asyncio.wait({*ending, *running}, timeout=longest_seconds)
        if stuck:  # the engine below them may wait for ever for an activity that it has lost
            log.error("a worker did not end within %g s and is left behind", longest_seconds)
        for ended in running:
            if ended not in stuck:
                ended.result()


@asynccontextmanager
async def _renewing(workers: Sequence[Worker], settings: WorkerSettings) -> AsyncIterator[None]:
    """Give the workers a new client whenever there are new certificates; polls under way end on the old one."""

    async def renew() -> None:
        known = newest(settings.temporal_tls)
        while True:
            await asyncio.sleep(RENEWAL_SECONDS)
            tls = newest(settings.temporal_tls)
            if tls == known:
                continue
            client = await _connect(settings)
            try:
                for worker in workers:
                    worker.client = client
            except (RuntimeError, ValueError) as refused:
                log.warning("A worker does not take the new certificates for Temporal yet: %s", refused)
                continue
            known = tls
            log.info("workers speak to Temporal by new certificates")

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        await asyncio.wait((renewing,))


@asynccontextmanager
async def _channels(
    settings: WorkerSettings,
) -> AsyncIterator[tuple[grpc.aio.Channel, grpc.aio.Channel, grpc.aio.Channel]]:
    async with AsyncExitStack() as stack:
        addresses = (settings.identity_address, settings.task_address, settings.workflow_address)
        channels = [connect(address, settings.grpc_credentials) for address in addresses]
        identity, tasks, workflows = [await stack.enter_async_context(channel) for channel in channels]
        yield identity, tasks, workflows


async def _register(service: WorkflowServiceClient, contents: Contents, settings: WorkerSettings) -> int:
    """Make the definitions known, however long it takes; returns how many there are."""
    definitions = [one.to_contract(settings.task_queue) for one in contents.definitions]
    if definitions:
        request = RegisterDefinitionsRequest(definitions=definitions)
        await _patiently(lambda: service.register_definitions(request), "registered")
    return len(definitions)


async def _patiently(ask: Callable[[], Awaitable[ListDefinitionsResponse]], what: str) -> ListDefinitionsResponse:
    """Ask until it is answered or refused; what is away is said each time."""
    pauses = _pauses()
    while True:
        try:
            return await ask()
        except Error as error:
            if not error.retryable and error.kind != "unauthenticated":
                raise
            log.warning("The definitions are not %s yet: %s", what, error)
            await asyncio.sleep(next(pauses))


async def _until_stopped(work: Any, stop: asyncio.Event) -> Any:
    """Return what `work` returns, or None where `stop` was set first."""
    doing, stopping = asyncio.ensure_future(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({doing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return doing.result() if doing.done() else None
    finally:
        for one in (doing, stopping):
            one.cancel()
        await asyncio.gather(doing, stopping, return_exceptions=True)
