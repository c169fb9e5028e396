"""Workflows for the tests of workflow-worker; a module of its own because the sandbox imports it anew for each run."""

from datetime import timedelta

from orkestra.sdk import Context, group, task, workflow
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
