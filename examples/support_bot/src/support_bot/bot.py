"""The agent: answers alone when it may, hands over with the conversation when it must."""

from collections.abc import Callable
from dataclasses import dataclass

from support_bot.faq import Guess, guess
from support_bot.orkestra_agent import OrkestraAgent

Say = Callable[[str], None]


@dataclass(frozen=True)
class Reply:
    """What the customer gets, and who answered."""

    text: str
    handled_by: str


class SupportBot:
    """Answers customers."""

    def __init__(self, orkestra: OrkestraAgent, say: Say) -> None:
        self._orkestra = orkestra
        self._say = say

    async def answer(self, question: str, *, topic: str, definition: str = "customer-support") -> Reply:
        """Return the answer for the customer: the agent's own, or a person's."""
        own = guess(question)
        self._say(f"agent     would say {own.answer!r}, confidence {own.confidence:.2f}")
        check = await self._orkestra.check(topic, own.confidence)
        self._say(f"agent     escalation_check: {check['decision']} ({check['reason']})")
        if check["decision"] == "proceed":
            return Reply(own.answer, "agent")
        return await self._ask_a_person(question, own, definition, check["check_id"])

    async def _ask_a_person(self, question: str, own: Guess, definition: str, check_id: str) -> Reply:
        handoff = {
            "summary": f"The FAQ has nothing that fits; the best guess was: {own.answer}",
            "conversation": [
                {"role": "user", "text": question},
                {"role": "assistant", "text": "I am not sure. I am asking a colleague."},
            ],
            "agent": {"name": "support-bot", "model": "none", "confidence": own.confidence, "check_id": check_id},
        }
        workflow_id = await self._orkestra.hand_over(question, handoff, definition=definition)
        self._say(f"agent     workflow_start: {workflow_id}, with the conversation so far")
        workflow = await self._orkestra.outcome(workflow_id)
        if workflow["status"] != "completed":
            return Reply("Nobody could answer in time; we will call you back.", "nobody")
        return Reply(workflow["result"]["answer"], workflow["result"]["handled_by"])
