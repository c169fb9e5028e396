"""Access tokens of outside issuers: for whom they act, and which are refused."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import jwt
import pytest
from identity_world import Home, World, running
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.tokens import Signer
from orkestra.identity_service.operations import Provider, issuers
from orkestra.testkit.databases import Schema
from orkestra.testkit.waiting import eventually
from orkestra.v1.identity import (
    AccessToken,
    CreateApiKeyRequest,
    CreateGroupRequest,
    DisableUserRequest,
    EnableUserRequest,
    LinkSubjectRequest,
    ListApiKeysRequest,
    ListAuditRequest,
    ListLinkedSubjectsRequest,
    PrincipalKind,
    RevokeApiKeyRequest,
    Role,
    UnlinkSubjectRequest,
)
from orkestra.wire import AlreadyExists, Error, InvalidArgument, NotFound, Unavailable
from outside_issuers import CLIENT, Claims, OutsideIssuer, outside_issuer

REST, MCP = "https://api.acme.example", "https://mcp.acme.example/mcp"
SLUG = "acme-of-the-tokens"
Migrated = Callable[..., Awaitable[Schema]]


@dataclass
class Desk:
    """An identity-service that takes the tokens of one issuer for everybody, and those of another for one tenant."""

    world: World
    everyones: OutsideIssuer
    ours: OutsideIssuer
    home: Home
    ann: str

    def claims(self, **values: Any) -> Claims:
        said = {"aud": REST, "sub": "ann-outside", "scope": "openid orkestra", "email": self.home.email("ann")}
        return said | {"email_verified": True} | values

    async def exchange(self, token: str, **values: Any) -> AccessToken:
        return await self.world.exchange(token, **values)

    async def refusal(self, token: str, **values: Any) -> str:
        with pytest.raises(Error) as refused:
            await self.exchange(token, **values)
        return f"{type(refused.value).__name__} {refused.value.reason}"


@pytest.fixture(scope="module")
async def desk(signer: Signer, migrated: Migrated) -> AsyncIterator[Desk]:
    schema = await migrated("orkestra.identity_service", "identity", extra_roles=("lookup",))
    async with outside_issuer() as everyones, outside_issuer() as ours, running(schema, signer) as before:
        home = await before.tenant()
        known, http = issuers(
            [
                Provider(
                    provider_id="corp",
                    name="Corp",
                    issuer=everyones.url,
                    client_id=CLIENT,
                    audience=REST,
                    agent_audience=MCP,
                ),
                Provider(
                    provider_id="ours",
                    name="Ours",
                    issuer=ours.url,
                    tenant=home.tenant.slug,
                    audience=REST,
                    agent_audience=MCP,
                    scope=None,
                ),
            ]
        )
        async with http, running(schema, signer, issuers=known) as world:
            home = Home(world, home.tenant, world.as_role("admin", tenant_id=home.id))
            await home.admin.create_group(CreateGroupRequest(group_id="support-l1"))
            ann = await home.person("ann", groups=["support-l1"])
            yield Desk(world, everyones, ours, home, ann)


async def test_a_persons_token_acts_as_the_person_at_the_rest_door(desk: Desk) -> None:
    access = await desk.exchange(desk.everyones.token(**desk.claims()))
    assert (access.subject, access.kind, access.tenant_id) == (desk.ann, PrincipalKind.USER, desk.home.id)
    assert (access.roles, access.groups, access.name) == ([Role.MEMBER], ["support-l1"], "Ann")
    by_link = await desk.exchange(desk.everyones.token(**desk.claims(email=None, scope=None, scp=["orkestra"])))
    assert by_link.subject == desk.ann


async def test_a_persons_token_acts_as_their_agent_at_a_door_for_agents_and_decides_nothing(desk: Desk) -> None:
    token = desk.everyones.token(**desk.claims(aud=["https://elsewhere.example", MCP]))
    access = await desk.exchange(token, audience=MCP)
    principal = await desk.world.signer.verifier().verify(access.token)
    assert (access.subject, access.kind, access.roles, access.groups) == (
        desk.ann,
        PrincipalKind.AGENT,
        [Role.AGENT],
        [],
    )
    assert principal.kind == "agent"
    assert (principal.roles, principal.on_behalf_of) == (frozenset({"agent"}), frozenset({desk.ann}))
    # What was meant for one door opens no other, so no program comes by with a person's own rights.
    assert await desk.refusal(token) == "Unauthenticated ACCESS_TOKEN_INVALID"
    rest = desk.everyones.token(**desk.claims())
    assert await desk.refusal(rest, audience=MCP) == "Unauthenticated ACCESS_TOKEN_INVALID"
    assert await desk.refusal(rest, audience=REST) == "Unauthenticated ACCESS_TOKEN_INVALID"
    door = CredentialCache(desk.world.channel, audience=MCP)
    assert (await door.exchange(token)).kind is PrincipalKind.AGENT


REFUSED: dict[str, tuple[Claims, str]] = {
    "another audience": ({"aud": "https://elsewhere.example"}, "Unauthenticated ACCESS_TOKEN_INVALID"),
    "the client's, an ID token": ({"aud": CLIENT}, "Unauthenticated ACCESS_TOKEN_INVALID"),
    "an audience that is no text": ({"aud": 5}, "Unauthenticated ACCESS_TOKEN_INVALID"),
    "audiences that are no texts": ({"aud": [{}, None]}, "Unauthenticated ACCESS_TOKEN_INVALID"),
    "no audience": ({"aud": None}, "Unauthenticated ACCESS_TOKEN_INVALID"),
    "another issuer": ({"iss": "https://idp.example"}, "Unauthenticated ACCESS_TOKEN_INVALID"),
    "no end": ({"exp": None}, "Unauthenticated ACCESS_TOKEN_INVALID"),
    "over": ({"exp": int(time.time()) - 3600}, "Unauthenticated ACCESS_TOKEN_EXPIRED"),
    "not yet": ({"nbf": int(time.time()) + 3600}, "Unauthenticated ACCESS_TOKEN_INVALID"),
    "no subject": ({"sub": None}, "Unauthenticated ACCESS_TOKEN_INVALID"),
    "no scope": ({"scope": "openid orkestra.read"}, "PermissionDenied SCOPE_REQUIRED"),
    "nobody here": ({"sub": "new", "email": "nobody@acme.example"}, "Unauthenticated PERSON_UNKNOWN"),
    "unverified": ({"sub": "new", "email_verified": False}, "PermissionDenied EMAIL_NOT_VERIFIED"),
}


@pytest.mark.parametrize("how", REFUSED)
async def test_a_token_that_is_not_right_is_refused(desk: Desk, how: str) -> None:
    claims, reason = REFUSED[how]
    assert await desk.refusal(desk.everyones.token(**desk.claims(**claims))) == reason


async def test_only_what_the_issuers_keys_have_signed_is_believed(desk: Desk) -> None:
    said = {"iss": desk.everyones.url, "exp": int(time.time()) + 300, **desk.claims()}
    forged = [
        jwt.encode(said, "", algorithm="none", headers={"kid": "k1"}),
        jwt.encode(said, "secret" * 6, algorithm="HS256", headers={"kid": "shared"}),
        desk.ours.signed(said),
        desk.everyones.signed(said)[:-8] + "AAAAAAAA",
    ]
    for token in forged:
        assert await desk.refusal(token) == "Unauthenticated ACCESS_TOKEN_INVALID"
    assert await desk.refusal("eyJ.e30.x") == "Unauthenticated ACCESS_TOKEN_INVALID"


async def test_a_tenants_own_issuer_vouches_for_nobody_in_another_tenant(desk: Desk) -> None:
    other = await desk.world.tenant()
    await other.person("ann")
    token = desk.ours.token(**desk.claims(sub="eve", email=other.email("ann")))
    assert await desk.refusal(token) == "Unauthenticated PERSON_UNKNOWN"


async def test_a_program_acts_as_the_api_key_that_an_admin_has_linked_it_to(desk: Desk) -> None:
    admin = desk.home.admin
    key = (
        await admin.create_api_key(
            CreateApiKeyRequest(
                name="Bot", kind=PrincipalKind.AGENT, on_behalf_of=[desk.ann], allowed_ips=["10.1.0.0/16"]
            )
        )
    ).api_key
    token = desk.ours.token(aud=MCP, sub="client-7")
    assert await desk.refusal(token, audience=MCP, ip="10.1.2.3") == "Unauthenticated PERSON_UNKNOWN"
    link = LinkSubjectRequest(issuer=desk.ours.url, subject="client-7", principal=key.key_id)
    linked = await admin.link_subject(link, request_id="link")
    assert await admin.link_subject(link, request_id="link") == linked
    with pytest.raises(InvalidArgument, match="used with another body"):
        await admin.link_subject(link.model_copy(update={"subject": "other"}), request_id="link")
    access = await desk.exchange(token, audience=MCP, ip="10.1.2.3")
    principal = await desk.world.signer.verifier().verify(access.token)
    assert (principal.subject, principal.on_behalf_of) == (key.key_id, frozenset({desk.ann}))
    assert await desk.refusal(token, audience=MCP, ip="10.2.0.1") == "PermissionDenied IP_NOT_ALLOWED"

    async def is_noted() -> bool:
        return (await admin.list_api_keys(ListApiKeysRequest())).api_keys[0].last_used_at is not None

    await eventually(is_noted)
    with pytest.raises(AlreadyExists):
        await admin.link_subject(link)
    assert await admin.unlink_subject(UnlinkSubjectRequest(subject_id=linked.subject_id)) == linked
    assert await desk.refusal(token, audience=MCP, ip="10.1.2.3") == "Unauthenticated PERSON_UNKNOWN"
    with pytest.raises(NotFound):
        await admin.unlink_subject(UnlinkSubjectRequest(subject_id=linked.subject_id))
    await admin.link_subject(link)
    await admin.revoke_api_key(RevokeApiKeyRequest(key_id=key.key_id))
    assert await desk.refusal(token, audience=MCP, ip="10.1.2.3") == "Unauthenticated KEY_REVOKED"
    entries = (await admin.list_audit(ListAuditRequest(resource_id=linked.subject_id))).entries
    assert [entry.action for entry in reversed(entries)] == ["link_subject", "unlink_subject"]


async def test_an_admin_links_a_person_whom_the_issuer_gives_no_address(desk: Desk) -> None:
    ben = await desk.home.person("ben")
    token = desk.ours.token(aud=REST, sub="ben-outside")
    assert await desk.refusal(token) == "Unauthenticated PERSON_UNKNOWN"
    admin = desk.home.admin
    linked = await admin.link_subject(
        LinkSubjectRequest(issuer=desk.ours.url, subject="ben-outside", principal=desk.home.email("ben"))
    )
    assert (await desk.exchange(token)).subject == linked.principal == ben
    page = await admin.list_linked_subjects(ListLinkedSubjectsRequest(principal=ben))
    assert page.linked_subjects == [linked]
    await admin.disable_user(DisableUserRequest(user_id=ben))
    assert await desk.refusal(token) == "Unauthenticated USER_DISABLED"
    await admin.enable_user(EnableUserRequest(user_id=ben))
    assert (await desk.exchange(token)).subject == ben


async def test_an_admin_says_nothing_about_issuers_of_everybody_nor_of_other_tenants(desk: Desk) -> None:
    """Else the admin of one tenant could say who somebody of another tenant is, and lock them out."""
    other = await desk.world.tenant()
    eve = await other.person("eve")
    for admin, principal, issuer in (
        (desk.home.admin, desk.ann, desk.everyones.url),
        (other.admin, eve, desk.ours.url),
        (other.admin, eve, "https://idp.example"),
    ):
        with pytest.raises(InvalidArgument, match="no provider of its own"):
            await admin.link_subject(LinkSubjectRequest(issuer=issuer, subject="s", principal=principal))
    link = LinkSubjectRequest(issuer=desk.ours.url, subject="of-eve", principal=eve)
    with pytest.raises(NotFound):
        await desk.home.admin.link_subject(link)


async def test_while_the_issuer_is_away_its_known_keys_still_tell_who_calls(desk: Desk, signer: Signer) -> None:
    token = desk.everyones.token(**desk.claims())
    await desk.exchange(token)
    desk.everyones.is_away = True
    try:
        assert (await desk.exchange(token)).subject == desk.ann
        fresh, http = issuers([issuer.provider for issuer in desk.world.operations.issuers.values()])
        async with http, running(desk.world.schema, signer, issuers=fresh) as world:
            with pytest.raises(Unavailable) as away:
                await world.exchange(token)
        assert away.value.reason == "PROVIDER_UNAVAILABLE"
    finally:
        desk.everyones.is_away = False
