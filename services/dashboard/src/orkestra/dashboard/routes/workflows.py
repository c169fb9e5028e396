"""Runs: which there are, and what happened in one."""

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.reading import facts
from orkestra.dashboard.routes.visit import Visit
from orkestra.dashboard.routes.words import N_
from orkestra.v1.task import ListTasksRequest, Task, TaskStatus
from orkestra.v1.workflow import (
    CancelWorkflowRequest,
    GetTimelineRequest,
    GetWorkflowRequest,
    ListDefinitionsRequest,
    ListWorkflowsRequest,
    Timeline,
    TimelineEntry,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import Error, NotFound, Unauthenticated, Unavailable

PAGE = 50
TONES = {
    "completed": "good",
    "claimed": "accent",
    "started": "accent",
    "failed": "bad",
    "expired": "bad",
    "terminated": "bad",
    "timed_out": "bad",
    "cancelled": "warn",
    "escalated": "warn",
    "breached": "bad",
    "sla_breached": "bad",
}


async def workflows(visit: Visit) -> Response:
    """Lists runs, newest first."""
    status = visit.query("status")
    status = status if status in list(WorkflowStatus) else None
    here = {"status": status, "definition": visit.query("definition"), "business_id": visit.query("business_id")}
    request = ListWorkflowsRequest(
        status=WorkflowStatus(status) if status else None,
        definition=here["definition"],
        business_id=here["business_id"],
        page_size=PAGE,
        page_token=visit.query("page_token"),
    )
    page, definitions = await asyncio.gather(
        visit.workflows.list_workflows(request), visit.workflows.list_definitions(ListDefinitionsRequest())
    )
    more = {name: value for name, value in (here | {"page_token": page.next_page_token}).items() if value}
    return await visit.page(
        "workflows.html",
        current="workflows",
        runs=page.workflows,
        next_href=f"/workflows?{urlencode(more)}" if page.next_page_token else None,
        definitions=[definition.name for definition in definitions.definitions],
        statuses=[(each.value, visit.words.status(each.value)) for each in WorkflowStatus],
        filters=here,
    )


async def workflow(visit: Visit) -> Response:
    """Shows one run."""
    return await _show(visit)


async def cancel(visit: Visit) -> Response:
    """Asks the run to stop."""
    workflow_id = _workflow_id(visit)
    try:
        await visit.workflows.cancel_workflow(
            CancelWorkflowRequest(workflow_id=workflow_id, reason=visit.value("reason"))
        )
    except Unauthenticated:
        raise
    except Error as refused:
        return await _show(visit, status=refused.http_status, problem=str(refused))
    return go(f"/workflows/{workflow_id}")


async def _show(visit: Visit, *, status: int = 200, problem: str | None = None) -> Response:
    workflow_id = _workflow_id(visit)
    run, timeline, tasks = await asyncio.gather(
        visit.workflows.get_workflow(GetWorkflowRequest(workflow_id=workflow_id)),
        _timeline(visit, workflow_id),
        _tasks(visit, workflow_id),
    )
    people = [run.requested_by, run.on_behalf_of, *(entry.actor for entry in timeline.entries if timeline)]
    names = await visit.names(*people, *(task.assignee for task in tasks))
    return await visit.page(
        "workflow.html",
        status=status,
        current="workflows",
        run=run,
        timeline=timeline.entries,
        tones=[_tone(entry) for entry in timeline.entries],
        tasks=tasks,
        names=names,
        about=_about(visit, run, names),
        input=facts(run.input),
        result=_result(run),
        problem=problem,
        next_href=None,
        rows_href=None,
    )


async def _timeline(visit: Visit, workflow_id: str) -> Timeline:
    try:
        return await visit.workflows.get_timeline(GetTimelineRequest(workflow_id=workflow_id))
    except (NotFound, Unavailable):
        return Timeline(entries=[])


async def _tasks(visit: Visit, workflow_id: str) -> list[Task]:
    """Returns the run's tasks, those that wait first."""
    asked = (
        visit.tasks.list_tasks(ListTasksRequest(workflow_id=workflow_id, status=status, page_size=50))
        for status in (None, TaskStatus.COMPLETED, TaskStatus.EXPIRED, TaskStatus.CANCELLED)
    )
    return [task for page in await asyncio.gather(*asked) for task in page.tasks]


def _tone(entry: TimelineEntry) -> str:
    return TONES.get(entry.event, "")


def _about(visit: Visit, run: Workflow, names: dict[str, str]) -> list[tuple[str, str | datetime]]:
    text = visit.words.text
    rows: list[tuple[str, str | datetime | None]] = [
        (text("Definition"), f"{run.definition} · {text('version')} {run.version}"),
        (text("Started"), run.started_at),
        (text("Ended"), run.closed_at),
        (text("Asked by"), _name(visit, run.requested_by, names)),
        (text("For"), _name(visit, run.on_behalf_of, names)),
        (text("Case"), run.business_id),
        (text("Tags"), ", ".join(run.tags)),
        (text("Id"), run.workflow_id),
    ]
    return [(name, value) for name, value in rows if value]


def _name(visit: Visit, subject: str | None, names: dict[str, str]) -> str | None:
    if subject is None:
        return None
    if subject == visit.me.subject:
        return visit.words.text("You")
    return names.get(subject, visit.words.text(N_("A program")))


def _result(run: Workflow) -> list[tuple[str, str]] | None:
    result: Any = run.result
    if result is None:
        return None
    return facts(result if isinstance(result, dict) else {"result": result})


def _workflow_id(visit: Visit) -> str:
    return str(visit.request.path_params["workflow_id"])
