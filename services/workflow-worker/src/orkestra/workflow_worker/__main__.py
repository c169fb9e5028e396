"""Composes workflow-worker in one of its roles."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import Any

import grpc
from orkestra.chassis import process, streams
from orkestra.chassis.certificates import Certificates
from orkestra.chassis.consumer import Consumer
from orkestra.chassis.credentials import CredentialCache, TokenSource
from orkestra.chassis.database import Database
from orkestra.chassis.forgetting import DeletionsOfIdentity, Forgetting
from orkestra.chassis.grpc import channel
from orkestra.chassis.guessing import Guesses
from orkestra.chassis.logs import get_logger
from orkestra.chassis.metrics import EMITTED, from_zero
from orkestra.chassis.notifications import Notifications, Others
from orkestra.chassis.ratelimit import Limit, OwnCounts
from orkestra.chassis.relay import Relay
from orkestra.chassis.tokens import Verifier
from orkestra.sdk import worker
from orkestra.sdk.builds import promote
from orkestra.sdk.converter import HEADERS, data_converter_of
from orkestra.sdk.payloads import Encryption
from orkestra.sdk.renewal import TemporalTls, newest, renewed, temporal_tls
from orkestra.v1.identity import GetUserRequest, IdentityServiceClient
from orkestra.v1.workflow import add_workflow_service
from orkestra.wire import FieldError, InvalidArgument, NotFound, Unavailable
from orkestra.workflow_worker import workflows
from orkestra.workflow_worker.activities import OtherRooms, TasksOfRuns
from orkestra.workflow_worker.channels import Engine
from orkestra.workflow_worker.consumers import SUBJECTS, WAKE_UPS, Confirmations, Handed, WakeUps
from orkestra.workflow_worker.operations import RUN_NEWS, FindPerson, TenantRuns, WorkflowOperations
from orkestra.workflow_worker.routes import CodecRoutes, build_codec
from orkestra.workflow_worker.rules import BUILTIN_QUEUE
from orkestra.workflow_worker.settings import ApiSettings, RoleSettings, WorkerSettings
from orkestra.workflow_worker.workflows import Sweeps
from temporalio.client import Client
from temporalio.runtime import LoggingConfig, LoggingFormat, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import TLSConfig
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

SCHEMA = "workflow"
PROMOTION_PAUSE = 2.0

logger = get_logger(__name__)


@dataclass(frozen=True)
class Opened:
    """What the role api is connected to."""

    database: Database
    sweep: Database
    nats: streams.Nats
    identity: grpc.aio.Channel
    tasks: grpc.aio.Channel
    notifications: grpc.aio.Channel | None
    others: Others

    async def close(self) -> None:
        """Tell what is still to be told, and close all of it."""
        await self.others.flush()
        await self.nats.close()
        rooms = [one.close(None) for one in (self.identity, self.tasks, self.notifications) if one is not None]
        await asyncio.gather(*rooms, self.database.close(), self.sweep.close())


@asynccontextmanager
async def build_api(running: process.Process, settings: ApiSettings) -> AsyncIterator[None]:
    """Open what the role api needs and register it."""
    told = settings.notification_address
    database = await Database.connect(settings.database_url, schema=SCHEMA, max_size=settings.pool_size)
    opened = Opened(
        database=database,
        sweep=await Database.connect(settings.sweep_database_url, schema=SCHEMA, max_size=2),
        nats=await streams.connect(
            settings.nats_url, name="workflow-worker", replicas=settings.nats_replicas, access=settings.nats_access
        ),
        identity=channel(settings.identity_address, settings.grpc_tls),
        tasks=channel(settings.task_address, settings.grpc_tls),
        notifications=None if told is None else channel(told, settings.grpc_tls),
        others=Others(database, RUN_NEWS),
    )
    await _serve_api(running, settings, opened)
    try:
        yield
    finally:
        await opened.close()


async def _serve_api(running: process.Process, settings: ApiSettings, opened: Opened) -> None:
    database, sweep, nats = opened.database, opened.sweep, opened.nats
    identity, tasks = opened.identity, opened.tasks
    tokens = TokenSource(identity, settings.service_key)
    engine = Engine(await _temporal(settings))
    notifications = Notifications(settings.database_url, RUN_NEWS)
    from_zero(EMITTED, ("workflow", "failed"), ("workflow", "timed_out"))
    operations = WorkflowOperations(
        database,
        engine,
        notifications,
        opened.others,
        running.drain,
        people_of(identity, tokens),
        TasksOfRuns(tasks, tokens),
        OtherRooms(identity, tasks, opened.notifications, tokens, nats),
        settings.development,
    )
    server = running.grpc_server(settings.grpc_port)
    add_workflow_service(server, operations, Verifier.of_identity(identity).authenticate)
    if settings.codec_port is not None:
        running.http_server(_codec(settings, identity), settings.codec_port)
    confirmations = Confirmations(tasks, tokens)
    deletions = DeletionsOfIdentity(identity, tokens.of(None))
    forgetting = Forgetting(sweep, nats, deletions, first=TenantRuns(database, engine).forget)
    wake_ups = WakeUps(engine, database, tasks, tokens, confirmations)
    consumer = Consumer(nats, WAKE_UPS, SUBJECTS, wake_ups.take, is_gone=forgetting.has_forgotten)
    running.need("postgres", database.check)
    running.watch("nats", nats.check)
    running.watch("temporal", engine.check)
    running.loop("deleted tenants", forgetting.run)
    running.loop("relay", Relay(settings.relay_database_url, nats, schema=SCHEMA, of=(database, sweep)).run)
    running.loop("notifications", notifications.run)
    running.loop("news for others", opened.others.run)
    running.loop("wake-ups", consumer.run)
    running.loop("ends", Handed(wake_ups, tasks, tokens).run)
    running.loop("sweeps", Sweeps(database, sweep, engine).run)
    running.loop("confirmations", confirmations.run)
    running.on_drain(partial(_stop_waking, consumer, confirmations))


@asynccontextmanager
async def build_worker(running: process.Process, settings: WorkerSettings) -> AsyncIterator[None]:
    """Serve the deployed workflows and, on a task queue of its own, the built-in one beside the process's health."""
    stop = asyncio.Event()
    parts = _parts(settings)
    ready = [asyncio.Event() for _ in parts]
    workers = [
        asyncio.create_task(worker.run_worker(modules, settings=told, stop=stop, ready=is_ready))
        for (modules, told), is_ready in zip(parts, ready, strict=True)
    ]
    serving = asyncio.gather(*workers)

    async def check() -> None:
        if serving.done():
            serving.result()
        if not all(one.is_set() for one in ready):
            raise ConnectionError("the worker does not serve yet")

    async def end() -> None:
        stop.set()
        await asyncio.wait(workers)
        await serving

    running.need("worker", check)
    running.on_drain(end)
    serving.add_done_callback(lambda _: running.drain.begin())
    try:
        yield
    finally:
        await end()


@asynccontextmanager
async def build_promotion(running: process.Process, settings: WorkerSettings) -> AsyncIterator[None]:
    """Let new runs begin on the build as soon as a worker of it has asked for work; then end."""
    _, told = _parts(settings)[-1]
    deployment, build = told.deployment or told.task_queue, str(told.build)
    client = await _temporal(settings)
    until = time.monotonic() + settings.promote_seconds
    while True:
        try:
            await promote(client, deployment, build)
            break
        except (NotFound, Unavailable) as refused:
            if running.drain.draining or time.monotonic() > until:
                raise SystemExit(f"{build} is not promoted: {refused.message}") from None
            logger.info("waiting for workers of the build", deployment=deployment, build=build, reason=refused.reason)
        await asyncio.sleep(PROMOTION_PAUSE)
    logger.info("promoted", deployment=deployment, build=build)
    running.drain.begin()
    yield


def _parts(settings: WorkerSettings) -> list[tuple[Sequence[str | ModuleType], worker.WorkerSettings]]:
    """Return what is served by which settings, what is pinned last.

    Beside deployed workflows the built-in ones are not pinned: they come with every worker, in whatever build of them.
    """
    deployed = [name.strip() for name in settings.workflow_modules.split(",") if name.strip()]
    theirs = _worker_settings(settings)
    ours = replace(theirs, task_queue=BUILTIN_QUEUE)
    return [([workflows], replace(ours, build=None)), (deployed, theirs)] if deployed else [([workflows], ours)]


async def _stop_waking(consumer: Consumer, confirmations: Confirmations) -> None:
    await consumer.stop()
    await confirmations.flush()


def people_of(identity: grpc.aio.Channel, tokens: TokenSource) -> FindPerson:
    """Return how a person's id is found by user id or e-mail address in a tenant; refuses people it has not."""

    async def find(tenant_id: str, name: str) -> str:
        people = IdentityServiceClient(identity, tokens.of(tenant_id))
        try:
            return (await people.get_user(GetUserRequest(user_id=name), timeout=2.0)).user_id
        except NotFound:
            fault = FieldError("on_behalf_of", "unknown", "A user id or e-mail address of the tenant.")
            raise InvalidArgument("USER_UNKNOWN", f"There is no person {name}.", errors=[fault]) from None

    return find


async def _temporal(settings: RoleSettings) -> Client:
    tls = _temporal_tls(settings)
    client = await Client.connect(
        settings.temporal_address,
        namespace=settings.temporal_namespace,
        data_converter=data_converter_of(settings.read_payload_keys()),
        header_codec_behavior=HEADERS,
        lazy=True,
        tls=newest(tls),
        api_key=_temporal_api_key(settings),
    )
    return renewed(client, tls) if callable(tls) else client


def _codec(settings: ApiSettings, identity: grpc.aio.Channel) -> Any:
    """Return the endpoint where Temporal's pages have payloads decrypted."""
    encryption = Encryption(settings.read_payload_keys())
    guesses = Guesses(OwnCounts(), Limit("refused", settings.codec_refused, 60))
    credentials = CredentialCache(identity, guesses=guesses)
    routes = CodecRoutes(encryption, settings.temporal_namespace, credentials)
    served: Any = build_codec(routes, origin=settings.codec_origin)
    proxies = [name.strip() for name in settings.trusted_proxies.split(",") if name.strip()]
    return ProxyHeadersMiddleware(served, proxies)


def _temporal_tls(settings: RoleSettings) -> TemporalTls:
    """What Temporal is spoken to with; an API key never goes over a line that others can read."""
    if settings.temporal_certificates is not None:
        return temporal_tls(Certificates(settings.temporal_certificates).contents, settings.temporal_server_name)
    if settings.temporal_server_name:
        return TLSConfig(domain=settings.temporal_server_name)
    return settings.temporal_tls or settings.temporal_api_key is not None


def _temporal_api_key(settings: RoleSettings) -> str | None:
    return settings.temporal_api_key.get_secret_value() if settings.temporal_api_key else None


def _worker_settings(settings: WorkerSettings) -> worker.WorkerSettings:
    return worker.WorkerSettings(
        temporal_address=settings.temporal_address,
        temporal_namespace=settings.temporal_namespace,
        identity_address=settings.identity_address,
        task_address=settings.task_address,
        workflow_address=settings.workflow_address,
        worker_key=settings.worker_key.get_secret_value(),
        task_queue=settings.task_queue,
        build=settings.build,
        temporal_tls=_temporal_tls(settings),
        temporal_api_key=_temporal_api_key(settings),
        payload_keys=settings.read_payload_keys(),
        grpc_credentials=Certificates(settings.grpc_tls).client_credentials if settings.grpc_tls else None,
    )


def log_as_json(level: str = "WARN") -> None:
    """Have Temporal's core, which writes past Python's logging, write one JSON object a line too.

    Once for a process, before it has a client. The lines are not handed to Python's logging: a process whose core calls
    Python from a thread of its own aborts more often at its end.
    """
    told = LoggingConfig(filter=TelemetryFilter(core_level=level, other_level="ERROR"), format=LoggingFormat.JSON)
    Runtime.set_default(Runtime(telemetry=TelemetryConfig(logging=told)))


if __name__ == "__main__":
    if os.environ.get("ORKESTRA_LOG_FORMAT", "json") == "json":
        log_as_json()
    role = os.environ.get("ORKESTRA_ROLE", "api")
    if role == "promote":
        process.run("workflow-worker", WorkerSettings, build_promotion)
    elif role == "worker":
        process.run("workflow-worker", WorkerSettings, build_worker)
    else:
        process.run("workflow-worker", ApiSettings, build_api)
