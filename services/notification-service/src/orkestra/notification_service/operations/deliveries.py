"""Deliveries: what is to be sent to whom, leased by one process at a time, and how it went."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, events_transaction
from orkestra.chassis.sql import Connection
from orkestra.notification_service.operations.base import sql
from orkestra.notification_service.operations.webhooks import tell
from orkestra.notification_service.rules import LONGEST_ASKED_PAUSE, Outcome, Parcel, pause_after
from orkestra.v1.events import NotificationEvent
from orkestra.v1.notification import Notification, Webhook, WebhookStatus
from orkestra.wire import dumps

LEASE = timedelta(seconds=15)
"""How long a lane stands still whose process was killed; one that is attended to for longer is leased again."""
PUT_AT_ONCE = 100
"""Letters in one statement: one may be of 64 KiB."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One receiver of a tenant on one channel, such as webhook:<id> or email:user:<id>."""

    tenant_id: str
    name: str

    @property
    def channel(self) -> str:
        """Which channel it is on."""
        return self.name.partition(":")[0]

    @property
    def receiver(self) -> str:
        """Who receives: what follows the channel."""
        return self.name.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Letter:
    """What is put into a lane: once for each cause."""

    lane: str
    cause: str
    event_id: str
    event_type: str
    content: Mapping[str, Any]
    at: datetime | None = None
    """Not before this; at once where absent."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long what fails is tried."""

    first_pause: timedelta
    give_up: timedelta
    disable_after: timedelta


async def put(conn: Connection, letters: Collection[Letter], *, tenant_id: str) -> bool:
    """Keep letters until they are delivered, and wake their lanes; what is known already changes nothing.

    Returns whether there is something to send.
    """
    sorted_letters = sorted(letters, key=lambda one: one.lane)
    for start in range(0, len(sorted_letters), PUT_AT_ONCE):
        part = sorted_letters[start : start + PUT_AT_ONCE]
        await sql.put_deliveries.execute(
            conn,
            tenant_id=tenant_id,
            lanes=[one.lane for one in part],
            causes=[one.cause for one in part],
            event_ids=[one.event_id for one in part],
            event_types=[one.event_type for one in part],
            contents=[dumps(one.content) for one in part],
            ats=[one.at for one in part],
        )
    return bool(letters)


class Deliveries:
    """What the loop that sends reads and writes."""

    def __init__(self, database: Database, sweep: Database, patience: Patience) -> None:
        self.database = database
        self._sweep = sweep
        self._patience = patience

    async def due(self, limit: int) -> list[Lane]:
        """Return lanes of any tenant that have something to send and that nobody attends to."""
        async with self._sweep.statement() as conn:
            rows = await sql.due_lanes.rows(conn, limit=limit)
        return [Lane(row["tenant_id"], row["lane"]) for row in rows]

    async def next_due(self) -> float | None:
        """Return the seconds until something is due next."""
        async with self._sweep.statement() as conn:
            seconds: float | None = await sql.next_due.value(conn)
        return seconds

    async def lease(self, lane: Lane) -> int | None:
        """Take a lane for a while; returns how often it failed in a row, None where another has it."""
        async with self.database.transaction(lane.tenant_id) as conn:
            row = await sql.lease_lane.row(conn, lane=lane.name, lease=LEASE)
        return None if row is None else int(row["failures"])

    async def renew(self, lane: Lane) -> None:
        """Keep a leased lane for a while more; one that was left stays free."""
        async with self.database.transaction(lane.tenant_id) as conn:
            await sql.renew_lease.execute(conn, lane=lane.name, lease=LEASE)

    async def parcels(self, lane: Lane, limit: int) -> list[Parcel]:
        """Return what is due in a leased lane, the longest waiting first."""
        async with self.database.reading(lane.tenant_id) as conn:
            rows = await sql.due_deliveries.rows(conn, lane=lane.name, limit=limit)
        return [Parcel(**row) for row in rows]

    async def settle(self, lane: Lane, outcomes: Mapping[str, Outcome], parcels: Collection[Parcel]) -> None:
        """Write down how attempts went; what was tried for too long is given up."""
        async with events_transaction(self.database, lane.tenant_id) as tx:
            now = await tx.now()
            for parcel in parcels:
                outcome = outcomes[parcel.delivery_id]
                is_over = now - parcel.tried_since > self._patience.give_up
                status = _status(outcome, is_over=is_over)
                await sql.settle_delivery.execute(
                    tx.conn,
                    delivery_id=parcel.delivery_id,
                    status=status,
                    pause=self._pause(parcel.attempts + 1, outcome),
                    response_status=outcome.response_status,
                    error=outcome.error,
                )
                if status == "failed":
                    await _tell_of_failure(tx, lane, parcel)

    async def read_meanwhile(self, lane: Lane, parcels: Collection[Parcel]) -> set[str]:
        """Return which of these were read in the feed before they were sent."""
        entries = {str(one.content.get("notification_id")): one.delivery_id for one in parcels}
        async with self.database.reading(lane.tenant_id) as conn:
            rows = await sql.read_meanwhile.rows(conn, notification_ids=sorted(entries))
        return {entries[row["notification_id"]] for row in rows}

    async def leave(self, lane: Lane, *, failures: int, outcome: Outcome | None = None) -> None:
        """Give a lane back; after a failure it rests, and a webhook that fails for too long is disabled."""
        async with events_transaction(self.database, lane.tenant_id) as tx:
            await sql.lock_lane.value(tx.conn, lane=lane.name)  # what others put from now on wakes it again
            since = await sql.leave_lane.value(
                tx.conn, lane=lane.name, failures=failures, pause=self._pause(max(failures, 1), outcome)
            )
            is_gone = outcome is not None and outcome.is_gone
            if is_gone or (since is not None and await tx.now() - since > self._patience.disable_after):
                await _disable(tx, lane, reason="gone" if is_gone else "failing")

    async def stop(self, lane: Lane) -> None:
        """Leave a lane whose receiver wants nothing now."""
        async with self.database.transaction(lane.tenant_id) as conn:
            await sql.stop_lane.execute(conn, lane=lane.name)

    async def webhook(self, lane: Lane) -> tuple[Webhook, int] | None:
        """Return the webhook of a lane with its generation, None where nothing is to be sent."""
        async with self.database.reading(lane.tenant_id) as conn:
            row = await sql.get_webhook.row(conn, webhook_id=lane.receiver)
        if row is None or row["status"] != "active":
            return None
        values = {name: row[name] for name in Webhook.model_fields if name in row}
        return Webhook.model_validate(values), int(row["generation"])

    def _pause(self, failures: int, outcome: Outcome | None) -> timedelta:
        spread = random.random()  # noqa: S311 - for nothing but spreading
        pause = pause_after(failures, first=self._patience.first_pause, spread=spread)
        asked = outcome.asked_pause if outcome is not None else None
        return pause if asked is None else max(pause, min(asked, LONGEST_ASKED_PAUSE))


def _status(outcome: Outcome, *, is_over: bool) -> str:
    if outcome.is_skipped:
        return "skipped"
    if outcome.delivered:
        return "delivered"
    return "failed" if is_over or outcome.is_gone or outcome.is_final else "pending"


async def _tell_of_failure(tx: Tx, lane: Lane, parcel: Parcel) -> None:
    """Tell that a person was not reached on one channel; their feed has it all the same."""
    user_id = lane.receiver.removeprefix("user:")
    entry = await sql.get_notification.one(
        tx.conn, Notification, notification_id=str(parcel.content.get("notification_id")), user_id=user_id
    )
    if entry is None:
        return
    payload = NotificationEvent(notification=entry, user_id=user_id)
    await tx.emit(aggregate="notification", event="failed", payload=payload, key=entry.notification_id, version=1)


async def _disable(tx: Tx, lane: Lane, *, reason: str) -> None:
    """Switch off the webhook of a lane that is beyond hope; other channels have no switch."""
    if lane.channel != "webhook":
        return
    seen = await sql.lock_webhook.one(tx.conn, Webhook, webhook_id=lane.receiver)
    if seen is None or seen.status != WebhookStatus.ACTIVE:
        return
    disabled = await sql.update_webhook.one(
        tx.conn,
        Webhook,
        webhook_id=seen.webhook_id,
        url=seen.url,
        events=seen.events,
        description=seen.description,
        status="disabled",
        disabled_reason=reason,
    )
    await sql.stop_lane.execute(tx.conn, lane=lane.name)
    if disabled is not None:
        await tell(tx, "disabled", disabled, actor=None)
