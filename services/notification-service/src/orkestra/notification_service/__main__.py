"""notification-service as a process: opens what it needs, wires it together, serves and drains."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from orkestra.chassis.consumer import Consumer
from orkestra.chassis.credentials import TokenSource
from orkestra.chassis.database import Database
from orkestra.chassis.grpc import channel
from orkestra.chassis.process import Process, run
from orkestra.chassis.relay import Relay
from orkestra.chassis.streams import connect
from orkestra.chassis.tokens import Verifier
from orkestra.notification_service.consumers import (
    ENDED_SUBJECTS,
    LANGFUSE,
    PEOPLE,
    PEOPLE_SUBJECTS,
    TASK_SUBJECTS,
    TASKS,
    PeopleCopies,
    TaskNews,
    Verdicts,
)
from orkestra.notification_service.operations import Feeds, Groups, NotificationOperations, Retention
from orkestra.notification_service.settings import NotificationServiceSettings
from orkestra.v1.notification import add_notification_service

SCHEMA = "notification"


@asynccontextmanager
async def build(process: Process, settings: NotificationServiceSettings) -> AsyncIterator[None]:
    """Open pools and channels, register the servers and loops, and close in order."""
    async with AsyncExitStack() as stack:
        database = await Database.connect(settings.database_url, schema=SCHEMA, max_size=settings.pool_size)
        stack.push_async_callback(database.close)
        sweep = await Database.connect(settings.sweep_database_url, schema=SCHEMA, max_size=1)
        stack.push_async_callback(sweep.close)
        stream = await connect(
            settings.nats_url, name="notification-service", replicas=settings.nats_replicas, access=settings.nats_access
        )
        stack.push_async_callback(stream.close)
        identity = channel(settings.identity_address, settings.grpc_tls)
        stack.push_async_callback(identity.close, None)

        server = process.grpc_server(settings.grpc_port)
        authenticate = Verifier.of_identity(identity).authenticate
        add_notification_service(server, NotificationOperations(database), authenticate)

        tokens = TokenSource(identity, settings.service_key)
        feeds = Feeds(database, Groups(database, identity, tokens))
        consumers = [
            Consumer(stream, TASKS, TASK_SUBJECTS, TaskNews(feeds).hear),
            Consumer(stream, PEOPLE, PEOPLE_SUBJECTS, PeopleCopies(database).hear),
        ]
        verdicts = await langfuse(settings, tokens, stack)
        if verdicts is not None:
            consumers.append(Consumer(stream, LANGFUSE, ENDED_SUBJECTS, verdicts.hear))
        for consumer in consumers:
            process.loop("consumer", consumer.run)
            process.on_drain(consumer.stop)
        process.loop("relay", Relay(settings.relay_database_url, stream, schema=SCHEMA).run)
        process.loop("retention sweep", retention_sweep(Retention(sweep), settings))
        process.need("postgres", database.check)
        process.watch("nats", stream.check)
        yield


async def langfuse(
    settings: NotificationServiceSettings, tokens: TokenSource, stack: AsyncExitStack
) -> Verdicts | None:
    """Return what tells Langfuse of ended tasks, None where it is off."""
    if settings.langfuse_base_url is None or settings.langfuse_secret_key is None or settings.task_address is None:
        return None
    from orkestra.notification_service.channels.langfuse import Langfuse  # noqa: PLC0415 - 20 MB, for who wants it

    project = Langfuse.connect(
        settings.langfuse_base_url,
        public_key=settings.langfuse_public_key or "",
        secret_key=settings.langfuse_secret_key,
        environment=settings.langfuse_environment,
        content=settings.langfuse_content,
        seconds=settings.langfuse_timeout_seconds,
    )
    stack.push_async_callback(project.close)
    tasks = channel(settings.task_address, settings.grpc_tls)
    stack.push_async_callback(tasks.close, None)
    return Verdicts(project, tasks, tokens, give_up=timedelta(seconds=settings.langfuse_give_up_seconds))


def retention_sweep(retention: Retention, settings: NotificationServiceSettings) -> Callable[[], Awaitable[None]]:
    """Return the loop that forgets old entries."""
    age = timedelta(days=settings.retention_days)

    async def sweep() -> None:
        while True:
            await retention.prune(age)
            await asyncio.sleep(settings.retention_sweep_seconds)

    return sweep


if __name__ == "__main__":
    run("notification-service", NotificationServiceSettings, build)
