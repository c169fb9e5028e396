"""Files of tasks for tests of dashboard: in memory, decided by orkestra.rules."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from orkestra import rules
from orkestra.rules.attaching import Named
from orkestra.rules.media_types import media_type_of
from orkestra.v1.task import (
    AddAttachmentPartRequest,
    Attachment,
    AttachmentContent,
    AttachmentUpload,
    BeginAttachmentRequest,
    DropAttachmentRequest,
    FinishAttachmentRequest,
    GetAttachmentRequest,
    ListAttachmentsRequest,
    ListAttachmentsResponse,
    ReadAttachmentRequest,
    RemoveAttachmentRequest,
    Task,
)
from orkestra.wire import Context, Error

LIMITS = rules.AttachmentLimits(max_size=200_000, max_count=5)


@dataclass
class Files:
    """The rpcs of files; `_found` is the rest of the room's."""

    attached: dict[str, list[Attachment]] = field(default_factory=dict, kw_only=True)
    begun: dict[str, tuple[BeginAttachmentRequest, Named]] = field(default_factory=dict, kw_only=True)
    contents: dict[str, bytes] = field(default_factory=dict, kw_only=True)

    def _found(self, ctx: Context, task_id: str) -> Task:
        raise NotImplementedError

    async def begin_attachment(self, ctx: Context, request: BeginAttachmentRequest) -> AttachmentUpload:
        task = self._live(ctx, request.task_id, "attach")
        named = rules.begun(request, task, LIMITS, others=len(self.attached.get(task.task_id, [])))
        if isinstance(named, Error):
            raise named
        attachment_id = f"attachment_{uuid4().hex}"
        self.begun[attachment_id], self.contents[attachment_id] = (request, named), b""
        return self._upload(attachment_id)

    async def add_attachment_part(self, ctx: Context, request: AddAttachmentPartRequest) -> AttachmentUpload:
        self.contents[request.attachment_id] += base64.b64decode(request.content)
        return self._upload(request.attachment_id)

    async def finish_attachment(self, ctx: Context, request: FinishAttachmentRequest) -> Attachment:
        asked, named = self.begun[request.attachment_id]
        content = self.contents[request.attachment_id]
        refusal = rules.refusal_of_content(named.media_type, content[: rules.HEAD_BYTES], LIMITS)
        if refusal is not None:
            raise refusal
        return self.keep(asked.task_id, named.name, content, by=ctx.subject, field=asked.field, **_kind(named))

    def keep(self, task_id: str, name: str, content: bytes, *, by: str, **more: Any) -> Attachment:
        """Attach a file without sending it."""
        file = Attachment(
            **{"attachment_id": f"attachment_{uuid4().hex}", "media_type": media_type_of(name, None)} | more,
            task_id=task_id,
            name=name,
            size=len(content),
            sha256=sha256(content).hexdigest(),
            created_by=by,
            created_at=datetime.now(UTC),
        )
        self.contents[file.attachment_id] = content
        self.attached.setdefault(task_id, []).append(file)
        return file

    async def drop_attachment(self, ctx: Context, request: DropAttachmentRequest) -> AttachmentUpload:
        return self._upload(request.attachment_id)

    async def list_attachments(self, ctx: Context, request: ListAttachmentsRequest) -> ListAttachmentsResponse:
        task = self._found(ctx, request.task_id)
        return ListAttachmentsResponse(attachments=self.attached.get(task.task_id, []))

    async def get_attachment(self, ctx: Context, request: GetAttachmentRequest) -> Attachment:
        return self._file(ctx, request.task_id, request.attachment_id)

    async def read_attachment(self, ctx: Context, request: ReadAttachmentRequest) -> AttachmentContent:
        file = self._file(ctx, request.task_id, request.attachment_id)
        piece = self.contents[file.attachment_id][request.offset or 0 :][: request.size]
        return AttachmentContent(content=base64.b64encode(piece).decode())

    async def remove_attachment(self, ctx: Context, request: RemoveAttachmentRequest) -> Attachment:
        task = self._live(ctx, request.task_id, "view")
        file = self._file(ctx, request.task_id, request.attachment_id)
        refusal = rules.refusal_of_removal(task, file, ctx.principal)
        if refusal is not None:
            raise refusal
        self.attached[task.task_id].remove(file)
        return file

    def _live(self, ctx: Context, task_id: str, operation: str) -> Task:
        decision = rules.decide_attaching(operation, self._found(ctx, task_id), ctx.principal, datetime.now(UTC))
        if decision.refusal is not None:
            raise decision.refusal
        return decision.task

    def _file(self, ctx: Context, task_id: str, attachment_id: str) -> Attachment:
        files = self.attached.get(self._found(ctx, task_id).task_id, [])
        found = next((each for each in files if each.attachment_id == attachment_id), None)
        if found is None:
            raise rules.attachment_not_found(attachment_id)
        return found

    def _upload(self, attachment_id: str) -> AttachmentUpload:
        request, named = self.begun[attachment_id]
        sizes = {"part_size": rules.PART_BYTES, "max_size": named.max_size}
        received = len(self.contents[attachment_id])
        return AttachmentUpload(attachment_id=attachment_id, task_id=request.task_id, received=received, **sizes)

    def named(self, task: Task, request: Any) -> tuple[Any, frozenset[str]]:
        """A request to answer with its files as they are kept, and the files that are not there."""
        data, strangers = rules.answer_with_files(task, request.data, self.attached.get(task.task_id, []))
        return request.model_copy(update={"data": data}), strangers


def _kind(named: Named) -> dict[str, str]:
    return {"media_type": named.media_type}
