"""The erasure of one person's data: asked for by an admin, done service by service, and kept as an act."""

from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, operation, read
from orkestra.v1.identity import UserStatus
from orkestra.v1.workflow import (
    ErasedPart,
    ErasePartRequest,
    ErasePersonRequest,
    Erasure,
    ErasureStatus,
    ErasureStep,
    GetErasureRequest,
    ListErasuresRequest,
    ListErasuresResponse,
)
from orkestra.wire import Context, FailedPrecondition, FieldError, InvalidArgument, NotFound, Unavailable
from orkestra.workflow_worker import rules
from orkestra.workflow_worker.operations.base import Base, Engine, sql

LONGEST_REASON = 500
ERASED_PARTS = ("identity", "events", "task", "notification", "workflow")
"""In this order: what others would hear of a person late is taken out of the streams first.

With the last part it is done once more, for what was still on its way into the streams.
"""


class Erasing(Base):
    """The rpcs about erasures."""

    async def erase_person(self, ctx: Context, request: ErasePersonRequest) -> Erasure:
        rules.check_may("erase", ctx.principal)
        if request.reason is not None and not 1 <= len(request.reason) <= LONGEST_REASON:
            raise _refused("reason", f"1 to {LONGEST_REASON} characters.")
        person = await self.rooms.find_person(ctx.tenant_id, request.user_id)
        if person.status is not UserStatus.DISABLED:
            told = "Only a disabled person is erased: disable them first, so that nobody works under that name."
            raise FailedPrecondition("USER_NOT_DISABLED", told)
        erasure = await self._record(ctx, request.model_copy(update={"user_id": person.user_id}))
        try:
            await start_erasure(self.database, self.engine, ctx.tenant_id, erasure.erasure_id)
        except Unavailable:
            return erasure  # the sweep does it
        return erasure

    @operation
    async def _record(self, tx: Tx, request: ErasePersonRequest) -> Erasure:
        """Keep what was asked for; a person is erased once at a time."""
        named = {"tenant_id": tx.tenant_id, "user_id": request.user_id}
        asked = await sql.insert_erasure.one(
            tx.conn, Erasure, **named, requested_by=tx.ctx.subject, reason=request.reason
        )
        running = asked or await sql.running_erasure.one(tx.conn, Erasure, **named)
        assert running is not None  # noqa: S101 - it was in the way of the insert
        return running

    @read
    async def get_erasure(self, tx: Tx, request: GetErasureRequest) -> Erasure:
        rules.check_may("see_erasures", tx.ctx.principal)
        return await _erasure(tx, request.erasure_id)

    @read
    async def list_erasures(self, tx: Tx, request: ListErasuresRequest) -> ListErasuresResponse:
        rules.check_may("see_erasures", tx.ctx.principal)
        size = rules.page_size(request.page_size)
        before = rules.page_start(request.page_token, prefix="erasure_")
        found = await sql.list_erasures.all(tx.conn, Erasure, tenant_id=tx.tenant_id, before=before, page_size=size + 1)
        more = rules.page_token(found[size - 1].erasure_id) if len(found) > size else None
        return ListErasuresResponse(erasures=found[:size], next_page_token=more)

    async def erase_part(self, ctx: Context, request: ErasePartRequest) -> ErasureStep:
        """Erase the next of what one service has, and keep how much that was."""
        rules.check_may("keep_house", ctx.principal)
        if request.part not in ERASED_PARTS:
            raise _refused("part", f"One of {', '.join(ERASED_PARTS)}.")
        asked = await self._asked(ctx, GetErasureRequest(erasure_id=request.erasure_id))
        if asked.status is ErasureStatus.DONE or request.part in {one.part for one in asked.parts}:
            return ErasureStep(erased=0, more=False)
        named = {"user_id": asked.user_id, "asked_by": asked.requested_by}
        if request.part == "workflow":
            erased, more = await self.rooms.erase(ctx.tenant_id, "events", **named)
            erased += await self._erase_here(ctx.tenant_id, asked.user_id)
        else:
            erased, more = await self.rooms.erase(ctx.tenant_id, request.part, **named)
        step = ErasureStep(erased=erased, more=more)
        await self._note(ctx, request, step)
        return step

    async def _erase_here(self, tenant_id: str, user_id: str) -> int:
        async with self.database.transaction(tenant_id) as conn:
            conn.send_ahead(sql.begin_erasure.text)
            asked = await sql.erase_asked.execute(conn, tenant_id=tenant_id, user_id=user_id)
            answers: int = await sql.erase_answers.value(conn, tenant_id=tenant_id, principal=user_id)
        return asked + answers

    @read
    async def _asked(self, tx: Tx, request: GetErasureRequest) -> Erasure:
        return await _erasure(tx, request.erasure_id)

    async def _note(self, ctx: Context, request: ErasePartRequest, step: ErasureStep) -> None:
        named = {"tenant_id": ctx.tenant_id, "erasure_id": request.erasure_id}
        async with self.database.transaction(ctx.tenant_id) as conn:
            row = await sql.lock_erasure.row(conn, **named)
            if row is None:  # its tenant was deleted
                return
            parts, counted = list(row["parts"]), row["counted"] + step.erased
            if not step.more:
                parts.append(ErasedPart(part=request.part, erased=counted).model_dump(mode="json"))
                counted = 0
            is_done = len(parts) == len(ERASED_PARTS)
            await sql.note_erased.execute(conn, **named, parts=parts, counted=counted, is_done=is_done)


async def start_erasure(database: Database, engine: Engine, tenant_id: str, erasure_id: str) -> None:
    """Have Temporal go through with an erasure; Unavailable where it cannot be reached."""
    await engine.start_erasure(tenant_id, erasure_id)
    async with database.transaction(tenant_id) as conn:
        await sql.note_erasure_started.execute(conn, tenant_id=tenant_id, erasure_id=erasure_id)


async def _erasure(tx: Tx, erasure_id: str) -> Erasure:
    found = await sql.get_erasure.one(tx.conn, Erasure, tenant_id=tx.tenant_id, erasure_id=erasure_id)
    if found is None:
        raise NotFound("ERASURE_NOT_FOUND", f"There is no erasure {erasure_id[:100]}.")
    return found


def _refused(path: str, message: str) -> InvalidArgument:
    return InvalidArgument("REQUEST_INVALID", f"{path}: {message}", errors=[FieldError(path, "invalid", message)])
