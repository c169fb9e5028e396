"""What the pages of the settings have in common, and what each person sets for themselves."""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi.responses import Response
from orkestra.dashboard.routes.faults import Fault
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.pickers import people_of
from orkestra.dashboard.routes.visit import Visit
from orkestra.dashboard.routes.words import N_, seconds_left
from orkestra.v1.identity import (
    ChangePasswordRequest,
    GetSubstitutionRequest,
    SetSubstitutionRequest,
    Substitution,
)
from orkestra.wire import Error, FieldError, InvalidArgument, Unauthenticated

PARTS: dict[str, tuple[str, str]] = {
    "profile": ("/settings", N_("You")),
    "preferences": ("/settings/notifications", N_("Notifications")),
    "people": ("/settings/people", N_("People")),
    "groups": ("/settings/groups", N_("Groups")),
    "calendars": ("/settings/calendars", N_("Calendars")),
    "policy": ("/settings/policy", N_("Escalation policy")),
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
        errors=[Fault(error.message, error.path) for error in trouble.errors],
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
    return go(f"{after}?saved=1")


def trouble_of(visit: Visit, refused: Error) -> Trouble:
    """Returns a refusal as a page tells it."""
    return Trouble(refused.http_status, visit.words.refusal(refused), tuple(refused.errors))


def moment_of(visit: Visit, name: str) -> datetime | None:
    """Returns a moment that was typed in the person's zone; refuses what is none."""
    typed = visit.value(name)
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=visit.words.zone) if typed else None
    except ValueError as unreadable:
        message = visit.words.text(N_("This is not a date and time."))
        raise InvalidArgument(
            "REQUEST_INVALID", message, errors=[FieldError(name, "not_a_moment", message)]
        ) from unreadable


async def profile(visit: Visit) -> Response:
    """Shows what the caller is known as, and their absence."""
    return await _profile(visit, Trouble())


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
        (text(N_("Name")), visit.me.name),
        (text(N_("E-mail")), user.email if user else None),
        (text(N_("Roles")), ", ".join(text(ROLES[role.value]) for role in visit.me.roles if role.value in ROLES)),
        (text(N_("Groups")), ", ".join(visit.me.groups)),
        (text(N_("Language")), visit.words.language_name),
        (text(N_("Time zone")), visit.words.zone.key if visit.words.zone_known else text(N_("the browser's"))),
    ]
    is_away = bool(absence and absence.substitute and (absence.ends_at is None or seconds_left(absence.ends_at) > 0))
    return await page(
        visit,
        "profile",
        "settings_profile.html",
        trouble,
        about=[(name, value) for name, value in about if value],
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


def _is_for(visit: Visit, part: str) -> bool:
    if part in FOR_ADMINS:
        return visit.is_admin
    if part in FOR_AUDITORS:
        return visit.is_admin or "auditor" in {role.value for role in visit.access.roles}
    return part not in FOR_OVERSEERS or visit.is_overseer
