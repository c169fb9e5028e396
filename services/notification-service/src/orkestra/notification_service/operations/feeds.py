"""The feeds: what their owners read and mark, what is written into them, and how long it is kept."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import asyncpg
from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, events_transaction, operation, read
from orkestra.notification_service import rules
from orkestra.notification_service.operations.base import sql
from orkestra.notification_service.operations.deliveries import put
from orkestra.notification_service.operations.mailing import Mailing, Plan
from orkestra.notification_service.operations.people import Groups
from orkestra.rules import Absence, substitutes_of
from orkestra.v1.events import NotificationEvent, TaskEvent, WorkflowEvent
from orkestra.v1.notification import (
    ListNotificationsRequest,
    ListNotificationsResponse,
    MarkNotificationsReadRequest,
    Notification,
    NotificationKind,
)
from orkestra.v1.task import Priority

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

    def __init__(self, database: Database, groups: Groups, mailing: Mailing) -> None:
        self._database = database
        self._groups = groups
        self._mailing = mailing

    async def tell(self, tenant_id: str, *, event_id: str, name: str, event: TaskEvent) -> None:
        """Tell each person once of the event `name`, and mark as read what is no longer theirs to do."""
        told = await self._told(tenant_id, name, event)
        if not told and not rules.settled_version(name, event):
            return
        cause = rules.cause_of(name, event_id, event.task)
        for start in range(0, max(len(told), 1), TOLD_AT_ONCE):
            part = told[start : start + TOLD_AT_ONCE]
            if await self._write(tenant_id, cause=cause, name=name, event=event, told=part):
                self._mailing.wake()

    async def tell_of_run(self, tenant_id: str, *, name: str, event: WorkflowEvent) -> None:
        """Tell those who started a run that it has ended, unless they ended it."""
        run = event.workflow
        users = {one for one in (run.requested_by, run.on_behalf_of) if rules.is_person(one) and one != event.actor}
        text = rules.RUN_ENDS[name]
        news = rules.News(NotificationKind.RESULT, text, users=tuple(sorted(one for one in users if one is not None)))
        if not news.users:
            return
        async with self._database.reading(tenant_id) as conn:
            disabled = {row["user_id"] for row in await sql.disabled_people.rows(conn, user_ids=list(news.users))}
        told = [(user_id, news) for user_id in news.users if user_id not in disabled]
        if not told:
            return
        cause = f"{run.workflow_id}:{name}"
        plan = await self._mailing.plan(tenant_id, told, is_urgent=False)
        async with events_transaction(self._database, tenant_id) as tx:
            rows = await sql.tell_of_run.rows(
                tx.conn,
                tenant_id=tenant_id,
                cause=cause,
                text=text,
                workflow_id=run.workflow_id,
                title=run.definition,
                user_ids=[user_id for user_id, _ in told],
            )
            is_to_be_sent = await _pass_on(tx, rows, plan, cause=cause, about={})
        if is_to_be_sent:
            self._mailing.wake()

    async def _told(self, tenant_id: str, name: str, event: TaskEvent) -> list[tuple[str, rules.News]]:
        """Return whom the event reaches, and with which news."""
        news = rules.news_of(name, event)
        groups = {group for one in news for group in one.groups}
        members = await self._groups.members(tenant_id, groups) if groups else {}
        users = {user_id for one in news for user_id in one.users}
        if not users:
            return list(rules.told(news, members, actor=event.actor).items())
        async with self._database.reading(tenant_id) as conn:
            rows = await sql.absences_after.rows(conn, people=sorted(users))
            absences = [Absence(row["user_id"], row["substitute"], frozenset(row["task_types"])) for row in rows]
            named = users | {one.substitute for one in absences}
            disabled = {row["user_id"] for row in await sql.disabled_people.rows(conn, user_ids=sorted(named))}
        reached = rules.told(
            news,
            members,
            actor=event.actor,
            standing_in=lambda people: substitutes_of(people, event.task.type, absences),
        )
        return [(user_id, one) for user_id, one in reached.items() if user_id not in disabled]

    async def _write(
        self, tenant_id: str, *, cause: str, name: str, event: TaskEvent, told: list[tuple[str, rules.News]]
    ) -> bool:
        """Write the entries; returns whether there is something to send besides."""
        task = event.task
        plan = await self._mailing.plan(tenant_id, told, is_urgent=task.priority == Priority.URGENT)
        async with events_transaction(self._database, tenant_id) as tx:
            place: dict[str, object] = {"task_id": task.task_id}
            settled = await sql.hear_task.value(
                tx.conn, **place, tenant_id=tenant_id, settled_version=rules.settled_version(name, event)
            )
            place |= {"version": task.version, "settled_version": settled}
            working = [user_id for user_id, one in told if one.kind in rules.WORK]
            await sql.read_settled.execute(tx.conn, **place, user_ids=working)
            if not told:
                return False
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
            about = {"version": task.version, "priority": task.priority.value}
            is_to_be_sent = await _pass_on(tx, rows, plan, cause=cause, about=about)
            if task.version >= settled:
                is_to_be_sent |= await put(tx.conn, plan.to_groups(task, cause), tenant_id=tenant_id)
        return is_to_be_sent


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
    language = rules.language_of(tx.ctx.locale)
    shown = [one.model_copy(update={"text": rules.say(one.text, language)}) for one in found[:size]]
    return ListNotificationsResponse(notifications=shown, next_page_token=token, unread=unread)


async def _pass_on(
    tx: Tx, rows: Sequence[asyncpg.Record], plan: Plan, *, cause: str, about: Mapping[str, object]
) -> bool:
    """Put what is new into the lanes of those who want it there, and tell the doors; returns whether any wants it."""
    new = [row for row in rows if row["read_at"] is None]
    silent = [row["user_id"] for row in new if row["user_id"] in plan.silent]
    if silent:
        await sql.told_silently.execute(tx.conn, cause=cause, user_ids=silent)
    is_to_be_sent = False
    for row in new:
        entry = Notification.model_validate({name: row[name] for name in Notification.model_fields if name in row})
        if row["user_id"] not in plan.silent:
            await _emit(tx, row["user_id"], entry)
        letters = plan.to_person(row["user_id"], entry, cause, about)
        is_to_be_sent |= await put(tx.conn, letters, tenant_id=tx.tenant_id)
    return is_to_be_sent


async def _emit(tx: Tx, user_id: str, notification: Notification) -> None:
    """Tell the doors of an entry, so that they can show it at once."""
    await tx.emit(
        aggregate="notification",
        event="delivered",
        payload=NotificationEvent(notification=notification, user_id=user_id),
        key=notification.notification_id,
        version=1,
    )
