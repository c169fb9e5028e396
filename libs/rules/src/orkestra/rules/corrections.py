"""What a person made of an agent's draft, field by field."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from orkestra.rules.escalation import is_same, kept_draft
from orkestra.v1.task import CorrectedField, Correction, Task

Show = Callable[[Any, str], Any]
"""How the value of a field, by the field's name, is shown: sensitive ones are not."""


def correction_of(task: Task, show: Show) -> Correction:
    """Returns the correction of a task with a draft that a person has completed."""
    draft, answer = task.draft or {}, task.result or {}
    return Correction(
        task_id=task.task_id,
        type=task.type,
        title=task.title,
        agent=task.context.agent if task.context else None,
        context=task.context,
        input=task.input,
        draft={name: {**proposal, "value": show(proposal["value"], name)} for name, proposal in draft.items()},
        answer={name: show(value, name) for name, value in answer.items()},
        outcome=task.outcome,
        kept=bool(kept_draft(task)),
        diff=list(_fields(draft, answer, show)),
        answered_by=task.completed_by or "",
        answered_at=task.completed_at or task.updated_at,
        revision=task.revision,
    )


def _fields(draft: dict[str, Any], answer: dict[str, Any], show: Show) -> Iterator[CorrectedField]:
    for name in dict.fromkeys([*draft, *answer]):
        proposal = draft.get(name)
        has_both = proposal is not None and name in answer
        yield CorrectedField(
            field=name,
            proposed=None if proposal is None else _text(show(proposal["value"], name)),
            answered=_text(show(answer[name], name)) if name in answer else None,
            confidence=None if proposal is None else proposal.get("confidence"),
            changed=not (has_both and proposal is not None and is_same(answer[name], proposal["value"])),
        )


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
