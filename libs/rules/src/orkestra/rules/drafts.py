"""Partial values of the assignee: checked for their types only."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from orkestra import forms
from orkestra.rules.changes import Decision
from orkestra.rules.clocks import due
from orkestra.rules.creation import check_size
from orkestra.rules.deciding import refusal_of_state
from orkestra.rules.permissions import may
from orkestra.v1.task import SaveDraftRequest, Task
from orkestra.wire import FieldError, InvalidArgument, Principal

_PYTHON: Final[Mapping[str, tuple[type, ...]]] = {
    "object": (dict,),
    "array": (list,),
    "boolean": (bool,),
    "integer": (int, float),
    "number": (int, float),
    "string": (str,),
}


def decide_save_draft(
    task: Task,
    principal: Principal,
    now: datetime,
    request: SaveDraftRequest,
    *,
    strangers: frozenset[str] = frozenset(),
) -> Decision:
    """Returns the task with the assignee's partial values; they are no change of it and raise no version.

    Each value has a type that its field takes, or is nothing, or text: what is typed is not yet what it will be.
    `strangers` are ids of files that the task does not have.
    """
    changes = due(task, now)
    task = changes[-1].task if changes else task
    refusal = may("save_draft", principal, task) or refusal_of_state("save_draft", task)
    if refusal is not None:
        return Decision(task, changes, refusal)
    schema = task.form or forms.check(None)
    errors = check_size(request.data, "data") or list(_type_errors(request.data, schema))
    errors = errors or list(_file_errors(request.data, schema, strangers))
    if errors:
        return Decision(task, changes, InvalidArgument("DATA_INVALID", "The draft cannot be kept.", errors=errors))
    return Decision(task.model_copy(update={"saved": request.data, "saved_at": now}), changes)


def _type_errors(data: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[FieldError]:
    for name, value in data.items():
        path = forms.join("data", name)
        field = schema["properties"].get(name)
        if field is None:
            yield FieldError(path, "unknown_field", "The form has no such field.")
        elif not _fits(value, field.get("type")):
            yield FieldError(path, "wrong_type", f"Takes a value of type {field['type']}.")


def _file_errors(data: Mapping[str, Any], schema: Mapping[str, Any], strangers: frozenset[str]) -> Iterator[FieldError]:
    for name, value in data.items():
        if not strangers.isdisjoint(forms.files_in(schema["properties"][name], value)):
            yield FieldError(forms.join("data", name), "unknown_file", "The task has no such file.")


def _fits(value: Any, expected: str | None) -> bool:
    if value is None or isinstance(value, str) or expected is None:
        return True
    return type(value) in _PYTHON.get(expected, ())
