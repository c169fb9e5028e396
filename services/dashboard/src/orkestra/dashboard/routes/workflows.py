"""Runs: which there are, and what happened in one."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from fastapi.responses import Response
from orkestra.dashboard.routes import happenings
from orkestra.dashboard.routes.exporting import csv_answer, every
from orkestra.dashboard.routes.kinds import N_, typed_moment
from orkestra.dashboard.routes.markup import safe_url
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.reading import facts
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.task import ListTasksRequest, Task, TaskStatus
from orkestra.v1.workflow import (
    CancelWorkflowRequest,
    GetTimelineRequest,
    GetWorkflowRequest,
    ListDefinitionsRequest,
    ListWorkflowsRequest,
    SignalWorkflowRequest,
    Timeline,
    TimelineEntry,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import Error, NotFound, Unauthenticated, Unavailable, loads

PAGE = 50
COLUMNS = (
    *("workflow_id", "definition", "version", "status", "case", "tags"),
    *("started_at", "closed_at", "failure"),
)
KINDS = {
    "workflow": N_("Run"),
    "task": N_("Task"),
    "activity": N_("Step"),
    "timer": N_("Timer"),
    "signal": N_("Signal"),
}
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
    here = _filters(visit)
    request = _asked(visit, here).model_copy(update={"page_size": PAGE, "page_token": visit.query("page_token")})
    page, definitions = await asyncio.gather(
        visit.workflows.list_workflows(request), visit.workflows.list_definitions(ListDefinitionsRequest())
    )
    more = {name: value for name, value in (here | {"page_token": page.next_page_token}).items() if value}
    kept = {name: value for name, value in here.items() if value}
    return await visit.page(
        "workflows.html",
        current="workflows",
        runs=page.workflows,
        next_href=f"/workflows?{urlencode(more)}" if page.next_page_token else None,
        definitions=[definition.name for definition in definitions.definitions],
        statuses=[(each.value, visit.words.status(each.value)) for each in WorkflowStatus],
        filters=here,
        csv_href="/workflows.csv" + (f"?{urlencode(kept)}" if kept else ""),
    )


async def workflows_csv(visit: Visit) -> Response:
    """Writes the list as CSV, up to 10,000 runs."""
    asked = _asked(visit, _filters(visit)).model_copy(update={"page_size": 200})
    return await csv_answer("workflows", COLUMNS, _rows(every(visit.workflows.list_workflows, asked, of="workflows")))


async def _rows(found: AsyncIterator[Workflow]) -> AsyncIterator[list[Any]]:
    async for run in found:
        described = [run.workflow_id, run.definition, run.version, run.status, run.business_id, run.tags]
        yield [*described, run.started_at, run.closed_at, run.failure.type if run.failure else None]


def _filters(visit: Visit) -> dict[str, str | None]:
    status = visit.query("status")
    names = ("definition", "business_id", "tag", "from", "until")
    return {"status": status if status in list(WorkflowStatus) else None, **{name: visit.query(name) for name in names}}


def _asked(visit: Visit, here: dict[str, str | None]) -> ListWorkflowsRequest:
    return ListWorkflowsRequest(
        status=WorkflowStatus(here["status"]) if here["status"] else None,
        definition=here["definition"],
        business_id=here["business_id"],
        tags=(here["tag"] or "").split(),
        started_after=_day(visit, here["from"]),
        started_before=_day(visit, here["until"]),
    )


def _day(visit: Visit, typed: str | None) -> datetime | None:
    try:
        return typed_moment(typed, visit.words.zone)
    except ValueError:
        return None


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
        return await _show(visit, status=refused.http_status, problem=visit.words.refusal(refused))
    return go(f"/workflows/{workflow_id}")


async def signal(visit: Visit) -> Response:
    """Sends the run a signal, with JSON in it where there is some."""
    workflow_id = _workflow_id(visit)
    try:
        typed = visit.value("payload")
        payload = None if typed is None else loads(typed)
        request = SignalWorkflowRequest(workflow_id=workflow_id, signal=visit.value("signal") or "", payload=payload)
        await visit.workflows.signal_workflow(request, request_id=visit.request_id)
    except Unauthenticated:
        raise
    except Error as refused:
        return await _show(visit, status=refused.http_status, problem=visit.words.refusal(refused))
    return go(f"/workflows/{workflow_id}")


async def _show(visit: Visit, *, status: int = 200, problem: str | None = None) -> Response:
    workflow_id = _workflow_id(visit)
    run, timeline, tasks = await asyncio.gather(
        visit.workflows.get_workflow(GetWorkflowRequest(workflow_id=workflow_id)),
        _timeline(visit, workflow_id),
        _tasks(visit, workflow_id),
    )
    people = [run.requested_by, run.on_behalf_of, *(entry.actor for entry in timeline.entries if timeline)]
    names = await visit.names(*people, *_named(timeline), *(task.assignee for task in tasks))
    return await visit.page(
        "workflow.html",
        status=status,
        current="workflows",
        run=run,
        timeline=timeline.entries,
        said=[happenings.happened(visit.words, entry, names) for entry in timeline.entries],
        why=happenings.failed(visit.words, run.failure.type, run.failure.message) if run.failure else None,
        notice=happenings.noticed(visit.words, run.notice) if run.notice else None,
        tones=[_tone(entry) for entry in timeline.entries],
        tasks=tasks,
        names=names,
        about=_about(visit, run, names),
        input=facts(run.input),
        result=_result(run),
        problem=problem,
        kinds=KINDS,
        can_steer=visit.is_manager or run.requested_by == visit.me.subject,
        links=_links(visit, run),
        typed={name: visit.value(name) or "" for name in ("signal", "payload")},
        request_id=secrets.token_hex(16),
    )


def _links(visit: Visit, run: Workflow) -> list[tuple[str, str]]:
    """Returns where the run and its agent's trace are shown elsewhere."""
    agent = run.handoff.agent if run.handoff else None
    trace_id = agent.trace_id if agent else None
    found = [
        (visit.words.text(N_("In the Temporal UI")), _filled(visit.door.temporal_ui_url, workflow_id=run.workflow_id))
    ]
    if trace_id:
        found.append((visit.words.text(N_("The agent's trace")), _filled(visit.door.trace_url, trace_id=trace_id)))
    return [(label, url) for label, url in found if url]


def _filled(template: str, **ids: str) -> str | None:
    for name, value in ids.items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return safe_url(template) if template else None


async def _timeline(visit: Visit, workflow_id: str) -> Timeline:
    try:
        return await visit.workflows.get_timeline(GetTimelineRequest(workflow_id=workflow_id))
    except (NotFound, Unavailable):
        return Timeline(entries=[])


def _named(timeline: Timeline) -> list[str]:
    """Returns who is named in the sentences of a timeline."""
    details = (detail for entry in timeline.entries for detail in entry.details if detail.name == "people")
    return [person for detail in details for person in detail.value.split(", ")]


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
    version = text("version {n}").format(n=run.version)
    rows: list[tuple[str, str | datetime | None]] = [
        (text("Definition"), f"{run.definition} · {version}"),
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
