"""Signing in at an OpenID Connect provider: authorization code with PKCE, and what the provider says of groups."""

# ruff: noqa: ARG002 - an rpc takes what `bind` passes

import base64
import hashlib
import hmac
import secrets
from typing import Final
from urllib.parse import urlencode

from cryptography.fernet import Fernet, InvalidToken
from orkestra.chassis.operations import Tx, events_transaction
from orkestra.identity_service import rules
from orkestra.identity_service.operations.audit import audited
from orkestra.identity_service.operations.base import refuse, sql
from orkestra.identity_service.operations.outsiders import OutsiderOperations, acting, refuse_person
from orkestra.identity_service.operations.people import find_person, join_group, leave_group
from orkestra.identity_service.operations.providers import Claims, Issuer, Provider
from orkestra.v1.identity import (
    BeginSignInRequest,
    CompleteSignInRequest,
    ListSignInMethodsRequest,
    Session,
    SignInAttempt,
    SignInMethods,
    SignInProvider,
)
from orkestra.wire import Context, FieldError, NotFound, PermissionDenied, Unauthenticated
from pydantic import BaseModel

LONGEST_ADDRESS: Final = 2000
REFUSALS: Final = {
    "access_denied": "You did not agree, or you may not use this application.",
    "temporarily_unavailable": "It is overloaded; try again in a moment.",
    "server_error": "It had an error; try again.",
}
"""What a provider's refusals (RFC 6749, section 4.1.2.1) mean to a person; others are the installation's to mend."""


class Attempt(BaseModel):
    """What a browser keeps between leaving for the provider and coming back, sealed."""

    provider_id: str
    tenant: str | None
    redirect_uri: str
    state: str
    nonce: str
    verifier: str


class ProviderSignInOperations(OutsiderOperations):
    """The rpcs about signing in elsewhere. Nothing is kept here between the two: the browser holds it, sealed."""

    async def list_sign_in_methods(self, ctx: Context, request: ListSignInMethodsRequest) -> SignInMethods:
        offered = [one.provider for one in self.issuers.values() if one.provider.client_id is not None]
        return SignInMethods(
            password=self.password_sign_in,
            providers=[
                SignInProvider(provider_id=one.provider_id, name=one.name)
                for one in offered
                if one.tenant in (None, request.tenant)
            ],
            by_tenant=any(one.tenant is not None for one in offered),
        )

    async def begin_sign_in(self, ctx: Context, request: BeginSignInRequest) -> SignInAttempt:
        issuer = self._offered(request.provider_id, request.tenant)
        if not 1 <= len(request.redirect_uri) <= LONGEST_ADDRESS:
            refuse([FieldError("redirect_uri", "length", f"An address has 1 to {LONGEST_ADDRESS} characters.")])
        attempt = Attempt(
            provider_id=request.provider_id,
            tenant=request.tenant,
            redirect_uri=request.redirect_uri,
            state=secrets.token_urlsafe(24),
            nonce=secrets.token_urlsafe(24),
            verifier=secrets.token_urlsafe(48),
        )
        asked = {
            "response_type": "code",
            "client_id": issuer.provider.client_id,
            "redirect_uri": attempt.redirect_uri,
            "scope": " ".join(issuer.provider.scopes),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": _challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        endpoint = (await issuer.metadata()).authorization_endpoint
        return SignInAttempt(
            authorization_url=f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}",
            attempt=self._seal.encrypt(attempt.model_dump_json().encode()).decode(),
            state=attempt.state,
        )

    async def complete_sign_in(self, ctx: Context, request: CompleteSignInRequest) -> Session:
        attempt = self._unsealed(request)
        issuer = self._offered(attempt.provider_id, attempt.tenant)
        provider = issuer.provider
        names_itself = (await issuer.metadata()).names_itself
        if request.iss != provider.issuer and (names_itself or request.iss is not None):
            raise _untrusted(provider)
        if request.error is not None or not request.code:
            meaning = REFUSALS.get(request.error or "", "Ask who runs this installation to check how it is registered.")
            raise PermissionDenied("PROVIDER_REFUSED", f"{provider.name} refused to sign you in. {meaning}")
        claims = await _identified(issuer, attempt, request.code)
        known = await self.known_subject(provider, claims, attempt.tenant)
        if known["user_id"] is None:
            raise PermissionDenied("PERSON_UNKNOWN", "This subject is a program's; people alone sign in.")
        refuse_person(known)
        tenant_id, user_id = known["tenant_id"], known["user_id"]
        async with events_transaction(self.database, tenant_id) as tx:
            tx.ctx = acting(provider, tenant_id)
            await sql.lock_user.execute(tx.conn, tenant_id=tenant_id, user_id=user_id)
            if provider.groups_claim is not None:
                await _follow_groups(tx, provider, claims, user_id)
            return await self.new_session(tx.conn, tenant_id=tenant_id, user_id=user_id)

    @property
    def _seal(self) -> Fernet:
        return Fernet(self.pepper.sealing_key())

    def _offered(self, provider_id: str, tenant: str | None) -> Issuer:
        issuer = self.issuers.get(provider_id)
        if issuer is None or issuer.provider.client_id is None or issuer.provider.tenant not in (None, tenant):
            raise NotFound("PROVIDER_NOT_FOUND", "Nobody signs in there; choose one of the ways that the page offers.")
        return issuer

    def _unsealed(self, request: CompleteSignInRequest) -> Attempt:
        """The attempt that this browser began and has not let run out, with the state that the provider sent back."""
        try:
            attempt = Attempt.model_validate_json(
                self._seal.decrypt(request.attempt.encode(), ttl=self.attempt_seconds)
            )
        except (InvalidToken, ValueError):
            raise _expired() from None
        if not hmac.compare_digest(attempt.state.encode(), request.state.encode()):
            raise _expired()
        return attempt


async def _identified(issuer: Issuer, attempt: Attempt, code: str) -> Claims:
    """What the provider says of whoever came back (OpenID Connect Core 1.0, section 3.1.3)."""
    provider = issuer.provider
    tokens = await issuer.redeem(code, verifier=attempt.verifier, redirect_uri=attempt.redirect_uri)
    id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
    if not isinstance(id_token, str) or not provider.client_id:
        raise _untrusted(provider)
    try:
        claims = await issuer.claims(id_token, audience=provider.client_id)
    except Unauthenticated:
        raise _untrusted(provider) from None
    is_for_another = claims.get("azp", provider.client_id) != provider.client_id
    if is_for_another or not hmac.compare_digest(str(claims.get("nonce")).encode(), attempt.nonce.encode()):
        raise _untrusted(provider)
    wanted = {"email", provider.groups_claim} - {None}
    if wanted <= claims.keys() or not isinstance(access_token, str):
        return claims
    told = await issuer.person(access_token)
    if told and told.get("sub") != claims["sub"]:
        raise _untrusted(provider)
    return {**told, **claims}


async def _follow_groups(tx: Tx, provider: Provider, claims: Claims, user_id: str) -> None:
    """Bring the memberships that the provider gives to what it says now; those given by hand stay."""
    told = claims.get(provider.groups_claim or "")
    names = [told] if isinstance(told, str) else [one for one in told or () if isinstance(one, str)]
    meant = {provider.groups[name] for name in names if name in provider.groups} if provider.groups else set(names)
    rows = await sql.known_groups.rows(tx.conn, tenant_id=tx.tenant_id, group_ids=sorted(meant))
    wanted = {row["group_id"] for row in rows}
    given = await sql.provider_groups.rows(tx.conn, tenant_id=tx.tenant_id, user_id=user_id)
    for group_id in sorted({row["group_id"] for row in given} - wanted):
        await leave_group(tx, group_id, user_id)
        await audited(tx, "remove_member", "group", group_id, before={"user_id": user_id})
    person = await find_person(tx, user_id)
    room = rules.MAX_LIST - len(person.groups)
    for group_id in sorted(wanted - set(person.groups))[: max(room, 0)]:
        await join_group(tx, group_id, user_id)
        await sql.mark_from_provider.execute(tx.conn, tenant_id=tx.tenant_id, group_id=group_id, user_id=user_id)
        await audited(tx, "add_member", "group", group_id, after={"user_id": user_id})


def _challenge(verifier: str) -> str:
    """The S256 code challenge of RFC 7636."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _expired() -> PermissionDenied:
    message = "This sign-in has expired, or was begun in another browser; begin it again."
    return PermissionDenied("SIGN_IN_EXPIRED", message)


def _untrusted(provider: Provider) -> PermissionDenied:
    message = f"What {provider.name} answered cannot be trusted, so you are not signed in; begin again."
    return PermissionDenied("PROVIDER_ANSWER_INVALID", message)
