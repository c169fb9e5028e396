"""Credentials in, tokens out: exchange, sign-in, sign-out and who the caller is."""

# ruff: noqa: ARG002 - an rpc takes what `bind` passes

from collections.abc import Sequence

import asyncpg
from orkestra.chassis.logs import get_logger
from orkestra.chassis.sql import Connection
from orkestra.identity_service import rules
from orkestra.identity_service.operations.base import ambiguous, disabled, refuse, sql, suspended
from orkestra.identity_service.operations.holders import refuse_tenant
from orkestra.identity_service.operations.outsiders import is_jwt
from orkestra.identity_service.operations.provider_sign_in import ProviderSignInOperations
from orkestra.identity_service.operations.secrets import API_KEY_PREFIX, SESSION_PREFIX
from orkestra.v1.identity import (
    AccessToken,
    CheckSessionsRequest,
    CheckSessionsResponse,
    ExchangeCredentialRequest,
    GetMeRequest,
    GetSigningKeysRequest,
    Me,
    PrincipalKind,
    Role,
    Session,
    SessionState,
    SigningKeys,
    SignInRequest,
    SignOutRequest,
    SignOutResponse,
    TenantStatus,
    User,
    UserStatus,
)
from orkestra.wire import (
    Context,
    FieldError,
    NotFound,
    Principal,
    ResourceExhausted,
    Unauthenticated,
)

logger = get_logger(__name__)

MOST_SESSIONS = 500
NO_SESSION = SessionState(is_good=False)


class AccessOperations(ProviderSignInOperations):
    """The rpcs that stand before a tenant is known, and GetMe."""

    async def exchange_credential(self, ctx: Context, request: ExchangeCredentialRequest) -> AccessToken:
        credential = request.credential
        principal = None
        if credential.startswith(API_KEY_PREFIX):
            async with self.lookup.statement() as conn:
                key = await sql.find_api_key.row(conn, hash=self.pepper.digest(credential))
            principal = self.key_holder(key, request) if key else None
        elif credential.startswith(SESSION_PREFIX):
            principal = await self._session_holder(request)
        elif is_jwt(credential):
            principal = await self.outsider(request)
        principal = principal or await self._installation(request)
        token, expires_at = self.signer.sign(principal)
        return AccessToken(
            token=token,
            expires_at=expires_at,
            subject=principal.subject,
            kind=PrincipalKind(principal.kind),
            tenant_id=principal.tenant_id,
            roles=[Role(role) for role in sorted(principal.roles)],
            groups=sorted(principal.groups),
            name=principal.name,
        )

    async def get_signing_keys(self, ctx: Context, request: GetSigningKeysRequest) -> SigningKeys:
        return SigningKeys(jwks=self.signer.jwks())

    async def sign_in(self, ctx: Context, request: SignInRequest) -> Session:
        self.refuse_passwords_off()
        refuse(_sign_in_errors(request))
        email_hash = self.pepper.digest(rules.email_key(request.email))
        async with self.lookup.unscoped() as conn:
            locked = await sql.get_lock.value(conn, email_hash=email_hash)
            people = await sql.find_sign_in.rows(
                conn, email_key=rules.email_key(request.email), slug=request.tenant or None
            )
        if locked is not None:
            raise _locked(locked)
        place = await self.passwords.first_match([person["password_hash"] for person in people], request.password)
        if place is None:
            await self.count_failure(email_hash)
            raise Unauthenticated("SIGN_IN_REFUSED", "E-mail address or password is not right.")
        if len(people) > 1:
            await self._forget_failures(email_hash)
            raise ambiguous()
        return await self._open_session(people[place], email_hash)

    async def sign_out(self, ctx: Context, request: SignOutRequest) -> SignOutResponse:
        digest = self.pepper.digest(request.token)
        async with self.lookup.statement() as conn:
            session = await sql.find_session.row(conn, hash=digest)
        if session is not None:
            async with self.database.transaction(session["tenant_id"]) as conn:
                await sql.end_session.execute(conn, tenant_id=session["tenant_id"], hash=digest)
        return SignOutResponse()

    async def check_sessions(self, ctx: Context, request: CheckSessionsRequest) -> CheckSessionsResponse:
        if len(request.tokens) > MOST_SESSIONS:
            refuse([FieldError("tokens", "too_many_items", f"At most {MOST_SESSIONS}.")])
        digests = [self.pepper.digest(token) for token in request.tokens]
        async with self.lookup.statement() as conn:
            found = await sql.find_good_sessions.rows(conn, hashes=list(set(digests)))
        good = {
            row["token_hash"]: SessionState(
                is_good=True,
                subject=row["user_id"],
                tenant_id=str(row["tenant_id"]),
                roles=[Role(role) for role in sorted(row["roles"])],
                groups=row["groups"],
            )
            for row in found
        }
        return CheckSessionsResponse(sessions=[good.get(digest, NO_SESSION) for digest in digests])

    async def get_me(self, ctx: Context, request: GetMeRequest) -> Me:
        who = ctx.principal
        user = None
        if who.kind == "user":
            async with self.database.reading(ctx.tenant_id) as conn:
                user = await sql.find_users.one(
                    conn, User, tenant_id=ctx.tenant_id, user_ids=[who.subject], email_keys=[]
                )
        return me_of(who, user)

    async def _session_holder(self, request: ExchangeCredentialRequest) -> Principal | None:
        async with self.lookup.statement() as conn:
            session = await sql.find_session.row(conn, hash=self.pepper.digest(request.credential))
        if session is None:
            return None
        if session["ended"]:
            raise Unauthenticated("SESSION_ENDED", "This session has ended; sign in again.")
        if session["user_status"] != UserStatus.ACTIVE:
            raise Unauthenticated("USER_DISABLED", "This account is disabled; ask an admin.")
        refuse_tenant(session, request)
        return Principal(
            subject=session["user_id"],
            kind="user",
            tenant_id=session["tenant_id"],
            roles=frozenset(session["roles"]),
            groups=frozenset(session["groups"]),
            on_behalf_of=frozenset(),
            name=session["name"],
        )

    async def _installation(self, request: ExchangeCredentialRequest) -> Principal:
        tenant_id = request.tenant_id or None
        digest = self.pepper.digest(request.credential)
        async with self.lookup.statement() as conn:
            key = await sql.find_installation_key.row(conn, hash=digest, tenant_id=rules.uuid_or_none(tenant_id))
        if key is None:
            raise Unauthenticated("CREDENTIAL_UNKNOWN", rules.UNKNOWN_CREDENTIAL)
        if tenant_id and not key["tenant_exists"]:
            raise NotFound("TENANT_NOT_FOUND", f"There is no tenant {tenant_id[:100]}.")
        return Principal(
            subject=key["name"],
            kind="service",
            tenant_id=tenant_id,
            roles=rules.installation_roles(key["name"], in_tenant=tenant_id is not None),
            groups=frozenset(),
            on_behalf_of=frozenset(),
            name=key["name"],
        )

    async def _open_session(self, person: asyncpg.Record, email_hash: str) -> Session:
        tenant_id, user_id = person["tenant_id"], person["user_id"]
        if person["user_status"] != UserStatus.ACTIVE:
            raise disabled()
        if person["tenant_status"] != TenantStatus.ACTIVE:
            raise suspended()
        async with self.database.transaction(tenant_id) as conn:
            await sql.forget_failures.execute(conn, email_hash=email_hash)
            await self.refuse_locked(conn, email_hash)
            return await self.new_session(conn, tenant_id=tenant_id, user_id=user_id)

    async def count_failure(self, email_hash: str) -> None:
        """Count a wrong password; where others locked the address meanwhile, that is the answer."""
        async with self.database.unscoped() as conn:
            [counted] = await sql.count_failure.rows(conn, email_hash=email_hash)
            wait = rules.lock_after(counted["failures"])
            if counted["locked_seconds"] <= 0 and wait is not None:
                await sql.lock_sign_in.execute(conn, email_hash=email_hash, wait=wait)
            await sql.forget_old_failures.execute(conn)
        if counted["locked_seconds"] > 0:
            raise _locked(counted["locked_seconds"])

    async def refuse_locked(self, conn: Connection, email_hash: str) -> None:
        """Refuse while this address is locked."""
        locked = await sql.get_lock.value(conn, email_hash=email_hash)
        if locked is not None:
            raise _locked(locked)

    async def _forget_failures(self, email_hash: str) -> None:
        async with self.database.unscoped() as conn:
            await sql.forget_failures.execute(conn, email_hash=email_hash)
            await self.refuse_locked(conn, email_hash)


def me_of(who: Principal, user: User | None) -> Me:
    """The caller as it is told who it is; a person's name is the one that is kept."""
    return Me(
        subject=who.subject,
        kind=PrincipalKind(who.kind),
        tenant_id=who.tenant_id,
        roles=[Role(role) for role in sorted(who.roles)],
        groups=sorted(who.groups),
        name=who.name if user is None else user.name,
        user=user,
    )


def _sign_in_errors(request: SignInRequest) -> Sequence[FieldError]:
    """Only what cannot be right for anyone: a wrong address or password is refused like an unknown one."""
    return [
        FieldError(path, "length", f"{path} has 1 to {limit} characters.")
        for path, value, limit in (("email", request.email, 254), ("password", request.password, 256))
        if not 1 <= len(value) <= limit
    ]


def _locked(seconds: float) -> ResourceExhausted:
    message = "Too many wrong passwords for this address; wait before you try again."
    return ResourceExhausted("SIGN_IN_LOCKED", message, retry_after=max(seconds, 1.0))
