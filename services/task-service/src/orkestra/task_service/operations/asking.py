"""What passes between the reviewer and whoever asked: drafts kept, changes asked for, answers given."""

from orkestra.chassis.operations import Tx, operation
from orkestra.rules import decide_answer, decide_request_changes, decide_save_draft
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.contents import with_files
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.storing import decided, locked
from orkestra.v1.task import AnswerTaskRequest, RequestChangesRequest, SaveDraftRequest, Task


class Asking(Base):
    """The rpcs between claiming and deciding."""

    @operation
    async def save_draft(self, tx: Tx, request: SaveDraftRequest) -> Task:
        """Keep the assignee's partial values; they survive a release and raise no version."""
        seen, now = await locked(tx, request.task_id)
        data, strangers = await with_files(tx, seen, request.data)
        request = request.model_copy(update={"data": data})
        decision = decide_save_draft(seen, tx.ctx.principal, now, request, strangers=strangers)
        shown = await decided(tx, seen, decision)
        await sql.save_draft.execute(
            tx.conn, task_id=seen.task_id, saved=decision.task.saved, saved_at=decision.task.saved_at
        )
        return shown

    @operation
    async def request_changes(self, tx: Tx, request: RequestChangesRequest) -> Task:
        """Let the task wait for whoever asked; its clocks stand still meanwhile."""
        seen, now = await locked(tx, request.task_id)
        return await decided(tx, seen, decide_request_changes(seen, tx.ctx.principal, now, request))

    @operation
    async def answer_task(self, tx: Tx, request: AnswerTaskRequest) -> Task:
        """Give the waiting task back to its reviewer."""
        seen, now = await locked(tx, request.task_id)
        return await decided(tx, seen, decide_answer(seen, tx.ctx.principal, now, request))
