"""What people made of the drafts of agents, page by page and in numbers."""

from datetime import datetime, timedelta
from typing import Any

from orkestra.chassis.operations import Tx, read
from orkestra.rules import may_in_tenant
from orkestra.rules.calibrating import TARGET, Kept, bands, is_enough, suggested_threshold
from orkestra.rules.corrections import correction_of
from orkestra.task_service.operations.base import Base
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.operations.storing import task_of
from orkestra.task_service.rules import page_token, place_of, redacted, small_page_size_of
from orkestra.v1.task import (
    Correction,
    CorrectionStatistics,
    EscalationPolicy,
    GetCorrectionStatisticsRequest,
    ListCorrectionsRequest,
    ListCorrectionsResponse,
    Task,
)
from orkestra.wire import FieldError, InvalidArgument

SPAN = timedelta(days=30)
LONGEST_SPAN = timedelta(days=366)
MOST_FIELDS = 200

LARGEST_ANSWER = 2 * 1024 * 1024
"""Bytes after which a page is full, whatever its size; one correction is on it at least."""


class Correcting(Base):
    """The rpcs that export corrections and count them."""

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

    @read
    async def get_correction_statistics(self, tx: Tx, request: GetCorrectionStatisticsRequest) -> CorrectionStatistics:
        """Say which fields people change, and how far the confidence of agents holds."""
        refusal = may_in_tenant("view_corrections", tx.ctx.principal)
        if refusal is not None:
            raise refusal
        target = await _target(tx) if request.target is None else request.target
        if not 0 <= target <= 1:
            raise _refused("target", "From 0 to 1.")
        after, before = _window(request, await tx.now())
        asked = request.model_dump(include={"type", "agent", "model", "prompt_version"})
        found = await sql.correction_statistics.value(
            tx.conn, **asked, answered_after=after, answered_before=before, most=MOST_FIELDS
        )
        counts = [Kept(*one) for one in found["confidences"]]
        rates = {"fields": [{**one, "change_rate": 1 - one["kept"] / one["drafted"]} for one in found["fields"]]}
        return CorrectionStatistics.model_validate(
            {
                **found,
                **rates,
                "answered_after": after,
                "answered_before": before,
                "target": target,
                "calibration": bands(counts),
                "suggested_threshold": suggested_threshold(counts, target),
                "is_enough": is_enough(counts),
            }
        )


async def _target(tx: Tx) -> float:
    """Return the share of drafts that the tenant wants people to keep."""
    policy = await sql.escalation_policy.one(tx.conn, EscalationPolicy)
    return TARGET if policy is None or policy.kept_target is None else policy.kept_target


def _window(request: GetCorrectionStatisticsRequest, now: datetime) -> tuple[datetime, datetime]:
    before = request.answered_before or now
    after = request.answered_after or before - SPAN
    if not timedelta() < before - after <= LONGEST_SPAN:
        raise _refused("answered_after", "Statistics are of a time that begins before it ends, of at most 366 days.")
    return after, before


def _refused(path: str, message: str) -> InvalidArgument:
    error = FieldError(path, "out_of_range", message)
    return InvalidArgument("REQUEST_INVALID", f"{path}: {message}", errors=[error])


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
