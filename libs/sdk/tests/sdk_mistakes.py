"""Workflows of an author who is mistaken; a module of its own because the sandbox imports it."""

from datetime import date
from decimal import Decimal
from typing import Any

from orkestra.forms import Form, boolean
from orkestra.sdk import Context, approve, escalate_below, group, task, timeout, workflow
from pydantic import BaseModel


class Mistake(BaseModel):
    made: str


class Sure(Form):
    sure: bool = boolean(required=True)


GIVEN: dict[str, dict[str, Any]] = {
    "a name alone": {"assign_to": "support-l1"},
    "names alone": {"assign_to": ["support-l1", "support-l2"]},
    "a text as SLA": {"sla": "30m"},
    "a model as draft": {"form": Sure, "draft": Sure(sure=True)},
    "a model as form": {"form": Mistake},
    "a misspelt policy": {"approval_policy": {"requird": 2}},
    "an odd policy": {"approval_policy": {"required": "many"}},
    "an odd conversation": {"context": {"conversation": "hello"}},
    "what is no JSON": {"context": {"thing": object()}},
}


@workflow("mistaken")
async def mistaken(ctx: Context, input: Mistake) -> str:
    """Give task() what it cannot take; a TypeError, which Temporal would try again, is told."""
    given = {"assign_to": group("g"), "sla": timeout("1h"), **GIVEN[input.made]}
    try:
        await task(ctx, title="Mistaken", **given)
    except TypeError as told:
        return str(told)
    return "taken"


@workflow("sleeps-five")
async def sleeps_five(ctx: Context, input: Mistake) -> str:
    try:
        await ctx.sleep(5)  # type: ignore[arg-type]  # what is refused
    except TypeError as told:
        return str(told)
    return "slept"


@workflow("too-sure")
async def too_sure(ctx: Context, input: Mistake) -> None:
    """Give the threshold in percent."""
    await escalate_below(ctx, 0.5, 80, topic="plans", title="Sure?")


@workflow("approves-an-amount")
async def approves_an_amount(ctx: Context, input: Mistake) -> bool:
    """Have arguments approved that JSON has no types for."""
    args = {"amount": Decimal("8.00"), "on": date(2030, 1, 31)}
    receipt = await approve(ctx, "pay", args, assign_to=group("g"))
    receipt.verify("pay", args)
    return receipt.is_approved
