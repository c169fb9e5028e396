"""Slack by incoming webhook: Block Kit within the limits that Slack documents."""

from typing import Any

from orkestra.notification_service.channels.posting import Poster
from orkestra.notification_service.channels.writing import Item, Message
from orkestra.notification_service.rules import Outcome
from orkestra.wire import dumps

MOST_BLOCKS = 50
LONGEST_HEADER = 150
LONGEST_TEXT = 4000


class SlackChannel:
    """Sends to the place that an incoming webhook leads to."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def send(self, message: Message, *, url: str) -> Outcome:
        """Send one message."""
        outcome, _ = await self._poster.post(url, headers={}, body=dumps(payload(message)).encode())
        return outcome


def payload(message: Message) -> dict[str, Any]:
    """Return what Slack takes: the text is what notifications on phones show, the blocks what is seen."""
    blocks: list[dict[str, Any]] = []
    left = len(message.items)
    for item in message.items:
        shown = _blocks(item)
        if len(blocks) + len(shown) > MOST_BLOCKS - 2:
            blocks.append(_context(f"+{left}"))
            break
        blocks += shown
        left -= 1
    if message.notes:
        blocks.append(_context(" ".join(message.notes)))
    return {"text": escaped(message.subject, LONGEST_TEXT), "blocks": blocks, "unfurl_links": False}


def escaped(text: str, most: int) -> str:
    """Return a text in which nothing has a meaning for Slack, of at most so many characters."""
    said = ""
    for sign in text:
        safe = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}.get(sign, sign)
        if len(said) + len(safe) > most - 1:
            return said + "…"
        said += safe
    return said


def _blocks(item: Item) -> list[dict[str, Any]]:
    """Return one thing as blocks; its title is plain text, in which nothing is markup, nor an emoji."""
    urgency = f"*{escaped(item.priority, 50)}* · " if item.priority else ""
    lines = [urgency + escaped(item.text, 1000)]
    links = [f"<{link.url}|{escaped(link.label, 75)}>" for link in item.links]
    if links:
        lines.append(" · ".join(links))
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "\n".join(lines), "verbatim": True}}
    if not item.title:
        return [section]
    title = item.title if len(item.title) <= LONGEST_HEADER else item.title[: LONGEST_HEADER - 1] + "…"
    return [{"type": "header", "text": {"type": "plain_text", "text": title, "emoji": False}}, section]


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": escaped(text, 2000), "verbatim": True}]}
