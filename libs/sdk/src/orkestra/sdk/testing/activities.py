"""The activities that task() calls, answered by the world in memory."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from orkestra.sdk.activities import refusing
from orkestra.sdk.context import REPORT_PROGRESS
from orkestra.sdk.escalation import CHECK_ESCALATION
from orkestra.sdk.header import RunHeader
from orkestra.sdk.receipts import RECEIPT_KEYS, REDEEM_RECEIPT
from orkestra.sdk.tasks import ADVANCE_CLOCK, ANSWER_TASK, CANCEL_TASK, CREATE_TASK
from orkestra.sdk.testing.world import TaskWorld, WorldEvent
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
)
from orkestra.v1.workflow import ReportEndRequest, ReportProgressRequest, ReportProgressResponse
from temporalio import activity


class WorldActivities:
    """The same names as the worker's own."""

    def __init__(self, world: TaskWorld) -> None:
        self._world = world
        self._ended: set[str] = set()

    @activity.defn(name=CREATE_TASK)
    @refusing
    async def create_task(self, request: CreateTaskRequest) -> ClockState:
        """Open the task."""
        return await self._world.create(request)

    @activity.defn(name=ADVANCE_CLOCK)
    @refusing
    async def advance_clock(self, request: AdvanceClockRequest) -> ClockState:
        """Ask where the task and its clock stand."""
        return await self._world.advance(request.task_id)

    @activity.defn(name=CANCEL_TASK)
    @refusing
    async def cancel_task(self, request: CancelTaskRequest) -> ClockState:
        """End the task without an answer."""
        task = await self._world.cancel(request)
        return ClockState(task_id=task.task_id, status=task.status, version=task.version)

    @activity.defn(name=ANSWER_TASK)
    @refusing
    async def answer_task(self, request: AnswerTaskRequest) -> ClockState:
        """Answer a request for changes."""
        task = await self._world.answer(request)
        return ClockState(task_id=task.task_id, status=task.status, version=task.version)

    @activity.defn(name=CHECK_ESCALATION)
    @refusing
    async def check_escalation(self, request: CheckEscalationRequest) -> EscalationCheck:
        """Ask whether it may go on alone, which is recorded."""
        return await self._world.check_escalation(request)

    @activity.defn(name=RECEIPT_KEYS)
    @refusing
    async def receipt_keys(self, request: GetReceiptKeysRequest) -> ReceiptKeys:  # noqa: ARG002 - as the worker's
        """Fetch the public keys of receipts."""
        return ReceiptKeys(jwks=self._world.receipt_key.jwks())

    @activity.defn(name=REDEEM_RECEIPT)
    @refusing
    async def redeem_receipt(self, request: RedeemReceiptRequest) -> Redemption:
        """Use a receipt up."""
        return await self._world.redeem(request)

    @activity.defn(name=REPORT_PROGRESS)
    @refusing
    async def report_progress(self, request: ReportProgressRequest) -> ReportProgressResponse:
        """Tell how far the run is, or what happened in it."""
        self._world.tell(request, await self._world.clock())
        return ReportProgressResponse()

    def report_end(self, _header: RunHeader, report: ReportEndRequest, at: datetime) -> None:
        """Note how a run ended; an end that Temporal has had repeated is noted once."""
        if report.workflow_id not in self._ended:
            self._ended.add(report.workflow_id)
            led_to_it = self._world.events[-1:]  # a run's clock stands still during a step
            at = max([at, *(event.at for event in led_to_it)])
            self._world.events.append(WorldEvent(f"workflow.{report.status}", at))

    def all(self) -> list[Callable[..., Any]]:
        """Return the activities, for a Temporal worker."""
        return [
            *(self.create_task, self.advance_clock, self.cancel_task, self.answer_task),
            *(self.check_escalation, self.receipt_keys, self.redeem_receipt),
            self.report_progress,
        ]
