"""Views: lists that people keep under a name, for themselves or for a group."""

from urllib.parse import parse_qsl

from fastapi.responses import Response
from orkestra.dashboard.routes import filters
from orkestra.dashboard.routes.guards import local_path
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.task import CreateViewRequest, DeleteViewRequest, TaskFilter, UpdateViewRequest, View


async def create_view(visit: Visit) -> Response:
    """Keeps the list that is shown."""
    request = CreateViewRequest(name=visit.value("name") or "", group_id=visit.value("group_id"), filter=_kept(visit))
    return _go(await visit.tasks.create_view(request, request_id=visit.request_id))


async def update_view(visit: Visit) -> Response:
    """Replaces a view by the list that is shown."""
    request = UpdateViewRequest(
        view_id=_view_id(visit),
        name=visit.value("name") or "",
        group_id=visit.value("group_id"),
        filter=_kept(visit),
        version=visit.number("version"),
    )
    return _go(await visit.tasks.update_view(request))


async def delete_view(visit: Visit) -> Response:
    """Removes a view; the list stays as it is."""
    await visit.tasks.delete_view(DeleteViewRequest(view_id=_view_id(visit), version=visit.number("version")))
    return go(local_path(visit.value("back")))


def _kept(visit: Visit) -> TaskFilter:
    given = dict(parse_qsl(visit.value("here") or ""))
    scope = given.get("scope", "")
    return filters.filter_of(scope if scope in filters.SCOPES else "all", filters.known(given))


def _go(view: View) -> Response:
    return go(filters.inbox_href(**filters.query_of(view.filter), view=view.view_id))


def _view_id(visit: Visit) -> str:
    return str(visit.request.path_params["view_id"])
