"""What is shown of tasks to those who may see them."""

from dataclasses import asdict
from typing import Any

import asyncpg
from orkestra import forms
from orkestra.chassis.operations import Tx, operation, read
from orkestra.rules import Decision, Term, due, shown_to, visible
from orkestra.rules.finding import Reading as TaskReading
from orkestra.rules.finding import page_token, place_of, reading_of
from orkestra.rules.histories import Link, verify
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.storing import acting, locked, not_found, store, task_of
from orkestra.task_service.rules import page_size_of, without_large_fields
from orkestra.v1.task import (
    CountTasksRequest,
    FormButton,
    FormDowngrade,
    FormProjection,
    GetTaskHistoryRequest,
    GetTaskRequest,
    HistoryVerification,
    ListTasksRequest,
    ListTasksResponse,
    ProjectionKind,
    ProjectTaskFormRequest,
    Task,
    TaskCounts,
    TaskHistory,
    TaskHistoryEntry,
    TaskScope,
    TaskSort,
    VerifyTaskHistoryRequest,
)

COUNTED = 1000


class Reading(Base):
    """The rpcs that change nothing but what the clock has made due."""

    @operation
    async def get_task(self, tx: Tx, request: GetTaskRequest) -> Task:
        """Return the task as its clock says it is now."""
        task = await seen_task(tx, request.task_id)
        return shown_to(tx.ctx.principal, task)

    @operation
    async def get_task_history(self, tx: Tx, request: GetTaskHistoryRequest) -> TaskHistory:
        """Return every change, oldest first."""
        task = await seen_task(tx, request.task_id)
        return TaskHistory(entries=await sql.task_history.all(tx.conn, TaskHistoryEntry, task_id=task.task_id))

    @operation
    async def project_task_form(self, tx: Tx, request: ProjectTaskFormRequest) -> FormProjection:
        """Return the task's form as a surface shows it, with what each field lost on the way."""
        task = await seen_task(tx, request.task_id)
        shown = forms.project(
            task.form or forms.check(None), request.surface.value, locale=request.locale or tx.ctx.locale
        )
        return FormProjection(
            task_id=task.task_id,
            revision=task.revision,
            surface=request.surface,
            kind=ProjectionKind(shown.kind),
            form=None if shown.schema is None else dict(shown.schema),
            buttons=[FormButton(**asdict(button)) for button in shown.buttons],
            lines=list(shown.lines),
            downgrades=[FormDowngrade(**asdict(each)) for each in shown.downgrades],
        )

    @operation
    async def verify_task_history(self, tx: Tx, request: VerifyTaskHistoryRequest) -> HistoryVerification:
        """Recompute the chain and name what is not as it was written."""
        task = await seen_task(tx, request.task_id)
        rows = await sql.task_chain.rows(tx.conn, task_id=task.task_id)
        links = [self._link(task, row) for row in rows if row["sequence"] is not None]
        return verify(task.task_id, links, length=rows[0]["history_length"])

    def _link(self, task: Task, row: asyncpg.Record) -> Link:
        signed, digest = row["signature"], row["digest"] or ""
        holds = (
            self.receipt_key.is_tip(signed, task.tenant_id, task.task_id, row["sequence"], digest) if signed else None
        )
        return Link(
            sequence=row["sequence"],
            digest=row["digest"],
            previous=row["previous"],
            is_whole=bool(row["is_whole"]),
            is_content_whole=bool(row["is_content_whole"]),
            is_erased=row["is_erased"],
            is_signed=holds,
        )

    @read
    async def count_tasks(self, tx: Tx, request: CountTasksRequest) -> TaskCounts:
        """Say how many tasks that fit the caller has in each scope, counted up to 1000."""
        assignee, principal = await self._assignee(tx, request), await acting(tx)
        counts: dict[str, int] = {}
        for scope in (TaskScope.MINE, TaskScope.GROUPS, TaskScope.ALL):
            reading = reading_of(principal, request, scope=scope, assignee=assignee)
            counts[scope] = await _count(tx, reading)
        return TaskCounts.model_validate(counts)

    @read
    async def list_tasks(self, tx: Tx, request: ListTasksRequest) -> ListTasksResponse:
        """Return a page of what the caller may see and fits, by due date or from the newest."""
        size, sort = page_size_of(request.page_size), request.sort or TaskSort.DUE
        after_place, after_task = place_of(sort, request.page_token)
        assignee, principal = await self._assignee(tx, request), await acting(tx)
        scope = request.scope or TaskScope.ALL
        reading = reading_of(principal, request, scope=scope, assignee=assignee)
        page = {"after_place": after_place, "after_task": after_task, "limit": size + 1}
        rows = await _page(tx, reading, sort, page)
        token = page_token(sort, rows[size - 1]["place"], rows[size - 1]["task_id"]) if len(rows) > size else None
        return ListTasksResponse(
            tasks=[without_large_fields(task_of(row)) for row in rows[:size]], next_page_token=token
        )

    async def _assignee(self, tx: Tx, request: ListTasksRequest | CountTasksRequest) -> str | None:
        if request.assignee is None:
            return None
        return await self.people.user_id(tx, request.assignee, path="assignee")


async def _page(tx: Tx, reading: TaskReading, sort: TaskSort, page: dict[str, Any]) -> list[asyncpg.Record]:
    scarcest = await _scarcest(tx, reading)
    walk = sql.list_tasks if sort == TaskSort.DUE else sql.list_newest_tasks
    found = sql.search_tasks if sort == TaskSort.DUE else sql.search_newest_tasks
    values = {**_filters(reading), **_behind_figures(reading), **page}
    if scarcest is None:
        return await walk.rows(tx.conn, **values)
    return await found.rows(tx.conn, **values, kind=scarcest[0], term=scarcest[1])


async def _count(tx: Tx, reading: TaskReading) -> int:
    scarcest = await _scarcest(tx, reading)
    if scarcest is None:
        count: int = await sql.count_tasks.value(tx.conn, **_filters(reading), limit=COUNTED)
    else:
        kind, term = scarcest
        count = await sql.count_found_tasks.value(tx.conn, **_filters(reading), kind=kind, term=term)
    return count


async def _scarcest(tx: Tx, reading: TaskReading) -> Term | None:
    """Return the term that the fewest tasks have; None where each is too common to begin with."""
    if not reading.terms:
        return None
    row = await sql.scarcest_term.row(tx.conn, **_terms(reading), limit=COUNTED)
    if row is None or row["count"] >= COUNTED:
        return None
    return row["kind"], row["term"]


def _filters(reading: TaskReading) -> dict[str, Any]:
    return {
        "audiences": [one.name for one in reading.audiences],
        "types": [one.type for one in reading.audiences],
        "statuses": reading.statuses,
        "offered": [one.is_offered for one in reading.audiences],
        "group": reading.group,
        "assignee": reading.assignee,
        "due_after": reading.due_after,
        "due_before": reading.due_before,
        **_terms(reading),
    }


def _behind_figures(reading: TaskReading) -> dict[str, Any]:
    """When tasks were asked and completed, and what became of their clocks: what leads from a figure to its tasks."""
    held = {name: getattr(reading, name) for name in ("completed_after", "completed_before", "breached", "escalated")}
    return {
        **held,
        "is_behind_figures": any(value is not None for value in held.values()),
        "created_after": reading.created_after,
        "created_before": reading.created_before,
    }


def _terms(reading: TaskReading) -> dict[str, Any]:
    return {"kinds": [kind for kind, _ in reading.terms], "terms": [term for _, term in reading.terms]}


async def seen_task(tx: Tx, task_id: str) -> Task:
    """Return the task that the caller may see, after the steps that are due; one of them may have shown it to them."""
    await acting(tx)
    row = await sql.get_task.row(tx.conn, task_id=task_id)
    if row is None:
        raise not_found(task_id)
    task = task_of(row)
    if row["is_due"]:
        seen, now = await locked(tx, task_id)
        changes = due(seen, now)
        task = (await store(tx, seen, Decision(changes[-1].task, changes))).task if changes else seen
    if not visible(tx.ctx.principal, task):
        if row["is_due"]:
            await tx.commit()
        raise not_found(task_id)
    return task
