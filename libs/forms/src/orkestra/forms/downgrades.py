"""What a field loses on a surface that shows less, in words that its reader can be told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orkestra.forms.field_types import FIELD_TYPES

_HINTS = "x-orkestra"


@dataclass(frozen=True, slots=True)
class Downgrade:
    """One loss. `path` names the field or the rule (empty for the whole); `code` is stable.

    `needs_page`: cannot be asked here at all. `left_out`: not asked here. `checked_later`: a rule that holds but is not
    told here. `always_shown`: its condition is not followed here. `split`: asked as several fields. `plain`: shown as
    plain text. `unexplained`: a hint to the reader is not shown.
    """

    path: str
    code: str
    message: str


def needs_page(path: str, message: str) -> Downgrade:
    """What cannot be asked here at all."""
    return Downgrade(path, "needs_page", message)


def left_out(path: str) -> Downgrade:
    """A field that is not asked for here."""
    return Downgrade(path, "left_out", "Is not asked for here; its page does.")


def checked_later(path: str, rule: str) -> Downgrade:
    """A rule that is not told here, and holds all the same."""
    return Downgrade(path, "checked_later", f"{rule} is checked after the answer was given.")


def lines_of(schema: Mapping[str, Any]) -> tuple[list[str], list[Downgrade]]:
    """Returns what a form only shows as lines of Markdown, and what that takes from it."""
    lines, downgrades = [], []
    for name, field in schema["properties"].items():
        hint = field[_HINTS]
        if not FIELD_TYPES[hint["type"]].display:
            continue
        if "visible_when" in hint:
            downgrades.append(left_out(name))
            continue
        lines.append(_line(field, hint))
        downgrades.append(Downgrade(name, "plain", "Is shown as text before the form."))
    return lines, downgrades


def _line(field: Mapping[str, Any], hint: Mapping[str, Any]) -> str:
    match hint["type"]:
        case "heading":
            return f"**{hint['text']}**"
        case "note":
            return str(hint["text"])
        case "link" | "image":
            return f"[{hint.get('text') or hint.get('alt') or field['title']}]({hint['url']})"
        case "diff":
            return f"{field['title']}: {_plain(hint['before'])} → {_plain(hint['after'])}"
    return f"{field['title']}: {_plain(hint['value'])}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
