"""Files of tasks as tests send and read them."""

import base64
from hashlib import sha256
from typing import Any

from orkestra.v1.task import (
    AddAttachmentPartRequest,
    Attachment,
    AttachmentUpload,
    BeginAttachmentRequest,
    FinishAttachmentRequest,
    ListAttachmentsRequest,
    ReadAttachmentRequest,
    Task,
)
from task_world import Caller

PDF = b"%PDF-1.7\nA receipt of 12.50 EUR.\n"


async def begin(caller: Caller, task: Task, name: str = "receipt.pdf", **fields: Any) -> AttachmentUpload:
    return await caller.begin_attachment(BeginAttachmentRequest(task_id=task.task_id, name=name, **fields))


async def add(caller: Caller, upload: AttachmentUpload, number: int, content: bytes) -> AttachmentUpload:
    text = base64.b64encode(content).decode()
    named = {"task_id": upload.task_id, "attachment_id": upload.attachment_id}
    return await caller.add_attachment_part(AddAttachmentPartRequest(**named, number=number, content=text))


async def finish(caller: Caller, upload: AttachmentUpload, content: bytes) -> Attachment:
    named = {"task_id": upload.task_id, "attachment_id": upload.attachment_id}
    return await caller.finish_attachment(FinishAttachmentRequest(**named, sha256=sha256(content).hexdigest()))


async def attach(
    caller: Caller, task: Task, name: str = "receipt.pdf", content: bytes = PDF, **fields: Any
) -> Attachment:
    """Send a file whole."""
    upload = await begin(caller, task, name, **fields)
    for number, start in enumerate(range(0, len(content), upload.part_size), start=1):
        await add(caller, upload, number, content[start : start + upload.part_size])
    return await finish(caller, upload, content)


async def files_of(caller: Caller, task: Task) -> list[Attachment]:
    return list((await caller.list_attachments(ListAttachmentsRequest(task_id=task.task_id))).attachments)


async def content_of(caller: Caller, file: Attachment) -> bytes:
    """Read a file whole."""
    found = b""
    while piece := await read(caller, file, len(found)):
        found += piece
    return found


async def read(caller: Caller, file: Attachment, offset: int = 0, size: int | None = None) -> bytes:
    request = ReadAttachmentRequest(task_id=file.task_id, attachment_id=file.attachment_id, offset=offset, size=size)
    return base64.b64decode((await caller.read_attachment(request)).content)


def reference(file: Attachment) -> dict[str, Any]:
    """The file as an answer names it."""
    return file.model_dump(include={"attachment_id", "name", "media_type", "size"})
