"""The loop that sends: every lane by itself, so that a receiver that fails or hangs holds up nobody else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from orkestra.chassis.logs import get_logger
from orkestra.chassis.metrics import counter, from_zero
from orkestra.notification_service.channels.mail import MailChannel
from orkestra.notification_service.channels.posting import Poster
from orkestra.notification_service.channels.secrets import Secrets
from orkestra.notification_service.channels.slack import SlackChannel
from orkestra.notification_service.channels.teams import TeamsChannel
from orkestra.notification_service.channels.webhook import WebhookChannel
from orkestra.notification_service.channels.writing import Message, Writer
from orkestra.notification_service.operations import MAIL_LINK, Deliveries, Directory, Lane, Recipient
from orkestra.notification_service.rules import Outcome, Parcel, zone_of
from orkestra.v1.identity import MailLinkPurpose
from orkestra.v1.notification import Channel
from orkestra.wire import Error

LANES_AT_ONCE = 200
PARCELS_AT_ONCE = 20
LOOK_SECONDS = 1.0
RENEW_SECONDS = 4.0
SENT = counter(
    "orkestra.deliveries",
    "{delivery}",
    "Attempts to deliver to webhooks and people, by channel and outcome: delivered or failed.",
    "orkestra.channel",
    "orkestra.outcome",
)
logger = get_logger(__name__)
Outcomes = dict[str, Outcome]
Send = Callable[[Sequence[Parcel]], Awaitable[Outcomes]]


class Carrier(Protocol):
    """Knows the receivers of one channel."""

    async def sender(self, lane: Lane) -> Send | None:
        """Return what sends to a lane's receiver, None where nothing is to be sent now."""


class WebhookCarrier:
    """Sends to webhooks, several events at once."""

    def __init__(self, deliveries: Deliveries, channel: WebhookChannel, secrets: Secrets) -> None:
        self._deliveries = deliveries
        self._channel = channel
        self._secrets = secrets

    async def sender(self, lane: Lane) -> Send | None:
        """Return what sends to the webhook as it is registered now."""
        found = await self._deliveries.webhook(lane)
        if found is None:
            return None
        webhook, generation = found
        is_rotating = webhook.old_secret_until is not None and webhook.old_secret_until > datetime.now(UTC)
        generations = [generation, generation - 1] if is_rotating else [generation]
        secrets = [one for each in generations for one in self._secrets.webhooks(webhook.webhook_id, each)]

        async def send(parcels: Sequence[Parcel]) -> Outcomes:
            sent = (self._channel.send(parcel, url=webhook.url, secrets=secrets) for parcel in parcels)
            outcomes = await asyncio.gather(*sent)
            return {parcel.delivery_id: one for parcel, one in zip(parcels, outcomes, strict=True)}

        return send


class PeopleChannel(Protocol):
    """One way to people; another is another file."""

    def address(self, recipient: Recipient) -> str | None:
        """Return where the recipient is reached, None where they are not."""

    async def send(self, message: Message, *, to: str, name: str, message_id: str) -> Outcome:
        """Send one message; `message_id` is the same with every try."""


class ByMail:
    """E-mail, to the address that identity-service knows."""

    def __init__(self, channel: MailChannel) -> None:
        self._channel = channel

    def address(self, recipient: Recipient) -> str | None:
        return recipient.email

    async def send(self, message: Message, *, to: str, name: str, message_id: str) -> Outcome:
        return await self._channel.send(message, to=to, name=name, message_id=message_id)


class ByChat:
    """Slack or Microsoft Teams, to the address that the person or group has given."""

    def __init__(self, channel: SlackChannel | TeamsChannel, secrets: Secrets) -> None:
        self._channel = channel
        self._secrets = secrets

    def address(self, recipient: Recipient) -> str | None:
        return None if recipient.sealed_url is None else self._secrets.unseal(recipient.sealed_url)

    async def send(self, message: Message, *, to: str, name: str, message_id: str) -> Outcome:  # noqa: ARG002 - chat has no place for them
        return await self._channel.send(message, url=to)


class PeopleCarrier:
    """Sends to people and groups: what is due together is one message, what was read meanwhile is left out."""

    def __init__(self, deliveries: Deliveries, directory: Directory, channel: PeopleChannel, writer: Writer) -> None:
        self._deliveries = deliveries
        self._directory = directory
        self._channel = channel
        self._writer = writer

    async def sender(self, lane: Lane) -> Send | None:
        """Return what sends to a person or group as they are known now."""
        recipient = await self._directory.recipient(lane.tenant_id, lane.receiver, Channel(lane.channel))
        to = None if recipient is None else self._channel.address(recipient)

        async def send(parcels: Sequence[Parcel]) -> Outcomes:
            if recipient is None or to is None:
                return {parcel.delivery_id: _skipped("there is no address any more") for parcel in parcels}
            read = await self._deliveries.read_meanwhile(lane, parcels)
            outcomes = {delivery_id: _skipped("read in the feed before it was sent") for delivery_id in read}
            links = [parcel for parcel in parcels if parcel.event_type == MAIL_LINK]
            for parcel in links:
                outcomes[parcel.delivery_id] = await self._send_link(lane, parcel, recipient, to)
            rest = [parcel for parcel in parcels if parcel.delivery_id not in outcomes]
            if rest:
                message = self._writer.message(
                    lane.tenant_id, rest, locale=recipient.locale, name=_greeted(lane, recipient)
                )
                outcome = await self._channel.send(message, to=to, name=recipient.name, message_id=rest[0].delivery_id)
                outcomes |= {parcel.delivery_id: outcome for parcel in rest}
            return outcomes

        return send

    async def _send_link(self, lane: Lane, parcel: Parcel, recipient: Recipient, to: str) -> Outcome:
        """Mail what sets a password; its secret is asked for now, and kept nowhere here."""
        link = await self._directory.mail_link(lane.tenant_id, str(parcel.content["link_id"]))
        if link is None:
            return _skipped("the link was used, replaced or has expired")
        until = f"{link.link.expires_at.astimezone(zone_of(recipient.time_zone)):%Y-%m-%d %H:%M %Z}"
        message = self._writer.mail_link(
            link.token,
            is_invitation=link.link.purpose == MailLinkPurpose.INVITATION,
            until=until,
            locale=recipient.locale,
            name=recipient.name,
        )
        return await self._channel.send(message, to=to, name=recipient.name, message_id=parcel.delivery_id)


def _skipped(why: str) -> Outcome:
    return Outcome(delivered=True, is_skipped=True, error=why)


def _greeted(lane: Lane, recipient: Recipient) -> str | None:
    return recipient.name if lane.receiver.startswith("user:") else None


class Deliverer:
    """Attends to every lane that is due; `run` is a loop of the process."""

    def __init__(self, deliveries: Deliveries, carriers: Mapping[str, Carrier]) -> None:
        self._deliveries = deliveries
        self._carriers = carriers
        from_zero(SENT, *((channel, outcome) for channel in carriers for outcome in ("delivered", "failed")))
        self._attending: dict[Lane, asyncio.Task[None]] = {}
        self._news = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Say that something may be due."""
        self._news.set()

    async def run(self) -> None:
        """Send for ever; a lane that is attended to is left alone."""
        while not self._stopping:
            self._news.clear()
            room = LANES_AT_ONCE - len(self._attending)
            due = [lane for lane in await self._deliveries.due(LANES_AT_ONCE) if lane not in self._attending]
            for lane in due[:room]:
                self._attending[lane] = asyncio.create_task(self._attend(lane))
            await self._news_within(LOOK_SECONDS)
        await asyncio.Event().wait()  # a loop that ends is started again; this one is done

    async def stop(self) -> None:
        """Begin nothing more and let what is on its way arrive; what does not is sent again later."""
        self._stopping = True
        self._news.set()
        if self._attending:
            await asyncio.wait(self._attending.values(), timeout=5)

    async def _news_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    async def _attend(self, lane: Lane) -> None:
        holding = asyncio.create_task(self._hold(lane))
        try:
            await self._work(lane)
        except Error as away:
            logger.warning("a lane was left", lane=lane.name, tenant_id=lane.tenant_id, error=str(away))
        except Exception:  # the edge of a task: the lease ends, and the lane is tried again
            logger.exception("a lane failed", lane=lane.name, tenant_id=lane.tenant_id)
        finally:
            holding.cancel()
            self._attending.pop(lane, None)

    async def _hold(self, lane: Lane) -> None:
        """Keep the lease for as long as the lane is attended to."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            try:
                await self._deliveries.renew(lane)
            except Error as away:
                logger.debug("a lease was not renewed", lane=lane.name, error=str(away))

    async def _work(self, lane: Lane) -> None:
        failures = await self._deliveries.lease(lane)
        if failures is None:
            return
        carrier = self._carriers.get(lane.channel)
        send = None if carrier is None else await carrier.sender(lane)
        if send is None:
            await self._deliveries.stop(lane)
            return
        failed: Outcome | None = None
        while not self._stopping and failed is None:
            parcels = await self._deliveries.parcels(lane, 1 if failures else PARCELS_AT_ONCE)
            if not parcels:
                break
            outcomes = await send(parcels)
            await self._deliveries.settle(lane, outcomes, parcels)
            _count(lane, outcomes)
            failed = next((one for one in outcomes.values() if not one.delivered), None)
            failures = 0 if failed is None else failures + 1
            if len(parcels) == PARCELS_AT_ONCE:
                break  # the lease is short, and others may wait for a place
        await self._deliveries.leave(lane, failures=failures, outcome=failed)
        self._news.set()


def _count(lane: Lane, outcomes: Outcomes) -> None:
    for outcome in outcomes.values():
        SENT.labels(lane.channel, "delivered" if outcome.delivered else "failed").inc()


def carriers(
    deliveries: Deliveries,
    directory: Directory,
    poster: Poster,
    *,
    mail: MailChannel | None,
    secrets: Secrets,
    writer: Writer,
) -> dict[str, Carrier]:
    """Return who carries what, by channel; without a mail server nothing goes by e-mail."""
    chats = {Channel.SLACK: ByChat(SlackChannel(poster), secrets), Channel.TEAMS: ByChat(TeamsChannel(poster), secrets)}
    ways: dict[Channel, PeopleChannel] = {**chats, **({} if mail is None else {Channel.EMAIL: ByMail(mail)})}
    people = {way.value: PeopleCarrier(deliveries, directory, channel, writer) for way, channel in ways.items()}
    return {"webhook": WebhookCarrier(deliveries, WebhookChannel(poster), secrets), **people}
