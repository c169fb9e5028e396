"""WorkflowService: start, read, wait for, cancel and end runs; register what can be run."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Protocol

from opentelemetry import propagate
from orkestra.chassis.database import Database
from orkestra.chassis.drain import Drain
from orkestra.chassis.notifications import Notifications, hold
from orkestra.chassis.operations import SYSTEM, Tx, operation, operation_above_tenants, read
from orkestra.chassis.sql import load
from orkestra.forms import Invalid, check_input, check_schema
from orkestra.sdk.header import MAX_BYTES, RunHeader
from orkestra.v1.workflow import (
    BusinessIdPolicy,
    CancelWorkflowRequest,
    Definition,
    GetDefinitionRequest,
    GetWorkflowRequest,
    GetWorkflowResultRequest,
    ListDefinitionsRequest,
    ListDefinitionsResponse,
    ListWorkflowsRequest,
    ListWorkflowsResponse,
    RegisterDefinitionsRequest,
    ReportEndRequest,
    ReportEndResponse,
    StartWorkflowRequest,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import (
    AlreadyExists,
    Context,
    FailedPrecondition,
    FieldError,
    InvalidArgument,
    TooLarge,
    Unavailable,
)
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.rules import End, Start

sql = load(__package__)
FindPerson = Callable[[str, str], Awaitable[str]]
RUN_ENDED = "workflow_run_ended"
"""Channel on which the end of a run is notified, with its workflow id."""
LONGEST_WAIT = 50
MOST_DEFINITIONS = 200


class Engine(Protocol):
    """What the operations need of Temporal; each call is bounded and raises Unavailable past that."""

    async def start(self, start: Start) -> str: ...

    async def cancel(self, workflow_id: str, reason: str) -> bool: ...

    async def notice(self, task_queue: str) -> str | None: ...


@dataclass
class WorkflowOperations:
    """Serves WorkflowService on one schema and one Temporal namespace."""

    database: Database
    engine: Engine
    notifications: Notifications
    drain: Drain
    find_person: FindPerson
    development: bool = False
    _queues: dict[tuple[str, int], str] = field(default_factory=dict)

    async def start_workflow(self, ctx: Context, request: StartWorkflowRequest) -> Workflow:
        rules.check_may("start", ctx.principal)
        rules.check_request(request)
        if request.on_behalf_of is not None:
            person = await self.find_person(ctx.tenant_id, request.on_behalf_of)
            rules.check_may_act_for(ctx.principal, person)
            request = request.model_copy(update={"on_behalf_of": person})
        run = await self._record_start(ctx, request)
        if ctx.reply.replayed or run.run_id is not None:
            return run
        start_at = run.started_at + rules.start_delay(request)
        return await self._start_now(run, await self._task_queue(ctx, run), start_at)

    @operation
    async def _record_start(self, tx: Tx, request: StartWorkflowRequest) -> Workflow:
        definition = await _definition(tx, request.definition, request.version)
        self._queues[definition.name, definition.version] = definition.task_queue
        rules.check_may_start(tx.ctx.principal, definition)
        _check_input(definition, request)
        await _check_business_id(tx, request)
        header = {"handoff": request.handoff, "input": request.input, "on_behalf_of": request.on_behalf_of}
        _check_size(RunHeader(tenant_id=tx.tenant_id, workflow_id="", requested_by=tx.ctx.subject, **header))
        run = await sql.insert_run.one(
            tx.conn,
            Workflow,
            tenant_id=tx.tenant_id,
            definition=definition.name,
            version=definition.version,
            input=request.input,
            business_id=request.business_id,
            tags=request.tags,
            search_attributes=request.search_attributes,
            handoff=None if request.handoff is None else request.handoff.model_dump(mode="json", exclude_none=True),
            requested_by=tx.ctx.subject,
            on_behalf_of=request.on_behalf_of,
            task_queue=definition.task_queue,
            start_delay=rules.start_delay(request),
            traceparent=current_traceparent(),
        )
        if run is None:
            return await _running(tx, request)
        await tell(tx, "started", run)
        return run

    async def get_workflow(self, ctx: Context, request: GetWorkflowRequest) -> Workflow:
        run = await self._read_run(ctx, request)
        if run.status is not WorkflowStatus.RUNNING:
            return run
        return run.model_copy(update={"notice": await self.engine.notice(await self._task_queue(ctx, run))})

    @read
    async def _read_run(self, tx: Tx, request: GetWorkflowRequest) -> Workflow:
        return await _visible_run(tx, request.workflow_id)

    @read
    async def list_workflows(self, tx: Tx, request: ListWorkflowsRequest) -> ListWorkflowsResponse:
        size = rules.page_size(request.page_size)
        runs = await sql.list_runs.all(
            tx.conn,
            Workflow,
            tenant_id=tx.tenant_id,
            before=rules.page_start(request.page_token),
            requested_by=None if rules.may("see_every_run", tx.ctx.principal) else tx.ctx.subject,
            status=request.status,
            definition=request.definition,
            business_id=request.business_id,
            page_size=size + 1,
        )
        page = [run.model_copy(update={"input": None, "result": None, "handoff": None}) for run in runs[:size]]
        more = len(runs) > size
        return ListWorkflowsResponse(workflows=page, next_page_token=rules.page_token(page[-1]) if more else None)

    async def get_workflow_result(self, ctx: Context, request: GetWorkflowResultRequest) -> Workflow:
        wait = request.wait or 0
        if not 0 <= wait <= LONGEST_WAIT:
            fault = FieldError("wait", "out_of_range", f"Between 0 and {LONGEST_WAIT} seconds.")
            raise InvalidArgument("REQUEST_INVALID", "This wait is not possible.", errors=[fault])
        named = GetWorkflowRequest(workflow_id=request.workflow_id)
        async with self.notifications.listen(RUN_ENDED, request.workflow_id) as waiter:
            return await hold(
                partial(self.get_workflow, ctx, named),
                until=lambda run: run.status is not WorkflowStatus.RUNNING,
                waiter=waiter,
                drain=self.drain,
                seconds=wait,
            )

    async def cancel_workflow(self, ctx: Context, request: CancelWorkflowRequest) -> Workflow:
        run = await self._record_cancel(ctx, request)
        if run.run_id is None or run.status is not WorkflowStatus.RUNNING:
            return run
        try:
            await self.engine.cancel(run.workflow_id, request.reason or "cancelled")
        except Unavailable:
            return run  # the sweep tells Temporal later
        async with self.database.transaction(ctx.tenant_id) as conn:
            await sql.note_cancel_delivered.execute(conn, tenant_id=ctx.tenant_id, workflow_id=run.workflow_id)
        return run

    @operation
    async def _record_cancel(self, tx: Tx, request: CancelWorkflowRequest) -> Workflow:
        run = await _visible_run(tx, request.workflow_id)
        rules.check_may_cancel(tx.ctx.principal, run)
        if run.status is not WorkflowStatus.RUNNING:
            raise FailedPrecondition("WORKFLOW_NOT_RUNNING", f"The run has ended: {run.status}.", current=run)
        asked = await sql.request_cancel.one(
            tx.conn, Workflow, tenant_id=tx.tenant_id, workflow_id=run.workflow_id, reason=request.reason
        )
        return asked or await _visible_run(tx, request.workflow_id)

    @read
    async def get_definition(self, tx: Tx, request: GetDefinitionRequest) -> Definition:
        return await _definition(tx, request.name, request.version)

    @read
    async def list_definitions(self, tx: Tx, request: ListDefinitionsRequest) -> ListDefinitionsResponse:  # noqa: ARG002 - says nothing
        return ListDefinitionsResponse(definitions=await sql.newest_definitions.all(tx.conn, Definition))

    @operation_above_tenants
    async def register_definitions(self, tx: Tx, request: RegisterDefinitionsRequest) -> ListDefinitionsResponse:
        rules.check_may("register", tx.ctx.principal)
        if len(request.definitions) > MOST_DEFINITIONS:
            raise TooLarge("TOO_MANY_DEFINITIONS", f"A worker registers at most {MOST_DEFINITIONS} definitions.")
        in_order = sorted(request.definitions, key=lambda one: (one.name, one.version))
        return ListDefinitionsResponse(definitions=[await self._register(tx, one) for one in in_order])

    async def _register(self, tx: Tx, given: Definition) -> Definition:
        _check_schemas(given)
        known = await sql.get_definition.one(tx.conn, Definition, name=given.name, version=given.version)
        changed = rules.changed_schemas(known, given) if known is not None else []
        if changed and not self.development:
            raise FailedPrecondition(
                "DEFINITION_CHANGED",
                f"{given.name} version {given.version} is registered with another {' and '.join(changed)}: "
                "give it a new version.",
            )
        values = given.model_dump(exclude={"registered_at"})
        registered = await sql.register_definition.one(tx.conn, Definition, **values)
        assert registered is not None  # noqa: S101 - an upsert returns its row
        return registered

    @operation
    async def report_end(self, tx: Tx, request: ReportEndRequest) -> ReportEndResponse:
        rules.check_may("report_end", tx.ctx.principal)
        if request.status is WorkflowStatus.RUNNING:
            fault = FieldError("status", "invalid", "An end is reported.")
            raise InvalidArgument("REQUEST_INVALID", "Running is no end.", errors=[fault])
        end = End(request.run_id, request.status, request.result, request.failure)
        if await end_run(tx, request.workflow_id, end) is None:
            await _run(tx, request.workflow_id)
        return ReportEndResponse()

    async def _start_now(self, run: Workflow, task_queue: str, start_at: datetime) -> Workflow:
        """Start the run on Temporal; where Temporal is away the sweep does it later."""
        start = start_of(run, task_queue=task_queue, start_at=start_at, traceparent=current_traceparent())
        started, notice = await asyncio.gather(
            self.engine.start(start), self.engine.notice(task_queue), return_exceptions=True
        )
        told = notice if isinstance(notice, str) else None
        if isinstance(started, Unavailable):
            return run.model_copy(update={"notice": told})
        if isinstance(started, BaseException):
            raise started
        noted = await note_start(self.database, run, started)
        return noted.model_copy(update={"notice": told})

    async def _task_queue(self, ctx: Context, run: Workflow) -> str:
        known = self._queues.get((run.definition, run.version))
        if known is None:
            named = GetDefinitionRequest(name=run.definition, version=run.version)
            known = (await self.get_definition(ctx, named)).task_queue
            self._queues[run.definition, run.version] = known
        return known


async def end_run(tx: Tx, workflow_id: str, end: End) -> Workflow | None:
    """Record the first end of a run with its event; None where it has ended before or is not there."""
    ended = await sql.end_run.one(
        tx.conn,
        Workflow,
        tenant_id=tx.tenant_id,
        workflow_id=workflow_id,
        status=end.status,
        run_id=end.run_id,
        result=end.result,
        failure=None if end.failure is None else end.failure.model_dump(),
    )
    if ended is not None:
        await tell(tx, end.status, ended)
    return ended


async def note_start(database: Database, run: Workflow, run_id: str) -> Workflow:
    """Record that Temporal has started the run."""
    async with database.transaction(run.tenant_id) as conn:
        noted = await sql.note_start.one(
            conn, Workflow, tenant_id=run.tenant_id, workflow_id=run.workflow_id, run_id=run_id
        )
    return noted or run.model_copy(update={"run_id": run_id})


async def tell(tx: Tx, event: str, run: Workflow) -> None:
    """Write the event that something happened to the run."""
    subject = tx.ctx.principal.subject
    payload = rules.told(run, None if subject == SYSTEM else subject)
    await tx.emit(aggregate="workflow", event=event, payload=payload, key=run.workflow_id, version=run.resource_version)


def start_of(run: Workflow, *, task_queue: str, start_at: datetime, traceparent: str | None) -> Start:
    """Return how Temporal is asked to start the run."""
    header = RunHeader(
        tenant_id=run.tenant_id,
        workflow_id=run.workflow_id,
        handoff=run.handoff,
        input=run.input,
        requested_by=run.requested_by,
        on_behalf_of=run.on_behalf_of,
        traceparent=traceparent,
    )
    return Start(header, f"{run.definition}@{run.version}", task_queue, run.input or {}, start_at)


def current_traceparent() -> str | None:
    """Return the running trace (W3C Trace Context)."""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


async def _run(tx: Tx, workflow_id: str) -> Workflow:
    run = await sql.get_run.one(tx.conn, Workflow, tenant_id=tx.tenant_id, workflow_id=workflow_id)
    if run is None:
        raise rules.run_not_found(workflow_id)
    return run


async def _visible_run(tx: Tx, workflow_id: str) -> Workflow:
    run = await _run(tx, workflow_id)
    if not rules.may_see(tx.ctx.principal, run):
        raise rules.run_not_found(workflow_id)
    return run


async def _definition(tx: Tx, name: str, version: int | None) -> Definition:
    if version is None:
        found = await sql.newest_definition.one(tx.conn, Definition, name=name)
    else:
        found = await sql.get_definition.one(tx.conn, Definition, name=name, version=version)
    if found is None:
        known = [row["name"] for row in await sql.definition_names.rows(tx.conn)]
        raise rules.definition_unknown(name, known, version)
    return found


def _check_input(definition: Definition, request: StartWorkflowRequest) -> None:
    try:
        check_input(definition.input_schema, request.input)
    except Invalid as invalid:
        faults = [problem.under("input") for problem in invalid.problems]
        raise InvalidArgument(
            "INPUT_INVALID",
            f"The input does not fit {definition.name}.",
            errors=[FieldError(fault.path, fault.code, fault.message) for fault in faults],
        ) from None


def _check_schemas(given: Definition) -> None:
    for name in ("input_schema", "output_schema"):
        try:
            check_schema(getattr(given, name))
        except Invalid as invalid:
            faults = [problem.under(name) for problem in invalid.problems]
            raise InvalidArgument(
                "SCHEMA_INVALID",
                f"The {name} of {given.name} cannot be used.",
                errors=[FieldError(fault.path, fault.code, fault.message) for fault in faults],
            ) from None


async def _check_business_id(tx: Tx, request: StartWorkflowRequest) -> None:
    if request.business_id is None or request.business_id_policy is not BusinessIdPolicy.REJECT_ALWAYS:
        return
    first = await sql.newest_of_business_id.one(
        tx.conn, Workflow, tenant_id=tx.tenant_id, business_id=request.business_id
    )
    if first is not None:
        raise _business_id_taken(request, first)


async def _running(tx: Tx, request: StartWorkflowRequest) -> Workflow:
    """Answer a start whose business id has a running run: with that one, or with a refusal that shows it."""
    running = await sql.running_of_business_id.one(
        tx.conn, Workflow, tenant_id=tx.tenant_id, business_id=request.business_id
    )
    if running is None:
        raise Unavailable("BUSINESS_ID_BUSY", "A run with this business id has just ended; try again.", retry_after=0.1)
    if request.business_id_policy is BusinessIdPolicy.USE_RUNNING and rules.may_see(tx.ctx.principal, running):
        return running
    raise _business_id_taken(request, running)


def _business_id_taken(request: StartWorkflowRequest, run: Workflow) -> AlreadyExists:
    return AlreadyExists("BUSINESS_ID_TAKEN", f"{request.business_id} is {run.workflow_id}, which is {run.status}.")


def _check_size(header: RunHeader) -> None:
    size = len(header.to_payload().data)
    if size > MAX_BYTES:
        raise TooLarge(
            "REQUEST_TOO_LARGE", f"Input and handoff are {size} bytes; at most {MAX_BYTES} travel with a run."
        )
