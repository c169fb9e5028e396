"""The feeds: what their owners read and mark, what is written into them, and how long it is kept."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

import grpc
from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, events_transaction, operation, read
from orkestra.chassis.sql import Connection
from orkestra.notification_service import rules
from orkestra.notification_service.operations.base import sql
from orkestra.v1.events import NotificationEvent, TaskEvent
from orkestra.v1.identity import GetGroupRequest, Group, IdentityServiceClient, User
from orkestra.v1.notification import (
    ListNotificationsRequest,
    ListNotificationsResponse,
    MarkNotificationsReadRequest,
    Notification,
)
from orkestra.wire import NotFound

IDENTITY_SECONDS = 2.0
TOLD_AT_ONCE = 200
"""People told in one transaction: each has an event of their own."""
PRUNED_AT_ONCE = 1000
PRUNES = 100
"""Most batches of one look; the rest waits for the next."""


class OwnFeed:
    """The rpcs of feeds; each answers about the caller's own only."""

    database: Database

    @read
    async def list_notifications(self, tx: Tx, request: ListNotificationsRequest) -> ListNotificationsResponse:
        """Return a page, newest first, and how much is unread."""
        return await _page(tx, request)

    @operation
    async def mark_notifications_read(self, tx: Tx, request: MarkNotificationsReadRequest) -> ListNotificationsResponse:
        """Mark entries as read and return the first page; ids that are not in the caller's feed mark nothing."""
        rules.check_reader(tx.ctx.principal)
        rules.check_marked(request.notification_ids)
        if request.notification_ids:
            ids = request.notification_ids
            await sql.mark_read.execute(tx.conn, user_id=tx.ctx.subject, notification_ids=ids)
        else:
            await sql.mark_all_read.execute(tx.conn, user_id=tx.ctx.subject)
        return await _page(tx, ListNotificationsRequest())


class Feeds:
    """Writes what happened to tasks into the feeds of those whom it concerns."""

    def __init__(self, database: Database, groups: "Groups") -> None:
        self._database = database
        self._groups = groups

    async def tell(self, tenant_id: str, *, event_id: str, name: str, event: TaskEvent) -> None:
        """Tell each person once of the event `name`, and mark as read what is no longer theirs to do."""
        told = await self._told(tenant_id, name, event)
        if not told and not rules.settled_version(name, event):
            return
        cause = rules.cause_of(name, event_id, event.task)
        for start in range(0, max(len(told), 1), TOLD_AT_ONCE):
            part = told[start : start + TOLD_AT_ONCE]
            await self._write(tenant_id, cause=cause, name=name, event=event, told=part)

    async def _told(self, tenant_id: str, name: str, event: TaskEvent) -> list[tuple[str, rules.News]]:
        """Return whom the event reaches, and with which news."""
        news = rules.news_of(name, event)
        groups = {group for one in news for group in one.groups}
        members = await self._groups.members(tenant_id, groups) if groups else {}
        reached = rules.told(news, members, actor=event.actor)
        named = sorted({user_id for one in news for user_id in one.users} & reached.keys())
        if not named:
            return list(reached.items())
        async with self._database.transaction(tenant_id) as conn:
            disabled = {row["user_id"] for row in await sql.disabled_people.rows(conn, user_ids=named)}
        return [(user_id, one) for user_id, one in reached.items() if user_id not in disabled]

    async def _write(
        self, tenant_id: str, *, cause: str, name: str, event: TaskEvent, told: list[tuple[str, rules.News]]
    ) -> None:
        task = event.task
        async with events_transaction(self._database, tenant_id) as tx:
            place: dict[str, object] = {"task_id": task.task_id}
            settled = await sql.hear_task.value(
                tx.conn, **place, tenant_id=tenant_id, settled_version=rules.settled_version(name, event)
            )
            place |= {"version": task.version, "settled_version": settled}
            working = [user_id for user_id, one in told if one.kind in rules.WORK]
            await sql.read_settled.execute(tx.conn, **place, user_ids=working)
            if not told:
                return
            rows = await sql.tell.rows(
                tx.conn,
                **place,
                tenant_id=tenant_id,
                cause=cause,
                title=task.title,
                user_ids=[user_id for user_id, _ in told],
                kinds=[one.kind.value for _, one in told],
                texts=[one.text for _, one in told],
            )
            for row in rows:
                if row["read_at"] is None:
                    await _emit(tx, row["user_id"], Notification.model_validate(dict(row)))


class Groups:
    """Who is in a group, from this service's copy and, on a miss, from identity-service."""

    def __init__(
        self, database: Database, identity: grpc.aio.Channel, token: Callable[[str | None], Awaitable[str]]
    ) -> None:
        self._database = database
        self._identity = identity
        self._token = token

    async def members(self, tenant_id: str, group_ids: Collection[str]) -> dict[str, list[str]]:
        """Return the active members of each group that exists; nothing is open while identity-service is asked."""
        async with self._database.transaction(tenant_id) as conn:
            known = await _members(conn, group_ids)
        asked = await asyncio.gather(*(self._ask(tenant_id, one) for one in sorted(set(group_ids) - known.keys())))
        found = [group for group in asked if group is not None]
        if found:
            async with self._database.transaction(tenant_id) as conn:
                for group in found:
                    await remember_group(conn, group, tenant_id=tenant_id)
                known = await _members(conn, group_ids)
        return known

    async def _ask(self, tenant_id: str, group_id: str) -> Group | None:
        async def token() -> str:
            return await self._token(tenant_id)

        client = IdentityServiceClient(self._identity, token, timeout=IDENTITY_SECONDS)
        try:
            return await client.get_group(GetGroupRequest(group_id=group_id))
        except NotFound:
            return None


class Retention:
    """Forgets what is old, across tenants, in bounded steps."""

    def __init__(self, sweep: Database) -> None:
        self._sweep = sweep

    async def prune(self, age: timedelta) -> int:
        """Delete entries and deliveries older than `age`, and what was noted of tasks not heard of for that long."""
        pruned = 0
        for query in (sql.prune_notifications, sql.prune_heard_tasks, sql.prune_deliveries):
            for _ in range(PRUNES):
                async with self._sweep.unscoped() as conn:
                    count = await query.execute(conn, age=age, limit=PRUNED_AT_ONCE)
                pruned += count
                if count < PRUNED_AT_ONCE:
                    break
        return pruned


async def _members(conn: Connection, group_ids: Collection[str]) -> dict[str, list[str]]:
    rows = await sql.members.rows(conn, group_ids=sorted(group_ids))
    return {row["group_id"]: row["members"] for row in rows}


async def remember_person(conn: Connection, user: User, *, tenant_id: str) -> None:
    """Copy a person, unless a newer version is known."""
    await sql.remember_person.execute(
        conn,
        tenant_id=tenant_id,
        user_id=user.user_id,
        status=user.status,
        version=user.version,
        email=user.email,
        name=user.name,
        locale=user.locale,
        time_zone=user.time_zone,
    )


async def remember_group(conn: Connection, group: Group, *, tenant_id: str) -> None:
    """Copy a group with its members, unless a newer version is known."""
    place = {"tenant_id": tenant_id, "group_id": group.group_id}
    if await sql.remember_group.execute(conn, **place, version=group.version):
        await sql.replace_members.execute(conn, **place, members=group.members)


async def _page(tx: Tx, request: ListNotificationsRequest) -> ListNotificationsResponse:
    rules.check_reader(tx.ctx.principal)
    size = rules.page_size_of(request.page_size)
    before_time, before_id = rules.place_of(request.page_token)
    query = sql.list_unread if request.unread_only else sql.list_notifications
    found = await query.all(
        tx.conn, Notification, user_id=tx.ctx.subject, before_time=before_time, before_id=before_id, limit=size + 1
    )
    unread = await sql.count_unread.value(tx.conn, user_id=tx.ctx.subject, limit=rules.UNREAD_LIMIT)
    last = found[size - 1] if len(found) > size else None
    token = None if last is None else rules.page_token(last.created_at, last.notification_id)
    return ListNotificationsResponse(notifications=found[:size], next_page_token=token, unread=unread)


async def _emit(tx: Tx, user_id: str, notification: Notification) -> None:
    """Tell the doors of an entry, so that they can show it at once."""
    await tx.emit(
        aggregate="notification",
        event="delivered",
        payload=NotificationEvent(notification=notification, user_id=user_id),
        key=notification.notification_id,
        version=1,
    )
