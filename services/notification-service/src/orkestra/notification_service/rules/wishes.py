"""How people and groups want to be told: which channels, when, and what a message may not do to them at night."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from orkestra.v1.notification import (
    Channel,
    ChannelRule,
    NotificationKind,
    Preferences,
    PutPreferencesRequest,
    QuietHours,
)
from orkestra.wire import FieldError, InvalidArgument, PermissionDenied, Principal

LANGUAGES: Final = ("en", "de", "fr")
LONGEST_DIGEST: Final = 1440
MANAGERS: Final = frozenset({"manager", "admin"})
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_NOT_MAILED: Final = frozenset({NotificationKind.GROUP_TASK})
_FOR_GROUPS: Final = frozenset(
    {NotificationKind.GROUP_TASK, NotificationKind.ESCALATED, NotificationKind.REMINDER, NotificationKind.BREACHED}
)


def channels_for(preferences: Preferences | None, kind: NotificationKind, *, is_group: bool) -> frozenset[Channel]:
    """Return where news of a kind go; a group has no feed and no mailbox, its members have theirs."""
    chosen = _chosen(preferences.rules if preferences is not None else (), kind)
    if chosen is None:
        chosen = _usual(kind, is_group=is_group)
    possible = set() if is_group else {Channel.IN_APP, Channel.EMAIL}
    if preferences is not None and preferences.slack_host is not None:
        possible.add(Channel.SLACK)
    if preferences is not None and preferences.teams_host is not None:
        possible.add(Channel.TEAMS)
    return chosen & possible


def in_full(preferences: Preferences) -> Preferences:
    """Return preferences with a rule for each kind: those that nobody chose for as they are without preferences."""
    is_group = preferences.owner.startswith("group:")
    named = {rule.kind for rule in preferences.rules}
    usual = [
        ChannelRule(kind=kind, channels=sorted(_usual(kind, is_group=is_group)))
        for kind in NotificationKind
        if kind not in named
    ]
    return preferences.model_copy(update={"rules": [*preferences.rules, *usual]})


def send_at(preferences: Preferences | None, zone: str | None, now: datetime, *, is_urgent: bool) -> datetime | None:
    """Return when a message goes out, None for at once: digests at even steps, nothing within quiet hours.

    What is urgent breaks through both.
    """
    if preferences is None or is_urgent:
        return None
    at = now
    if preferences.digest_minutes is not None:
        step = preferences.digest_minutes * 60
        at = datetime.fromtimestamp((int(now.timestamp()) // step + 1) * step, UTC)
    if preferences.quiet_hours is not None:
        at = _after_quiet(preferences.quiet_hours, zone_of(zone), at)
    return None if at == now else at


def zone_of(name: str | None) -> ZoneInfo:
    """Return a zone by its name, UTC where there is none or no such one."""
    return ZoneInfo(name) if name in _zones() else ZoneInfo("UTC")


def language_of(locale: str | None) -> str:
    """Return which of our languages a BCP 47 tag reads: English where it is none of them."""
    language = (locale or "").partition("-")[0].partition("_")[0].lower()
    return language if language in LANGUAGES else LANGUAGES[0]


def check_preferences(request: PutPreferencesRequest) -> None:
    """Refuse wishes that cannot be kept."""
    for position, rule in enumerate(request.rules):
        if any(earlier.kind == rule.kind for earlier in request.rules[:position]):
            raise _invalid(f"rules[{position}].kind", "repeated", "A kind has one rule.")
    if request.digest_minutes is not None and not 1 <= request.digest_minutes <= LONGEST_DIGEST:
        raise _invalid("digest_minutes", "out_of_range", f"A digest comes every 1 to {LONGEST_DIGEST} minutes.")
    quiet = request.quiet_hours
    for name, value in () if quiet is None else (("begins", quiet.begins), ("ends", quiet.ends)):
        if _CLOCK.fullmatch(value) is None:
            raise _invalid(f"quiet_hours.{name}", "invalid", "Give a time of the day such as 22:00.")
    if quiet is not None and quiet.begins == quiet.ends:
        raise _invalid("quiet_hours.ends", "invalid", "Quiet hours end at another time than they begin.")
    if request.group_id is None and (request.locale is not None or request.time_zone is not None):
        raise _invalid("locale", "not_allowed", "A person's language and time zone are kept with the person.")
    if request.locale is not None and request.locale not in LANGUAGES:
        raise _invalid("locale", "unknown", f"The languages are {', '.join(LANGUAGES)}.")
    if request.time_zone is not None and request.time_zone not in _zones():
        raise _invalid("time_zone", "unknown", "Give an IANA name such as Europe/Berlin.")


def owner_of(group_id: str | None, principal: Principal, *, is_writing: bool) -> str:
    """Return whose preferences are meant; refuses programs, and groups to those whom they do not concern."""
    if group_id is None:
        if principal.kind != "user":
            raise PermissionDenied("FEED_FOR_PEOPLE_ONLY", "Only people are told of news; programs follow events.")
        return f"user:{principal.subject}"
    is_manager = not MANAGERS.isdisjoint(principal.roles)
    if not is_manager and (is_writing or group_id not in principal.groups):
        raise PermissionDenied("ROLE_REQUIRED", "A group's preferences are for its managers: manager or admin.")
    return f"group:{group_id}"


def is_addressed(recipient: str, principal: Principal) -> bool:
    """Return whether a message was for the caller, or for a group of theirs."""
    kind, _, name = recipient.partition(":")
    if principal.kind != "user":
        return False
    return name == principal.subject if kind == "user" else name in principal.groups


def _chosen(rules: Sequence[ChannelRule], kind: NotificationKind) -> frozenset[Channel] | None:
    return next((frozenset(rule.channels) for rule in rules if rule.kind == kind), None)


def _usual(kind: NotificationKind, *, is_group: bool) -> frozenset[Channel]:
    chat = {Channel.SLACK, Channel.TEAMS}
    if is_group:
        return frozenset(chat) if kind in _FOR_GROUPS else frozenset()
    return frozenset({Channel.IN_APP}) if kind in _NOT_MAILED else frozenset({Channel.IN_APP, Channel.EMAIL, *chat})


def _after_quiet(quiet: QuietHours, zone: ZoneInfo, at: datetime) -> datetime:
    """Return the end of the quiet hours that a moment is in, else the moment; by the clocks on the wall."""
    local = at.astimezone(zone)
    clock = f"{local:%H:%M}"
    begins, ends = quiet.begins, quiet.ends
    is_quiet = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    if not is_quiet:
        return at
    day = local.date() + timedelta(days=1 if clock >= ends else 0)
    hour, minute = (int(part) for part in ends.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone).astimezone(UTC)


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _invalid(path: str, code: str, message: str) -> InvalidArgument:
    return InvalidArgument("PREFERENCES_INVALID", f"{path}: {message}", errors=[FieldError(path, code, message)])
