"""Wakes the workflow behind a task that ended or whose deadline moved."""

import grpc
from orkestra.chassis.credentials import TokenSource
from orkestra.chassis.database import Database
from orkestra.chassis.events import Event
from orkestra.sdk.header import RunHeader
from orkestra.sdk.run import WakeUp
from orkestra.v1.events import TaskEvent
from orkestra.v1.task import ConfirmWakeUpRequest, GetTaskRequest, Task, TaskServiceClient
from orkestra.wire import NotFound
from orkestra.wire.tracing import current_traceparent
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.channels import Engine
from orkestra.workflow_worker.operations import no_longer_waits, note_waiting

WAKE_UPS = "workflow-worker-wakeup"
SUBJECTS = [
    f"orkestra.v1.*.task.{event}" for event in sorted({rules.CREATED} | rules.MOVES_DEADLINES | rules.MOVES_CLAIM_CLOCK)
]


class WakeUps:
    """Handles task events: signals the run and confirms it to task-service. Idempotent, in any order.

    A task without a run is adopted by the built-in workflow, which whatever event comes first starts.
    """

    def __init__(self, engine: Engine, database: Database, tasks: grpc.aio.Channel, tokens: TokenSource) -> None:
        self._engine = engine
        self._database = database
        self._tasks = tasks
        self._tokens = tokens

    async def take(self, event: Event) -> None:
        """Wake the run; raises Unavailable while Temporal or task-service is away, and is then given it again."""
        task = event.payload(TaskEvent).task
        if not rules.wakes(event.event, task):
            return
        signal = WakeUp(task_id=task.task_id, version=task.version)
        if task.workflow_id is None:
            header = RunHeader(
                tenant_id=event.tenant_id,
                workflow_id="",
                requested_by=task.requested_by,
                traceparent=current_traceparent(),
            )
            await self._engine.adopt(header, signal, request_id=event.id)
        else:
            await self._engine.wake_up(task.workflow_id, signal, request_id=event.id)
        if task.status in rules.ENDS:
            await self._confirm(event.tenant_id, ConfirmWakeUpRequest(task_id=task.task_id, version=task.version))
        if task.workflow_id is not None:
            await self._note_waiting(event, task, task.workflow_id)

    async def _confirm(self, tenant_id: str, request: ConfirmWakeUpRequest) -> None:
        try:
            await self._service(tenant_id).confirm_wake_up(request)
        except NotFound:  # erased meanwhile
            return

    async def _note_waiting(self, event: Event, task: Task, workflow_id: str) -> None:
        """Keep whether the task waits for its requester, and for what, which the event does not say.

        A place for the task is made before it is asked for, so that an end heard meanwhile finds it and counts.
        """
        if event.event not in rules.WAITING:
            await no_longer_waits(self._database, event.tenant_id, task.task_id, task.version)
            return
        place = rules.Waiting(task.task_id, workflow_id, task.version - 1, None)
        await note_waiting(self._database, event.tenant_id, place)
        try:
            now = await self._service(event.tenant_id).get_task(GetTaskRequest(task_id=task.task_id))
        except NotFound:  # erased meanwhile
            return
        state = rules.Waiting(now.task_id, workflow_id, now.version, rules.asked_of_requester(now))
        await note_waiting(self._database, event.tenant_id, state)

    def _service(self, tenant_id: str) -> TaskServiceClient:
        return TaskServiceClient(self._tasks, self._tokens.of(tenant_id))
