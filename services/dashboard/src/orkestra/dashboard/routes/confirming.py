"""Pages behind the links of e-mail and chat: they show what is asked, and decide only when a person sends the form."""

import secrets
from typing import Any

from fastapi.responses import Response
from orkestra.chassis.logs import get_logger
from orkestra.dashboard.routes.fields import outcomes
from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.notification import Confirmation, GetConfirmationRequest, UseConfirmationRequest
from orkestra.v1.task import CompleteTaskRequest, GetTaskRequest, Task, TaskStatus, VoteChoice, VoteTaskRequest
from orkestra.wire import Error, Unauthenticated

logger = get_logger(__name__)
PLAIN = frozenset({"text", "textarea"})
CHANGED = N_("The task has changed since this message was sent. Open it to see how it stands.")
FORM_FIRST = N_("This needs more than a click. Open the task and answer there.")


async def confirm(visit: Visit) -> Response:
    """Shows what a link is about; however often and by whomever it is opened, nothing happens."""
    confirmation = await visit.notifications.get_confirmation(GetConfirmationRequest(token=_token(visit)))
    task = await visit.tasks.get_task(GetTaskRequest(task_id=confirmation.task_id))
    return await _show(visit, confirmation, task)


async def decide(visit: Visit) -> Response:
    """Decides on the version that the message was about, and uses the link up."""
    token = _token(visit)
    confirmation = await visit.notifications.get_confirmation(GetConfirmationRequest(token=token))
    task = await visit.tasks.get_task(GetTaskRequest(task_id=confirmation.task_id))
    if _hindrance(confirmation, task) is not None:
        return await _show(visit, confirmation, task, status=409)
    try:
        await _send(visit, confirmation, task)
    except Unauthenticated:
        raise
    except Error as refused:
        return await _show(visit, confirmation, task, status=refused.http_status, problem=visit.words.refusal(refused))
    try:
        await visit.notifications.use_confirmation(UseConfirmationRequest(token=token))
    except Error as away:  # decided all the same: the task has another version now, so the link opens nothing
        logger.warning("a link was not marked as used", task_id=task.task_id, error=str(away))
    return go(f"/tasks/{task.task_id}")


async def _send(visit: Visit, confirmation: Confirmation, task: Task) -> None:
    outcome, request_id = visit.value("outcome"), visit.request_id
    data, version = _data(visit, task), confirmation.version
    if task.approval_policy is None:
        request = CompleteTaskRequest(
            task_id=task.task_id, data=_data(visit, task), outcome=outcome, version=confirmation.version
        )
        await visit.tasks.complete_task(request, request_id=request_id)
        return
    vote = VoteTaskRequest(
        task_id=task.task_id,
        choice=VoteChoice.APPROVE if outcome == VoteChoice.APPROVE.value else VoteChoice.REJECT,
        data=data,
        revision=task.revision,
        version=version,
    )
    await visit.tasks.vote_task(vote, request_id=request_id)


async def _show(
    visit: Visit, confirmation: Confirmation, task: Task, *, status: int = 200, problem: str | None = None
) -> Response:
    hindrance = _hindrance(confirmation, task)
    return await visit.page(
        "confirm.html",
        status=status,
        current="inbox",
        task=task,
        token=_token(visit),
        hindrance=None if hindrance is None else visit.words.text(hindrance),
        problem=problem,
        outcomes=_outcomes(visit, task),
        texts=_texts(task),
        typed=_data(visit, task),
        request_id=secrets.token_hex(16),
    )


def _hindrance(confirmation: Confirmation, task: Task) -> str | None:
    """Returns why nothing can be decided here, None where it can."""
    if task.version != confirmation.version or task.status not in (TaskStatus.OPEN, TaskStatus.CLAIMED):
        return CHANGED
    needed = (task.form or {}).get("required", ())
    return FORM_FIRST if len(_texts(task)) < len(needed) else None


def _texts(task: Task) -> dict[str, str]:
    """Returns the required fields that are plain text, each with its label; a page behind a link has no others."""
    form = task.form or {}
    needed = {name: form["properties"].get(name, {}) for name in form.get("required", ())}
    plain = {name: inner for name, inner in needed.items() if inner.get("x-orkestra", {}).get("type") in PLAIN}
    return {name: str(inner.get("title", name)) for name, inner in plain.items()}


def _data(visit: Visit, task: Task) -> dict[str, str]:
    """Returns what was typed into those fields."""
    return {name: visit.value(f"data.{name}") or "" for name in _texts(task)}


def _outcomes(visit: Visit, task: Task) -> list[dict[str, Any]]:
    """Returns what may be chosen: the form's own ways, of a vote approve and reject, else to complete it."""
    text = visit.words.text
    own = outcomes(task.form or {}, visit.words.language)
    if own:
        return own
    if task.approval_policy is None:
        return [{"key": "", "label": text(N_("Complete")), "style": "primary"}]
    approve = {"key": "approve", "label": text(N_("Approve")), "style": "primary"}
    return [approve, {"key": "reject", "label": text(N_("Reject")), "style": "danger"}]


def _token(visit: Visit) -> str:
    return str(visit.request.path_params["token"])
