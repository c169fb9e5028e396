"""A workflow that asks for files."""

from orkestra.sdk import Attachment, Context, Form, TaskResult, file_, group, task, workflow
from pydantic import BaseModel


class Trip(BaseModel):
    traveller: str


class Proof(Form):
    receipts: list[Attachment] = file_(accept=[".pdf"], required=True)


@workflow("travel-costs")
async def travel_costs(ctx: Context, input: Trip) -> list[str]:
    answer: TaskResult[Proof] = await task(ctx, title="Receipts", form=Proof, assign_to=group("finance"))
    return [receipt.name for receipt in answer.data.receipts]
