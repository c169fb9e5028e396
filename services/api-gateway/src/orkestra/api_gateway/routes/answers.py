"""Examples of answers: those written by hand, and for every other message one made from its fields."""

from datetime import timedelta
from enum import StrEnum
from inspect import isclass
from types import NoneType
from typing import Any, Union, get_args, get_origin

from orkestra.api_gateway.routes.examples import ANSWERS, Example
from orkestra.api_gateway.routes.words import AT, WORDS
from orkestra.wire import Model
from pydantic import AwareDatetime, BaseModel

PLAIN: dict[Any, Any] = {str: "text", bool: True, int: 1, float: 0.5, AwareDatetime: AT, timedelta: "PT90S"}


def example_of(message: type[BaseModel]) -> Example:
    """Returns an answer as it may look: every field is there, and fits the message."""
    fields = message.model_fields.items()
    given = ANSWERS.get(message) or {name: _value(name, one.annotation, one.is_required()) for name, one in fields}
    return message.model_validate(given).model_dump(mode="json", exclude_unset=not issubclass(message, Model))


def _value(name: str, annotation: Any, is_required: bool) -> Any:
    """Returns a value for a field; None for an optional one of which no word is known."""
    kind = _kind(annotation)
    if get_origin(kind) is list:
        (item,) = map(_kind, get_args(kind))
        if isclass(item) and issubclass(item, BaseModel):
            return [example_of(item)]
        return [next(iter(item))] if isclass(item) and issubclass(item, StrEnum) else WORDS.get(name, [])
    if isclass(kind) and issubclass(kind, StrEnum):
        return WORDS[name] if WORDS.get(name) in list(kind) else next(iter(kind))
    if name in WORDS:
        return WORDS[name]
    if isclass(kind) and issubclass(kind, BaseModel):
        return example_of(kind) if is_required else None
    return PLAIN.get(kind, {}) if is_required else None


def _kind(annotation: Any) -> Any:
    """Returns what a field holds where it holds something, without what is only checked of it."""
    while hasattr(annotation, "__metadata__"):
        annotation = annotation.__origin__
    if get_origin(annotation) is Union or isinstance(annotation, type(int | None)):
        return _kind(next(kind for kind in get_args(annotation) if kind is not NoneType))
    return annotation
