"""What is said about a task, and who is called to it."""

import secrets

from orkestra.chassis.operations import Tx, operation
from orkestra.rules import decide_comment, mentions_in, mint_task_id
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.reading import seen_task
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.storing import absences_after, locked, refuse, store
from orkestra.task_service.rules import as_told_later, audience_now, comment_place, comment_token, page_size_of
from orkestra.v1.events import TaskEvent
from orkestra.v1.task import AddCommentRequest, Comment, ListCommentsRequest, ListCommentsResponse, Task
from orkestra.wire import NotFound


class Commenting(Base):
    """The rpcs of comments. They change no version: what is decided on stays as it is."""

    @operation
    async def add_comment(self, tx: Tx, request: AddCommentRequest) -> Comment:
        """Add the comment, and show the task to the people whom it mentions."""
        mentions = await self._mentions(tx, request)
        seen, now = await locked(tx, request.task_id)
        decision = decide_comment(seen, tx.ctx.principal, now, request, mentions=mentions)
        decision = await store(tx, seen, decision)
        if decision.refusal is not None:
            await refuse(tx, decision.refusal)
        task = decision.task
        comment = await sql.add_comment.one(
            tx.conn,
            Comment,
            task_id=task.task_id,
            comment_id=mint_task_id(now, secrets.randbits(74)).replace("task_", "comment_"),
            author=tx.ctx.subject,
            author_name=tx.ctx.principal.name,
            text=request.text,
            mentions=mentions,
            created_at=now,
            door=tx.ctx.door,
            mentioned_users=task.mentioned_users,
            audience=[f"user:{user}" for user in mentions],
        )
        if comment is None:
            raise NotFound("TASK_NOT_FOUND", f"There is no task {request.task_id[:100]}.")
        await _tell(tx, "commented", task, mentioned=[])
        if mentions:
            await _tell(tx, "mentioned", task, mentioned=mentions)
        return comment

    async def _mentions(self, tx: Tx, request: AddCommentRequest) -> list[str]:
        """Return whom the text mentions, before any lock: identity-service may have to be asked."""
        names = mentions_in(request.text)
        if not names:
            return []
        await seen_task(tx, request.task_id)
        return await self.people.mentioned(tx, names)

    @operation
    async def list_comments(self, tx: Tx, request: ListCommentsRequest) -> ListCommentsResponse:
        """Return a page of the comments of a task that the caller may see, oldest first."""
        size, after = page_size_of(request.page_size), comment_place(request.page_token)
        task = await seen_task(tx, request.task_id)
        found = await sql.task_comments.all(tx.conn, Comment, task_id=task.task_id, after=after, limit=size + 1)
        token = comment_token(found[size - 1].comment_id) if len(found) > size else None
        return ListCommentsResponse(comments=found[:size], next_page_token=token)


async def _tell(tx: Tx, event: str, task: Task, *, mentioned: list[str]) -> None:
    seen_by = audience_now([task], await absences_after(tx, task))
    payload = TaskEvent(task=as_told_later(task), audience=seen_by, actor=tx.ctx.subject, mentioned=mentioned)
    await tx.emit(aggregate="task", event=event, payload=payload, key=task.task_id, version=task.version)
