"""Generated from orkestra/v1/workflow.proto by tools/generate.py; do not edit."""

from enum import StrEnum
from typing import Any, Protocol

from grpc.aio import Server
from pydantic import Field

from orkestra.v1 import workflow_pb2 as pb
from orkestra.v1.task import AgentInfo, ConversationMessage, Link
from orkestra.wire import Authenticate, Context, Int32, Int64, Model, RpcClient, UtcDatetime, bind


class WorkflowStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TERMINATED = "terminated"
    TIMED_OUT = "timed_out"


class BusinessIdPolicy(StrEnum):
    """What a second start with the same business id does."""

    REJECT_RUNNING = "reject_running"
    """Refused while the first is running."""
    REJECT_ALWAYS = "reject_always"
    """Refused for ever."""
    USE_RUNNING = "use_running"
    """Answers with the running one."""
    TERMINATE_RUNNING = "terminate_running"
    """Ends the running one by force, and starts."""


class ResetPoint(StrEnum):
    """Where a run is taken back to."""

    LAST_STEP = "last_step"
    """Before the last step of its code: what made it fail is tried again."""
    FIRST_STEP = "first_step"
    """Before the first step: all of it is done again."""


class ScheduleOverlap(StrEnum):
    """What a schedule does when it fires while a run of it is running."""

    SKIP = "skip"
    """Starts nothing."""
    START = "start"
    """Starts another one beside it."""
    CANCEL_RUNNING = "cancel_running"
    """Asks the running one to stop, and starts."""
    TERMINATE_RUNNING = "terminate_running"
    """Ends the running one by force, and starts."""


class ErasureStatus(StrEnum):
    """Where an erasure stands."""

    RUNNING = "running"
    DONE = "done"


class Failure(Model, pb=pb.Failure):
    """Why a run did not complete."""

    type: str = Field(description="The error's type, such as TASK_EXPIRED.")
    message: str


class Handoff(Model, pb=pb.Handoff):
    """What an agent hands over; attached to every task of the run."""

    conversation: list[ConversationMessage] = Field(default_factory=list)
    summary: str | None = Field(default=None, description="Markdown.")
    agent: AgentInfo | None = Field(default=None)
    links: list[Link] = Field(default_factory=list)


class AnswerNeeded(Model, pb=pb.AnswerNeeded):
    """What the requester has to answer before the run can go on."""

    task_id: str
    message: str


class GetWorkflowRequest(Model, pb=pb.GetWorkflowRequest):
    """Names a run."""

    workflow_id: str


class GetWorkflowResultRequest(Model, pb=pb.GetWorkflowResultRequest):
    """Names a run and how long to wait for its end."""

    workflow_id: str
    wait: Int32 | None = Field(default=None, description="Seconds, 0..50; 0 where absent.")


class CancelWorkflowRequest(Model, pb=pb.CancelWorkflowRequest):
    """Names the run to stop and says why."""

    workflow_id: str
    reason: str | None = Field(default=None)


class Definition(Model, pb=pb.Definition):
    """Something that can be started."""

    name: str
    version: Int32
    description: str | None = Field(default=None)
    task_queue: str
    input_schema: dict[str, Any] = Field(description="JSON Schema of the input.")
    output_schema: dict[str, Any] = Field(description="JSON Schema of the result.")
    forms: dict[str, Any] | None = Field(default=None, description="Form name to JSON Schema.")
    start_roles: list[str] = Field(
        default_factory=list, description="Roles that may start it; everyone who may start workflows where empty."
    )
    registered_at: UtcDatetime | None = Field(default=None)
    history_format: Int32 | None = Field(
        default=None,
        description="Format of its runs' histories, which the SDK says that registers it first; 1 where absent. From format 2 on runs take an end that came with its signal without asking for it again, from 3 on a run that ends takes its alarms with it. Only workers that know the format can go on with its runs.",
    )


class GetDefinitionRequest(Model, pb=pb.GetDefinitionRequest):
    """Names a definition."""

    name: str
    version: Int32 | None = Field(default=None)


class ListDefinitionsRequest(Model, pb=pb.ListDefinitionsRequest):
    """Which definitions are wanted; they belong to the installation and are few."""

    name: str | None = Field(
        default=None, description="Every version of this one, newest first; the newest version of all where absent."
    )


class Emitted(Model, pb=pb.Emitted):
    """Something that happened, as a workflow's code names it."""

    name: str = Field(description="Lower-case words joined by dots or hyphens, such as order.paid.")
    data: dict[str, Any] | None = Field(default=None)


class ReportProgressResponse(Model, pb=pb.ReportProgressResponse):
    """Nothing but the fact."""


class ReportEndResponse(Model, pb=pb.ReportEndResponse):
    """Nothing but the fact."""


class SignalWorkflowRequest(Model, pb=pb.SignalWorkflowRequest):
    """What to send to a run."""

    workflow_id: str
    signal: str = Field(description="The signal's name.")
    payload: Any = Field(default=None, description="What the signal carries; nothing where absent.")


class QueryWorkflowRequest(Model, pb=pb.QueryWorkflowRequest):
    """What to ask a run."""

    workflow_id: str
    query: str = Field(description="The query's name.")
    payload: Any = Field(default=None, description="What the query carries; nothing where absent.")


class QueryWorkflowResponse(Model, pb=pb.QueryWorkflowResponse):
    """What the run's code answers."""

    result: Any = Field(default=None)


class UpdateWorkflowRequest(Model, pb=pb.UpdateWorkflowRequest):
    """What to change in a run."""

    workflow_id: str
    update: str = Field(description="The update's name.")
    payload: Any = Field(default=None, description="What the update carries; nothing where absent.")


class UpdateWorkflowResponse(Model, pb=pb.UpdateWorkflowResponse):
    """What the run's code answers."""

    result: Any = Field(default=None)


class TerminateWorkflowRequest(Model, pb=pb.TerminateWorkflowRequest):
    """Names the run to end and says why."""

    workflow_id: str
    reason: str | None = Field(default=None)


class GetTimelineRequest(Model, pb=pb.GetTimelineRequest):
    """Names the run that is told about."""

    workflow_id: str


class TimelineDetail(Model, pb=pb.TimelineDetail):
    """One thing that stands in a sentence of a timeline."""

    name: str = Field(description="Such as name, title, people, outcome, reason, why, attempts or seconds.")
    value: str


class GetScheduleRequest(Model, pb=pb.GetScheduleRequest):
    """Names a schedule."""

    schedule_id: str


class ListSchedulesRequest(Model, pb=pb.ListSchedulesRequest):
    """Filters and the page wanted."""

    definition: str | None = Field(default=None)
    paused: bool | None = Field(default=None)
    page_size: Int32 | None = Field(default=None, description="1..200; 50 where absent.")
    page_token: str | None = Field(default=None)


class DeleteScheduleRequest(Model, pb=pb.DeleteScheduleRequest):
    """Names the schedule to delete."""

    schedule_id: str


class DeleteScheduleResponse(Model, pb=pb.DeleteScheduleResponse):
    """Nothing but the fact."""


class TriggerScheduleRequest(Model, pb=pb.TriggerScheduleRequest):
    """Names the schedule to start a run of."""

    schedule_id: str


class FireScheduleRequest(Model, pb=pb.FireScheduleRequest):
    """Names the schedule that is due."""

    schedule_id: str


class GetRetentionRequest(Model, pb=pb.GetRetentionRequest):
    """Nothing to say: it is the caller's tenant's."""


class Retention(Model, pb=pb.Retention):
    """How long the tenant keeps what has ended; what is absent is kept. What is under way is never touched."""

    task_days: Int32 | None = Field(
        default=None, description="Days after its end for which a task is kept, with its history, comments and files."
    )
    run_days: Int32 | None = Field(
        default=None, description="Days after its end for which a run is kept, with what Temporal has of it."
    )
    delivery_days: Int32 | None = Field(default=None, description="Days for which the log of deliveries is kept.")
    event_days: Int32 | None = Field(
        default=None, description="Days for which events and dead letters are kept in the streams: 3..30."
    )
    version: Int64 = Field(description="0 where nobody has set it.")
    updated_at: UtcDatetime | None = Field(default=None)
    updated_by: str | None = Field(default=None, description="The principal's subject.")
    applied_at: UtcDatetime | None = Field(default=None, description="When it was last applied whole.")


class PutRetentionRequest(Model, pb=pb.PutRetentionRequest):
    """What replaces the retention; what is absent is kept. Days are 1..36500."""

    task_days: Int32 | None = Field(default=None)
    run_days: Int32 | None = Field(default=None)
    delivery_days: Int32 | None = Field(default=None)
    event_days: Int32 | None = Field(default=None, description="3..30.")
    version: Int64 | None = Field(
        default=None,
        description="The version that the caller saw; VERSION_MISMATCH where it is no longer the current one.",
    )


class ApplyRetentionRequest(Model, pb=pb.ApplyRetentionRequest):
    """Where the step before ended."""

    after: str | None = Field(
        default=None, description="The place among tasks that have ended; from the oldest where absent."
    )


class RetentionStep(Model, pb=pb.RetentionStep):
    """What one step has deleted."""

    tasks: Int32
    runs: Int32
    deliveries: Int32
    events: Int32
    more: bool = Field(description="Whether there may be more.")
    after: str | None = Field(default=None)


class ErasePersonRequest(Model, pb=pb.ErasePersonRequest):
    """Names the person to erase, who has to be disabled."""

    user_id: str = Field(description="Id or e-mail address.")
    reason: str | None = Field(
        default=None, description="Kept with the erasure; at most 500 characters. It should not name the person."
    )


class GetErasureRequest(Model, pb=pb.GetErasureRequest):
    """Names an erasure."""

    erasure_id: str


class ListErasuresRequest(Model, pb=pb.ListErasuresRequest):
    """The page wanted."""

    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class ErasedPart(Model, pb=pb.ErasedPart):
    """What was erased in one service."""

    part: str = Field(description="identity, events, task, notification or workflow.")
    erased: Int64 = Field(description="How many records were changed or deleted.")


class ErasePartRequest(Model, pb=pb.ErasePartRequest):
    """Names the part to go on with."""

    erasure_id: str
    part: str


class ErasureStep(Model, pb=pb.ErasureStep):
    """What one step has erased."""

    erased: Int32
    more: bool = Field(description="Whether there may be more.")


class ListWorkflowsRequest(Model, pb=pb.ListWorkflowsRequest):
    """Filters and the page wanted."""

    status: WorkflowStatus | None = Field(default=None)
    definition: str | None = Field(default=None)
    business_id: str | None = Field(default=None)
    page_size: Int32 | None = Field(default=None, description="1..200; 50 where absent.")
    page_token: str | None = Field(default=None)
    tags: list[str] = Field(default_factory=list, description="Runs that have all of these tags.")
    attributes: list[str] = Field(
        default_factory=list, description="Runs that have all of these search attributes, each as name=value."
    )
    started_after: UtcDatetime | None = Field(default=None, description="Started at this time or later.")
    started_before: UtcDatetime | None = Field(default=None, description="Started before this time.")
    schedule_id: str | None = Field(default=None, description="Started by this schedule.")


class ResetWorkflowRequest(Model, pb=pb.ResetWorkflowRequest):
    """Takes a run back."""

    workflow_id: str
    point: ResetPoint | None = Field(default=None, description="last_step where absent.")
    reason: str | None = Field(default=None)


class CreateScheduleRequest(Model, pb=pb.CreateScheduleRequest):
    """A schedule to create: either cron or every."""

    definition: str
    definition_version: Int32 | None = Field(default=None, description="The newest at each firing where absent.")
    input: dict[str, Any]
    cron: str | None = Field(
        default=None, description="Minute, hour, day of the month, month and weekday, such as 0 9 * * mon-fri."
    )
    every: str | None = Field(default=None, description="A duration such as 30m, of at least one minute.")
    time_zone: str | None = Field(default=None, description="IANA name such as Europe/Berlin; UTC where absent.")
    overlap: ScheduleOverlap | None = Field(default=None, description="skip where absent.")
    paused: bool | None = Field(default=None)
    note: str | None = Field(default=None)
    tags: list[str] = Field(default_factory=list)
    search_attributes: dict[str, Any] | None = Field(default=None)
    on_behalf_of: str | None = Field(
        default=None, description="User id or e-mail address of the person for whom an agent asks."
    )


class UpdateScheduleRequest(Model, pb=pb.UpdateScheduleRequest):
    """What to change in a schedule; what is absent stays as it is."""

    schedule_id: str
    paused: bool | None = Field(default=None)
    note: str | None = Field(default=None)
    cron: str | None = Field(default=None, description="Takes the place of every.")
    every: str | None = Field(default=None, description="Takes the place of cron and its time zone.")
    time_zone: str | None = Field(default=None)
    overlap: ScheduleOverlap | None = Field(default=None)
    input: dict[str, Any] | None = Field(default=None)
    version: Int64 | None = Field(
        default=None, description="The version that the caller has seen; refused where it is another by now."
    )


class ReportEndRequest(Model, pb=pb.ReportEndRequest):
    """How a run ended."""

    workflow_id: str
    run_id: str
    status: WorkflowStatus
    result: Any = Field(default=None)
    failure: Failure | None = Field(default=None)


class Schedule(Model, pb=pb.Schedule):
    """When runs are started again and again, and with what."""

    schedule_id: str = Field(description="schedule_ and 32 hexadecimal digits; also the schedule's id in Temporal.")
    tenant_id: str
    definition: str
    definition_version: Int32 | None = Field(
        default=None, description="The definition's version; the newest at each firing where absent."
    )
    input: dict[str, Any] | None = Field(default=None)
    cron: str | None = Field(
        default=None, description="Minute, hour, day of the month, month and weekday, such as 0 9 * * mon-fri."
    )
    every: str | None = Field(default=None, description="A duration such as 30m, counted from 1970-01-01T00:00:00Z.")
    time_zone: str | None = Field(default=None, description="IANA name of the zone that cron is read in.")
    overlap: ScheduleOverlap
    paused: bool
    note: str | None = Field(default=None, description="A word to others, such as why it is paused.")
    tags: list[str] = Field(default_factory=list)
    search_attributes: dict[str, Any] | None = Field(default=None)
    requested_by: str
    on_behalf_of: str | None = Field(default=None)
    created_at: UtcDatetime
    updated_at: UtcDatetime
    version: Int64 = Field(description="Grows by one with each change.")
    last_fired_at: UtcDatetime | None = Field(default=None)
    last_workflow_id: str | None = Field(default=None, description="The run that it has started last.")
    last_failure: Failure | None = Field(default=None, description="Why the last firing started nothing.")
    next_at: UtcDatetime | None = Field(default=None, description="When it fires next, as Temporal tells.")
    notice: str | None = Field(
        default=None, description="What a reader should know, such as that Temporal does not know the schedule yet."
    )


class StartWorkflowRequest(Model, pb=pb.StartWorkflowRequest):
    """A run to start."""

    definition: str
    version: Int32 | None = Field(default=None, description="The newest version where absent.")
    input: dict[str, Any]
    business_id: str | None = Field(default=None, description="The caller's own id for the case.")
    business_id_policy: BusinessIdPolicy | None = Field(default=None, description="reject_running where absent.")
    start_delay: str | None = Field(default=None, description="A duration such as 10m.")
    tags: list[str] = Field(default_factory=list, description="Labels to find it by, at most 50.")
    search_attributes: dict[str, Any] | None = Field(
        default=None, description="Names and values to find it by: text, numbers and yes or no, at most 20."
    )
    handoff: Handoff | None = Field(default=None)
    on_behalf_of: str | None = Field(
        default=None, description="User id or e-mail address of the person for whom an agent asks."
    )


class Workflow(Model, pb=pb.Workflow):
    """One run of a definition."""

    workflow_id: str = Field(description="wf_ and 32 hexadecimal digits; also the id in Temporal.")
    run_id: str | None = Field(default=None, description="Temporal's; absent until Temporal has started it.")
    definition: str
    version: Int32 = Field(description="The definition's version.")
    status: WorkflowStatus
    input: dict[str, Any] | None = Field(default=None)
    result: Any = Field(default=None)
    failure: Failure | None = Field(default=None)
    started_at: UtcDatetime
    closed_at: UtcDatetime | None = Field(default=None)
    business_id: str | None = Field(default=None)
    tenant_id: str
    tags: list[str] = Field(default_factory=list)
    search_attributes: dict[str, Any] | None = Field(default=None)
    handoff: Handoff | None = Field(default=None)
    requested_by: str | None = Field(default=None)
    on_behalf_of: str | None = Field(default=None)
    notice: str | None = Field(
        default=None, description="What a reader should know, such as that no worker polls the task queue."
    )
    cancel_requested_at: UtcDatetime | None = Field(default=None)
    resource_version: Int64 = Field(description="Grows by one with each write to the row.")
    updated_at: UtcDatetime
    answer_needed: AnswerNeeded | None = Field(
        default=None, description="A task of this run waits for an answer of the requester: its id, and what is asked."
    )
    progress: str | None = Field(default=None, description="How far it is, in the words of its code; the newest.")
    schedule_id: str | None = Field(default=None, description="The schedule that started it.")


class ListDefinitionsResponse(Model, pb=pb.ListDefinitionsResponse):
    """Definitions, by name."""

    definitions: list[Definition] = Field(default_factory=list)


class RegisterDefinitionsRequest(Model, pb=pb.RegisterDefinitionsRequest):
    """What a worker can run."""

    definitions: list[Definition] = Field(default_factory=list)


class ReportProgressRequest(Model, pb=pb.ReportProgressRequest):
    """What a run's code tells: how far it is, or something that happened."""

    workflow_id: str
    progress: str | None = Field(default=None, description="How far it is, at most 300 characters.")
    emitted: Emitted | None = Field(default=None, description="What happened.")


class TimelineEntry(Model, pb=pb.TimelineEntry):
    """One thing that happened."""

    at: UtcDatetime
    kind: str = Field(description="workflow, task, activity, timer or signal.")
    event: str = Field(description="In past tense, such as started, completed or escalated.")
    text: str = Field(description="A sentence.")
    task_id: str | None = Field(default=None)
    actor: str | None = Field(default=None)
    code: str | None = Field(
        default=None,
        description="What the sentence is, such as activity_completed, for whoever says it in another language.",
    )
    details: list[TimelineDetail] = Field(default_factory=list, description="What stands in the sentence.")


class Erasure(Model, pb=pb.Erasure):
    """The erasure of one person's data, service by service."""

    erasure_id: str = Field(description="erasure_ and 32 hexadecimal digits.")
    tenant_id: str
    user_id: str = Field(description="What stays of the person.")
    status: ErasureStatus
    requested_by: str = Field(description="The principal's subject.")
    requested_at: UtcDatetime
    done_at: UtcDatetime | None = Field(default=None)
    reason: str | None = Field(default=None)
    parts: list[ErasedPart] = Field(default_factory=list, description="What was done in the services that are done.")


class ListSchedulesResponse(Model, pb=pb.ListSchedulesResponse):
    """A page of schedules."""

    schedules: list[Schedule] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class ListWorkflowsResponse(Model, pb=pb.ListWorkflowsResponse):
    """A page of runs."""

    workflows: list[Workflow] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class FireScheduleResponse(Model, pb=pb.FireScheduleResponse):
    """The run that was started; none where the schedule is gone, paused, or skips."""

    workflow: Workflow | None = Field(default=None)


class Timeline(Model, pb=pb.Timeline):
    """What happened in a run, oldest first."""

    entries: list[TimelineEntry] = Field(default_factory=list)


class ListErasuresResponse(Model, pb=pb.ListErasuresResponse):
    """A page of erasures."""

    erasures: list[Erasure] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class WorkflowServiceServer(Protocol):
    """Workflows and their runs."""

    async def start_workflow(self, ctx: Context, request: StartWorkflowRequest) -> Workflow:
        """Starts a run. The input must fit the definition's schema."""
        ...

    async def get_workflow(self, ctx: Context, request: GetWorkflowRequest) -> Workflow:
        """Returns one run."""
        ...

    async def list_workflows(self, ctx: Context, request: ListWorkflowsRequest) -> ListWorkflowsResponse:
        """Returns a page of runs, newest first, without input and result."""
        ...

    async def get_workflow_result(self, ctx: Context, request: GetWorkflowResultRequest) -> Workflow:
        """Waits for the end of a run, at most the time given, and returns the run as it is then."""
        ...

    async def cancel_workflow(self, ctx: Context, request: CancelWorkflowRequest) -> Workflow:
        """Asks a run to stop; it may still clean up."""
        ...

    async def signal_workflow(self, ctx: Context, request: SignalWorkflowRequest) -> Workflow:
        """Sends a signal to a running run."""
        ...

    async def query_workflow(self, ctx: Context, request: QueryWorkflowRequest) -> QueryWorkflowResponse:
        """Asks a run something that its code answers, and changes nothing. A worker must be there."""
        ...

    async def update_workflow(self, ctx: Context, request: UpdateWorkflowRequest) -> UpdateWorkflowResponse:
        """Sends an update to a running run and waits for what its code answers. A worker must be there."""
        ...

    async def terminate_workflow(self, ctx: Context, request: TerminateWorkflowRequest) -> Workflow:
        """Ends a run by force, at once: its code is not asked and cleans up nothing."""
        ...

    async def reset_workflow(self, ctx: Context, request: ResetWorkflowRequest) -> Workflow:
        """Takes a run back to an earlier step, from which its code goes on in a new history; an ended run runs
        again.
        """
        ...

    async def get_timeline(self, ctx: Context, request: GetTimelineRequest) -> Timeline:
        """Tells what happened in a run, in words."""
        ...

    async def get_definition(self, ctx: Context, request: GetDefinitionRequest) -> Definition:
        """Returns one definition, its newest version unless one is named."""
        ...

    async def list_definitions(self, ctx: Context, request: ListDefinitionsRequest) -> ListDefinitionsResponse:
        """Returns the newest version of every definition, or every version of one."""
        ...

    async def create_schedule(self, ctx: Context, request: CreateScheduleRequest) -> Schedule:
        """Creates a schedule, by which runs are started again and again."""
        ...

    async def get_schedule(self, ctx: Context, request: GetScheduleRequest) -> Schedule:
        """Returns one schedule and when it fires next."""
        ...

    async def list_schedules(self, ctx: Context, request: ListSchedulesRequest) -> ListSchedulesResponse:
        """Returns a page of schedules, newest first, without input."""
        ...

    async def update_schedule(self, ctx: Context, request: UpdateScheduleRequest) -> Schedule:
        """Changes, pauses or resumes a schedule."""
        ...

    async def delete_schedule(self, ctx: Context, request: DeleteScheduleRequest) -> DeleteScheduleResponse:
        """Deletes a schedule; runs that it has started go on."""
        ...

    async def trigger_schedule(self, ctx: Context, request: TriggerScheduleRequest) -> Workflow:
        """Starts a run of the schedule now, paused or not."""
        ...

    async def fire_schedule(self, ctx: Context, request: FireScheduleRequest) -> FireScheduleResponse:
        """Starts the run that is due. For workers."""
        ...

    async def register_definitions(self, ctx: Context, request: RegisterDefinitionsRequest) -> ListDefinitionsResponse:
        """Makes known what a worker can run. For workers."""
        ...

    async def report_progress(self, ctx: Context, request: ReportProgressRequest) -> ReportProgressResponse:
        """Records how far a run is, and tells what its code has to tell. For workers."""
        ...

    async def report_end(self, ctx: Context, request: ReportEndRequest) -> ReportEndResponse:
        """Records the end of a run. For workers."""
        ...

    async def get_retention(self, ctx: Context, request: GetRetentionRequest) -> Retention:
        """Returns how long the tenant keeps what. For admins and auditors."""
        ...

    async def put_retention(self, ctx: Context, request: PutRetentionRequest) -> Retention:
        """Replaces how long the tenant keeps what; once a day what is older is deleted for good. For admins."""
        ...

    async def apply_retention(self, ctx: Context, request: ApplyRetentionRequest) -> RetentionStep:
        """Deletes the next of what is older than the tenant keeps it. For workers."""
        ...

    async def erase_person(self, ctx: Context, request: ErasePersonRequest) -> Erasure:
        """Begins to erase one disabled person's data in every service; what they did stays under their id. For
        admins.
        """
        ...

    async def get_erasure(self, ctx: Context, request: GetErasureRequest) -> Erasure:
        """Returns how far an erasure is. For admins and auditors."""
        ...

    async def list_erasures(self, ctx: Context, request: ListErasuresRequest) -> ListErasuresResponse:
        """Returns a page of the tenant's erasures, newest first. For admins and auditors."""
        ...

    async def erase_part(self, ctx: Context, request: ErasePartRequest) -> ErasureStep:
        """Erases the next of what one service has. For workers."""
        ...


def add_workflow_service(server: Server, operations: WorkflowServiceServer, authenticate: Authenticate) -> None:
    """Serve the rpcs of WorkflowService with `operations`."""
    bind(server, pb.DESCRIPTOR.services_by_name["WorkflowService"], operations, authenticate)


class WorkflowServiceClient(RpcClient, service="orkestra.v1.WorkflowService"):
    """Workflows and their runs."""

    async def start_workflow(
        self, request: StartWorkflowRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Workflow:
        """Starts a run. The input must fit the definition's schema."""
        return await self._call(
            "StartWorkflow", request, Workflow, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_workflow(
        self, request: GetWorkflowRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Workflow:
        """Returns one run."""
        return await self._call(
            "GetWorkflow", request, Workflow, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def list_workflows(
        self, request: ListWorkflowsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListWorkflowsResponse:
        """Returns a page of runs, newest first, without input and result."""
        return await self._call(
            "ListWorkflows", request, ListWorkflowsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def get_workflow_result(
        self, request: GetWorkflowResultRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Workflow:
        """Waits for the end of a run, at most the time given, and returns the run as it is then."""
        return await self._call(
            "GetWorkflowResult", request, Workflow, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def cancel_workflow(
        self, request: CancelWorkflowRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Workflow:
        """Asks a run to stop; it may still clean up."""
        return await self._call(
            "CancelWorkflow", request, Workflow, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def signal_workflow(
        self, request: SignalWorkflowRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Workflow:
        """Sends a signal to a running run."""
        return await self._call(
            "SignalWorkflow", request, Workflow, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def query_workflow(
        self, request: QueryWorkflowRequest, request_id: str | None = None, timeout: float | None = None
    ) -> QueryWorkflowResponse:
        """Asks a run something that its code answers, and changes nothing. A worker must be there."""
        return await self._call(
            "QueryWorkflow", request, QueryWorkflowResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def update_workflow(
        self, request: UpdateWorkflowRequest, request_id: str | None = None, timeout: float | None = None
    ) -> UpdateWorkflowResponse:
        """Sends an update to a running run and waits for what its code answers. A worker must be there."""
        return await self._call(
            "UpdateWorkflow", request, UpdateWorkflowResponse, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def terminate_workflow(
        self, request: TerminateWorkflowRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Workflow:
        """Ends a run by force, at once: its code is not asked and cleans up nothing."""
        return await self._call(
            "TerminateWorkflow", request, Workflow, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def reset_workflow(
        self, request: ResetWorkflowRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Workflow:
        """Takes a run back to an earlier step, from which its code goes on in a new history; an ended run runs
        again.
        """
        return await self._call(
            "ResetWorkflow", request, Workflow, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_timeline(
        self, request: GetTimelineRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Timeline:
        """Tells what happened in a run, in words."""
        return await self._call(
            "GetTimeline", request, Timeline, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def get_definition(
        self, request: GetDefinitionRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Definition:
        """Returns one definition, its newest version unless one is named."""
        return await self._call(
            "GetDefinition", request, Definition, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def list_definitions(
        self, request: ListDefinitionsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListDefinitionsResponse:
        """Returns the newest version of every definition, or every version of one."""
        return await self._call(
            "ListDefinitions", request, ListDefinitionsResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def create_schedule(
        self, request: CreateScheduleRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Schedule:
        """Creates a schedule, by which runs are started again and again."""
        return await self._call(
            "CreateSchedule", request, Schedule, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_schedule(
        self, request: GetScheduleRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Schedule:
        """Returns one schedule and when it fires next."""
        return await self._call(
            "GetSchedule", request, Schedule, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def list_schedules(
        self, request: ListSchedulesRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListSchedulesResponse:
        """Returns a page of schedules, newest first, without input."""
        return await self._call(
            "ListSchedules", request, ListSchedulesResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def update_schedule(
        self, request: UpdateScheduleRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Schedule:
        """Changes, pauses or resumes a schedule."""
        return await self._call(
            "UpdateSchedule", request, Schedule, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def delete_schedule(
        self, request: DeleteScheduleRequest, request_id: str | None = None, timeout: float | None = None
    ) -> DeleteScheduleResponse:
        """Deletes a schedule; runs that it has started go on."""
        return await self._call(
            "DeleteSchedule", request, DeleteScheduleResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def trigger_schedule(
        self, request: TriggerScheduleRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Workflow:
        """Starts a run of the schedule now, paused or not."""
        return await self._call(
            "TriggerSchedule", request, Workflow, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def fire_schedule(
        self, request: FireScheduleRequest, request_id: str | None = None, timeout: float | None = None
    ) -> FireScheduleResponse:
        """Starts the run that is due. For workers."""
        return await self._call(
            "FireSchedule", request, FireScheduleResponse, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def register_definitions(
        self, request: RegisterDefinitionsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListDefinitionsResponse:
        """Makes known what a worker can run. For workers."""
        return await self._call(
            "RegisterDefinitions",
            request,
            ListDefinitionsResponse,
            request_id=request_id,
            timeout=timeout,
            idempotent=True,
        )

    async def report_progress(
        self, request: ReportProgressRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ReportProgressResponse:
        """Records how far a run is, and tells what its code has to tell. For workers."""
        return await self._call(
            "ReportProgress", request, ReportProgressResponse, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def report_end(
        self, request: ReportEndRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ReportEndResponse:
        """Records the end of a run. For workers."""
        return await self._call(
            "ReportEnd", request, ReportEndResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def get_retention(
        self, request: GetRetentionRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Retention:
        """Returns how long the tenant keeps what. For admins and auditors."""
        return await self._call(
            "GetRetention", request, Retention, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def put_retention(
        self, request: PutRetentionRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Retention:
        """Replaces how long the tenant keeps what; once a day what is older is deleted for good. For admins."""
        return await self._call(
            "PutRetention", request, Retention, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def apply_retention(
        self, request: ApplyRetentionRequest, request_id: str | None = None, timeout: float | None = None
    ) -> RetentionStep:
        """Deletes the next of what is older than the tenant keeps it. For workers."""
        return await self._call(
            "ApplyRetention", request, RetentionStep, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def erase_person(
        self, request: ErasePersonRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Erasure:
        """Begins to erase one disabled person's data in every service; what they did stays under their id. For
        admins.
        """
        return await self._call(
            "ErasePerson", request, Erasure, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_erasure(
        self, request: GetErasureRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Erasure:
        """Returns how far an erasure is. For admins and auditors."""
        return await self._call("GetErasure", request, Erasure, request_id=request_id, timeout=timeout, idempotent=True)

    async def list_erasures(
        self, request: ListErasuresRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListErasuresResponse:
        """Returns a page of the tenant's erasures, newest first. For admins and auditors."""
        return await self._call(
            "ListErasures", request, ListErasuresResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def erase_part(
        self, request: ErasePartRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ErasureStep:
        """Erases the next of what one service has. For workers."""
        return await self._call(
            "ErasePart", request, ErasureStep, request_id=request_id, timeout=timeout, idempotent=False
        )
