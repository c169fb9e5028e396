"""Prompts for handing over to people and for taking their answer back."""

from typing import Annotated

from mcp.server import MCPServer
from orkestra.mcp_gateway.tools.answering import DATA
from pydantic import Field

HAND_OVER = """Hand this over to people at Orkestra, so that nothing is lost on the way:

{question}

1. If a workflow fits (workflow_definitions lists them), call workflow_start with its input. Else call ask_human.
2. Pass the conversation so far word for word as `conversation`, a `summary` of two sentences with what you have tried,
   and in `agent` your name, model and honest confidence from 0 to 1.
3. Use an idempotency_key made from the case, so that a repeated call does not ask twice.
4. Tell the user that a person has been asked and how to come back to it. Do not answer the question yourself."""

TAKE_BACK = """People were asked; their task is {task_id}. Take the answer back:

1. Call task_wait with that task_id. While it is not answered, tell the user so and stop.
2. Where the result says answer_needed, the reviewer asks something: find it in the conversation or ask the user, call
   task_answer, and wait again.
3. When it is completed, give the user the answer in `result` faithfully and say that a person gave it. Where there is a
   receipt, call receipt_redeem just before you execute the approved action, exactly as approved and only once.
4. When it was cancelled or expired, say so and offer to ask again.

{data}"""


def add_prompts(server: "MCPServer[object]") -> None:
    """Offers the prompts at the server."""

    @server.prompt(title="Hand over to a person")
    def hand_over(question: Annotated[str, Field(description="What a person should decide or answer.")]) -> str:
        """Hand a question or a case over to people with everything that they need."""
        return HAND_OVER.format(question=question)

    @server.prompt(title="Take an answer back")
    def take_answer_back(task_id: Annotated[str, Field(description="The task that was asked.")]) -> str:
        """Take the answer of a person back into the conversation."""
        return TAKE_BACK.format(task_id=task_id, data=DATA)
