"""Preferences of people and groups, and what a sender has to know of those whom it writes to."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import grpc
from orkestra.chassis.database import Database
from orkestra.chassis.operations import Tx, operation, read
from orkestra.chassis.sql import Connection
from orkestra.notification_service import rules
from orkestra.notification_service.operations.base import sql
from orkestra.notification_service.operations.deliveries import Letter, put
from orkestra.notification_service.operations.erased import erased_among
from orkestra.notification_service.operations.people import Groups, remember_person
from orkestra.v1.identity import GetMailLinkTokenRequest, GetUserRequest, IdentityServiceClient, MailLink, MailLinkToken
from orkestra.v1.notification import Channel, GetPreferencesRequest, Preferences, PutPreferencesRequest
from orkestra.wire import Context, NotFound, TokensOf, VersionMismatch

IDENTITY_SECONDS = 2.0
Reach = Callable[[str], Awaitable[None]]
Seal = Callable[[str], str]


class Wishes:
    """The rpcs of preferences."""

    database: Database
    groups: Groups
    reach: Reach
    seal: Seal

    @read
    async def get_preferences(self, tx: Tx, request: GetPreferencesRequest) -> Preferences:
        """Return the preferences of the caller or a group; version 0 where there are none yet."""
        owner = rules.owner_of(request.group_id, tx.ctx.principal, is_writing=False)
        [*found] = await sql.preferences_of.all(tx.conn, Preferences, owners=[owner])
        return rules.in_full(found[0] if found else Preferences(owner=owner, rules=[], version=0))

    async def put_preferences(self, ctx: Context, request: PutPreferencesRequest) -> Preferences:
        """Replace them; addresses are looked up before the transaction begins."""
        rules.owner_of(request.group_id, ctx.principal, is_writing=True)
        rules.check_preferences(request)
        if request.group_id and not await self.groups.members(ctx.tenant_id, [request.group_id]):
            raise NotFound("GROUP_NOT_FOUND", f"There is no group {request.group_id[:100]}.")
        for url in (request.slack_url, request.teams_url):
            if url:
                await self.reach(url)
        return await self._put(ctx, request)

    @operation
    async def _put(self, tx: Tx, request: PutPreferencesRequest) -> Preferences:
        owner = rules.owner_of(request.group_id, tx.ctx.principal, is_writing=True)
        seen = await sql.lock_preferences.row(tx.conn, owner=owner)
        version = 0 if seen is None else seen["version"]
        if request.version not in (None, version):
            message = f"The preferences have changed; they are now at version {version}."
            raise VersionMismatch("VERSION_MISMATCH", message)
        quiet = request.quiet_hours
        put = await sql.put_preferences.one(
            tx.conn,
            Preferences,
            tenant_id=tx.tenant_id,
            owner=owner,
            rules=[rule.model_dump(mode="json") for rule in request.rules],
            quiet_hours=None if quiet is None else quiet.model_dump(mode="json"),
            digest_minutes=request.digest_minutes,
            locale=request.locale,
            time_zone=request.time_zone,
            **self._address("slack", request.slack_url, seen),
            **self._address("teams", request.teams_url, seen),
        )
        assert put is not None  # noqa: S101 - an upsert returns its row
        return rules.in_full(put)

    def _address(self, channel: str, url: str | None, seen: Any) -> dict[str, str | None]:
        """Return what is kept of an address: as it was where none is given, nothing where it is empty."""
        sealed, host = f"{channel}_sealed", f"{channel}_host"
        if url is None:
            return {sealed: seen[sealed] if seen else None, host: seen[host] if seen else None}
        return {sealed: self.seal(url), host: urlsplit(url).hostname} if url else {sealed: None, host: None}


async def wishes_of(conn: Connection, owners: Collection[str]) -> dict[str, Preferences]:
    """Return the preferences of those who have some; a person's name their own time zone."""
    people = [one.removeprefix("user:") if one.startswith("user:") else None for one in owners]
    found = await sql.wishes_of.all(conn, Preferences, owners=list(owners), user_ids=people)
    return {one.owner: one for one in found}


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message is for, in which language and zone."""

    name: str
    email: str | None
    locale: str | None
    time_zone: str | None
    sealed_url: str | None


class Directory:
    """Knows people's addresses and wishes from this service's copy and, on a miss, from identity-service."""

    def __init__(self, database: Database, identity: grpc.aio.Channel, tokens_of: TokensOf) -> None:
        self._database = database
        self._identity = identity
        self._tokens_of = tokens_of

    async def recipient(self, tenant_id: str, owner: str, channel: Channel) -> Recipient | None:
        """Return what is known of a person or a group now; None where nothing may be sent to them."""
        kind, _, name = owner.partition(":")
        async with self._database.reading(tenant_id) as conn:
            [*rows] = await sql.preferences_of.rows(conn, owners=[owner])
            [*people] = await sql.people_known.rows(conn, user_ids=[name] if kind == "user" else [])
        wishes = rows[0] if rows else None
        sealed = wishes[f"{channel}_sealed"] if wishes and channel in (Channel.SLACK, Channel.TEAMS) else None
        if kind == "group":
            return Recipient(name, None, wishes["locale"], wishes["time_zone"], sealed) if wishes else None
        person = people[0] if people and people[0]["email"] else await self._ask(tenant_id, name)
        if person is None or person["status"] != "active":
            return None
        return Recipient(person["name"], person["email"], person["locale"], person["time_zone"], sealed)

    async def _ask(self, tenant_id: str, user_id: str) -> dict[str, Any] | None:
        client = IdentityServiceClient(self._identity, self._tokens_of(tenant_id), timeout=IDENTITY_SECONDS)
        try:
            user = await client.get_user(GetUserRequest(user_id=user_id))
        except NotFound:
            return None
        async with self._database.transaction(tenant_id) as conn:
            await remember_person(conn, user, tenant_id=tenant_id)
        return user.model_dump(mode="json")

    async def put_mail_link(self, link: MailLink, letter: Letter) -> bool:
        """Keep the letter with a link until it is delivered, unless it was made for somebody erased since."""
        async with self._database.transaction(link.tenant_id) as conn:
            erased = await erased_among(conn, [link.user_id])
            if any(link.created_at <= one["erased_at"] for one in erased.values()):
                return False
            return await put(conn, [letter], tenant_id=link.tenant_id)

    async def mail_link(self, tenant_id: str, link_id: str) -> MailLinkToken | None:
        """Return what a mailed link carries, None where it works no more."""
        client = IdentityServiceClient(self._identity, self._tokens_of(tenant_id), timeout=IDENTITY_SECONDS)
        try:
            return await client.get_mail_link_token(GetMailLinkTokenRequest(link_id=link_id))
        except NotFound:
            return None
