"""Wakes the workflow behind a task that ended or whose deadline moved."""

import asyncio
from collections import OrderedDict, defaultdict
from typing import Any

import grpc
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from orkestra.chassis.credentials import TokenSource
from orkestra.chassis.database import Database
from orkestra.chassis.events import Event
from orkestra.chassis.logs import get_logger, log_tenant
from orkestra.sdk.header import RunHeader
from orkestra.sdk.run import WakeUp
from orkestra.v1.events import TaskEvent
from orkestra.v1.task import (
    AwaitEndsRequest,
    ConfirmWakeUpsRequest,
    EndedTask,
    GetTaskRequest,
    Task,
    TaskServiceClient,
    WokenEnd,
)
from orkestra.wire import Error, NotFound
from orkestra.wire.tracing import current_traceparent, trace_of
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.channels import Engine
from orkestra.workflow_worker.operations import no_longer_waits, note_waiting

CONFIRM_SECONDS = 0.5
AT_ONCE = 500
MOST_KEPT = 5000
MOST_TOLD = 16 * 1024
"""Bytes of an end that travels with its signal; the run asks for one that is larger."""
WAIT_SECONDS = 20
PAUSE_SECONDS = 1.0
WAKE_UPS = "workflow-worker-wakeup"
SUBJECTS = [
    f"orkestra.v1.*.task.{event}" for event in sorted({rules.CREATED} | rules.MOVES_DEADLINES | rules.MOVES_CLAIM_CLOCK)
]

logger = get_logger(__name__)
tracer = trace.get_tracer(__name__)


class Confirmations:
    """Tells task-service whose workflows know of their ends: many at once, a moment later.

    What is lost with the process, or given up, task-service tells again, and it is confirmed then.
    """

    def __init__(self, tasks: grpc.aio.Channel, tokens: TokenSource) -> None:
        self._tasks = tasks
        self._tokens = tokens
        self._ends: defaultdict[str, list[WokenEnd]] = defaultdict(list)
        self._news = asyncio.Event()

    def add(self, tenant_id: str, end: WokenEnd) -> None:
        """Have the end confirmed within a second."""
        ends = self._ends[tenant_id]
        if len(ends) < MOST_KEPT:
            ends.append(end)
        self._news.set()

    async def run(self) -> None:
        """Confirm for ever; while task-service is away what came is kept."""
        while True:
            await self._news.wait()
            await asyncio.sleep(CONFIRM_SECONDS)
            await self.flush()

    async def flush(self) -> None:
        """Confirm what has come."""
        self._news.clear()
        for tenant_id in list(self._ends):
            ends = self._ends.pop(tenant_id)
            for first in range(0, len(ends), AT_ONCE):
                await self._confirm(tenant_id, ends[first : first + AT_ONCE])

    async def _confirm(self, tenant_id: str, ends: list[WokenEnd]) -> None:
        service = TaskServiceClient(self._tasks, self._tokens.of(tenant_id))
        try:
            await service.confirm_wake_ups(ConfirmWakeUpsRequest(ends=ends))
        except Error as refused:
            logger.warning("wake-ups are not confirmed", tenant_id=tenant_id, ends=len(ends), error=refused.reason)
            if refused.retryable:
                for end in ends:
                    self.add(tenant_id, end)


class WakeUps:
    """Handles task events: signals the run and has it confirmed to task-service. Idempotent, in any order.

    A task without a run is adopted by the built-in workflow, which whatever event comes first starts.
    """

    def __init__(
        self,
        engine: Engine,
        database: Database,
        tasks: grpc.aio.Channel,
        tokens: TokenSource,
        confirmations: Confirmations,
    ) -> None:
        self._engine = engine
        self._database = database
        self._tasks = tasks
        self._tokens = tokens
        self._confirmations = confirmations
        self._told: OrderedDict[tuple[str, int], asyncio.Future[bool]] = OrderedDict()
        self._heard: OrderedDict[tuple[str, int], None] = OrderedDict()

    async def wake_at_once(self, end: EndedTask) -> None:
        """Wake the run of a task whose end was handed over, unless its event has done so; its event confirms it."""
        state = end.state
        key = (state.task_id, state.version)
        if key in self._heard:
            return
        told = self._told[key] = asyncio.get_running_loop().create_future()
        _keep_few(self._told)
        is_told = False
        try:
            is_small = len(state.model_dump_json()) <= MOST_TOLD
            signal = WakeUp(task_id=state.task_id, version=state.version, state=state if is_small else None)
            request_id = f"{state.task_id}-{state.version}"
            await self._engine.wake_up(end.workflow_id, signal, tenant_id=end.tenant_id, request_id=request_id)
            is_told = True
        finally:
            told.set_result(is_told)

    async def take(self, event: Event) -> None:
        """Wake the run; raises Unavailable while Temporal is away, and is then given it again."""
        task = event.payload(TaskEvent).task
        if not rules.wakes(event.event, task):
            return
        if not await self._is_told(task):
            await self._wake(event, task)
        if task.workflow_id is not None:
            await self._note_waiting(event, task, task.workflow_id)
        if task.status in rules.ENDS:
            self._confirmations.add(event.tenant_id, WokenEnd(task_id=task.task_id, version=task.version))

    async def _wake(self, event: Event, task: Task) -> None:
        signal = WakeUp(task_id=task.task_id, version=task.version)
        if task.workflow_id is not None:
            await self._engine.wake_up(task.workflow_id, signal, tenant_id=event.tenant_id, request_id=event.id)
            return
        header = RunHeader(
            tenant_id=event.tenant_id,
            workflow_id="",
            requested_by=task.requested_by,
            traceparent=current_traceparent(),
        )
        await self._engine.adopt(header, signal, request_id=event.id)

    async def _is_told(self, task: Task) -> bool:
        """Say whether the run has just heard of this end; what is told once more later on wakes it again."""
        key = (task.task_id, task.version)
        told = self._told.pop(key, None)
        if told is not None:
            return await asyncio.shield(told)
        self._heard[key] = None
        _keep_few(self._heard)
        return False

    async def _note_waiting(self, event: Event, task: Task, workflow_id: str) -> None:
        """Keep whether the task waits for its requester, and for what, which the event does not say.

        A place for the task is made before it is asked for, so that an end heard meanwhile finds it and counts.
        """
        if event.event not in rules.WAITING:
            if not rules.may_have_waited(task):
                return
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


class Handed:
    """Asks task-service for ends all the time, so that runs go on before the events of the ends come by.

    What fails here the events make up for.
    """

    def __init__(self, wake_ups: WakeUps, tasks: grpc.aio.Channel, tokens: TokenSource) -> None:
        self._wake_ups = wake_ups
        self._tasks = TaskServiceClient(tasks, tokens.of(None))
        self._waking: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Ask for ever, and wake the runs of what has ended beside."""
        while True:
            try:
                request = AwaitEndsRequest(wait=WAIT_SECONDS)
                answer = await self._tasks.await_ends(request, timeout=WAIT_SECONDS + 5)
            except Error as refused:
                logger.debug("no ends are handed over", error=repr(refused))
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            for end in answer.ends:
                waking = asyncio.create_task(self._wake(end))
                self._waking.add(waking)
                waking.add_done_callback(self._waking.discard)

    async def _wake(self, end: EndedTask) -> None:
        log_tenant.set(end.tenant_id)
        context = trace_of({} if end.traceparent is None else {"traceparent": end.traceparent})
        attributes = {"orkestra.tenant_id": end.tenant_id}
        try:
            with tracer.start_as_current_span("workflow-worker wake-up", context, SpanKind.CONSUMER, attributes):
                await self._wake_ups.wake_at_once(end)
        except Error as refused:
            logger.info("a run is woken by the event", task_id=end.state.task_id, error=repr(refused))


def _keep_few(known: OrderedDict[tuple[str, int], Any]) -> None:
    if len(known) > MOST_KEPT:
        known.popitem(last=False)
