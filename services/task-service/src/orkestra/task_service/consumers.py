"""What other services tell: that a run has ended, and who people and groups are."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

import grpc
import nats.errors
from nats.js.errors import NotFoundError
from orkestra.chassis.consumer import end_where_cancelled
from orkestra.chassis.credentials import TokenSource
from orkestra.chassis.database import Database
from orkestra.chassis.events import Event
from orkestra.chassis.logs import get_logger
from orkestra.chassis.streams import EVENTS, Nats
from orkestra.task_service.operations import Ends, group_columns, person_columns, sql, substitution_columns
from orkestra.v1.events import GroupEvent, MembershipEvent, SubstitutionEvent, UserEvent, WorkflowEvent
from orkestra.v1.identity import IdentityServiceClient, ListTenantsRequest, RepublishPeopleRequest
from orkestra.wire import Error, PermissionDenied

RUN_ENDS = "task-service-run-ends"
PEOPLE = "task-service-people"
RUN_END_SUBJECTS = tuple(
    f"orkestra.v1.*.workflow.{end}" for end in ("completed", "failed", "cancelled", "terminated", "timed_out")
)
PEOPLE_SUBJECTS = tuple(
    f"orkestra.v1.*.identity.{event}"
    for event in ("user_changed", "group_changed", "group_deleted", "membership_changed", "substitution_changed")
)
AGAIN_SECONDS = 2.0
TENANTS_AT_ONCE = 100
_AWAY = (Error, OSError, TimeoutError, nats.errors.Error)

logger = get_logger(__name__)


class RunEnds:
    """The end of a run cancels its live tasks; heard twice, or late, it finds none, as most ends do."""

    def __init__(self, ends: Ends) -> None:
        self._ends = ends

    async def hear(self, events: Sequence[Event]) -> None:
        """Cancel the live tasks of runs of one tenant that have ended."""
        tenant_id = events[0].tenant_id
        ended = {event.payload(WorkflowEvent).workflow.workflow_id: event.event.replace("_", " ") for event in events}
        for workflow_id in await self._ends.with_live_tasks(tenant_id, list(ended)):
            await self._ends.end_with_run(tenant_id, workflow_id, reason=f"Its workflow ended: {ended[workflow_id]}.")


class PeopleCopies:
    """Keeps the copies of people and groups; an older version never replaces a newer one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hear(self, event: Event) -> None:
        """Copy the person or the group of the event."""
        tenant_id = event.tenant_id
        async with self._database.transaction(tenant_id) as conn:
            await sql.note_heard.execute(conn, consumer=PEOPLE, handed_over=event.place)
            match event.event:
                case "user_changed":
                    user = event.payload(UserEvent).user
                    await sql.remember_person.execute(conn, **person_columns(user, tenant_id=tenant_id))
                case "group_changed" | "group_deleted" as told:
                    group = event.payload(GroupEvent).group
                    is_deleted = told == "group_deleted"
                    columns = group_columns(group, tenant_id=tenant_id, is_deleted=is_deleted)
                    await sql.remember_group.execute(conn, **columns)
                case "membership_changed":
                    group = event.payload(MembershipEvent).group
                    await sql.remember_group.execute(conn, **group_columns(group, tenant_id=tenant_id))
                case "substitution_changed":
                    away = event.payload(SubstitutionEvent).substitution
                    await sql.remember_substitution.execute(conn, **substitution_columns(away, tenant_id=tenant_id))


class Refreshing:
    """Has identity-service emit people, absences and groups again where this service's copies have fallen behind.

    That is so after its schema was restored from an older dump, or the broker lost its stream: events that are older
    than what the outboxes keep would never come again.
    """

    def __init__(self, database: Database, stream: Nats, identity: grpc.aio.Channel, tokens: TokenSource) -> None:
        self._database = database
        self._stream = stream
        self._identity = identity
        self._tokens = tokens
        self._compared = asyncio.Event()

    def before(self, consume: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """Return the consumer's loop, which begins once it is known how far the copies reach."""

        async def consumed() -> None:
            await _until_done(self._compare)
            self._compared.set()
            await consume()

        return consumed

    async def run(self) -> None:
        """Ask once where the copies are old; a service that is away is waited for."""
        await self._compared.wait()
        await _until_done(self._refresh)
        await asyncio.Event().wait()  # a loop that ends is started again; this one is done

    async def _compare(self) -> None:
        await self._stream.connected()
        await self._stream.ensure_streams()
        stream = await self._stream.jetstream.stream_info(EVENTS)
        try:
            info = await self._stream.jetstream.consumer_info(EVENTS, PEOPLE)
            handed_over = info.ack_floor.consumer_seq if info.ack_floor else 0
        except NotFoundError:
            handed_over = 0
        async with self._database.unscoped() as conn:
            is_old = await sql.compare_heard.value(
                conn, consumer=PEOPLE, stream_created=stream.created, handed_over=handed_over
            )
        if is_old:
            logger.warning("copies of people and groups are old and are asked for again")

    async def _refresh(self) -> None:
        async with self._database.unscoped() as conn:
            is_old = await sql.copies_are_old.value(conn, consumer=PEOPLE)
        if not is_old:
            return
        async for tenant_id in self._tenants():
            await self._ask(tenant_id)
        async with self._database.unscoped() as conn:
            await sql.copies_are_new.execute(conn, consumer=PEOPLE)

    async def _tenants(self) -> AsyncIterator[str]:
        service = IdentityServiceClient(self._identity, self._tokens.of(None))
        token: str | None = None
        while True:
            page = await service.list_tenants(ListTenantsRequest(page_size=TENANTS_AT_ONCE, page_token=token))
            for tenant in page.tenants:
                yield tenant.tenant_id
            token = page.next_page_token
            if token is None:
                return

    async def _ask(self, tenant_id: str) -> None:
        service = IdentityServiceClient(self._identity, self._tokens.of(tenant_id))
        token: str | None = None
        try:
            while True:
                answer = await service.republish_people(RepublishPeopleRequest(page_token=token))
                token = answer.next_page_token
                if token is None:
                    return
        except PermissionDenied as refused:  # a suspended tenant
            logger.warning("people are not asked for", tenant_id=tenant_id, error=refused.reason)


async def _until_done(step: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await step()
        except _AWAY as away:
            logger.warning("copies cannot be compared yet", error=repr(away))
            await asyncio.sleep(AGAIN_SECONDS)
        else:
            end_where_cancelled()
            return
