"""What managers, requesters and assignees change about a task that is live."""

from orkestra.chassis.operations import Tx, operation
from orkestra.rules import decide_assign, decide_delegate, decide_escalate, decide_update, may
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.reading import seen_task
from orkestra.task_service.operations.storing import decided, locked, refuse
from orkestra.task_service.rules import groups_assigned_in, people_assigned_in
from orkestra.v1.task import AssignTaskRequest, DelegateTaskRequest, EscalateTaskRequest, Task, UpdateTaskRequest


class Managing(Base):
    """The rpcs that say whose work a task is, how urgent, until when, and what is asked."""

    @operation
    async def assign_task(self, tx: Tx, request: AssignTaskRequest) -> Task:
        """Give the task to a person, to new candidates, or to both."""
        await _require(tx, "assign", request.task_id)  # before names are looked up for whoever may not assign
        people, groups = people_assigned_in(request), groups_assigned_in(request)
        known = await self.people.known(tx, people, groups, before_asking=lambda: None)
        named = {
            "assignee": None if request.assignee is None else known.user_id(request.assignee),
            "candidate_users": [known.user_id(name) for name in request.candidate_users],
        }
        seen, now = await locked(tx, request.task_id)
        decision = decide_assign(seen, tx.ctx.principal, now, request.model_copy(update=named))
        return await decided(tx, seen, decision)

    @operation
    async def delegate_task(self, tx: Tx, request: DelegateTaskRequest) -> Task:
        """Hand the task to one of its candidates, whose groups identity-service knows."""
        await _require(tx, "delegate", request.task_id)
        person = await self.people.person(tx, request.assignee, path="assignee")
        named = request.model_copy(update={"assignee": person.user_id})
        seen, now = await locked(tx, request.task_id)
        return await decided(tx, seen, decide_delegate(seen, tx.ctx.principal, now, named, groups=person.groups))

    @operation
    async def update_task(self, tx: Tx, request: UpdateTaskRequest) -> Task:
        """Change what the request gives."""
        seen, now = await locked(tx, request.task_id)
        return await decided(tx, seen, decide_update(seen, tx.ctx.principal, now, request))

    @operation
    async def escalate_task(self, tx: Tx, request: EscalateTaskRequest) -> Task:
        """Perform the next step of the chain now."""
        seen, now = await locked(tx, request.task_id)
        return await decided(tx, seen, decide_escalate(seen, tx.ctx.principal, now, request))


async def _require(tx: Tx, operation: str, task_id: str) -> None:
    task = await seen_task(tx, task_id)
    refusal = may(operation, tx.ctx.principal, task)
    if refusal is not None:
        await refuse(tx, refusal)
