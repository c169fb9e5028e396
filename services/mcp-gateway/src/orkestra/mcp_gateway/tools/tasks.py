"""The tools about tasks that the caller asked for; none of them decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.types import CallToolResult
from orkestra.mcp_gateway.tools.answering import TASK_ANSWERED, TASK_STATE, answer, schema_of, shown, task_answer
from orkestra.mcp_gateway.tools.arguments import (
    CREATES,
    READS,
    REPEATS,
    STOPS,
    IdempotencyKey,
    PageToken,
    TaskId,
    WaitSeconds,
    again,
    published,
    refusals_told,
)
from orkestra.mcp_gateway.tools.asking import SameContext
from orkestra.mcp_gateway.tools.rooms import Rooms
from orkestra.mcp_gateway.tools.waiting import wait_for_task
from orkestra.v1.task import (
    AddCommentRequest,
    AnswerTaskRequest,
    CancelTaskRequest,
    CheckEscalationRequest,
    Comment,
    EscalationCheck,
    EscalationDecision,
    ListTasksRequest,
    ListTasksResponse,
    RedeemReceiptRequest,
    Redemption,
    Task,
    TaskStatus,
)
from pydantic import Field

LISTED = ("task_id", "workflow_id", "title", "status", "outcome", "created_at")
CHECKED = ("decision", "reason", "threshold", "check_id")
REDEEMED = ("task_id", "use_id", "outcome", "redeemed_at")
COMMENTED = ("comment_id", "task_id")

Status = Literal["open", "claimed", "waiting", "completed", "cancelled", "expired"]


@dataclass(frozen=True, kw_only=True)
class TaskTools:
    """The tools, on behalf of whoever calls."""

    rooms: Rooms

    def all(self) -> Sequence[Tool]:
        """Returns every tool as it is served."""
        state, answered = schema_of(Task, TASK_STATE), schema_of(Task, TASK_ANSWERED, answer_needed={"type": "object"})
        listed = {"type": "array", "items": {"type": "object"}}
        page = schema_of(ListTasksResponse, ("next_page_token",), tasks=listed)
        return [
            published(self.task_get, READS, answered),
            published(self.task_list, READS, page),
            published(self.task_wait, READS, answered),
            published(self.task_answer, CREATES, state),
            published(self.task_comment, CREATES, schema_of(Comment, COMMENTED)),
            published(self.task_cancel, STOPS, state),
            published(self.receipt_redeem, REPEATS, schema_of(Redemption, REDEEMED)),
            published(self.escalation_check, CREATES, schema_of(EscalationCheck, CHECKED)),
        ]

    @refusals_told
    async def task_get(self, task_id: TaskId) -> CallToolResult:
        """Look at a task that you asked for."""
        return task_answer(await self.rooms.task(task_id))

    @refusals_told
    async def task_list(self, status: Status | None = None, page_token: PageToken = None) -> CallToolResult:
        """List tasks that you asked for; the live ones unless a status is given."""
        wanted = None if status is None else TaskStatus(status)
        page = await self.rooms.tasks.list_tasks(ListTasksRequest(status=wanted, page_size=20, page_token=page_token))
        own = [shown(one, LISTED) for one in page.tasks if await self.rooms.is_callers(one)]
        return answer({"tasks": own, **shown(page, ("next_page_token",))}, "Call task_get with a task_id to see more.")

    @refusals_told
    async def task_wait(self, task_id: TaskId, ctx: Context, wait_seconds: WaitSeconds = 30) -> CallToolResult:
        """Wait for a task to end, or for its reviewer to ask you something (answer_needed)."""
        task = await wait_for_task(self.rooms, task_id, seconds=wait_seconds, progress=ctx.report_progress)
        return task_answer(task)

    @refusals_told
    async def task_answer(
        self,
        task_id: TaskId,
        message: str,
        context: SameContext = None,
        draft: dict[str, Any] | None = None,
        form: dict[str, Any] | None = None,
        idempotency_key: IdempotencyKey = None,
    ) -> CallToolResult:
        """Answer what a reviewer asked (answer_needed); context, draft and form replace what is there."""
        await self.rooms.task(task_id)
        request = AnswerTaskRequest(
            task_id=task_id,
            message=message,
            context=None if context is None else context.context(),
            draft=draft,
            form=form,
        )
        client = self.rooms.tasks
        task = await client.answer_task(request, request_id=idempotency_key)
        return task_answer(task, again(client))

    @refusals_told
    async def task_comment(self, task_id: TaskId, text: str, idempotency_key: IdempotencyKey = None) -> CallToolResult:
        """Tell the people of a task something; @name mentions one."""
        await self.rooms.task(task_id)
        client = self.rooms.tasks
        comment = await client.add_comment(AddCommentRequest(task_id=task_id, text=text), request_id=idempotency_key)
        return answer(shown(comment, COMMENTED), f"{again(client)}People see it with the task.")

    @refusals_told
    async def task_cancel(
        self, task_id: TaskId, reason: str | None = None, idempotency_key: IdempotencyKey = None
    ) -> CallToolResult:
        """Take back a task that is no longer needed."""
        await self.rooms.task(task_id)
        client = self.rooms.tasks
        request = CancelTaskRequest(task_id=task_id, reason=reason)
        task = await client.cancel_task(request, request_id=idempotency_key)
        return task_answer(task, again(client))

    @refusals_told
    async def receipt_redeem(
        self,
        token: Annotated[str, Field(min_length=1, description="receipt.token of an approval.")],
        use_id: Annotated[str, Field(min_length=1, max_length=200, description="Your id of this execution.")],
    ) -> CallToolResult:
        """Use up the receipt of an approval, once, just before you execute the action."""
        used = await self.rooms.tasks.redeem_receipt(RedeemReceiptRequest(token=token, use_id=use_id))
        following = "It is used up for this use_id. Execute the approved action now, exactly as approved, and once."
        return answer(shown(used, REDEEMED), following)

    @refusals_told
    async def escalation_check(
        self,
        topic: Annotated[str, Field(min_length=1, description="Such as returns/opened.")],
        confidence: Annotated[float, Field(ge=0, le=1)],
        agent: str | None = None,
        model: str | None = None,
        prompt_version: str | None = None,
        idempotency_key: IdempotencyKey = None,
    ) -> CallToolResult:
        """Ask whether you may answer alone or should hand over to people; it is recorded."""
        request = CheckEscalationRequest(
            topic=topic, confidence=confidence, agent=agent, model=model, prompt_version=prompt_version
        )
        checked = await self.rooms.tasks.check_escalation(request, request_id=idempotency_key)
        return answer(shown(checked, CHECKED), _next_of(checked))


def _next_of(check: EscalationCheck) -> str:
    if check.decision is EscalationDecision.PROCEED:
        return "You may answer by yourself."
    return (
        "Hand over to people: ask_human, or workflow_start with a handoff. Do not answer by yourself. "
        f"Give check_id {check.check_id} as check_id of the agent in context or handoff, so that both stay together."
    )
