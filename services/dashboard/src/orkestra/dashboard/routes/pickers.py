"""Whom a form's pickers offer: the people and groups of the tenant, where they are few enough to list."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from orkestra.dashboard.routes.fields import Option
from orkestra.dashboard.routes.kinds import HINTS
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.identity import ListGroupsRequest, ListUsersRequest, UserStatus
from orkestra.wire import Error, Unauthenticated

MOST_LISTED = 100
"""As many as identity-service puts on one page."""


async def pickable(visit: Visit, schema: Mapping[str, Any]) -> dict[str, Sequence[Option]]:
    """Returns whom the pickers of a form offer, by kind; a kind that nobody can list here is left out."""
    kinds = hints_in(schema, "type")
    people, groups = await asyncio.gather(
        people_of(visit) if "user" in kinds else _nobody(), groups_of(visit) if "group_picker" in kinds else _nobody()
    )
    found = {"user": people, "group_picker": groups}
    return {kind: options for kind, options in found.items() if options is not None}


async def people_of(visit: Visit) -> list[Option] | None:
    """Returns the active people of the tenant, None where they are too many to list or cannot be had."""
    try:
        found = await visit.identity.list_users(ListUsersRequest(page_size=MOST_LISTED), timeout=2.0)
    except Unauthenticated:
        raise
    except Error:
        return None
    if found.next_page_token:
        return None
    active = [user for user in found.users if user.status == UserStatus.ACTIVE]
    return [
        Option(user.user_id, f"{user.name} ({user.email})", chosen=False)
        for user in sorted(active, key=lambda user: user.name.casefold())
    ]


async def groups_of(visit: Visit) -> list[Option] | None:
    """Returns the groups of the tenant, None where they are too many to list or cannot be had."""
    try:
        found = await visit.identity.list_groups(ListGroupsRequest(page_size=MOST_LISTED), timeout=2.0)
    except Unauthenticated:
        raise
    except Error:
        return None
    if found.next_page_token:
        return None
    return [Option(group.group_id, group.name, chosen=False) for group in found.groups]


def hints_in(schema: Mapping[str, Any], key: str) -> list[Any]:
    """Returns what the fields of a form have under a hint, those within groups and tables too."""
    found = []
    for inner in schema.get("properties", {}).values():
        hint = inner[HINTS]
        found += [hint[key]] if key in hint else []
        if hint["type"] in ("group", "table"):
            found += hints_in(inner.get("items", inner), key)
    return found


async def _nobody() -> None:
    return None
