"""A workflow whose every word is to be hidden from Temporal."""

from datetime import timedelta

from orkestra.sdk import Context, group, task, workflow
from pydantic import BaseModel
from temporalio import workflow as temporal


class Question(BaseModel):
    text: str


@workflow("asks-with-secrets")
async def asks_with_secrets(ctx: Context, asked: Question) -> str:
    """Ask somebody, with a memo and a named timer on the way."""
    temporal.upsert_memo({"about": asked.text})
    await temporal.sleep(timedelta(milliseconds=1), summary=f"before {asked.text}")
    result = await task(ctx, title="A question", description=asked.text, assign_to=group("support"))
    return str(result.data["answer"])
