"""Files of tasks: sent whole while they come, and given whole or in a range."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import Response, StreamingResponse
from orkestra.api_gateway.routes.problems import limits_of
from orkestra.api_gateway.routes.reading import idempotency_key, language
from orkestra.api_gateway.routes.serving import Caller, Door, bounded
from orkestra.chassis.files import FORM, FormStream, Incoming, attach, content_headers, drain, pieces
from orkestra.v1.task import Attachment, GetAttachmentRequest, TaskServiceClient
from orkestra.wire import Error, FieldError, InvalidArgument
from starlette.exceptions import HTTPException

ATTACH = "/v1/tasks/{task_id}/attachments"
CONTENT = "/v1/tasks/{task_id}/attachments/{attachment_id}/content"
INPUT = "file"
QUERY = frozenset({"name", "field"})
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


def serve_attach(door: Door) -> Callable[[Request], Awaitable[Response]]:
    """Returns the function that answers `POST /v1/tasks/{task_id}/attachments`."""

    async def attach_file(request: Request) -> Response:
        caller = Caller(door, request)
        await caller.admit()
        client = TaskServiceClient(door.rooms[TaskServiceClient], _fresh(caller), door="rest", locale=language(request))
        chunks = request.stream()
        async with bounded(door.transfer_seconds):
            try:
                attached = await _attach(client, request, chunks)
            except (Error, HTTPException):
                await drain(chunks)
                raise
        headers = limits_of(request) | {"Cache-Control": "no-store"}
        headers["Location"] = f"/v1/tasks/{attached.task_id}/attachments/{attached.attachment_id}"
        if client.replayed:
            headers["Idempotency-Replayed"] = "true"
        return Response(attached.model_dump_json(), 201, headers=headers, media_type="application/json")

    return attach_file


def serve_content(door: Door) -> Callable[[Request], Awaitable[Response]]:
    """Returns the function that answers `GET /v1/tasks/{task_id}/attachments/{attachment_id}/content`."""

    async def get_content(request: Request) -> Response:
        caller = Caller(door, request)
        await caller.admit()
        _refuse_query(request, frozenset())
        client = TaskServiceClient(door.rooms[TaskServiceClient], _fresh(caller), door="rest", locale=language(request))
        async with bounded(door.request_seconds):
            file = await client.get_attachment(GetAttachmentRequest(**request.path_params))
            start, end, status = _range(request.headers.get("range"), file)
            body = pieces(client, file, start, end)
            first = await anext(body, b"")
        headers = limits_of(request) | content_headers(file) | {"Accept-Ranges": "bytes", "ETag": f'"{file.sha256}"'}
        headers["Content-Length"] = str(end - start)
        if status == HTTPStatus.PARTIAL_CONTENT:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
        return StreamingResponse(_beginning_with(first, body), int(status), headers=headers)

    return get_content


async def _attach(client: TaskServiceClient, request: Request, chunks: AsyncIterator[bytes]) -> Attachment:
    task_id, key = request.path_params["task_id"], idempotency_key(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    _refuse_query(request, QUERY)
    named = request.query_params
    if kind != FORM:
        if not named.get("name"):
            raise _refused("name", "required", "Say what the file is called: ?name=receipt.pdf.")
        raw = Incoming(named["name"], kind or None, INPUT, chunks)
        size = request.headers.get("content-length", "")
        told = int(size) if size.isdigit() and len(size) < 16 else None
        return await attach(client, task_id, raw, field=named.get("field"), size=told, request_id=key)
    form = FormStream(chunks, request.headers["content-type"])
    async for file in form.files():
        if file.input != INPUT:
            raise _refused(file.input[:100], "unknown_field", f"Send the file as {INPUT}.")
        field = form.fields.get("field", [named.get("field", "")])[0] or None
        unknown = sorted(form.fields.keys() - {"field"})
        if unknown:
            raise _refused(unknown[0][:100], "unknown_field", "Beside the file there is only field, before it.")
        told_as = replace(file, name=named.get("name") or file.name)
        return await attach(client, task_id, told_as, field=field, request_id=key)
    raise _refused(INPUT, "required", f"Send a file as {INPUT}.")


def _fresh(caller: Caller) -> Callable[[], Awaitable[str]]:
    """Returns a source of tokens that are of this moment: a file may take longer than one lasts, or than a right."""

    async def token() -> str:
        await caller.check()
        return caller.token or ""

    return token


async def _beginning_with(first: bytes, others: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in others:
        yield piece


def _range(header: str | None, file: Attachment) -> tuple[int, int, int]:
    """Returns the first byte, the one after the last, and the status (RFC 9110, 14.2); of several ranges none."""
    asked = _RANGE.fullmatch((header or "").strip())
    if asked is None or asked[0] == "bytes=-":
        return 0, file.size, HTTPStatus.OK
    start, last = asked[1], asked[2]
    if not start:
        begin, end = max(file.size - int(last), 0), file.size
    else:
        begin, end = int(start), min(int(last) + 1 if last else file.size, file.size)
    if last and start and int(last) < int(start):
        return 0, file.size, HTTPStatus.OK
    if begin >= end:
        raise HTTPException(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            detail=f"The file has {file.size} bytes.",
            headers={"Content-Range": f"bytes */{file.size}"},
        )
    return begin, end, HTTPStatus.PARTIAL_CONTENT


def _refuse_query(request: Request, known: frozenset[str]) -> None:
    for name, _ in request.query_params.multi_items():
        if name not in known:
            raise _refused(name, "unknown_field", "There is no such query parameter.")
        if len(request.query_params.getlist(name)) > 1:
            raise _refused(name, "duplicate_key", "This query parameter is given twice.")


def _refused(path: str, code: str, message: str) -> InvalidArgument:
    return InvalidArgument("REQUEST_INVALID", f"{path}: {message}", errors=[FieldError(path, code, message)])
