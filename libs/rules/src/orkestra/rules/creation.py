"""What a task to open must be: sizes, shapes and the form, all errors at once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from orkestra import forms
from orkestra.rules.actions import NotCanonical, digests_of
from orkestra.rules.approvals import check_approval
from orkestra.rules.ids import is_task_id
from orkestra.rules.policies import check_policy
from orkestra.v1.task import CreateTaskRequest, SlaEnd, TaskContext
from orkestra.wire import FieldError

MAX_TITLE: Final = 300
MAX_TEXT: Final = 16 * 1024
MAX_TAGS: Final = 50
MAX_CANDIDATES: Final = 200
MAX_OPEN_DATA: Final = 256 * 1024
MAX_NAME: Final = 200
MAX_DEPTH: Final = 32
MAX_REVISIONS: Final = 50
_NAMES: Final = (
    "workflow_id",
    "first_run_id",
    "key",
    "on_behalf_of",
    "type",
    "correlation",
    "assignee",
    "requested_by",
)
_LISTS: Final = ("candidate_users", "candidate_groups", "excluded_users", "allow_agents")
_ROLES: Final = ("user", "assistant", "system", "tool")
_WITHOUT_TIMES: Final[Any] = {"context": {"conversation": {"__all__": {"at"}}}}


def check_create(request: CreateTaskRequest, *, has_calendar: bool = False) -> tuple[dict[str, Any], list[FieldError]]:
    """Returns the form's schema (empty where it is refused) and everything that is wrong with the request.

    `has_calendar` says that the calendar which its policy names is there.
    """
    errors = as_field_errors(forms.not_json(request.model_dump(exclude=_WITHOUT_TIMES), max_depth=MAX_DEPTH + 4))
    if errors:
        return {}, errors
    errors = [*_text_errors(request), *_list_errors(request), *_open_data_errors(request)]
    errors += check_context(request.context) if request.context else []
    schema: dict[str, Any] = {}
    context = request.context.model_dump(mode="json", exclude_none=True) if request.context else {}
    try:
        schema = forms.check(request.form, context)
    except forms.Invalid as exc:
        errors += as_field_errors(exc.problems, "form")
    else:
        errors += _draft_errors(request.draft or {}, schema)
        errors += _digest_errors(request, schema)
    errors += check_approval(request, schema)
    if request.sla:
        errors += check_policy(request.sla, has_calendar=has_calendar)
        if schema and request.sla.at_end == SlaEnd.DEFAULT and request.sla.default_result is not None:
            errors += _default_errors(request, schema)
    return schema, errors


def check_size(value: Any, path: str) -> list[FieldError]:
    """Returns what is wrong with open data: at most 256 KiB, at most 32 levels, nothing that is not JSON."""
    problems = forms.not_json(value, max_depth=MAX_DEPTH)
    if problems:
        return as_field_errors(problems, path)
    if forms.size(value) > MAX_OPEN_DATA:
        return [FieldError(path, "too_large", "At most 256 KiB.")]
    return []


def check_context(context: TaskContext) -> list[FieldError]:
    """Returns what is wrong with a context: its size, its depth and what it is made of."""
    return list(_context_errors(context))


def check_draft(draft: Mapping[str, Any], schema: Mapping[str, Any]) -> list[FieldError]:
    """Returns what is wrong with an agent's draft for a form."""
    return check_size(draft, "draft") or list(_draft_errors(draft, schema))


def check_text(path: str, text: str) -> list[FieldError]:
    """Returns what is wrong with what somebody says: something, and at most 16 KiB of it."""
    if not text.strip():
        return [FieldError(path, "required", "Say something.")]
    if len(text.encode(errors="replace")) > MAX_TEXT:
        return [FieldError(path, "too_large", "At most 16 KiB.")]
    return []


def not_canonical() -> FieldError:
    """Returns what is said of an action that no digest can bind."""
    message = "A decision cannot be bound to whole numbers beyond 2^53 - 1 (RFC 8785); send them as text."
    return FieldError("context.action", "not_canonical", message)


def as_field_errors(problems: Any, prefix: str = "") -> list[FieldError]:
    """Returns the problems of a form or its data as errors of the request that holds it at `prefix`."""
    placed = (problem.under(prefix) for problem in problems)
    return [FieldError(problem.path, problem.code, problem.message) for problem in placed]


def _text_errors(request: CreateTaskRequest) -> Iterator[FieldError]:
    if request.task_id is not None and not is_task_id(request.task_id):
        yield FieldError("task_id", "task_id_invalid", "A task id is task_ and the 32 hexadecimal digits of a UUIDv7.")
    yield from check_title(request.title)
    yield from check_description(request.description)
    for name in _NAMES:
        value = getattr(request, name)
        if value is not None and not 0 < len(value) <= MAX_NAME:
            yield FieldError(name, "too_long" if value else "required", f"1 to {MAX_NAME} characters.")
    if request.max_revisions is not None and not 1 <= request.max_revisions <= MAX_REVISIONS:
        yield FieldError("max_revisions", "out_of_range", f"1 to {MAX_REVISIONS}.")


def check_tags(tags: Sequence[str], path: str = "tags") -> Iterator[FieldError]:
    """Yields what is wrong with tags: at most 50, each of 1 to 200 characters."""
    if len(tags) > MAX_TAGS:
        yield FieldError(path, "too_many_items", f"At most {MAX_TAGS} tags.")
    for position, tag in enumerate(tags):
        if not tag.strip() or len(tag) > MAX_NAME:
            yield FieldError(f"{path}[{position}]", "wrong_length", f"1 to {MAX_NAME} characters.")


def check_title(title: str) -> Iterator[FieldError]:
    """Yields what is wrong with a title: something, and at most 300 characters of it."""
    if not title.strip():
        yield FieldError("title", "required", "A task has a title.")
    if len(title) > MAX_TITLE:
        yield FieldError("title", "too_long", f"At most {MAX_TITLE} characters.")


def check_description(description: str | None) -> Iterator[FieldError]:
    """Yields what is wrong with a description: at most 16 KiB."""
    if len((description or "").encode(errors="replace")) > MAX_TEXT:
        yield FieldError("description", "too_large", "At most 16 KiB.")


def check_candidates(users: Sequence[str], groups: Sequence[str]) -> Iterator[FieldError]:
    """Yields what is wrong with candidates: at most 200 people and groups together."""
    if len(users) + len(groups) > MAX_CANDIDATES:
        place = "candidate_users" if users else "candidate_groups"
        yield FieldError(place, "too_many_items", f"At most {MAX_CANDIDATES} candidates, people and groups together.")


def _list_errors(request: CreateTaskRequest) -> Iterator[FieldError]:
    yield from check_tags(request.tags)
    yield from check_candidates(request.candidate_users, request.candidate_groups)
    for name in ("excluded_users", "allow_agents"):
        if len(getattr(request, name)) > MAX_CANDIDATES:
            yield FieldError(name, "too_many_items", f"At most {MAX_CANDIDATES}.")
    for name in _LISTS:
        for position, value in enumerate(getattr(request, name)):
            if not value.strip() or len(value) > MAX_NAME:
                yield FieldError(f"{name}[{position}]", "wrong_length", f"1 to {MAX_NAME} characters.")
    if request.assignee is not None and request.assignee in request.excluded_users:
        yield FieldError("assignee", "excluded", "The assignee is one of the excluded users.")


def _open_data_errors(request: CreateTaskRequest) -> Iterator[FieldError]:
    for name in ("input", "draft"):
        value = getattr(request, name)
        if value is not None:
            yield from check_size(value, name)


def _context_errors(context: TaskContext) -> Iterator[FieldError]:
    if forms.size(context.model_dump(mode="json", exclude_none=True)) > MAX_OPEN_DATA:
        yield FieldError("context", "too_large", "At most 256 KiB.")
    args = context.action.args if context.action else None
    for path, value in (("context.data", context.data), ("context.action.args", args)):
        if value is not None and forms.depth(value) > MAX_DEPTH:
            yield FieldError(path, "too_deep", f"Is nested deeper than {MAX_DEPTH} levels.")
    for position, message in enumerate(context.conversation):
        if message.role not in _ROLES:
            yield FieldError(f"context.conversation[{position}].role", "not_an_option", f"One of {', '.join(_ROLES)}.")
    for position, link in enumerate(context.links):
        if not link.url.lower().startswith(("https://", "http://")):
            yield FieldError(f"context.links[{position}].url", "not_a_url", "Starts with http:// or https://.")
    confidence = context.agent.confidence if context.agent else None
    if confidence is not None and not 0 <= confidence <= 1:
        yield FieldError("context.agent.confidence", "out_of_range", "From 0 to 1.")


def _draft_errors(draft: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[FieldError]:
    for name, proposal in draft.items():
        path = forms.join("draft", name)
        if name not in schema["properties"]:
            yield FieldError(path, "unknown_field", "The form has no such field.")
        elif not isinstance(proposal, dict) or "value" not in proposal or set(proposal) - {"value", "confidence"}:
            yield FieldError(path, "draft_invalid", 'A proposal is {"value": …} with an optional confidence.')
        elif not _is_confidence(proposal.get("confidence", 1)):
            yield FieldError(forms.join(path, "confidence"), "out_of_range", "From 0 to 1.")


def _digest_errors(request: CreateTaskRequest, schema: Mapping[str, Any]) -> Iterator[FieldError]:
    try:
        digests_of(request.title, request.description, request.context, schema)
    except NotCanonical:
        yield not_canonical()


def _is_confidence(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _default_errors(request: CreateTaskRequest, schema: Mapping[str, Any]) -> list[FieldError]:
    if request.sla is None:
        return []
    try:
        forms.validate(schema, request.sla.default_result, request.sla.default_outcome)
    except forms.Invalid as exc:
        outcome = [problem for problem in exc.problems if problem.path == "outcome" and "outcome" in problem.code]
        rest = [problem for problem in exc.problems if problem not in outcome]
        found = as_field_errors(rest, "sla.default_result")
        return found + [FieldError("sla.default_outcome", each.code, each.message) for each in outcome]
    return []
