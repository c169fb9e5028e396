"""Generated from orkestra/v1/task.proto by tools/generate.py; do not edit."""

from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from grpc.aio import Server
from pydantic import Field

from orkestra.v1 import task_pb2 as pb
from orkestra.wire import Authenticate, Context, Int32, Int64, Model, RpcClient, UtcDatetime, bind


class TaskStatus(StrEnum):
    """Where a task stands. open, claimed and waiting are live; the other three are final."""

    OPEN = "open"
    CLAIMED = "claimed"
    WAITING = "waiting"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Priority(StrEnum):
    """How urgent a task is."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class DecidedBy(StrEnum):
    """Who gave the answer: a person, or the SLA policy at the end of its chain."""

    PERSON = "person"
    POLICY = "policy"


class SlaClock(StrEnum):
    """The clock an escalation step belongs to."""

    CLAIM = "claim"
    COMPLETE = "complete"


class SlaEnd(StrEnum):
    """What happens when the time to complete has run out."""

    EXPIRE = "expire"
    DEFAULT = "default"
    KEEP = "keep"


class TaskScope(StrEnum):
    """Which tasks a list shows."""

    MINE = "mine"
    """Assigned to the caller, or offered to the caller by name."""
    GROUPS = "groups"
    """Offered to a group of the caller."""
    ALL = "all"
    """Everything that the caller may see."""


class ConversationMessage(Model, pb=pb.ConversationMessage):
    """One message of the conversation that led here."""

    role: str = Field(description="user, assistant, system or tool.")
    text: str
    at: UtcDatetime | None = Field(default=None)


class Link(Model, pb=pb.Link):
    """A link that is shown with a task."""

    label: str
    url: str = Field(description="http or https.")


class AgentInfo(Model, pb=pb.AgentInfo):
    """The agent that hands over."""

    name: str | None = Field(default=None)
    model: str | None = Field(default=None)
    prompt_version: str | None = Field(default=None)
    confidence: float | None = Field(default=None, description="0..1, as stated by the agent.")
    trace_id: str | None = Field(default=None, description="The agent's own trace, for example a Langfuse trace id.")


class Action(Model, pb=pb.Action):
    """What will be executed once it is approved."""

    name: str
    args: dict[str, Any] | None = Field(default=None)


class Assignment(Model, pb=pb.Assignment):
    """People and groups that work is given to."""

    users: list[str] = Field(default_factory=list, description="User ids or e-mail addresses.")
    groups: list[str] = Field(default_factory=list)


class GetTaskRequest(Model, pb=pb.GetTaskRequest):
    """Names a task."""

    task_id: str


class ClaimTaskRequest(Model, pb=pb.ClaimTaskRequest):
    """Names the task to claim."""

    task_id: str
    version: Int64 | None = Field(
        default=None,
        description="The version that the caller saw; VERSION_MISMATCH where it is no longer the current one.",
    )


class ReleaseTaskRequest(Model, pb=pb.ReleaseTaskRequest):
    """Names the task to put back."""

    task_id: str
    version: Int64 | None = Field(default=None)


class CompleteTaskRequest(Model, pb=pb.CompleteTaskRequest):
    """An answer."""

    task_id: str
    data: dict[str, Any]
    outcome: str | None = Field(default=None, description="Required where the form has outcomes.")
    version: Int64 | None = Field(default=None)


class CancelTaskRequest(Model, pb=pb.CancelTaskRequest):
    """Names the task to end and says why."""

    task_id: str
    reason: str | None = Field(default=None)
    version: Int64 | None = Field(default=None)


class GetTaskHistoryRequest(Model, pb=pb.GetTaskHistoryRequest):
    """Names the task whose history is wanted."""

    task_id: str


class TaskHistoryEntry(Model, pb=pb.TaskHistoryEntry):
    """One change of a task."""

    sequence: Int64 = Field(description="From 1, without gaps.")
    event: str = Field(description="The event's name, such as claimed.")
    at: UtcDatetime
    actor: str | None = Field(default=None, description="The principal; absent where the clock did it.")
    acted_for: str | None = Field(default=None)
    door: str | None = Field(default=None, description="rest, mcp, dashboard, worker or clock.")
    reason: str | None = Field(default=None)
    before: dict[str, Any] | None = Field(default=None, description="The changed fields before and after.")
    after: dict[str, Any] | None = Field(default=None)


class AdvanceClockRequest(Model, pb=pb.AdvanceClockRequest):
    """Names the task whose clock is asked for."""

    task_id: str


class ConfirmWakeUpRequest(Model, pb=pb.ConfirmWakeUpRequest):
    """The end that the workflow was told of."""

    task_id: str
    version: Int64


class ConfirmWakeUpResponse(Model, pb=pb.ConfirmWakeUpResponse):
    """Nothing but the fact."""


class ClockState(Model, pb=pb.ClockState):
    """Where a task and its clock stand."""

    task_id: str
    status: TaskStatus
    version: Int64
    wake_in: timedelta | None = Field(
        default=None, description="How long to wait before asking again; absent where no step is due any more."
    )
    result: dict[str, Any] | None = Field(default=None)
    outcome: str | None = Field(default=None)
    completed_by: str | None = Field(default=None)
    decided_by: DecidedBy | None = Field(default=None)
    reason: str | None = Field(default=None)


class ListTasksRequest(Model, pb=pb.ListTasksRequest):
    """Filters and the page wanted."""

    scope: TaskScope | None = Field(default=None, description="all where absent.")
    status: TaskStatus | None = Field(default=None, description="live tasks where absent.")
    assignee: str | None = Field(default=None, description="User id or e-mail address.")
    group: str | None = Field(default=None)
    workflow_id: str | None = Field(default=None)
    page_size: Int32 | None = Field(default=None, description="1..200; 50 where absent.")
    page_token: str | None = Field(default=None)


class TaskContext(Model, pb=pb.TaskContext):
    """What a person is shown, as it was."""

    conversation: list[ConversationMessage] = Field(default_factory=list)
    summary: str | None = Field(default=None, description="Markdown.")
    data: dict[str, Any] | None = Field(default=None, description="Any further JSON object.")
    links: list[Link] = Field(default_factory=list)
    agent: AgentInfo | None = Field(default=None)
    action: Action | None = Field(default=None)


class EscalationStep(Model, pb=pb.EscalationStep):
    """One step of an escalation chain. It does one or more of remind, priority, assign_to, add_group, notify."""

    clock: SlaClock | None = Field(default=None, description="complete where absent.")
    after: str = Field(description="From the start of that clock: a duration such as 30m, or a share such as 50%.")
    remind: bool | None = Field(default=None)
    priority: Priority | None = Field(default=None)
    assign_to: Assignment | None = Field(default=None)
    add_group: str | None = Field(default=None)
    notify: list[str] = Field(default_factory=list, description="user:<id> or group:<id>.")


class TaskHistory(Model, pb=pb.TaskHistory):
    """Every change of one task, oldest first, without gaps."""

    entries: list[TaskHistoryEntry] = Field(default_factory=list)


class SlaPolicy(Model, pb=pb.SlaPolicy):
    """Two clocks, a chain of steps and an end."""

    claim: str | None = Field(default=None, description="Time to claim, such as 15m.")
    complete: str | None = Field(default=None, description="Time to complete, such as 2h.")
    calendar: str | None = Field(
        default=None, description="Name of the calendar both are measured on; always where absent."
    )
    escalate: list[EscalationStep] = Field(default_factory=list)
    at_end: SlaEnd | None = Field(default=None, description="expire where absent.")
    default_result: dict[str, Any] | None = Field(default=None, description="The result where at_end is default.")
    default_outcome: str | None = Field(
        default=None, description="The outcome that goes with default_result, where the form has outcomes."
    )


class Sla(Model, pb=pb.Sla):
    """The clocks of a task: the policy and what follows from it."""

    policy: SlaPolicy
    claim_by: UtcDatetime | None = Field(default=None)
    complete_by: UtcDatetime | None = Field(default=None)
    answer_by: UtcDatetime | None = Field(
        default=None, description="Until when the requester has to answer while the task is waiting."
    )
    breached: bool
    escalation_level: Int32 = Field(description="How many steps of the chain have been performed.")
    next_step_at: UtcDatetime | None = Field(
        default=None, description="When the next step or the end of the chain is due; absent when nothing is."
    )
    claim_started_at: UtcDatetime | None = Field(
        default=None,
        description="When the time to claim began to run; a step that reassigns and a release start it again.",
    )
    complete_started_at: UtcDatetime | None = Field(default=None, description="When the time to complete began to run.")
    performed_steps: list[Int32] = Field(
        default_factory=list,
        description="Positions in the chain, from 0, of the steps that have been performed, in the order of their performance.",
    )


class CreateTaskRequest(Model, pb=pb.CreateTaskRequest):
    """A task to open."""

    task_id: str | None = Field(
        default=None, description="Minted by the SDK inside a workflow; by task-service where absent."
    )
    workflow_id: str | None = Field(default=None)
    first_run_id: str | None = Field(default=None)
    key: str | None = Field(default=None)
    on_behalf_of: str | None = Field(default=None)
    title: str
    description: str | None = Field(default=None)
    type: str | None = Field(default=None)
    tags: list[str] = Field(default_factory=list)
    correlation: str | None = Field(default=None)
    form: dict[str, Any] | None = Field(
        default=None,
        description="A form in its short form, its long form, or as a JSON Schema; a single free-text answer where absent.",
    )
    context: TaskContext | None = Field(default=None)
    input: dict[str, Any] | None = Field(default=None)
    draft: dict[str, Any] | None = Field(default=None)
    assignee: str | None = Field(default=None, description="User id or e-mail address.")
    candidate_users: list[str] = Field(default_factory=list, description="User ids or e-mail addresses.")
    candidate_groups: list[str] = Field(default_factory=list)
    excluded_users: list[str] = Field(default_factory=list, description="User ids or e-mail addresses.")
    allow_agents: list[str] = Field(default_factory=list)
    priority: Priority | None = Field(default=None, description="normal where absent.")
    sla: SlaPolicy | None = Field(default=None)
    requested_by: str | None = Field(
        default=None, description="The principal that started the run; only a worker may say it."
    )


class Task(Model, pb=pb.Task):
    """One piece of work handed to people, with a form to fill and a clock running."""

    task_id: str = Field(description="task_ and 32 hexadecimal digits of a UUIDv7.")
    tenant_id: str
    workflow_id: str | None = Field(default=None, description="The run that asked; absent for a task of its own.")
    first_run_id: str | None = Field(
        default=None, description="The first execution's run id in Temporal; stays the same across resets."
    )
    key: str | None = Field(
        default=None, description="The author's name for this task, unique within tenant, workflow and first run."
    )
    requested_by: str | None = Field(default=None, description="The principal that asked.")
    on_behalf_of: str | None = Field(default=None, description="The person for whom an agent asked.")
    title: str
    description: str | None = Field(default=None, description="Markdown.")
    type: str | None = Field(default=None, description="A free label such as refund-approval.")
    tags: list[str] = Field(default_factory=list)
    correlation: str | None = Field(
        default=None, description="The case, customer or conversation that this belongs to."
    )
    form: dict[str, Any] | None = Field(default=None, description="The form's JSON Schema, pinned at creation.")
    context: TaskContext | None = Field(
        default=None, description="What the person needs so that nothing is lost on the way."
    )
    input: dict[str, Any] | None = Field(default=None, description="The workflow's input.")
    draft: dict[str, Any] | None = Field(
        default=None, description='Values that an agent proposes: field name to {"value": …, "confidence"?: 0..1}.'
    )
    saved: dict[str, Any] | None = Field(default=None, description="The assignee's partial values.")
    assignee: str | None = Field(
        default=None, description="User id of the person who holds the task, or to whom alone it is offered."
    )
    candidate_users: list[str] = Field(default_factory=list, description="User ids.")
    candidate_groups: list[str] = Field(default_factory=list)
    excluded_users: list[str] = Field(default_factory=list, description="User ids of people who may not decide.")
    allow_agents: list[str] = Field(
        default_factory=list, description="Names of agents that may decide; empty for people only."
    )
    approval_policy: dict[str, Any] | None = Field(default=None)
    action_digest: str | None = Field(
        default=None, description="SHA-256 over the canonical JSON of what is decided on."
    )
    priority: Priority
    status: TaskStatus
    outcome: str | None = Field(default=None, description="The key of the chosen outcome, where the form has outcomes.")
    result: dict[str, Any] | None = Field(default=None, description="The checked answer.")
    completed_by: str | None = Field(default=None, description="User id of the person who answered.")
    decided_by: DecidedBy | None = Field(default=None)
    acted_for: str | None = Field(default=None, description="User id of the person whose place completed_by took.")
    sla: Sla | None = Field(default=None)
    reason: str | None = Field(default=None, description="Why it was cancelled.")
    version: Int64 = Field(description="Grows by one with each write to the row.")
    revision: Int32 = Field(description="Grows when title, description, context or form change.")
    created_at: UtcDatetime
    updated_at: UtcDatetime
    claimed_at: UtcDatetime | None = Field(default=None)
    completed_at: UtcDatetime | None = Field(default=None)
    woken_at: UtcDatetime | None = Field(
        default=None, description="When the workflow behind it was woken after its end."
    )


class ListTasksResponse(Model, pb=pb.ListTasksResponse):
    """A page of tasks."""

    tasks: list[Task] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class TaskServiceServer(Protocol):
    """Work that waits for a person."""

    async def create_task(self, ctx: Context, request: CreateTaskRequest) -> Task:
        """Opens a task and starts its clocks. Creating with the same task_id, or the same key within one run,
        returns the first.
        """
        ...

    async def get_task(self, ctx: Context, request: GetTaskRequest) -> Task:
        """Returns one task that the caller may see."""
        ...

    async def list_tasks(self, ctx: Context, request: ListTasksRequest) -> ListTasksResponse:
        """Returns a page of the tasks that the caller may see, by due date, without their large fields."""
        ...

    async def claim_task(self, ctx: Context, request: ClaimTaskRequest) -> Task:
        """Gives an open task to the caller. One caller wins; the others get TASK_NOT_OPEN with the task as it is."""
        ...

    async def release_task(self, ctx: Context, request: ReleaseTaskRequest) -> Task:
        """Puts a claimed task back for its candidates."""
        ...

    async def complete_task(self, ctx: Context, request: CompleteTaskRequest) -> Task:
        """Records the answer. It must fit the form; the waiting workflow then resumes."""
        ...

    async def cancel_task(self, ctx: Context, request: CancelTaskRequest) -> Task:
        """Ends a live task without an answer."""
        ...

    async def get_task_history(self, ctx: Context, request: GetTaskHistoryRequest) -> TaskHistory:
        """Returns every change of a task, oldest first."""
        ...

    async def advance_clock(self, ctx: Context, request: AdvanceClockRequest) -> ClockState:
        """Performs the steps of the escalation chain that are due, each once, and says what to wait for next. For
        workers.
        """
        ...

    async def confirm_wake_up(self, ctx: Context, request: ConfirmWakeUpRequest) -> ConfirmWakeUpResponse:
        """Records that the workflow behind an ended task has been woken. For workflow-worker."""
        ...


def add_task_service(server: Server, operations: TaskServiceServer, authenticate: Authenticate) -> None:
    """Serve the rpcs of TaskService with `operations`."""
    bind(server, pb.DESCRIPTOR.services_by_name["TaskService"], operations, authenticate)


class TaskServiceClient(RpcClient, service="orkestra.v1.TaskService"):
    """Work that waits for a person."""

    async def create_task(
        self, request: CreateTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Opens a task and starts its clocks. Creating with the same task_id, or the same key within one run,
        returns the first.
        """
        return await self._call("CreateTask", request, Task, request_id=request_id, timeout=timeout, idempotent=True)

    async def get_task(
        self, request: GetTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Returns one task that the caller may see."""
        return await self._call("GetTask", request, Task, request_id=request_id, timeout=timeout, idempotent=True)

    async def list_tasks(
        self, request: ListTasksRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListTasksResponse:
        """Returns a page of the tasks that the caller may see, by due date, without their large fields."""
        return await self._call(
            "ListTasks", request, ListTasksResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def claim_task(
        self, request: ClaimTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Gives an open task to the caller. One caller wins; the others get TASK_NOT_OPEN with the task as it is."""
        return await self._call("ClaimTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def release_task(
        self, request: ReleaseTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Puts a claimed task back for its candidates."""
        return await self._call("ReleaseTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def complete_task(
        self, request: CompleteTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Records the answer. It must fit the form; the waiting workflow then resumes."""
        return await self._call("CompleteTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def cancel_task(
        self, request: CancelTaskRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Task:
        """Ends a live task without an answer."""
        return await self._call("CancelTask", request, Task, request_id=request_id, timeout=timeout, idempotent=False)

    async def get_task_history(
        self, request: GetTaskHistoryRequest, request_id: str | None = None, timeout: float | None = None
    ) -> TaskHistory:
        """Returns every change of a task, oldest first."""
        return await self._call(
            "GetTaskHistory", request, TaskHistory, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def advance_clock(
        self, request: AdvanceClockRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ClockState:
        """Performs the steps of the escalation chain that are due, each once, and says what to wait for next. For
        workers.
        """
        return await self._call(
            "AdvanceClock", request, ClockState, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def confirm_wake_up(
        self, request: ConfirmWakeUpRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ConfirmWakeUpResponse:
        """Records that the workflow behind an ended task has been woken. For workflow-worker."""
        return await self._call(
            "ConfirmWakeUp", request, ConfirmWakeUpResponse, request_id=request_id, timeout=timeout, idempotent=True
        )
