"""The workflow behind a race; a module of its own because the sandbox imports it."""

from typing import Any

from orkestra.sdk import SLA, Context, TaskCancelled, TaskExpired, escalate, group, task, workflow
from pydantic import BaseModel

FORM = {"answer": {"type": "text", "required": True}}


class Round(BaseModel):
    kind: str
    tenant_id: str


@workflow("race")
async def race(ctx: Context, input: Round) -> dict[str, Any]:  # noqa: A002 - an author's name for it
    chain = [escalate(after=f"{minute}m", remind=True) for minute in range(1, 9)]
    ends: dict[str, Any] = {"default": {"answer": "Nobody said."}} if input.kind == "default" else {}
    policy = {"required": 2, "veto": False} if input.kind.startswith("votes") else None
    sla = SLA(complete="1h", escalate=chain, **ends)
    try:
        result = await task(title="Race", form=FORM, assign_to=group("l1"), sla=sla, approval_policy=policy)
    except (TaskExpired, TaskCancelled) as end:
        return {"status": "expired" if isinstance(end, TaskExpired) else "cancelled"}
    return {
        "status": "completed",
        "outcome": result.outcome,
        "result": result.data,
        "completed_by": result.completed_by,
        "decided_by": result.decided_by,
    }
