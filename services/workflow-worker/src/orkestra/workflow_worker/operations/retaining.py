"""How long a tenant keeps what has ended, and the steps in which the rest is deleted."""

from datetime import datetime, timedelta
from typing import NamedTuple

from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, operation, read
from orkestra.v1.workflow import (
    ApplyRetentionRequest,
    GetRetentionRequest,
    PutRetentionRequest,
    Retention,
    RetentionStep,
)
from orkestra.wire import Context, FieldError, InvalidArgument, Unavailable, VersionMismatch
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import Base, Engine, sql

KINDS = ("task_days", "run_days", "delivery_days", "event_days")
LONGEST = 36500
EVENT_DAYS = (3, 30)
RUNS_AT_ONCE = 50


class Cutoffs(NamedTuple):
    """Before when what is deleted; None where it is kept."""

    tasks: datetime | None
    runs: datetime | None
    deliveries: datetime | None
    events: datetime | None


class Retaining(Base):
    """The rpcs about retention."""

    @read
    async def get_retention(self, tx: Tx, request: GetRetentionRequest) -> Retention:  # noqa: ARG002 - an rpc takes it
        rules.check_may("see_retention", tx.ctx.principal)
        return await sql.get_retention.one(tx.conn, Retention, tenant_id=tx.tenant_id) or Retention(version=0)

    async def put_retention(self, ctx: Context, request: PutRetentionRequest) -> Retention:
        rules.check_may("put_retention", ctx.principal)
        _check_days(request)
        kept = await self._keep(ctx, request)
        try:
            await sync_retention(self.database, self.engine, ctx.tenant_id)
        except Unavailable:
            return kept  # the sweep does it
        return kept

    @operation
    async def _keep(self, tx: Tx, request: PutRetentionRequest) -> Retention:
        known = await sql.lock_retention.one(tx.conn, Retention, tenant_id=tx.tenant_id) or Retention(version=0)
        if request.version not in (None, known.version):
            told = f"The retention is at version {known.version} by now."
            raise VersionMismatch("VERSION_MISMATCH", told, current=known)
        days = {name: getattr(request, name) for name in KINDS}
        kept = await sql.put_retention.one(
            tx.conn, Retention, tenant_id=tx.tenant_id, updated_by=tx.ctx.subject, **days
        )
        assert kept is not None  # noqa: S101 - an upsert returns its row
        return kept

    async def apply_retention(self, ctx: Context, request: ApplyRetentionRequest) -> RetentionStep:
        """Delete a bounded number of each kind; repeated until nothing is left, it begins where it ended."""
        rules.check_may("keep_house", ctx.principal)
        cut = await self._cutoffs(ctx.tenant_id)
        tasks, after = await self._forget_tasks(ctx.tenant_id, cut.tasks, request.after)
        runs = await self._forget_runs(ctx.tenant_id, cut.runs)
        deliveries, more = (0, False)
        if cut.deliveries is not None:
            deliveries, more = await self.rooms.forget_deliveries(ctx.tenant_id, cut.deliveries)
        events = 0
        if cut.events is not None and request.after is None:
            events = await self.rooms.forget_events(ctx.tenant_id, cut.events)
        has_more = after is not None or runs == RUNS_AT_ONCE or more
        if not has_more:
            async with self.database.transaction(ctx.tenant_id) as conn:
                await sql.note_retention_applied.execute(conn, tenant_id=ctx.tenant_id)
        after = after or (NOTHING_MORE if has_more else None)
        return RetentionStep(tasks=tasks, runs=runs, deliveries=deliveries, events=events, more=has_more, after=after)

    async def _cutoffs(self, tenant_id: str) -> Cutoffs:
        async with self.database.transaction(tenant_id) as conn:
            row = await sql.get_retention.row(conn, tenant_id=tenant_id)
        if row is None:
            return Cutoffs(None, None, None, None)
        return Cutoffs(*(None if row[one] is None else row["now"] - timedelta(days=row[one]) for one in KINDS))

    async def _forget_tasks(
        self, tenant_id: str, ended_before: datetime | None, after: str | None
    ) -> tuple[int, str | None]:
        """Delete the next tasks; those of a run that goes on are kept, for it may ask for them again."""
        if ended_before is None or after == NOTHING_MORE:
            return 0, None
        page = await self.rooms.forgettable_tasks(tenant_id, ended_before, after)
        runs = sorted({task.workflow_id for task in page.tasks if task.workflow_id is not None})
        async with self.database.transaction(tenant_id) as conn:
            rows = await sql.running_among.rows(conn, tenant_id=tenant_id, workflow_ids=runs)
        going_on = {row["workflow_id"] for row in rows}
        ended = [task.task_id for task in page.tasks if task.workflow_id not in going_on]
        return await self.rooms.forget_tasks(tenant_id, ended_before, ended) if ended else 0, page.after

    async def _forget_runs(self, tenant_id: str, closed_before: datetime | None) -> int:
        """Delete the next runs: what Temporal has of them first, for their rows say where that is."""
        if closed_before is None:
            return 0
        named = {"tenant_id": tenant_id, "closed_before": closed_before}
        async with self.database.transaction(tenant_id) as conn:
            rows = await sql.forgettable_runs.rows(conn, **named, limit=RUNS_AT_ONCE)
        found = [row["workflow_id"] for row in rows]
        if found:
            await self.engine.delete_runs(found)
            async with self.database.transaction(tenant_id) as conn:
                await sql.forget_runs.rows(conn, **named, workflow_ids=found)
        return len(found)


NOTHING_MORE = "end"
"""The place after the last task, while something else has more."""


async def sync_retention(database: Database, engine: Engine, tenant_id: str) -> None:
    """Make Temporal's schedule as the row says; the row is locked, so that an older state never comes last."""
    async with database.transaction(tenant_id) as conn:
        row = await sql.lock_retention.row(conn, tenant_id=tenant_id)
        if row is None or row["synced_version"] == row["version"]:
            return
        if all(row[one] is None for one in KINDS):
            await engine.drop_retention(tenant_id)
        else:
            await engine.put_retention(tenant_id, version=row["version"])
        await sql.note_retention_synced.execute(conn, tenant_id=tenant_id)


def _check_days(request: PutRetentionRequest) -> None:
    faults = []
    for name in KINDS:
        least, most = EVENT_DAYS if name == "event_days" else (1, LONGEST)
        days = getattr(request, name)
        if days is not None and not least <= days <= most:
            faults.append(FieldError(name, "out_of_range", f"{least} to {most} days; absent, all is kept."))
    if faults:
        raise InvalidArgument("REQUEST_INVALID", f"{faults[0].path}: {faults[0].message}", errors=faults)
