"""A form on surfaces that show less than a page does: what they show, and what each field lost on the way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from orkestra.forms.downgrades import Downgrade, left_out, lines_of, needs_page
from orkestra.forms.elicitation import requested_schema
from orkestra.forms.field_types import FIELD_TYPES
from orkestra.forms.problems import Invalid
from orkestra.forms.validating import HINTS, translated, validate

Surface = Literal["web", "elicitation", "chat", "email"]
MAX_BUTTONS: Final = 5


@dataclass(frozen=True, slots=True)
class Button:
    """One outcome. Where `opens` is true it leads to the page; else pressing it is the whole answer."""

    key: str
    label: str
    style: str
    opens: bool


@dataclass(frozen=True, slots=True)
class Projection:
    """A form on one surface: as a form (`schema`), as buttons, or as a link to the page where it does not fit.

    `lines` are what the form only shows, as Markdown, to put before it. `downgrades` name every field or rule that is
    not what it is on the page, and how.
    """

    surface: Surface
    kind: Literal["form", "buttons", "link"]
    schema: Mapping[str, Any] | None
    buttons: tuple[Button, ...]
    lines: tuple[str, ...]
    downgrades: tuple[Downgrade, ...]


def project(schema: Mapping[str, Any], surface: Surface, *, locale: str = "en") -> Projection:
    """Returns a checked form as `surface` shows it, in the language of `locale` where the form has it."""
    if surface == "web":
        return Projection(surface, "form", schema, (), (), ())
    if surface == "elicitation":
        asked, lines, downgrades = requested_schema(schema, locale)
        return Projection(surface, "link" if asked is None else "form", asked, (), tuple(lines), tuple(downgrades))
    buttons = tuple(_buttons(schema, locale))
    lines, downgrades = lines_of(schema)
    downgrades += [left_out(name) for name, inner in schema["properties"].items() if not _is_display(inner)]
    if not 0 < len(buttons) <= MAX_BUTTONS or all(button.opens for button in buttons):
        why = needs_page("", "A form is filled on its page.")
        return Projection(surface, "link", None, (), tuple(lines), (why, *downgrades))
    downgrades += [
        needs_page(f"outcomes[{at}]", "This outcome needs fields.") for at, each in enumerate(buttons) if each.opens
    ]
    return Projection(surface, "buttons", None, buttons, tuple(lines), tuple(downgrades))


def _buttons(schema: Mapping[str, Any], locale: str) -> Iterator[Button]:
    hint = schema.get(HINTS, {})
    words = translated(hint, "$outcomes", locale) or {}
    for each in hint.get("outcomes", []):
        label = words.get(each["key"], each["label"])
        yield Button(each["key"], label, each.get("style", "primary"), opens=not _is_whole_answer(schema, each["key"]))


def _is_whole_answer(schema: Mapping[str, Any], outcome: str) -> bool:
    try:
        validate(schema, {}, outcome)
    except Invalid:
        return False
    return True


def _is_display(field: Mapping[str, Any]) -> bool:
    return FIELD_TYPES[field[HINTS]["type"]].display
