"""What people decide on, replaced: whatever of it changes is a new revision."""

from typing import Any, Final

from orkestra import forms
from orkestra.rules.actions import NotCanonical, digests_of
from orkestra.rules.approvals import check_outcomes, standing
from orkestra.rules.creation import (
    as_field_errors,
    check_context,
    check_description,
    check_draft,
    check_title,
    not_canonical,
)
from orkestra.v1.task import Task, TaskContext
from orkestra.wire import FieldError

REVISED: Final = ("title", "description", "context", "form")


def revised(
    task: Task,
    errors: list[FieldError],
    *,
    title: str | None = None,
    description: str | None = None,
    context: TaskContext | None = None,
    form: dict[str, Any] | None = None,
    draft: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Returns the content of the task with what is given in its place; adds what is wrong with it to `errors`.

    What is left out stays, an empty description is none. The action stays where a new context names none, so that
    nobody takes four eyes off a task; a draft and partial values lose what a new form has no field for.
    """
    if title is not None:
        errors += check_title(title)
    if description is not None:
        errors += check_description(description)
    shown = _context(task, context, errors)
    schema = _schema(task, form, shown, errors)
    if draft is not None:
        errors += check_draft(draft, schema)
    values: dict[str, Any] = {
        "title": task.title if title is None else title,
        "description": task.description if description is None else description or None,
        "context": shown,
        "form": schema,
        "draft": draft if draft is not None else task.draft and _fitting(task.draft, schema),
        "saved": task.saved and _fitting(task.saved, schema),
    }
    if any(values[name] != getattr(task, name) for name in REVISED):
        values["revision"] = task.revision + 1
        values |= standing(task, [])
        try:
            bound = digests_of(values["title"], values["description"], shown, schema)
            values["action_digest"] = bound and bound.action
        except NotCanonical:
            errors.append(not_canonical())
    return values


def _context(task: Task, given: TaskContext | None, errors: list[FieldError]) -> TaskContext | None:
    if given is None:
        return task.context
    errors += check_context(given)
    action = given.action or (task.context.action if task.context else None)
    return given.model_copy(update={"action": action})


def _schema(
    task: Task, given: dict[str, Any] | None, context: TaskContext | None, errors: list[FieldError]
) -> dict[str, Any]:
    old = task.form or forms.check(None)
    if given is None:
        return old
    try:
        known = context.model_dump(mode="json", exclude_none=True) if context else {}
        schema = forms.check(given, known)
    except forms.Invalid as exc:
        errors += as_field_errors(exc.problems, "form")
        return old
    if task.approval_policy is not None:
        errors += check_outcomes(schema, path="form")
    policy = task.sla.policy if task.sla else None
    if policy is not None and policy.default_result is not None:
        try:
            forms.validate(schema, policy.default_result, policy.default_outcome)
        except forms.Invalid:
            message = "The result that the policy gives at the end does not fit this form."
            errors.append(FieldError("form", "default_unfit", message))
    return schema


def _fitting(values: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in schema["properties"]}
