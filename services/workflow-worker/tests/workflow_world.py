"""Everything around workflow-worker for its tests: identity and tasks as small gRPC servers, the rest real."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import grpc
import nats
from orkestra.chassis.grpc import channel, server
from orkestra.chassis.process import Process
from orkestra.chassis.tokens import Signer
from orkestra.sdk import worker as sdk_worker
from orkestra.sdk.payloads import PayloadKeys
from orkestra.testkit import Schema, eventually, free_port
from orkestra.testkit.runs import end_open_runs
from orkestra.v1.events import TaskEvent
from orkestra.v1.identity import (
    AccessToken,
    ExchangeCredentialRequest,
    GetSigningKeysRequest,
    GetUserRequest,
    IdentityServiceServer,
    PrincipalKind,
    Role,
    SigningKeys,
    User,
    UserStatus,
    add_identity_service,
)
from orkestra.v1.task import (
    AdvanceClockRequest,
    AnswerTaskRequest,
    AwaitEndsRequest,
    AwaitEndsResponse,
    CancelTaskRequest,
    ChangeRequest,
    ClockState,
    CompleteTaskRequest,
    ConfirmWakeUpsRequest,
    ConfirmWakeUpsResponse,
    CreateTaskRequest,
    EndedTask,
    GetTaskHistoryRequest,
    GetTaskRequest,
    ListTasksRequest,
    ListTasksResponse,
    Priority,
    Task,
    TaskHistory,
    TaskHistoryEntry,
    TaskServiceServer,
    TaskStatus,
    add_task_service,
)
from orkestra.v1.workflow import Definition, RegisterDefinitionsRequest, Workflow, WorkflowServiceClient
from orkestra.wire import Context, FailedPrecondition, NotFound, Principal, Unauthenticated
from orkestra.wire import PrincipalKind as PrincipalName
from orkestra.workflow_worker.__main__ import build_api
from orkestra.workflow_worker.settings import ApiSettings
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

WORKER_KEY, SERVICE_KEY = "the-worker-key", "the-service-key"
SCHEMA = {
    "type": "object",
    "properties": {
        "question": {"type": "string"},
        "conversation_id": {"type": "string"},
        "customer_id": {"type": "string"},
    },
    "required": ["question", "conversation_id", "customer_id"],
}
QUESTION = {"question": "Where is my order?", "conversation_id": "c1", "customer_id": "k1"}


class Identity(IdentityServiceServer):
    """Exchanges the two installation keys, and keys `role tenant`; knows one person, Ana."""

    open_rpcs = frozenset({"ExchangeCredential", "GetSigningKeys"})

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    async def exchange_credential(self, ctx: Context, request: ExchangeCredentialRequest) -> AccessToken:
        role = {WORKER_KEY: "worker", SERVICE_KEY: "system"}.get(request.credential)
        tenant_id = request.tenant_id
        if role is None:
            role, _, given = request.credential.partition(" ")
            tenant_id = given or None
            if role not in set(Role):
                raise Unauthenticated("CREDENTIAL_INVALID", "No such key.")
        principal = Principal(role, "service", tenant_id, frozenset({role}))
        token, expires_at = self._signer.sign(principal)
        return AccessToken(
            token=token,
            expires_at=expires_at,
            subject=role,
            kind=PrincipalKind.SERVICE,
            tenant_id=tenant_id,
            roles=[Role(role)],
        )

    async def get_signing_keys(self, ctx: Context, request: GetSigningKeysRequest) -> SigningKeys:
        return SigningKeys(jwks=self._signer.jwks())

    async def get_user(self, ctx: Context, request: GetUserRequest) -> User:
        if request.user_id not in ("user_ana", "ana@acme.test"):
            raise NotFound("USER_NOT_FOUND", "There is no such person.")
        return User(
            user_id="user_ana",
            tenant_id=ctx.tenant_id,
            email="ana@acme.test",
            name="Ana",
            roles=[Role.MEMBER],
            status=UserStatus.ACTIVE,
            created_at=datetime.now(UTC),
            version=1,
        )


class Tasks(TaskServiceServer):
    """Keeps tasks in memory and tells JetStream when they end, as task-service does."""

    open_rpcs: frozenset[str] = frozenset()

    def __init__(self, nats_url: str) -> None:
        self.tasks: dict[str, Task] = {}
        self.changes: dict[str, list[TaskHistoryEntry]] = {}
        self.confirmed: list[str] = []
        self.rung: list[str] = []
        self.handed: asyncio.Queue[EndedTask] = asyncio.Queue()
        self.wake_in: timedelta | None = None
        self._nats_url = nats_url

    async def create_task(self, ctx: Context, request: CreateTaskRequest) -> Task:
        assert request.task_id is not None
        now = datetime.now(UTC)
        given = {"priority": Priority.NORMAL} | request.model_dump(exclude_none=True, exclude={"sla"})
        state = {"status": TaskStatus.OPEN, "version": 1, "revision": 1, "created_at": now, "updated_at": now}
        made = Task.model_validate(given | state | {"tenant_id": ctx.tenant_id})
        for known in self.tasks.values():
            if request.key is not None and (known.workflow_id, known.key) == (request.workflow_id, request.key):
                return known
        if request.task_id not in self.tasks:
            self._note(made, "created", actor=made.requested_by, after={"candidate_groups": made.candidate_groups})
        return self.tasks.setdefault(request.task_id, made)

    async def advance_clock(self, ctx: Context, request: AdvanceClockRequest) -> ClockState:
        assert ctx.principal.roles == {"worker"}
        task = await self.get_task(ctx, GetTaskRequest(task_id=request.task_id))  # others' events are on the stream too
        self.rung.append(task.task_id)
        return ClockState(
            task_id=task.task_id,
            status=task.status,
            version=task.version,
            wake_in=self.wake_in,
            change_request=task.change_requests[-1] if task.change_requests else None,
            result=task.result,
            completed_by=task.completed_by,
        )

    async def answer_task(self, ctx: Context, request: AnswerTaskRequest) -> Task:
        assert ctx.principal.roles == {"worker"}
        task = self.tasks[request.task_id]
        if task.status is not TaskStatus.WAITING:
            raise FailedPrecondition("TASK_NOT_WAITING", "Nobody asks.", current=task)
        answered = task.change_requests[-1].model_copy(update={"answer": request.message})
        said = {"status": TaskStatus.CLAIMED, "change_requests": [*task.change_requests[:-1], answered]}
        return await self.change(request.task_id, "answered", **said)

    async def get_task(self, ctx: Context, request: GetTaskRequest) -> Task:
        task = self.tasks.get(request.task_id)
        if task is None or task.tenant_id != ctx.tenant_id:
            raise NotFound("TASK_NOT_FOUND", "There is no such task.")
        return task

    async def list_tasks(self, ctx: Context, request: ListTasksRequest) -> ListTasksResponse:
        assert ctx.principal.roles == {"system"}
        asked = (ctx.tenant_id, request.workflow_id, request.status)
        kept = self.tasks.values()
        return ListTasksResponse(tasks=[one for one in kept if (one.tenant_id, one.workflow_id, one.status) == asked])

    async def get_task_history(self, ctx: Context, request: GetTaskHistoryRequest) -> TaskHistory:
        return TaskHistory(entries=self.changes[request.task_id])

    async def cancel_task(self, ctx: Context, request: CancelTaskRequest) -> Task:
        return self._end(request.task_id, status=TaskStatus.CANCELLED, reason=request.reason)

    async def complete_task(self, ctx: Context, request: CompleteTaskRequest) -> Task:
        return self._end(request.task_id, status=TaskStatus.COMPLETED, result=request.data, completed_by=ctx.subject)

    async def confirm_wake_ups(self, ctx: Context, request: ConfirmWakeUpsRequest) -> ConfirmWakeUpsResponse:
        assert ctx.principal.roles == {"system"}
        self.confirmed += [end.task_id for end in request.ends]
        return ConfirmWakeUpsResponse()

    async def await_ends(self, ctx: Context, request: AwaitEndsRequest) -> AwaitEndsResponse:
        assert ctx.principal.roles == {"system"}
        assert ctx.principal.tenant_id is None
        try:
            async with asyncio.timeout(request.wait):
                return AwaitEndsResponse(ends=[await self.handed.get()])
        except TimeoutError:
            return AwaitEndsResponse()

    async def hand_over(self, task_id: str, data: dict[str, Any]) -> Task:
        """Complete a task and hand its end over; its event is left to the test."""
        task = self._end(task_id, status=TaskStatus.COMPLETED, result=data, completed_by="user_ana")
        state = ClockState(
            task_id=task_id, status=task.status, version=task.version, result=data, completed_by="user_ana"
        )
        assert task.workflow_id is not None
        self.handed.put_nowait(EndedTask(tenant_id=task.tenant_id, workflow_id=task.workflow_id, state=state))
        return task

    async def answer(self, task_id: str, data: dict[str, Any], *, event_id: str | None = None) -> None:
        """Complete a task and publish the event."""
        task = self._end(task_id, status=TaskStatus.COMPLETED, result=data, completed_by="user_ana")
        await self.publish(task, "completed", event_id=event_id)

    async def open_alone(self, tenant_id: str) -> Task:
        """Open a task without a run; its event is left to the test."""
        now = datetime.now(UTC)
        task = Task(
            task_id=f"task_{uuid4().hex}",
            tenant_id=tenant_id,
            requested_by="agent-1",
            title="May I?",
            priority=Priority.NORMAL,
            status=TaskStatus.OPEN,
            version=1,
            revision=1,
            created_at=now,
            updated_at=now,
        )
        self.tasks[task.task_id] = task
        return task

    @contextmanager
    def ringing(self, every: timedelta) -> Iterator[None]:
        """Within the block a clock that rang rings again after so long; after it none does, whatever failed."""
        self.wake_in = every
        try:
            yield
        finally:
            self.wake_in = None

    async def ask(self, task_id: str, message: str) -> Task:
        """Ask the requester of a task and publish the event."""
        known = self.tasks[task_id].change_requests
        now = datetime.now(UTC)
        until = now + timedelta(days=1)
        asked = ChangeRequest(round=len(known) + 1, message=message, asked_by="user_ana", asked_at=now, answer_by=until)
        waits = {"status": TaskStatus.WAITING, "change_requests": [*known, asked]}
        return await self.change(task_id, "changes_requested", **waits)

    async def change(self, task_id: str, event: str, **changes: object) -> Task:
        """Change a task and publish the event."""
        task = self._end(task_id, event=event, **changes)
        await self.publish(task, event)
        return task

    async def publish(self, task: Task, event: str, *, event_id: str | None = None) -> None:
        """Publish an event about a task as the relay does."""
        connection = await nats.connect(self._nats_url)
        headers = {
            "ce-specversion": "1.0",
            "ce-id": event_id or str(uuid4()),
            "ce-source": "orkestra/task",
            "ce-type": f"orkestra.v1.task.{event}",
            "ce-subject": task.task_id,
            "ce-time": datetime.now(UTC).isoformat(),
            "ce-tenant": task.tenant_id,
            "ce-version": str(task.version),
        }
        slim = task.model_copy(
            update={"form": None, "result": None, "input": None, "context": None, "change_requests": []}
        )
        data = TaskEvent(task=slim, audience=["all"]).model_dump_json(exclude_none=True).encode()
        await connection.jetstream().publish(f"orkestra.v1.{task.tenant_id}.task.{event}", data, headers=headers)
        await connection.close()

    def _end(self, task_id: str, *, event: str | None = None, **changes: object) -> Task:
        task = self.tasks[task_id]
        self.tasks[task_id] = task.model_copy(update={"version": task.version + 1, **changes})
        self._note(self.tasks[task_id], event or str(self.tasks[task_id].status), actor="user_ana")
        return self.tasks[task_id]

    def _note(self, task: Task, event: str, *, actor: str | None, after: dict[str, Any] | None = None) -> None:
        known = self.changes.setdefault(task.task_id, [])
        known.append(
            TaskHistoryEntry(sequence=len(known) + 1, event=event, at=datetime.now(UTC), actor=actor, after=after)
        )


@dataclass
class World:
    """A running role api with what it needs."""

    schema: Schema
    signer: Signer
    tasks: Tasks
    workflows: grpc.aio.Channel
    settings: ApiSettings
    worker_settings: sdk_worker.WorkerSettings
    tenant_id: str = field(default_factory=lambda: str(uuid4()))

    def client(
        self, *roles: str, subject: str = "agent-1", tenant_id: str | None = None, grants: Sequence[str] = ()
    ) -> WorkflowServiceClient:
        """The service as a caller with these roles sees it."""
        kind: PrincipalName = (
            "agent" if roles == ("agent",) else "service" if set(roles) & {"worker", "system"} else "user"
        )
        principal = Principal(
            subject, kind, tenant_id or self.tenant_id, frozenset(roles), on_behalf_of=frozenset(grants)
        )
        return WorkflowServiceClient(self.workflows, self.signer.sign(principal, lifetime=timedelta(minutes=5))[0])

    async def register(self, name: str, **changes: Any) -> Definition:
        """Register a definition that no worker serves, unless one is started."""
        values = {"version": 1, "task_queue": f"queue-{name}", "input_schema": SCHEMA, "output_schema": {}} | changes
        given = Definition(name=name, **values)
        await self.client("worker").register_definitions(RegisterDefinitionsRequest(definitions=[given]))
        return given

    async def task_of(self, run: Workflow) -> Task:
        """The task that the run asks for, once it has."""
        kept = self.tasks.tasks

        def asked() -> list[Task]:
            return [task for task in kept.values() if task.workflow_id == run.workflow_id]

        return (await eventually(asked))[0]

    async def confirmations(self, task: Task, *, count: int) -> None:
        """Wait until the wake-up of a task was confirmed so many times."""
        await eventually(lambda: self.tasks.confirmed.count(task.task_id) >= count)

    async def temporal(self) -> Client:
        """Temporal, to look behind the service."""
        async with asyncio.timeout(30):
            return await Client.connect(self.settings.temporal_address, data_converter=pydantic_data_converter)

    async def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """What is in the schema, as its superuser sees it."""
        conn = await asyncpg.connect(self.schema.admin_url)
        try:
            return [dict(row) for row in await conn.fetch(query, *values)]
        finally:
            await conn.close()

    async def events(self, workflow_id: str) -> list[str]:
        """The names of the events written about a run, in order."""
        rows = await self.rows(
            "select subject, headers from workflow.outbox where headers->>'ce-subject' = $1 order by seq", workflow_id
        )
        return [row["subject"].rpartition(".")[2] for row in rows]

    @asynccontextmanager
    async def worker(
        self, *modules: str, task_queue: str | None = None, payload_keys: PayloadKeys | None = None
    ) -> AsyncIterator[None]:
        """A worker of the SDK with these modules."""
        stop, ready = asyncio.Event(), asyncio.Event()
        settings = replace(
            self.worker_settings,
            task_queue=task_queue or self.worker_settings.task_queue,
            payload_keys=self.worker_settings.payload_keys if payload_keys is None else payload_keys,
        )
        running = asyncio.create_task(sdk_worker.run_worker(modules, settings=settings, stop=stop, ready=ready))
        try:
            await eventually(lambda: ready.is_set() or running.done())
            yield
        finally:
            stop.set()
            async with asyncio.timeout(60):
                await running


@asynccontextmanager
async def running_world(
    schema: Schema,
    *,
    signer: Signer,
    nats_url: str,
    temporal_address: str,
    temporal_front: str | None = None,
    **told: Any,
) -> AsyncIterator[World]:
    """Start identity, tasks and the role api in this process; `told` are further settings of that role.

    It reaches Temporal at `temporal_front` where one is given.
    """
    async with AsyncExitStack() as stack:
        tasks = Tasks(nats_url)  # type: ignore[abstract]  # the other rpcs are not called
        authenticate = signer.verifier().authenticate
        around = server()
        identity = Identity(signer)  # type: ignore[abstract]  # the other rpcs are not called
        add_identity_service(around, identity, authenticate)
        add_task_service(around, tasks, authenticate)
        address = f"127.0.0.1:{around.add_insecure_port('127.0.0.1:0')}"
        await around.start()
        stack.push_async_callback(around.stop, 0)
        await end_open_runs(temporal_address)
        stack.push_async_callback(end_open_runs, temporal_address)
        settings = ApiSettings(
            health_port=0,
            drain_seconds=2,
            database_url=schema.url("app"),
            relay_database_url=schema.url("relay"),
            sweep_database_url=schema.url("sweep"),
            nats_url=nats_url,
            identity_address=address,
            service_key=SERVICE_KEY,
            grpc_port=free_port(),
            task_address=address,
            temporal_address=temporal_front or temporal_address,
            **told,
        )
        await stack.enter_async_context(running_api(settings))
        here = f"127.0.0.1:{settings.grpc_port}"
        worker_settings = sdk_worker.WorkerSettings(
            temporal_address=temporal_address,
            identity_address=address,
            task_address=address,
            workflow_address=here,
            worker_key=WORKER_KEY,
            task_queue=f"queue-{uuid4().hex}",
            graceful_seconds=0.2,
            payload_keys=settings.read_payload_keys(),
        )
        workflows = await stack.enter_async_context(channel(here))
        yield World(schema, signer, tasks, workflows, settings, worker_settings)


@asynccontextmanager
async def running_api(settings: ApiSettings) -> AsyncIterator[Process]:
    """Run the role api as its process does."""
    process = Process(settings)
    async with build_api(process, settings):
        running = asyncio.create_task(process.run())
        await eventually(lambda: process.readiness.is_started or running.done())
        try:
            yield process
        finally:
            process.drain.begin()
            await running
