"""The worker's calls to task-service and to the workflow service."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, TypeVar

import grpc
from orkestra.sdk.context import REPORT_PROGRESS
from orkestra.sdk.escalation import CHECK_ESCALATION
from orkestra.sdk.interceptor import activity_header
from orkestra.sdk.receipts import RECEIPT_KEYS, REDEEM_RECEIPT
from orkestra.sdk.run import APPLY_RETENTION, ERASE_PART, FIRE_SCHEDULE, ClockQuestion
from orkestra.sdk.tasks import ADVANCE_CLOCK, ANSWER_TASK, CANCEL_TASK, CREATE_TASK
from orkestra.sdk.tokens import WorkerTokens
from orkestra.v1.task import (
    AdvanceClockRequest,
    AnswerTaskRequest,
    CancelTaskRequest,
    CheckEscalationRequest,
    ClockState,
    CreateTaskRequest,
    EscalationCheck,
    GetReceiptKeysRequest,
    ReceiptKeys,
    RedeemReceiptRequest,
    Redemption,
    Task,
    TaskServiceClient,
    TaskStatus,
)
from orkestra.v1.workflow import (
    ApplyRetentionRequest,
    ErasePartRequest,
    ErasureStep,
    FireScheduleRequest,
    FireScheduleResponse,
    ReportProgressRequest,
    ReportProgressResponse,
    RetentionStep,
    WorkflowServiceClient,
)
from orkestra.wire import Error, TokenOfTenant
from temporalio import activity
from temporalio.exceptions import ApplicationError

CLOCK_TOLERANCE = timedelta(seconds=2)
R = TypeVar("R")


def refusing(call: Callable[..., Awaitable[R]]) -> Callable[..., Awaitable[R]]:
    """Turn a service's refusal into the error that Temporal does, or does not, try again."""

    @wraps(call)
    async def called(self: Any, request: Any) -> R:
        try:
            return await call(self, request)
        except Error as error:
            raise ApplicationError(_sentence(error), type=error.reason, non_retryable=not error.retryable) from error

    return called


class ServiceActivities:
    """What task() needs of the services, each call with a token of the run's tenant."""

    def __init__(self, tasks: grpc.aio.Channel, workflows: grpc.aio.Channel, tokens: WorkerTokens) -> None:
        self._tasks = tasks
        self._workflows = workflows
        self._tokens = tokens

    @activity.defn(name=CREATE_TASK)
    @refusing
    async def create_task(self, request: CreateTaskRequest) -> ClockState:
        """Open the task; where it may have been open before, its clock is asked."""
        tasks = self._task_service()
        task = await tasks.create_task(request, timeout=_time_left())
        if _is_new(task, request):
            return _clock_of(task)
        return await tasks.advance_clock(AdvanceClockRequest(task_id=task.task_id), timeout=_time_left())

    @activity.defn(name=ADVANCE_CLOCK)
    @refusing
    async def advance_clock(self, request: ClockQuestion) -> ClockState:
        """Ask where the task and its clock stand; an end that is known is not asked for."""
        if request.known is not None:
            return request.known
        asked = AdvanceClockRequest(task_id=request.task_id)
        return await self._task_service().advance_clock(asked, timeout=_time_left())

    @activity.defn(name=CANCEL_TASK)
    @refusing
    async def cancel_task(self, request: CancelTaskRequest) -> ClockState:
        """End the task without an answer."""
        info = activity.info()
        request_id = f"{info.workflow_run_id}-{request.task_id}-cancel"
        task = await self._task_service().cancel_task(request, request_id=request_id, timeout=_time_left())
        return ClockState(task_id=task.task_id, status=task.status, version=task.version)

    @activity.defn(name=ANSWER_TASK)
    @refusing
    async def answer_task(self, request: AnswerTaskRequest) -> ClockState:
        """Answer a request for changes."""
        info = activity.info()
        request_id = f"{info.workflow_run_id}-{info.activity_id}-answer"
        task = await self._task_service().answer_task(request, request_id=request_id, timeout=_time_left())
        return ClockState(task_id=task.task_id, status=task.status, version=task.version)

    @activity.defn(name=CHECK_ESCALATION)
    @refusing
    async def check_escalation(self, request: CheckEscalationRequest) -> EscalationCheck:
        """Ask whether it may go on alone, which is recorded."""
        info = activity.info()
        request_id = f"{info.workflow_run_id}-{info.activity_id}-check"
        return await self._task_service().check_escalation(request, request_id=request_id, timeout=_time_left())

    @activity.defn(name=RECEIPT_KEYS)
    @refusing
    async def receipt_keys(self, request: GetReceiptKeysRequest) -> ReceiptKeys:
        """Fetch the public keys of receipts."""
        return await self._task_service().get_receipt_keys(request, timeout=_time_left())

    @activity.defn(name=REDEEM_RECEIPT)
    @refusing
    async def redeem_receipt(self, request: RedeemReceiptRequest) -> Redemption:
        """Use a receipt up."""
        return await self._task_service().redeem_receipt(request, timeout=_time_left())

    @activity.defn(name=REPORT_PROGRESS)
    @refusing
    async def report_progress(self, request: ReportProgressRequest) -> ReportProgressResponse:
        """Tell how far the run is, or what happened in it."""
        info = activity.info()
        request_id = f"{info.workflow_run_id}-{info.activity_id}-progress"
        workflows = WorkflowServiceClient(self._workflows, self._tenant_token())
        return await workflows.report_progress(request, request_id=request_id, timeout=_time_left())

    @activity.defn(name=FIRE_SCHEDULE)
    @refusing
    async def fire_schedule(self, request: FireScheduleRequest) -> FireScheduleResponse:
        """Have the workflow service start the run of a schedule that is due, once for this firing."""
        workflows = WorkflowServiceClient(self._workflows, self._tenant_token(), door="worker")
        request_id = activity.info().workflow_id
        return await workflows.fire_schedule(request, request_id=request_id, timeout=_time_left())

    @activity.defn(name=APPLY_RETENTION)
    @refusing
    async def apply_retention(self, request: ApplyRetentionRequest) -> RetentionStep:
        """Have the workflow service delete the next of what its tenant keeps no longer."""
        workflows = WorkflowServiceClient(self._workflows, self._tenant_token(), door="worker")
        return await workflows.apply_retention(request, timeout=_time_left())

    @activity.defn(name=ERASE_PART)
    @refusing
    async def erase_part(self, request: ErasePartRequest) -> ErasureStep:
        """Have the workflow service erase the next of what one service has of a person."""
        workflows = WorkflowServiceClient(self._workflows, self._tenant_token(), door="worker")
        return await workflows.erase_part(request, timeout=_time_left())

    def all(self) -> list[Callable[..., Any]]:
        """Return the activities, for a Temporal worker."""
        return [
            *(self.create_task, self.advance_clock, self.cancel_task, self.answer_task),
            *(self.check_escalation, self.receipt_keys, self.redeem_receipt),
            *(self.report_progress, self.fire_schedule),
            *(self.apply_retention, self.erase_part),
        ]

    def _task_service(self) -> TaskServiceClient:
        return TaskServiceClient(self._tasks, self._tenant_token(), door="worker")

    def _tenant_token(self) -> TokenOfTenant:
        return self._tokens.of(activity_header().tenant_id)


def _sentence(error: Error) -> str:
    """Return the refusal with what is wrong with each field that it does not name itself."""
    faults = (f"{fault.path}: {fault.message}" for fault in error.errors)
    return " ".join([str(error), *(fault for fault in faults if fault not in str(error))])


def _time_left() -> float:
    """Return the seconds that the running try may take, a little less than Temporal gives it."""
    limit = activity.info().start_to_close_timeout
    return 1.9 if limit is None else limit.total_seconds() * 0.95


def _is_new(task: Task, request: CreateTaskRequest) -> bool:
    """Whether this very call opened the task, so that its clock has only begun."""
    info = activity.info()
    if task.task_id != request.task_id or task.version != 1 or info.attempt > 1 or not info.is_local:
        return False
    return abs(datetime.now(UTC) - task.updated_at) < CLOCK_TOLERANCE


def _clock_of(task: Task) -> ClockState:
    due = task.sla.next_step_at if task.sla is not None else None
    wake_in = None if due is None else due - task.updated_at
    return ClockState(task_id=task.task_id, status=TaskStatus(task.status), version=task.version, wake_in=wake_in)
