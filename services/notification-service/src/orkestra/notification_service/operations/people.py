"""Who people and groups are: this service's small copies, and identity-service on a miss."""

import asyncio
from collections.abc import Collection

import grpc
from orkestra.chassis.database import Database
from orkestra.chassis.sql import Connection
from orkestra.notification_service.operations.base import sql
from orkestra.v1.identity import GetGroupRequest, Group, IdentityServiceClient, User
from orkestra.wire import NotFound, TokensOf

IDENTITY_SECONDS = 2.0


class Groups:
    """Who is in a group, from this service's copy and, on a miss, from identity-service."""

    def __init__(self, database: Database, identity: grpc.aio.Channel, tokens_of: TokensOf) -> None:
        self._database = database
        self._identity = identity
        self._tokens_of = tokens_of

    async def members(self, tenant_id: str, group_ids: Collection[str]) -> dict[str, list[str]]:
        """Return the active members of each group that exists; nothing is open while identity-service is asked."""
        async with self._database.reading(tenant_id) as conn:
            known = await members_of(conn, group_ids)
        if (unknown := set(group_ids) - known.keys()) and await self.learn(tenant_id, unknown):
            async with self._database.reading(tenant_id) as conn:
                known = await members_of(conn, group_ids)
        return known

    async def learn(self, tenant_id: str, group_ids: Collection[str]) -> bool:
        """Ask identity-service for groups that are not known here; returns whether there is any."""
        asked = await asyncio.gather(*(self._ask(tenant_id, one) for one in sorted(group_ids)))
        found = [group for group in asked if group is not None]
        if found:
            async with self._database.transaction(tenant_id) as conn:
                for group in found:
                    await remember_group(conn, group, tenant_id=tenant_id)
        return bool(found)

    async def _ask(self, tenant_id: str, group_id: str) -> Group | None:
        client = IdentityServiceClient(self._identity, self._tokens_of(tenant_id), timeout=IDENTITY_SECONDS)
        try:
            return await client.get_group(GetGroupRequest(group_id=group_id))
        except NotFound:
            return None


async def members_of(conn: Connection, group_ids: Collection[str]) -> dict[str, list[str]]:
    """Return the active members of each group that is known here."""
    rows = await sql.members.rows(conn, group_ids=sorted(group_ids))
    return {row["group_id"]: row["members"] for row in rows}


async def remember_person(conn: Connection, user: User, *, tenant_id: str) -> None:
    """Copy a person, unless a newer version is known."""
    await sql.remember_person.execute(
        conn,
        tenant_id=tenant_id,
        user_id=user.user_id,
        status=user.status,
        version=user.version,
        email=user.email,
        name=user.name,
        locale=user.locale,
        time_zone=user.time_zone,
    )


async def remember_group(conn: Connection, group: Group, *, tenant_id: str) -> None:
    """Copy a group with its members, unless a newer version is known."""
    place = {"tenant_id": tenant_id, "group_id": group.group_id}
    if await sql.remember_group.execute(conn, **place, version=group.version):
        await sql.replace_members.execute(conn, **place, members=group.members)
