"""What is done on Temporal to runs: start, cancel, signal, look; each call bounded."""

import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from orkestra.chassis.telemetry import step
from orkestra.sdk.header import HEADER, RunHeader
from orkestra.sdk.run import WAKE_UP_SIGNAL, WakeUp
from orkestra.v1.task import (
    AdvanceClockRequest,
)
from orkestra.v1.workflow import Failure, WorkflowStatus
from orkestra.wire import FailedPrecondition, Unavailable
from orkestra.workflow_worker.channels.bounds import Bounded, bounded, unavailable
from orkestra.workflow_worker.channels.reading import readable
from orkestra.workflow_worker.rules import ASK_HUMAN, BUILTIN_QUEUE, End, Start
from temporalio.api.common.v1 import Payload, WorkflowExecution, WorkflowType
from temporalio.api.enums.v1 import EventType, TaskQueueType, WorkflowExecutionStatus, WorkflowIdReusePolicy
from temporalio.api.history.v1 import ActivityTaskStartedEventAttributes, HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkflowExecutionRequest,
    GetWorkflowExecutionHistoryRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    ListWorkflowExecutionsRequest,
    RequestCancelWorkflowExecutionRequest,
    SignalWithStartWorkflowExecutionRequest,
    SignalWorkflowExecutionRequest,
    StartWorkflowExecutionRequest,
)
from temporalio.client import Client
from temporalio.exceptions import ApplicationError, FailureError
from temporalio.service import RPCError, RPCStatusCode

POLLER_ALIVE = timedelta(seconds=75)
"""A poll lasts up to a minute, so a worker that polled this long ago is gone."""
POLLERS_KEPT_SECONDS = 5.0
HISTORY_PAGE, HISTORY_PAGES = 1000, 5

STATUS = {
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_COMPLETED: WorkflowStatus.COMPLETED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_FAILED: WorkflowStatus.FAILED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CANCELED: WorkflowStatus.CANCELLED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TERMINATED: WorkflowStatus.TERMINATED,
    WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_TIMED_OUT: WorkflowStatus.TIMED_OUT,
}


class Running(Bounded):
    """Starts runs, wakes, signals and cancels them, and looks at them."""

    def __init__(self, client: Client, *, poller_alive: timedelta = POLLER_ALIVE) -> None:
        super().__init__(client)
        self._poller_alive = poller_alive
        self._pollers: dict[str, tuple[float, datetime | None]] = {}

    async def start(self, start: Start) -> str:
        """Start a run and return Temporal's run id; a run that was started before keeps its first."""
        request = StartWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_id=start.header.workflow_id,
            workflow_type=WorkflowType(name=start.temporal_type),
            task_queue=TaskQueue(name=start.task_queue),
            input=await self._encoded(start.header.tenant_id, start.input),
            identity=self._client.identity,
            request_id=start.header.workflow_id,
            memo=self._memo(start.header.tenant_id),
            workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_REJECT_DUPLICATE,
        )
        request.header.fields[HEADER].CopyFrom(await self._header(start.header))
        delay = start.start_at - datetime.now(UTC)
        if delay > timedelta():
            request.workflow_start_delay.CopyFrom(_duration(delay))
        try:
            with step("temporal StartWorkflowExecution"):
                async with bounded():
                    answer = await self._service.start_workflow_execution(request)
        except RPCError as error:
            if error.status is not RPCStatusCode.ALREADY_EXISTS:
                raise unavailable() from error
            return await self._first_run_id(start.header.workflow_id)
        return answer.run_id

    async def cancel(self, workflow_id: str, reason: str) -> bool:
        """Ask a run to stop; False where Temporal does not know it, or it has ended."""
        request = RequestCancelWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            identity=self._client.identity,
            request_id=f"{workflow_id}-cancel",
            reason=self._said(reason, "cancelled"),
        )
        return await self._unless_gone(
            "RequestCancelWorkflowExecution", self._service.request_cancel_workflow_execution(request)
        )

    async def wake_up(self, workflow_id: str, signal: WakeUp, *, tenant_id: str, request_id: str) -> bool:
        """Signal a run about one of its tasks; False where the run has ended or was never there."""
        request = SignalWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            signal_name=WAKE_UP_SIGNAL,
            input=await self._encoded(tenant_id, signal),
            identity=self._client.identity,
            request_id=request_id,
        )
        return await self._unless_gone("SignalWorkflowExecution", self._service.signal_workflow_execution(request))

    async def signal(self, workflow_id: str, signal: str, *, tenant_id: str, payload: Any, request_id: str) -> bool:
        """Send an author's signal, once for one request id; False where the run has ended or was never there."""
        values = () if payload is None else (payload,)
        request = SignalWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            signal_name=signal,
            input=await self._encoded(tenant_id, *values),
            identity=self._client.identity,
            request_id=request_id,
        )
        return await self._unless_gone("SignalWorkflowExecution", self._service.signal_workflow_execution(request))

    async def adopt(self, header: RunHeader, signal: WakeUp, *, request_id: str) -> bool:
        """Signal the workflow of a task without a run, starting it where it is not there; False where it has ended."""
        request = SignalWithStartWorkflowExecutionRequest(
            namespace=self._client.namespace,
            workflow_id=signal.task_id,
            workflow_type=WorkflowType(name=ASK_HUMAN),
            task_queue=TaskQueue(name=BUILTIN_QUEUE),
            input=await self._encoded(header.tenant_id, AdvanceClockRequest(task_id=signal.task_id)),
            signal_name=WAKE_UP_SIGNAL,
            signal_input=await self._encoded(header.tenant_id, signal),
            identity=self._client.identity,
            request_id=request_id,
            memo=self._memo(header.tenant_id),
            workflow_id_reuse_policy=WorkflowIdReusePolicy.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE_FAILED_ONLY,
        )
        request.header.fields[HEADER].CopyFrom(await self._header(header))
        return await self._unless_gone(
            "SignalWithStartWorkflowExecution", self._service.signal_with_start_workflow_execution(request)
        )

    async def history(self, workflow_id: str) -> list[HistoryEvent]:
        """Return at most the newest executions' first 5000 events of a run, oldest first; none where it is unknown.

        A run that continued as new has several executions; those that Temporal no longer keeps are left out. An
        activity that has failed and is tried again stands at the end, as started.
        """
        events: list[HistoryEvent] = []
        run_id = ""
        try:
            async with bounded():
                while len(events) < HISTORY_PAGE * HISTORY_PAGES:
                    execution = await self._execution(workflow_id, run_id)
                    events = execution + events
                    run_id = execution[0].workflow_execution_started_event_attributes.continued_execution_run_id
                    if not run_id:
                        break
                events += await self._tried_again(workflow_id, events)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise unavailable() from error
        return await readable(events, self._client.data_converter)

    async def _tried_again(self, workflow_id: str, events: Sequence[HistoryEvent]) -> list[HistoryEvent]:
        """Return what Temporal writes down only once the last try is over: which try it is, and why of the last."""
        request = DescribeWorkflowExecutionRequest(
            namespace=self._client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
        )
        pending = (await self._service.describe_workflow_execution(request)).pending_activities
        asked_for = {
            event.activity_task_scheduled_event_attributes.activity_id: event
            for event in events
            if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        }
        return [
            HistoryEvent(
                event_type=EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
                event_time=_tried_at(one) or asked_for[one.activity_id].event_time,
                activity_task_started_event_attributes=ActivityTaskStartedEventAttributes(
                    scheduled_event_id=asked_for[one.activity_id].event_id,
                    attempt=one.attempt,
                    last_failure=one.last_failure,
                ),
            )
            for one in pending
            if one.attempt > 1 and one.activity_id in asked_for
        ]

    async def _execution(self, workflow_id: str, run_id: str) -> list[HistoryEvent]:
        request = GetWorkflowExecutionHistoryRequest(
            namespace=self._client.namespace,
            execution=WorkflowExecution(workflow_id=workflow_id, run_id=run_id),
            maximum_page_size=HISTORY_PAGE,
        )
        events: list[HistoryEvent] = []
        for _ in range(HISTORY_PAGES):
            page = await self._service.get_workflow_execution_history(request)
            events.extend(page.history.events)
            if not page.next_page_token:
                break
            request.next_page_token = page.next_page_token
        return events

    async def closed_since(self, since: datetime) -> AsyncIterator[str]:
        """Yield the ids of executions that closed since then."""
        stamp = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        request = ListWorkflowExecutionsRequest(
            namespace=self._client.namespace, page_size=500, query=f"CloseTime >= '{stamp}'"
        )
        while True:
            async with bounded(5.0):
                page = await self._service.list_workflow_executions(request)
            for execution in page.executions:
                yield execution.execution.workflow_id
            if not page.next_page_token:
                return
            request.next_page_token = page.next_page_token

    async def end_of(self, workflow_id: str) -> End | None:
        """Return how a run ended; None where its newest execution is still running."""
        described = DescribeWorkflowExecutionRequest(
            namespace=self._client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
        )
        async with bounded(5.0):
            info = (await self._service.describe_workflow_execution(described)).workflow_execution_info
        status = STATUS.get(info.status)
        if status is None:
            return None
        last = await self._last_event(info.execution)
        try:
            result = await self._result_of(last) if status is WorkflowStatus.COMPLETED else None
            return End(info.execution.run_id, status, result, await self._failure_of(last, status))
        except FailedPrecondition as altered:
            return End(info.execution.run_id, status, failure=Failure(type=altered.reason, message=str(altered)))

    async def last_poll(self, task_queue: str) -> datetime | None:
        """Return when a worker last asked for work of the queue, None where none is known; kept for 5 seconds."""
        known = self._pollers.get(task_queue)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        request = DescribeTaskQueueRequest(
            namespace=self._client.namespace,
            task_queue=TaskQueue(name=task_queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        async with bounded(0.5):
            pollers = (await self._service.describe_task_queue(request)).pollers
        polls = [poller.last_access_time.ToDatetime(UTC) for poller in pollers]
        if known is not None and known[1] is not None:  # Temporal forgets a poller after five minutes
            polls.append(known[1])
        newest = max(polls, default=None)
        self._pollers[task_queue] = (time.monotonic() + POLLERS_KEPT_SECONDS, newest)
        return newest

    async def notice(self, task_queue: str) -> str | None:
        """Return what a reader should know of the queue: that nobody polls it."""
        try:
            last = await self.last_poll(task_queue)
        except (Unavailable, RPCError):
            return "Temporal cannot be reached; the run goes on when it is back."
        if last is not None and datetime.now(UTC) - last < self._poller_alive:
            return None
        since = "" if last is None else f" since {last.replace(microsecond=0).isoformat()}"
        return f"no worker polls task queue {task_queue}{since}"

    async def _first_run_id(self, workflow_id: str) -> str:
        request = DescribeWorkflowExecutionRequest(
            namespace=self._client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
        )
        async with bounded():
            info = (await self._service.describe_workflow_execution(request)).workflow_execution_info
        return info.first_run_id or info.execution.run_id

    async def _last_event(self, execution: WorkflowExecution) -> HistoryEvent:
        request = GetWorkflowExecutionHistoryReverseRequest(
            namespace=self._client.namespace, execution=execution, maximum_page_size=1
        )
        async with bounded(5.0):
            return (await self._service.get_workflow_execution_history_reverse(request)).history.events[0]

    async def _result_of(self, last: HistoryEvent) -> Any:
        if last.event_type != EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED:
            return None
        payloads: list[Payload] = list(last.workflow_execution_completed_event_attributes.result.payloads)
        decoded = await self._client.data_converter.decode(payloads)
        return decoded[0] if decoded else None

    async def _failure_of(self, last: HistoryEvent, status: WorkflowStatus) -> Failure | None:
        match status:
            case WorkflowStatus.COMPLETED:
                return None
            case WorkflowStatus.FAILED:
                failed = last.workflow_execution_failed_event_attributes.failure
                return _described(await self._client.data_converter.decode_failure(failed))
            case WorkflowStatus.TERMINATED:
                reason = last.workflow_execution_terminated_event_attributes.reason
                return Failure(type="TERMINATED", message=reason or "The run was terminated in Temporal.")
            case WorkflowStatus.TIMED_OUT:
                return Failure(type="TIMED_OUT", message="The run's time in Temporal was over.")
        return Failure(type="CANCELLED", message="The run was cancelled.")


def _tried_at(activity: PendingActivityInfo) -> Timestamp | None:
    """Return when the last try began or, between two, ended; Temporal may know neither."""
    known = (activity.last_started_time, activity.last_attempt_complete_time)
    return next((at for at in known if at.seconds > 0), None)


def _described(failure: BaseException) -> Failure:
    root = failure
    while isinstance(root, FailureError) and not isinstance(root, ApplicationError) and root.cause is not None:
        root = root.cause
    if isinstance(root, ApplicationError):
        return Failure(type=root.type or "APPLICATION_ERROR", message=root.message)
    return Failure(type=type(root).__name__, message=str(root))


def _duration(delay: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(delay)
    return duration
