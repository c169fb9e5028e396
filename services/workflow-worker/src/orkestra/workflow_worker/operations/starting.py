"""How a run starts: its row first, then Temporal, at once or by the sweep."""

import asyncio
from datetime import datetime

from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, operation, read
from orkestra.forms import Invalid, check_input
from orkestra.sdk.header import MAX_BYTES, RunHeader
from orkestra.v1.workflow import BusinessIdPolicy, Definition, GetWorkflowRequest, StartWorkflowRequest, Workflow
from orkestra.wire import AlreadyExists, Context, Error, FieldError, InvalidArgument, TooLarge, Unavailable
from orkestra.wire.tracing import current_traceparent
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import Seen, history_format, run_of, see_definition, sql, tell
from orkestra.workflow_worker.operations.defining import Defining
from orkestra.workflow_worker.operations.ending import terminate_run
from orkestra.workflow_worker.operations.tracing import trace_of_run
from orkestra.workflow_worker.rules import Start


class Starting(Defining):
    """The rpc that starts runs."""

    async def start_workflow(self, ctx: Context, request: StartWorkflowRequest) -> Workflow:
        rules.check_may("start", ctx.principal)
        rules.check_request(request)
        person = await self.person_acted_for(ctx, request.on_behalf_of)
        request = request.model_copy(update={"on_behalf_of": person})
        run = await self._record_start(ctx, request)
        if ctx.reply.replayed:
            return await self.as_answered(ctx, run)
        if run.run_id is not None:
            return run
        start_at = run.started_at + rules.start_delay(request)
        return await self.start_now(run, await self.definition_of_run(ctx, run), start_at)

    async def as_answered(self, ctx: Context, run: Workflow) -> Workflow:
        """Return what the first request with this id was answered: the run, noted as started where it has been."""
        if run.run_id is not None:
            return run
        now = await self._as_it_is(ctx, GetWorkflowRequest(workflow_id=run.workflow_id))
        if now.resource_version == run.resource_version + 1:
            return now
        return run.model_copy(update={"run_id": now.run_id})

    @read
    async def _as_it_is(self, tx: Tx, request: GetWorkflowRequest) -> Workflow:
        return await run_of(tx, request.workflow_id)

    async def person_acted_for(self, ctx: Context, named: str | None) -> str | None:
        """Return the id of the person for whom the caller asks; refuses one for whom it was not granted to."""
        if named is None:
            return None
        person = await self.find_person(ctx.tenant_id, named)
        rules.check_may_act_for(ctx.principal, person)
        return person

    @operation
    async def _record_start(self, tx: Tx, request: StartWorkflowRequest) -> Workflow:
        named = request.definition, request.version
        known = self.definitions.get(named)
        if known is not None:
            run = await self._start_if(tx, known, request)
            if run is not None:
                return run
        seen = self.definitions[named] = await see_definition(tx, *named)
        definition = seen.definition
        self.registered[definition.name, definition.version] = definition
        _check_start(tx, definition, request)
        await self._make_room(tx, request)
        return await self.insert(tx, definition, request, requested_by=tx.ctx.subject) or await _running(tx, request)

    async def _start_if(self, tx: Tx, known: Seen, request: StartWorkflowRequest) -> Workflow | None:
        """Record the start by a definition that was read before; None where it has changed, or refuses the start.

        Whether it has changed is looked up with the insert, in one trip.
        """
        try:
            _check_start(tx, known.definition, request)
        except Error:  # by what may be out of date
            return None
        await self._make_room(tx, request)
        return await self.insert(tx, known.definition, request, requested_by=tx.ctx.subject, seen=known)

    async def insert(
        self,
        tx: Tx,
        definition: Definition,
        request: StartWorkflowRequest,
        *,
        requested_by: str,
        schedule_id: str | None = None,
        seen: Seen | None = None,
    ) -> Workflow | None:
        """Write a run's row and its event.

        None where another with its business id is running, or the definition is not what was `seen`.
        """
        header = {"handoff": request.handoff, "input": request.input, "on_behalf_of": request.on_behalf_of}
        _check_size(RunHeader(tenant_id=tx.tenant_id, workflow_id="", requested_by=requested_by, **header))
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
            requested_by=requested_by,
            on_behalf_of=request.on_behalf_of,
            task_queue=definition.task_queue,
            start_delay=rules.start_delay(request),
            traceparent=current_traceparent(),
            schedule_id=schedule_id,
            seen=None if seen is None else seen.row,
            is_newest=seen is not None and seen.is_newest,
        )
        if run is not None:
            await tell(tx, "started", run)
        return run

    async def _make_room(self, tx: Tx, request: StartWorkflowRequest) -> None:
        """Do what the policy says about a run that has the business id already; refuses (AlreadyExists) by it."""
        if request.business_id is None:
            return
        named = {"tenant_id": tx.tenant_id, "business_id": request.business_id}
        if request.business_id_policy is BusinessIdPolicy.REJECT_ALWAYS:
            first = await sql.newest_of_business_id.one(tx.conn, Workflow, **named)
            if first is not None:
                raise _business_id_taken(request, first)
        if request.business_id_policy is BusinessIdPolicy.TERMINATE_RUNNING:
            running = await sql.running_of_business_id.one(tx.conn, Workflow, **named)
            if running is None:
                return
            if not rules.may_see(tx.ctx.principal, running):
                raise _business_id_taken(request, running)
            rules.check_may_cancel(tx.ctx.principal, running)
            await terminate_run(
                tx, running, self.engine, reason=f"Another start took its business id {request.business_id}."
            )

    async def start_now(self, run: Workflow, definition: Definition, start_at: datetime) -> Workflow:
        """Start the run on Temporal; where Temporal is away the sweep does it later."""
        start = start_of(
            run,
            task_queue=definition.task_queue,
            start_at=start_at,
            traceparent=current_traceparent(),
            history_format=history_format(definition),
        )
        started, notice = await asyncio.gather(
            self.engine.start(start), self.engine.notice(definition.task_queue), return_exceptions=True
        )
        told = notice if isinstance(notice, str) else None
        if isinstance(started, Unavailable):
            return run.model_copy(update={"notice": told})
        if isinstance(started, BaseException):
            raise started
        noted = await note_start(self.database, run, started)
        return noted.model_copy(update={"notice": told})


async def note_start(database: Database, run: Workflow, run_id: str) -> Workflow:
    """Record that Temporal has started the run; where that is lost, the sweep asks Temporal again."""
    async with database.statement() as conn:
        noted = await sql.note_start.one(
            conn, Workflow, tenant_id=run.tenant_id, workflow_id=run.workflow_id, run_id=run_id
        )
    return noted or run.model_copy(update={"run_id": run_id})


def start_of(
    run: Workflow, *, task_queue: str, start_at: datetime, traceparent: str | None, history_format: int
) -> Start:
    """Return how Temporal is asked to start the run."""
    header = RunHeader(
        tenant_id=run.tenant_id,
        workflow_id=run.workflow_id,
        handoff=run.handoff,
        input=run.input,
        requested_by=run.requested_by,
        on_behalf_of=run.on_behalf_of,
        traceparent=None if traceparent is None else trace_of_run(run.workflow_id, traceparent),
        history_format=history_format,
    )
    return Start(header, f"{run.definition}@{run.version}", task_queue, run.input or {}, start_at)


def _check_start(tx: Tx, definition: Definition, request: StartWorkflowRequest) -> None:
    rules.check_may_start(tx.ctx.principal, definition)
    check_fit(definition, request, tx.ctx.locale)


def check_fit(definition: Definition, request: StartWorkflowRequest, locale: str) -> None:
    """Refuse (InvalidArgument) an input that does not fit the definition, every fault at once."""
    try:
        check_input(definition.input_schema, request.input, locale=locale)
    except Invalid as invalid:
        faults = [problem.under("input") for problem in invalid.problems]
        raise InvalidArgument(
            "INPUT_INVALID",
            f"The input does not fit {definition.name}.",
            errors=[FieldError(fault.path, fault.code, fault.message) for fault in faults],
        ) from None


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
