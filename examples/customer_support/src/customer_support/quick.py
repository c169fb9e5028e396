"""The same workflow with an SLA of seconds, to watch it run out."""

from orkestra.sdk import SLA, Context, escalate, group, task, workflow

from customer_support.workflows import Question, Reply


@workflow("customer-support-quick", version=1)
async def customer_support_quick(ctx: Context, input: Question) -> dict[str, str]:
    """Ask a person, who has three seconds."""
    result = await task(
        ctx,
        title="Customer needs help",
        description=input.question,
        form=Reply,
        assign_to=group("support-l1"),
        context={"conversation_id": input.conversation_id, "customer_id": input.customer_id},
        sla=SLA(complete="3s", escalate=[escalate(after="1s", assign_to=group("support-l2"))]),
    )
    return {"answer": result.data.answer, "handled_by": "human"}
