"""Ask a person where the assistant was not confident enough."""

from typing import Literal

from orkestra.sdk import SLA, Context, Form, escalate, group, select, task, textarea, workflow
from pydantic import BaseModel


class Question(BaseModel):
    """What the assistant could not answer."""

    question: str
    conversation_id: str
    customer_id: str


class Reply(Form):
    """What the person answers."""

    answer: str = textarea(required=True)
    sentiment: Literal["positive", "neutral", "frustrated"] | None = select()


@workflow("customer-support", version=1)
async def customer_support(ctx: Context, input: Question) -> dict[str, str]:
    """Ask a person where the assistant was not confident enough."""
    result = await task(
        ctx,
        title="Customer needs help",
        description=input.question,
        form=Reply,
        assign_to=group("support-l1"),
        context={"conversation_id": input.conversation_id, "customer_id": input.customer_id},
        sla=SLA(complete="2h", escalate=[escalate(after="30m", assign_to=group("support-l2"))]),
    )
    return {"answer": result.data.answer, "handled_by": "human"}
