"""Microsoft Teams by incoming webhook (Workflows): one Adaptive Card within the size that Teams takes."""

from typing import Any

from orkestra.notification_service.channels.posting import Poster
from orkestra.notification_service.channels.writing import Item, Message
from orkestra.notification_service.rules import Outcome
from orkestra.wire import dumps

MOST_ITEMS = 10
LARGEST = 28_000
CARD = "application/vnd.microsoft.card.adaptive"


class TeamsChannel:
    """Sends to the place that an incoming webhook leads to."""

    def __init__(self, poster: Poster) -> None:
        self._poster = poster

    async def send(self, message: Message, *, url: str) -> Outcome:
        """Send one message."""
        outcome, _ = await self._poster.post(url, headers={}, body=dumps(payload(message)).encode())
        return outcome


def payload(message: Message) -> dict[str, Any]:
    """Return what Teams takes: texts are plain runs, in which nothing is Markdown."""
    shown = message.items[:MOST_ITEMS]
    body = [_text(message.subject[:300], weight="Bolder", size="Medium")]
    body += [_container(item) for item in shown]
    if len(message.items) > len(shown):
        body.append(_text(f"+{len(message.items) - len(shown)}"))
    body += [_text(note, isSubtle=True) for note in message.notes]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "lang": message.language,
        "body": body,
    }
    return {"type": "message", "attachments": [{"contentType": CARD, "contentUrl": None, "content": card}]}


def _container(item: Item) -> dict[str, Any]:
    said = (f"{item.priority} · {item.text}" if item.priority else item.text)[:300]
    parts: list[dict[str, Any]] = [_text(item.title, weight="Bolder")] if item.title else []
    parts.append(_text(said))
    actions = [{"type": "Action.OpenUrl", "title": link.label, "url": link.url} for link in item.links]
    return {"type": "Container", "separator": True, "items": [*parts, *_actions(actions)]}


def _actions(actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"type": "ActionSet", "actions": actions}] if actions else []


def _text(text: str, **look: Any) -> dict[str, Any]:
    run = {"type": "TextRun", "text": text, **{name: value for name, value in look.items() if name != "isSubtle"}}
    return {"type": "RichTextBlock", "inlines": [run], **({"isSubtle": True} if "isSubtle" in look else {})}
