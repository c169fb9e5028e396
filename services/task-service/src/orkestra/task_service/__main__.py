"""task-service as a process: opens what it needs, wires it together, serves and drains."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from orkestra.chassis.consumer import Consumer
from orkestra.chassis.credentials import TokenSource
from orkestra.chassis.database import Database
from orkestra.chassis.forgetting import DeletionsOfIdentity, Forgetting
from orkestra.chassis.grpc import channel
from orkestra.chassis.metrics import EMITTED, from_zero
from orkestra.chassis.process import Process, run
from orkestra.chassis.relay import Relay
from orkestra.chassis.settings import secret
from orkestra.chassis.streams import Nats, connect
from orkestra.chassis.together import Together
from orkestra.chassis.tokens import Verifier
from orkestra.rules.receipts import ReceiptKey
from orkestra.task_service.channels.bucket import Bucket
from orkestra.task_service.consumers import (
    PEOPLE,
    PEOPLE_SUBJECTS,
    RUN_END_SUBJECTS,
    RUN_ENDS,
    PeopleCopies,
    Refreshing,
    RunEnds,
)
from orkestra.task_service.operations import Chunks, Contents, Ends, Leftovers, People, TaskOperations, Tips
from orkestra.task_service.settings import TaskServiceSettings
from orkestra.v1.task import add_task_service

SCHEMA = "task"
DATABASE = "database"
S3 = "s3"
MEND_BUCKET = (
    "See that ORKESTRA_ATTACHMENTS_ENDPOINT, _REGION and _BUCKET name a bucket that is there and open to us, and that"
    " the access key may list, write and delete in it; then start task-service again. Files are refused until then."
)


@asynccontextmanager
async def build(process: Process, settings: TaskServiceSettings) -> AsyncIterator[None]:
    """Open pools and channels, register the servers and loops, and close in order."""
    async with AsyncExitStack() as stack:
        database = await Database.connect(settings.database_url, schema=SCHEMA, max_size=settings.pool_size)
        stack.push_async_callback(database.close)
        sweep = await Database.connect(settings.sweep_database_url, schema=SCHEMA, max_size=2)
        stack.push_async_callback(sweep.close)
        stream = await connect(
            settings.nats_url, name="task-service", replicas=settings.nats_replicas, access=settings.nats_access
        )
        stack.push_async_callback(stream.close)
        identity = channel(settings.identity_address, settings.grpc_tls)
        stack.push_async_callback(identity.close, None)

        tokens = TokenSource(identity, settings.service_key)
        people = People(identity, tokens.of)
        key = ReceiptKey(secret(settings.receipt_signing_key))
        contents = contents_of(process, database, settings)
        from_zero(EMITTED, *(("task", event) for event in ("created", "sla_breached", "expired")))
        operations = TaskOperations(database, people, key, contents, process.drain)
        server = process.grpc_server(settings.grpc_port)
        add_task_service(server, operations, Verifier.of_identity(identity).authenticate)

        ends = Ends(database, sweep)
        forgetting = Forgetting(sweep, stream, DeletionsOfIdentity(identity, tokens.of(None)), contents.forget)
        process.loop("deleted tenants", forgetting.run)
        refreshing = Refreshing(database, stream, identity, tokens)
        hear(process, stream, database, ends, refreshing, forgetting)
        process.loop("relay", Relay(settings.relay_database_url, stream, schema=SCHEMA, of=(database, sweep)).run)
        process.loop("end sweep", end_sweep(ends, settings))
        process.loop("history sweep", history_sweep(Tips(database, sweep, key), settings))
        process.loop("attachment sweep", attachment_sweep(Leftovers(database, sweep, contents), settings))
        process.need("postgres", database.check)
        process.watch("nats", stream.check)
        yield


def hear(
    process: Process, stream: Nats, database: Database, ends: Ends, refreshing: Refreshing, forgetting: Forgetting
) -> None:
    """Register the loops that hear of ended runs, and of people and groups."""
    gone = forgetting.has_forgotten
    run_ends = Consumer(stream, RUN_ENDS, RUN_END_SUBJECTS, Together(RunEnds(ends).hear), is_gone=gone)
    copies = Consumer(stream, PEOPLE, PEOPLE_SUBJECTS, PeopleCopies(database).hear, is_gone=gone)
    process.loop("consumer", run_ends.run)
    process.loop("consumer", refreshing.before(copies.run))
    process.loop("refreshing", refreshing.run)
    for consumer in (run_ends, copies):
        process.on_drain(consumer.stop)


def contents_of(process: Process, database: Database, settings: TaskServiceSettings) -> Contents:
    """Return the stores of files: the bucket where there is one, and the database for what is there already."""
    chunks, access = Chunks(database), settings.attachment_bucket
    if access is None:
        return Contents({DATABASE: chunks}, settings.attachment_limits)
    bucket = Bucket(access)
    process.outside("attachments bucket", bucket.check, remedy=MEND_BUCKET)
    return Contents({DATABASE: chunks, S3: bucket}, settings.attachment_limits, into=S3)


def end_sweep(ends: Ends, settings: TaskServiceSettings) -> Callable[[], Awaitable[None]]:
    """Return the loop that tells unconfirmed ends again."""
    age = timedelta(seconds=settings.end_sweep_age_seconds)

    async def sweep() -> None:
        while True:
            await ends.tell_again(age)
            await asyncio.sleep(settings.end_sweep_seconds)

    return sweep


def history_sweep(tips: Tips, settings: TaskServiceSettings) -> Callable[[], Awaitable[None]]:
    """Return the loop that signs the tips of histories."""

    async def sweep() -> None:
        while True:
            await tips.sign()
            await asyncio.sleep(settings.history_sweep_seconds)

    return sweep


def attachment_sweep(leftovers: Leftovers, settings: TaskServiceSettings) -> Callable[[], Awaitable[None]]:
    """Return the loop that drops files that were begun and left, and content outside whose file is gone."""
    age = timedelta(seconds=settings.attachments_unfinished_seconds)

    async def sweep() -> None:
        while True:
            await leftovers.drop_unfinished(age)
            await leftovers.clear()
            await asyncio.sleep(settings.attachments_sweep_seconds)

    return sweep


if __name__ == "__main__":
    run("task-service", TaskServiceSettings, build)
