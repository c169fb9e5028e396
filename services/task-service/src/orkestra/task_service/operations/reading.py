"""What is shown of tasks to those who may see them."""

from orkestra.chassis.operations import Tx, operation, read
from orkestra.rules import Decision, due, shown_to, visible
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.storing import locked, not_found, sql, store, task_of
from orkestra.task_service.rules import (
    LIVE,
    page_size_of,
    page_token,
    place_of,
    reading_of,
    without_large_fields,
)
from orkestra.v1.task import (
    CountTasksRequest,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListTasksRequest,
    ListTasksResponse,
    Task,
    TaskCounts,
    TaskHistory,
    TaskHistoryEntry,
    TaskScope,
)

COUNTED = 1000


class Reading(Base):
    """The rpcs that change nothing but what the clock has made due."""

    @operation
    async def get_task(self, tx: Tx, request: GetTaskRequest) -> Task:
        """Return the task as its clock says it is now."""
        return shown_to(tx.ctx.principal, await seen_task(tx, request.task_id))

    @operation
    async def get_task_history(self, tx: Tx, request: GetTaskHistoryRequest) -> TaskHistory:
        """Return every change, oldest first."""
        task = await seen_task(tx, request.task_id)
        return TaskHistory(entries=await sql.task_history.all(tx.conn, TaskHistoryEntry, task_id=task.task_id))

    @read
    async def count_tasks(self, tx: Tx, request: CountTasksRequest) -> TaskCounts:  # noqa: ARG002 - as every rpc
        """Say how many live tasks the caller has in each scope, counted up to 1000."""
        counts: dict[str, int] = {}
        for scope in (TaskScope.MINE, TaskScope.GROUPS, TaskScope.ALL):
            reading = reading_of(tx.ctx.principal, ListTasksRequest(scope=scope), assignee=None)
            counts[scope] = await sql.count_tasks.value(
                tx.conn,
                audiences=reading.audiences,
                statuses=list(LIVE),
                offered=reading.is_offered,
                limit=COUNTED,
            )
        return TaskCounts.model_validate(counts)

    @read
    async def list_tasks(self, tx: Tx, request: ListTasksRequest) -> ListTasksResponse:
        """Return a page of what the caller may see, by due date and id."""
        size = page_size_of(request.page_size)
        after_due, after_task = place_of(request.page_token)
        assignee = None
        if request.assignee is not None:
            assignee = await self.people.user_id(tx, request.assignee, path="assignee")
        reading = reading_of(tx.ctx.principal, request, assignee=assignee)
        place = {
            "audiences": reading.audiences,
            "statuses": [request.status] if request.status is not None else list(LIVE),
            "offered": reading.is_offered,
            "group": reading.group,
            "assignee": reading.assignee,
            "after_due": after_due,
            "after_task": after_task,
            "limit": size + 1,
        }
        if request.workflow_id is None:
            rows = await sql.list_tasks.rows(tx.conn, **place)
        else:
            rows = await sql.list_workflow_tasks.rows(tx.conn, **place, workflow_id=request.workflow_id)
        token = page_token(rows[size - 1]["due"], rows[size - 1]["task_id"]) if len(rows) > size else None
        return ListTasksResponse(
            tasks=[without_large_fields(task_of(row)) for row in rows[:size]], next_page_token=token
        )


async def seen_task(tx: Tx, task_id: str) -> Task:
    """Return the task that the caller may see, after the steps that are due."""
    row = await sql.get_task.row(tx.conn, task_id=task_id)
    task = None if row is None else task_of(row)
    if row is None or task is None or not visible(tx.ctx.principal, task):
        raise not_found(task_id)
    if not row["is_due"]:
        return task
    seen, now = await locked(tx, task_id)
    changes = due(seen, now)
    if not changes:
        return seen
    decision = Decision(task=changes[-1].task, changes=changes, refusal=None)
    await store(tx, seen, decision)
    if not visible(tx.ctx.principal, decision.task):
        await tx.commit()
        raise not_found(task_id)
    return decision.task
