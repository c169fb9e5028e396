"""Asking whoever wants a decision for changes, and their answer; meanwhile the clocks stand still."""

from datetime import datetime, timedelta
from typing import Any, Final

from orkestra import forms
from orkestra.rules.actions import NotCanonical, digests_of
from orkestra.rules.changes import Change, Decision, changed
from orkestra.rules.clocks import reopened, stopped
from orkestra.rules.creation import NOT_ASKED, as_field_errors, check_context, check_draft, check_text, not_canonical
from orkestra.rules.deciding import change, decide
from orkestra.rules.durations import parse_duration
from orkestra.v1.task import AnswerTaskRequest, ChangeRequest, RequestChangesRequest, Task, TaskContext, TaskStatus
from orkestra.wire import Error, FailedPrecondition, FieldError, InvalidArgument, Principal

MAX_ROUNDS: Final = 5
ANSWER_WITHIN: Final = timedelta(hours=24)


def decide_request_changes(task: Task, principal: Principal, now: datetime, request: RequestChangesRequest) -> Decision:
    """Asks the requester; the task waits, until answer_by at the latest, and at most five times."""

    def effect(task: Task) -> Change | Error:
        errors = check_text("message", request.message)
        within = ANSWER_WITHIN
        try:
            within = parse_duration(request.answer_within) if request.answer_within else within
        except ValueError as exc:
            errors.append(FieldError("answer_within", "duration_invalid", str(exc)))
        if errors:
            return InvalidArgument("CHANGES_INVALID", "The changes cannot be asked for like this.", errors=errors)
        rounds = len(task.change_requests)
        if rounds >= MAX_ROUNDS:
            message = f"Changes were asked for {MAX_ROUNDS} times; now decide on the task as it is."
            return FailedPrecondition("CHANGES_EXHAUSTED", message, current=task)
        asked = ChangeRequest(
            round=rounds + 1,
            message=request.message,
            asked_by=principal.subject,
            asked_at=now,
            answer_by=now + within,
        )
        values = {"change_requests": [*task.change_requests, asked], "sla": stopped(task.sla, asked.answer_by)}
        after = changed(task, now, status=TaskStatus.WAITING, **values)
        return change("changes_requested", task, after, now, principal=principal)

    return decide("request_changes", task, principal, now, version=request.version, effect=effect)


def decide_answer(task: Task, principal: Principal, now: datetime, request: AnswerTaskRequest) -> Decision:
    """Gives the task back to its reviewer with the answer and what it replaces; the clocks run on.

    New context or a new form is a new revision. The action stays where a new context names none, so that nobody takes
    four eyes off a task by answering.
    """

    def effect(task: Task) -> Change | Error:
        values, errors = _replaced(task, request)
        if errors:
            return InvalidArgument("ANSWER_INVALID", "The answer cannot be taken as it is.", errors=errors)
        answered = {"answer": request.message, "answered_at": now, "answered_by": principal.subject}
        after = changed(task, now, status=TaskStatus.CLAIMED, **values, **reopened(task, now, **answered))
        return change("answered", task, after, now, principal=principal)

    return decide("answer", task, principal, now, version=request.version, effect=effect)


def _replaced(task: Task, request: AnswerTaskRequest) -> tuple[dict[str, Any], list[FieldError]]:
    errors = check_text("message", request.message)
    context = _context(task, request, errors)
    schema = _schema(task, request, context, errors)
    draft = request.draft
    if draft is None and task.draft is not None:
        draft = _fitting(task.draft, schema)
    elif draft is not None:
        errors += check_draft(draft, schema)
    values: dict[str, Any] = {
        "context": context,
        "form": schema,
        "draft": draft,
        "saved": task.saved and _fitting(task.saved, schema),
    }
    if context != task.context or schema != task.form:
        values["revision"] = task.revision + 1
        try:
            bound = digests_of(task.title, task.description, context, schema)
            values["action_digest"] = bound and bound.action
        except NotCanonical:
            errors.append(not_canonical())
    return values, errors


def _context(task: Task, request: AnswerTaskRequest, errors: list[FieldError]) -> TaskContext | None:
    if request.context is None:
        return task.context
    errors += check_context(request.context)
    action = request.context.action or (task.context.action if task.context else None)
    return request.context.model_copy(update={"action": action})


def _schema(
    task: Task, request: AnswerTaskRequest, context: TaskContext | None, errors: list[FieldError]
) -> dict[str, Any]:
    old = task.form or forms.check(None)
    if request.form is None:
        return old
    try:
        known = context.model_dump(mode="json", exclude_none=True) if context else {}
        schema = forms.check(request.form, known, without=NOT_ASKED)
    except forms.Invalid as exc:
        errors += as_field_errors(exc.problems, "form")
        return old
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
