"""The feeds: what their owners read and mark, what is written into them, and how long it is kept."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta

import asyncpg
from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, events_transaction, operation, read
from orkestra.chassis.telemetry import step
from orkestra.notification_service import rules
from orkestra.notification_service.operations.base import sql
from orkestra.notification_service.operations.deliveries import Letter, put
from orkestra.notification_service.operations.mailing import Mailing, Plan, owners_of
from orkestra.notification_service.operations.people import Groups
from orkestra.notification_service.operations.reaching import Heard, Reaching, Telling, whom_of
from orkestra.notification_service.operations.wishes import wishes_of
from orkestra.v1.events import NotificationEvent, WorkflowEvent
from orkestra.v1.notification import (
    ListNotificationsRequest,
    ListNotificationsResponse,
    MarkNotificationsReadRequest,
    Notification,
    NotificationKind,
)

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
        self._reaching = Reaching(database, groups, mailing)
        self._mailing = mailing

    async def tell(self, tenant_id: str, heard: Sequence[Heard]) -> None:
        """Tell each person once of each event, in their order, and mark as read what is no longer theirs to do."""
        tellings = await self._reaching.tellings(tenant_id, heard)
        for part in _parts(one for one in tellings if one.told or one.settled_version):
            if await self._write(tenant_id, part):
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
            disabled = (await whom_of(conn, set(news.users), set())).disabled
            told = [(user_id, news) for user_id in news.users if user_id not in disabled]
            wishes = await wishes_of(conn, owners_of(told)) if told else {}
        if not told:
            return
        cause = f"{run.workflow_id}:{name}"
        plan = self._mailing.plan(wishes, told, is_urgent=False)
        async with events_transaction(self._database, tenant_id) as tx:
            tx.send_ahead(sql.hold_off_erasures.text)
            rows = await sql.tell_of_run.rows(
                tx.conn,
                tenant_id=tenant_id,
                cause=cause,
                text=text,
                workflow_id=run.workflow_id,
                title=run.definition,
                user_ids=[user_id for user_id, _ in told],
            )
            letters = await _pass_on(tx, rows, plan, cause=cause, about={})
            is_to_be_sent = await put(tx.conn, letters, tenant_id=tenant_id)
        if is_to_be_sent:
            self._mailing.wake()

    async def _write(self, tenant_id: str, tellings: Sequence[Telling]) -> bool:
        """Write the entries of events; returns whether there is something to send besides."""
        letters: list[Letter] = []
        async with events_transaction(self._database, tenant_id) as tx:
            heard = [_as_heard(number, one) for number, one in enumerate(tellings)]
            written: dict[int, list[asyncpg.Record]] = defaultdict(list)
            for row in await sql.tell_of_tasks.rows(tx.conn, tenant_id=tenant_id, heard=heard):
                written[row["number"]].append(row)
            for number, one in enumerate(tellings):
                rows, task = written[number], one.heard.event.task
                about = {"version": task.version, "priority": task.priority.value}
                with one.heard.traced(), step("tell"):
                    entries = [row for row in rows if row["notification_id"] is not None]
                    letters += await _pass_on(tx, entries, one.plan, cause=one.cause, about=about)
                if task.version >= rows[0]["settled_version"]:
                    letters += one.plan.to_groups(task, one.cause)
            return await put(tx.conn, letters, tenant_id=tenant_id)


def _parts(tellings: Iterable[Telling]) -> Iterator[list[Telling]]:
    """Yield what one transaction each writes, one task's in order; every process takes tasks in the same order."""
    part: list[Telling] = []
    people = 0
    for telling in sorted(tellings, key=lambda one: one.heard.event.task.task_id):
        for piece in telling.pieces(TOLD_AT_ONCE):
            if part and people + len(piece.told) > TOLD_AT_ONCE:
                yield part
                part, people = [], 0
            part.append(piece)
            people += len(piece.told)
    if part:
        yield part


def _as_heard(number: int, telling: Telling) -> dict[str, object]:
    """Return an event as the schema's function takes it."""
    task = telling.heard.event.task
    return {
        "number": number,
        "task_id": task.task_id,
        "version": task.version,
        "settled_version": telling.settled_version,
        "cause": telling.cause,
        "title": task.title,
        "user_ids": [user_id for user_id, _ in telling.told],
        "kinds": [one.kind.value for _, one in telling.told],
        "texts": [one.text for _, one in telling.told],
    }


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
) -> list[Letter]:
    """Tell the doors of what is new; returns the letters to those who want it elsewhere too."""
    new = [row for row in rows if row["read_at"] is None]
    silent = [row["user_id"] for row in new if row["user_id"] in plan.silent]
    if silent:
        await sql.told_silently.execute(tx.conn, cause=cause, user_ids=silent)
    letters: list[Letter] = []
    for row in new:
        entry = Notification.model_validate({name: row[name] for name in Notification.model_fields if name in row})
        if row["user_id"] not in plan.silent:
            await _emit(tx, row["user_id"], entry)
        letters += plan.to_person(row["user_id"], entry, cause, about)
    return letters


async def _emit(tx: Tx, user_id: str, notification: Notification) -> None:
    """Tell the doors of an entry, so that they can show it at once."""
    await tx.emit(
        aggregate="notification",
        event="delivered",
        payload=NotificationEvent(notification=notification, user_id=user_id),
        key=notification.notification_id,
        version=1,
    )
