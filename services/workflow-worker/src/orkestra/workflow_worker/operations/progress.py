"""How far a run is, and what its code tells on the way."""

import re

from orkestra.chassis.operations import Tx, operation
from orkestra.v1.workflow import ReportProgressRequest, ReportProgressResponse
from orkestra.wire import FieldError, InvalidArgument, dumps
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import Base, run_of, sql, tell, workflow_of

LONGEST_PROGRESS = 300
MOST_DATA = 64 * 1024
_NAME = re.compile(r"[a-z][a-z0-9]*([.-][a-z0-9]+)*")


class Progressing(Base):
    """The rpc by which workers tell what a run's code says."""

    @operation
    async def report_progress(self, tx: Tx, request: ReportProgressRequest) -> ReportProgressResponse:
        rules.check_may("report_progress", tx.ctx.principal)
        _check(request)
        row = await sql.note_progress.row(
            tx.conn, tenant_id=tx.tenant_id, workflow_id=request.workflow_id, progress=request.progress
        )
        if row is None:  # it has ended, and nothing is told of it any more
            await run_of(tx, request.workflow_id)
            return ReportProgressResponse()
        event = "progressed" if request.emitted is None else "emitted"
        await tell(tx, event, workflow_of(row), emitted=request.emitted)
        return ReportProgressResponse()


def _check(request: ReportProgressRequest) -> None:
    errors = []
    if (request.progress is None) == (request.emitted is None):
        errors.append(FieldError("progress", "invalid", "Either progress or what happened is told."))
    if request.progress is not None and not 0 < len(request.progress) <= LONGEST_PROGRESS:
        errors.append(FieldError("progress", "wrong_length", f"1 to {LONGEST_PROGRESS} characters."))
    if request.emitted is not None:
        if len(request.emitted.name) > 100 or not _NAME.fullmatch(request.emitted.name):
            errors.append(FieldError("emitted.name", "invalid", "Lower-case words joined by dots or hyphens."))
        if len(dumps(request.emitted.data or {}).encode()) > MOST_DATA:
            errors.append(FieldError("emitted.data", "too_long", f"At most {MOST_DATA} bytes."))
    if errors:
        raise InvalidArgument("PROGRESS_INVALID", f"{errors[0].path}: {errors[0].message}", errors=errors)
