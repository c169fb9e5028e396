"""Decisions about runs as pure functions."""

import base64
import binascii
import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from orkestra.rules import parse_duration
from orkestra.rules.recurrence import is_time_zone, parse_cron
from orkestra.sdk.header import RunHeader
from orkestra.v1.events import ScheduleEvent, WorkflowEvent
from orkestra.v1.task import ChangeRequest, Sla, SlaClock, Task, TaskStatus
from orkestra.v1.workflow import (
    Definition,
    Failure,
    ListWorkflowsRequest,
    Schedule,
    SignalWorkflowRequest,
    StartWorkflowRequest,
    UpdateScheduleRequest,
    Workflow,
    WorkflowStatus,
)
from orkestra.wire import (
    FailedPrecondition,
    FieldError,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Principal,
    TooLarge,
    Unavailable,
    dumps,
)

MAY: dict[str, frozenset[str]] = {
    "start": frozenset({"admin", "manager", "member", "agent", "system"}),
    "see_every_run": frozenset({"admin", "manager", "auditor"}),
    "cancel_every_run": frozenset({"admin", "manager"}),
    "signal_every_run": frozenset({"admin", "manager"}),
    "register": frozenset({"worker"}),
    "report_end": frozenset({"worker"}),
    "fire": frozenset({"worker"}),
    "report_progress": frozenset({"worker"}),
    "keep_house": frozenset({"worker"}),
    "put_retention": frozenset({"admin"}),
    "see_retention": frozenset({"admin", "auditor"}),
    "erase": frozenset({"admin"}),
    "see_erasures": frozenset({"admin", "auditor"}),
    "read_payloads": frozenset({"admin"}),
}
"""Operation by role. Whoever asked for a run sees it and may cancel and signal it besides."""


@dataclass(frozen=True)
class Start:
    """A run as Temporal is asked to start it."""

    header: RunHeader
    temporal_type: str
    task_queue: str
    input: dict[str, Any]
    start_at: datetime


@dataclass(frozen=True)
class End:
    """The end of a run as Temporal has it."""

    run_id: str
    status: WorkflowStatus
    result: Any = None
    failure: Failure | None = None


@dataclass(frozen=True)
class Waiting:
    """A task of a run: what the requester has to answer, None where it waits for nothing."""

    task_id: str
    workflow_id: str
    version: int
    asked: ChangeRequest | None


LONGEST_DELAY = timedelta(days=365)
SHORTEST_INTERVAL = timedelta(minutes=1)
ASK_HUMAN = "ask-human@1"
"""The built-in workflow of tasks that were asked for without one; its id in Temporal is the task's."""
FIRE_SCHEDULE = "fire-schedule@1"
"""The built-in workflow that a schedule in Temporal starts; it has the service start the run."""
BUILTIN_QUEUE = "orkestra-builtin"
LARGEST_SIGNAL = 256 * 1024
RESERVED_SIGNALS = ("orkestra_", "__temporal_")
RESERVED_NAMES = ("orkestra_", "__")
MOST_ATTRIBUTES, MOST_LABELS_ASKED = 20, 10
ATTRIBUTE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
ENDS = frozenset({TaskStatus.COMPLETED, TaskStatus.CANCELLED, TaskStatus.EXPIRED})
MOVES_DEADLINES = frozenset(
    {
        "completed",
        "cancelled",
        "expired",
        "escalated",
        "assigned",
        "delegated",
        "updated",
        "changes_requested",
        "answered",
        "submitted",
        "undone",
    }
)
MOVES_CLAIM_CLOCK = frozenset({"claimed", "released"})
WAITING = frozenset({"changes_requested", "answered"})
CREATED = "created"


def check_may(operation: str, principal: Principal) -> None:
    """Refuse (PermissionDenied) a principal none of whose roles may do `operation`."""
    if not may(operation, principal):
        raise PermissionDenied("ROLE_MISSING", f"This needs one of the roles {', '.join(sorted(MAY[operation]))}.")


def may(operation: str, principal: Principal) -> bool:
    """Say whether one of the principal's roles may do `operation`."""
    return bool(MAY[operation] & principal.roles)


def may_see(principal: Principal, run: Workflow | Schedule) -> bool:
    """Say whether the principal may see the run, or the schedule."""
    return may("see_every_run", principal) or principal.subject in (run.requested_by, run.on_behalf_of)


def check_may_cancel(principal: Principal, run: Workflow) -> None:
    """Refuse (PermissionDenied) whoever neither asked for the run nor manages the tenant."""
    if not may("cancel_every_run", principal) and principal.subject != run.requested_by:
        raise PermissionDenied("ROLE_MISSING", "Only who asked for a run, managers and admins may cancel it.")


def check_may_change(principal: Principal, schedule: Schedule) -> None:
    """Refuse (PermissionDenied) whoever neither created the schedule nor manages the tenant."""
    if not may("cancel_every_run", principal) and principal.subject != schedule.requested_by:
        raise PermissionDenied("ROLE_MISSING", "Only who created a schedule, managers and admins may change it.")


def check_may_signal(principal: Principal, run: Workflow) -> None:
    """Refuse (PermissionDenied) whoever neither asked for the run nor manages the tenant."""
    if not may("signal_every_run", principal) and principal.subject != run.requested_by:
        raise PermissionDenied("ROLE_MISSING", "Only who asked for a run, managers and admins may signal it.")


def check_signal(request: SignalWorkflowRequest) -> None:
    """Refuse (InvalidArgument, TooLarge) a name that belongs to the platform, and a payload beyond 256 KiB."""
    faults = _too_long("signal", request.signal, 200)
    if request.signal.startswith(RESERVED_SIGNALS):
        faults.append(FieldError("signal", "reserved", "Signals with this name are the platform's own."))
    if faults:
        raise InvalidArgument("REQUEST_INVALID", "The run cannot be signalled like this.", errors=faults)
    size = len(dumps(request.payload).encode())
    if size > LARGEST_SIGNAL:
        raise TooLarge("REQUEST_TOO_LARGE", f"The payload is {size} bytes; a signal carries at most {LARGEST_SIGNAL}.")


def check_asked(kind: Literal["query", "update"], name: str, payload: Any) -> None:
    """Refuse (InvalidArgument, TooLarge) a query or update with a name of Temporal's own, or beyond 256 KiB."""
    faults = _too_long(kind, name, 200)
    if name.startswith(RESERVED_NAMES):
        faults.append(FieldError(kind, "reserved", "Names like this are the platform's own."))
    if faults:
        raise InvalidArgument("REQUEST_INVALID", "The run cannot be asked like this.", errors=faults)
    size = len(dumps(payload).encode())
    if size > LARGEST_SIGNAL:
        raise TooLarge("REQUEST_TOO_LARGE", f"The payload is {size} bytes; at most {LARGEST_SIGNAL} are carried.")


def check_started(run: Workflow) -> None:
    """Refuse (Unavailable) what can only be asked of a run that Temporal has started."""
    if run.run_id is None:
        raise Unavailable("WORKFLOW_NOT_STARTED", "Temporal has not started the run yet.", retry_after=2.0)


def not_running(run: Workflow) -> FailedPrecondition:
    """Return the refusal of what can only be asked of a running run, with the run."""
    status = "ended" if run.status is WorkflowStatus.RUNNING else str(run.status)
    return FailedPrecondition("WORKFLOW_NOT_RUNNING", f"The run is no longer running: {status}.", current=run)


def check_may_start(principal: Principal, definition: Definition) -> None:
    """Refuse (PermissionDenied) a principal that the definition's start_roles leave out."""
    check_may("start", principal)
    if definition.start_roles and not principal.roles & set(definition.start_roles):
        raise PermissionDenied(
            "START_NOT_ALLOWED",
            f"{definition.name} may be started by the roles {', '.join(definition.start_roles)} only.",
        )


def check_may_act_for(principal: Principal, user_id: str) -> None:
    """Refuse (PermissionDenied) a principal that was not granted to ask on behalf of this person."""
    if principal.subject != user_id and "*" not in principal.on_behalf_of and user_id not in principal.on_behalf_of:
        raise PermissionDenied("ON_BEHALF_OF_NOT_GRANTED", "This credential may not ask on behalf of that person.")


def check_request(request: StartWorkflowRequest) -> None:
    """Refuse (InvalidArgument) what is too long or too much, every fault at once."""
    faults = [
        *_too_long("business_id", request.business_id, 200),
        *(fault for index, tag in enumerate(request.tags) for fault in _too_long(f"tags[{index}]", tag, 100)),
    ]
    if len(request.tags) > 50:
        faults.append(FieldError("tags", "too_many", "At most 50 tags are kept."))
    if request.start_delay is not None and _delay(request.start_delay) is None:
        faults.append(FieldError("start_delay", "invalid", "A duration such as 10m, of at most 365 days."))
    faults += _attribute_faults(request.search_attributes or {})
    if faults:
        raise InvalidArgument("REQUEST_INVALID", "The run cannot be started like this.", errors=faults)


def _attribute_faults(attributes: dict[str, Any]) -> list[FieldError]:
    if len(attributes) > MOST_ATTRIBUTES:
        return [FieldError("search_attributes", "too_many", f"At most {MOST_ATTRIBUTES} are kept.")]
    faults = []
    for name, value in attributes.items():
        path = f"search_attributes.{name}"
        if not ATTRIBUTE_NAME.fullmatch(name):
            told = "A name begins with a letter, goes on with letters, digits, _ . and -, and has at most 64."
            faults.append(FieldError(path, "invalid", told))
        elif not isinstance(value, str | int | float):
            faults.append(FieldError(path, "wrong_type", "Text, a number, true or false."))
        elif len(str(value)) > 200:
            faults.append(FieldError(path, "length", "At most 200 characters."))
    return faults


def labels_asked(request: ListWorkflowsRequest) -> list[tuple[str, str]]:
    """Return the labels that runs must have: tags without a name, then attributes.

    Refuses (InvalidArgument) an attribute that is not name=value, and more than ten labels.
    """
    named = [text.partition("=") for text in request.attributes]
    faults = [
        FieldError(f"attributes[{index}]", "invalid", "Give name=value, such as customer=k1.")
        for index, (name, equals, _) in enumerate(named)
        if not equals or not ATTRIBUTE_NAME.fullmatch(name)
    ]
    if len(request.tags) + len(named) > MOST_LABELS_ASKED:
        faults.append(FieldError("tags", "too_many", f"Ask for at most {MOST_LABELS_ASKED} tags and attributes."))
    if faults:
        raise InvalidArgument("REQUEST_INVALID", "Runs cannot be listed like this.", errors=faults)
    return [("", tag) for tag in request.tags] + [(name, value) for name, _, value in named]


def recurrence(*, cron: str | None, every: str | None, time_zone: str | None) -> dict[str, str | None]:
    """Return when a schedule fires, as it is kept; refuses (InvalidArgument) what is not one of cron and every."""
    faults = []
    if (cron is None) == (every is None):
        faults.append(FieldError("cron", "contradiction", "Give cron or every, and not both."))
    if cron is not None:
        try:
            cron = parse_cron(cron)
        except ValueError as wrong:
            faults.append(FieldError("cron", "invalid", str(wrong)))
    span = None if every is None else _delay(every)
    if every is not None and (span is None or span < SHORTEST_INTERVAL):
        faults.append(FieldError("every", "invalid", "A duration such as 30m, from one minute to 365 days."))
    if time_zone is not None and cron is None:
        faults.append(FieldError("time_zone", "contradiction", "A time zone is for cron; every needs none."))
    elif time_zone is not None and not is_time_zone(time_zone):
        faults.append(FieldError("time_zone", "unknown", "Use an IANA name such as Europe/Berlin."))
    if faults:
        raise InvalidArgument("SCHEDULE_INVALID", "Nothing can be scheduled like this.", errors=faults)
    return {"cron": cron, "every": every, "time_zone": None if cron is None else time_zone or "UTC"}


def changed_recurrence(known: Schedule, asked: UpdateScheduleRequest) -> dict[str, str | None]:
    """Return when a schedule fires after a change: what is given takes the place of what was."""
    if asked.every is not None:
        return recurrence(cron=asked.cron, every=asked.every, time_zone=asked.time_zone)
    cron = asked.cron or known.cron
    zone = asked.time_zone or known.time_zone
    return recurrence(cron=cron, every=None if asked.cron else known.every, time_zone=zone)


def start_delay(request: StartWorkflowRequest) -> timedelta:
    """Return how long the start waits."""
    return (request.start_delay is not None and _delay(request.start_delay)) or timedelta()


def definition_unknown(name: str, known: Iterable[str], version: int | None = None) -> NotFound:
    """Return the refusal for a definition that nobody registered, with the names that come near."""
    near = difflib.get_close_matches(name, list(known), n=3)
    asked = name if version is None else f"{name} version {version}"
    hint = f"Did you mean {' or '.join(near)}?" if near and near != [name] else "A worker registers what it has."
    return NotFound("DEFINITION_NOT_FOUND", f"No workflow {asked} is registered. {hint}")


def run_not_found(workflow_id: str) -> NotFound:
    """Return the refusal for a run that is not there, or not the caller's to see."""
    return NotFound("WORKFLOW_NOT_FOUND", f"There is no workflow {workflow_id}.")


def changed_schemas(known: Definition, given: Definition) -> list[str]:
    """Return which schemas of a registered definition another registration changes."""
    names = ("input_schema", "output_schema")
    return [name for name in names if getattr(known, name) != getattr(given, name)]


def wakes(event: str, task: Task) -> bool:
    """Say whether a task's event must wake its workflow: it ended, a deadline moved, or it has no workflow yet."""
    if event == CREATED:
        return task.workflow_id is None
    if event in MOVES_CLAIM_CLOCK:
        return task.sla is not None and _has_claim_clock(task.sla)
    return event in MOVES_DEADLINES


def may_have_waited(task: Task) -> bool:
    """Say whether the task waits for its requester, or did; the time of that is measured when it ends."""
    return task.status is TaskStatus.WAITING or task.time_waiting is not None


def _has_claim_clock(sla: Sla) -> bool:
    return sla.claim_by is not None or any(step.clock == SlaClock.CLAIM for step in sla.policy.escalate)


def asked_of_requester(task: Task) -> ChangeRequest | None:
    """Return what a waiting task asks of its requester; None where it does not wait."""
    if task.status is not TaskStatus.WAITING or not task.change_requests:
        return None
    return task.change_requests[-1]


def told(run: Workflow, actor: str | None) -> WorkflowEvent:
    """Return what an event tells of a run, and to whom."""
    slim = run.model_copy(update={"input": None, "result": None, "handoff": None, "notice": None})
    return WorkflowEvent(workflow=slim, audience=_audience(run), actor=actor)


def told_of_schedule(schedule: Schedule, actor: str | None) -> ScheduleEvent:
    """Return what an event tells of a schedule, and to whom."""
    return ScheduleEvent(
        schedule=schedule.model_copy(update={"input": None}), audience=_audience(schedule), actor=actor
    )


def is_clock(principal: Principal) -> bool:
    """Say whether a worker asks: it acts for the clock, and nobody of the tenant did it."""
    return "worker" in principal.roles


def _audience(of: Workflow | Schedule) -> list[str]:
    people = [f"user:{person}" for person in dict.fromkeys((of.requested_by, of.on_behalf_of)) if person]
    return [*people, "all"]


def page_size(asked: int | None) -> int:
    """Return the page size; refuses (InvalidArgument) one outside 1..200."""
    size = 50 if asked is None else asked
    if not 1 <= size <= 200:
        fault = FieldError("page_size", "out_of_range", "Between 1 and 200.")
        raise InvalidArgument("REQUEST_INVALID", "A page has 1 to 200 runs.", errors=[fault])
    return size


def page_token(last_id: str) -> str:
    """Return the token of the page after the run or schedule with this id."""
    return base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def page_start(token: str | None, *, prefix: str) -> str:
    """Return the id that a page begins below; refuses (InvalidArgument) a token that is not one of ours."""
    if token is None:
        return f"{prefix}~"
    try:
        start = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        start = ""
    if not start.startswith(prefix):
        fault = FieldError("page_token", "invalid", "Use next_page_token as it was given.")
        raise InvalidArgument("REQUEST_INVALID", "This is not a page token.", errors=[fault])
    return start


def _too_long(path: str, text: str | None, limit: int) -> list[FieldError]:
    if text is None or 0 < len(text) <= limit:
        return []
    return [FieldError(path, "length", f"Between 1 and {limit} characters.")]


def _delay(text: str) -> timedelta | None:
    try:
        delay = parse_duration(text)
    except ValueError:
        return None
    return delay if timedelta() <= delay <= LONGEST_DELAY else None
