"""What is kept in Temporal of a deleted tenant goes before the rows that say where it is."""

from orkestra.chassis.database import Database
from orkestra.workflow_worker.operations.base import Engine, sql

AT_ONCE = 50


class TenantRuns:
    """The runs and schedules of a tenant, as Temporal has them."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine

    async def forget(self, tenant_id: str) -> None:
        """Delete the schedules, executions and histories of a tenant; Unavailable while Temporal is away."""
        await self._engine.drop_retention(tenant_id)
        for schedule_id in await self._schedules(tenant_id):
            await self._engine.drop_schedule(schedule_id)
        after = ""
        while found := await self._runs(tenant_id, after):
            await self._engine.delete_runs(found)
            after = found[-1]
        await self._engine.delete_of_tenant(tenant_id)

    async def _schedules(self, tenant_id: str) -> list[str]:
        async with self._database.transaction(tenant_id) as conn:
            rows = await sql.schedules_of_tenant.rows(conn, tenant_id=tenant_id)
        return [row["schedule_id"] for row in rows]

    async def _runs(self, tenant_id: str, after: str) -> list[str]:
        async with self._database.transaction(tenant_id) as conn:
            rows = await sql.runs_after.rows(conn, tenant_id=tenant_id, after=after, limit=AT_ONCE)
        return [row["workflow_id"] for row in rows]
