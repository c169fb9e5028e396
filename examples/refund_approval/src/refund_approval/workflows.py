"""Pay back only what two people have approved, to the cent."""

from orkestra.sdk import SLA, Context, Form, Receipt, approve, escalate, group, quorum, redeem, text, textarea, workflow
from orkestra.sdk import integer as cents
from pydantic import BaseModel
from temporalio import activity

APPROVERS = ("support-l2", "finance", "fraud")
REFUND = "refund_payment"


class Refund(Form):
    """What the customer is to get back."""

    order_id: str = text(required=True)
    amount_cents: int = cents(required=True, min=1)
    reason: str = textarea(required=True)


class Refunded(BaseModel):
    """What became of it."""

    paid: bool
    payment_id: str | None = None
    decided_by: list[str] = []


@activity.defn
async def pay_refund(order_id: str, amount_cents: int) -> str:
    """Pay; a payment provider stands here. The id is the same for the same refund, however often this is tried."""
    return f"refund-{order_id}-{amount_cents}"


@workflow("refund-approval", version=1)
async def refund_approval(ctx: Context, input: Refund) -> Refunded:
    """Pay back once two people of three departments have approved exactly this amount."""
    args = {"order_id": input.order_id, "amount_cents": input.amount_cents}
    amount = f"{input.amount_cents / 100:.2f}"
    decision = await quorum(
        2,
        *[
            approve(
                ctx,
                REFUND,
                args,
                title=f"Pay back {amount} for order {input.order_id}?",
                description=input.reason,
                assign_to=group(department),
                correlation=input.order_id,
                sla=SLA(complete="2d", escalate=[escalate(after="50%", remind=True, priority="high")]),
            )
            for department in APPROVERS
        ],
        counts=lambda receipt: receipt.is_approved,
        by=_decider,
    )
    decided_by = [receipt.decided_by for receipt in decision.answers]
    if not decision.reached:
        return Refunded(paid=False, decided_by=decided_by)
    for receipt in decision.answers:
        if receipt.is_approved:
            receipt.verify(REFUND, args)
            await redeem(receipt, f"{input.order_id}/{ctx.info.workflow_id}")
    payment_id = await ctx.activity(pay_refund, input.order_id, input.amount_cents)
    return Refunded(paid=True, payment_id=payment_id, decided_by=decided_by)


def _decider(receipt: Receipt) -> str:
    """Whoever is in two departments counts once."""
    return receipt.decided_by
