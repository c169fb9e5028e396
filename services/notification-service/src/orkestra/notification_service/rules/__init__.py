"""Decisions of notification-service as pure functions."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from orkestra.notification_service.rules.feeds import (
    MOST_MARKED,
    RUN_ENDS,
    TASK_EVENTS,
    UNREAD_LIMIT,
    WORK,
    News,
    cause_of,
    check_marked,
    check_reader,
    group_text,
    is_person,
    news_of,
    page_size_of,
    page_token,
    place_of,
    settled_version,
    told,
)
from orkestra.notification_service.rules.receiving import (
    LONGEST_ASKED_PAUSE,
    MOST_WEBHOOKS,
    TOLD_OUTSIDE,
    Outcome,
    Parcel,
    check_description,
    check_filters,
    check_redelivered,
    is_wanted,
    pause_after,
)
from orkestra.notification_service.rules.wishes import (
    LANGUAGES,
    channels_for,
    check_preferences,
    in_full,
    is_addressed,
    language_of,
    owner_of,
    send_at,
    zone_of,
)
from orkestra.notification_service.rules.words import say
from orkestra.wire import PermissionDenied, Principal

__all__ = [
    "LANGUAGES",
    "LONGEST_ASKED_PAUSE",
    "MOST_MARKED",
    "MOST_WEBHOOKS",
    "RUN_ENDS",
    "TASK_EVENTS",
    "TOLD_OUTSIDE",
    "UNREAD_LIMIT",
    "WORK",
    "News",
    "Outcome",
    "Parcel",
    "cause_of",
    "channels_for",
    "check_description",
    "check_filters",
    "check_installation",
    "check_marked",
    "check_preferences",
    "check_reader",
    "check_redelivered",
    "check_role",
    "group_text",
    "in_full",
    "is_addressed",
    "is_person",
    "is_wanted",
    "language_of",
    "news_of",
    "owner_of",
    "page_size_of",
    "page_token",
    "pause_after",
    "place_of",
    "say",
    "send_at",
    "settled_version",
    "told",
    "zone_of",
]

_ADMINS: Final = frozenset({"admin"})
ROLES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "CreateWebhook": _ADMINS,
        "GetWebhook": _ADMINS,
        "ListWebhooks": _ADMINS,
        "UpdateWebhook": _ADMINS,
        "DeleteWebhook": _ADMINS,
        "RotateWebhookSecret": _ADMINS,
        "ListDeliveries": _ADMINS,
        "Redeliver": _ADMINS,
    }
)
"""Who may, where it takes a role; a person's feed is that person's alone."""


def check_installation(principal: Principal) -> None:
    """Refuse everybody but the installation's own service."""
    if principal.kind != "service" or principal.subject != "service":
        raise PermissionDenied("ROLE_REQUIRED", "This is left to the installation's own service.")


def check_role(rpc: str, principal: Principal) -> None:
    """Refuse a caller who has no role that the rpc needs."""
    needed = ROLES.get(rpc)
    if needed is not None and needed.isdisjoint(principal.roles):
        has = ", ".join(sorted(principal.roles)) or "none"
        told = f"{rpc} needs one of the roles {', '.join(sorted(needed))}; the caller has {has}."
        raise PermissionDenied("ROLE_REQUIRED", told)
