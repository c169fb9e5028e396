"""Workflows that ask, several people at once and by confidence; a module of its own because the sandbox imports it."""

from typing import Any

from orkestra.sdk import (
    Context,
    Form,
    Receipt,
    TaskCancelled,
    TaskExpired,
    TaskResult,
    all_of,
    approve,
    ask,
    boolean,
    first_of,
    group,
    quorum,
    task,
    text,
    timeout,
    workflow,
)
from pydantic import BaseModel


class Words(BaseModel):
    words: str = "x"
    number: int = 2


class Named(Form):
    name: str = text(required=True)


class Sure(Form):
    sure: bool = boolean(required=True)


def named(title: str) -> Any:
    return task(title=title, form=Named, assign_to=group("g"), sla=timeout("1h"))


@workflow("asks")
async def asks(ctx: Context, input: Words) -> str:
    return await ask(ctx, input.words, assign_to=group("g"), sla=timeout("1h"))


@workflow("first-answer")
async def first_answer(ctx: Context, input: Words) -> str:
    short = task(ctx, title="short", form=Named, assign_to=group("g"), sla=timeout("10m"))
    try:
        result: TaskResult[Named] = await first_of(short, named("long"), named("longer"))
    except (TaskExpired, TaskCancelled) as none:
        return type(none).__name__
    return result.data.name


@workflow("both-answers")
async def both_answers(ctx: Context, input: Words) -> str:
    who = task(ctx, title="who", form=Named, assign_to=group("g"), sla=timeout("10m"))
    try:
        name, certain = await all_of(who, task(ctx, title="sure", form=Sure, assign_to=group("g"), sla=timeout("2h")))
    except TaskExpired:
        return "expired"
    return f"{name.data.name} is {'' if certain.data.sure else 'not '}sure"


@workflow("two-of-three")
async def two_of_three(ctx: Context, input: Words) -> dict[str, Any]:
    came = await quorum(
        input.number,
        *[approve(ctx, "sell", {"to": to}, assign_to=group("board"), title=to, sla=timeout("1h")) for to in "abc"],
        counts=lambda receipt: receipt.is_approved,
        by=decider,
    )
    return {"reached": came.reached, "counted": came.counted, "by": [one.decided_by for one in came.answers]}


def decider(receipt: Receipt) -> str:
    return receipt.decided_by


@workflow("too-many")
async def too_many(ctx: Context, input: Words) -> str:
    try:
        await quorum(3, named("a"), named("b"))
    except ValueError as refusal:
        return str(refusal)
    return ""


@workflow("tells")
async def tells(ctx: Context, input: Words) -> str:
    await ctx.progress("Half of it is done.")
    await ctx.emit("order.paid", {"order": "7"})
    ctx.log.info("told")
    return ctx.tenant
