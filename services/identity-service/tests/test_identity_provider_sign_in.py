"""Signing in at an OpenID Connect provider: a real one, and one that lies."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import jwt
import pytest
from identity_world import PASSWORD, Home, World, running
from orkestra.chassis.tokens import Signer
from orkestra.identity_service.operations import Provider, issuers
from orkestra.testkit.databases import Schema
from orkestra.v1.identity import (
    AddMemberRequest,
    BeginSignInRequest,
    ChangePasswordRequest,
    CompleteSignInRequest,
    CreateGroupRequest,
    CreateUserRequest,
    DisableUserRequest,
    GetUserRequest,
    InviteUserRequest,
    ListAuditRequest,
    ListLinkedSubjectsRequest,
    ListSignInMethodsRequest,
    RedeemMailLinkRequest,
    RequestPasswordResetRequest,
    Session,
    SignInMethods,
    SignInProvider,
    SignInRequest,
    SuspendTenantRequest,
)
from orkestra.wire import Error, NotFound, PermissionDenied, Unauthenticated, Unavailable
from outside_issuers import BACK, CLIENT, Claims, OutsideIssuer, canaille, outside_issuer, sign_in_at_canaille
from pydantic import SecretStr

Migrated = Callable[..., Awaitable[Schema]]
Running = Callable[..., Any]


@pytest.fixture(scope="module")
async def schema(migrated: Migrated) -> Schema:
    return await migrated("orkestra.identity_service", "identity", extra_roles=("lookup",))


@pytest.fixture
async def outside() -> AsyncIterator[OutsideIssuer]:
    async with outside_issuer() as issuer:
        yield issuer


def provider(issuer: str, **values: Any) -> Provider:
    return Provider(**{"provider_id": "corp", "name": "Corp", "issuer": issuer, "client_id": CLIENT, **values})


class Desk:
    """An identity-service that knows some providers."""

    def __init__(self, world: World, issuer: OutsideIssuer) -> None:
        self.world, self.issuer = world, issuer

    async def sign_in(self, provider_id: str = "corp", *, tenant: str | None = None, **answer: Any) -> Session:
        attempt = await self.world.nobody.begin_sign_in(
            BeginSignInRequest(provider_id=provider_id, redirect_uri=BACK, tenant=tenant)
        )
        brought = self.issuer.agree(attempt.authorization_url) | answer
        return await self.world.nobody.complete_sign_in(CompleteSignInRequest(attempt=attempt.attempt, **brought))

    async def refusal(self, *arguments: Any, **values: Any) -> str:
        with pytest.raises(Error) as refused:
            await self.sign_in(*arguments, **values)
        return refused.value.reason


@pytest.fixture
def desk(schema: Schema, signer: Signer, outside: OutsideIssuer) -> Running:
    """Opens a desk for these providers."""

    @asynccontextmanager
    async def opened(*providers: Provider, **changes: Any) -> AsyncIterator[Desk]:
        known, http = issuers(providers)
        async with http, running(schema, signer, issuers=known, **changes) as world:
            yield Desk(world, outside)

    return opened


def person(home: Home, name: str = "ann", **claims: Any) -> Claims:
    return {"sub": f"sub-{name}-{home.tenant.slug}", "email": home.email(name), "email_verified": True, **claims}


@pytest.mark.timeout(120)
async def test_a_person_signs_in_at_a_real_provider_that_asks_for_pkce(
    schema: Schema, signer: Signer, desk: Running, tmp_path: Path
) -> None:
    async with canaille(tmp_path / "log", BACK) as url:
        corp = provider(
            url,
            client_secret=SecretStr("a secret of this test client"),
            scopes=("openid", "email", "profile", "groups"),
            email_is_trusted=True,
            groups_claim="groups",
        )
        async with desk(corp) as opened:
            world: World = opened.world
            home = await world.tenant()
            await home.admin.create_group(CreateGroupRequest(group_id="support-l1"))
            await home.admin.create_user(CreateUserRequest(email="ann@acme.example", name="Ann"))
            begin = BeginSignInRequest(provider_id="corp", redirect_uri=BACK, tenant=home.tenant.slug)
            attempts = [await world.nobody.begin_sign_in(begin) for _ in range(2)]
            brought = await sign_in_at_canaille(attempts[0].authorization_url, BACK)
            # A stolen code is worth nothing to a browser with another attempt: the provider misses its verifier.
            stolen = brought | {"state": attempts[1].state}
            with pytest.raises(Unauthenticated, match="did not accept"):
                await world.nobody.complete_sign_in(CompleteSignInRequest(attempt=attempts[1].attempt, **stolen))
            session = await world.nobody.complete_sign_in(CompleteSignInRequest(attempt=attempts[0].attempt, **brought))
            access = await world.exchange(session.token)
    assert (session.user.email, session.user.groups) == ("ann@acme.example", ["support-l1"])
    assert (access.subject, access.groups, access.tenant_id) == (session.user.user_id, ["support-l1"], home.id)


async def test_who_signed_in_once_is_known_by_the_subject_whatever_the_address_becomes(
    desk: Running, outside: OutsideIssuer
) -> None:
    async with desk(provider(outside.url)) as opened:
        home = await opened.world.tenant()
        ann = await home.person("ann")
        outside.person = person(home)
        assert (await opened.sign_in()).user.user_id == ann
        outside.person = person(home, email="ann.married@elsewhere.example")
        assert (await opened.sign_in()).user.user_id == ann
        # Somebody else who is given Ann's address later does not become Ann.
        outside.person = person(home, sub="another")
        assert await opened.refusal() == "PERSON_UNKNOWN"
        [linked] = (await home.admin.list_linked_subjects(ListLinkedSubjectsRequest())).linked_subjects
        entries = (await home.admin.list_audit(ListAuditRequest(action="link_subject"))).entries
    assert (linked.issuer, linked.subject, linked.principal) == (outside.url, person(home)["sub"], ann)
    assert [(entry.actor, entry.resource_id) for entry in entries] == [("provider:corp", linked.subject_id)]


async def test_nobody_is_let_in_by_an_address_that_is_unknown_unverified_or_in_another_tenant(
    desk: Running, outside: OutsideIssuer
) -> None:
    async with desk(provider(outside.url), provider(outside.url, provider_id="bound", tenant="not-this-one")) as opened:
        home = await opened.world.tenant()
        await home.person("ann")
        outside.person = person(home, "nobody")
        assert await opened.refusal() == "PERSON_UNKNOWN"
        outside.person = person(home, email_verified=False)
        assert await opened.refusal() == "EMAIL_NOT_VERIFIED"
        outside.person = {"sub": "without-an-address"}
        outside.userinfo = {"sub": "without-an-address"}
        assert await opened.refusal() == "PERSON_UNKNOWN"
        outside.person = person(home)
        assert await opened.refusal(tenant="some-other-tenant") == "PERSON_UNKNOWN"
        assert await opened.refusal("bound", tenant="not-this-one") == "PERSON_UNKNOWN"
        assert await opened.refusal("bound", tenant=home.tenant.slug) == "PROVIDER_NOT_FOUND"
        assert await opened.refusal("bound") == "PROVIDER_NOT_FOUND"
        assert await opened.refusal("no-such-provider") == "PROVIDER_NOT_FOUND"
        assert (await home.admin.list_linked_subjects(ListLinkedSubjectsRequest())).linked_subjects == []


async def test_who_is_in_several_tenants_names_one(desk: Running, outside: OutsideIssuer) -> None:
    async with desk(provider(outside.url)) as opened:
        homes = [await opened.world.tenant() for _ in range(2)]
        address = homes[0].email("twin")
        for home in homes:
            await home.admin.create_user(CreateUserRequest(email=address, name="Twin"))
        outside.person = person(homes[0], email=address)
        assert await opened.refusal() == "TENANT_REQUIRED"
        for home in homes:
            assert (await opened.sign_in(tenant=home.tenant.slug)).user.tenant_id == home.id
        assert await opened.refusal() == "TENANT_REQUIRED"


async def test_disabled_people_and_suspended_tenants_stay_out(desk: Running, outside: OutsideIssuer) -> None:
    async with desk(provider(outside.url)) as opened:
        home = await opened.world.tenant()
        ann, ben = await home.person("ann"), await home.person("ben")
        await home.admin.disable_user(DisableUserRequest(user_id=ann))
        outside.person = person(home)
        assert await opened.refusal() == "USER_DISABLED"
        outside.person = person(home, "ben")
        assert (await opened.sign_in()).user.user_id == ben
        operator = opened.world.as_role("operator")
        await operator.suspend_tenant(SuspendTenantRequest(tenant_id=home.id))
        assert await opened.refusal() == "TENANT_SUSPENDED"


async def test_groups_follow_the_providers_claim_and_those_given_by_hand_stay(
    desk: Running, outside: OutsideIssuer
) -> None:
    mapped = {"Support / first line": "support-l1", "Finance": "finance", "Ghosts": "no-such-group"}
    async with desk(provider(outside.url, groups_claim="teams", groups=mapped)) as opened:
        home = await opened.world.tenant()
        for group in ("support-l1", "finance", "by-hand"):
            await home.admin.create_group(CreateGroupRequest(group_id=group))
        ann = await home.person("ann")
        await home.admin.add_member(AddMemberRequest(group_id="by-hand", user_id=ann))
        outside.person = person(home, teams=["Support / first line", "Ghosts", "Unmapped", 7])
        assert (await opened.sign_in()).user.groups == ["by-hand", "support-l1"]
        outside.person = person(home, teams=["Finance"])
        assert (await opened.sign_in()).user.groups == ["by-hand", "finance"]
        # In the place of a claim that the ID token lacks, the userinfo endpoint is asked; nobody's word is no group.
        outside.person, outside.userinfo = person(home), {"sub": person(home)["sub"], "teams": "Support / first line"}
        assert (await opened.sign_in()).user.groups == ["by-hand", "support-l1"]
        outside.userinfo = {"sub": person(home)["sub"]}
        assert (await opened.sign_in()).user.groups == ["by-hand"]
        told = await opened.world.events(home.id)
        entries = (await home.admin.list_audit(ListAuditRequest(actor="provider:corp"))).entries
    assert told.count("membership_changed") == 1 + 6
    assert [entry.action for entry in reversed(entries)] == [
        "link_subject",
        "add_member",
        "remove_member",
        "add_member",
        "remove_member",
        "add_member",
        "remove_member",
    ]


async def test_a_provider_may_bring_new_people_into_its_tenant(
    schema: Schema, signer: Signer, desk: Running, outside: OutsideIssuer
) -> None:
    async with running(schema, signer) as world:
        home = await world.tenant()
    slug = home.tenant.slug
    async with desk(provider(outside.url, tenant=slug, creates_people=True)) as opened:
        outside.person = person(home, "new") | {"name": "New Person"}
        session = await opened.sign_in(tenant=slug)
        again = await opened.sign_in(tenant=slug)
        outside.person = person(home, "odd", email="not an address")
        assert await opened.refusal(tenant=slug) == "PERSON_UNKNOWN"
        found = await opened.world.as_role("admin", tenant_id=home.id).get_user(
            GetUserRequest(user_id=home.email("new"))
        )
    assert session.user == again.user == found
    assert (found.name, [str(role) for role in found.roles]) == ("New Person", ["member"])


def changed(**values: Any) -> Callable[[Claims], Claims]:
    return lambda claims: {name: value for name, value in (claims | values).items() if value is not None}


LIES: dict[str, Callable[[Claims], Claims]] = {
    "another nonce": changed(nonce="another"),
    "no nonce": changed(nonce=None),
    "another audience": changed(aud="another-client"),
    "for another party": changed(aud=[CLIENT, "another-client"], azp="another-client"),
    "another issuer": changed(iss="https://idp.example"),
    "over since long": changed(exp=int(time.time()) - 3600),
    "without an end": changed(exp=None),
    "without a subject": changed(sub=None),
    "a subject that is no text": changed(sub=7),
}


@pytest.mark.parametrize("lie", LIES)
async def test_an_id_token_that_is_not_for_this_sign_in_is_not_believed(
    desk: Running, outside: OutsideIssuer, lie: str
) -> None:
    async with desk(provider(outside.url)) as opened:
        home = await opened.world.tenant()
        await home.person("ann")
        outside.person, outside.lie = person(home), LIES[lie]
        assert await opened.refusal() == "PROVIDER_ANSWER_INVALID"


def unsigned(claims: Claims) -> str:
    return jwt.encode(claims, "", algorithm="none", headers={"kid": "k1"})


def by_a_shared_secret(claims: Claims) -> str:
    return jwt.encode(claims, "secret" * 6, algorithm="HS256", headers={"kid": "shared"})


def by_nobody(claims: Claims) -> str:
    return OutsideIssuer().signed(claims)


@pytest.mark.parametrize("sign", [unsigned, by_a_shared_secret, by_nobody, lambda _: "not a token", lambda _: ""])
async def test_a_token_that_the_issuers_published_keys_did_not_sign_is_not_believed(
    desk: Running, outside: OutsideIssuer, sign: Callable[[Claims], str]
) -> None:
    async with desk(provider(outside.url)) as opened:
        home = await opened.world.tenant()
        await home.person("ann")
        outside.person, outside.sign = person(home), sign
        assert await opened.refusal() == "PROVIDER_ANSWER_INVALID"


async def test_userinfo_of_somebody_else_is_not_believed(desk: Running, outside: OutsideIssuer) -> None:
    async with desk(provider(outside.url)) as opened:
        home = await opened.world.tenant()
        await home.person("ann")
        outside.person, outside.userinfo = {"sub": "mallory"}, person(home)
        assert await opened.refusal() == "PROVIDER_ANSWER_INVALID"


async def test_an_attempt_is_good_for_its_own_browser_and_for_ten_minutes(
    desk: Running, outside: OutsideIssuer
) -> None:
    async with desk(provider(outside.url)) as opened:
        home = await opened.world.tenant()
        await home.person("ann")
        outside.person = person(home)
        assert await opened.refusal(state="another state") == "SIGN_IN_EXPIRED"
        for attempt in ("", "x", "gAAAAA"):
            with pytest.raises(PermissionDenied) as refused:
                await opened.world.nobody.complete_sign_in(CompleteSignInRequest(attempt=attempt, state="s", code="c"))
            assert refused.value.reason == "SIGN_IN_EXPIRED"
        assert await opened.refusal(iss="https://idp.example") == "PROVIDER_ANSWER_INVALID"
        assert (await opened.sign_in(iss=outside.url)).user.email == home.email("ann")
    async with desk(provider(outside.url), attempt_seconds=-1) as opened:
        assert await opened.refusal() == "SIGN_IN_EXPIRED"


async def test_what_the_provider_refuses_is_told_in_words_of_ours(desk: Running, outside: OutsideIssuer) -> None:
    async with desk(provider(outside.url)) as opened:
        with pytest.raises(PermissionDenied, match="You did not agree") as refused:
            await opened.sign_in(error="access_denied")
        assert refused.value.reason == "PROVIDER_REFUSED"
        with pytest.raises(PermissionDenied) as refused:
            await opened.sign_in(error="<script>alert(1)</script>")
        assert "script" not in str(refused.value)
        outside.is_away = True
    async with desk(provider(outside.url)) as opened:
        with pytest.raises(Unavailable) as away:
            await opened.sign_in()
    assert away.value.reason == "PROVIDER_UNAVAILABLE"


async def test_an_issuer_that_calls_itself_otherwise_is_not_asked(desk: Running, outside: OutsideIssuer) -> None:
    async with desk(provider(f"{outside.url}/")) as opened:
        assert await opened.refusal() == "PROVIDER_UNAVAILABLE"


async def test_each_tenant_is_told_how_its_people_sign_in(desk: Running, outside: OutsideIssuer) -> None:
    ours = provider(outside.url, provider_id="ours", name="Ours", tenant="acme")
    tokens_only = provider(outside.url, provider_id="tokens", name="Tokens", client_id=None)
    async with desk(provider(outside.url), ours, tokens_only) as opened:
        methods = opened.world.nobody.list_sign_in_methods
        everyone, acme = (
            await methods(ListSignInMethodsRequest()),
            await methods(ListSignInMethodsRequest(tenant="acme")),
        )
        with pytest.raises(NotFound):
            await opened.sign_in("tokens")
    corp = SignInProvider(provider_id="corp", name="Corp")
    assert everyone == SignInMethods(password=True, providers=[corp], by_tenant=True)
    assert acme == everyone.model_copy(update={"providers": [corp, SignInProvider(provider_id="ours", name="Ours")]})


async def test_with_passwords_off_nobody_signs_in_by_one_nor_gets_one(desk: Running, outside: OutsideIssuer) -> None:
    async with desk(provider(outside.url), password_sign_in=False) as opened:
        home = await opened.world.tenant()
        ann = await home.person("ann")
        nobody = opened.world.nobody
        calls = [
            nobody.sign_in(SignInRequest(email=home.email("ann"), password=PASSWORD)),
            nobody.request_password_reset(RequestPasswordResetRequest(email=home.email("ann"))),
            nobody.redeem_mail_link(RedeemMailLinkRequest(token="orl_x", password=PASSWORD)),
            home.admin.invite_user(InviteUserRequest(user_id=ann)),
            home.admin.change_password(
                ChangePasswordRequest(token="ors_x", current_password=PASSWORD, new_password=PASSWORD)
            ),
        ]
        for call in calls:
            with pytest.raises(PermissionDenied) as refused:
                await call
            assert refused.value.reason == "PASSWORD_SIGN_IN_OFF"
        assert not (await nobody.list_sign_in_methods(ListSignInMethodsRequest())).password
        outside.person = person(home)
        assert (await opened.sign_in()).user.user_id == ann


async def test_a_client_secret_is_rotated_while_people_sign_in(desk: Running, outside: OutsideIssuer) -> None:
    old, new = (provider(outside.url, client_secret=SecretStr(secret)) for secret in ("old", "new"))
    outside.secrets = {"old"}
    async with desk(old) as before, desk(new) as after:
        home = await before.world.tenant()
        ann = await home.person("ann")
        outside.person = person(home)
        assert (await before.sign_in()).user.user_id == ann
        outside.secrets = {"old", "new"}
        assert [(await one.sign_in()).user.user_id for one in (before, after)] == [ann, ann]
        outside.secrets = {"new"}
        assert (await after.sign_in()).user.user_id == ann
        assert await before.refusal() == "SIGN_IN_REFUSED"
