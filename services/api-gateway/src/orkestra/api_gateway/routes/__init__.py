"""The REST door: /v1 and its OpenAPI document."""

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from orkestra.api_gateway.routes import problems
from orkestra.api_gateway.routes.endpoint import ENDPOINTS
from orkestra.api_gateway.routes.events import PATH, serve_events
from orkestra.api_gateway.routes.openapi import document
from orkestra.api_gateway.routes.serving import Door, serve
from orkestra.chassis.door import Envelope

__all__ = ["Door", "build_app"]


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
        app.add_api_route(endpoint.path, serve(endpoint, door), methods=[endpoint.verb], response_model=None)
    app.add_api_route(PATH, serve_events(door), methods=["GET"], response_model=None)
    described = document(ENDPOINTS, version=version("orkestra-api-gateway"))

    def openapi() -> dict[str, Any]:
        return described

    app.openapi = openapi  # type: ignore[method-assign]  # the way FastAPI documents
    return Envelope(app)
