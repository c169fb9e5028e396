"""What people made of the drafts of agents, page by page."""

from typing import Any

from orkestra.chassis.operations import Tx, read
from orkestra.rules import may_in_tenant
from orkestra.rules.corrections import correction_of
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.storing import task_of
from orkestra.task_service.rules import page_token, place_of, redacted, small_page_size_of
from orkestra.v1.task import Correction, ListCorrectionsRequest, ListCorrectionsResponse, Task

LARGEST_ANSWER = 2 * 1024 * 1024
"""Bytes after which a page is full, whatever its size; one correction is on it at least."""


class Correcting(Base):
    """The rpc that exports corrections."""

    @read
    async def list_corrections(self, tx: Tx, request: ListCorrectionsRequest) -> ListCorrectionsResponse:
        """Return a page of corrections by the time of their answers."""
        refusal = may_in_tenant("view_corrections", tx.ctx.principal)
        if refusal is not None:
            raise refusal
        size = small_page_size_of(request.page_size)
        after_at, after_task = place_of(request.page_token)
        rows = await sql.list_corrections.rows(
            tx.conn,
            after_at=after_at,
            after_task=after_task,
            answered_after=request.answered_after,
            answered_before=request.answered_before,
            type=request.type,
            limit=size + 1,
        )
        found = [_shown(task_of(row)) for row in rows]
        page = found[: min(size, _how_many_fit(found))]
        last = page[-1] if len(page) < len(found) else None
        token = None if last is None else page_token(last.answered_at.isoformat(), last.task_id)
        return ListCorrectionsResponse(corrections=page, next_page_token=token)


def _shown(task: Task) -> Correction:
    fields: dict[str, Any] = (task.form or {}).get("properties", {})
    return correction_of(task, lambda value, name: redacted(value, fields.get(name, {})))


def _how_many_fit(found: list[Correction]) -> int:
    total = 0
    for number, one in enumerate(found):
        total += len(one.model_dump_json())
        if total > LARGEST_ANSWER:
            return max(number, 1)
    return len(found)
