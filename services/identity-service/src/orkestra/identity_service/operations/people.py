"""People, groups and who is in which."""

from collections.abc import Sequence

from orkestra.chassis.operations import Tx, operation, read
from orkestra.identity_service import rules
from orkestra.identity_service.operations.audit import audited
from orkestra.identity_service.operations.base import Identity, changes_nothing, page, refuse, sql
from orkestra.v1.events import GroupEvent, MembershipEvent, UserEvent
from orkestra.v1.identity import (
    AddMemberRequest,
    CreateGroupRequest,
    CreateUserRequest,
    DeleteGroupRequest,
    GetGroupRequest,
    GetUserRequest,
    Group,
    ListGroupsRequest,
    ListGroupsResponse,
    ListUsersRequest,
    ListUsersResponse,
    PrincipalKind,
    RemoveMemberRequest,
    UpdateGroupRequest,
    User,
)
from orkestra.wire import AlreadyExists, FailedPrecondition, FieldError, NotFound, VersionMismatch


class PeopleOperations(Identity):
    """The rpcs about people and groups."""

    @operation
    async def create_user(self, tx: Tx, request: CreateUserRequest) -> User:
        errors = list(rules.user_errors(request, self.time_zones))
        if len(request.groups) <= rules.MAX_LIST:
            rows = await sql.known_groups.rows(tx.conn, tenant_id=tx.tenant_id, group_ids=request.groups)
            known = [row["group_id"] for row in rows]
            errors += rules.unknown_errors("groups", request.groups, known, noun="group")
        refuse(errors)
        return await add_person(tx, request, password_hash=await self.passwords.hash_or_none(request.password))

    @read
    async def get_user(self, tx: Tx, request: GetUserRequest) -> User:
        return await find_person(tx, request.user_id)

    @read
    async def list_users(self, tx: Tx, request: ListUsersRequest) -> ListUsersResponse:
        limit, after = page("users", size=request.page_size, token=request.page_token)
        users = await sql.list_users.all(tx.conn, User, tenant_id=tx.tenant_id, after=after, limit=limit + 1)
        more = rules.page_token("users", rules.email_key(users[limit - 1].email)) if len(users) > limit else None
        return ListUsersResponse(users=users[:limit], next_page_token=more)

    @operation
    async def create_group(self, tx: Tx, request: CreateGroupRequest) -> Group:
        errors = list(rules.group_errors(request))
        people: list[User] = []
        if len(request.members) <= rules.MAX_GROUP_MEMBERS:
            people = await find_people(tx, request.members)
            errors += rules.unknown_people_errors("members", request.members, people)
        refuse(errors)
        created = await sql.create_group.value(
            tx.conn,
            tenant_id=tx.tenant_id,
            group_id=request.group_id,
            name=request.name or request.group_id,
            strategy=request.strategy,
            max_open_tasks=request.max_open_tasks,
            skills=request.skills,
        )
        if created is None:
            taken = FieldError("group_id", "taken", f"There is a group {request.group_id} already.")
            current = await find_group(tx, request.group_id)
            raise AlreadyExists("GROUP_EXISTS", taken.message, errors=(taken,), current=current)
        for person in people:
            await sql.add_member.execute(
                tx.conn, tenant_id=tx.tenant_id, group_id=request.group_id, user_id=person.user_id
            )
        group = await find_group(tx, request.group_id)
        await tell_of_group(tx, group)
        await audited(tx, "create_group", "group", group.group_id, after=group)
        return group

    @operation
    async def update_group(self, tx: Tx, request: UpdateGroupRequest) -> Group:
        refuse(rules.group_change_errors(request))
        await _lock_group(tx, request.group_id)
        before = await find_group(tx, request.group_id)
        if request.version is not None and request.version != before.version:
            message = f"The group is at version {before.version}, not {request.version}."
            raise VersionMismatch("VERSION_MISMATCH", message, current=before)
        skills = rules.changed(before.skills, request.add_skills, request.remove_skills)
        refuse(rules.list_errors("add_skills", skills))
        given = request.model_dump(include={"name", "strategy", "max_open_tasks"}) | {"skills": skills}
        if changes_nothing(before, given):
            return before
        await sql.update_group.execute(tx.conn, tenant_id=tx.tenant_id, group_id=request.group_id, **given)
        group = await find_group(tx, request.group_id)
        await tell_of_group(tx, group)
        await audited(tx, "update_group", "group", group.group_id, before=before, after=group)
        return group

    @operation
    async def delete_group(self, tx: Tx, request: DeleteGroupRequest) -> Group:
        await _lock_group(tx, request.group_id)
        before = await find_group(tx, request.group_id)
        place = {"tenant_id": tx.tenant_id, "group_id": request.group_id}
        await sql.remove_members.execute(tx.conn, **place)
        await sql.delete_group.execute(tx.conn, **place)
        gone = before.model_copy(update={"members": [], "version": before.version + 1})
        await tell_of_group(tx, gone, event="group_deleted")
        await audited(tx, "delete_group", "group", before.group_id, before=before)
        return before

    @read
    async def get_group(self, tx: Tx, request: GetGroupRequest) -> Group:
        return await find_group(tx, request.group_id)

    @read
    async def list_groups(self, tx: Tx, request: ListGroupsRequest) -> ListGroupsResponse:
        limit, after = page("groups", size=request.page_size, token=request.page_token)
        groups = await sql.list_groups.all(tx.conn, Group, tenant_id=tx.tenant_id, after=after, limit=limit + 1)
        more = rules.page_token("groups", groups[limit - 1].group_id) if len(groups) > limit else None
        return ListGroupsResponse(groups=groups[:limit], next_page_token=more)

    @operation
    async def add_member(self, tx: Tx, request: AddMemberRequest) -> Group:
        person = await find_person(tx, request.user_id)
        if len(person.groups) >= rules.MAX_LIST and request.group_id not in person.groups:
            raise FailedPrecondition("TOO_MANY_GROUPS", f"A person is in at most {rules.MAX_LIST} groups.")
        group = await join_group(tx, request.group_id, person.user_id)
        if request.group_id not in person.groups:
            await audited(tx, "add_member", "group", group.group_id, after={"user_id": person.user_id})
        return group

    @operation
    async def remove_member(self, tx: Tx, request: RemoveMemberRequest) -> Group:
        person = await find_person(tx, request.user_id)
        group = await leave_group(tx, request.group_id, person.user_id)
        if request.group_id in person.groups:
            await audited(tx, "remove_member", "group", request.group_id, before={"user_id": person.user_id})
        return group


async def add_person(tx: Tx, request: CreateUserRequest, *, password_hash: str | None) -> User:
    """Write a person whose fields and groups have been checked, with their memberships and events."""
    user_id = await sql.create_user.value(
        tx.conn,
        tenant_id=tx.tenant_id,
        email=request.email,
        email_key=rules.email_key(request.email),
        name=request.name,
        roles=request.roles or [rules.DEFAULT_ROLE[PrincipalKind.USER]],
        locale=request.locale,
        time_zone=request.time_zone,
        password_hash=password_hash,
    )
    if user_id is None:
        raise email_taken(await find_person(tx, request.email))
    for group_id in sorted(request.groups):
        await join_group(tx, group_id, user_id)
    user = await find_person(tx, user_id)
    await tell_of_person(tx, user)
    await audited(tx, "create_user", "user", user.user_id, after=user)
    return user


async def tell_of_person(tx: Tx, user: User) -> None:
    """Emit that a person is new or has changed."""
    payload = UserEvent(user=user)
    await tx.emit(aggregate="identity", event="user_changed", payload=payload, key=user.user_id, version=user.version)


async def join_group(tx: Tx, group_id: str, user_id: str) -> Group:
    """Put a person into a group; being there already changes nothing."""
    await _lock_group(tx, group_id)
    place = {"tenant_id": tx.tenant_id, "group_id": group_id}
    if await sql.add_member.value(tx.conn, **place, user_id=user_id) is None:
        return await find_group(tx, group_id)
    group = await _membership_changed(tx, group_id, user_id, member=True)
    if len(group.members) > rules.MAX_GROUP_MEMBERS:
        raise FailedPrecondition("GROUP_FULL", f"A group has at most {rules.MAX_GROUP_MEMBERS} members.")
    return group


async def leave_group(tx: Tx, group_id: str, user_id: str) -> Group:
    """Take a person out of a group; not being there changes nothing."""
    await _lock_group(tx, group_id)
    if await sql.remove_member.value(tx.conn, tenant_id=tx.tenant_id, group_id=group_id, user_id=user_id) is None:
        return await find_group(tx, group_id)
    return await _membership_changed(tx, group_id, user_id, member=False)


async def find_group(tx: Tx, group_id: str) -> Group:
    """The group with its members; NotFound where the tenant has none of that name."""
    group = await sql.get_group.one(tx.conn, Group, tenant_id=tx.tenant_id, group_id=group_id)
    if group is None:
        raise _no_group(group_id)
    return group


async def find_person(tx: Tx, name: str) -> User:
    """The person of that id or address; NotFound where the tenant has none."""
    people = await find_people(tx, [name])
    if not people:
        raise NotFound("USER_NOT_FOUND", f"There is no person {name[:254]}.")
    return people[0]


async def find_people(tx: Tx, names: Sequence[str]) -> list[User]:
    """Whoever of these ids and addresses the tenant has, each once."""
    if not names:
        return []
    user_ids, email_keys = rules.ids_and_emails(names)
    return await sql.find_users.all(tx.conn, User, tenant_id=tx.tenant_id, user_ids=user_ids, email_keys=email_keys)


async def tell_of_group(tx: Tx, group: Group, *, event: str = "group_changed") -> None:
    """Emit that a group is new, has changed or is gone."""
    payload = GroupEvent(group=group)
    await tx.emit(aggregate="identity", event=event, payload=payload, key=group.group_id, version=group.version)


async def _lock_group(tx: Tx, group_id: str) -> None:
    if await sql.lock_group.value(tx.conn, tenant_id=tx.tenant_id, group_id=group_id) is None:
        raise _no_group(group_id)


async def _membership_changed(tx: Tx, group_id: str, user_id: str, *, member: bool) -> Group:
    await sql.raise_group_version.execute(tx.conn, tenant_id=tx.tenant_id, group_id=group_id)
    group = await find_group(tx, group_id)
    await tx.emit(
        aggregate="identity",
        event="membership_changed",
        payload=MembershipEvent(group=group, user_id=user_id, member=member),
        key=group_id,
        version=group.version,
    )
    return group


def email_taken(current: User | None = None) -> AlreadyExists:
    """What is told where another person of the tenant has the address."""
    taken = FieldError("email", "taken", "A person with this e-mail address is here already.")
    return AlreadyExists("EMAIL_TAKEN", taken.message, errors=(taken,), current=current)


def _no_group(group_id: str) -> NotFound:
    return NotFound("GROUP_NOT_FOUND", f"There is no group {group_id[:100]}.")
