"""Calls of the REST door: who asks, what to try again, what a refusal means."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx
from orkestra.v1.task import Task
from orkestra.v1.workflow import Workflow
from orkestra.wire import (
    AlreadyExists,
    Conflict,
    DeadlineExceeded,
    Error,
    FailedPrecondition,
    FieldError,
    Internal,
    InvalidArgument,
    Model,
    NotFound,
    PermissionDenied,
    ResourceExhausted,
    TooLarge,
    Unauthenticated,
    Unavailable,
    VersionMismatch,
    dumps,
    loads,
)
from pydantic import ValidationError

KINDS: tuple[type[Error], ...] = (
    *(InvalidArgument, Unauthenticated, PermissionDenied, NotFound, FailedPrecondition, VersionMismatch),
    *(TooLarge, ResourceExhausted, Unavailable, DeadlineExceeded, Internal),
)
BY_STATUS = {kind.http_status: kind for kind in KINDS}
TAKEN = frozenset({"TASK_EXISTS", "CALENDAR_EXISTS", "GROUP_EXISTS", "TENANT_EXISTS", "EMAIL_TAKEN"})
TAKEN |= {"GROUP_HAS_CALENDAR", "BUSINESS_ID_TAKEN", "SUBJECT_LINKED"}
CURRENT: Mapping[str, type[Model]] = {"task_id": Task, "workflow_id": Workflow}
JSON = "application/json"
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0
ANSWER_SECONDS = 30.0
LONGEST_SILENCE = 25.0


class Rest:
    """A connection to a REST door."""

    def __init__(self, url: str, credential: str | None, *, patience: float) -> None:
        self.url = url.rstrip("/")
        self._patience = patience
        headers = {} if credential is None else {"authorization": f"Bearer {credential}"}
        self._http = httpx.AsyncClient(base_url=self.url, headers=headers, timeout=ANSWER_SECONDS)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    async def call(
        self,
        verb: str,
        path: str,
        *,
        body: Mapping[str, Any] | bytes | None = None,
        query: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        held: float = 0.0,
        media_type: str = JSON,
    ) -> bytes:
        """Return the body of the answer; raise the refusal.

        What may succeed later is tried again while the client's patience lasts: reads, and each POST, which carries a
        request id. `held` is how many seconds the door may keep the call open.
        """
        headers = {"content-type": media_type}
        if verb == "POST":
            headers["idempotency-key"] = request_id or uuid4().hex
        is_safe = verb in ("GET", "POST")
        until, pause = time.monotonic() + self._patience, FIRST_PAUSE
        while True:
            try:
                return await self._once(verb, path, body=body, query=query, headers=headers, held=held)
            except Error as refused:
                pause = max(pause, refused.retry_after or 0.0)
                if not (is_safe and _may_succeed(refused)) or time.monotonic() + pause > until:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def lines(self, path: str, place: str | None) -> AsyncIterator[str]:
        """Yield the lines of a stream of server-sent events after `place`, until it ends; raise the refusal.

        A door says something at least every ten seconds; one that is silent for longer is away.
        """
        headers = {"accept": "text/event-stream"} | ({} if place is None else {"last-event-id": place})
        timeout = httpx.Timeout(ANSWER_SECONDS, read=LONGEST_SILENCE)
        try:
            async with self._http.stream("GET", path, headers=headers, timeout=timeout) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise refusal(answer)
                async for line in answer.aiter_lines():
                    yield line
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable("DOOR_UNREACHABLE", f"{self.url} was lost while it told ({error!r}).") from None

    async def _once(
        self,
        verb: str,
        path: str,
        *,
        body: Mapping[str, Any] | bytes | None,
        query: Mapping[str, Any] | None,
        headers: Mapping[str, str],
        held: float,
    ) -> bytes:
        params = {name: value for name, value in (query or {}).items() if value is not None}
        try:
            answer = await self._http.request(
                verb,
                path,
                content=body if body is None or isinstance(body, bytes) else dumps(body),
                params=params,
                headers=headers,
                timeout=ANSWER_SECONDS + held,
            )
        except httpx.TimeoutException:
            raise DeadlineExceeded("REQUEST_TIMED_OUT", f"{self.url} did not answer in time.") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(
                "DOOR_UNREACHABLE", f"Nothing answers at {self.url} ({error}): is it running, is the address right?"
            ) from None
        if answer.is_success:
            return answer.content
        raise refusal(answer)


def read(model: type[Model], body: bytes) -> Any:
    """Return the model that an answer is; raise Internal where it is none, such as a proxy's page."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Internal(
            "ANSWER_UNREADABLE", f"The answer is no {model.__name__}: is this address a REST door?"
        ) from error


def refusal(answer: httpx.Response) -> Error:
    """Return what a problem document (RFC 9457) says as the error that it was."""
    problem = _problem(answer)
    reason = problem.get("code", f"HTTP_{answer.status_code}")
    errors = [FieldError(one["path"], one["code"], one["message"]) for one in problem.get("errors", [])]
    return _kind(answer.status_code, reason)(
        reason,
        problem.get("detail", f"{answer.url} answered {answer.status_code}, which no REST door of Orkestra does."),
        errors=errors,
        current=_current(problem.get("current")),
        retry_after=_seconds(answer.headers.get("retry-after")),
    )


def _may_succeed(refused: Error) -> bool:
    return refused.retryable and not isinstance(refused, Internal)


def _problem(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        problem = loads(answer.content)
    except InvalidArgument:
        return {}
    return problem if isinstance(problem, dict) and "code" in problem else {}


def _kind(status: int, reason: str) -> type[Error]:
    if status == FailedPrecondition.http_status:
        return Conflict if reason == "REQUEST_RUNNING" else AlreadyExists if reason in TAKEN else FailedPrecondition
    return BY_STATUS.get(status, Internal if status >= 500 else InvalidArgument)


def _current(given: Any) -> Model | None:
    if not isinstance(given, dict):
        return None
    model = next((model for key, model in CURRENT.items() if key in given), None)
    return None if model is None else model.model_validate(given)


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isdecimal() else None
