"""What follows the ends: of a run for its tasks, of a task for the workflow behind it."""

from datetime import timedelta

from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, events_transaction, operation
from orkestra.rules import Decision, due, end_with_run, may_as_installation
from orkestra.rules.receipts import ReceiptKey
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.storing import absences_after, store, task_of
from orkestra.task_service.rules import as_told_later, audience_now, check_ends
from orkestra.v1.events import TaskEvent
from orkestra.v1.task import ConfirmWakeUpsRequest, ConfirmWakeUpsResponse

SWEPT_AT_ONCE = 200
SIGNED_AT_ONCE = 1000
SIGNED_TOGETHER = 50
"""Histories signed in one transaction, which holds the locks of their tasks."""
WORKER_DOOR = "worker"


class Ending(Base):
    """The rpc by which workflow-worker says that it has woken workflows."""

    @operation
    async def confirm_wake_ups(self, tx: Tx, request: ConfirmWakeUpsRequest) -> ConfirmWakeUpsResponse:
        """Record which workflows know of the ends of their tasks; of a task that is still live nothing is recorded."""
        refusal = may_as_installation("confirm_wake_ups", tx.ctx.principal)
        if refusal is not None:
            raise refusal
        check_ends(request.ends)
        ends = sorted(request.ends, key=lambda end: end.task_id)  # locked in one order, whoever else confirms
        await sql.confirm_wake_ups.execute(
            tx.conn, task_ids=[end.task_id for end in ends], versions=[end.version for end in ends]
        )
        return ConfirmWakeUpsResponse()


class Tips:
    """What nobody calls either: histories whose newest entries no signature covers yet."""

    def __init__(self, database: Database, sweep: Database, key: ReceiptKey) -> None:
        self._database = database
        self._sweep = sweep
        self._key = key

    async def sign(self) -> int:
        """Sign the tips of histories that have grown; return how many there were."""
        async with self._sweep.unscoped() as conn:
            rows = await sql.unsigned_histories.rows(conn, limit=SIGNED_AT_ONCE)
        of_tenants: dict[str, list[str]] = {}
        for row in rows:
            of_tenants.setdefault(str(row["tenant_id"]), []).append(row["task_id"])
        for tenant_id, task_ids in of_tenants.items():
            for start in range(0, len(task_ids), SIGNED_TOGETHER):
                await self._sign(tenant_id, task_ids[start : start + SIGNED_TOGETHER])
        return len(rows)

    async def _sign(self, tenant_id: str, task_ids: list[str]) -> None:
        async with self._database.transaction(tenant_id) as conn:
            tips = await sql.unsigned_tips.rows(conn, task_ids=task_ids)
            await sql.sign_tips.execute(
                conn,
                task_ids=[tip["task_id"] for tip in tips],
                sequences=[tip["sequence"] for tip in tips],
                signatures=[
                    self._key.sign_tip(tenant_id, tip["task_id"], tip["sequence"], tip["digest"] or "") for tip in tips
                ],
            )


class Ends:
    """What nobody calls: the ends of runs as they are heard of, and ends that nobody has confirmed."""

    def __init__(self, database: Database, sweep: Database) -> None:
        self._database = database
        self._sweep = sweep

    async def with_live_tasks(self, tenant_id: str, workflow_ids: list[str]) -> list[str]:
        """Return which of the runs have tasks that have not ended."""
        async with self._database.reading(tenant_id) as conn:
            rows = await sql.workflows_with_live_tasks.rows(conn, workflow_ids=workflow_ids)
        return [row["workflow_id"] for row in rows]

    async def end_with_run(self, tenant_id: str, workflow_id: str, *, reason: str) -> int:
        """Cancel the live tasks of a run that has ended; return how many there were."""
        async with events_transaction(self._database, tenant_id) as tx:
            rows = await sql.lock_live_tasks_of_workflow.rows(tx.conn, workflow_id=workflow_id)
            for row in rows:
                tx.continue_trace(row["traceparent"])
                seen = task_of(row)
                await store(tx, seen, end_with_run(seen, row["now"], reason), clock_door=WORKER_DOOR)
        return len(rows)

    async def tell_again(self, age: timedelta) -> int:
        """Tell again, under a new event id, every end that was told longer than `age` ago and is not confirmed.

        So is what is answered and can be taken back no more for that long: the end of its time is then performed.
        """
        async with self._sweep.unscoped() as conn:
            rows = await sql.untold_ends.rows(conn, age=age, limit=SWEPT_AT_ONCE)
        told = [await self._tell(row["tenant_id"], row["task_id"], age) for row in rows]
        return sum(told)

    async def _tell(self, tenant_id: str, task_id: str, age: timedelta) -> bool:
        async with events_transaction(self._database, tenant_id) as tx:
            row = await sql.tell_again.row(tx.conn, task_id=task_id, age=age)
            if row is None:
                return False
            tx.continue_trace(row["traceparent"])
            task = task_of(row)
            if task.submission is not None:  # its time was over long ago, and nobody has come by
                changes = due(task, await tx.now())
                await store(tx, task, Decision(changes[-1].task, changes))
                return True
            event = TaskEvent(
                task=as_told_later(task),
                audience=audience_now([task], await absences_after(tx, task)),
                actor=task.completed_by,
            )
            await tx.emit(
                aggregate="task", event=task.status.value, payload=event, key=task.task_id, version=task.version
            )
        return True
