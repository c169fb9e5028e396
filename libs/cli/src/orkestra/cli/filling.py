"""Fills a form at the prompt, field by field; each answer is checked as the service will check it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orkestra.forms import Invalid, outcomes_of, required_names, validate, visible_values

HINTS = "x-orkestra"
SHOWN = frozenset({"heading", "note", "image", "link", "data", "diff"})
CHOOSES_SEVERAL = frozenset({"multiselect", "checkboxes"})
YES = {"y": True, "yes": True, "true": True, "n": False, "no": False, "false": False}


@dataclass(frozen=True)
class Dialog:
    """How a person is asked: `ask` takes the question and the default, `say` a line to show."""

    ask: Callable[[str, str | None], str]
    say: Callable[[str], None]


@dataclass(frozen=True)
class Answer:
    """What was filled in."""

    data: dict[str, Any]
    outcome: str | None


class NotReadableError(ValueError):
    """What was typed cannot be the answer to the question; the text says what can."""


def fill(form: Mapping[str, Any], proposed: Mapping[str, Any], dialog: Dialog, *, outcome: str | None) -> Answer:
    """Return a whole answer that fits the form; asks again, with the reason, where something does not fit.

    `proposed` are values to start from, such as an agent's draft.
    """
    outcome = outcome or _outcome(form, dialog)
    data = {name: value for name, value in proposed.items() if name in form["properties"]}
    names = list(form["properties"])
    while True:
        for name in names:
            _fill_field(form, name, data, outcome, dialog)
        try:
            return Answer(validate(form, data, outcome), outcome)
        except Invalid as invalid:
            for problem in invalid.problems:
                dialog.say(f"! {problem.path}: {problem.message}" if problem.path else f"! {problem.message}")
            wrong = {_root(problem.path) for problem in invalid.problems}
            names = [name for name in form["properties"] if name in wrong] or list(form["properties"])


def _outcome(form: Mapping[str, Any], dialog: Dialog) -> str | None:
    keys = outcomes_of(form)
    while keys:
        given = dialog.ask(f"Outcome ({', '.join(keys)})", None).strip()
        if given in keys:
            return given
        dialog.say(f"! One of {', '.join(keys)}.")
    return None


def _fill_field(form: Mapping[str, Any], name: str, data: dict[str, Any], outcome: str | None, dialog: Dialog) -> None:
    schema = form["properties"][name]
    hint = schema.get(HINTS, {})
    shown = visible_values(form["properties"], data)
    if name not in shown:
        data.pop(name, None)
        return
    if hint.get("type") in SHOWN:
        for line in _display(schema, hint):
            dialog.say(line)
        return
    if hint.get("readonly"):
        dialog.say(f"{_label(name, schema)}: {_typed(shown[name])}")
        return
    required = name in required_names(form, shown)
    for choice in _choices(schema, hint):
        dialog.say(choice)
    while not _accept(form, name, data, outcome, dialog, required=required):
        pass


def _accept(
    form: Mapping[str, Any], name: str, data: dict[str, Any], outcome: str | None, dialog: Dialog, *, required: bool
) -> bool:
    """Ask once; True where the answer fits its field."""
    schema = form["properties"][name]
    start = data.get(name, schema.get("default"))
    given = dialog.ask(_question(name, schema, required=required), None if start is None else _typed(start)).strip()
    if not given:
        data.pop(name, None)
        if required:
            dialog.say("! This field is required.")
        return not required
    try:
        data[name] = _value(schema, given)
    except NotReadableError as wrong:
        dialog.say(f"! {wrong}")
        return False
    faults = [message for path, message in _faults(form, data, outcome) if _root(path) == name]
    for message in faults:
        dialog.say(f"! {message}")
    return not faults


def _faults(form: Mapping[str, Any], data: Mapping[str, Any], outcome: str | None) -> Iterator[tuple[str, str]]:
    try:
        validate(form, dict(data), outcome)
    except Invalid as invalid:
        for problem in invalid.problems:
            yield problem.path, problem.message


def _question(name: str, schema: Mapping[str, Any], *, required: bool) -> str:
    hint = schema.get(HINTS, {})
    kind = hint.get("type")
    how = "y/n" if schema.get("type") == "boolean" else "several, with commas" if kind in CHOOSES_SEVERAL else None
    how = "JSON" if schema.get("type") in ("object", "array") and kind not in CHOOSES_SEVERAL else how
    notes = "; ".join(note for note in (hint.get("help"), how, None if required else "may be left out") if note)
    return f"{_label(name, schema)} ({notes})" if notes else _label(name, schema)


def _label(name: str, schema: Mapping[str, Any]) -> str:
    return str(schema.get("title") or name)


def _options(schema: Mapping[str, Any], hint: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    options: list[Mapping[str, Any]] = hint.get("options", [])
    named = schema.get("items", schema).get("enum", [])
    return options or [{"value": value, "label": str(value)} for value in named]


def _choices(schema: Mapping[str, Any], hint: Mapping[str, Any]) -> list[str]:
    options = _options(schema, hint)
    return [f"  {at}  {one['label']}" for at, one in enumerate(options, start=1)]


def _display(schema: Mapping[str, Any], hint: Mapping[str, Any]) -> list[str]:
    """Return what a field that only shows something says."""
    words = ("text", "url", "value", "before", "after")
    said = [_typed(hint[word]) for word in words if hint.get(word) is not None]
    return said or [str(schema.get("title", ""))]


def _value(schema: Mapping[str, Any], given: str) -> Any:
    hint = schema.get(HINTS, {})
    options = _options(schema, hint)
    if hint.get("type") in CHOOSES_SEVERAL:
        return [_chosen(options, part.strip()) for part in given.split(",") if part.strip()]
    if options:
        return _chosen(options, given)
    read, otherwise = READERS.get(schema.get("type", ""), (json.loads, "This must be JSON."))
    try:
        return read(given)
    except (ValueError, KeyError):
        raise NotReadableError(otherwise) from None


def _number(given: str) -> int | float:
    return int(given) if given.lstrip("-").isdecimal() else float(given)


READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "boolean": (lambda given: YES[given.lower()], "Answer y or n."),
    "integer": (int, "This must be a whole number."),
    "number": (_number, "This must be a number."),
    "string": (str, ""),
}


def _chosen(options: list[Mapping[str, Any]], given: str) -> Any:
    for at, option in enumerate(options, start=1):
        if given.casefold() in (str(at), str(option["value"]).casefold(), str(option["label"]).casefold()):
            return option["value"]
    raise NotReadableError(f"Choose a number from 1 to {len(options)}, or write one of the names.")


def _typed(value: Any) -> str:
    """Return a value as one would type it."""
    if isinstance(value, bool):
        return "y" if value else "n"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _root(path: str) -> str:
    return path.partition(".")[0].partition("[")[0]
