"""notification-service as a process: opens what it needs, wires it together, serves and drains."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

from orkestra.chassis.consumer import Consumer
from orkestra.chassis.credentials import TokenSource
from orkestra.chassis.database import Database
from orkestra.chassis.forgetting import DeletionsOfIdentity, Forgetting
from orkestra.chassis.grpc import channel
from orkestra.chassis.process import Process, run
from orkestra.chassis.relay import Relay
from orkestra.chassis.streams import Nats, connect
from orkestra.chassis.tokens import Verifier
from orkestra.notification_service.channels.guard import Guard
from orkestra.notification_service.channels.mail import MailChannel, Server
from orkestra.notification_service.channels.posting import Poster
from orkestra.notification_service.channels.secrets import Secrets
from orkestra.notification_service.channels.writing import Writer
from orkestra.notification_service.consumers import ENDED_SUBJECTS, LANGFUSE, MOST_IN_HAND, Verdicts, hearing
from orkestra.notification_service.operations import (
    Deliveries,
    Directory,
    Feeds,
    Groups,
    Mailing,
    NotificationOperations,
    Patience,
    Retention,
)
from orkestra.notification_service.settings import NotificationServiceSettings
from orkestra.notification_service.workflows import Deliverer, carriers
from orkestra.v1.notification import Channel, add_notification_service

SCHEMA = "notification"
SMTP_PORT = 587
MEND_MAIL = (
    "See that ORKESTRA_SMTP_ADDRESS and ORKESTRA_SMTP_SECURITY are the mail server's, that ORKESTRA_SMTP_USERNAME and"
    " its password are what it knows and may send as ORKESTRA_MAIL_FROM, and that egress to it is open; then start"
    " notification-service again. Mail is tried for a day."
)
MEND_LANGFUSE = (
    "See that ORKESTRA_LANGFUSE_BASE_URL is right and open to us, and that the project knows"
    " ORKESTRA_LANGFUSE_PUBLIC_KEY and the secret key; then start notification-service again."
    " Tasks are told for an hour."
)


@asynccontextmanager
async def build(process: Process, settings: NotificationServiceSettings) -> AsyncIterator[None]:
    """Open pools and channels, register the servers and loops, and close in order."""
    async with AsyncExitStack() as stack:
        database = await Database.connect(settings.database_url, schema=SCHEMA, max_size=settings.pool_size)
        stack.push_async_callback(database.close)
        sweep = await Database.connect(settings.sweep_database_url, schema=SCHEMA, max_size=2)
        stack.push_async_callback(sweep.close)
        stream = await connect(
            settings.nats_url, name="notification-service", replicas=settings.nats_replicas, access=settings.nats_access
        )
        stack.push_async_callback(stream.close)
        identity = channel(settings.identity_address, settings.grpc_tls)
        stack.push_async_callback(identity.close, None)

        guard = Guard(development=settings.development)
        own_secrets = Secrets(*settings.own_keys)
        tokens = TokenSource(identity, settings.service_key)
        groups = Groups(database, identity, tokens.of)
        operations = NotificationOperations(
            database, groups, reach=guard.check, secrets=own_secrets, link_lifetime=timedelta(hours=settings.link_hours)
        )
        server = process.grpc_server(settings.grpc_port)
        add_notification_service(server, operations, Verifier.of_identity(identity).authenticate)

        deliveries = Deliveries(database, sweep, patience(settings))
        poster = Poster(guard, seconds=settings.webhook_timeout_seconds)
        stack.push_async_callback(poster.close)
        directory = Directory(database, identity, tokens.of)
        post = mail(process, settings)
        deliverer, mailing = delivering(settings, deliveries, directory, poster, own_secrets, post)
        feeds = Feeds(database, groups, mailing)
        listener = listening(process, stream, Forgetting(sweep, stream, DeletionsOfIdentity(identity, tokens.of(None))))
        consumers = hearing(listener, database, feeds, mailing, deliverer)
        if (verdicts := await langfuse(process, settings, tokens, stack)) is not None:
            consumers.append(listener(LANGFUSE, ENDED_SUBJECTS, verdicts.hear, at_once=MOST_IN_HAND))
        keep(process, [*consumers, deliverer])
        process.loop("relay", Relay(settings.relay_database_url, stream, schema=SCHEMA, of=(database, sweep)).run)
        process.loop("retention sweep", retention_sweep(Retention(sweep), settings))
        process.need("postgres", database.check)
        process.watch("nats", stream.check)
        yield


def listening(process: Process, stream: Nats, forgetting: Forgetting) -> Callable[..., Consumer]:
    """Return what makes consumers that pass over deleted tenants, which are forgotten beside."""
    process.loop("deleted tenants", forgetting.run)
    return partial(Consumer, stream, is_gone=forgetting.has_forgotten)


def keep(process: Process, working: Sequence[Consumer | Deliverer]) -> None:
    """Keep what hears and sends running until the process drains."""
    for one in working:
        process.loop(type(one).__name__.lower(), one.run)
        process.on_drain(one.stop)


def patience(settings: NotificationServiceSettings) -> Patience:
    """Return how long what fails is tried."""
    return Patience(
        first_pause=timedelta(seconds=settings.delivery_first_pause_seconds),
        give_up=timedelta(seconds=settings.delivery_give_up_seconds),
        disable_after=timedelta(seconds=settings.webhook_disable_after_seconds),
    )


def delivering(
    settings: NotificationServiceSettings,
    deliveries: Deliveries,
    directory: Directory,
    poster: Poster,
    own_secrets: Secrets,
    post: MailChannel | None,
) -> tuple[Deliverer, Mailing]:
    """Return what sends, and what decides what is sent, with the channels that are set up."""
    writer = Writer(own_secrets, dashboard_url=settings.dashboard_url)
    carrying = carriers(deliveries, directory, poster, mail=post, secrets=own_secrets, writer=writer)
    deliverer = Deliverer(deliveries, carrying)
    return deliverer, Mailing(directory, [one for one in Channel if one in carrying], deliverer.wake)


def mail(process: Process, settings: NotificationServiceSettings) -> MailChannel | None:
    """Return what sends mail, None where no server is known."""
    if settings.smtp_address is None or settings.mail_from is None:
        return None
    host, _, port = settings.smtp_address.rpartition(":")
    server = Server(
        host=host or settings.smtp_address,
        port=int(port) if host else SMTP_PORT,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password,
        sender=settings.mail_from,
    )
    post = MailChannel(server)
    process.outside("mail server", post.check, remedy=MEND_MAIL)
    return post


async def langfuse(
    process: Process, settings: NotificationServiceSettings, tokens: TokenSource, stack: AsyncExitStack
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
    process.outside("Langfuse", project.check, remedy=MEND_LANGFUSE)
    tasks = channel(settings.task_address, settings.grpc_tls)
    stack.push_async_callback(tasks.close, None)
    return Verdicts(project, tasks, tokens.of, give_up=timedelta(seconds=settings.langfuse_give_up_seconds))


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
