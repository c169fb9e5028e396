"""The inbox: which tasks, how many, what is due."""

from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.visit import Visit
from orkestra.dashboard.routes.words import N_
from orkestra.rules import is_task_id
from orkestra.v1.task import ListTasksRequest, ListTasksResponse, Task, TaskScope, TaskStatus

SCOPES = {"mine": N_("Mine"), "groups": N_("My groups"), "all": N_("All")}
FILTERS = {
    "": N_("To do"),
    "open": N_("Open"),
    "claimed": N_("Claimed"),
    "waiting": N_("Waiting"),
    "completed": N_("Completed"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired"),
}
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
PAGE = 50
MOST_SHOWN = 1000


async def home(_: Visit) -> Response:
    """Leads to the inbox."""
    return go("/inbox")


async def inbox(visit: Visit) -> Response:
    """Shows one scope of the caller's tasks."""
    scope = _scope(visit)
    values = await _list(visit, scope)
    segments = [
        {
            "name": name,
            "label": visit.words.text(label),
            "href": _href(scope=name, status=values["wanted"]),
            "current": name == scope,
        }
        for name, label in SCOPES.items()
    ]
    done = visit.query("done")
    return await visit.page(
        "inbox.html",
        current="inbox",
        segments=segments,
        filters=[(value, visit.words.text(label)) for value, label in FILTERS.items()],
        done=done if done and is_task_id(done) else None,
        **values,
    )


async def inbox_list(visit: Visit) -> Response:
    """Renders the list alone, for a page that is open."""
    return visit.fragment("_tasks.html", **await _list(visit, _scope(visit)))


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


async def _list(visit: Visit, scope: str) -> dict[str, Any]:
    status = visit.query("status") or ""
    status = status if status in FILTERS else ""
    page = await _page(visit, scope, status)
    size = _size(visit)
    here = {"scope": scope, "status": status}
    title, text = EMPTY[scope] if not status else (N_("No such tasks"), N_("Choose To do to see what is waiting."))
    more = None
    if page.next_page_token:
        more = _href(**here, page_token=page.next_page_token)
    return {
        "scope": scope,
        "wanted": status,
        "tasks": page.tasks,
        "size": size,
        "list_href": f"/inbox/list?{urlencode(here | _token(visit))}",
        "next_href": more,
        "rows_href": None if more is None else f"/inbox/list?{urlencode(here | {'page_token': page.next_page_token})}",
        "names": await visit.names(*(task.assignee for task in page.tasks)),
        "empty_title": visit.words.text(title),
        "empty_text": visit.words.text(text),
    }


async def _page(visit: Visit, scope: str, status: str) -> ListTasksResponse:
    """Returns as many tasks as the page shows already, from where it begins."""
    wanted, token = _size(visit), visit.query("page_token")
    tasks: list[Task] = []
    while True:
        request = ListTasksRequest(
            scope=TaskScope(scope),
            status=TaskStatus(status) if status else None,
            page_size=min(200, wanted - len(tasks)),
            page_token=token,
        )
        page = await visit.tasks.list_tasks(request)
        tasks += page.tasks
        token = page.next_page_token
        if token is None or len(tasks) >= wanted:
            return ListTasksResponse(tasks=tasks, next_page_token=token)


def _scope(visit: Visit) -> str:
    scope = visit.query("scope")
    if scope in SCOPES:
        return str(scope)
    return "groups" if visit.request.url.path == "/inbox" and scope is None and _has_groups(visit) else "mine"


def _has_groups(visit: Visit) -> bool:
    return bool(visit.access.groups)


def _size(visit: Visit) -> int:
    try:
        return min(max(int(visit.query("size") or PAGE), 1), MOST_SHOWN)
    except ValueError:
        return PAGE


def _token(visit: Visit) -> dict[str, str]:
    token = visit.query("page_token")
    return {"page_token": token} if token else {}


def _href(**query: str) -> str:
    return "/inbox?" + urlencode({name: value for name, value in query.items() if value})
