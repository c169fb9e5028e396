"""The REST door: /v1 and its OpenAPI document."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import Response
from orkestra.api_gateway.routes import problems
from orkestra.api_gateway.routes.endpoint import ENDPOINTS
from orkestra.api_gateway.routes.events import PATH, serve_events
from orkestra.api_gateway.routes.files import ATTACH, CONTENT, serve_attach, serve_content
from orkestra.api_gateway.routes.openapi import document
from orkestra.api_gateway.routes.serving import Door, serve
from orkestra.chassis.door import Envelope
from starlette.routing import Route

__all__ = ["Door", "build_app"]
Answer = Callable[[Request], Awaitable[Response]]


def build_app(door: Door) -> Envelope:
    """Returns the application that serves every endpoint."""
    app = FastAPI(
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # the envelope does it, as at every door
    )
    problems.install(app)
    for endpoint in ENDPOINTS:
        _add(app, endpoint.verb, endpoint.path, serve(endpoint, door))
    _add(app, "GET", PATH, serve_events(door))
    _add(app, "POST", ATTACH, serve_attach(door))
    _add(app, "GET", CONTENT, serve_content(door))
    described = document(ENDPOINTS, version=version("orkestra-api-gateway"))

    def openapi() -> dict[str, Any]:
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents
    return Envelope(app)


def _add(app: FastAPI, verb: str, path: str, answer: Answer) -> None:
    """Serves `answer` as it is: FastAPI's own routes look for parameters and dependencies, which none of ours has."""

    async def answered(request: Request) -> Response:
        request.scope["route"] = route  # by its path spans and figures are named, as with FastAPI's own
        return await answer(request)

    route = Route(path, answered, methods=[verb])
    route.methods = {verb}
    app.router.routes.append(route)
