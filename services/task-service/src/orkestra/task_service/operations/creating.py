"""How tasks come to be."""

import secrets

from orkestra.chassis.operations import Tx, operation
from orkestra.rules import Decision, check_create, decide_create, shown_to, visible
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.calendars import calendar_of
from orkestra.task_service.operations.routing import given
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.storing import insert, store, task_of
from orkestra.task_service.rules import groups_named_in, people_named_in, with_user_ids
from orkestra.v1.task import Calendar, CreateTaskRequest, Task
from orkestra.wire import AlreadyExists, InvalidArgument


class Creating(Base):
    """The rpc that opens tasks."""

    @operation
    async def create_task(self, tx: Tx, request: CreateTaskRequest) -> Task:
        """Open the task, or return the one that the same id, or the same key within the run, opened before."""
        try:
            decision, is_routed = await self._decision(tx, request)
        except InvalidArgument:
            first = await _first(tx, request)  # whoever was known then, or in a group, may be gone now
            if first is None:
                raise
            return first
        if await insert(tx, decision.changes[0]):
            return await _given(tx, decision) if is_routed else decision.task
        first = await _first(tx, request)
        if first is None:
            raise AlreadyExists("TASK_EXISTS", "This id, or this key within the run, belongs to another task.")
        return first

    async def _decision(self, tx: Tx, request: CreateTaskRequest) -> tuple[Decision, bool]:
        """Return the task to store, and whether a group that is named may give it to a member."""
        people, groups = people_named_in(request), groups_named_in(request)
        calendar = await calendar_of(tx, request.sla)
        known = await self.people.known(tx, people, groups, before_asking=lambda: _check(request, calendar))
        request = with_user_ids(request, known.user_id)
        voters = None
        if request.approval_policy is not None:
            named = [*request.candidate_users, request.assignee]
            voters = await self.people.voters(tx, named, request.candidate_groups)
        decision = decide_create(
            request,
            tx.ctx.principal,
            known.now,
            tenant_id=tx.tenant_id,
            random_bits=secrets.randbits(74),
            calendar=calendar,
            voters=voters,
        )
        return decision, known.is_routed


async def _given(tx: Tx, created: Decision) -> Task:
    """Return the task that was created, given to whom a group picks."""
    decision = await given(tx, created)
    if decision is created:
        return created.task
    return (await store(tx, created.task, Decision(decision.task, decision.changes[1:]))).task


def _check(request: CreateTaskRequest, calendar: Calendar | None) -> None:
    """Refuse what is wrong in itself before others are bothered with it."""
    _, errors = check_create(request, has_calendar=calendar is not None)
    if errors:
        raise InvalidArgument("TASK_INVALID", f"{errors[0].path}: {errors[0].message}", errors=errors)


async def _first(tx: Tx, request: CreateTaskRequest) -> Task | None:
    row = await sql.find_first.row(
        tx.conn,
        task_id=request.task_id,
        key=request.key,
        workflow_id=request.workflow_id,
        first_run_id=request.first_run_id,
    )
    first = None if row is None else task_of(row)
    return shown_to(tx.ctx.principal, first) if first is not None and visible(tx.ctx.principal, first) else None
