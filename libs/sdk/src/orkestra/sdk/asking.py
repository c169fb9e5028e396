"""ask(): one question, one free-text answer."""

from typing import Unpack

from orkestra.sdk.context import Context
from orkestra.sdk.options import TaskOptions
from orkestra.sdk.tasks import task

LONGEST_TITLE = 300


async def ask(
    ctx: Context | None, question: str, /, *, description: str | None = None, **options: Unpack[TaskOptions]
) -> str:
    """Ask people one question and return what they wrote.

    The question is the task's title; one that is longer than a title is shortened there and stands whole in the
    description. Takes and raises what task() does.
    """
    title, more = _titled(question)
    words = "\n\n".join(part for part in (more, description) if part)
    result = await task(ctx, title=title, description=words or None, **options)
    return str(result.data["answer"])


def _titled(question: str) -> tuple[str, str | None]:
    """Return the title, and the whole question where the title is not."""
    line = " ".join(question.split())
    if len(line) <= LONGEST_TITLE:
        return line, None
    return f"{line[: LONGEST_TITLE - 1]}…", question
