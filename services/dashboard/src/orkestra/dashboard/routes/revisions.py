"""What a change of a task changed, as people read it: which part, how it was, how it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.reading import readable
from orkestra.dashboard.routes.words import Words
from orkestra.v1.task import TaskHistoryEntry

PARTS = {
    "title": N_("Title"),
    "description": N_("What is asked"),
    "context": N_("Context"),
    "form": N_("Form"),
    "draft": N_("Agent's draft"),
    "priority": N_("Priority"),
    "tags": N_("Tags"),
    "assignee": N_("Assignee"),
    "candidate_users": N_("Offered to"),
    "candidate_groups": N_("Offered to groups"),
    "sla": N_("Deadlines"),
}
CONTEXT = {
    "conversation": N_("Conversation"),
    "summary": N_("Summary"),
    "data": N_("Data"),
    "links": N_("Links"),
    "agent": N_("Agent"),
    "action": N_("What will be done"),
}
DEADLINES = {"claim_by": N_("Claim by"), "complete_by": N_("Due")}
PEOPLE = frozenset({"assignee", "candidate_users"})
MOST_PARTS = 40
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Difference:
    """One part of a task: its name, and how it was and is; empty where there was or is nothing."""

    part: str
    before: str
    after: str


def differences(entry: TaskHistoryEntry, words: Words, names: Mapping[str, str]) -> list[Difference]:
    """Returns what an entry of the history changed, nothing where that is not for people to read."""
    if entry.event == "created":
        return []
    before, after = entry.before or {}, entry.after or {}
    found = list(_found(before, after, words, names))
    return found[:MOST_PARTS]


def newest_revision(entries: Sequence[TaskHistoryEntry]) -> TaskHistoryEntry | None:
    """Returns the entry that made the newest revision."""
    return next(
        (each for each in reversed(entries) if each.event != "created" and "revision" in (each.after or {})), None
    )


def _found(
    before: Mapping[str, Any], after: Mapping[str, Any], words: Words, names: Mapping[str, str]
) -> Iterator[Difference]:
    for name, label in PARTS.items():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        part = words.text(label)
        match name:
            case "context":
                yield from _context(part, old or {}, new or {}, words)
            case "form":
                yield from _form(part, old or {}, new or {}, words)
            case "sla":
                yield from _deadlines(old or {}, new or {}, words)
            case "draft":
                yield from _entries(part, _proposed(old), _proposed(new))
            case _ if name in PEOPLE:
                yield Difference(part, _who(old, names), _who(new, names))
            case _:
                yield _difference(part, old, new)


def _context(part: str, old: Mapping[str, Any], new: Mapping[str, Any], words: Words) -> Iterator[Difference]:
    for name, label in CONTEXT.items():
        was, now = old.get(name), new.get(name)
        if was == now or not (was or now):
            continue
        inner = f"{part} · {words.text(label)}"
        if name == "data":
            yield from _entries(inner, was or {}, now or {})
        elif name == "conversation":
            yield Difference(inner, "", "\n".join(each["text"] for each in (now or []) if each not in (was or [])))
        else:
            yield _difference(inner, was, now)


def _form(part: str, old: Mapping[str, Any], new: Mapping[str, Any], words: Words) -> Iterator[Difference]:
    was, now = old.get("properties", {}), new.get("properties", {})
    for name in dict.fromkeys([*was, *now]):
        if was.get(name) != now.get(name):
            label = (now.get(name) or was.get(name)).get("title", name)
            told = [_described(side.get(name), words) for side in (was, now)]
            yield Difference(f"{part} · {label}", told[0], told[1])


def _described(schema: Mapping[str, Any] | None, words: Words) -> str:
    """Returns a field of a form in a line: its type, its options, what it asks for."""
    if schema is None:
        return words.text(N_("no such field"))
    hint = schema.get("x-orkestra", {})
    options = ", ".join(str(each["label"]) for each in hint.get("options", []))
    told = [str(schema.get("title", "")), str(hint.get("type", "")), options, str(schema.get("description", ""))]
    return " · ".join(each for each in told if each)


def _deadlines(old: Mapping[str, Any], new: Mapping[str, Any], words: Words) -> Iterator[Difference]:
    for name, label in DEADLINES.items():
        was, now = old.get(name), new.get(name)
        if was != now and (was or now):
            yield Difference(words.text(label), _moment(was, words), _moment(now, words))


def _entries(part: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            yield _difference(f"{part} · {name.replace('_', ' ')}", old.get(name), new.get(name))


def _proposed(draft: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        name: each["value"] if isinstance(each, Mapping) and "value" in each else each
        for name, each in (draft or {}).items()
    }


def _difference(part: str, old: Any, new: Any) -> Difference:
    return Difference(part, *("" if value in (None, [], {}) else readable(value)[:LONGEST] for value in (old, new)))


def _who(given: Any, names: Mapping[str, str]) -> str:
    people = [given] if isinstance(given, str) else given or []
    return ", ".join(names.get(each, each) for each in people)


def _moment(given: str | None, words: Words) -> str:
    return words.moment(datetime.fromisoformat(given)) if given else ""
