"""What a person does with a task: claim, release, answer, keep a draft, comment, ask for changes."""

from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response
from orkestra.dashboard.routes.answers import Reader, with_row, without_row
from orkestra.dashboard.routes.inbox import next_task
from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.task import Seen, look, show
from orkestra.dashboard.routes.visit import Visit
from orkestra.rules import answer_with_files
from orkestra.v1.task import (
    AddCommentRequest,
    AnswerTaskRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    GetTaskRequest,
    ReleaseTaskRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    Task,
    VoteChoice,
    VoteTaskRequest,
)
from orkestra.wire import Error, FieldError, InvalidArgument, Unauthenticated

STALE = N_("This form is from an earlier session. What you typed is below: please send it again.")
REVISED = N_("The question has changed since you opened it. What you typed is below: look again, then complete.")


async def claim(visit: Visit) -> Response:
    """Gives the task to the caller."""
    task_id = _task_id(visit)
    try:
        await visit.tasks.claim_task(ClaimTaskRequest(task_id=task_id))
    except Unauthenticated:
        raise
    except Error as refused:
        return await _refuse(visit, refused)
    return go(f"/tasks/{task_id}#answer")


async def release(visit: Visit) -> Response:
    """Puts the task back; what was typed last is kept with it."""
    task_id = _task_id(visit)
    try:
        await visit.tasks.release_task(ReleaseTaskRequest(task_id=task_id))
    except Unauthenticated:
        raise
    except Error as refused:
        return await _refuse(visit, refused)
    return go(f"/tasks/{task_id}")


async def complete(visit: Visit) -> Response:
    """Records the answer and leads to the next task; what is wrong is shown at its field, with all that was typed."""
    seen = await look(visit)
    data, reader = _read(visit, seen.task)
    data, _ = answer_with_files(seen.task, data, seen.files)
    again = await _not_yet(visit, seen, data, reader)
    if again is not None:
        return again
    try:
        given = await _send(visit, seen.task, data)
    except Unauthenticated:
        raise
    except Error as refused:
        return await _show_again(visit, refused, data)
    following = await next_task(visit, but=seen.task.task_id)
    done = f"?done={seen.task.task_id}"
    if given.submission is not None:
        done += "&" + urlencode({"until": given.submission.undo_until.isoformat()})
    return go(f"/inbox{done}" if following is None else f"/tasks/{following.task_id}{done}")


async def _not_yet(visit: Visit, seen: Seen, data: dict[str, Any], reader: Reader) -> Response | None:
    """Shows the page again where what was posted is not yet to be sent; None where it is."""
    if visit.value("attach") or any(each.refusal for each in visit.sent):
        return await _show_sent(visit, seen, data)
    if visit.value("refresh") or visit.value("add_row") or visit.value("remove_row"):
        return await show(visit, seen, typed=with_row(data, visit.value("add_row")))
    if getattr(visit.request.state, "is_stale", False):
        return await show(visit, seen, status=403, typed=data, problem=visit.words.text(STALE))
    if visit.value("revision") not in (None, str(seen.task.revision)):
        return await show(visit, seen, status=409, typed=data, problem=visit.words.text(REVISED))
    if reader.problems:
        return await show(visit, seen, status=422, typed=data, errors=reader.all_problems(seen.task.form or {}, data))
    return None


async def _show_sent(visit: Visit, seen: Seen, data: dict[str, Any]) -> Response:
    """Shows what was typed again, with the files that were sent, or why they were not taken."""
    refused = [(each.field, each.name, each.refusal) for each in visit.sent if each.refusal is not None]
    errors = tuple(
        FieldError(f"data.{field}", one.reason.lower(), f"{name}: {visit.words.refusal(one)}")
        for field, name, one in refused
    )
    return await show(visit, seen, status=refused[0][2].http_status if refused else 200, typed=data, errors=errors)


async def _send(visit: Visit, task: Task, data: dict[str, Any]) -> Task:
    """Sends the answer, or the vote where votes decide; returns the task after it."""
    outcome, request_id = visit.value("outcome"), visit.request_id
    if task.approval_policy is None:
        request = CompleteTaskRequest(task_id=task.task_id, data=data, outcome=outcome)
        return await visit.tasks.complete_task(request, request_id=request_id)
    choice = VoteChoice.REJECT if outcome == "reject" else VoteChoice.APPROVE
    if outcome != choice.value:
        error = FieldError("outcome", "required", visit.words.text("Approve or reject."))
        raise InvalidArgument("DATA_INVALID", error.message, errors=[error])
    vote = VoteTaskRequest(task_id=task.task_id, choice=choice, data=data, revision=task.revision)
    return await visit.tasks.vote_task(vote, request_id=request_id)


async def save_draft(visit: Visit) -> Response:
    """Keeps what was typed so far: 204 for a page that saves by itself, else back to the task."""
    task = await visit.tasks.get_task(GetTaskRequest(task_id=_task_id(visit)))
    data, _ = _read(visit, task)
    kept = {name: value for name, value in data.items() if value is not None}
    by_itself = "x-csrf-token" in visit.request.headers
    try:
        await visit.tasks.save_draft(SaveDraftRequest(task_id=task.task_id, data=kept))
    except Unauthenticated:
        raise
    except Error as refused:
        if by_itself:
            return Response(status_code=refused.http_status)
        return await _show_again(visit, refused, data)
    return Response(status_code=204) if by_itself else go(f"/tasks/{task.task_id}")


async def comment(visit: Visit) -> Response:
    """Adds a comment."""
    return await _say(
        visit,
        lambda text: visit.tasks.add_comment(
            AddCommentRequest(task_id=_task_id(visit), text=text), request_id=visit.request_id
        ),
    )


async def request_changes(visit: Visit) -> Response:
    """Asks whoever asked for changes."""
    return await _say(
        visit,
        lambda text: visit.tasks.request_changes(
            RequestChangesRequest(task_id=_task_id(visit), message=text), request_id=visit.request_id
        ),
    )


async def answer(visit: Visit) -> Response:
    """Answers a request for changes."""
    return await _say(
        visit,
        lambda text: visit.tasks.answer_task(
            AnswerTaskRequest(task_id=_task_id(visit), message=text), request_id=visit.request_id
        ),
    )


async def _say(visit: Visit, send: Any) -> Response:
    text = visit.value("text")
    if text:
        try:
            await send(text)
        except Unauthenticated:
            raise
        except Error as refused:
            return await _refuse(visit, refused)
    return go(f"/tasks/{_task_id(visit)}#history")


def _read(visit: Visit, task: Task) -> tuple[dict[str, Any], Reader]:
    reader = Reader(
        without_row(visit.posted, visit.value("remove_row")), visit.words.zone, language=visit.words.language
    )
    return reader.read(task.form or {"properties": {}}), reader


async def _show_again(visit: Visit, refused: Error, data: dict[str, Any]) -> Response:
    seen: Seen = await look(visit)
    problem = None if refused.errors else visit.words.refusal(refused)
    return await show(visit, seen, status=refused.http_status, typed=data, errors=refused.errors, problem=problem)


async def _refuse(visit: Visit, refused: Error) -> Response:
    """Shows the task as it is now, and why nothing was done."""
    return await show(visit, await look(visit), status=refused.http_status, problem=visit.words.refusal(refused))


def _task_id(visit: Visit) -> str:
    return str(visit.request.path_params["task_id"])
