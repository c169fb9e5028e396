"""People and groups in the settings: who they are, what they may do, who works together."""

from fastapi.responses import Response
from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.pickers import groups_of, people_of
from orkestra.dashboard.routes.settings import ROLES, Trouble, attempt, page, trouble_of
from orkestra.dashboard.routes.visit import Visit
from orkestra.dashboard.routes.words import LANGUAGE_NAMES
from orkestra.v1.identity import (
    AddMemberRequest,
    CreateGroupRequest,
    CreateUserRequest,
    DisableUserRequest,
    EnableUserRequest,
    GetGroupRequest,
    GetUserRequest,
    GroupStrategy,
    InviteUserRequest,
    ListGroupsRequest,
    ListUsersRequest,
    RemoveMemberRequest,
    Role,
    UpdateGroupRequest,
    UpdateUserRequest,
)
from orkestra.wire import Error, Unauthenticated

PAGE = 50
GIVEN = ("member", "manager", "admin", "auditor")
STRATEGIES = {
    "pull": N_("Anyone claims"),
    "round_robin": N_("In turn"),
    "least_loaded": N_("Whoever has the least"),
    "sticky": N_("Whoever had the case before"),
}


async def people(visit: Visit) -> Response:
    """Lists the people of the tenant."""
    return await _people(visit, Trouble())


async def create_person(visit: Visit) -> Response:
    """Makes an account, and mails an invitation where that is wished."""
    request = CreateUserRequest(
        email=visit.value("email") or "",
        name=visit.value("name") or "",
        roles=_roles(visit),
        groups=visit.values("groups"),
        locale=visit.value("locale"),
        time_zone=visit.value("time_zone"),
    )
    try:
        made = await visit.identity.create_user(request, request_id=visit.request_id, timeout=8.0)
        if visit.value("invite"):
            await visit.identity.invite_user(InviteUserRequest(user_id=made.user_id))
    except Unauthenticated:
        raise
    except Error as refused:
        return await _people(visit, trouble_of(visit, refused))
    return go(f"/settings/people/{made.user_id}?saved=1")


async def person(visit: Visit) -> Response:
    """Shows one person."""
    return await _person(visit, Trouble())


async def change_person(visit: Visit) -> Response:
    """Changes what is known of a person and what they may do."""
    request = UpdateUserRequest(
        user_id=_id(visit, "user_id"),
        name=visit.value("name"),
        roles=_roles(visit),
        locale=visit.value("locale"),
        time_zone=visit.value("time_zone"),
        version=visit.number("version"),
    )
    return await attempt(visit, lambda: visit.identity.update_user(request), _person, _here(visit, "people", "user_id"))


async def invite(visit: Visit) -> Response:
    """Mails a link by which the person chooses a password."""
    request = InviteUserRequest(user_id=_id(visit, "user_id"))
    return await attempt(visit, lambda: visit.identity.invite_user(request), _person, _here(visit, "people", "user_id"))


async def disable(visit: Visit) -> Response:
    """Shuts a person out; their sessions end."""
    request = DisableUserRequest(user_id=_id(visit, "user_id"))
    return await attempt(
        visit, lambda: visit.identity.disable_user(request), _person, _here(visit, "people", "user_id")
    )


async def enable(visit: Visit) -> Response:
    """Lets a person in again."""
    request = EnableUserRequest(user_id=_id(visit, "user_id"))
    return await attempt(visit, lambda: visit.identity.enable_user(request), _person, _here(visit, "people", "user_id"))


async def groups(visit: Visit) -> Response:
    """Lists the groups of the tenant."""
    return await _groups(visit, Trouble())


async def create_group(visit: Visit) -> Response:
    """Makes a group."""
    group_id = visit.value("group_id") or ""
    request = CreateGroupRequest(group_id=group_id, name=visit.value("name"))
    send = visit.identity.create_group
    return await attempt(
        visit, lambda: send(request, request_id=visit.request_id), _groups, f"/settings/groups/{group_id}"
    )


async def group(visit: Visit) -> Response:
    """Shows one group."""
    return await _group(visit, Trouble())


async def change_group(visit: Visit) -> Response:
    """Changes what a group is called and how it gives work to its members."""
    strategy = visit.value("strategy")
    seen = await visit.identity.get_group(GetGroupRequest(group_id=_id(visit, "group_id")))
    skills = (visit.value("skills") or "").split()
    request = UpdateGroupRequest(
        group_id=seen.group_id,
        name=visit.value("name"),
        strategy=GroupStrategy(strategy) if strategy in STRATEGIES else None,
        max_open_tasks=visit.number("max_open_tasks") or 0,
        add_skills=[each for each in skills if each not in seen.skills],
        remove_skills=[each for each in seen.skills if each not in skills],
        version=visit.number("version"),
    )
    here = _here(visit, "groups", "group_id")
    return await attempt(visit, lambda: visit.identity.update_group(request), _group, here)


async def add_member(visit: Visit) -> Response:
    """Takes a person into a group."""
    request = AddMemberRequest(group_id=_id(visit, "group_id"), user_id=visit.value("user_id") or "")
    here = _here(visit, "groups", "group_id")
    return await attempt(visit, lambda: visit.identity.add_member(request), _group, here)


async def remove_member(visit: Visit) -> Response:
    """Takes a person out of a group."""
    request = RemoveMemberRequest(group_id=_id(visit, "group_id"), user_id=visit.value("user_id") or "")
    here = _here(visit, "groups", "group_id")
    return await attempt(visit, lambda: visit.identity.remove_member(request), _group, here)


async def _people(visit: Visit, trouble: Trouble) -> Response:
    found = await visit.identity.list_users(ListUsersRequest(page_size=PAGE, page_token=visit.query("page_token")))
    more = f"/settings/people?page_token={found.next_page_token}" if found.next_page_token else None
    return await page(
        visit,
        "people",
        "settings_people.html",
        trouble,
        found=found.users,
        next_href=more,
        groups=await groups_of(visit),
        **_choices(visit),
    )


async def _person(visit: Visit, trouble: Trouble) -> Response:
    found = await visit.identity.get_user(GetUserRequest(user_id=_id(visit, "user_id")))
    return await page(visit, "people", "settings_person.html", trouble, person=found, **_choices(visit))


async def _groups(visit: Visit, trouble: Trouble) -> Response:
    found = await visit.identity.list_groups(ListGroupsRequest(page_size=PAGE, page_token=visit.query("page_token")))
    more = f"/settings/groups?page_token={found.next_page_token}" if found.next_page_token else None
    strategies = _strategies(visit)
    return await page(
        visit, "groups", "settings_groups.html", trouble, found=found.groups, next_href=more, strategies=strategies
    )


async def _group(visit: Visit, trouble: Trouble) -> Response:
    found = await visit.identity.get_group(GetGroupRequest(group_id=_id(visit, "group_id")))
    everyone = await people_of(visit)
    names = await visit.names(*found.members)
    return await page(
        visit,
        "groups",
        "settings_group.html",
        trouble,
        group=found,
        members=[(member, names.get(member, member)) for member in found.members],
        people=None if everyone is None else [each for each in everyone if each.value not in found.members],
        strategies=_strategies(visit),
    )


def _strategies(visit: Visit) -> dict[str, str]:
    return {value: visit.words.text(label) for value, label in STRATEGIES.items()}


def _choices(visit: Visit) -> dict[str, object]:
    names = {value: visit.words.text(label) for value, label in ROLES.items()}
    return {"roles": [(value, names[value]) for value in GIVEN], "role_names": names, "languages": LANGUAGE_NAMES}


def _roles(visit: Visit) -> list[Role]:
    return [Role(each) for each in visit.values("roles") if each in GIVEN]


def _id(visit: Visit, name: str) -> str:
    return str(visit.request.path_params[name])


def _here(visit: Visit, part: str, name: str) -> str:
    return f"/settings/{part}/{_id(visit, name)}"
