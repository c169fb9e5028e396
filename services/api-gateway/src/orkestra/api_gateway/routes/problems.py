"""Refusals as problem documents (RFC 9457): every error of this door has this shape."""

from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import Response
from orkestra.wire import Error, dumps
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Route

MEDIA_TYPE = "application/problem+json"
LONGEST_SHOWN = 200
CODES = {
    400: "BODY_NOT_JSON",
    404: "ROUTE_NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    415: "CONTENT_TYPE_UNSUPPORTED",
}


class FieldProblem(BaseModel):
    """One field that is refused, and why."""

    path: str = Field(description="Where in the request, such as data.answer or tags[3].")
    code: str = Field(description="Stable, for programs.")
    message: str = Field(description="For people.")


class Problem(BaseModel):
    """Why a request was refused (RFC 9457)."""

    type: str = Field(description="Stable identifier of the kind of problem: urn:orkestra:error: and the code.")
    title: str = Field(description="The code in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="A sentence that a person can act on.")
    code: str = Field(description="Stable, for programs, such as TASK_NOT_OPEN.")
    errors: list[FieldProblem] = Field(description="The fields that are refused; empty where it is none.")
    current: dict[str, Any] | None = Field(
        default=None, description="The resource as it is now, where that is why (409, 412); else left out."
    )


def install(app: FastAPI) -> None:
    """Makes every error of `app` a problem document."""
    app.add_exception_handler(Error, _refused)
    app.add_exception_handler(HTTPException, _not_served)
    app.add_exception_handler(Exception, _failed)


def from_error(error: Error) -> Problem:
    """Returns the problem that says what `error` says."""
    return Problem(
        type=_type(error.reason),
        title=_title(error.reason),
        status=error.http_status,
        detail=str(error),
        code=error.reason,
        errors=[FieldProblem(path=e.path, code=e.code, message=e.message) for e in error.errors],
        current=None if error.current is None else error.current.model_dump(mode="json"),
    )


def respond(problem: Problem, headers: dict[str, str]) -> Response:
    """Returns the HTTP answer for `problem`."""
    body = problem.model_dump(exclude={"current"} if problem.current is None else None)
    return Response(dumps(body), problem.status, headers=headers, media_type=MEDIA_TYPE)


async def _refused(request: Request, error: Exception) -> Response:
    if not isinstance(error, Error):
        raise error
    headers = limits_of(request)
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after + 0.5)))
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _challenge(request)
    if error.http_status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        headers["Connection"] = "close"
    return respond(from_error(error), headers)


async def _not_served(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    code = CODES.get(error.status_code, HTTPStatus(error.status_code).name)
    told = _DETAILS.get(code)
    detail = error.detail if told is None else told.format(method=request.method, path=_shown(request.url.path))
    headers = limits_of(request) | dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(_methods(request))
    return respond(_problem(code, error.status_code, detail), headers)


async def _failed(request: Request, _: Exception) -> Response:
    detail = f"Something went wrong on our side; request id {request.state.request_id}."
    return respond(_problem("INTERNAL", 500, detail), {})


_DETAILS = {  # by code; what is raised with a sentence of its own is not here
    "ROUTE_NOT_FOUND": "Nothing is served at {path}; /v1/openapi.json lists what is.",
    "METHOD_NOT_ALLOWED": "{path} does not take {method}; the Allow header lists what it takes.",
    "CONTENT_TYPE_UNSUPPORTED": "Send the body as application/json.",
}


def limits_of(request: Request) -> dict[str, str]:
    """Returns the rate-limit headers that belong on the answer to `request`."""
    return dict(getattr(request.state, "limit_headers", {}))


def _challenge(request: Request) -> str:
    presented = "authorization" in request.headers
    return 'Bearer realm="orkestra"' + (', error="invalid_token"' if presented else "")


def _problem(code: str, status: int, detail: str) -> Problem:
    return Problem(type=_type(code), title=_title(code), status=status, detail=detail, code=code, errors=[])


def _shown(path: str) -> str:
    """Returns a path that nobody serves as an answer may repeat it: short, and without what JSON cannot hold."""
    return quote(path[:LONGEST_SHOWN], safe="/:@!$&'()*+,;=~", errors="replace")


def _methods(request: Request) -> list[str]:
    """Returns what the path of `request` does take: as it is written where a route is, else as a template."""
    path = request.url.path
    fitting = [route for route in request.app.routes if isinstance(route, Route) and route.path_regex.match(path)]
    written = [route for route in fitting if route.path == path]
    return sorted({method for route in written or fitting for method in route.methods or ()})


def _type(code: str) -> str:
    return f"urn:orkestra:error:{code}"


def _title(code: str) -> str:
    return code.replace("_", " ").capitalize()
