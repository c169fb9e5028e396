"""Files of a test's tasks: kept in memory, by the rules of task-service."""

from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from orkestra import rules
from orkestra.v1.task import Attachment, BeginAttachmentRequest, Task
from orkestra.wire import Error

REFERENCE = ("attachment_id", "name", "media_type", "size")


class Files:
    """What is attached to each task, and what it holds; `limits` are those of an installation that says nothing."""

    def __init__(self) -> None:
        self.limits = rules.AttachmentLimits()
        self.attached: dict[str, list[Attachment]] = {}
        self.contents: dict[str, bytes] = {}

    def attach(
        self, task: Task, request: BeginAttachmentRequest, content: bytes, *, by: str, at: datetime
    ) -> Attachment:
        """Attach a file; raises what the service would refuse."""
        files = self.attached.setdefault(task.task_id, [])
        named = rules.begun(request, task, self.limits, others=len(files))
        if isinstance(named, Error):
            raise named
        refusal = rules.refusal_of_content(named.media_type, content[: rules.HEAD_BYTES], self.limits)
        if refusal is not None:
            raise refusal
        file = Attachment(
            attachment_id=f"attachment_{uuid4().hex}",
            task_id=task.task_id,
            name=named.name,
            media_type=named.media_type,
            size=len(content),
            sha256=sha256(content).hexdigest(),
            created_by=by,
            created_at=at,
            field=request.field,
        )
        files.append(file)
        self.contents[file.attachment_id] = content
        return file

    def named(self, task: Task, data: Any) -> tuple[Any, frozenset[str]]:
        """Return an answer with its files named as they are kept, and those that the task does not have."""
        return rules.answer_with_files(task, data, self.attached.get(task.task_id, []))


def reference_of(file: Attachment) -> dict[str, Any]:
    """Return a file as an answer names it."""
    return file.model_dump(include=set(REFERENCE))
