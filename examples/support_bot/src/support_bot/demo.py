"""`make demo`: plays the agent's branches through the public doors, against the running stack or one of its own."""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support_bot.bot import Reply, SupportBot
from support_bot.orkestra_agent import connected
from support_bot.person import signed_in

OWN_PORTS = "2000"
KNOWN = "How long does delivery take?"
UNKNOWN = "I opened the box of my headset. May I still return it?"
PERSONS_ANSWER = "Yes, within 30 days, with the box."


class Steps:
    """Prints each step with the seconds since the first."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, text: str) -> None:
        print(f"{time.monotonic() - self._began:7.2f} s  {text}", flush=True)


def user_of(stack: dict[str, Any], group: str) -> tuple[str, str]:
    """Return e-mail address and password of the first demo user of a group."""
    user = next(user for user in stack["users"] if group in user["groups"])
    return user["email"], user["password"]


async def alone(stack: dict[str, Any], say: Steps) -> bool:
    """The agent is sure: it answers by itself."""
    say(f"customer  {KNOWN}")
    async with connected(stack["mcp"], stack["api_keys"]["agent"]) as orkestra:
        reply = await SupportBot(orkestra, say).answer(KNOWN, topic="delivery")
    say(f"agent     answers by itself: {reply.text!r}")
    return reply.handled_by == "agent"


async def with_a_person(stack: dict[str, Any], say: Steps) -> bool:
    """The agent is not sure: a person of support-l1 answers, and the agent passes it on."""
    question = f"{UNKNOWN} ({uuid.uuid4().hex[:6]})"
    say(f"customer  {question}")
    async with (
        connected(stack["mcp"], stack["api_keys"]["agent"]) as orkestra,
        signed_in(stack["rest"], *user_of(stack, "support-l1")) as person,
    ):
        answering = asyncio.create_task(person.answer(question, PERSONS_ANSWER, say))
        reply = await SupportBot(orkestra, say).answer(question, topic="returns")
        await answering
    say(f"agent     sends the person's answer: {reply.text!r}")
    return reply == Reply(PERSONS_ANSWER, "human")


async def with_nobody(stack: dict[str, Any], say: Steps) -> bool:
    """Nobody answers: after 1 second the second line is asked, after 3 seconds the time is over."""
    question = f"{UNKNOWN} ({uuid.uuid4().hex[:6]})"
    say(f"customer  {question}")
    async with (
        connected(stack["mcp"], stack["api_keys"]["agent"]) as orkestra,
        signed_in(stack["rest"], *user_of(stack, "support-l2")) as second_line,
    ):
        bot = SupportBot(orkestra, say)
        asking = asyncio.create_task(bot.answer(question, topic="returns", definition="customer-support-quick"))
        task = await second_line.next_task(question)
        say(f"clock     nobody in support-l1 answered: it is with {', '.join(task['candidate_groups'])} now")
        reply = await asking
    say(f"clock     the time is over; the agent says: {reply.text!r}")
    return reply.handled_by == "nobody"


async def play(stack: dict[str, Any]) -> bool:
    """Play the branches; True when each ended as it should."""
    say = Steps()
    ended = [await branch(stack, say) for branch in (alone, with_a_person, with_nobody)]
    say("The story ran as it should." if all(ended) else "The story did NOT run as it should.")
    return all(ended)


@contextmanager
def stack_of_its_own() -> Iterator[Path]:
    """Start a stack in a temporary folder and end it afterwards."""
    with tempfile.TemporaryDirectory(prefix="orkestra-demo-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        state = Path(folder) / "state"
        command = [sys.executable, "-m", "orkestra.cli", "dev"]
        print("No stack is running; starting one for the demo …", flush=True)
        start = [*command, "--detach", "--state-dir", str(state), "--port-offset", OWN_PORTS]
        subprocess.run(start, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command line
        try:
            yield state
        finally:
            subprocess.run([*command, "stop", "--state-dir", str(state)], check=True)  # noqa: S603 - our own command line


def main() -> None:
    """Play against the stack of --state-dir where it runs, else against one of its own."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument(
        "--state-dir", type=Path, default=Path(".orkestra"), help="where `orkestra dev` keeps stack.json"
    )
    state = parser.parse_args().state_dir
    if (state / "stack.json").exists():
        sys.exit(not asyncio.run(play(_read(state))))
    with stack_of_its_own() as own:
        good = asyncio.run(play(_read(own)))
    sys.exit(not good)


def _read(state: Path) -> dict[str, Any]:
    stack: dict[str, Any] = json.loads((state / "stack.json").read_text("utf-8"))
    return stack


if __name__ == "__main__":
    main()
