"""The built-in workflow, and the sweeps between `runs` and Temporal: what a crash or an outage left undone."""

import asyncio
from datetime import UTC, datetime, timedelta

from orkestra.chassis.database import Database
from orkestra.chassis.logs import get_logger
from orkestra.chassis.operations import events_transaction
from orkestra.chassis.sql import load
from orkestra.sdk.payloads import KEY_MISSING
from orkestra.sdk.run import APPLY_RETENTION, ERASE_PART
from orkestra.sdk.run import FIRE_SCHEDULE as FIRE
from orkestra.sdk.tasks import follow
from orkestra.v1.task import AdvanceClockRequest
from orkestra.v1.workflow import (
    ApplyRetentionRequest,
    Definition,
    ErasePartRequest,
    ErasureStep,
    FireScheduleRequest,
    FireScheduleResponse,
    GetErasureRequest,
    RetentionStep,
    Workflow,
)
from orkestra.wire import Unavailable
from orkestra.workflow_worker.channels import ERASE_PERSON, KEEP_RETENTION, Engine
from orkestra.workflow_worker.operations import (
    ERASED_PARTS,
    end_run,
    history_format,
    note_start,
    start_erasure,
    start_of,
    sync_retention,
    sync_schedule,
    workflow_of,
)
from orkestra.workflow_worker.rules import ASK_HUMAN, FIRE_SCHEDULE
from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.service import RPCError, RPCStatusCode

EVERY_SECONDS = 2.0
OVERLAP = timedelta(seconds=60)
"""Temporal's visibility may show an end this much later."""
FIRING = timedelta(seconds=10)
STEP = timedelta(seconds=60)
AGAIN = RetryPolicy(maximum_interval=timedelta(seconds=30))

sql = load(__package__)
logger = get_logger(__name__)


@workflow.defn(name=ASK_HUMAN)
class AskHuman:
    """Rings the clock of a task that was asked for without a workflow, until it has ended."""

    @workflow.run
    async def run(self, adopted: AdvanceClockRequest) -> None:
        await follow(adopted.task_id, when_long=lambda: workflow.continue_as_new(adopted))


@workflow.defn(name=FIRE_SCHEDULE)
class FireSchedule:
    """Has the service start the run that a schedule asks for now; started by the schedule in Temporal."""

    @workflow.run
    async def run(self, due: FireScheduleRequest) -> None:
        await workflow.execute_activity(
            FIRE, due, result_type=FireScheduleResponse, start_to_close_timeout=FIRING, retry_policy=AGAIN
        )


@workflow.defn(name=KEEP_RETENTION)
class KeepRetention:
    """Has the service delete, step by step, what its tenant keeps no longer; started once a day by a schedule."""

    @workflow.run
    async def run(self, due: ApplyRetentionRequest) -> None:
        while True:
            step = await workflow.execute_activity(
                APPLY_RETENTION, due, result_type=RetentionStep, start_to_close_timeout=STEP, retry_policy=AGAIN
            )
            if not step.more:
                return
            due = ApplyRetentionRequest(after=step.after)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(due)


@workflow.defn(name=ERASE_PERSON)
class ErasePerson:
    """Has the service erase a person in one service after the other; one that is away is waited for."""

    @workflow.run
    async def run(self, asked: GetErasureRequest) -> None:
        for part in ERASED_PARTS:
            due = ErasePartRequest(erasure_id=asked.erasure_id, part=part)
            while (
                await workflow.execute_activity(
                    ERASE_PART, due, result_type=ErasureStep, start_to_close_timeout=STEP, retry_policy=AGAIN
                )
            ).more:
                if workflow.info().is_continue_as_new_suggested():
                    workflow.continue_as_new(asked)


class Sweeps:
    """Starts, cancels and schedules what Temporal was not told of, and records the ends that nobody reported.

    `sweep` sees the runs of every tenant and writes nothing; each write is made by the service's own role, in a
    transaction of the run's tenant.
    """

    def __init__(self, database: Database, sweep: Database, engine: Engine, *, every: float = EVERY_SECONDS) -> None:
        self._database = database
        self._sweep = sweep
        self._engine = engine
        self._every = every
        self._since: datetime | None = None

    async def run(self) -> None:
        """Sweep for ever; a database or a Temporal that is away is waited for."""
        while True:
            try:
                await self.once()
            except (Unavailable, RPCError) as away:
                logger.warning("sweep postponed", error=str(away))
            await asyncio.sleep(self._every)

    async def once(self) -> None:
        """Go over everything once."""
        await self._start_overdue()
        await self._cancel_overdue()
        await self._sync_schedules()
        await self._record_ends()

    async def _start_overdue(self) -> None:
        async with self._sweep.unscoped() as conn:
            rows = await sql.sweep_unstarted.rows(conn)
        for row in rows:
            run = workflow_of(row)
            start = start_of(
                run,
                task_queue=row["task_queue"],
                start_at=row["start_at"],
                traceparent=row["traceparent"],
                history_format=await self._history_format(run),
            )
            await note_start(self._database, run, await self._engine.start(start))
            logger.info("started late", workflow_id=run.workflow_id)

    async def _history_format(self, run: Workflow) -> int:
        async with self._database.transaction(run.tenant_id) as conn:
            definition = await sql.get_definition.one(conn, Definition, name=run.definition, version=run.version)
        return 1 if definition is None else history_format(definition)

    async def _cancel_overdue(self) -> None:
        async with self._sweep.unscoped() as conn:
            rows = await sql.sweep_uncancelled.rows(conn)
        for row in rows:
            run = workflow_of(row)
            await self._engine.cancel(run.workflow_id, row["cancel_reason"] or "cancelled")
            async with self._database.transaction(run.tenant_id) as conn:
                await sql.note_cancel_delivered.execute(conn, tenant_id=run.tenant_id, workflow_id=run.workflow_id)

    async def _sync_schedules(self) -> None:
        async with self._sweep.unscoped() as conn:
            rows = await sql.sweep_unsynced.rows(conn)
        for row in rows:
            await sync_schedule(self._database, self._engine, str(row["tenant_id"]), row["schedule_id"])
            logger.info("scheduled late", schedule_id=row["schedule_id"])
        async with self._sweep.unscoped() as conn:
            kept = await sql.sweep_unsynced_retention.rows(conn)
            erased = await sql.sweep_unstarted_erasures.rows(conn)
        for row in kept:
            await sync_retention(self._database, self._engine, str(row["tenant_id"]))
        for row in erased:
            await start_erasure(self._database, self._engine, str(row["tenant_id"]), row["erasure_id"])

    async def _record_ends(self) -> None:
        began = datetime.now(UTC)
        since = self._since or await self._oldest_running()
        if since is None:
            return
        is_read = True
        closed = list(dict.fromkeys([workflow_id async for workflow_id in self._engine.closed_since(since)]))
        for first in range(0, len(closed), 500):
            async with self._sweep.unscoped() as conn:
                rows = await sql.sweep_running.rows(conn, workflow_ids=closed[first : first + 500])
            for row in rows:
                is_read = await self._record_end(row["tenant_id"], row["workflow_id"]) and is_read
        if is_read:
            self._since = began - OVERLAP

    async def _oldest_running(self) -> datetime | None:
        async with self._sweep.unscoped() as conn:
            oldest: datetime | None = await sql.sweep_oldest_running.value(conn)
        return oldest

    async def _record_end(self, tenant_id: str, workflow_id: str) -> bool:
        """Record how a run ended; False where that cannot be read before its key is there."""
        try:
            end = await self._engine.end_of(workflow_id)
        except RPCError as gone:
            if gone.status is RPCStatusCode.NOT_FOUND:
                return True
            raise
        except Unavailable as locked:
            if locked.reason != KEY_MISSING:
                raise
            logger.warning("an end cannot be read", workflow_id=workflow_id, error=str(locked))
            return False
        if end is None:  # reset or continued: its newest execution goes on
            return True
        async with events_transaction(self._database, tenant_id) as tx:
            ended = await end_run(tx, workflow_id, end)
        if ended is not None:
            logger.info("recorded an end that nobody reported", workflow_id=workflow_id, status=end.status)
        return True
