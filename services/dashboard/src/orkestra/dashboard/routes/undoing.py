"""Taking an answer back, and for how long a tenant lets people do that."""

from fastapi.responses import Response
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.settings import Trouble, attempt, page
from orkestra.dashboard.routes.task import look, show
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.task import GetTaskSettingsRequest, PutTaskSettingsRequest, UndoTaskRequest
from orkestra.wire import Error, Unauthenticated

NO_NUMBER = -1
"""What stands for something that is no number; the room says what it may be."""


async def undo(visit: Visit) -> Response:
    """Takes the caller's answer back; the task is theirs again, with what they had filled in."""
    task_id = str(visit.request.path_params["task_id"])
    try:
        await visit.tasks.undo_task(UndoTaskRequest(task_id=task_id), request_id=visit.request_id)
    except Unauthenticated:
        raise
    except Error as refused:
        return await show(visit, await look(visit), status=refused.http_status, problem=visit.words.refusal(refused))
    return go(f"/tasks/{task_id}#answer")


async def answers(visit: Visit) -> Response:
    """Shows for how long an answer can be taken back."""
    return await _answers(visit, Trouble())


async def put_answers(visit: Visit) -> Response:
    """Replaces it."""
    seconds = visit.number("undo_seconds")
    request = PutTaskSettingsRequest(
        undo_seconds=NO_NUMBER if seconds is None else seconds, version=visit.number("version")
    )
    return await attempt(visit, lambda: visit.tasks.put_task_settings(request), _answers, "/settings/answers")


async def _answers(visit: Visit, trouble: Trouble) -> Response:
    found = await visit.tasks.get_task_settings(GetTaskSettingsRequest())
    names = await visit.names(found.updated_by)
    typed = visit.value("undo_seconds") or str(found.undo_seconds)
    return await page(visit, "answers", "settings_answers.html", trouble, found=found, names=names, typed=typed)
