"""What a task is found by: the words of what is asked, its tags, the data of its context."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from orkestra.v1.task import Task, TaskContext

MAX_WORDS: Final = 500
MAX_PATHS: Final = 200
MAX_TERM: Final = 400
MAX_SEARCHED: Final = 64 * 1024
_WORD: Final = re.compile(r"\w+")

Term = tuple[str, str]
"""A kind and what is of that kind: a word, a tag, a type, a path=value of the data and so on."""


def terms_of(task: Task) -> frozenset[Term]:
    """Returns the terms that the task is found by.

    At most 500 words of the first 64 Ki characters and 200 values of context.data are. What the form calls sensitive
    is not: values of that name in context.data. Input, draft and answer are never searched.
    """
    named = (("type", task.type), ("correlation", task.correlation), ("workflow", task.workflow_id))
    found = {(kind, name) for kind, name in named if name is not None}
    found.add(("priority", task.priority.value))
    found |= {("tag", tag) for tag in task.tags}
    values = list(_values((task.context.data if task.context else None) or {}, "", _sensitive_names(task.form or {})))
    found |= {("data", f"{path}={value}") for path, value in values[:MAX_PATHS] if len(path) + len(value) < MAX_TERM}
    text = " ".join([task.title, task.description or "", *_told(task.context), *(value for _, value in values)])
    found |= {("word", word) for word in words_of(text, MAX_WORDS)}
    return frozenset(term for term in found if len(term[1]) <= MAX_TERM)


def words_of(text: str, most: int) -> list[str]:
    """Returns the first words of a text, each once, without regard to upper case and spelling of the same letter."""
    plain = unicodedata.normalize("NFKC", text[:MAX_SEARCHED]).casefold()
    each_once = dict.fromkeys(match[0] for match in _WORD.finditer(plain))
    return list(islice(each_once, most))


def _told(context: TaskContext | None) -> Iterator[str]:
    if context is None:
        return
    yield context.summary or ""
    yield from (message.text for message in context.conversation)
    yield from (link.label for link in context.links)


def _values(data: Any, path: str, hidden: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yields every plain value of open data with the names that lead to it; those of a list share their path."""
    if isinstance(data, Mapping):
        for name, value in data.items():
            if name not in hidden:
                yield from _values(value, f"{path}.{name}" if path else name, hidden)
    elif isinstance(data, list):
        for value in data:
            yield from _values(value, path, hidden)
    else:
        yield path, data if isinstance(data, str) else json.dumps(data)


def _sensitive_names(schema: Any) -> frozenset[str]:
    """Returns the names of the sensitive fields of a form, wherever they are in it."""
    found: set[str] = set()
    if isinstance(schema, Mapping):
        for name, field in (schema.get("properties") or {}).items():
            if isinstance(field, Mapping) and field.get("x-orkestra", {}).get("sensitive"):
                found.add(name)
            found |= _sensitive_names(field)
        found |= _sensitive_names(schema.get("items"))
    return frozenset(found)
