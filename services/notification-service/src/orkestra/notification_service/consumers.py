"""What other services tell: what happened to tasks, and who people and groups are."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import asyncpg
import grpc
from orkestra.chassis.consumer import Consumer, Handler
from orkestra.chassis.database import Database
from orkestra.chassis.events import Event, Poison
from orkestra.chassis.logs import get_logger
from orkestra.chassis.metrics import counter, from_zero
from orkestra.chassis.together import Together
from orkestra.notification_service.channels.verdict import AgentTrace, Later, Refused, Stretch, agent_trace, stretches
from orkestra.notification_service.operations import (
    Feeds,
    Heard,
    Letter,
    Mailing,
    put,
    remember_group,
    remember_person,
    sql,
    without_erased,
)
from orkestra.notification_service.rules import RUN_ENDS, TASK_EVENTS, TOLD_OUTSIDE, is_wanted
from orkestra.v1.events import (
    GroupEvent,
    MailLinkEvent,
    MembershipEvent,
    SubstitutionEvent,
    TaskEvent,
    UserEvent,
    WorkflowEvent,
)
from orkestra.v1.task import GetTaskHistoryRequest, GetTaskRequest, Task, TaskServiceClient
from orkestra.wire import DeadlineExceeded, Error, NotFound, TokensOf, Unavailable, loads

logger = get_logger(__name__)
TASKS = "notification-service"
PEOPLE = "notification-service-people"
MOST_IN_HAND = 100
GATHER_SECONDS = 0.2
"""How long news wait for others: people and outside systems do not count milliseconds, those who wait for a task do."""
PUT_AT_ONCE = 200
"""Letters to webhooks in one transaction."""
TOLD = counter(
    "orkestra.langfuse.tasks",
    "{task}",
    "Ended tasks for Langfuse: sent, retried, dropped (given up), or skipped (no trace of an agent, or too old).",
    "orkestra.outcome",
)
TASK_SUBJECTS = tuple(f"orkestra.v1.*.task.{event}" for event in TASK_EVENTS)
ENDS = ("completed", "cancelled", "expired")
LANGFUSE = "notification-service-langfuse"
ENDED_SUBJECTS = tuple(f"orkestra.v1.*.task.{event}" for event in ENDS)
RUNS = "notification-service-runs"
RUN_SUBJECTS = tuple(f"orkestra.v1.*.workflow.{event}" for event in RUN_ENDS)
MAIL_LINKS = "notification-service-mail-links"
MAIL_LINK_SUBJECTS = ("orkestra.v1.*.identity.mail_link_created",)
OUTSIDE = "notification-service-webhooks"
OUTSIDE_SUBJECTS = tuple(
    f"orkestra.v1.*.{events}" for events in ("task.*", "workflow.*", "identity.*", "webhook.*", "notification.failed")
)
PEOPLE_SUBJECTS = tuple(
    f"orkestra.v1.*.identity.{event}"
    for event in ("user_changed", "group_changed", "membership_changed", "substitution_changed")
)


class TaskNews:
    """Turns what happened to tasks into entries of feeds; heard twice or in another order, they are the same."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds

    async def hear(self, events: Sequence[Event]) -> None:
        """Tell those whom events of one tenant concern."""
        heard = [Heard(event.id, event.event, event.payload(TaskEvent), event.traced) for event in events]
        await self._feeds.tell(events[0].tenant_id, heard)


class RunNews:
    """Tells those who started runs how they ended."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds = feeds

    async def hear(self, event: Event) -> None:
        """Tell of the end of a run."""
        await self._feeds.tell_of_run(event.tenant_id, name=event.event, event=event.payload(WorkflowEvent))


class MailLinks:
    """Has links mailed with which people set their passwords."""

    def __init__(self, mailing: Mailing) -> None:
        self._mailing = mailing

    async def hear(self, event: Event) -> None:
        """Put the link into its person's lane; what makes it work is asked for when it is sent."""
        link = event.payload(MailLinkEvent).link
        if link.expires_at > datetime.now(UTC):
            await self._mailing.mail_link(link)


class PeopleCopies:
    """Keeps the copies of people, groups and substitutes; an older version never replaces a newer one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hear(self, event: Event) -> None:
        """Copy what the event says of a person or a group."""
        tenant_id = event.tenant_id
        async with self._database.transaction(tenant_id) as conn:
            match event.event:
                case "user_changed":
                    await remember_person(conn, event.payload(UserEvent).user, tenant_id=tenant_id)
                case "group_changed":
                    await remember_group(conn, event.payload(GroupEvent).group, tenant_id=tenant_id)
                case "membership_changed":
                    await remember_group(conn, event.payload(MembershipEvent).group, tenant_id=tenant_id)
                case "substitution_changed":
                    away = event.payload(SubstitutionEvent).substitution
                    await sql.remember_substitution.execute(conn, **away.model_dump(), tenant_id=tenant_id)


class OutsideNews:
    """Puts events into the lanes of the webhooks that ask for them; sending is another's work, so nobody waits."""

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._database = database
        self._wake = wake

    async def hear(self, events: Sequence[Event]) -> None:
        """Keep events of one tenant for each of its webhooks that wants them."""
        told = [event for event in events if _type(event) in TOLD_OUTSIDE]
        if not told:
            return
        tenant_id = told[0].tenant_id
        async with self._database.reading(tenant_id) as conn:
            webhooks = await sql.webhooks_told.rows(conn)
        letters = [letter for event in told for letter in _letters(event, webhooks)]
        for start in range(0, len(letters), PUT_AT_ONCE):
            async with self._database.transaction(tenant_id) as conn:
                part = await without_erased(conn, letters[start : start + PUT_AT_ONCE])
                await put(conn, part, tenant_id=tenant_id)
            self._wake()


def _letters(event: Event, webhooks: Sequence[asyncpg.Record]) -> list[Letter]:
    """Return the event for each webhook that wants it; one that was registered later hears nothing of before."""
    wanted = [
        row["webhook_id"]
        for row in webhooks
        if row["created_at"] <= event.time and is_wanted(_type(event), row["events"]) and row["webhook_id"] != event.key
    ]
    if not wanted:
        return []
    content = {"type": _type(event), "timestamp": event.time.isoformat(), "data": _shown(event)}
    return [Letter(f"webhook:{one}", _cause(event), event.id, _type(event), content) for one in wanted]


def _type(event: Event) -> str:
    return f"{event.aggregate}.{event.event}"


def _cause(event: Event) -> str:
    """Return what makes an event the same told again; the end of a task may be told anew under another id."""
    is_end = event.aggregate == "task" and event.event in ENDS
    return f"{event.event}:{event.key}@{event.version}" if is_end else event.id


def _shown(event: Event) -> dict[str, Any]:
    """Return the data of an event as outside systems see it: who may see it is nothing to them."""
    data = loads(event.data)
    if not isinstance(data, dict):
        raise Poison("The data is not an object.")
    return {name: value for name, value in data.items() if name != "audience"}


class Project(Protocol):
    """What is told how people decided: a project of Langfuse."""

    async def tell(self, task: Task, trace: AgentTrace, spent: Sequence[Stretch]) -> None: ...


class Verdicts:
    """Tells Langfuse of every ended task whose agent gave a trace; one consumer of its own, so nobody waits for it.

    What cannot be told waits in the stream and is tried again, at most `MOST_IN_HAND` at once, until `give_up` after
    the task's end; then it is dropped, and counted.
    """

    def __init__(
        self,
        project: Project,
        tasks: grpc.aio.Channel,
        tokens_of: TokensOf,
        *,
        give_up: timedelta,
    ) -> None:
        self._project = project
        self._tasks = tasks
        self._tokens_of = tokens_of
        self._give_up = give_up
        from_zero(TOLD, *((outcome,) for outcome in ("sent", "retried", "dropped", "skipped")))

    async def hear(self, event: Event) -> None:
        """Tell of the task, or raise so that the event comes again."""
        try:
            outcome = await self._tell(event)
        except (Later, Unavailable, DeadlineExceeded) as away:
            if not self._is_over(event):
                TOLD.labels("retried").inc()
                raise
            outcome = _dropped(event, away)
        except (Refused, Error) as refused:
            outcome = _dropped(event, refused)
        TOLD.labels(outcome).inc()

    async def _tell(self, event: Event) -> str:
        if event.deliveries == 1 and self._is_over(event):
            return "skipped"  # from before Langfuse was switched on
        service = TaskServiceClient(self._tasks, self._tokens_of(event.tenant_id))
        try:
            task = await service.get_task(GetTaskRequest(task_id=event.key))
            agent = task.context.agent if task.context is not None else None
            trace = agent_trace(agent.trace_id) if agent is not None else None
            if trace is None:
                return "skipped"
            history = await service.get_task_history(GetTaskHistoryRequest(task_id=event.key))
        except NotFound:  # erased meanwhile
            return "skipped"
        await self._project.tell(task, trace, stretches(task, history.entries))
        return "sent"

    def _is_over(self, event: Event) -> bool:
        return datetime.now(UTC) - event.time > self._give_up


def _dropped(event: Event, why: Exception) -> str:
    logger.warning("a task was not told to Langfuse", task_id=event.key, error=str(why))
    return "dropped"


class Waker(Protocol):
    """What sends."""

    def wake(self) -> None: ...


def hearing(
    listener: Callable[[str, Sequence[str], Handler | Together], Consumer],
    database: Database,
    feeds: Feeds,
    mailing: Mailing,
    deliverer: Waker,
    *,
    seconds: float = GATHER_SECONDS,
) -> list[Consumer]:
    """Return every consumer of this service but Langfuse's, made by `listener`; news are gathered for `seconds`."""
    return [
        listener(TASKS, TASK_SUBJECTS, Together(TaskNews(feeds).hear, seconds)),
        listener(RUNS, RUN_SUBJECTS, RunNews(feeds).hear),
        listener(OUTSIDE, OUTSIDE_SUBJECTS, Together(OutsideNews(database, deliverer.wake).hear, seconds)),
        listener(PEOPLE, PEOPLE_SUBJECTS, PeopleCopies(database).hear),
        listener(MAIL_LINKS, MAIL_LINK_SUBJECTS, MailLinks(mailing).hear),
    ]
