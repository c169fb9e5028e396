"""Workflows for the tests of workflow-worker; a module of its own because the sandbox imports it anew for each run."""

from datetime import timedelta

from orkestra.sdk import Answer, ChangeRequest, Context, group, task, workflow
from pydantic import BaseModel
from temporalio import activity
from temporalio import workflow as temporal
from temporalio.common import RetryPolicy


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
