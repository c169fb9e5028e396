"""Passes the run's header on, hears wake-ups and reports the end of a run."""

import asyncio
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, NoReturn

from opentelemetry import trace
from opentelemetry.context import Context as TraceContext
from opentelemetry.trace import SpanKind
from orkestra.sdk.ending import ReportEnd
from orkestra.sdk.header import HEADER, RunHeader, read_header
from orkestra.sdk.run import WAKE_UP_SIGNAL, Run, WakeUp, enter, running_header
from orkestra.v1.workflow import Failure, ReportEndRequest, WorkflowStatus
from orkestra.wire import Error, dumps
from orkestra.wire.tracing import NOWHERE, running_tenant, trace_of
from pydantic_core import PydanticSerializationError, to_jsonable_python
from temporalio import activity, workflow
from temporalio.api.common.v1 import Payload
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception
from temporalio.worker import (
    ActivityInboundInterceptor,
    ContinueAsNewInput,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    Interceptor,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

log = logging.getLogger("orkestra.worker")
REPORT_END = "orkestra_report_end"
tracer = trace.get_tracer("orkestra.sdk")
_activity_header: ContextVar[RunHeader | None] = ContextVar("orkestra_activity_header", default=None)


class OrkestraInterceptor(Interceptor):
    """What a Temporal worker needs so that `task()` works in its workflows.

    `report_end` is told how runs end, from their own thread; without it nobody is.
    """

    def __init__(self, report_end: ReportEnd | None = None) -> None:
        self._report_end = report_end

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _ActivityInbound(next)

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        if self._report_end is not None:
            input.unsafe_extern_functions[REPORT_END] = self._report_end
        return _WorkflowInbound


def activity_header() -> RunHeader:
    """Return the header of the run that the running activity belongs to; refuses where there is none."""
    header = _activity_header.get()
    if header is None:
        raise ApplicationError("The run has no Orkestra header.", type="RUN_UNKNOWN", non_retryable=True)
    return header


def tenant_at_work() -> str | None:
    """Return the tenant of the run whose code is running, in its workflow or in one of its activities."""
    header = _activity_header.get() or running_header()
    return None if header is None else header.tenant_id


class _ActivityInbound(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        header = read_header(input.headers)
        _activity_header.set(header)
        info = activity.info()
        name, parent = f"activity {info.activity_type}", _trace_of(header)
        attributes = {
            "orkestra.workflow_id": info.workflow_id or "",
            "orkestra.tenant_id": header.tenant_id if header else "",
        }
        running_tenant.set(None if header is None else header.tenant_id)
        with tracer.start_as_current_span(name, parent, SpanKind.SERVER, attributes):
            log.debug("%s of %s", name, info.workflow_id)
            return await self.next.execute_activity(input)


def _trace_of(header: RunHeader | None) -> TraceContext:
    traceparent = None if header is None else header.traceparent
    return NOWHERE if traceparent is None else trace_of({"traceparent": traceparent})


class _WorkflowInbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        self.run = Run()
        super().init(_WorkflowOutbound(outbound, self.run))

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        self.run.header = read_header(input.headers)
        enter(self.run)
        workflow.set_signal_handler(WAKE_UP_SIGNAL, self._hear)
        try:
            result = await super().execute_workflow(input)
            value = _as_json(result)
        except (Exception, asyncio.CancelledError) as error:
            end = _end_of(error)
            if end is not None:
                self._report(end, failure=_failure_of(error))
            raise
        finally:
            self.run.has_ended = True
        self._report(WorkflowStatus.COMPLETED, result=value)
        return result

    async def handle_signal(self, input: HandleSignalInput) -> None:
        enter(self.run)
        await super().handle_signal(input)

    async def handle_query(self, input: HandleQueryInput) -> Any:
        enter(self.run)
        return await super().handle_query(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        enter(self.run)
        return await super().handle_update_handler(input)

    def _hear(self, signal: WakeUp) -> None:
        self.run.hear(signal)

    def _report(self, status: WorkflowStatus, *, result: Any = None, failure: Failure | None = None) -> None:
        """Tell how the run ends, once, while Temporal takes its last step."""
        info, header = workflow.info(), self.run.header
        tell = workflow.extern_functions().get(REPORT_END)
        if tell is None or header is None or header.workflow_id != info.workflow_id:  # a child is no run of its own
            return
        if workflow.unsafe.is_replaying():
            return
        report = ReportEndRequest(
            workflow_id=info.workflow_id, run_id=info.run_id, status=status, result=result, failure=failure
        )
        try:
            tell(header, report, workflow.now())
        except Exception:  # whatever it is, the run has ended
            workflow.logger.warning("The end of the run could not be reported; the sweep will find it.")


def _as_json(result: Any) -> Any:
    """Return the result as JSON; one that is not JSON fails the run instead of stopping it for ever."""
    try:
        value = to_jsonable_python(result)
        dumps(value)
    except (PydanticSerializationError, Error, ValueError) as error:
        raise ApplicationError(f"The result is not JSON: {error}", type="RESULT_INVALID", non_retryable=True) from error
    return value


def _end_of(error: BaseException) -> WorkflowStatus | None:
    """Say how the run ends with this error; None where it is a bug that Temporal retries until the code is mended."""
    if is_cancelled_exception(error):
        return WorkflowStatus.FAILED if workflow.cancellation_reason() is None else WorkflowStatus.CANCELLED
    return WorkflowStatus.FAILED if workflow.is_failure_exception(error) else None


def _failure_of(error: BaseException) -> Failure:
    if is_cancelled_exception(error):
        return Failure(type="CANCELLED", message=workflow.cancellation_reason() or "The run was cancelled.")
    root = error
    while isinstance(root, FailureError) and not isinstance(root, ApplicationError) and root.cause is not None:
        root = root.cause
    if isinstance(root, ApplicationError):
        return Failure(type=root.type or "APPLICATION_ERROR", message=root.message)
    return Failure(type=type(root).__name__, message=str(root))


class _WorkflowOutbound(WorkflowOutboundInterceptor):
    def __init__(self, next: WorkflowOutboundInterceptor, run: Run) -> None:
        super().__init__(next)
        self._run = run

    def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = self._slim(input.headers)
        return super().start_activity(input)

    def start_local_activity(self, input: StartLocalActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = self._slim(input.headers)
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: StartChildWorkflowInput) -> workflow.ChildWorkflowHandle[Any, Any]:
        """Start the child so that it is asked to stop, and cancels its tasks, where its parent ends before it.

        Temporal's default ends it by force: its tasks would stay open, and nobody would wait for their answers.
        """
        input.headers = self._whole(input.headers, history_format=1)  # which workers its queue has is not known here
        if input.parent_close_policy is workflow.ParentClosePolicy.TERMINATE:
            input.parent_close_policy = workflow.ParentClosePolicy.REQUEST_CANCEL
        return await super().start_child_workflow(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:
        is_same = input.workflow in (None, workflow.info().workflow_type)
        input.headers = self._whole(input.headers, **({} if is_same else {"history_format": 1}))
        super().continue_as_new(input)

    def _slim(self, headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
        slim = self._run.slim_header
        return headers if slim is None else {**headers, HEADER: slim}

    def _whole(self, headers: Mapping[str, Payload], **changed: object) -> Mapping[str, Payload]:
        header = self._run.header
        return headers if header is None else {**headers, HEADER: header.model_copy(update=changed).to_payload()}
