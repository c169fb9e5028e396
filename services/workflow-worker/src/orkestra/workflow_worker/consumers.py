"""Wakes the workflow behind a task that ended or whose deadline moved."""

import grpc
from orkestra.chassis.credentials import TokenSource
from orkestra.chassis.events import Event
from orkestra.sdk.run import WakeUp
from orkestra.v1.events import TaskEvent
from orkestra.v1.task import ConfirmWakeUpRequest, TaskServiceClient
from orkestra.wire import NotFound
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.activities import Engine

WAKE_UPS = "workflow-worker-wakeup"
SUBJECTS = [f"orkestra.v1.*.task.{event}" for event in sorted(rules.MOVES_DEADLINES | rules.MOVES_CLAIM_CLOCK)]


class WakeUps:
    """Handles task events: signals the run and confirms it to task-service. Idempotent, in any order."""

    def __init__(self, engine: Engine, tasks: grpc.aio.Channel, tokens: TokenSource) -> None:
        self._engine = engine
        self._tasks = tasks
        self._tokens = tokens

    async def take(self, event: Event) -> None:
        """Wake the run; raises Unavailable while Temporal or task-service is away, and is then given it again."""
        task = event.payload(TaskEvent).task
        if task.workflow_id is None or not rules.wakes(event.event, task):
            return
        signal = WakeUp(task_id=task.task_id, version=task.version)
        await self._engine.wake_up(task.workflow_id, signal, request_id=event.id)
        if task.status in rules.ENDS:
            await self._confirm(event.tenant_id, ConfirmWakeUpRequest(task_id=task.task_id, version=task.version))

    async def _confirm(self, tenant_id: str, request: ConfirmWakeUpRequest) -> None:
        tasks = TaskServiceClient(self._tasks, self._tokens.of(tenant_id))
        try:
            await tasks.confirm_wake_up(request)
        except NotFound:  # erased meanwhile
            return
