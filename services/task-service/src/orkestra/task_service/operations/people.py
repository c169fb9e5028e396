"""Who is meant: names in a request held against this service's copies and, on a miss, against identity-service."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import grpc
from orkestra.chassis.operations import Tx
from orkestra.forms import picked, with_ids
from orkestra.rules import Voters
from orkestra.task_service.operations.statements import sql
from orkestra.task_service.rules import Named
from orkestra.v1.identity import (
    GetGroupRequest,
    GetUserRequest,
    Group,
    GroupStrategy,
    IdentityServiceClient,
    Substitution,
    User,
    UserStatus,
)
from orkestra.wire import DeadlineExceeded, FieldError, InvalidArgument, NotFound, TokensOf, Unavailable

MOST_ASKED = 50
"""Most people, and most groups, of one answer that identity-service is asked for."""
IDENTITY_SECONDS = 1.5
"""Longest wait for identity-service: it is asked while a transaction is open."""


@dataclass(slots=True)
class Known:
    """People and groups that exist, and the time by PostgreSQL's clock."""

    now: datetime
    people: dict[str, tuple[str, str]] = field(default_factory=dict)
    """User id and status, by user id and by lower-case e-mail address."""
    groups: set[str] = field(default_factory=set)
    is_routed: bool = False
    """Whether any of the groups gives work to its members."""

    def user_id(self, name: str) -> str:
        """Return the user id of a person who is known, by user id or e-mail address."""
        return self.people[name.lower()][0]

    def add(self, user_id: str, email: str, status: str) -> None:
        """Remember a person; of two with one address the active one has it."""
        self.people[user_id] = (user_id, status)
        if email not in self.people or status == UserStatus.ACTIVE:
            self.people[email] = (user_id, status)


class People:
    """The people and groups of a tenant, as far as tasks name them."""

    def __init__(self, identity: grpc.aio.Channel, tokens_of: TokensOf) -> None:
        self._identity = identity
        self._tokens_of = tokens_of

    async def known(
        self, tx: Tx, people: Iterable[Named], groups: Iterable[Named], *, before_asking: Callable[[], None]
    ) -> Known:
        """Return whom the names mean; refuses names that nobody in the tenant has, each with its path.

        `before_asking` may still refuse: it runs where identity-service has to be asked.
        """
        people, groups = list(people), list(groups)
        known = await _copies(tx, {one.name.lower() for one in people}, {one.name for one in groups})
        strangers = {one.name.lower() for one in people} - known.people.keys()
        new_groups = {one.name for one in groups} - known.groups
        if strangers or new_groups:
            before_asking()
            await self._ask_for_people(tx, known, sorted(strangers))
            await self._ask_for_groups(tx, known, sorted(new_groups))
        faults = [*_people_faults(known, people), *_group_faults(known, groups)]
        if faults:
            raise _refused(faults)
        return known

    async def mentioned(self, tx: Tx, names: list[str]) -> list[str]:
        """Return the ids of the active people behind user ids and lower-case e-mail addresses; others are left out."""
        if not names:
            return []
        known = await _copies(tx, set(names), set())
        await self._ask_for_people(tx, known, sorted(set(names) - known.people.keys()))
        found = (known.people.get(name) for name in names)
        return list(dict.fromkeys(person[0] for person in found if person and person[1] == UserStatus.ACTIVE))

    async def picked(self, tx: Tx, schema: Mapping[str, Any], data: Any) -> tuple[Any, frozenset[str]]:
        """Return an answer with its people named by user id, and those of its people and groups that nobody knows."""
        people, groups = picked(schema, data)
        if not people and not groups:
            return data, frozenset()
        known = await _copies(tx, {one.lower() for one in people}, groups)
        await self._ask_for_people(
            tx, known, sorted({one.lower() for one in people} - known.people.keys())[:MOST_ASKED]
        )
        await self._ask_for_groups(tx, known, sorted(groups - known.groups)[:MOST_ASKED])
        strangers = {one for one in people if known.people.get(one.lower(), ("", ""))[1] != UserStatus.ACTIVE}
        named = with_ids(schema, data, lambda one: one if one in strangers else known.user_id(one))
        return named, frozenset(strangers | (groups - known.groups))

    async def user_id(self, tx: Tx, name: str, *, path: str) -> str:
        """Return the user id behind a user id or e-mail address; refuses an address that nobody in the tenant has."""
        if "@" not in name:
            return name
        known = await _copies(tx, {name.lower()}, set())
        if name.lower() in known.people:
            return known.user_id(name)
        user = await self._user(tx.tenant_id, name.lower())
        if user is None:
            raise _refused([FieldError(path, "unknown_user", f"There is no person {name[:320]}.")])
        return user.user_id

    async def person(self, tx: Tx, name: str, *, path: str) -> User:
        """Return an active person with the groups of this moment; refuses a name that nobody in the tenant has."""
        user = await self._user(tx.tenant_id, name.lower())
        known = Known(now=await tx.now())
        if user is not None:
            known.add(user.user_id, user.email.lower(), user.status)
        faults = list(_people_faults(known, [Named(path, name)]))
        if user is None or faults:
            raise _refused(faults)
        return user

    async def voters(self, tx: Tx, people: Iterable[str | None], groups: Sequence[str]) -> Voters | None:
        """Return the active people among these and in these groups, with those of the groups that each is in.

        None where nobody in particular is named, or too many groups are to ask for.
        """
        named = [one for one in people if one is not None]
        if not (named or groups) or len(groups) > MOST_ASKED:
            return None
        found = await asyncio.gather(*(self._group(tx.tenant_id, group) for group in groups))
        members = {group.group_id: group.members for group in found if group is not None}
        everyone = dict.fromkeys([*named, *(user for users in members.values() for user in users)])
        known = await _copies(tx, set(everyone), set())
        gone = {user for user, status in known.people.values() if status != UserStatus.ACTIVE}
        return {
            user: [group for group, users in members.items() if user in users] for user in everyone if user not in gone
        }

    async def _ask_for_people(self, tx: Tx, known: Known, names: list[str]) -> None:
        if not names:
            return
        found = await asyncio.gather(*(self._user(tx.tenant_id, name) for name in names))
        users = [user for user in found if user is not None]
        for user in users:
            known.add(user.user_id, user.email.lower(), user.status)
        await sql.remember_person.many(tx.conn, [person_columns(user, tenant_id=tx.tenant_id) for user in users])

    async def _ask_for_groups(self, tx: Tx, known: Known, names: list[str]) -> None:
        if not names:
            return
        found = await asyncio.gather(*(self._group(tx.tenant_id, name) for name in names))
        groups = [group for group in found if group is not None]
        known.groups.update(group.group_id for group in groups)
        known.is_routed |= any(group.strategy not in (None, GroupStrategy.PULL) for group in groups)
        await sql.remember_group.many(tx.conn, [group_columns(group, tenant_id=tx.tenant_id) for group in groups])

    async def _user(self, tenant_id: str, name: str) -> User | None:
        try:
            return await self._client(tenant_id).get_user(GetUserRequest(user_id=name))
        except (NotFound, InvalidArgument):
            return None
        except DeadlineExceeded as slow:
            raise _identity_away() from slow

    async def _group(self, tenant_id: str, name: str) -> Group | None:
        try:
            return await self._client(tenant_id).get_group(GetGroupRequest(group_id=name))
        except (NotFound, InvalidArgument):
            return None
        except DeadlineExceeded as slow:
            raise _identity_away() from slow

    def _client(self, tenant_id: str) -> IdentityServiceClient:
        return IdentityServiceClient(self._identity, self._tokens_of(tenant_id), timeout=IDENTITY_SECONDS)


def person_columns(user: User, *, tenant_id: str) -> dict[str, object]:
    """Return the row that copies a person."""
    return {
        "tenant_id": tenant_id,
        "user_id": user.user_id,
        "email": user.email.lower(),
        "status": user.status,
        "max_open_tasks": user.max_open_tasks,
        "skills": user.skills,
        "version": user.version,
    }


def substitution_columns(away: Substitution, *, tenant_id: str) -> dict[str, object]:
    """Return the row that copies who takes a person's place."""
    return {**away.model_dump(), "tenant_id": tenant_id}


def group_columns(group: Group, *, tenant_id: str, is_deleted: bool = False) -> dict[str, object]:
    """Return the row that copies a group, with its members; of a deleted one too, so that no older copy replaces it."""
    return {
        "tenant_id": tenant_id,
        "group_id": group.group_id,
        "strategy": group.strategy or GroupStrategy.PULL,
        "max_open_tasks": group.max_open_tasks,
        "skills": group.skills,
        "members": group.members,
        "is_deleted": is_deleted,
        "version": group.version,
    }


def _refused(faults: list[FieldError]) -> InvalidArgument:
    return InvalidArgument("NAME_UNKNOWN", f"{faults[0].path}: {faults[0].message}", errors=faults)


def _identity_away() -> Unavailable:
    return Unavailable(
        "IDENTITY_UNAVAILABLE", "Whether these people exist cannot be checked right now.", retry_after=1.0
    )


async def _copies(tx: Tx, people: set[str], groups: set[str]) -> Known:
    [row] = await sql.known_names.rows(tx.conn, people=sorted(people), groups=sorted(groups))
    known = Known(now=row["now"], groups=set(row["groups"]), is_routed=row["is_routed"])
    for user_id, email, status in row["people"]:
        known.add(user_id, email, status)
    return known


def _people_faults(known: Known, people: list[Named]) -> Iterable[FieldError]:
    for one in people:
        person = known.people.get(one.name.lower())
        if person is None:
            yield FieldError(one.path, "unknown_user", f"There is no person {one.name[:320]}.")
        elif person[1] != UserStatus.ACTIVE:
            yield FieldError(one.path, "disabled_user", f"The account of {one.name[:320]} is disabled.")


def _group_faults(known: Known, groups: list[Named]) -> Iterable[FieldError]:
    for one in groups:
        if one.name not in known.groups:
            yield FieldError(one.path, "unknown_group", f"There is no group {one.name[:100]}.")
