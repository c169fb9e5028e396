"""The tools that ask people: a question, an approval, any task; each opens a task and may wait for its end."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from mcp.types import CallToolResult
from orkestra.mcp_gateway.tools.answering import TASK_ANSWERED, TASK_STATE, schema_of, task_answer
from orkestra.mcp_gateway.tools.arguments import (
    CREATES,
    Background,
    IdempotencyKey,
    OnBehalfOf,
    WaitSeconds,
    again,
    published_form,
    refusals_told,
)
from orkestra.mcp_gateway.tools.rooms import Rooms
from orkestra.mcp_gateway.tools.waiting import wait_for_task
from orkestra.v1.task import Action, CreateTaskRequest, Priority, SlaPolicy, Task, TaskContext
from orkestra.wire import FieldError, InvalidArgument
from pydantic import Field, WithJsonSchema

LONGEST_TITLE = 300
APPROVAL = {
    "version": 1,
    "fields": {"comment": {"type": "textarea", "label": "Comment"}},
    "outcomes": [
        {"key": "approve", "label": "Approve", "style": "primary"},
        {"key": "reject", "label": "Reject", "require": ["comment"]},
    ],
}
SameContext = Annotated[Background | None, WithJsonSchema({"type": "object", "description": "As for ask_human."})]


class Asking(ArgModelBase):
    """What everything that is asked of people has: whom, how urgently, for whom."""

    assignees: list[str] = Field(default=[], description="E-mails or user ids.")
    groups: list[str] = Field(default=[], description="Such as support-l1.")
    urgency: Literal["low", "normal", "high", "urgent"] = "normal"
    deadline: str | None = Field(default=None, description="Such as 2h; then it expires.")
    on_behalf_of: OnBehalfOf = None
    idempotency_key: IdempotencyKey = None

    @abstractmethod
    def request(self) -> CreateTaskRequest:
        """Returns the task to open."""

    def people(self) -> dict[str, Any]:
        """Returns these fields as a task has them."""
        return {
            "candidate_users": self.assignees,
            "candidate_groups": self.groups,
            "priority": Priority(self.urgency),
            "sla": None if self.deadline is None else SlaPolicy(complete=self.deadline),
            "on_behalf_of": self.on_behalf_of,
        }


class Question(Asking):
    """Arguments of ask_human."""

    question: str = Field(min_length=1)
    context: Background | None = Field(default=None, description="What the person should know.")
    form: dict[str, Any] | None = Field(
        default=None,
        description='{"amount": {"type": "number", "required": true}}, or a JSON Schema.',
    )
    options: list[str] = Field(default=[], description="To choose from, without a form.")
    wait_seconds: WaitSeconds = 30

    def request(self) -> CreateTaskRequest:
        """Returns the task that asks the question."""
        if self.form is not None and self.options:
            both = FieldError("options", "contradiction", "Give a form or options, not both.")
            raise InvalidArgument("REQUEST_INVALID", f"options: {both.message}", errors=[both])
        return CreateTaskRequest(
            **_titled(self.question),
            form=_choice(self.options) if self.options else self.form,
            context=None if self.context is None else self.context.context(),
            type="question",
            **self.people(),
        )


class Approval(Asking):
    """Arguments of request_approval."""

    action: str = Field(min_length=1, max_length=200, description="Such as refund_payment.")
    args: dict[str, Any] = Field(description="Exactly what you will execute it with.")
    why: str | None = None
    context: SameContext = None
    wait_seconds: WaitSeconds = 30

    def request(self) -> CreateTaskRequest:
        """Returns the task that asks for the approval."""
        known = TaskContext() if self.context is None else self.context.context()
        return CreateTaskRequest(
            title=f"Approve {self.action}?",
            description=self.why,
            form=APPROVAL,
            context=known.model_copy(update={"action": Action(name=self.action, args=self.args)}),
            type="approval",
            **self.people(),
        )


class NewTask(Asking):
    """Arguments of task_create."""

    title: str = Field(min_length=1)
    description: str | None = None
    form: dict[str, Any] | None = Field(default=None, description="As for ask_human.")
    draft: dict[str, Any] | None = Field(
        default=None, description='Proposed values: {"amount": {"value": 5, "confidence": 0.6}}.'
    )
    context: SameContext = None
    type: str | None = None
    tags: list[str] = Field(default=[])
    correlation: str | None = Field(default=None, description="Your id of the case.")

    def request(self) -> CreateTaskRequest:
        """Returns the task."""
        return CreateTaskRequest(
            title=self.title,
            description=self.description,
            form=self.form,
            draft=self.draft,
            context=None if self.context is None else self.context.context(),
            type=self.type,
            tags=self.tags,
            correlation=self.correlation,
            **self.people(),
        )


@dataclass(frozen=True, kw_only=True)
class AskingTools:
    """The tools, on behalf of whoever calls. Only people answer what they open."""

    rooms: Rooms
    waiting: ClassVar[Mapping[str, type[Question] | type[Approval]]] = {
        "ask_human": Question,
        "request_approval": Approval,
    }
    """The tools that wait for what they open, with their arguments."""

    def all(self) -> Sequence[Tool]:
        """Returns every tool as it is served."""
        answered = schema_of(Task, TASK_ANSWERED, answer_needed={"type": "object"})
        return [
            published_form(self.ask_human, Question, CREATES, answered),
            published_form(self.request_approval, Approval, CREATES, answered),
            published_form(self.task_create, NewTask, CREATES, schema_of(Task, TASK_STATE)),
        ]

    @refusals_told
    async def ask_human(self, asked: Question, ctx: Context) -> CallToolResult:
        """Ask people a question and wait for the answer; when it takes longer you get a task_id for task_wait."""
        return await self._ask(asked, ctx)

    @refusals_told
    async def request_approval(self, asked: Approval, ctx: Context) -> CallToolResult:
        """Ask people to approve one action with exact arguments; the answer carries a receipt bound to them."""
        return await self._ask(asked, ctx)

    @refusals_told
    async def task_create(self, asked: NewTask, _ctx: Context) -> CallToolResult:
        """Open a task for people without waiting."""
        return task_answer(*await self.open(asked))

    async def open(self, asked: Asking) -> tuple[Task, str]:
        """Opens the task that asks; returns it, and a sentence where it was there before."""
        client = self.rooms.tasks
        opened = await client.create_task(asked.request(), request_id=asked.idempotency_key)
        return opened, again(client)

    async def _ask(self, asked: Question | Approval, ctx: Context) -> CallToolResult:
        opened, told = await self.open(asked)
        task = await wait_for_task(self.rooms, opened.task_id, seconds=asked.wait_seconds, progress=ctx.report_progress)
        return task_answer(task, told)


def _titled(question: str) -> dict[str, str]:
    """Returns a title for the list of tasks, and the whole question where it does not fit there."""
    if len(question) <= LONGEST_TITLE and "\n" not in question:
        return {"title": question}
    title = " ".join(question.split())
    if len(title) > LONGEST_TITLE:
        title = f"{title[: LONGEST_TITLE - 1]}…"
    return {"title": title, "description": question}


def _choice(options: list[str]) -> dict[str, Any]:
    listed = [{"value": option, "label": option} for option in options]
    return {"answer": {"type": "radio", "label": "Answer", "required": True, "options": listed}}
