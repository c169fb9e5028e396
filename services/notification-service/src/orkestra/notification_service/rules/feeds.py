"""Who is told of what happened to a task, in which words, and when such news is no longer theirs."""

import base64
import binascii
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from orkestra.v1.events import TaskEvent
from orkestra.v1.notification import NotificationKind
from orkestra.v1.task import EscalationStep, Task, TaskStatus
from orkestra.wire import FieldError, InvalidArgument, PermissionDenied, Principal

DEFAULT_PAGE = 50
LARGEST_PAGE = 200
MOST_MARKED = 200
UNREAD_LIMIT = 1000
TASK_EVENTS = (
    "created",
    "assigned",
    "delegated",
    "claimed",
    "released",
    "escalated",
    "reminder_due",
    "sla_breached",
    "changes_requested",
    "answered",
    "mentioned",
    "submitted",
    "completed",
    "cancelled",
    "expired",
)
RUN_ENDS = {
    "completed": "A workflow that you started has completed.",
    "failed": "A workflow that you started has failed.",
    "cancelled": "A workflow that you started was ended.",
    "terminated": "A workflow that you started was ended.",
    "timed_out": "A workflow that you started has failed.",
}
"""What is told of the end of a run."""
WORK = frozenset(
    {
        NotificationKind.ASSIGNED,
        NotificationKind.GROUP_TASK,
        NotificationKind.ESCALATED,
        NotificationKind.REMINDER,
        NotificationKind.BREACHED,
    }
)
"""Kinds that ask somebody to act; the others are news and stay unread until they are read."""
_SETTLING = frozenset({"assigned", "delegated", "claimed", "submitted", "completed", "cancelled", "expired"})
_FOR_GROUPS = {
    NotificationKind.ESCALATED: "A task was escalated to {group}.",
    NotificationKind.REMINDER: "A task of {group} waits to be done.",
    NotificationKind.BREACHED: "A task of {group} is past its due time.",
}
IN_PLACE = {
    "A task was assigned to you.": "A task was assigned to somebody whose place you take.",
    "A task is offered to you.": "A task is offered to somebody whose place you take.",
    "A task was escalated to you.": "A task was escalated to somebody whose place you take.",
    "A task of yours has become more urgent.": "A task of somebody whose place you take has become more urgent.",
    "A task of yours waits to be done.": "A task of somebody whose place you take waits to be done.",
    "A task of yours is past its due time.": "A task of somebody whose place you take is past its due time.",
    "What you wanted changed was answered.": "What somebody whose place you take wanted changed was answered.",
}
"""What whoever takes a person's place is told where that person is told of work that is theirs by name."""
_ENDS = {
    "completed": "What you asked for has been answered.",
    "cancelled": "What you asked for was cancelled without an answer.",
    "expired": "Time ran out for what you asked: nobody has answered.",
}


@dataclass(frozen=True, slots=True)
class News:
    """One sentence for people and for the members of groups."""

    kind: NotificationKind
    text: str
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    excluded: frozenset[str] = frozenset()
    is_work: bool = False
    """Whether it is about work that is theirs by name: then whoever takes the place of one of `users` hears it too."""


def news_of(name: str, event: TaskEvent) -> list[News]:
    """Return what is told of the event `name` of a task; of two that reach one person the first counts."""
    found = list(_news(name, event))
    return [news for news in found if news.users or news.groups]


def told(
    news: list[News],
    members: Mapping[str, Collection[str]],
    *,
    actor: str | None,
    standing_in: Callable[[Collection[str]], Collection[str]] = lambda _people: (),
) -> dict[str, News]:
    """Return the one news of each person but the one who did it.

    `standing_in` says who takes the places of people with this task; what is meant for them in person comes first.
    """
    chosen: dict[str, News] = {}
    news = [
        *news,
        *(
            replace(one, text=IN_PLACE[one.text], users=tuple(sorted(standing_in(one.users))), groups=())
            for one in news
            if one.is_work
        ),
    ]
    for one in news:
        reached = [*one.users, *(member for group in one.groups for member in members.get(group, ()))]
        for user_id in reached:
            if is_person(user_id) and user_id != actor and user_id not in one.excluded:
                chosen.setdefault(user_id, one)
    return chosen


def settled_version(name: str, event: TaskEvent) -> int:
    """Return the version before which nothing asks anybody to act any more: 0 where the event leaves that as it is.

    A task that is claimed, has ended, or was given to others is no longer work for those who were told before.
    """
    step = _step(event.task) if name == "escalated" else None
    moved = name in _SETTLING or (step is not None and step.assign_to is not None)
    return event.task.version if moved else 0


def cause_of(name: str, event_id: str, task: Task) -> str:
    """Return what makes an entry the same thing told again.

    Each change of a task has a version of its own, and its end may be told anew under another event id. A comment
    changes no version.
    """
    return event_id if name == "mentioned" else f"{task.task_id}@{task.version}"


def is_person(subject: str | None) -> bool:
    """Return whether the subject of a principal is a person's."""
    return subject is not None and subject.startswith("user_")


def check_reader(principal: Principal) -> None:
    """Refuse programs: a feed is a person's."""
    if principal.kind != "user":
        raise PermissionDenied("FEED_FOR_PEOPLE_ONLY", "Only people have a feed; programs follow tasks and events.")


def page_size_of(size: int | None) -> int:
    """Return how many entries a page holds; refuses what is not 1 to 200."""
    if size is None:
        return DEFAULT_PAGE
    if not 1 <= size <= LARGEST_PAGE:
        raise _refused(FieldError("page_size", "out_of_range", f"A page holds 1 to {LARGEST_PAGE} entries."))
    return size


def check_marked(notification_ids: list[str]) -> None:
    """Refuse more entries than a page holds; none at all means every entry."""
    if len(notification_ids) > MOST_MARKED:
        raise _refused(FieldError("notification_ids", "too_many", f"At most {MOST_MARKED} entries at once."))


def page_token(created_at: datetime, notification_id: str) -> str:
    """Return the opaque text that stands for what was last on a page."""
    return base64.urlsafe_b64encode(json.dumps([created_at.isoformat(), notification_id]).encode()).decode().rstrip("=")


def place_of(token: str | None) -> tuple[str, str]:
    """Return time and id before which a page begins; refuses a token that is none of ours."""
    if token is None:
        return "infinity", ""
    try:
        at, notification_id = json.loads(
            base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        )
        return datetime.fromisoformat(at).isoformat(), str(notification_id).replace("\x00", "")
    except (ValueError, TypeError, binascii.Error):
        raise _refused(FieldError("page_token", "invalid", "This is not a page token of this feed.")) from None


def _news(name: str, event: TaskEvent) -> Iterator[News]:
    task = event.task
    match name:
        case "mentioned":
            yield News(NotificationKind.MENTIONED, "You were mentioned in a comment.", users=tuple(event.mentioned))
        case "created" | "released":
            yield from _offered(task, "has a new task" if name == "created" else "has a task to take again")
        case "assigned" | "delegated":
            yield from _offered(task, "has a new task")
        case "escalated" | "reminder_due":
            yield from _escalated(task)
        case "sla_breached":
            yield _to_holders(task, NotificationKind.BREACHED, "A task of yours is past its due time.")
        case "changes_requested":
            text = "Changes are wanted before what you asked is decided."
            yield News(NotificationKind.CHANGES, text, users=_asked(task))
        case "answered" if task.assignee is not None:
            yield News(
                NotificationKind.CHANGES, "What you wanted changed was answered.", users=(task.assignee,), is_work=True
            )
        case "completed" | "cancelled" | "expired":
            yield News(NotificationKind.ANSWERED, _ENDS[name], users=_asked(task))


def _asked(task: Task) -> tuple[str, ...]:
    return tuple(one for one in (task.requested_by, task.on_behalf_of) if one is not None)


def _to_holders(task: Task, kind: NotificationKind, text: str) -> News:
    return News(kind, text, *_holders(task), frozenset(task.excluded_users), is_work=True)


def _assigned(task: Task) -> News:
    users = () if task.assignee is None else (task.assignee,)
    excluded = frozenset(task.excluded_users)
    return News(NotificationKind.ASSIGNED, "A task was assigned to you.", users, excluded=excluded, is_work=True)


def _offered(task: Task, what: str) -> Iterator[News]:
    """Yield who may take a task that has no assignee, or the one person to whom it is given."""
    if task.assignee is not None:
        yield _assigned(task)
    elif task.status == TaskStatus.OPEN:
        excluded = frozenset(task.excluded_users)
        users, groups = tuple(task.candidate_users), tuple(task.candidate_groups)
        yield News(NotificationKind.ASSIGNED, "A task is offered to you.", users, excluded=excluded, is_work=True)
        yield News(NotificationKind.GROUP_TASK, f"A group of yours {what}.", groups=groups, excluded=excluded)


def _escalated(task: Task) -> Iterator[News]:
    """Yield whom the step of the chain that was performed last turns to."""
    step = _step(task)
    if step is None:
        return
    excluded = frozenset(task.excluded_users)
    if step.assign_to is not None:
        users, groups = tuple(step.assign_to.users), tuple(step.assign_to.groups)
        yield News(NotificationKind.ESCALATED, "A task was escalated to you.", users, excluded=excluded, is_work=True)
        yield _escalated_to_groups(groups, excluded)
    elif step.priority is not None:
        yield _to_holders(task, NotificationKind.ESCALATED, "A task of yours has become more urgent.")
    elif step.remind:
        yield _to_holders(task, NotificationKind.REMINDER, "A task of yours waits to be done.")
    if step.add_group is not None:
        yield _escalated_to_groups((step.add_group,), excluded)
    yield News(
        NotificationKind.ESCALATED,
        "You are told of a task that is taking long.",
        users=tuple(one.removeprefix("user:") for one in step.notify if one.startswith("user:")),
        groups=tuple(one.removeprefix("group:") for one in step.notify if one.startswith("group:")),
    )


def _escalated_to_groups(groups: tuple[str, ...], excluded: frozenset[str]) -> News:
    text = "A task was escalated to a group of yours."
    return News(NotificationKind.ESCALATED, text, groups=groups, excluded=excluded)


def _holders(task: Task) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the people and groups whose work the task is as it stands."""
    if task.assignee is not None:
        return (task.assignee,), ()
    return tuple(task.candidate_users), tuple(task.candidate_groups)


def _step(task: Task) -> EscalationStep | None:
    if task.sla is None or not task.sla.performed_steps:
        return None
    position = task.sla.performed_steps[-1]
    steps = task.sla.policy.escalate
    return steps[position] if 0 <= position < len(steps) else None


def _refused(error: FieldError) -> InvalidArgument:
    return InvalidArgument("REQUEST_INVALID", f"{error.path}: {error.message}", errors=[error])


def group_text(kind: NotificationKind) -> str:
    """Return the sentence in which a group is told of a task, in the place where it talks."""
    return _FOR_GROUPS.get(kind, "{group} has a new task.")
