"""A task as the people of a test see it."""

from collections.abc import Mapping
from typing import Any

from orkestra.sdk.testing.files import reference_of
from orkestra.sdk.testing.world import TaskWorld
from orkestra.v1.task import (
    AddCommentRequest,
    AnswerTaskRequest,
    AssignTaskRequest,
    BeginAttachmentRequest,
    CancelTaskRequest,
    CompleteTaskRequest,
    DelegateTaskRequest,
    EscalateTaskRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    Task,
    UndoTaskRequest,
    UpdateTaskRequest,
    VoteChoice,
    VoteTaskRequest,
)
from pydantic import BaseModel


class HumanTask:
    """A task as the test's people see it."""

    def __init__(self, world: TaskWorld, task_id: str) -> None:
        self._world = world
        self.task_id = task_id

    @property
    def current(self) -> Task:
        """The task as it is now."""
        return self._world.get(self.task_id)

    async def claim(self, *, by: str) -> Task:
        """Claim it for a person."""
        return await self._world.claim(self.task_id, by=by)

    async def release(self, *, by: str) -> Task:
        """Put it back."""
        return await self._world.release(self.task_id, by=by)

    async def assign(self, *, by: str, reason: str = "Assigned.", **to: Any) -> Task:
        """Give it to others as a manager: `assignee`, `candidate_users`, `candidate_groups`."""
        return await self._world.assign(AssignTaskRequest(task_id=self.task_id, reason=reason, **to), by=by)

    async def delegate(self, to: str, *, by: str, reason: str = "Delegated.") -> Task:
        """Hand it to another candidate, as the person who has it."""
        request = DelegateTaskRequest(task_id=self.task_id, assignee=to, reason=reason)
        return await self._world.delegate(request, by=by)

    async def update(self, *, by: str, **changes: Any) -> Task:
        """Change it as a manager: `priority`, `complete_by`, `add_tags`, `title` and so on."""
        return await self._world.update(UpdateTaskRequest(task_id=self.task_id, **changes), by=by)

    async def escalate(self, *, by: str, reason: str | None = None) -> Task:
        """Perform the next step of its chain now, as a manager."""
        return await self._world.escalate(EscalateTaskRequest(task_id=self.task_id, reason=reason), by=by)

    async def attach(
        self, name: str, content: bytes, *, by: str, media_type: str | None = None, field: str | None = None
    ) -> dict[str, Any]:
        """Attach a file as a person; returns it as an answer names it in a `file` field."""
        request = BeginAttachmentRequest(
            task_id=self.task_id, name=name, media_type=media_type, size=len(content), field=field
        )
        attached = await self._world.attach(request, content, by=by)
        return reference_of(attached)

    def content_of(self, file: Mapping[str, Any] | BaseModel) -> bytes:
        """Return what a file holds, by what names it in an answer."""
        named = file.model_dump() if isinstance(file, BaseModel) else file
        return self._world.files.contents[named["attachment_id"]]

    async def complete(
        self, *, by: str, outcome: str | None = None, data: Mapping[str, Any] | None = None, **fields: Any
    ) -> Task:
        """Answer it as a person: the fields by name, or all of them as `data`. Raises what the service would refuse."""
        answer = {**(data or {}), **fields}
        request = CompleteTaskRequest(task_id=self.task_id, data=answer, outcome=outcome)
        return await self._world.complete(request, by=by)

    async def vote(
        self, choice: str, *, by: str, data: Mapping[str, Any] | None = None, revision: int | None = None, **fields: Any
    ) -> Task:
        """Vote on it as a person, `approve` or `reject`, with the form as `complete` takes it."""
        seen = self.current.revision if revision is None else revision
        answer, said = {**(data or {}), **fields}, VoteChoice(choice)
        return await self._world.vote(
            VoteTaskRequest(task_id=self.task_id, choice=said, data=answer, revision=seen), by=by
        )

    async def undo(self, *, by: str, reason: str | None = None) -> Task:
        """Take the answer back as whoever gave it, where the test has an `undo_window`."""
        return await self._world.undo(UndoTaskRequest(task_id=self.task_id, reason=reason), by=by)

    async def save_draft(self, *, by: str, **fields: Any) -> Task:
        """Keep what a person has typed so far."""
        return await self._world.save_draft(SaveDraftRequest(task_id=self.task_id, data=fields), by=by)

    async def comment(self, text: str, *, by: str) -> Task:
        """Say something about it as a person who sees it."""
        return await self._world.comment(AddCommentRequest(task_id=self.task_id, text=text), by=by)

    async def request_changes(self, message: str, *, by: str, answer_within: str | None = None) -> Task:
        """Ask whoever wants the decision for changes, as the person who holds the task."""
        request = RequestChangesRequest(task_id=self.task_id, message=message, answer_within=answer_within)
        return await self._world.request_changes(request, by=by)

    async def answer(self, message: str, *, by: str) -> Task:
        """Answer the reviewer as whoever asked for the run."""
        return await self._world.answer(AnswerTaskRequest(task_id=self.task_id, message=message), by=by)

    async def cancel(self, *, by: str, reason: str | None = None) -> Task:
        """End it without an answer, as a manager."""
        return await self._world.cancel(CancelTaskRequest(task_id=self.task_id, reason=reason), by=by)
