"""Schedules: their rows are the truth, Temporal's schedules follow them, at once or by the sweep."""

from typing import Any

from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, operation, read
from orkestra.v1.workflow import (
    CreateScheduleRequest,
    DeleteScheduleRequest,
    DeleteScheduleResponse,
    Failure,
    FireScheduleRequest,
    FireScheduleResponse,
    GetScheduleRequest,
    ListSchedulesRequest,
    ListSchedulesResponse,
    Schedule,
    ScheduleOverlap,
    StartWorkflowRequest,
    TriggerScheduleRequest,
    UpdateScheduleRequest,
    Workflow,
)
from orkestra.wire import Context, Error, FailedPrecondition, InvalidArgument, NotFound, Unavailable, VersionMismatch
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import Engine, definition_of, sql, workflow_of
from orkestra.workflow_worker.operations.ending import terminate_run
from orkestra.workflow_worker.operations.starting import Starting, check_fit

NOT_YET = "Temporal does not have this schedule as it is yet; it will as soon as it can be reached."


class Scheduling(Starting):
    """The rpcs about schedules."""

    async def create_schedule(self, ctx: Context, request: CreateScheduleRequest) -> Schedule:
        rules.check_may("start", ctx.principal)
        person = await self.person_acted_for(ctx, request.on_behalf_of)
        schedule = await self._record_schedule(ctx, request.model_copy(update={"on_behalf_of": person}))
        return await self._synced(schedule)

    @operation
    async def _record_schedule(self, tx: Tx, request: CreateScheduleRequest) -> Schedule:
        start = StartWorkflowRequest(
            definition=request.definition,
            version=request.definition_version,
            input=request.input,
            tags=request.tags,
            search_attributes=request.search_attributes,
        )
        rules.check_request(start)
        when = rules.recurrence(cron=request.cron, every=request.every, time_zone=request.time_zone)
        definition = await definition_of(tx, start.definition, start.version)
        rules.check_may_start(tx.ctx.principal, definition)
        check_fit(definition, start, tx.ctx.locale)
        schedule = await sql.insert_schedule.one(
            tx.conn,
            Schedule,
            tenant_id=tx.tenant_id,
            requested_by=tx.ctx.subject,
            overlap=request.overlap or ScheduleOverlap.SKIP,
            paused=bool(request.paused),
            **when,
            **request.model_dump(exclude={"cron", "every", "time_zone", "overlap", "paused"}),
        )
        assert schedule is not None  # noqa: S101 - an insert returns its row
        await _tell(tx, "created", schedule)
        return schedule

    async def get_schedule(self, ctx: Context, request: GetScheduleRequest) -> Schedule:
        schedule = await self._read_schedule(ctx, request)
        try:
            next_at = await self.engine.next_firing(schedule.schedule_id)
        except Unavailable:
            told = "Temporal cannot be reached; what is due is started when it is back."
            return schedule.model_copy(update={"notice": told})
        notice = NOT_YET if next_at is None and not schedule.paused else None
        return schedule.model_copy(update={"next_at": next_at, "notice": notice})

    @read
    async def _read_schedule(self, tx: Tx, request: GetScheduleRequest) -> Schedule:
        return await _visible(tx, request.schedule_id)

    @read
    async def list_schedules(self, tx: Tx, request: ListSchedulesRequest) -> ListSchedulesResponse:
        size = rules.page_size(request.page_size)
        found = await sql.list_schedules.all(
            tx.conn,
            Schedule,
            tenant_id=tx.tenant_id,
            before=rules.page_start(request.page_token, prefix="schedule_"),
            requested_by=None if rules.may("see_every_run", tx.ctx.principal) else tx.ctx.subject,
            definition=request.definition,
            paused=request.paused,
            page_size=size + 1,
        )
        page = [one.model_copy(update={"input": None}) for one in found[:size]]
        more = rules.page_token(page[-1].schedule_id) if len(found) > size else None
        return ListSchedulesResponse(schedules=page, next_page_token=more)

    async def update_schedule(self, ctx: Context, request: UpdateScheduleRequest) -> Schedule:
        return await self._synced(await self._change_schedule(ctx, request))

    @operation
    async def _change_schedule(self, tx: Tx, request: UpdateScheduleRequest) -> Schedule:
        known = await _own(tx, request.schedule_id)
        if request.version not in (None, known.version):
            told = f"The schedule is at version {known.version} by now."
            raise VersionMismatch("VERSION_MISMATCH", told, current=known)
        if request.input is not None:
            definition = await definition_of(tx, known.definition, known.definition_version)
            start = StartWorkflowRequest(definition=known.definition, input=request.input)
            check_fit(definition, start, tx.ctx.locale)
        changed: dict[str, Any] = {
            name: getattr(known if getattr(request, name) is None else request, name)
            for name in ("paused", "note", "overlap", "input")
        }
        changed |= rules.changed_recurrence(known, request)
        schedule = await sql.update_schedule.one(
            tx.conn, Schedule, tenant_id=tx.tenant_id, schedule_id=known.schedule_id, **changed
        )
        if schedule is None:  # deleted meanwhile
            raise _not_there(known.schedule_id)
        await _tell(tx, "updated", schedule)
        return schedule

    async def delete_schedule(self, ctx: Context, request: DeleteScheduleRequest) -> DeleteScheduleResponse:
        answer = await self._record_delete(ctx, request)
        await try_sync(self.database, self.engine, ctx.tenant_id, request.schedule_id)
        return answer

    @operation
    async def _record_delete(self, tx: Tx, request: DeleteScheduleRequest) -> DeleteScheduleResponse:
        known = await _own(tx, request.schedule_id)
        await sql.delete_schedule.execute(tx.conn, tenant_id=tx.tenant_id, schedule_id=known.schedule_id)
        await _tell(tx, "deleted", known.model_copy(update={"version": known.version + 1}))
        return DeleteScheduleResponse()

    async def trigger_schedule(self, ctx: Context, request: TriggerScheduleRequest) -> Workflow:
        return await self._go(ctx, await self._trigger(ctx, request))

    @operation
    async def _trigger(self, tx: Tx, request: TriggerScheduleRequest) -> Workflow:
        schedule = await _own(tx, request.schedule_id)
        definition = await definition_of(tx, schedule.definition, schedule.definition_version)
        rules.check_may_start(tx.ctx.principal, definition)
        run = await self._start_of_schedule(tx, schedule)
        if run is None:
            raise _overlaps()
        return run

    async def fire_schedule(self, ctx: Context, request: FireScheduleRequest) -> FireScheduleResponse:
        rules.check_may("fire", ctx.principal)
        fired = await self._fire(ctx, request)
        if fired.workflow is not None:
            await self._go(ctx, fired.workflow)
        return fired

    @operation
    async def _fire(self, tx: Tx, request: FireScheduleRequest) -> FireScheduleResponse:
        """Start what is due; a start that is refused is kept with the schedule, where people see it."""
        schedule = await sql.get_schedule.one(
            tx.conn, Schedule, tenant_id=tx.tenant_id, schedule_id=request.schedule_id
        )
        if schedule is None or schedule.paused:
            return FireScheduleResponse()
        try:
            run = await self._start_of_schedule(tx, schedule)
        except (NotFound, InvalidArgument) as refused:
            await _note_firing(tx, schedule, None, _told(refused))
            return FireScheduleResponse()
        return FireScheduleResponse(workflow=run)

    async def _start_of_schedule(self, tx: Tx, schedule: Schedule) -> Workflow | None:
        """Record the start of a run; None where one is running and the schedule skips."""
        request = StartWorkflowRequest(
            definition=schedule.definition,
            version=schedule.definition_version,
            input=schedule.input or {},
            tags=schedule.tags,
            search_attributes=schedule.search_attributes,
            on_behalf_of=schedule.on_behalf_of,
        )
        definition = await definition_of(tx, request.definition, request.version)
        check_fit(definition, request, tx.ctx.locale)
        if not await self._makes_room_for(tx, schedule):
            await _note_firing(tx, schedule, None, _told(_overlaps()))
            return None
        run = await self.insert(
            tx, definition, request, requested_by=schedule.requested_by, schedule_id=schedule.schedule_id
        )
        assert run is not None  # noqa: S101 - only a business id keeps a run from being inserted
        await _note_firing(tx, schedule, run.workflow_id, None)
        return run

    async def _makes_room_for(self, tx: Tx, schedule: Schedule) -> bool:
        named = {"tenant_id": tx.tenant_id, "schedule_id": schedule.schedule_id}
        await sql.lock_schedule.row(tx.conn, **named)
        rows = await sql.running_of_schedule.rows(tx.conn, **named)
        if schedule.overlap is ScheduleOverlap.SKIP:
            return not rows
        for run in map(workflow_of, rows):
            if schedule.overlap is ScheduleOverlap.CANCEL_RUNNING:
                told = {"workflow_id": run.workflow_id, "reason": "Its schedule fired again."}
                await sql.request_cancel.execute(tx.conn, tenant_id=tx.tenant_id, **told)
            elif schedule.overlap is ScheduleOverlap.TERMINATE_RUNNING:
                await terminate_run(tx, run, self.engine, reason="Its schedule fired again.")
        return True

    async def _go(self, ctx: Context, run: Workflow) -> Workflow:
        if ctx.reply.replayed:
            return await self.as_answered(ctx, run)
        return await self.start_now(run, await self.definition_of_run(ctx, run), run.started_at)

    async def _synced(self, schedule: Schedule) -> Schedule:
        done = await try_sync(self.database, self.engine, schedule.tenant_id, schedule.schedule_id)
        return schedule if done else schedule.model_copy(update={"notice": NOT_YET})


async def try_sync(database: Database, engine: Engine, tenant_id: str, schedule_id: str) -> bool:
    """Make Temporal's schedule as the row says; False where Temporal is away, and the sweep does it later."""
    try:
        await sync_schedule(database, engine, tenant_id, schedule_id)
    except Unavailable:
        return False
    return True


async def sync_schedule(database: Database, engine: Engine, tenant_id: str, schedule_id: str) -> None:
    """Make Temporal's schedule as the row says; the row is locked, so that an older state never comes last."""
    named = {"tenant_id": tenant_id, "schedule_id": schedule_id}
    async with database.transaction(tenant_id) as conn:
        row = await sql.lock_schedule.row(conn, **named)
        if row is None:
            return
        if row["deleted_at"] is not None:
            await engine.drop_schedule(schedule_id)
            await sql.forget_schedule.execute(conn, **named)
        elif row["synced_version"] < row["version"]:
            wanted = {name: value for name, value in row.items() if name in Schedule.model_fields}
            await engine.put_schedule(Schedule.model_validate(wanted))
            await sql.note_synced.execute(conn, **named)


async def _visible(tx: Tx, schedule_id: str) -> Schedule:
    schedule = await sql.get_schedule.one(tx.conn, Schedule, tenant_id=tx.tenant_id, schedule_id=schedule_id)
    if schedule is None or not rules.may_see(tx.ctx.principal, schedule):
        raise _not_there(schedule_id)
    return schedule


def _not_there(schedule_id: str) -> NotFound:
    return NotFound("SCHEDULE_NOT_FOUND", f"There is no schedule {schedule_id}.")


async def _own(tx: Tx, schedule_id: str) -> Schedule:
    schedule = await _visible(tx, schedule_id)
    rules.check_may_change(tx.ctx.principal, schedule)
    return schedule


def _overlaps() -> FailedPrecondition:
    told = "A run of this schedule is running, and the schedule skips what overlaps."
    return FailedPrecondition("SCHEDULE_OVERLAPS", told)


def _told(refused: Error) -> Failure:
    return Failure(type=refused.reason, message=str(refused))


async def _note_firing(tx: Tx, schedule: Schedule, workflow_id: str | None, failure: Failure | None) -> None:
    """Keep what came of a firing with the schedule, and tell it; the schedule's version stays as it is."""
    noted = await sql.note_firing.one(
        tx.conn,
        Schedule,
        tenant_id=tx.tenant_id,
        schedule_id=schedule.schedule_id,
        workflow_id=workflow_id,
        failure=None if failure is None else failure.model_dump(),
    )
    await _tell(tx, "skipped" if workflow_id is None else "fired", noted or schedule)


async def _tell(tx: Tx, event: str, schedule: Schedule) -> None:
    payload = rules.told_of_schedule(schedule, None if rules.is_clock(tx.ctx.principal) else tx.ctx.subject)
    await tx.emit(
        aggregate="schedule", event=event, payload=payload, key=schedule.schedule_id, version=schedule.version
    )
