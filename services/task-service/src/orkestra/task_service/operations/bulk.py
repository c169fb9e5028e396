"""One thing done to many tasks: each by itself, as its own rpc would do it."""

from dataclasses import replace
from hashlib import sha256

from orkestra.chassis.operations import Tx, operation
from orkestra.task_service.operations.deciding import Deciding
from orkestra.task_service.operations.managing import Managing
from orkestra.task_service.rules import check_bulk, without_large_fields
from orkestra.v1.task import (
    AssignTaskRequest,
    BulkFault,
    BulkOperation,
    BulkResult,
    BulkTask,
    BulkTasksRequest,
    BulkTasksResponse,
    CancelTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    Task,
    UpdateTaskRequest,
)
from orkestra.wire import Context, Error
from orkestra.wire.context import Reply


class Bulk(Deciding, Managing):
    """The rpc over many tasks. Each task has a transaction of its own; a repeated request goes on where it stopped."""

    async def bulk_tasks(self, ctx: Context, request: BulkTasksRequest) -> BulkTasksResponse:
        """Do it to each task and say what came of each, in the order of the request."""
        check_bulk(request)
        if ctx.request_id is not None:
            await self._begin_bulk(ctx, request)
        return BulkTasksResponse(results=[await self._result(_of_one(ctx, one), request, one) for one in request.tasks])

    @operation
    async def _begin_bulk(self, tx: Tx, request: BulkTasksRequest) -> BulkTasksResponse:  # noqa: ARG002 - its hash is kept
        """Hold the request id to this one body."""
        return BulkTasksResponse()

    async def _result(self, ctx: Context, request: BulkTasksRequest, one: BulkTask) -> BulkResult:
        try:
            return BulkResult(task_id=one.task_id, task=without_large_fields(await self._done(ctx, request, one)))
        except Error as refusal:
            faults = [BulkFault(path=each.path, code=each.code, message=each.message) for each in refusal.errors]
            return BulkResult(task_id=one.task_id, code=refusal.reason, detail=str(refusal), errors=faults)

    async def _done(self, ctx: Context, request: BulkTasksRequest, one: BulkTask) -> Task:
        named = {"task_id": one.task_id, "version": one.version}
        given = {name: value for name, value in request if name not in ("operation", "tasks")}
        match request.operation:
            case BulkOperation.CLAIM:
                return await self.claim_task(ctx, ClaimTaskRequest(**named))
            case BulkOperation.ASSIGN:
                return await self.assign_task(ctx, AssignTaskRequest.model_validate({**given, **named}))
            case BulkOperation.COMPLETE:
                return await self.complete_task(ctx, CompleteTaskRequest.model_validate({**given, **named}))
            case BulkOperation.CANCEL:
                return await self.cancel_task(ctx, CancelTaskRequest.model_validate({**given, **named}))
            case BulkOperation.TAG:
                tags = {"add_tags": request.add_tags, "remove_tags": request.remove_tags}
                return await self.update_task(ctx, UpdateTaskRequest.model_validate({**tags, **named}))


def _of_one(ctx: Context, one: BulkTask) -> Context:
    """Return the context of one task: its request id is made of the whole's, so that a repetition finds it again."""
    if ctx.request_id is None:
        return replace(ctx, reply=Reply())
    request_id = sha256(f"{ctx.request_id} {one.task_id}".encode()).hexdigest()
    return replace(ctx, request_id=request_id, reply=Reply())
