"""Workflows for the tests of workflow-worker; a module of its own because the sandbox imports it anew for each run."""

import asyncio
from datetime import timedelta

from orkestra.sdk import Answer, ChangeRequest, Context, all_of, group, task, workflow
from pydantic import BaseModel
from temporalio import activity
from temporalio import workflow as temporal
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError


class Question(BaseModel):
    question: str
    conversation_id: str
    customer_id: str


@activity.defn
async def charge_card(secret: str) -> str:
    if activity.info().attempt == 1:
        raise ConnectionError("the bank did not answer")
    return secret


@workflow("listens")
async def listens(ctx: Context, asked: Question) -> list[str]:
    """Wait for a signal."""
    heard: list[str] = []

    def hear(words: str) -> None:
        heard.append(words)

    temporal.set_signal_handler("go-on", hear)
    await temporal.wait_condition(lambda: "stop" in heard)
    return heard


@workflow("busy")
async def busy(ctx: Context, asked: Question) -> str:
    """Do what a timeline tells of."""
    retries = RetryPolicy(maximum_attempts=2)
    await ctx.activity(charge_card, "4111-secret", retry_policy=retries)
    await temporal.execute_local_activity(
        charge_card, "4111-secret", start_to_close_timeout=timedelta(seconds=1), retry_policy=retries
    )
    await ctx.sleep("1s")
    result = await task(ctx, title="May this be charged?", assign_to=group("finance"), description=asked.question)
    return str(result.data["answer"])


async def say_it_back(asked: ChangeRequest) -> Answer:
    return Answer(f"{asked.round}: {asked.message}", context={"summary": "more"})


async def think_for_ever(asked: ChangeRequest) -> str:
    await temporal.wait_condition(lambda: False)
    return asked.message


@workflow("answers-back")
async def answers_back(ctx: Context, asked: Question) -> str:
    """Answer whatever the reviewer asks."""
    result = await task(ctx, title=asked.question, on_changes_requested=say_it_back)
    return str(result.data["answer"])


@workflow("thinks-for-ever")
async def thinks_for_ever(ctx: Context, asked: Question) -> str:
    """Never answer."""
    result = await task(ctx, title=asked.question, on_changes_requested=think_for_ever)
    return str(result.data["answer"])


@workflow("counts")
async def counts(ctx: Context, asked: Question) -> int:
    """Count what updates add, and tell it to queries."""
    count = 0

    def told() -> int:
        return count

    def limited(more: int) -> None:
        if more > 10:
            raise ValueError("at most 10 at once")

    async def add(more: int) -> int:
        nonlocal count
        await temporal.sleep(timedelta(milliseconds=1))
        count += more
        return count

    temporal.set_query_handler("count", told)
    temporal.set_update_handler("add", add, validator=limited)
    await temporal.wait_condition(lambda: count >= 5)
    return count


@workflow("goes-round")
async def goes_round(ctx: Context, asked: Question) -> str:
    """Continue as new until the third round, which asks a person."""
    rounds = int(asked.conversation_id)
    if rounds < 3:
        temporal.continue_as_new(asked.model_copy(update={"conversation_id": str(rounds + 1)}))
    result = await task(ctx, title="Round three", assign_to=group("finance"))
    return str(result.data["answer"])


@workflow("asks-beside-a-child")
async def asks_beside_a_child(ctx: Context, asked: Question) -> str:
    """Ask while a child asks as well."""
    child = await temporal.start_child_workflow(answers_back.run, asked)
    result = await task(ctx, title="Of the parent", assign_to=group("finance"))
    return f"{result.data['answer']} {await child}"


@workflow("counts-on")
async def counts_on(ctx: Context, asked: Question) -> str:
    """Count signals for as long as it takes, beside a task."""
    count, until = int(asked.conversation_id), int(asked.customer_id)
    heard: list[str] = []

    def hear(words: str) -> None:
        heard.append(words)

    temporal.set_signal_handler("tick", hear)
    beside = asyncio.create_task(task(ctx, title="Beside", key="beside", assign_to=group("finance")))
    while count < until:
        await temporal.wait_condition(lambda: bool(heard))
        count += len(heard)
        heard.clear()
        await ctx.continue_when_long(asked.model_copy(update={"conversation_id": str(count)}))
    return f"{count} {(await beside).data['answer']}"


@workflow("hears-out")
async def hears_out(ctx: Context, asked: Question) -> str:
    """Grow long while an update waits to be told what to answer."""
    if asked.conversation_id == "next":
        return "went on"
    told: list[str] = []
    stage = "thinking"

    async def think(words: str) -> str:
        await temporal.wait_condition(lambda: bool(told))
        return f"{words} {told[0]}"

    temporal.set_update_handler("think", think)
    temporal.set_signal_handler("tell", told.append)
    temporal.set_query_handler("stage", lambda: stage)
    while temporal.all_handlers_finished() or not temporal.info().is_continue_as_new_suggested():
        await asyncio.gather(*(ctx.sleep(timedelta(milliseconds=10)) for _ in range(10)))
    stage = "long"
    await ctx.continue_when_long(asked.model_copy(update={"conversation_id": "next"}))
    return "has not gone on"


@workflow("out-of-time")
async def out_of_time(ctx: Context, asked: Question) -> None:
    """Continue as a run that Temporal gives one second."""
    if asked.conversation_id != "short":
        short = asked.model_copy(update={"conversation_id": "short"})
        temporal.continue_as_new(short, run_timeout=timedelta(seconds=1))
    await ctx.sleep("1h")


@workflow("asks-many")
async def asks_many(ctx: Context, asked: Question) -> list[str]:
    """Ask as many things at once as the customer's number says."""
    titles = [f"Item {number}" for number in range(int(asked.customer_id))]
    answers = await all_of(*(task(ctx, title=title, assign_to=group("finance")) for title in titles))
    return [str(answer.data["answer"]) for answer in answers]


BANKS = {"is_open": False}


@activity.defn
async def pay() -> str:
    if not BANKS["is_open"]:
        raise ApplicationError("The bank is closed.", type="BANK_CLOSED", non_retryable=True)
    return "paid"


@activity.defn
async def knock() -> str:
    if not BANKS["is_open"]:
        raise ConnectionError("nobody opens")
    return "come in"


@workflow("knocks")
async def knocks(ctx: Context, asked: Question) -> str:
    """Try for as long as it takes."""
    return await ctx.activity(knock)


@workflow("pays")
async def pays(ctx: Context, asked: Question) -> str:
    """Ask somebody, then pay."""
    result = await task(ctx, title="May this be paid?", assign_to=group("finance"))
    paid: str = await ctx.activity(pay)
    return f"{result.data['answer']} {paid}"


@workflow("tells")
async def tells(ctx: Context, asked: Question) -> str:
    """Tell how far it is and what happened."""
    await ctx.progress("Half of it is done.")
    await ctx.emit("order.paid", {"order": asked.customer_id})
    return "told"
