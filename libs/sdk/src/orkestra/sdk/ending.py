"""Reports of ends: sent while Temporal takes a run's last step, so that nobody waits for two of them in turn."""

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context
from datetime import datetime

import grpc
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from orkestra.sdk.header import RunHeader
from orkestra.sdk.tokens import WorkerTokens
from orkestra.v1.workflow import ReportEndRequest, WorkflowServiceClient
from orkestra.wire import Error
from orkestra.wire.tracing import NOWHERE, running_tenant, trace_of

ReportEnd = Callable[[RunHeader, ReportEndRequest, datetime], None]
"""Takes the end of a run: whose it is, how it ended, and when by the run's clock. Called from the run's own thread."""

CALL_SECONDS = 3.0
LAST_SECONDS = 4.0
"""How long a worker that ends waits for what it reports."""
SPAN = "report_end"

log = logging.getLogger("orkestra.worker")
tracer = trace.get_tracer("orkestra.sdk")


class EndReports:
    """Tells the workflow service how runs ended; its sweep finds the ends that nobody told."""

    def __init__(self, workflows: grpc.aio.Channel, tokens: WorkerTokens) -> None:
        self._workflows = workflows
        self._tokens = tokens
        self._loop = asyncio.get_running_loop()
        self._under_way: set[asyncio.Task[None]] = set()

    def tell(self, header: RunHeader, report: ReportEndRequest, _at: datetime) -> None:
        """Have the end reported; returns at once."""
        self._loop.call_soon_threadsafe(self._begin, header, report, context=Context())

    async def finish(self) -> None:
        """Wait for what is under way."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LAST_SECONDS)

    def _begin(self, header: RunHeader, report: ReportEndRequest) -> None:
        task = asyncio.create_task(self._report(header, report))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _report(self, header: RunHeader, report: ReportEndRequest) -> None:
        running_tenant.set(header.tenant_id)
        parent = NOWHERE if header.traceparent is None else trace_of({"traceparent": header.traceparent})
        attributes = {"orkestra.workflow_id": report.workflow_id, "orkestra.tenant_id": header.tenant_id}
        service = WorkflowServiceClient(self._workflows, self._tokens.of(header.tenant_id))
        with tracer.start_as_current_span(SPAN, parent, SpanKind.INTERNAL, attributes):
            try:
                await service.report_end(report, timeout=CALL_SECONDS)
            except (Error, OSError) as refused:
                log.warning("the end of %s is not reported; the sweep will find it: %s", report.workflow_id, refused)
