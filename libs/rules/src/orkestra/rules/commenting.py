"""Comments: who may say something about a task, and who is called to it."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from orkestra.rules.changes import Decision
from orkestra.rules.clocks import due
from orkestra.rules.creation import check_text
from orkestra.rules.permissions import may
from orkestra.v1.task import AddCommentRequest, Task
from orkestra.wire import InvalidArgument, Principal

MOST_MENTIONS: Final = 50
_MENTION: Final = re.compile(r"(?<![\w.@+-])@(user_[0-9a-f]{32}|[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+)", re.ASCII)


def mentions_in(text: str) -> list[str]:
    """Returns the user ids and lower-case e-mail addresses that a comment names after an @, each once."""
    return list(dict.fromkeys(name.lower() for name in _MENTION.findall(text)))[:MOST_MENTIONS]


def decide_comment(
    task: Task, principal: Principal, now: datetime, request: AddCommentRequest, *, mentions: Iterable[str]
) -> Decision:
    """Shows the task to the people whom the comment mentions, by id; a comment changes no version.

    What is due comes first, and stays where the comment is refused.
    """
    changes = due(task, now)
    task = changes[-1].task if changes else task
    refusal = may("comment", principal, task)
    if refusal is not None:
        return Decision(task, changes, refusal)
    errors = check_text("text", request.text)
    if errors:
        return Decision(task, changes, InvalidArgument("COMMENT_INVALID", "The comment cannot be kept.", errors=errors))
    called = list(dict.fromkeys([*task.mentioned_users, *mentions]))
    return Decision(task.model_copy(update={"mentioned_users": called}), changes)
