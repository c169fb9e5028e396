"""The inbox: which tasks, how many, what is due, under which view."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response
from orkestra.dashboard.routes import filters
from orkestra.dashboard.routes.exporting import csv_answer, every
from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.visit import Visit, coming_moment
from orkestra.rules import is_task_id
from orkestra.v1.task import ListTasksRequest, ListTasksResponse, ListViewsRequest, Task, TaskScope, TaskStatus, View
from orkestra.wire import Error, InvalidArgument, Unauthenticated

EMPTY = {
    "mine": (
        N_("Nothing is waiting for you"),
        N_("Look into My groups for work to claim; new tasks appear by themselves."),
    ),
    "groups": (
        N_("Your groups have nothing to do"),
        N_("New tasks appear here by themselves, as soon as someone asks."),
    ),
    "all": (N_("No tasks"), N_("When an agent or a workflow asks a person, the task appears here by itself.")),
}
DID = {
    "claim": N_("{n} claimed."),
    "assign": N_("{n} assigned."),
    "complete": N_("{n} completed."),
    "cancel": N_("{n} cancelled."),
    "tag": N_("{n} tagged."),
}
PAGE = 50
MOST_SHOWN = 1000
MOST_VIEWS = 100


async def home(_: Visit) -> Response:
    """Leads to the inbox."""
    return go("/inbox")


async def inbox(visit: Visit) -> Response:
    """Shows one scope of the caller's tasks."""
    scope, here = filters.scope_of(visit), filters.filters_of(visit)
    values, views = await asyncio.gather(_list(visit, scope, here), _views(visit))
    view_id = visit.query("view") or ""
    done = visit.query("done")
    return await visit.page(
        "inbox.html",
        current="inbox",
        segments=[
            {
                "name": name,
                "label": visit.words.text(label),
                "href": filters.inbox_href(scope=name, **here),
                "current": name == scope,
            }
            for name, label in filters.SCOPES.items()
        ],
        choices={name: _labels(visit, name) for name in filters.CHOICES},
        filters=here,
        passing=any(name in here for name in filters.PASSING),
        narrowed=len(here.keys() - {"status", "q", "sort"}),
        groups=sorted(visit.access.groups),
        views=[_shown(view, view_id) for view in views],
        view=next((view for view in views if view.view_id == view_id), None),
        csv_href=filters.inbox_href("/inbox.csv", scope=scope, **here),
        done=done if done and is_task_id(done) else None,
        until=coming_moment(visit.query("until")),
        did=_did(visit),
        **values,
    )


async def inbox_list(visit: Visit) -> Response:
    """Renders the list alone, for a page that is open."""
    return visit.fragment("_tasks.html", **await _list(visit, filters.scope_of(visit), filters.filters_of(visit)))


async def inbox_csv(visit: Visit) -> Response:
    """Writes the list as CSV, up to 10,000 tasks."""
    wanted = filters.request_of(visit, filters.scope_of(visit), filters.filters_of(visit))
    found = every(visit.tasks.list_tasks, wanted.model_copy(update={"page_size": 200}), of="tasks")
    return await csv_answer("tasks", COLUMNS, _rows(visit, found))


async def counts(visit: Visit) -> Response:
    """Renders the counts of the navigation, for a page that is open."""
    tasks, unread = await visit.counts()
    return visit.fragment("_counts.html", counts=tasks, unread=unread)


async def next_task(visit: Visit, *, but: str) -> Task | None:
    """Returns what the caller can do next: the most urgent of the own tasks, then of the groups'."""
    for scope in (TaskScope.MINE, TaskScope.GROUPS):
        found = await visit.tasks.list_tasks(ListTasksRequest(scope=scope, page_size=10))
        for task in found.tasks:
            can_be_done = task.status in (TaskStatus.OPEN, TaskStatus.CLAIMED)
            if can_be_done and task.task_id != but and task.assignee in (None, visit.me.subject):
                return task
    return None


COLUMNS = (
    *("task_id", "title", "status", "priority", "type", "tags", "groups", "assignee", "case"),
    *("created_at", "claimed_at", "completed_at", "due_at", "breached", "level", "outcome", "completed_by"),
)


async def _rows(visit: Visit, found: AsyncIterator[Task]) -> AsyncIterator[list[Any]]:
    async for task in found:
        yield _row(task, await visit.names(task.assignee, task.completed_by))


def _row(task: Task, names: dict[str, str]) -> list[Any]:
    sla = task.sla
    people = [names.get(who, who) if who else None for who in (task.assignee, task.completed_by)]
    described = [task.task_id, task.title, task.status, task.priority, task.type, " ".join(task.tags)]
    given = [" ".join(task.candidate_groups), people[0], task.correlation]
    times = [task.created_at, task.claimed_at, task.completed_at, sla.complete_by if sla else None]
    state = [sla.breached if sla else None, sla.escalation_level if sla else None, task.outcome, people[1]]
    return [*described, *given, *times, *state]


async def _list(visit: Visit, scope: str, here: dict[str, str]) -> dict[str, Any]:
    try:
        page, problem = await _page(visit, filters.request_of(visit, scope, here)), None
    except InvalidArgument as refused:
        page, problem = ListTasksResponse(tasks=[], next_page_token=None), visit.words.refusal(refused)
    where = {"scope": scope, **here}
    title, text = EMPTY[scope]
    if here:
        title, text = N_("No such tasks"), N_("Take a filter away to see what is waiting.")
    token = page.next_page_token
    return {
        "scope": scope,
        "here": where,
        "tasks": page.tasks,
        "list_href": f"/inbox/list?{urlencode(where | _token(visit))}",
        "next_href": filters.inbox_href(**where, page_token=token) if token else None,
        "rows_href": f"/inbox/list?{urlencode(where | {'page_token': token})}" if token else None,
        "names": await visit.names(*(task.assignee for task in page.tasks)),
        "empty_title": visit.words.text(title),
        "empty_text": problem or visit.words.text(text),
    }


async def _page(visit: Visit, wanted: ListTasksRequest) -> ListTasksResponse:
    """Returns as many tasks as the page shows already, from where it begins."""
    size, token = _size(visit), visit.query("page_token")
    tasks: list[Task] = []
    while True:
        more = {"page_size": min(200, size - len(tasks)), "page_token": token}
        page = await visit.tasks.list_tasks(wanted.model_copy(update=more))
        tasks += page.tasks
        token = page.next_page_token
        if token is None or len(tasks) >= size:
            return ListTasksResponse(tasks=tasks, next_page_token=token)


async def _views(visit: Visit) -> list[View]:
    try:
        return (await visit.tasks.list_views(ListViewsRequest(page_size=MOST_VIEWS), timeout=2.0)).views
    except Unauthenticated:
        raise
    except Error:
        return []


def _shown(view: View, current: str) -> dict[str, Any]:
    return {
        "view": view,
        "href": filters.inbox_href(**filters.query_of(view.filter), view=view.view_id),
        "current": view.view_id == current,
    }


def _labels(visit: Visit, name: str) -> list[tuple[str, str]]:
    return [(value, visit.words.text(label)) for value, label in filters.CHOICES[name].items()]


def _did(visit: Visit) -> str | None:
    """Returns what was done to many tasks just before."""
    words, count = DID.get(visit.query("did") or ""), visit.query("n") or ""
    return visit.words.text(words).format(n=count) if words and count.isdecimal() and len(count) <= 3 else None


def _size(visit: Visit) -> int:
    try:
        return min(max(int(visit.query("size") or PAGE), 1), MOST_SHOWN)
    except ValueError:
        return PAGE


def _token(visit: Visit) -> dict[str, str]:
    token = visit.query("page_token")
    return {"page_token": token} if token else {}
