"""Decide on an expense report in office hours, with three steps before the policy decides."""

from typing import Literal

from orkestra.sdk import SLA, Context, Form, escalate, group, outcome, task, textarea, user, workflow
from pydantic import BaseModel

Decision = Literal["approved", "rejected"]


class Expense(BaseModel):
    """What somebody has spent."""

    employee: str
    purpose: str
    total_cents: int


class Review(
    Form,
    outcomes=[outcome("approve", "Approve", style="primary"), outcome("reject", "Reject", require=["comment"])],
):
    """What the reviewer decides."""

    comment: str | None = textarea()


class Decided(BaseModel):
    """What becomes of the report, and who said so: a person, or the policy."""

    decision: Decision
    by: str
    comment: str | None


@workflow("expense-report", version=1)
async def expense_report(ctx: Context, input: Expense) -> Decided:
    """Have a report reviewed within two days of eight hours; where nobody decides, the report is rejected."""
    result = await task(
        ctx,
        title=f"{input.total_cents / 100:.2f} for {input.purpose}",
        form=Review,
        assign_to=group("approvers"),
        context={"employee": input.employee, "total_cents": input.total_cents},
        excluded_users=[input.employee],
        sla=SLA(
            claim="4h",
            complete="16h",
            calendar="office",
            escalate=[
                escalate(clock="claim", after="100%", remind=True, notify=[group("approvers")]),
                escalate(after="8h", add_group="finance", priority="high"),
                escalate(
                    after="75%", assign_to=group("finance-leads"), priority="urgent", notify=[user(input.employee)]
                ),
            ],
            default=Review(comment="Nobody decided within two working days; hand it in again."),
            default_outcome="reject",
        ),
    )
    decision: Decision = "approved" if result.outcome == "approve" else "rejected"
    return Decided(decision=decision, by=result.completed_by or "policy", comment=result.data.comment)
