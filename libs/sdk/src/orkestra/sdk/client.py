"""The REST door for programs outside: start, wait, list, complete, hear what happens."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from orkestra.sdk.stream import Happened, follow
from orkestra.v1.identity import Me, Session, SignInRequest
from orkestra.v1.task import (
    AssignTaskRequest,
    Attachment,
    CancelTaskRequest,
    CompleteTaskRequest,
    CreateTaskRequest,
    ListAttachmentsResponse,
    ListTasksRequest,
    ListTasksResponse,
    Task,
    TaskHistory,
    TaskScope,
    TaskStatus,
)
from orkestra.v1.workflow import (
    CancelWorkflowRequest,
    Definition,
    Handoff,
    ListDefinitionsResponse,
    ListWorkflowsRequest,
    ListWorkflowsResponse,
    ResetPoint,
    ResetWorkflowRequest,
    SignalWorkflowRequest,
    StartWorkflowRequest,
    Timeline,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import Model
from pydantic import BaseModel

if TYPE_CHECKING:
    from orkestra.sdk.definition import WorkflowClass
    from orkestra.sdk.rest import Rest

LONGEST_HOLD = 50
PATIENCE = 10.0
A = TypeVar("A", bound=Model)


class Client:
    """An async client of the REST door, with an API key or a session's token.

    Every refusal is raised as the `orkestra.wire` error that the service raised: its class says what to do about it,
    `reason` is stable, `errors` name fields. What is away is tried again for `patience` seconds; every POST carries a
    request id, so that it has its effect once.
    """

    def __init__(self, url: str, credential: str, *, patience: float = PATIENCE) -> None:
        self._rest = _connect(url, credential, patience)
        self._patience = patience

    @classmethod
    async def sign_in(
        cls, url: str, email: str, password: str, *, tenant: str | None = None, patience: float = PATIENCE
    ) -> Self:
        """Return the client of a person, where sign-in by password is on."""
        request = SignInRequest(email=email, password=password, tenant=tenant)
        async with _connect(url, None, patience) as rest:
            session = _read(Session, await rest.call("POST", "/v1/sessions", body=_body(request)))
        return cls(url, session.token, patience=patience)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._rest.close()

    async def call(
        self,
        answer: type[A],
        verb: str,
        path: str,
        request: Model | Mapping[str, Any] | None = None,
        *,
        request_id: str | None = None,
    ) -> A:
        """Make any call of the door; `request` is its body, or the query of a GET or DELETE."""
        given = _body(request)
        if verb in ("GET", "DELETE"):
            return _read(answer, await self._rest.call(verb, path, query=given))
        return _read(answer, await self._rest.call(verb, path, body=given, request_id=request_id))

    async def me(self) -> Me:
        """Return who the caller is."""
        return await self.call(Me, "GET", "/v1/me")

    async def definitions(self) -> list[Definition]:
        """Return the newest version of every workflow that can be started."""
        return (await self.call(ListDefinitionsResponse, "GET", "/v1/workflow-definitions")).definitions

    async def start(
        self,
        workflow: "str | type[WorkflowClass[Any, Any]]",
        input: BaseModel | Mapping[str, Any],
        *,
        business_id: str | None = None,
        handoff: Handoff | Mapping[str, Any] | None = None,
        on_behalf_of: str | None = None,
        request_id: str | None = None,
        **more: Any,
    ) -> Workflow:
        """Start a workflow, by its name or the function itself; `more` are further fields of the request.

        With a `request_id` of your own the same call may be made again, by another process even, within a day.
        """
        name = workflow if isinstance(workflow, str) else workflow.definition.name
        given = input.model_dump(mode="json") if isinstance(input, BaseModel) else dict(input)
        request = StartWorkflowRequest.model_validate(
            {
                "definition": name,
                "input": given,
                "business_id": business_id,
                "handoff": handoff,
                "on_behalf_of": on_behalf_of,
                **more,
            }
        )
        return await self.call(Workflow, "POST", "/v1/workflows", request, request_id=request_id)

    async def workflow(self, workflow_id: str) -> Workflow:
        """Return a run."""
        return await self.call(Workflow, "GET", f"/v1/workflows/{workflow_id}")

    async def wait(self, workflow_id: str, timeout: float | None = None) -> Workflow:  # noqa: ASYNC109 - not a deadline
        """Return the run at its end, or as it is when `timeout` seconds are over; for ever where there is none.

        Returns early where the run waits for an answer of the caller: `answer_needed` says which.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = LONGEST_HOLD if until is None else max(0, min(LONGEST_HOLD, round(until - time.monotonic())))
            path = f"/v1/workflows/{workflow_id}/result"
            run = _read(Workflow, await self._rest.call("GET", path, query={"wait": left}, held=left))
            is_over = until is not None and time.monotonic() >= until - 0.5
            if run.status is not WorkflowStatus.RUNNING or run.answer_needed is not None or is_over:
                return run

    async def workflows(
        self,
        *,
        status: WorkflowStatus | None = None,
        definition: str | None = None,
        business_id: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[Workflow]:
        """Yield runs, newest first, page by page, without input and result."""
        token: str | None = None
        while True:
            request = ListWorkflowsRequest(
                status=status, definition=definition, business_id=business_id, page_size=page_size, page_token=token
            )
            page = await self.call(ListWorkflowsResponse, "GET", "/v1/workflows", request)
            for run in page.workflows:
                yield run
            token = page.next_page_token
            if token is None:
                return

    async def timeline(self, workflow_id: str) -> Timeline:
        """Return what happened in a run, in words."""
        return await self.call(Timeline, "GET", f"/v1/workflows/{workflow_id}/timeline")

    async def signal(
        self, workflow_id: str, signal: str, payload: Any = None, *, request_id: str | None = None
    ) -> Workflow:
        """Send a signal to a running run."""
        body = _rest_of(SignalWorkflowRequest(workflow_id=workflow_id, signal=signal, payload=payload), "workflow_id")
        return await self.call(Workflow, "POST", f"/v1/workflows/{workflow_id}/signal", body, request_id=request_id)

    async def cancel(self, workflow_id: str, *, reason: str | None = None) -> Workflow:
        """Ask a run to stop; it may still clean up."""
        body = _rest_of(CancelWorkflowRequest(workflow_id=workflow_id, reason=reason), "workflow_id")
        return await self.call(Workflow, "POST", f"/v1/workflows/{workflow_id}/cancel", body)

    async def terminate(self, workflow_id: str, *, reason: str | None = None) -> Workflow:
        """End a run at once; its code gets no chance to clean up."""
        body = {} if reason is None else {"reason": reason}
        return await self.call(Workflow, "POST", f"/v1/workflows/{workflow_id}/terminate", body)

    async def reset(self, workflow_id: str, *, point: ResetPoint | None = None, reason: str | None = None) -> Workflow:
        """Take a run back before its last step, or before its first; one that has ended runs again."""
        request = ResetWorkflowRequest(workflow_id=workflow_id, point=point, reason=reason)
        body = _rest_of(request, "workflow_id")
        return await self.call(Workflow, "POST", f"/v1/workflows/{workflow_id}/reset", body)

    def stream(self, *, after: str | None = None) -> AsyncGenerator[Happened, None]:
        """Yield what happens from now on, or after the `place` of an event read before, and go on after each break.

        Each event comes once to one reader; after another `place` it may come again, with the same `id`. Ends only by
        an error: where the credential has ended, or the door is away for longer than `patience`.
        """
        return follow(self._rest, after, self._patience)

    async def create_task(self, request: CreateTaskRequest, *, request_id: str | None = None) -> Task:
        """Open a task of its own, without a workflow."""
        return await self.call(Task, "POST", "/v1/tasks", request, request_id=request_id)

    async def task(self, task_id: str) -> Task:
        """Return a task that the caller may see."""
        return await self.call(Task, "GET", f"/v1/tasks/{task_id}")

    async def tasks(
        self,
        *,
        scope: TaskScope | None = None,
        status: TaskStatus | None = None,
        assignee: str | None = None,
        group: str | None = None,
        workflow_id: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[Task]:
        """Yield the tasks that the caller may see, by due date, page by page, without their large fields."""
        asked = {"scope": scope, "status": status, "assignee": assignee, "group": group, "workflow_id": workflow_id}
        token: str | None = None
        while True:
            request = ListTasksRequest.model_validate({**asked, "page_size": page_size, "page_token": token})
            page = await self.call(ListTasksResponse, "GET", "/v1/tasks", request)
            for one in page.tasks:
                yield one
            token = page.next_page_token
            if token is None:
                return

    async def task_history(self, task_id: str) -> TaskHistory:
        """Return every change of a task, oldest first."""
        return await self.call(TaskHistory, "GET", f"/v1/tasks/{task_id}/history")

    async def attach(
        self,
        task_id: str,
        name: str,
        content: bytes,
        *,
        media_type: str | None = None,
        field: str | None = None,
        request_id: str | None = None,
    ) -> Attachment:
        """Attach a file to a live task; without a media type the name's ending says it.

        `field` is a file field of the task's form, whose rules are held then. With a `request_id` it is attached once.
        """
        attached = await self._rest.call(
            "POST",
            f"/v1/tasks/{task_id}/attachments",
            body=content,
            query={"name": name, "field": field},
            request_id=request_id,
            media_type=media_type or "application/octet-stream",
        )
        return _read(Attachment, attached)

    async def attachments(self, task_id: str) -> list[Attachment]:
        """Return the files of a task, oldest first."""
        found = await self.call(ListAttachmentsResponse, "GET", f"/v1/tasks/{task_id}/attachments")
        return list(found.attachments)

    async def download(self, task_id: str, attachment_id: str) -> bytes:
        """Return what a file of a task holds."""
        return await self._rest.call("GET", f"/v1/tasks/{task_id}/attachments/{attachment_id}/content")

    async def remove_attachment(self, task_id: str, attachment_id: str) -> Attachment:
        """Remove a file of a live task and return what it was."""
        return await self.call(Attachment, "DELETE", f"/v1/tasks/{task_id}/attachments/{attachment_id}")

    async def claim(self, task_id: str, *, version: int | None = None) -> Task:
        """Take an open task; one caller wins."""
        return await self._decide(task_id, "claim", {"version": version})

    async def release(self, task_id: str, *, version: int | None = None) -> Task:
        """Put a claimed task back for its candidates."""
        return await self._decide(task_id, "release", {"version": version})

    async def assign(self, request: AssignTaskRequest) -> Task:
        """Give a task to a person or to new candidates."""
        return await self._decide(request.task_id, "assign", _rest_of(request, "task_id"))

    async def complete(
        self,
        task_id: str,
        data: BaseModel | Mapping[str, Any],
        *,
        outcome: str | None = None,
        version: int | None = None,
        revision: int | None = None,
    ) -> Task:
        """Record the answer, which must fit the form; `revision` refuses where what is asked has changed since."""
        given = data.model_dump(mode="json", exclude_none=True) if isinstance(data, BaseModel) else dict(data)
        request = CompleteTaskRequest(task_id=task_id, data=given, outcome=outcome, version=version, revision=revision)
        return await self._decide(task_id, "complete", _rest_of(request, "task_id"))

    async def undo(self, task_id: str, *, reason: str | None = None, version: int | None = None) -> Task:
        """Take the answer of a task back, while the tenant's undo window lasts."""
        return await self._decide(task_id, "undo", {"reason": reason, "version": version})

    async def cancel_task(self, task_id: str, *, reason: str | None = None) -> Task:
        """End a live task without an answer."""
        request = CancelTaskRequest(task_id=task_id, reason=reason)
        return await self._decide(task_id, "cancel", _rest_of(request, "task_id"))

    async def _decide(self, task_id: str, verb: str, body: Mapping[str, Any]) -> Task:
        return await self.call(Task, "POST", f"/v1/tasks/{task_id}/{verb}", _body(body))


def _connect(url: str, credential: str | None, patience: float) -> "Rest":
    from orkestra.sdk.rest import Rest  # noqa: PLC0415 - a worker, which needs no HTTP, does not load it

    return Rest(url, credential, patience=patience)


def _read(model: type[A], body: bytes) -> A:
    from orkestra.sdk.rest import read  # noqa: PLC0415 - see above

    answer: A = read(model, body)
    return answer


def _body(request: Model | Mapping[str, Any] | None) -> dict[str, Any]:
    if request is None:
        return {}
    if isinstance(request, Model):
        return request.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {name: value for name, value in request.items() if value is not None}


def _rest_of(request: Model, *in_path: str) -> dict[str, Any]:
    return {name: value for name, value in _body(request).items() if name not in in_path}
