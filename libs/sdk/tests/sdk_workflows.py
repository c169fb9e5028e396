"""Workflows for the SDK's tests; a module of its own because the sandbox imports it anew."""

import asyncio
from typing import Any

from orkestra.sdk import (
    SLA,
    Answer,
    ChangeRequest,
    Context,
    Form,
    Proposal,
    Receipt,
    TaskCancelled,
    TaskExpired,
    approve,
    boolean,
    escalate,
    group,
    receipt_of,
    redeem,
    task,
    text,
    textarea,
    timeout,
    user,
    workflow,
)
from pydantic import BaseModel
from temporalio import activity
from temporalio import workflow as temporal
from temporalio.exceptions import ApplicationError


class Topic(BaseModel):
    topic: str
    rounds: int = 0


class Verdict(Form):
    good: bool = boolean(required=True)
    why: str | None = textarea()


@activity.defn
async def shout(words: str) -> str:
    return words.upper()


@workflow("everything", version=3, task_queue="special", start_roles=["manager"])
async def everything(ctx: Context, input: Topic) -> dict[str, Any]:
    """Use what a task can be given."""
    result = await task(
        ctx,
        title=f"About {input.topic}",
        form=Verdict,
        assign_to=[group("legal"), user("ana")],
        context={"summary": "own words", "data": {"a": 1}, "topic": input.topic},
        draft={"good": True, "why": Proposal("because", confidence=0.7)},
        type="verdict",
        tags=["x"],
        correlation="case-1",
        priority="high",
        excluded_users=["cara"],
        allow_agents=["helper"],
        four_eyes=True,
        sla=SLA(
            claim="10m",
            complete="1h",
            escalate=[escalate(after="50%", add_group="chiefs", priority="urgent", notify=[group("legal")])],
        ),
    )
    assert type(result.data.good) is bool
    told = {"good": result.data.good, "by": result.completed_by, "tenant": ctx.tenant, "task_id": result.task_id}
    return told | {"decided_by": result.decided_by, "provenance": dict(result.provenance)}


@workflow("alone")
async def alone(ctx: Context, input: Topic) -> str:
    result = await task(ctx, title="For one", form={"name": {"type": "text", "required": True}}, assign_to=user("ana"))
    return str(result.data["name"])


@workflow("patient")
async def patient(ctx: Context, input: Topic) -> str:
    try:
        await task(ctx, title="Soon", assign_to=group("g"), sla=timeout("30m"))
    except TaskExpired:
        return "expired"
    except TaskCancelled as cancelled:
        return f"cancelled: {cancelled.reason}"
    return "answered"


@workflow("decided-by-policy")
async def decided_by_policy(ctx: Context, input: Topic) -> dict[str, Any]:
    sla = SLA(complete="1h", default={"good": False})
    result = await task(ctx, title="Or no", form=Verdict, assign_to=group("g"), sla=sla)
    return {"good": result.data.good, "decided_by": result.decided_by}


@workflow("refused")
async def refused(ctx: Context, input: Topic) -> None:
    await task(ctx, title="x" * 301, assign_to=group("g"))


@workflow("sleepy")
async def sleepy(ctx: Context, input: Topic) -> dict[str, str]:
    began = ctx.now()
    await ctx.sleep("2h")
    return {"slept": str(ctx.now() - began), "said": await ctx.activity(shout, input.topic)}


@workflow("first-wins")
async def first_wins(ctx: Context, input: Topic) -> str:
    """Two at once; the scope of the loser is cancelled."""
    both = [asyncio.create_task(_ask(ctx, name)) for name in ("left", "right")]
    done, waiting = await temporal.wait(both, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    return done[0].result()


async def _ask(ctx: Context, name: str) -> str:
    result = await task(ctx, title=name, assign_to=group("g"))
    return f"{name}: {result.data['answer']}"


@workflow("again")
async def again(ctx: Context, input: Topic) -> str:
    if input.rounds:
        temporal.continue_as_new(Topic(topic=input.topic, rounds=input.rounds - 1))
    result = await task(ctx, title="After all rounds", assign_to=group("g"))
    return str(result.data["answer"])


class Named(Form):
    name: str = text(required=True)


@temporal.defn
class Plain:
    """An ordinary Temporal workflow that asks."""

    @temporal.run
    async def run(self, topic: Topic) -> str:
        result = await task(title=topic.topic, form=Named, assign_to=group("g"))
        return result.data.name


@workflow("parent")
async def parent(ctx: Context, input: Topic) -> str:
    answer: str = await temporal.execute_child_workflow(Plain.run, input, id=f"{ctx.info.workflow_id}-child")
    return f"child said {answer}"


class Told(BaseModel):
    words: str
    by: str | None


@workflow("told-by-a-child")
async def told_by_a_child(ctx: Context, input: Topic) -> Told:
    result = await task(ctx, title="The child's", assign_to=group("g"))
    return Told(words=result.data["answer"], by=result.completed_by)


@workflow("asks-through-a-child")
async def asks_through_a_child(ctx: Context, input: Topic) -> str:
    told = await temporal.execute_child_workflow(told_by_a_child.run, input)
    return f"{told.words} {told.by}"


@workflow("not-json")
async def not_json(ctx: Context, input: Topic) -> object:
    return {"number": float("nan")}


async def explain(asked: ChangeRequest) -> Answer:
    return Answer(f"About {asked.message.lower()}", context={"summary": f"round {asked.round}"})


async def ask_another(asked: ChangeRequest) -> str:
    result = await task(title=f"Help with: {asked.message}")
    return str(result.data["answer"])


@workflow("explains")
async def explains(ctx: Context, input: Topic) -> str:
    """Answer the reviewer from what is known."""
    result = await task(ctx, title=input.topic, assign_to=group("legal"), on_changes_requested=explain)
    return str(result.data["answer"])


@workflow("asks-another")
async def asks_another(ctx: Context, input: Topic) -> str:
    """Ask another person what to answer the reviewer."""
    result = await task(ctx, title=input.topic, assign_to=group("legal"), on_changes_requested=ask_another)
    return str(result.data["answer"])


class Refund(BaseModel):
    order: str
    amount: str


@workflow("refund")
async def refund(ctx: Context, input: Refund) -> dict[str, Any]:
    """Pay back what a person has approved, once."""
    args = {"order": input.order, "amount": input.amount}
    receipt = await approve(ctx, "refund_payment", args, assign_to=group("support-l2"), description="A broken cup")
    if not receipt.is_approved:
        return {"paid": False, "because": receipt.comment}
    receipt.verify("refund_payment", args)
    used = await redeem(receipt, f"refund-{input.order}")
    return {"paid": True, "approved_by": receipt.decided_by, "use": used.use_id}


@workflow("refund-by-votes")
async def refund_by_votes(ctx: Context, input: Refund) -> dict[str, Any]:
    """Pay back what finance and legal have approved."""
    policy = {"from_groups": {"finance": 1, "legal": 1}}
    args = input.model_dump()
    groups = [group("finance"), group("legal")]
    receipt = await approve(ctx, "refund_payment", args, assign_to=groups, approval_policy=policy)
    if receipt.is_approved:
        receipt.verify("refund_payment", args)
    return {"paid": receipt.is_approved, "because": receipt.comment}


@workflow("refund-waits")
async def refund_waits(ctx: Context, input: Refund) -> None:
    """Leave the receipt to others."""
    await approve(ctx, "refund_payment", input.model_dump(), assign_to=group("support-l2"))


@workflow("refund-by-default")
async def refund_by_default(ctx: Context, input: Refund) -> bool:
    """Let the time approve, which it cannot."""
    sla = SLA(complete="1h", default={}, default_outcome="approve")
    return (await approve(ctx, "refund_payment", input.model_dump(), assign_to=group("g"), sla=sla)).is_approved


@workflow("refund-tries")
async def refund_tries(ctx: Context, input: Topic) -> dict[str, str | None]:
    """Say how each way to misuse a receipt is refused."""
    args = {"order": "7", "amount": "80.00"}
    receipt = await approve(ctx, "refund_payment", args, assign_to=group("finance"))
    receipt.verify("refund_payment", args)
    head, body, signature = receipt.token.split(".")
    forged = {
        "signature": receipt.model_copy(update={"token": f"{head}.{body}.{signature[:-8]}AAAAAAAA"}),
        "body": receipt.model_copy(update={"token": f"{head}.{body[:-8]}AAAAAAAA.{signature}"}),
        "no token": receipt.model_copy(update={"token": "approved"}),
        "outside": Receipt.model_validate(receipt.model_dump()),
    }
    refusals = {name: _refusal(one, "refund_payment", args) for name, one in forged.items()}
    refusals["amount"] = _refusal(receipt, "refund_payment", args | {"amount": "8000.00"})
    refusals["action"] = _refusal(receipt, "delete_account", args)
    refusals["altered fields"] = _refusal(receipt.model_copy(update={"expires_at": ctx.now()}), "refund_payment", args)
    again = await receipt_of(receipt.token)
    refusals["read again"] = _refusal(again, "refund_payment", args)
    await ctx.sleep("25h")
    return refusals | {"a day later": _refusal(receipt, "refund_payment", args)}


def _refusal(receipt: Receipt, action: str, args: dict[str, Any]) -> str | None:
    try:
        receipt.verify(action, args)
    except ApplicationError as refusal:
        return f"{refusal.type}: {refusal.message}"
    return None


@workflow("redeems")
async def redeems(ctx: Context, input: Topic) -> list[str]:
    """Use what somebody else's run was given: twice the same use, then another one."""
    receipt = await receipt_of(input.topic)
    uses = [(await redeem(receipt, "use-1")).use_id for _ in range(2)]
    try:
        await redeem(receipt, "use-2")
    except ApplicationError as refusal:
        uses.append(f"{refusal.type}: {refusal.message}")
    return uses


@workflow("by-the-calendar")
async def by_the_calendar(ctx: Context, input: Topic) -> dict[str, Any]:
    """Two clocks and a chain, counted in office hours; where nobody answers, no."""
    sla = SLA(
        claim="2h",
        complete="16h",
        calendar="office",
        escalate=[
            escalate(clock="claim", after="50%", remind=True),
            escalate(after="8h", assign_to=group("chiefs"), priority="high"),
            escalate(after="75%", notify=[group("chiefs")]),
        ],
        default=Verdict(good=False),
    )
    result = await task(ctx, title="In office hours", form=Verdict, assign_to=group("clerks"), sla=sla, max_revisions=1)
    return {"good": result.data.good, "decided_by": result.decided_by}
