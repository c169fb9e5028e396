"""Decisions of this service's own: whom a request names, what a list reads, what events and history leave out."""

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from orkestra import forms
from orkestra.rules import Absence, Change, audience, offered_by_name, substitutes_of
from orkestra.rules.clocks import retimed
from orkestra.v1.events import CalendarEvent, TaskEvent
from orkestra.v1.task import (
    AssignTaskRequest,
    BulkOperation,
    BulkTasksRequest,
    Calendar,
    CreateTaskRequest,
    EscalationStep,
    RedeemReceiptRequest,
    SlaPolicy,
    Task,
    TaskStatus,
    WokenEnd,
)
from orkestra.wire import FieldError, InvalidArgument

EVERYONE = "all"
LIVE = (TaskStatus.OPEN, TaskStatus.CLAIMED, TaskStatus.WAITING)
DEFAULT_PAGE = 50
LARGEST_PAGE = 200
SMALL_PAGE = 20
LARGEST_SMALL_PAGE = 50
LONGEST_USE_ID = 200
MOST_AT_ONCE = 100
MOST_ENDS = 500
REDACTED = "[redacted]"
_SUBMITTED = ("completed_by", "submitted_by", "submitted_at", "undo_until", "acted_for", "outcome")
_PINNED = ("policy", "hours")
_LARGE_FIELDS = (
    "submission",
    "description",
    "form",
    "context",
    "input",
    "draft",
    "saved",
    "saved_at",
    "result",
    "receipt",
)


@dataclass(frozen=True, slots=True)
class Named:
    """A person or a group as a request names it, and the field that does."""

    path: str
    name: str


class PartPlace(NamedTuple):
    """Where a part of a file is kept; the digest of its content is part of the place."""

    tenant_id: str
    task_id: str
    attachment_id: str
    number: int
    digest: str


def people_named_in(request: CreateTaskRequest) -> Iterator[Named]:
    """Yield every person that a creation names, by user id or e-mail address."""
    for path, name in (("assignee", request.assignee), ("on_behalf_of", request.on_behalf_of)):
        if name is not None:
            yield Named(path, name)
    yield from _listed("candidate_users", request.candidate_users)
    yield from _listed("excluded_users", request.excluded_users)
    for path, step in _steps(request):
        yield from _listed(f"{path}.assign_to.users", step.assign_to.users if step.assign_to else [])
        for number, target in enumerate(step.notify):
            if target.startswith("user:"):
                yield Named(f"{path}.notify[{number}]", target.removeprefix("user:"))


def groups_named_in(request: CreateTaskRequest) -> Iterator[Named]:
    """Yield every group that a creation names."""
    yield from _listed("candidate_groups", request.candidate_groups)
    for path, step in _steps(request):
        yield from _listed(f"{path}.assign_to.groups", step.assign_to.groups if step.assign_to else [])
        if step.add_group is not None:
            yield Named(f"{path}.add_group", step.add_group)
        for number, target in enumerate(step.notify):
            if target.startswith("group:"):
                yield Named(f"{path}.notify[{number}]", target.removeprefix("group:"))


def with_user_ids(request: CreateTaskRequest, id_of: Callable[[str], str]) -> CreateTaskRequest:
    """Return the request with every person named by user id, each once."""
    return request.model_copy(
        update={
            "assignee": None if request.assignee is None else id_of(request.assignee),
            "on_behalf_of": None if request.on_behalf_of is None else id_of(request.on_behalf_of),
            "candidate_users": _each_once(request.candidate_users, id_of),
            "excluded_users": _each_once(request.excluded_users, id_of),
            "candidate_groups": list(dict.fromkeys(request.candidate_groups)),
            "sla": None if request.sla is None else _policy_with_ids(request.sla, id_of),
        }
    )


def people_assigned_in(request: AssignTaskRequest) -> Iterator[Named]:
    """Yield every person that an assignment names, by user id or e-mail address."""
    if request.assignee is not None:
        yield Named("assignee", request.assignee)
    yield from _listed("candidate_users", request.candidate_users)


def groups_assigned_in(request: AssignTaskRequest) -> Iterator[Named]:
    """Yield every group that an assignment names."""
    yield from _listed("candidate_groups", request.candidate_groups)


def page_size_of(size: int | None) -> int:
    """Return how many tasks a page holds; refuses what is not 1 to 200."""
    if size is None:
        return DEFAULT_PAGE
    if not 1 <= size <= LARGEST_PAGE:
        raise _refused(FieldError("page_size", "out_of_range", f"A page holds 1 to {LARGEST_PAGE} tasks."))
    return size


def small_page_size_of(size: int | None) -> int:
    """Return how many corrections a page holds; refuses what is not 1 to 50."""
    if size is None:
        return SMALL_PAGE
    if not 1 <= size <= LARGEST_SMALL_PAGE:
        raise _refused(FieldError("page_size", "out_of_range", f"A page holds 1 to {LARGEST_SMALL_PAGE} corrections."))
    return size


def page_token(due: str, task_id: str) -> str:
    """Return the opaque text that stands for what was last on a page."""
    return base64.urlsafe_b64encode(json.dumps([due, task_id]).encode()).decode().rstrip("=")


def place_of(token: str | None) -> tuple[str, str]:
    """Return due date and task id after which a page begins; refuses a token that is none of ours."""
    if token is None:
        return "-infinity", ""
    try:
        due, task_id = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        if due != "infinity":
            datetime.fromisoformat(due)
        return due, str(task_id).replace("\x00", "")
    except (ValueError, TypeError, binascii.Error):
        raise _refused(FieldError("page_token", "invalid", "This is not a page token of this list.")) from None


def calendar_token(calendar_id: str) -> str:
    """Return the opaque text that stands for the last calendar of a page."""
    return base64.urlsafe_b64encode(calendar_id.encode()).decode().rstrip("=")


def calendar_place(token: str | None) -> str:
    """Return the calendar id after which a page begins; refuses a token that is none of ours."""
    try:
        place = base64.b64decode((token or "") + "=" * (-len(token or "") % 4), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        place = "\0"
    if not place.isprintable():
        raise _refused(FieldError("page_token", "invalid", "This is not a page token of this list."))
    return place


def calendar_event(calendar: Calendar, *, actor: str) -> CalendarEvent:
    """Return what is told of a calendar: without what its holidays are called."""
    holidays = [each.model_copy(update={"name": None}) for each in calendar.working_hours.holidays]
    hours = calendar.working_hours.model_copy(update={"holidays": holidays})
    slim = calendar.model_copy(update={"working_hours": hours})
    return CalendarEvent(calendar=slim, audience=[EVERYONE], actor=actor)


def comment_token(comment_id: str) -> str:
    """Return the opaque text that stands for the last comment of a page."""
    return base64.urlsafe_b64encode(comment_id.encode()).decode().rstrip("=")


def comment_place(token: str | None) -> str:
    """Return the comment id after which a page begins; refuses a token that is none of ours."""
    if token is None:
        return ""
    try:
        place = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (ValueError, binascii.Error):
        place = ""
    if not place.startswith("comment_") or not place.isprintable():
        raise _refused(FieldError("page_token", "invalid", "This is not a page token of this list."))
    return place


def check_redemption(request: RedeemReceiptRequest) -> None:
    """Refuse a use without an id of 1 to 200 characters."""
    if not 0 < len(request.use_id.strip()) <= len(request.use_id) <= LONGEST_USE_ID:
        raise _refused(FieldError("use_id", "wrong_length", f"1 to {LONGEST_USE_ID} characters."))


def check_bulk(request: BulkTasksRequest) -> None:
    """Refuse what cannot be done to any task: no or too many tasks, one named twice, an answer that is not there."""
    errors = []
    if not 1 <= len(request.tasks) <= MOST_AT_ONCE:
        errors.append(FieldError("tasks", "out_of_range", f"1 to {MOST_AT_ONCE} tasks."))
    named: set[str] = set()
    for position, one in enumerate(request.tasks):
        if one.task_id in named:
            errors.append(FieldError(f"tasks[{position}].task_id", "duplicate", "This task is named twice."))
        named.add(one.task_id)
    if request.operation == BulkOperation.COMPLETE and request.data is None:
        errors.append(FieldError("data", "required", "Give the answer."))
    if request.operation == BulkOperation.ASSIGN and request.reason is None:
        errors.append(FieldError("reason", "required", "Say why."))
    if errors:
        raise InvalidArgument("BULK_INVALID", f"{errors[0].path}: {errors[0].message}", errors=errors)


def check_ends(ends: Sequence[WokenEnd]) -> None:
    """Refuse more ends than are confirmed at once."""
    if len(ends) > MOST_ENDS:
        fault = FieldError("ends", "too_many", f"At most {MOST_ENDS} ends.")
        raise InvalidArgument("REQUEST_INVALID", f"{fault.path}: {fault.message}", errors=[fault])


def without_large_fields(task: Task) -> Task:
    """Return the task as lists and events show it: without what is large or private."""
    votes = [vote.model_copy(update={"data": None}) for vote in task.votes]
    hidden: dict[str, Any] = {**dict.fromkeys(_LARGE_FIELDS), "change_requests": [], "votes": votes}
    if task.sla is not None and (task.sla.policy.default_result is not None or task.sla.hours is not None):
        policy = task.sla.policy.model_copy(update={"default_result": None})
        hidden["sla"] = task.sla.model_copy(update={"policy": policy, "hours": None})
    return task.model_copy(update=hidden)


def as_told_later(task: Task) -> Task:
    """Return the task as events show it that come after its end or tell of it again: without why it was cancelled.

    That is somebody's words. One event alone has them, with who wrote them, so that they are found and erased.
    """
    return without_large_fields(task).model_copy(update={"reason": None})


def recorded(change: Change) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what history keeps of a change: the changed fields before and after, sensitive values redacted.

    The content that a task was created with stays in the task alone, and the policy of its clocks too.
    """
    before, after = change.fields()
    if change.before is None:
        after = {name: value for name, value in after.items() if name not in _LARGE_FIELDS}
    for fields in (before, after):
        if "sla" in fields:
            fields["sla"] = {name: value for name, value in fields["sla"].items() if name not in _PINNED}
        if fields.get("receipt"):
            fields["receipt"] = {name: value for name, value in fields["receipt"].items() if name != "token"}
        if "votes" in fields:
            fields["votes"] = _recorded_votes(change, fields["votes"])
        if fields.get("submission"):
            fields["submission"] = {name: value for name, value in fields["submission"].items() if name in _SUBMITTED}
        answer, late = fields.get("result"), fields.get("late_answer")
        if answer is not None:
            fields["result"] = redacted(answer, change.task.form or {})
        if late is not None:
            fields["late_answer"] = late | {"data": redacted(late["data"], change.task.form or {})}
    return before, after


def _recorded_votes(change: Change, votes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return of the votes the one that was cast, whole; where they were cleared all of them, without their forms."""
    if change.event != "vote_cast":
        return [{name: value for name, value in vote.items() if name != "data"} for vote in votes]
    form = change.task.form or {}
    return [{**vote, "data": redacted(vote.get("data"), form)} for vote in votes if vote["voter"] == change.actor]


def redacted(value: Any, schema: Mapping[str, Any]) -> Any:
    """Return an answer with the values of its form's sensitive fields replaced."""
    return forms.redacted(value, schema, mark=REDACTED)


def event_of(change: Change, absences: Sequence[Absence]) -> TaskEvent:
    """Return what is told of a change; `absences` are those of the people to whom the task is or was offered."""
    tasks = [task for task in (change.before, change.task) if task is not None]
    return TaskEvent(task=without_large_fields(change.task), audience=audience_now(tasks, absences), actor=change.actor)


def audience_now(tasks: Sequence[Task], absences: Sequence[Absence]) -> list[str]:
    """Return who may see one of these states of a task, whoever takes a person's place included."""
    standing = (one for task in tasks for one in substitutes_of(offered_by_name(task), task.type, absences))
    return sorted({*(one for task in tasks for one in audience(task)), *(f"user:{one}" for one in standing)})


def is_claim_plain(task: Task) -> bool:
    """Return whether a claim leaves the clocks of an open task as they are, and no calendar has to measure it."""
    if task.submission is not None or (task.sla is not None and task.sla.hours is not None):
        return False
    return retimed(task.model_copy(update={"status": TaskStatus.CLAIMED})) == task.sla


def offers_of(task: Task) -> dict[str, bool]:
    """Return who sees the task, and whether it is theirs to work on."""
    working = {f"user:{user}" for user in (task.assignee, *task.candidate_users) if user is not None}
    working |= {f"group:{group}" for group in task.candidate_groups}
    working |= {f"agent:{name}" for name in task.allow_agents}
    return {one: one in working for one in audience(task)}


def _policy_with_ids(policy: SlaPolicy, id_of: Callable[[str], str]) -> SlaPolicy:
    return policy.model_copy(update={"escalate": [_step_with_ids(step, id_of) for step in policy.escalate]})


def _step_with_ids(step: EscalationStep, id_of: Callable[[str], str]) -> EscalationStep:
    notify = [f"user:{id_of(one[5:])}" if one.startswith("user:") else one for one in step.notify]
    assign_to = step.assign_to
    if assign_to is not None:
        assign_to = assign_to.model_copy(update={"users": _each_once(assign_to.users, id_of)})
    return step.model_copy(update={"notify": notify, "assign_to": assign_to})


def _steps(request: CreateTaskRequest) -> Iterator[tuple[str, EscalationStep]]:
    if request.sla is not None:
        for number, step in enumerate(request.sla.escalate):
            yield f"sla.escalate[{number}]", step


def _listed(path: str, names: list[str]) -> Iterator[Named]:
    for number, name in enumerate(names):
        yield Named(f"{path}[{number}]", name)


def _each_once(names: list[str], id_of: Callable[[str], str]) -> list[str]:
    return list(dict.fromkeys(id_of(name) for name in names))


def _refused(error: FieldError) -> InvalidArgument:
    return InvalidArgument("REQUEST_INVALID", f"{error.path}: {error.message}", errors=[error])
