"""What the pages of the settings have in common, and what each person sets for themselves."""

import secrets
import zoneinfo
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from fastapi.responses import Response
from orkestra.dashboard.routes.faults import Fault
from orkestra.dashboard.routes.kinds import N_, typed_moment
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.pickers import people_of
from orkestra.dashboard.routes.visit import Visit
from orkestra.dashboard.routes.words import LANGUAGE_NAMES, seconds_left
from orkestra.v1.identity import (
    ChangePasswordRequest,
    GetSubstitutionRequest,
    SetSubstitutionRequest,
    Substitution,
    UpdateMeRequest,
)
from orkestra.wire import Error, FieldError, InvalidArgument, Unauthenticated
from orkestra.wire.problems import to_invalid_argument
from pydantic import ValidationError

PARTS: dict[str, tuple[str, str]] = {
    "profile": ("/settings", N_("You")),
    "preferences": ("/settings/notifications", N_("Notifications")),
    "people": ("/settings/people", N_("People")),
    "groups": ("/settings/groups", N_("Groups")),
    "calendars": ("/settings/calendars", N_("Calendars")),
    "policy": ("/settings/policy", N_("Escalation policy")),
    "answers": ("/settings/answers", N_("Answers")),
    "keys": ("/settings/keys", N_("API keys")),
    "webhooks": ("/settings/webhooks", N_("Webhooks")),
    "audit": ("/settings/audit", N_("Audit")),
}
FOR_OVERSEERS = frozenset({"keys"})
FOR_ADMINS = frozenset({"webhooks"})
FOR_AUDITORS = frozenset({"audit"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why what was posted was not done."""

    status: int = 200
    problem: str | None = None
    errors: tuple[FieldError, ...] = ()


Again = Callable[[Visit, Trouble], Awaitable[Response]]


async def page(visit: Visit, part: str, template: str, trouble: Trouble, **values: Any) -> Response:
    """Renders one page of the settings, with the others beside it."""
    parts = [
        (href, visit.words.text(label), name == part) for name, (href, label) in PARTS.items() if _is_for(visit, name)
    ]
    told = trouble.problem if not trouble.errors else None
    return await visit.page(
        template,
        status=trouble.status,
        current="settings",
        settings_parts=parts,
        problem=told,
        errors=[Fault(visit.words.fault(error), visit.words.place(error)) for error in trouble.errors],
        saved=visit.query("saved"),
        request_id=secrets.token_hex(16),
        **values,
    )


async def attempt(visit: Visit, act: Callable[[], Awaitable[Any]], again: Again, after: str) -> Response:
    """Does it and goes on to `after`; shows the page again with what is wrong where it is refused."""
    try:
        await act()
    except Unauthenticated:
        raise
    except Error as refused:
        return await again(visit, trouble_of(visit, refused))
    except ValidationError as unfit:  # what was typed fits no request, such as a number beyond its kind
        return await again(visit, trouble_of(visit, to_invalid_argument(unfit)))
    return go(f"{after}?saved=1")


def trouble_of(visit: Visit, refused: Error) -> Trouble:
    """Returns a refusal as a page tells it."""
    return Trouble(refused.http_status, visit.words.refusal(refused), tuple(refused.errors))


def moment_of(visit: Visit, name: str) -> datetime | None:
    """Returns a moment that was typed in the person's zone; refuses what is none."""
    typed = visit.value(name)
    try:
        return typed_moment(typed, visit.words.zone)
    except ValueError as unreadable:
        message = visit.words.text(N_("This is not a date and time."))
        raise InvalidArgument(
            "REQUEST_INVALID", message, errors=[FieldError(name, "not_a_moment", message)]
        ) from unreadable


async def profile(visit: Visit) -> Response:
    """Shows what the caller is known as, in which language and zone they read, and their absence."""
    return await _profile(visit, Trouble())


async def change_profile(visit: Visit) -> Response:
    """Changes the caller's own name, language and time zone; an empty one is the browser's."""
    request = UpdateMeRequest(
        name=visit.value("name") or "",
        locale=visit.value("locale") or "",
        time_zone=visit.value("time_zone") or "",
        version=visit.number("version"),
    )
    return await attempt(visit, lambda: visit.identity.update_me(request), _profile, "/settings")


async def change_password(visit: Visit) -> Response:
    """Changes the caller's password; other sessions end."""
    if visit.value("new_password") != visit.value("again"):
        return await _profile(visit, Trouble(422, visit.words.text(N_("The new password was typed in two ways."))))
    request = ChangePasswordRequest(
        token=visit.session,
        current_password=visit.value("current_password") or "",
        new_password=visit.value("new_password") or "",
    )
    return await attempt(visit, lambda: visit.identity.change_password(request, timeout=8.0), _profile, "/settings")


async def set_absence(visit: Visit) -> Response:
    """Says who takes the caller's place, and when; an empty form ends it."""

    async def act() -> Substitution:
        request = SetSubstitutionRequest(
            user_id=visit.me.subject,
            substitute=visit.value("substitute"),
            begins_at=moment_of(visit, "begins_at"),
            ends_at=moment_of(visit, "ends_at"),
            task_types=(visit.value("task_types") or "").split(),
        )
        return await visit.identity.set_substitution(request)

    return await attempt(visit, act, _profile, "/settings")


async def _profile(visit: Visit, trouble: Trouble) -> Response:
    try:
        absence = await visit.identity.get_substitution(GetSubstitutionRequest(user_id=visit.me.subject))
    except Unauthenticated:
        raise
    except Error:
        absence = None
    text, user = visit.words.text, visit.me.user
    about = [
        (text(N_("E-mail")), user.email if user else None),
        (text(N_("Roles")), ", ".join(text(ROLES[role.value]) for role in visit.me.roles if role.value in ROLES)),
        (text(N_("Groups")), ", ".join(visit.me.groups)),
    ]
    is_away = bool(absence and absence.substitute and (absence.ends_at is None or seconds_left(absence.ends_at) > 0))
    return await page(
        visit,
        "profile",
        "settings_profile.html",
        trouble,
        about=[(name, value) for name, value in about if value],
        user=user,
        own={
            "name": _typed(visit, "name", visit.me.name),
            "locale": _typed(visit, "locale", user.locale if user else None),
            "time_zone": _typed(visit, "time_zone", user.time_zone if user else None),
        },
        languages=LANGUAGE_NAMES,
        zones=time_zones(),
        absence=absence if is_away else None,
        people=await people_of(visit),
        typed={name: visit.value(name) or "" for name in ("substitute", "begins_at", "ends_at", "task_types")},
    )


ROLES = {
    "admin": N_("Admin"),
    "manager": N_("Manager"),
    "member": N_("Member"),
    "auditor": N_("Auditor"),
    "agent": N_("Agent"),
    "system": N_("System"),
    "worker": N_("Worker"),
    "operator": N_("Operator"),
}


@lru_cache
def time_zones() -> Sequence[str]:
    """Returns the time zones that people choose from: places, and UTC."""
    left_out = ("Etc/", "SystemV/", "US/", "posix/", "right/")
    found = zoneinfo.available_timezones()
    return ["UTC", *sorted(name for name in found if "/" in name and not name.startswith(left_out))]


def _typed(visit: Visit, name: str, kept: str | None) -> str:
    """Returns what was typed just before, where something was, else what is kept."""
    return visit.posted[name][-1] if visit.posted.get(name) else kept or ""


def _is_for(visit: Visit, part: str) -> bool:
    if part in FOR_ADMINS:
        return visit.is_admin
    if part in FOR_AUDITORS:
        return visit.is_admin or "auditor" in {role.value for role in visit.access.roles}
    return part not in FOR_OVERSEERS or visit.is_overseer
