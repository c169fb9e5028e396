"""Files of tasks: begun, sent in parts, looked at, attached, read and removed."""

import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

import asyncpg
from orkestra.chassis.database import tenant_statement
from orkestra.chassis.operations import Tx, operation
from orkestra.rules import (
    HEAD_BYTES,
    PART_BYTES,
    attachment_not_found,
    begun,
    decide_attaching,
    mint_task_id,
    part_content,
    refusal_of_content,
    refusal_of_parts,
    refusal_of_removal,
    too_large,
)
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.contents import Part, parts_of, place_of
from orkestra.task_service.operations.reading import seen_task
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.storing import locked, refuse, store
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
from orkestra.wire import Context, Error, FieldError, InvalidArgument


class Attaching(Base):
    """The rpcs of files. They change no version: what is decided on stays as it is."""

    @operation
    async def begin_attachment(self, tx: Tx, request: BeginAttachmentRequest) -> AttachmentUpload:
        """Note that a file comes; what can be refused before any of it is sent is."""
        task = await _live(tx, request.task_id)
        others = await sql.count_attachments.value(tx.conn, task_id=task.task_id)
        named = begun(request, task, self.contents.limits, others=others)
        if isinstance(named, Error):
            await refuse(tx, named)
        now = await tx.now()
        row = await sql.begin_attachment.row(
            tx.conn,
            task_id=task.task_id,
            attachment_id=mint_task_id(now, secrets.randbits(74)).replace("task_", "attachment_"),
            name=named.name,
            media_type=named.media_type,
            field=request.field,
            created_by=tx.ctx.subject,
            created_by_name=tx.ctx.principal.name,
            created_at=now,
            door=tx.ctx.door,
            max_size=named.max_size,
            store=self.contents.into,
        )
        return _upload(_there(row, ""))

    async def add_attachment_part(self, ctx: Context, request: AddAttachmentPartRequest) -> AttachmentUpload:
        """Keep the part; of a file that is whole nothing changes any more."""
        row = await self._own(ctx, request.task_id, request.attachment_id)
        if row["closed_at"] is not None:
            return _upload(row)
        content = part_content(request.content, request.number, row["max_size"])
        if isinstance(content, Error):
            raise content
        part = Part(request.number, len(content), sha256(content).hexdigest())
        kept = {each.number: each.size for each in parts_of(row)} | {part.number: part.size}
        if sum(kept.values()) > row["max_size"]:
            raise too_large(row["max_size"])
        await self.contents.store_of(row).put(place_of(row, part), content)
        return await self._note_part(ctx, row, part)

    async def finish_attachment(self, ctx: Context, request: FinishAttachmentRequest) -> Attachment:
        """Attach what was sent, after reading it back from where it is kept."""
        row = await self._own(ctx, request.task_id, request.attachment_id)
        if row["finished_at"] is None:
            row = await self._close(ctx, row)
            refusal = await self._refusal_of(row, request)
            if refusal is not None:
                await self._drop(ctx, row)
                raise refusal
        return await self._finish(ctx, request)

    @operation
    async def _finish(self, tx: Tx, request: FinishAttachmentRequest) -> Attachment:
        row = await _own(tx, await _live(tx, request.task_id), request.attachment_id)
        if row["finished_at"] is not None:
            if row["sha256"] != request.sha256.lower():
                await refuse(tx, _other_content())
            return _attachment(row)
        digests = [(each.number, each.digest) for each in parts_of(row)]
        numbers = [number for number, _ in digests]
        named = _ids(request)
        await sql.drop_other_chunks.execute(
            tx.conn, **named, numbers=numbers, digests=[digest for _, digest in digests]
        )
        told = _attachment(row, digest=request.sha256.lower())
        finished = await sql.finish_attachment.one(
            tx.conn,
            Attachment,
            **named,
            sha256=told.sha256,
            at=await tx.now(),
            actor=tx.ctx.subject,
            door=tx.ctx.door,
            after=_recorded(told),
        )
        if finished is None:
            raise attachment_not_found(request.attachment_id)
        return finished

    @operation
    async def drop_attachment(self, tx: Tx, request: DropAttachmentRequest) -> AttachmentUpload:
        """Forget a file that was begun."""
        row = await _own(tx, await seen_task(tx, request.task_id), request.attachment_id)
        if row["finished_at"] is not None:
            raise attachment_not_found(request.attachment_id)
        await sql.drop_attachment.execute(tx.conn, task_id=row["task_id"], attachment_id=row["attachment_id"])
        return _upload(row)

    @operation
    async def list_attachments(self, tx: Tx, request: ListAttachmentsRequest) -> ListAttachmentsResponse:
        """Return the files of a task that the caller may see."""
        task = await seen_task(tx, request.task_id)
        found = await sql.task_attachments.all(tx.conn, Attachment, task_id=task.task_id)
        return ListAttachmentsResponse(attachments=found)

    @operation
    async def get_attachment(self, tx: Tx, request: GetAttachmentRequest) -> Attachment:
        """Return what is known of a file of a task that the caller may see."""
        return _attachment(await _finished(tx, await seen_task(tx, request.task_id), request.attachment_id))

    async def read_attachment(self, ctx: Context, request: ReadAttachmentRequest) -> AttachmentContent:
        """Return a piece of a file: at most what is left of one part."""
        row = await self._seen(ctx, request.task_id, request.attachment_id)
        offset, size = request.offset or 0, PART_BYTES if request.size is None else request.size
        if offset < 0 or size < 1:
            message = "Read from a place of the file, and at least one byte."
            raise InvalidArgument("REQUEST_INVALID", message, errors=[FieldError("offset", "out_of_range", message)])
        part = {each.number: each for each in parts_of(row)}.get(offset // PART_BYTES + 1)
        start = offset % PART_BYTES
        if part is None or start >= part.size:
            return AttachmentContent(content="")
        content = await self.contents.store_of(row).read(place_of(row, part), start, min(size, part.size - start))
        return AttachmentContent(content=base64.b64encode(content).decode())

    @operation
    async def remove_attachment(self, tx: Tx, request: RemoveAttachmentRequest) -> Attachment:
        """Remove the file and its content; the history keeps what it was, and its digest."""
        task = await _live(tx, request.task_id, "view")
        gone = _attachment(await _finished(tx, task, request.attachment_id))
        refusal = refusal_of_removal(task, gone, tx.ctx.principal)
        if refusal is not None:
            await refuse(tx, refusal)
        await sql.remove_attachment.execute(
            tx.conn,
            **_ids(request),
            at=await tx.now(),
            actor=tx.ctx.subject,
            door=tx.ctx.door,
            before=_recorded(gone),
        )
        return gone

    async def _own(self, ctx: Context, task_id: str, attachment_id: str) -> asyncpg.Record:
        """Return a file that the caller has begun, of a task that it may still attach to."""
        async with self._transaction(ctx) as tx:
            return await _own(tx, await _live(tx, task_id), attachment_id)

    async def _seen(self, ctx: Context, task_id: str, attachment_id: str) -> asyncpg.Record:
        async with self._transaction(ctx) as tx:
            return await _finished(tx, await seen_task(tx, task_id), attachment_id)

    @asynccontextmanager
    async def _transaction(self, ctx: Context) -> AsyncIterator[Tx]:
        """Yield one of several transactions of a call: content is moved between them, and none waits for that."""
        async with self.database.opened(tenant_statement(ctx.tenant_id)) as conn:
            tx = Tx(ctx, conn, tenant_id=ctx.tenant_id, database=self.database)
            yield tx
            await tx.commit()

    async def _note_part(self, ctx: Context, seen: asyncpg.Record, part: Part) -> AttachmentUpload:
        async with self.database.transaction(ctx.tenant_id) as conn:
            row = _there(await sql.lock_attachment.row(conn, **_ids_of(seen)), seen["attachment_id"])
            if row["closed_at"] is not None:
                return _upload(row)
            parts = sorted([*(each for each in parts_of(row) if each.number != part.number), part])
            size = sum(each.size for each in parts)
            if size > row["max_size"]:
                raise too_large(row["max_size"])
            await sql.note_part.execute(conn, **_ids_of(seen), parts=[list(each) for each in parts], size=size)
            return _upload(row).model_copy(update={"received": size})

    async def _close(self, ctx: Context, seen: asyncpg.Record) -> asyncpg.Record:
        """Take no more parts, where all are there; what is looked at next is what will be attached."""
        async with self.database.transaction(ctx.tenant_id) as conn:
            row = _there(await sql.lock_attachment.row(conn, **_ids_of(seen)), seen["attachment_id"])
            refusal = refusal_of_parts({each.number: each.size for each in parts_of(row)})
            if refusal is not None:
                raise refusal
            await sql.close_attachment.execute(conn, **_ids_of(seen))
            return row

    async def _drop(self, ctx: Context, row: asyncpg.Record) -> None:
        async with self.database.transaction(ctx.tenant_id) as conn:
            await sql.drop_attachment.execute(conn, **_ids_of(row))

    async def _refusal_of(self, row: asyncpg.Record, request: FinishAttachmentRequest) -> Error | None:
        """Return why what is kept is not what was meant, or not what it is said to be."""
        contents, digest, head = self.contents.store_of(row), sha256(), b""
        for part in parts_of(row):
            content = await contents.read(place_of(row, part), 0, part.size)
            digest.update(content)
            head = head or content[:HEAD_BYTES]
        if digest.hexdigest() != request.sha256.lower():
            return _other_content()
        return refusal_of_content(row["media_type"], head, self.contents.limits)


async def _live(tx: Tx, task_id: str, operation: str = "attach") -> Task:
    """Return the locked task after what is due; refuses where the caller may not, or it has ended."""
    seen, now = await locked(tx, task_id)
    decision = decide_attaching(operation, seen, tx.ctx.principal, now)
    decision = await store(tx, seen, decision)
    if decision.refusal is not None:
        await refuse(tx, decision.refusal)
    return decision.task


async def _own(tx: Tx, task: Task, attachment_id: str) -> asyncpg.Record:
    """Return a file that the caller has begun; another's is not there."""
    row = await sql.attachment.row(tx.conn, task_id=task.task_id, attachment_id=attachment_id)
    if row is None or row["created_by"] != tx.ctx.subject:
        raise attachment_not_found(attachment_id)
    return row


async def _finished(tx: Tx, task: Task, attachment_id: str) -> asyncpg.Record:
    row = await sql.finished_attachment.row(tx.conn, task_id=task.task_id, attachment_id=attachment_id)
    return _there(row, attachment_id)


def _there(row: asyncpg.Record | None, attachment_id: str) -> asyncpg.Record:
    if row is None:
        raise attachment_not_found(attachment_id)
    return row


def _upload(row: asyncpg.Record) -> AttachmentUpload:
    return AttachmentUpload(
        attachment_id=row["attachment_id"],
        task_id=row["task_id"],
        part_size=PART_BYTES,
        max_size=row["max_size"],
        received=row["size"],
    )


def _attachment(row: asyncpg.Record, *, digest: str | None = None) -> Attachment:
    named = {name: row[name] for name in Attachment.model_fields if name != "sha256"}
    return Attachment(**named, sha256=digest or row["sha256"])


def _recorded(attachment: Attachment) -> dict[str, object]:
    """Return what history keeps of a file: what it is, and the digest of its content."""
    kept = {"attachment_id", "name", "media_type", "size", "sha256", "field"}
    return {"attachment": attachment.model_dump(mode="json", include=kept, exclude_none=True)}


def _other_content() -> InvalidArgument:
    message = "What has arrived has another SHA-256 than what was meant; send the file again."
    return InvalidArgument("ATTACHMENT_INCOMPLETE", message, errors=[FieldError("sha256", "other_content", message)])


def _ids(request: FinishAttachmentRequest | RemoveAttachmentRequest) -> dict[str, str]:
    return {"task_id": request.task_id, "attachment_id": request.attachment_id}


def _ids_of(row: asyncpg.Record) -> dict[str, str]:
    return {"task_id": row["task_id"], "attachment_id": row["attachment_id"]}
