"""Whoever an outside issuer vouches for: its access tokens, and which of its subjects is who here."""

from collections.abc import Sequence
from typing import Final

import asyncpg
import jwt
from orkestra.chassis.operations import Tx, events_transaction
from orkestra.identity_service import rules
from orkestra.identity_service.operations.audit import audited
from orkestra.identity_service.operations.base import ambiguous, disabled, sql, suspended
from orkestra.identity_service.operations.holders import KeyHolders, refuse_tenant
from orkestra.identity_service.operations.people import add_person
from orkestra.identity_service.operations.providers import Claims, Issuer, Provider, invalid_token
from orkestra.v1.identity import (
    CreateUserRequest,
    ExchangeCredentialRequest,
    LinkedSubject,
    Role,
    TenantStatus,
    UserStatus,
)
from orkestra.wire import AlreadyExists, Context, PermissionDenied, Principal, Unauthenticated

LONGEST_TOKEN: Final = 16 * 1024


class OutsiderOperations(KeyHolders):
    """What stands between an outside issuer's word and a principal."""

    async def outsider(self, request: ExchangeCredentialRequest) -> Principal:
        """Who an outside access token (RFC 9068) is of; at a door for agents a person's token acts as their agent."""
        issuer, audience = self._meant_for_us(request)
        provider = issuer.provider
        claims = await issuer.claims(request.credential, audience=audience)
        if provider.scope is not None and provider.scope not in _scopes(claims):
            raise PermissionDenied("SCOPE_REQUIRED", f"The access token needs the scope {provider.scope}.")
        known = await self.known_subject(provider, claims, provider.tenant)
        if known["key_id"] is not None:
            async with self.lookup.statement() as conn:
                place = {"tenant_id": known["tenant_id"], "key_id": known["key_id"]}
                key = await sql.find_api_key_by_id.row(conn, **place)
            if key is None:
                raise _nobody(provider)
            return self.key_holder(key, request)
        if known["user_status"] != UserStatus.ACTIVE:
            raise Unauthenticated("USER_DISABLED", "This account is disabled; ask an admin.")
        refuse_tenant(known, request)
        return _agent_of(known) if request.audience is not None else _person(known)

    async def known_subject(self, provider: Provider, claims: Claims, tenant: str | None) -> asyncpg.Record:
        """Who the claims are of, in the provider's tenant where it has one, else in the tenant of that slug.

        A subject that is not known yet is linked to the person with its verified e-mail address.
        """
        found = await self._find_linked(provider, claims, tenant)
        if not found:
            await self._link_by_email(provider, claims, provider.tenant or tenant)
            found = await self._find_linked(provider, claims, tenant)
        if not found:
            raise _nobody(provider)
        if len(found) > 1:
            raise ambiguous()
        return found[0]

    async def _find_linked(self, provider: Provider, claims: Claims, tenant: str | None) -> Sequence[asyncpg.Record]:
        async with self.lookup.statement() as conn:
            return await sql.find_linked_subject.rows(
                conn, issuer=provider.issuer, subject=claims["sub"], slug=provider.tenant or tenant
            )

    def _meant_for_us(self, request: ExchangeCredentialRequest) -> tuple[Issuer, str]:
        """The issuer that the token names and the audience that it has to be meant for; nothing is believed yet."""
        try:
            said = jwt.decode(request.credential, options={"verify_signature": False})
        except jwt.PyJWTError as refused:
            raise invalid_token() from refused
        audiences = said.get("aud")
        listed = audiences if isinstance(audiences, list) else [audiences]
        meant = {one for one in listed if isinstance(one, str)}
        for issuer in self.issuers.values():
            provider = issuer.provider
            ours = provider.audience if request.audience is None else provider.agent_audience
            is_right_door = request.audience in (None, ours)
            if provider.issuer == said.get("iss") and ours is not None and is_right_door and ours in meant:
                return issuer, ours
        raise invalid_token()

    async def _link_by_email(self, provider: Provider, claims: Claims, slug: str | None) -> None:
        email = claims.get("email")
        if not isinstance(email, str) or not email:
            raise _nobody(provider)
        if claims.get("email_verified") is not True and not provider.email_is_trusted:
            raise PermissionDenied("EMAIL_NOT_VERIFIED", f"{provider.name} has not verified your e-mail address.")
        async with self.lookup.unscoped() as conn:
            people = await sql.find_sign_in.rows(conn, email_key=rules.email_key(email), slug=slug)
        if not people and provider.creates_people:
            await self._create(provider, claims, email)
        elif not people:
            raise _nobody(provider)
        elif len(people) > 1:
            raise ambiguous()
        else:
            refuse_person(people[0])
            async with events_transaction(self.database, people[0]["tenant_id"]) as tx:
                await _link(tx, provider, claims, user_id=people[0]["user_id"])

    async def _create(self, provider: Provider, claims: Claims, email: str) -> None:
        async with self.lookup.statement() as conn:
            tenant = await sql.find_tenant_by_slug.row(conn, slug=provider.tenant)
        if tenant is None or tenant["status"] != TenantStatus.ACTIVE:
            raise _nobody(provider)
        told = claims.get("name")
        request = CreateUserRequest(email=email, name=told if isinstance(told, str) and told.strip() else email)
        if any(rules.user_errors(request, self.time_zones)):
            raise _nobody(provider)
        try:
            async with events_transaction(self.database, tenant["tenant_id"]) as tx:
                tx.ctx = acting(provider, tx.tenant_id)
                person = await add_person(tx, request, password_hash=None)
                await _link(tx, provider, claims, user_id=person.user_id)
        except AlreadyExists:
            return  # the same person came twice at once: the other one is found now


def is_jwt(credential: str) -> bool:
    """Whether a credential looks like a signed JWT (RFC 7519); whether it is good is another question."""
    return credential.startswith("eyJ") and credential.count(".") == 2 and len(credential) <= LONGEST_TOKEN


def acting(provider: Provider, tenant_id: str) -> Context:
    """What is done on a provider's word, as the audit names it."""
    return Context(principal=Principal(subject=f"provider:{provider.provider_id}", kind="service", tenant_id=tenant_id))


def refuse_person(person: asyncpg.Record) -> None:
    """Refuse who is disabled, or belongs to a suspended tenant."""
    if person["user_status"] != UserStatus.ACTIVE:
        raise disabled()
    if person["tenant_status"] != TenantStatus.ACTIVE:
        raise suspended()


async def _link(tx: Tx, provider: Provider, claims: Claims, *, user_id: str) -> None:
    """Link a subject to a person who has none at this issuer; who has one already is not somebody else as well."""
    tx.ctx = acting(provider, tx.tenant_id)
    linked = await sql.link_subject.one(
        tx.conn,
        LinkedSubject,
        tenant_id=tx.tenant_id,
        issuer=provider.issuer,
        subject=claims["sub"],
        user_id=user_id,
        key_id=None,
    )
    if linked is not None:
        await audited(tx, "link_subject", "subject", linked.subject_id, after=linked)


def _scopes(claims: Claims) -> frozenset[str]:
    """The scopes of an access token: `scope` by spaces (RFC 8693), or `scp` as some issuers have it."""
    told = claims.get("scope", claims.get("scp", ""))
    return frozenset(told.split() if isinstance(told, str) else (str(one) for one in told or ()))


def _person(known: asyncpg.Record) -> Principal:
    return Principal(
        subject=known["user_id"],
        kind="user",
        tenant_id=known["tenant_id"],
        roles=frozenset(known["roles"]),
        groups=frozenset(known["groups"]),
        on_behalf_of=frozenset(),
        name=known["name"],
    )


def _agent_of(known: asyncpg.Record) -> Principal:
    """An agent that asks for this person and decides nothing in their place."""
    return Principal(
        subject=known["user_id"],
        kind="agent",
        tenant_id=known["tenant_id"],
        roles=frozenset({Role.AGENT}),
        groups=frozenset(),
        on_behalf_of=frozenset({known["user_id"]}),
        name=f"{known['name']} (agent)",
    )


def _nobody(provider: Provider) -> Unauthenticated:
    message = f"Nobody here is known by what {provider.name} says; ask an admin to add your e-mail address."
    return Unauthenticated("PERSON_UNKNOWN", message)
