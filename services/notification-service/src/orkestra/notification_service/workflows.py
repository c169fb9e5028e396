"""The loop that sends: every lane by itself, so that a receiver that fails or hangs holds up nobody else."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from orkestra.chassis.logs import get_logger
from orkestra.chassis.metrics import counter
from orkestra.notification_service.channels.secrets import Secrets
from orkestra.notification_service.channels.webhook import WebhookChannel
from orkestra.notification_service.operations import Deliveries, Lane
from orkestra.notification_service.rules import Outcome, Parcel
from orkestra.wire import Error

LANES_AT_ONCE = 200
PARCELS_AT_ONCE = 20
LOOK_SECONDS = 1.0
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
        secrets = [self._secrets.webhook(webhook.webhook_id, one) for one in generations]

        async def send(parcels: Sequence[Parcel]) -> Outcomes:
            sent = (self._channel.send(parcel, url=webhook.url, secrets=secrets) for parcel in parcels)
            outcomes = await asyncio.gather(*sent)
            return {parcel.delivery_id: one for parcel, one in zip(parcels, outcomes, strict=True)}

        return send


class Deliverer:
    """Attends to every lane that is due; `run` is a loop of the process."""

    def __init__(self, deliveries: Deliveries, carriers: Mapping[str, Carrier]) -> None:
        self._deliveries = deliveries
        self._carriers = carriers
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
        try:
            await self._work(lane)
        except Error as away:
            logger.warning("a lane was left", lane=lane.name, tenant_id=lane.tenant_id, error=str(away))
        except Exception:  # the edge of a task: the lease ends, and the lane is tried again
            logger.exception("a lane failed", lane=lane.name, tenant_id=lane.tenant_id)
        finally:
            self._attending.pop(lane, None)

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
