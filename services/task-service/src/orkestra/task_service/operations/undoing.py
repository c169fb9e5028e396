"""For how long answers can be taken back, and taking them back."""

from orkestra.chassis.operations import Tx, operation, read
from orkestra.rules import check_settings, decide_undo, may_in_tenant
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.storing import decided, locked
from orkestra.v1.task import GetTaskSettingsRequest, PutTaskSettingsRequest, Task, TaskSettings, UndoTaskRequest
from orkestra.wire import InvalidArgument, VersionMismatch


class Undoing(Base):
    """The rpcs of the undo window."""

    @operation
    async def undo_task(self, tx: Tx, request: UndoTaskRequest) -> Task:
        """Take the answer back, while its time lasts."""
        seen, now = await locked(tx, request.task_id)
        return await decided(tx, seen, decide_undo(seen, tx.ctx.principal, now, request))

    @read
    async def get_task_settings(self, tx: Tx, request: GetTaskSettingsRequest) -> TaskSettings:  # noqa: ARG002 - as every rpc
        """Return the settings in force; without an undo window, at version 0, where none were put."""
        _require(tx, "view_task_settings")
        return await _settings(tx)

    @operation
    async def put_task_settings(self, tx: Tx, request: PutTaskSettingsRequest) -> TaskSettings:
        """Replace the settings; answers that wait already keep their time."""
        _require(tx, "put_task_settings")
        errors = check_settings(request)
        if errors:
            raise InvalidArgument("SETTINGS_INVALID", f"{errors[0].path}: {errors[0].message}", errors=errors)
        put = await sql.put_task_settings.one(
            tx.conn, TaskSettings, **request.model_dump(), tenant_id=tx.tenant_id, updated_by=tx.ctx.subject
        )
        if put is None:
            current = await _settings(tx)
            message = f"The settings have changed since version {request.version}; they are now at {current.version}."
            raise VersionMismatch("VERSION_MISMATCH", message, current=current)
        return put


def _require(tx: Tx, operation: str) -> None:
    refusal = may_in_tenant(operation, tx.ctx.principal)
    if refusal is not None:
        raise refusal


async def _settings(tx: Tx) -> TaskSettings:
    return await sql.task_settings.one(tx.conn, TaskSettings) or TaskSettings(undo_seconds=0, version=0)
