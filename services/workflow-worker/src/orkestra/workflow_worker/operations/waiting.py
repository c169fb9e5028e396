"""Which tasks of a run wait for the requester, as their events tell."""

from orkestra.chassis.database import Database
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import sql


async def note_waiting(database: Database, tenant_id: str, task: rules.Waiting) -> None:
    """Note that a task waits, or that it does not; only a version newer than the one known counts.

    Of what somebody asked who was erased since, only that they did is noted.
    """
    asked = task.asked
    async with database.transaction(tenant_id) as conn:
        if asked is not None:
            conn.send_ahead(sql.hold_off_erasures.text)
        await sql.note_waiting.execute(
            conn,
            tenant_id=tenant_id,
            task_id=task.task_id,
            workflow_id=task.workflow_id,
            version=task.version,
            message=None if asked is None else asked.message,
            asked_by=None if asked is None else asked.asked_by,
            asked_at=None if asked is None else asked.asked_at,
        )


async def no_longer_waits(database: Database, tenant_id: str, task_id: str, version: int) -> None:
    """Note that the task does not wait at this version, where it is known at all."""
    async with database.transaction(tenant_id) as conn:
        await sql.no_longer_waits.execute(conn, tenant_id=tenant_id, task_id=task_id, version=version)
