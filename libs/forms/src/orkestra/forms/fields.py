"""The functions that declare the fields of a Form: `answer: str = textarea(required=True)`."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from orkestra.forms.field_types import GROUP_PICKER
from pydantic import Field

Options = Sequence[Any] | Mapping[str, str]
Condition = Mapping[str, Any]


class Common(TypedDict, total=False):
    """Keys of every field. A field without a default is not given; `required` asks for it."""

    label: str
    help: str
    placeholder: str
    required: bool
    default: Any
    readonly: bool
    sensitive: bool
    visible_when: Condition
    required_when: Condition


class Length(Common, total=False):
    """Keys of text with a format of its own."""

    min_length: int
    max_length: int


class Text(Length, total=False):
    """Keys of free text."""

    pattern: str


class Rating(Common, total=False):
    """Keys of a rating."""

    min: int
    max: int


class Integer(Rating, total=False):
    """Keys of a whole number."""

    step: int


class Slider(Common, total=False):
    """Keys of a slider."""

    min: float
    max: float
    step: float


class Number(Slider, total=False):
    """Keys of a number."""

    decimals: int


class Money(Common, total=False):
    """Keys of an amount; bounds are decimal text."""

    min: str
    max: str
    decimals: int
    currencies: Sequence[str]


class Choice(Common, total=False):
    """Keys of a choice: its options, or the place in the task's context where they are."""

    options: Options
    options_from: str


class Choices(Choice, total=False):
    """Keys of a choice of several."""

    min_items: int
    max_items: int


class Time(Common, total=False):
    """Keys of a day, time or moment; bounds are ISO 8601 text."""

    min: str
    max: str


class Signature(Common, total=False):
    """Keys of a signature."""

    statement: str


class File(Common, total=False):
    """Keys of files: kinds as in HTML's `accept`, the bytes of one, and how many."""

    accept: Sequence[str]
    max_size: int
    min_items: int
    max_items: int


class Shown(TypedDict, total=False):
    """Keys of what is only shown; such a field is annotated with None."""

    label: str
    help: str
    visible_when: Condition


class Table(Common, total=False):
    """Keys of a table."""

    min_items: int
    max_items: int


def text(**keys: Unpack[Text]) -> Any:
    """One line of text."""
    return _field("text", keys)


def textarea(**keys: Unpack[Text]) -> Any:
    """Several lines of text."""
    return _field("textarea", keys)


def markdown(**keys: Unpack[Text]) -> Any:
    """Formatted text in Markdown."""
    return _field("markdown", keys)


def email(**keys: Unpack[Length]) -> Any:
    """An e-mail address."""
    return _field("email", keys)


def url(**keys: Unpack[Length]) -> Any:
    """An http or https address."""
    return _field("url", keys)


def phone(**keys: Unpack[Length]) -> Any:
    """A phone number."""
    return _field("phone", keys)


def integer(**keys: Unpack[Integer]) -> Any:
    """A whole number, exact at any size."""
    return _field("integer", keys)


def number(**keys: Unpack[Number]) -> Any:
    """A number."""
    return _field("number", keys)


def money(**keys: Unpack[Money]) -> Any:
    """An amount as decimal text with an ISO 4217 currency."""
    return _field("money", keys)


def rating(**keys: Unpack[Rating]) -> Any:
    """A whole number of stars, 1 to 5 unless said."""
    return _field("rating", keys)


def slider(**keys: Unpack[Slider]) -> Any:
    """A number between min and max."""
    return _field("slider", keys)


def boolean(**keys: Unpack[Common]) -> Any:
    """Yes or no."""
    return _field("boolean", keys)


def select(**keys: Unpack[Choice]) -> Any:
    """One of several, from a list that opens."""
    return _field("select", keys)


def radio(**keys: Unpack[Choice]) -> Any:
    """One of several, all in sight."""
    return _field("radio", keys)


def multiselect(**keys: Unpack[Choices]) -> Any:
    """Some of several, from a list that opens."""
    return _field("multiselect", keys)


def checkboxes(**keys: Unpack[Choices]) -> Any:
    """Some of several, all in sight."""
    return _field("checkboxes", keys)


def date_(**keys: Unpack[Time]) -> Any:
    """A day."""
    return _field("date", keys)


def time_(**keys: Unpack[Time]) -> Any:
    """A time of day."""
    return _field("time", keys)


def datetime_(**keys: Unpack[Time]) -> Any:
    """A moment, with its zone."""
    return _field("datetime", keys)


def date_range(**keys: Unpack[Time]) -> Any:
    """Two days and what lies between."""
    return _field("date_range", keys)


def signature(**keys: Unpack[Signature]) -> Any:
    """A typed name and its attestation."""
    return _field("signature", keys)


def user_(**keys: Unpack[Common]) -> Any:
    """One person of the tenant, kept as user id."""
    return _field("user", keys)


def group_picker(**keys: Unpack[Common]) -> Any:
    """One group of people of the tenant, kept as group id."""
    return _field(GROUP_PICKER, keys)


def file_(**keys: Unpack[File]) -> Any:
    """Files that were attached to the task."""
    return _field("file", keys)


def json_(**keys: Unpack[Common]) -> Any:
    """Any JSON value."""
    return _field("json", keys)


def group_(**keys: Unpack[Common]) -> Any:
    """Fields within a field; annotate it with their class."""
    return _field("group", keys)


def table(**keys: Unpack[Table]) -> Any:
    """Rows; annotate it with a list of their class."""
    return _field("table", keys)


def heading(text: str, **keys: Unpack[Shown]) -> Any:
    """A heading; what is only shown is annotated so: `intro: None = …`."""
    return _field("heading", {"text": text, **keys})


def note(text: str, **keys: Unpack[Shown]) -> Any:
    """Markdown within the form."""
    return _field("note", {"text": text, **keys})


def image(url: str, *, alt: str | None = None, **keys: Unpack[Shown]) -> Any:
    """A link to a picture."""
    return _field("image", {"url": url, "alt": alt, **keys})


def link(url: str, *, text: str | None = None, **keys: Unpack[Shown]) -> Any:
    """A link."""
    return _field("link", {"url": url, "text": text, **keys})


def data(value: Any, **keys: Unpack[Shown]) -> Any:
    """JSON as a table."""
    return _field("data", {"value": value, **keys})


def diff(before: Any, after: Any, **keys: Unpack[Shown]) -> Any:
    """What was and what would be, side by side."""
    return _field("diff", {"before": before, "after": after, **keys})


def outcome(
    key: str, label: str | None = None, *, style: str | None = None, require: Sequence[str] = ()
) -> dict[str, Any]:
    """One way to complete: a button, its style (primary, secondary, danger) and the fields that it needs."""
    parts = {"key": key, "label": label, "style": style, "require": list(require)}
    return {name: value for name, value in parts.items() if value}


def _field(kind: str, keys: Mapping[str, Any]) -> Any:
    hint = {key: value for key, value in keys.items() if value is not None and key != "default"}
    options, default = hint.get("options"), keys.get("default")
    if options is not None:
        is_named = isinstance(options, Mapping)
        hint["options"] = [{"value": key, "label": options[key]} for key in options] if is_named else list(options)
    extra: dict[str, Any] = {"x-orkestra": {"type": kind, **hint}}
    if hint.get("required") and "visible_when" not in hint and default is None:
        return Field(..., json_schema_extra=extra)
    return Field(default=default, json_schema_extra=extra)
