"""What every operation on runs has at hand."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import asyncpg
from orkestra.chassis.database import Database
from orkestra.chassis.drain import Drain
from orkestra.chassis.notifications import Notifications, Others
from orkestra.chassis.operations import SYSTEM, Tx
from orkestra.chassis.sql import load
from orkestra.v1.identity import User
from orkestra.v1.task import ListForgettableTasksResponse, Task, TaskHistoryEntry
from orkestra.v1.workflow import Definition, Emitted, Schedule, Workflow
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.rules import Start
from temporalio.api.history.v1 import HistoryEvent

sql = load("orkestra.workflow_worker")
RUN_NEWS = "workflow_run_ended"
"""Channel on which those who wait for a run are told to look: it has ended, or needs an answer."""
FindPerson = Callable[[str, str], Awaitable[str]]
"""By tenant and user id or e-mail address: the person's id."""
TasksOf = Callable[[str, str], Awaitable[Sequence[tuple[Task, Sequence[TaskHistoryEntry]]]]]
"""By tenant and run: the run's tasks with their histories."""


class Engine(Protocol):
    """What the operations need of Temporal; each call is bounded and raises Unavailable past that."""

    async def start(self, start: Start) -> str: ...

    async def cancel(self, workflow_id: str, reason: str) -> bool: ...

    async def signal(self, workflow_id: str, signal: str, *, tenant_id: str, payload: Any, request_id: str) -> bool: ...

    async def query(self, workflow_id: str, query: str, *, tenant_id: str, payload: Any) -> tuple[bool, Any]: ...

    async def update(
        self, workflow_id: str, update: str, *, tenant_id: str, payload: Any, update_id: str
    ) -> tuple[bool, Any]: ...

    async def terminate(self, workflow_id: str, reason: str) -> bool: ...

    async def reset(self, workflow_id: str, *, to_first: bool, reason: str, request_id: str) -> str | None: ...

    async def put_schedule(self, schedule: Schedule) -> None: ...

    async def drop_schedule(self, schedule_id: str) -> None: ...

    async def put_retention(self, tenant_id: str, *, version: int) -> None: ...

    async def drop_retention(self, tenant_id: str) -> None: ...

    async def start_erasure(self, tenant_id: str, erasure_id: str) -> None: ...

    async def delete_runs(self, workflow_ids: Sequence[str]) -> None: ...

    async def delete_of_tenant(self, tenant_id: str) -> None: ...

    async def next_firing(self, schedule_id: str) -> datetime | None: ...

    async def history(self, workflow_id: str) -> Sequence[HistoryEvent]: ...

    async def notice(self, task_queue: str) -> str | None: ...


class Rooms(Protocol):
    """What keeping house needs of the other services, each call as the installation's service and bounded."""

    async def find_person(self, tenant_id: str, name: str) -> User: ...

    async def forgettable_tasks(
        self, tenant_id: str, ended_before: datetime, after: str | None
    ) -> ListForgettableTasksResponse: ...

    async def forget_tasks(self, tenant_id: str, ended_before: datetime, task_ids: Sequence[str]) -> int: ...

    async def forget_deliveries(self, tenant_id: str, created_before: datetime) -> tuple[int, bool]: ...

    async def forget_events(self, tenant_id: str, told_before: datetime) -> int: ...

    async def erase(self, tenant_id: str, part: str, *, user_id: str, asked_by: str) -> tuple[int, bool]: ...


@dataclass
class Base:
    """One schema, one Temporal namespace, and the services around."""

    database: Database
    engine: Engine
    notifications: Notifications
    others: Others
    drain: Drain
    find_person: FindPerson
    tasks_of: TasksOf
    rooms: Rooms
    development: bool = False
    registered: dict[tuple[str, int], Definition] = field(default_factory=dict)
    """Each definition's version, as far as it is known here: its task queue and the format of its histories."""
    definitions: dict[tuple[str, int | None], "Seen"] = field(default_factory=dict)
    """What was started, by name and version or none; who uses it makes sure that it is still so."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A definition as it was read."""

    definition: Definition
    row: str
    """PostgreSQL's mark of the row, another with each change."""
    is_newest: bool
    """Whether the newest version was wanted."""


def history_format(definition: Definition) -> int:
    """Return the format of the histories that runs of the definition write; who does not say it writes the first."""
    return definition.history_format or 1


async def tell(tx: Tx, event: str, run: Workflow, *, emitted: Emitted | None = None) -> None:
    """Write the event that something happened to the run."""
    subject = tx.ctx.principal.subject
    payload = rules.told(run, None if subject == SYSTEM else subject).model_copy(update={"emitted": emitted})
    await tx.emit(aggregate="workflow", event=event, payload=payload, key=run.workflow_id, version=run.resource_version)


def workflow_of(row: asyncpg.Record) -> Workflow:
    """Return the run of a row; private columns are left out."""
    return Workflow.model_validate({name: value for name, value in row.items() if name in Workflow.model_fields})


async def run_of(tx: Tx, workflow_id: str) -> Workflow:
    """Return the run; refuses (NotFound) an id that the tenant does not have."""
    run = await sql.get_run.one(tx.conn, Workflow, tenant_id=tx.tenant_id, workflow_id=workflow_id)
    if run is None:
        raise rules.run_not_found(workflow_id)
    return run


async def visible_run(tx: Tx, workflow_id: str) -> Workflow:
    """Return the run; refuses (NotFound) one that the caller may not see as if it were not there."""
    run = await run_of(tx, workflow_id)
    if not rules.may_see(tx.ctx.principal, run):
        raise rules.run_not_found(workflow_id)
    return run


async def definition_of(tx: Tx, name: str, version: int | None) -> Definition:
    """Return the definition, its newest version unless one is named; a refusal names what comes near."""
    return (await see_definition(tx, name, version)).definition


async def see_definition(tx: Tx, name: str, version: int | None) -> Seen:
    """Like `definition_of`, with what tells later on whether it has changed."""
    if version is None:
        row = await sql.newest_definition.row(tx.conn, name=name)
    else:
        row = await sql.get_definition.row(tx.conn, name=name, version=version)
    if row is None:
        known = [row["name"] for row in await sql.definition_names.rows(tx.conn)]
        raise rules.definition_unknown(name, known, version)
    values = {column: value for column, value in row.items() if column in Definition.model_fields}
    return Seen(Definition.model_validate(values), row["seen"], version is None)
