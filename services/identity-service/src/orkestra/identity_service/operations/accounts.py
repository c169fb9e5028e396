"""People's accounts: changed, disabled and let in again, and the passwords that open them."""

import asyncio
from typing import Final
from uuid import uuid4

import asyncpg
from orkestra.chassis.logs import get_logger
from orkestra.chassis.operations import Tx, events_transaction, operation, read
from orkestra.identity_service import rules
from orkestra.identity_service.operations.access import AccessOperations, me_of
from orkestra.identity_service.operations.audit import audited
from orkestra.identity_service.operations.base import changes_nothing, refuse, sql
from orkestra.identity_service.operations.people import email_taken, find_person, tell_of_person
from orkestra.v1.events import MailLinkEvent
from orkestra.v1.identity import (
    ChangePasswordRequest,
    ChangePasswordResponse,
    DisableUserRequest,
    EnableUserRequest,
    GetMailLinkTokenRequest,
    InviteUserRequest,
    MailLink,
    MailLinkPurpose,
    MailLinkToken,
    Me,
    RedeemMailLinkRequest,
    RedeemMailLinkResponse,
    RequestPasswordResetRequest,
    RequestPasswordResetResponse,
    Role,
    Tenant,
    TenantStatus,
    UpdateMeRequest,
    UpdateUserRequest,
    User,
    UserStatus,
)
from orkestra.wire import (
    Context,
    FailedPrecondition,
    FieldError,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Principal,
    Unavailable,
    VersionMismatch,
)

logger = get_logger(__name__)

NO_SESSION: Final = ""
"""What no session's token hashes to."""
SERVICE_SUBJECT: Final = "service"
"""Who the installation's own service key is."""


class AccountOperations(AccessOperations):
    """The rpcs about a person's account."""

    @operation
    async def update_me(self, tx: Tx, request: UpdateMeRequest) -> Me:
        who = tx.ctx.principal
        if who.kind != "user":
            raise PermissionDenied("ONLY_PEOPLE_HAVE_PROFILES", "A key has no language and no time zone of its own.")
        refuse(rules.own_change_errors(request, self.time_zones))
        before = await _lock_person(tx, who.subject)
        _refuse_other_version(before, request.version)
        given = request.model_dump(include={"name", "locale", "time_zone"})
        if changes_nothing(before, given):
            return me_of(who, before)
        return me_of(who, await _change(tx, before, action="update_me", **given))

    @operation
    async def update_user(self, tx: Tx, request: UpdateUserRequest) -> User:
        refuse(rules.user_change_errors(request, self.time_zones))
        before = await _lock_person(tx, request.user_id)
        _refuse_other_version(before, request.version)
        if request.roles and Role.ADMIN not in request.roles:
            await _keep_an_admin(tx, before)
        skills = rules.changed(before.skills, request.add_skills, request.remove_skills)
        refuse(rules.list_errors("add_skills", skills))
        given = request.model_dump(include={"name", "locale", "time_zone", "max_open_tasks"})
        given |= {"roles": request.roles or None, "skills": skills, "email": request.email}
        if changes_nothing(before, given):
            return before
        if request.email is not None:
            given["email_key"] = rules.email_key(request.email)
            await sql.forget_mail_links.execute(tx.conn, tenant_id=tx.tenant_id, user_id=before.user_id)
        try:
            return await _change(tx, before, action="update_user", **given)
        except asyncpg.UniqueViolationError:
            raise email_taken() from None

    @operation
    async def disable_user(self, tx: Tx, request: DisableUserRequest) -> User:
        before = await _lock_person(tx, request.user_id)
        if before.status is UserStatus.DISABLED:
            return before
        await _keep_an_admin(tx, before)
        place = {"tenant_id": tx.tenant_id, "user_id": before.user_id}
        await sql.end_sessions.execute(tx.conn, **place, hash=NO_SESSION)
        await sql.forget_mail_links.execute(tx.conn, **place)
        return await _change(tx, before, action="disable_user", status=UserStatus.DISABLED)

    @operation
    async def enable_user(self, tx: Tx, request: EnableUserRequest) -> User:
        before = await _lock_person(tx, request.user_id)
        if before.status is UserStatus.ACTIVE:
            return before
        return await _change(tx, before, action="enable_user", status=UserStatus.ACTIVE)

    async def change_password(self, ctx: Context, request: ChangePasswordRequest) -> ChangePasswordResponse:
        self.refuse_passwords_off()
        try:
            return await self._change_password(ctx, request)
        except _WrongPasswordError as wrong:
            await self.count_failure(wrong.email_hash)
            error = FieldError("current_password", "wrong", "This is not the current password.")
            raise InvalidArgument("PASSWORD_WRONG", error.message, errors=(error,)) from None

    @operation
    async def _change_password(self, tx: Tx, request: ChangePasswordRequest) -> ChangePasswordResponse:
        refuse(rules.password_errors("new_password", request.new_password))
        place = {"tenant_id": tx.tenant_id, "user_id": tx.ctx.subject}
        await sql.lock_user.execute(tx.conn, **place)
        kept = await sql.get_password.row(tx.conn, **place)
        if kept is None:
            raise PermissionDenied("ONLY_PEOPLE_HAVE_PASSWORDS", "Only a person who signed in has a password.")
        email_hash = self.pepper.digest(kept["email_key"])
        await self.refuse_locked(tx.conn, email_hash)
        if await self.passwords.first_match([kept["password_hash"]], request.current_password) is None:
            raise _WrongPasswordError(email_hash)
        await self._set_password(tx, tx.ctx.subject, request.new_password, kept_session=request.token)
        await audited(tx, "change_password", "user", tx.ctx.subject)
        return ChangePasswordResponse()

    @operation
    async def invite_user(self, tx: Tx, request: InviteUserRequest) -> MailLink:
        self.refuse_passwords_off()
        person = await find_person(tx, request.user_id)
        if person.status is not UserStatus.ACTIVE:
            raise FailedPrecondition("USER_NOT_ACTIVE", "A disabled person is not invited.", current=person)
        link = await self._link(tx, person.user_id, MailLinkPurpose.INVITATION)
        if link is None:
            raise FailedPrecondition("ALREADY_INVITED", "This person was invited within the last minute.")
        await audited(tx, "invite_user", "user", person.user_id, after=link)
        return link

    async def request_password_reset(
        self,
        ctx: Context,  # noqa: ARG002 - as `bind` passes it
        request: RequestPasswordResetRequest,
    ) -> RequestPasswordResetResponse:
        """Answers at once; who is known is looked up afterwards, so that the time taken tells nothing."""
        self.refuse_passwords_off()
        asked = self.pepper.digest(request.model_dump_json())
        if asked not in self.noting:
            self.noting[asked] = asyncio.create_task(self._mail_resets(asked, request))
        return RequestPasswordResetResponse()

    async def redeem_mail_link(self, ctx: Context, request: RedeemMailLinkRequest) -> RedeemMailLinkResponse:
        self.refuse_passwords_off()
        refuse(rules.password_errors("password", request.password))
        digest = self.pepper.digest(request.token)
        async with self.lookup.statement() as conn:
            link = await sql.find_mail_link.row(conn, hash=digest)
        if link is None:
            raise _no_link()
        tenant_id, user_id = link["tenant_id"], link["user_id"]
        async with events_transaction(self.database, tenant_id) as tx:
            tx.ctx = Context(principal=Principal(subject=user_id, kind="user", tenant_id=tenant_id), door=ctx.door)
            await sql.lock_user.execute(tx.conn, tenant_id=tenant_id, user_id=user_id)
            purpose = await sql.use_mail_link.value(tx.conn, tenant_id=tenant_id, hash=digest)
            if purpose is None:
                raise _no_link()
            person = await self._set_password(tx, user_id, request.password)
            await sql.forget_failures.execute(tx.conn, email_hash=self.pepper.digest(link["email_key"]))
            await audited(tx, "redeem_mail_link", "user", user_id, after={"purpose": purpose})
            [tenant] = await sql.get_tenant.all(tx.conn, Tenant, tenant_id=tenant_id)
        return RedeemMailLinkResponse(email=person.email, tenant=tenant.slug)

    @read
    async def get_mail_link_token(self, tx: Tx, request: GetMailLinkTokenRequest) -> MailLinkToken:
        if tx.ctx.subject != SERVICE_SUBJECT:
            raise PermissionDenied("ROLE_REQUIRED", "GetMailLinkToken needs the installation's own service key.")
        link = await sql.get_mail_link.one(tx.conn, MailLink, tenant_id=tx.tenant_id, link_id=request.link_id)
        if link is None:
            raise NotFound("MAIL_LINK_NOT_FOUND", "This link was used, replaced, has expired or never was.")
        user = await find_person(tx, link.user_id)
        return MailLinkToken(link=link, token=self.pepper.link_token(link.link_id), user=user)

    async def _set_password(self, tx: Tx, user_id: str, password: str, *, kept_session: str | None = None) -> User:
        """Set a password; sessions but the one kept end, and links that were mailed work no more."""
        place = {"tenant_id": tx.tenant_id, "user_id": user_id}
        password_hash = await self.passwords.hash_or_none(password)
        await sql.change_password.execute(tx.conn, **place, password_hash=password_hash)
        kept = NO_SESSION if kept_session is None else self.pepper.digest(kept_session)
        await sql.end_sessions.execute(tx.conn, **place, hash=kept)
        await sql.forget_mail_links.execute(tx.conn, **place)
        person = await find_person(tx, user_id)
        await tell_of_person(tx, person)
        return person

    async def _mail_resets(self, asked: str, request: RequestPasswordResetRequest) -> None:
        try:
            async with self.lookup.unscoped() as conn:
                people = await sql.find_sign_in.rows(
                    conn, email_key=rules.email_key(request.email), slug=request.tenant or None
                )
            for person in people:
                if person["user_status"] == UserStatus.ACTIVE and person["tenant_status"] == TenantStatus.ACTIVE:
                    async with events_transaction(self.database, person["tenant_id"]) as tx:
                        await self._link(tx, person["user_id"], MailLinkPurpose.PASSWORD_RESET)
        except Unavailable:
            logger.warning("a password reset was asked for and could not be looked up")
        finally:
            del self.noting[asked]

    async def _link(self, tx: Tx, user_id: str, purpose: MailLinkPurpose) -> MailLink | None:
        """Make the person's one link of this purpose and tell who mails it; None while one is under a minute old."""
        link_id = f"link_{uuid4().hex}"
        token = self.pepper.link_token(link_id)
        link = await sql.put_mail_link.one(
            tx.conn,
            MailLink,
            tenant_id=tx.tenant_id,
            link_id=link_id,
            user_id=user_id,
            purpose=purpose,
            token_hash=self.pepper.digest(token),
            lifetime=rules.LINK_LIFETIMES[purpose],
        )
        if link is None:
            return None
        payload = MailLinkEvent(link=link)
        await tx.emit(aggregate="identity", event="mail_link_created", payload=payload, key=link_id, version=1)
        if self.development:
            logger.info("mail link", link_id=link_id, purpose=str(purpose), token=token)
        return link


class _WrongPasswordError(Exception):
    """Nothing is to be committed but the failure, which counts as a failed sign-in of that address."""

    def __init__(self, email_hash: str) -> None:
        super().__init__()
        self.email_hash = email_hash


async def _lock_person(tx: Tx, name: str) -> User:
    """The person of that id or address, whom nobody else changes meanwhile."""
    person = await find_person(tx, name)
    await sql.lock_user.execute(tx.conn, tenant_id=tx.tenant_id, user_id=person.user_id)
    return await find_person(tx, person.user_id)


def _refuse_other_version(person: User, seen: int | None) -> None:
    if seen not in (None, person.version):
        message = f"The person is at version {person.version}, not {seen}."
        raise VersionMismatch("VERSION_MISMATCH", message, current=person)


async def _keep_an_admin(tx: Tx, person: User) -> None:
    """Refuse where the tenant would have no admin who can sign in without this person."""
    if Role.ADMIN not in person.roles or person.status is not UserStatus.ACTIVE:
        return
    place = {"tenant_id": tx.tenant_id, "user_id": person.user_id}
    if await sql.find_other_admin.value(tx.conn, **place) is None:
        raise FailedPrecondition("LAST_ADMIN", "This is the tenant's last admin; make another one first.")


async def _change(tx: Tx, before: User, *, action: str, **given: object) -> User:
    names = ("email", "email_key", "name", "roles", "locale", "time_zone", "status", "skills", "max_open_tasks")
    values = dict.fromkeys(names) | given
    await sql.update_user.execute(tx.conn, tenant_id=tx.tenant_id, user_id=before.user_id, **values)
    after = await find_person(tx, before.user_id)
    await tell_of_person(tx, after)
    await audited(tx, action, "user", after.user_id, before=before, after=after)
    return after


def _no_link() -> NotFound:
    return NotFound("MAIL_LINK_NOT_FOUND", "This link was used, replaced, has expired or never was.")
