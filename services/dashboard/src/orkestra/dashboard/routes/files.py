"""Files on a task's page: taken from forms while they come, listed, saved by the browser, removed."""

from collections.abc import AsyncIterator

from fastapi.responses import Response, StreamingResponse
from orkestra.chassis.files import content_headers, pieces
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.task import look, show
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.task import GetAttachmentRequest, GetTaskRequest, RemoveAttachmentRequest
from orkestra.wire import Error, Unauthenticated


async def attach_files(visit: Visit) -> Response:
    """Answers what was sent to the task: one choice of the form for a script, else the page."""
    task_id = str(visit.request.path_params["task_id"])
    if not visit.sent:
        await visit.tasks.get_task(GetTaskRequest(task_id=task_id))
    refused = [each.refusal for each in visit.sent if each.refusal is not None]
    if "x-csrf-token" in visit.request.headers:
        return _for_script(visit, refused)
    if refused:
        problem = " ".join(visit.words.refusal(each) for each in refused)
        return await show(visit, await look(visit), status=refused[0].http_status, problem=problem)
    return go(f"/tasks/{task_id}#files")


async def download(visit: Visit) -> Response:
    """Gives a file to be saved; no page of ours ever shows one."""
    ids = visit.request.path_params
    file = await visit.tasks.get_attachment(GetAttachmentRequest(**ids))
    body = pieces(visit.tasks, file, 0, file.size)
    first = await anext(body, b"")
    headers = content_headers(file) | {"Content-Length": str(file.size)}
    return StreamingResponse(_beginning_with(first, body), headers=headers)


async def remove_file(visit: Visit) -> Response:
    """Removes a file of the task."""
    ids = visit.request.path_params
    try:
        await visit.tasks.remove_attachment(RemoveAttachmentRequest(**ids), request_id=visit.request_id)
    except Unauthenticated:
        raise
    except Error as refused:
        seen = await look(visit)
        return await show(visit, seen, status=refused.http_status, problem=visit.words.refusal(refused))
    return go(f"/tasks/{ids['task_id']}#files")


def _for_script(visit: Visit, refused: list[Error]) -> Response:
    if refused:
        return Response(visit.words.refusal(refused[0]), refused[0].http_status, media_type="text/plain")
    files = [each.file for each in visit.sent if each.file is not None]
    name = f"data.{visit.sent[0].field}" if visit.sent and visit.sent[0].field else ""
    return visit.fragment("_files.html", files=files, name=name)


async def _beginning_with(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in others:
        yield piece
