"""What receivers are: the events they ask for, the addresses they may have, and when they are tried again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from orkestra.wire import FieldError, InvalidArgument

MOST_WEBHOOKS: Final = 50
MOST_FILTERS: Final = 50
MOST_REDELIVERED: Final = 200
LONGEST_DESCRIPTION: Final = 200
LONGEST_PAUSE: Final = timedelta(hours=1)
LONGEST_ASKED_PAUSE: Final = timedelta(hours=6)
_EVENTS: Final = {
    "task": (
        *("created", "claimed", "released", "assigned", "delegated", "updated", "commented", "mentioned"),
        *("changes_requested", "answered", "vote_cast", "reminder_due", "sla_breached", "escalated"),
        *("completed", "cancelled", "expired"),
    ),
    "workflow": ("started", "progressed", "completed", "failed", "cancelled", "terminated", "timed_out"),
    "identity": (
        *("tenant_created", "tenant_suspended", "tenant_resumed", "tenant_deleted", "user_changed", "group_changed"),
        *("membership_changed", "substitution_changed", "key_revoked"),
    ),
    "webhook": ("created", "updated", "deleted", "secret_rotated", "disabled"),
    "notification": ("failed",),
}
TOLD_OUTSIDE: Final = frozenset(f"{aggregate}.{event}" for aggregate, events in _EVENTS.items() for event in events)
"""Types of events that a webhook may be told of."""
_FILTERS: Final = TOLD_OUTSIDE | {f"{aggregate}.*" for aggregate in _EVENTS} | {"*"}


@dataclass(frozen=True, slots=True)
class Parcel:
    """One event on its way to one receiver."""

    delivery_id: str
    event_id: str
    event_type: str
    content: dict[str, Any]
    created_at: datetime
    attempts: int
    tried_since: datetime


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt went."""

    delivered: bool
    response_status: int | None = None
    error: str | None = None
    is_gone: bool = False
    """Whether the receiver says that it wants nothing more, ever."""
    is_final: bool = False
    """Whether another try of this one is pointless."""
    is_skipped: bool = False
    """Whether there was nothing left to tell; then it counts as delivered and was not sent."""
    asked_pause: timedelta | None = None
    """How long the receiver wants to be left alone."""


def check_filters(events: Sequence[str]) -> list[str]:
    """Return the filters of a webhook, each once, all events where there is none; refuses unknown ones."""
    if len(events) > MOST_FILTERS:
        raise _invalid("events", "too_many", f"At most {MOST_FILTERS} types of events.")
    for position, one in enumerate(events):
        if one not in _FILTERS:
            message = f"There is no event {one!r:.80}; use a type such as task.completed, task.* or *."
            raise _invalid(f"events[{position}]", "unknown", message)
    return list(dict.fromkeys(events)) or ["*"]


def check_description(description: str | None) -> None:
    """Refuse a description that is too long to be one."""
    if description is not None and len(description) > LONGEST_DESCRIPTION:
        raise _invalid("description", "too_long", f"At most {LONGEST_DESCRIPTION} characters.")


def check_redelivered(delivery_ids: Sequence[str]) -> None:
    """Refuse to send more again than is sensible at once."""
    if len(delivery_ids) > MOST_REDELIVERED:
        raise _invalid("delivery_ids", "too_many", f"At most {MOST_REDELIVERED} at once.")


def is_wanted(event_type: str, filters: Collection[str]) -> bool:
    """Return whether filters let an event pass."""
    return "*" in filters or event_type in filters or f"{event_type.partition('.')[0]}.*" in filters


def pause_after(failures: int, *, first: timedelta, spread: float) -> timedelta:
    """Return how long to wait after so many failures in a row: doubled each time up to an hour.

    `spread` (0 to 1) takes up to a third off, so that receivers that failed together are not tried together.
    """
    whole = min(first * (1 << min(failures - 1, 20)), LONGEST_PAUSE)
    return whole * (1 - spread / 3)


def _invalid(path: str, code: str, message: str) -> InvalidArgument:
    return InvalidArgument("WEBHOOK_INVALID", f"{path}: {message}", errors=[FieldError(path, code, message)])
