"""Which tasks of a run wait for the requester, as their events tell."""

from orkestra.chassis.database import Database
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import sql


async def note_waiting(database: Database, tenant_id: str, task: rules.Waiting) -> None:
    """Note that a task waits, or that it does not; only a version newer than the one known counts."""
    async with database.transaction(tenant_id) as conn:
        await sql.note_waiting.execute(
            conn,
            tenant_id=tenant_id,
            task_id=task.task_id,
            workflow_id=task.workflow_id,
            version=task.version,
            message=task.message,
        )


async def no_longer_waits(database: Database, tenant_id: str, task_id: str, version: int) -> None:
    """Note that the task does not wait at this version, where it is known at all."""
    async with database.transaction(tenant_id) as conn:
        await sql.no_longer_waits.execute(conn, tenant_id=tenant_id, task_id=task_id, version=version)
