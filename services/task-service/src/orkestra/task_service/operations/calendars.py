"""The hours in which clocks run: kept for the tenant, and for its groups."""

import asyncpg
from orkestra.chassis.operations import Tx, operation, read
from orkestra.rules import check_calendar, group_of, is_always, may_in_tenant
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.rules import Named, calendar_event, calendar_place, calendar_token, page_size_of
from orkestra.v1.task import (
    Calendar,
    CreateCalendarRequest,
    DeleteCalendarRequest,
    GetCalendarRequest,
    ListCalendarsRequest,
    ListCalendarsResponse,
    SlaPolicy,
    UpdateCalendarRequest,
)
from orkestra.wire import AlreadyExists, Error, InvalidArgument, NotFound, VersionMismatch


class Calendars(Base):
    """The rpcs of calendars. What is live keeps the hours that it began with, whatever becomes of its calendar."""

    @operation
    async def create_calendar(self, tx: Tx, request: CreateCalendarRequest) -> Calendar:
        """Keep a calendar under an id that is free."""
        _require(tx, "create_calendar")
        await self._check(tx, request)
        calendar = await sql.create_calendar.one(tx.conn, Calendar, tenant_id=tx.tenant_id, **_columns(tx, request))
        if calendar is None:
            raise await _taken(tx, request)
        await _tell(tx, "created", calendar)
        return calendar

    @read
    async def get_calendar(self, tx: Tx, request: GetCalendarRequest) -> Calendar:
        """Return the calendar of an id."""
        _require(tx, "view_calendar")
        return await _found(tx, request.calendar_id)

    @read
    async def list_calendars(self, tx: Tx, request: ListCalendarsRequest) -> ListCalendarsResponse:
        """Return a page of the calendars, by their ids."""
        _require(tx, "view_calendar")
        size, after = page_size_of(request.page_size), calendar_place(request.page_token)
        found = await sql.list_calendars.all(tx.conn, Calendar, after=after, group_id=request.group_id, limit=size + 1)
        token = calendar_token(found[size - 1].calendar_id) if len(found) > size else None
        return ListCalendarsResponse(calendars=found[:size], next_page_token=token)

    @operation
    async def update_calendar(self, tx: Tx, request: UpdateCalendarRequest) -> Calendar:
        """Replace the calendar by its next version."""
        _require(tx, "update_calendar")
        await self._check(tx, request)
        try:
            calendar = await sql.update_calendar.one(
                tx.conn, Calendar, version=request.version, **_columns(tx, request)
            )
        except asyncpg.UniqueViolationError:
            raise _group_has_one(request) from None
        if calendar is None:
            raise await _changed(tx, request.calendar_id)
        await _tell(tx, "updated", calendar)
        return calendar

    @operation
    async def delete_calendar(self, tx: Tx, request: DeleteCalendarRequest) -> Calendar:
        """Remove the calendar and return it as it was."""
        _require(tx, "delete_calendar")
        calendar = await sql.delete_calendar.one(
            tx.conn, Calendar, calendar_id=request.calendar_id, version=request.version
        )
        if calendar is None:
            raise await _changed(tx, request.calendar_id)
        await _tell(tx, "deleted", calendar)
        return calendar

    async def _check(self, tx: Tx, request: CreateCalendarRequest | UpdateCalendarRequest) -> None:
        errors = check_calendar(request)
        if errors:
            message = f"{errors[0].path}: {errors[0].message}"
            raise InvalidArgument("CALENDAR_INVALID", message, errors=errors)
        if request.group_id is not None:
            group = Named("group_id", request.group_id)
            await self.people.known(tx, [], [group], before_asking=lambda: None)


async def calendar_of(tx: Tx, policy: SlaPolicy | None) -> Calendar | None:
    """Return the calendar that a policy names; None where it names none, or one that is not there."""
    if policy is None or policy.calendar is None or is_always(policy.calendar):
        return None
    group = group_of(policy.calendar)
    if group is not None:
        return await sql.calendar_of_group.one(tx.conn, Calendar, group_id=group)
    return await sql.get_calendar.one(tx.conn, Calendar, calendar_id=policy.calendar)


def _require(tx: Tx, operation: str) -> None:
    refusal = may_in_tenant(operation, tx.ctx.principal)
    if refusal is not None:
        raise refusal


def _columns(tx: Tx, request: CreateCalendarRequest | UpdateCalendarRequest) -> dict[str, object]:
    return {
        "calendar_id": request.calendar_id,
        "name": request.name,
        "group_id": request.group_id,
        "working_hours": request.working_hours.model_dump(mode="json", exclude_none=True),
        "updated_by": tx.ctx.subject,
    }


async def _tell(tx: Tx, event: str, calendar: Calendar) -> None:
    payload = calendar_event(calendar, actor=tx.ctx.subject)
    await tx.emit(
        aggregate="calendar", event=event, payload=payload, key=calendar.calendar_id, version=calendar.version
    )


async def _found(tx: Tx, calendar_id: str) -> Calendar:
    calendar = await sql.get_calendar.one(tx.conn, Calendar, calendar_id=calendar_id)
    if calendar is None:
        raise NotFound("CALENDAR_NOT_FOUND", f"There is no calendar {calendar_id[:100]}.")
    return calendar


async def _changed(tx: Tx, calendar_id: str) -> Error:
    current = await _found(tx, calendar_id)
    message = f"The calendar has changed; it is now at version {current.version}."
    return VersionMismatch("VERSION_MISMATCH", message, current=current)


async def _taken(tx: Tx, request: CreateCalendarRequest) -> Error:
    current = await sql.get_calendar.one(tx.conn, Calendar, calendar_id=request.calendar_id)
    if current is None:
        return _group_has_one(request)
    return AlreadyExists("CALENDAR_EXISTS", f"There is a calendar {request.calendar_id} already.", current=current)


def _group_has_one(request: CreateCalendarRequest | UpdateCalendarRequest) -> Error:
    return AlreadyExists("GROUP_HAS_CALENDAR", f"The group {request.group_id} has a calendar already.")
