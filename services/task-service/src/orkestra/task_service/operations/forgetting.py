"""Tasks that are kept no longer, and what a person has written that is to be erased; each call a bounded step."""

from orkestra.chassis.operations import Tx, operation, read
from orkestra.rules import may_as_installation
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.statements import sql
from orkestra.v1.task import (
    EraseWordsRequest,
    EraseWordsResponse,
    ForgettableTask,
    ForgetTasksRequest,
    ForgetTasksResponse,
    ListForgettableTasksRequest,
    ListForgettableTasksResponse,
    TaskStatus,
)
from orkestra.wire import FieldError, InvalidArgument

ENDS = (TaskStatus.COMPLETED, TaskStatus.CANCELLED, TaskStatus.EXPIRED)
AT_ONCE = 200


class Forgetting(Base):
    """The rpcs by which workflow-worker applies a tenant's retention and erases a person."""

    @read
    async def list_forgettable_tasks(
        self, tx: Tx, request: ListForgettableTasksRequest
    ) -> ListForgettableTasksResponse:
        """Return the next tasks that ended before a time; the place is the kind of end and the last task of it."""
        _check(tx)
        status, _, after = (request.after or f"{ENDS[0]}:").partition(":")
        if status not in {end.value for end in ENDS}:
            raise _refused("after", "The place that the page before ended with.")
        found = await sql.forgettable_tasks.all(
            tx.conn,
            ForgettableTask,
            tenant_id=tx.tenant_id,
            status=status,
            ended_before=request.ended_before,
            after=after,
            limit=AT_ONCE,
        )
        return ListForgettableTasksResponse(tasks=found, after=_next_place(TaskStatus(status), found))

    @operation
    async def forget_tasks(self, tx: Tx, request: ForgetTasksRequest) -> ForgetTasksResponse:
        """Delete tasks with everything of theirs; what became of checks goes with them."""
        _check(tx)
        if len(request.task_ids) > AT_ONCE:
            raise _refused("task_ids", f"At most {AT_ONCE} tasks.")
        named = {"tenant_id": tx.tenant_id, "task_ids": sorted(request.task_ids)}
        rows = await sql.still_forgettable.rows(tx.conn, **named, ended_before=request.ended_before)
        forgotten = await sql.forget_tasks.value(
            tx.conn, tenant_id=tx.tenant_id, task_ids=[row["task_id"] for row in rows]
        )
        return ForgetTasksResponse(forgotten=forgotten)

    @operation
    async def erase_words(self, tx: Tx, request: EraseWordsRequest) -> EraseWordsResponse:
        """Erase what a person wrote beside their decisions: comments, reasons, questions, drafts; digests stay."""
        _check(tx)
        whose = {"tenant_id": tx.tenant_id, "user_id": request.user_id}
        step = whose | {"limit": AT_ONCE}
        entries = await sql.erase_entries.rows(tx.conn, **step)
        reasons = sorted({row["reason"] for row in entries if row["reason"]})
        of_tasks = sorted({row["task_id"] for row in entries})
        if of_tasks:
            await sql.erase_questions.execute(tx.conn, tenant_id=tx.tenant_id, task_ids=of_tasks)
            await sql.erase_words_of_tasks.execute(tx.conn, **whose, task_ids=of_tasks, reasons=reasons)
        counts = [
            len(entries),
            await sql.erase_comments.execute(tx.conn, **step),
            await sql.erase_saved.execute(tx.conn, **step),
            await sql.erase_attachers.execute(tx.conn, **step),
        ]
        once = [
            await sql.forget_answers.value(tx.conn, tenant_id=tx.tenant_id, principal=request.user_id, about=of_tasks),
            await sql.erase_told_reasons.value(tx.conn, **whose),
            await sql.erase_copy_of_person.execute(tx.conn, **whose, email=f"{request.user_id}@erased.invalid"),
        ]
        return EraseWordsResponse(erased=sum(counts) + sum(once), more=max(counts) == AT_ONCE)


def _check(tx: Tx) -> None:
    refusal = may_as_installation("forget", tx.ctx.principal)
    if refusal is not None:
        raise refusal


def _next_place(status: TaskStatus, found: list[ForgettableTask]) -> str | None:
    """Return where the next page begins: behind the last task, or with the next kind of end."""
    if len(found) == AT_ONCE:
        return f"{status.value}:{found[-1].task_id}"
    following = ENDS[ENDS.index(status) + 1 :]
    return f"{following[0].value}:" if following else None


def _refused(path: str, message: str) -> InvalidArgument:
    return InvalidArgument("REQUEST_INVALID", f"{path}: {message}", errors=[FieldError(path, "invalid", message)])
