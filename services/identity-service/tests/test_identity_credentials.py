"""Credentials become tokens, or are refused with the reason."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from identity_world import PASSWORD, SERVICE_KEY, WORKER_KEY, Home, World, home, world
from orkestra.identity_service.operations import InstallationKeys
from orkestra.testkit.waiting import eventually
from orkestra.v1.identity import (
    CheckSessionsRequest,
    CreateApiKeyRequest,
    CreateGroupRequest,
    CreateUserRequest,
    DisableUserRequest,
    GetMeRequest,
    GetSigningKeysRequest,
    IdentityServiceClient,
    PrincipalKind,
    RevokeApiKeyRequest,
    Role,
    SessionState,
    SignInRequest,
    SignOutRequest,
    SuspendTenantRequest,
)
from orkestra.wire import (
    Error,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Principal,
    ResourceExhausted,
    Unauthenticated,
)

__all__ = ["home", "world"]


async def test_the_service_key_without_a_tenant_is_the_operator(world: World) -> None:
    token = await world.exchange(SERVICE_KEY)
    assert (token.subject, token.kind, token.tenant_id) == ("service", PrincipalKind.SERVICE, None)
    assert set(token.roles) == {Role.OPERATOR, Role.SYSTEM}


@pytest.mark.parametrize(("key", "roles"), [(SERVICE_KEY, [Role.SYSTEM]), (WORKER_KEY, [Role.WORKER])])
async def test_installation_keys_act_in_any_tenant(world: World, home: Home, key: str, roles: list[Role]) -> None:
    token = await world.exchange(key, tenant_id=home.id)
    assert (token.tenant_id, token.roles) == (home.id, roles)


@pytest.mark.parametrize("tenant_id", ["0191e9a2-0000-7000-8000-000000000000", "no uuid"])
async def test_an_installation_key_does_not_act_in_a_tenant_that_does_not_exist(world: World, tenant_id: str) -> None:
    with pytest.raises(NotFound) as refusal:
        await world.exchange(SERVICE_KEY, tenant_id=tenant_id)
    assert refusal.value.reason == "TENANT_NOT_FOUND"


async def test_a_changed_installation_key_replaces_the_one_before(world: World) -> None:
    await InstallationKeys(world.operations, {"worker": "another worker key of this installation"}).write()
    with pytest.raises(Unauthenticated):
        await world.exchange(WORKER_KEY)
    await InstallationKeys(world.operations, {"worker": WORKER_KEY}).write()
    assert (await world.exchange(WORKER_KEY)).roles == [Role.WORKER]


@pytest.mark.parametrize("credential", ["", "ork_abcdefgh_nothing", "ors_nothing", "anything else", "ü" * 500])
async def test_a_credential_that_nobody_has_is_refused(world: World, credential: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await world.exchange(credential)
    assert refusal.value.reason == "CREDENTIAL_UNKNOWN"


async def test_an_agents_key_says_what_the_agent_may_do(world: World, home: Home) -> None:
    ann = await home.person("ann")
    request = CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT, on_behalf_of=[home.email("ANN")])
    created = await home.admin.create_api_key(request)
    token = await world.exchange(created.secret)
    assert created.secret.startswith(created.api_key.prefix + "_")
    assert (token.subject, token.kind, token.roles) == (created.api_key.key_id, PrincipalKind.AGENT, [Role.AGENT])
    expected = Principal(
        subject=created.api_key.key_id,
        kind="agent",
        tenant_id=home.id,
        roles=frozenset({"agent"}),
        on_behalf_of=frozenset({ann}),
        name="Bot",
    )
    assert await world.signer.verifier().verify(token.token) == expected
    assert timedelta(0) < token.expires_at - datetime.now(UTC) <= timedelta(seconds=30)


async def test_what_is_stored_of_a_key_opens_nothing(world: World, home: Home) -> None:
    created = await home.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
    [row] = await world.rows("select * from api_keys where key_id = $1", created.api_key.key_id)
    assert created.secret not in str(dict(row))
    with pytest.raises(Unauthenticated):
        await world.exchange(row["key_hash"])


async def test_a_revoked_key_is_refused_at_once(world: World, home: Home) -> None:
    created = await home.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
    await world.exchange(created.secret)
    revoked = await home.admin.revoke_api_key(RevokeApiKeyRequest(key_id=created.api_key.key_id))
    assert revoked.revoked_at is not None
    with pytest.raises(Unauthenticated) as refusal:
        await world.exchange(created.secret)
    assert refusal.value.reason == "KEY_REVOKED"


async def test_an_expired_key_is_refused(world: World, home: Home) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    request = CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT, expires_at=tomorrow)
    created = await home.admin.create_api_key(request)
    await world.exchange(created.secret)
    await world.rows("update api_keys set expires_at = now() where key_id = $1", created.api_key.key_id)
    with pytest.raises(Unauthenticated) as refusal:
        await world.exchange(created.secret)
    assert refusal.value.reason == "KEY_EXPIRED"


@pytest.mark.parametrize("ip", ["10.1.2.3", "::ffff:10.1.2.3", "2001:db8::7"])
async def test_a_key_with_ranges_is_accepted_from_inside_them(world: World, home: Home, ip: str) -> None:
    ranges = ["10.1.0.0/16", "2001:db8::/64"]
    request = CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT, allowed_ips=ranges)
    created = await home.admin.create_api_key(request)
    assert (await world.exchange(created.secret, ip=ip)).subject == created.api_key.key_id


@pytest.mark.parametrize("ip", ["10.2.0.1", "2001:db8:1::7", "no address", None])
async def test_a_key_with_ranges_is_refused_from_elsewhere(world: World, home: Home, ip: str | None) -> None:
    request = CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT, allowed_ips=["10.1.0.0/16", "2001:db8::/64"])
    created = await home.admin.create_api_key(request)
    with pytest.raises(PermissionDenied) as refusal:
        await world.exchange(created.secret, ip=ip)
    assert refusal.value.reason == "IP_NOT_ALLOWED"


async def test_a_key_does_not_choose_another_tenant(world: World, home: Home) -> None:
    other = await world.tenant()
    created = await home.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
    with pytest.raises(InvalidArgument) as refusal:
        await world.exchange(created.secret, tenant_id=other.id)
    assert [error.path for error in refusal.value.errors] == ["tenant_id"]


async def test_the_last_use_of_a_key_is_recorded_once_a_minute(world: World, home: Home) -> None:
    created = await home.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
    key_id = created.api_key.key_id
    await asyncio.gather(*(world.exchange(created.secret) for _ in range(20)))
    await world.operations.settle()
    [first] = await world.rows("select last_used_at, xmin::text from api_keys where key_id = $1", key_id)
    assert first["last_used_at"] is not None
    await world.exchange(created.secret)
    await world.operations.settle()
    [second] = await world.rows("select last_used_at, xmin::text from api_keys where key_id = $1", key_id)
    assert second == first
    await world.rows("update api_keys set last_used_at = now() - interval '61 s' where key_id = $1", key_id)
    await world.exchange(created.secret)

    async def is_newer() -> bool:
        [row] = await world.rows("select last_used_at from api_keys where key_id = $1", key_id)
        return bool(row["last_used_at"] > first["last_used_at"])

    await eventually(is_newer)


async def test_a_suspended_tenant_is_refused_but_for_the_installations_own_work(world: World, home: Home) -> None:
    created = await home.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
    session = await world.sign_in(home.email("admin"))
    await world.rows("update tenants set status = 'suspended' where tenant_id = $1", home.id)
    for credential in (created.secret, session.token):
        with pytest.raises(PermissionDenied) as refusal:
            await world.exchange(credential)
        assert refusal.value.reason == "TENANT_SUSPENDED"
    with pytest.raises(PermissionDenied) as refusal:
        await world.sign_in(home.email("admin"))
    assert refusal.value.reason == "TENANT_SUSPENDED"
    assert (await world.exchange(WORKER_KEY, tenant_id=home.id)).roles == [Role.WORKER]


async def test_signing_keys_are_public_and_verify_tokens(world: World) -> None:
    answer = await world.nobody.get_signing_keys(GetSigningKeysRequest())
    assert answer.jwks == world.signer.jwks()
    assert "d" not in answer.jwks["keys"][0]


async def test_a_person_signs_in_acts_and_signs_out(world: World, home: Home) -> None:
    session = await world.sign_in(home.email("Admin"))
    assert timedelta(hours=11, minutes=59) < session.expires_at - datetime.now(UTC) <= timedelta(hours=12)
    me = await (await world.holder(session.token)).get_me(GetMeRequest())
    assert (me.subject, me.tenant_id, me.roles, me.user) == (session.user.user_id, home.id, [Role.ADMIN], session.user)
    for _ in range(2):
        await world.nobody.sign_out(SignOutRequest(token=session.token))
    with pytest.raises(Unauthenticated) as refusal:
        await world.exchange(session.token)
    assert refusal.value.reason == "SESSION_ENDED"


async def test_get_me_answers_programs_too(world: World, home: Home) -> None:
    created = await home.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
    me = await (await world.holder(created.secret)).get_me(GetMeRequest())
    assert (me.subject, me.name, me.user) == (created.api_key.key_id, "Bot", None)
    assert (await (await world.holder(SERVICE_KEY)).get_me(GetMeRequest())).tenant_id is None


async def test_an_expired_session_is_refused_and_forgotten_at_the_next_sign_in(world: World, home: Home) -> None:
    old = await world.sign_in(home.email("admin"))
    await world.rows("update sessions set expires_at = now() where user_id = $1", old.user.user_id)
    with pytest.raises(Unauthenticated) as refusal:
        await world.exchange(old.token)
    assert refusal.value.reason == "SESSION_ENDED"
    await world.sign_in(home.email("admin"))
    assert len(await world.rows("select from sessions where user_id = $1", old.user.user_id)) == 1


async def test_a_disabled_person_neither_signs_in_nor_acts(world: World, home: Home) -> None:
    session = await world.sign_in(home.email("admin"))
    await world.rows("update users set status = 'disabled' where user_id = $1", session.user.user_id)
    with pytest.raises(Unauthenticated) as at_exchange:
        await world.exchange(session.token)
    with pytest.raises(PermissionDenied) as at_sign_in:
        await world.sign_in(home.email("admin"))
    assert (at_exchange.value.reason, at_sign_in.value.reason) == ("USER_DISABLED", "USER_DISABLED")


async def test_a_stale_token_does_not_stop_a_sign_in(world: World, home: Home) -> None:
    principal = Principal(subject="user_x", kind="user", tenant_id=home.id)
    token, _ = world.signer.sign(principal, lifetime=timedelta(minutes=-5))
    stale = IdentityServiceClient(world.channel, token)
    with pytest.raises(Unauthenticated):
        await stale.get_me(GetMeRequest())
    request = SignInRequest(email=home.email("admin"), password=PASSWORD)
    assert (await stale.sign_in(request)).user.email == home.email("admin")


async def refusal_of(world: World, email: str, password: str = "wrong password", tenant: str | None = None) -> Error:
    with pytest.raises(Error) as refusal:
        await world.sign_in(email, password, tenant)
    return refusal.value


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(world: World, home: Home) -> None:
    without_password = CreateUserRequest(email=home.email("nopass"), name="No Password")
    await home.admin.create_user(without_password)
    refusals = [
        await refusal_of(world, home.email("admin")),
        await refusal_of(world, home.email("nobody"), PASSWORD),
        await refusal_of(world, home.email("nopass"), PASSWORD),
        await refusal_of(world, home.email("admin"), PASSWORD, tenant="no-such-tenant"),
    ]
    assert {(type(refusal), refusal.reason, refusal.message) for refusal in refusals} == {
        (Unauthenticated, "SIGN_IN_REFUSED", "E-mail address or password is not right.")
    }


@pytest.mark.parametrize("name", ["admin", "nobody-knows"])
async def test_five_wrong_passwords_lock_an_address_known_or_not(world: World, home: Home, name: str) -> None:
    for _ in range(5):
        assert (await refusal_of(world, home.email(name))).reason == "SIGN_IN_REFUSED"
    locked = await refusal_of(world, home.email(name), PASSWORD)
    assert (type(locked), locked.reason) == (ResourceExhausted, "SIGN_IN_LOCKED")
    assert locked.retry_after is not None
    assert 0 < locked.retry_after <= 30


async def test_a_lock_doubles_with_each_failure_and_ends_with_the_right_password(world: World, home: Home) -> None:
    email = home.email("admin")
    email_hash = world.operations.pepper.digest(email)
    for _ in range(5):
        await refusal_of(world, email)
    await world.rows("update sign_in_failures set locked_until = now() where email_hash = $1", email_hash)
    assert (await refusal_of(world, email)).reason == "SIGN_IN_REFUSED"
    locked = await refusal_of(world, email, PASSWORD)
    assert locked.retry_after is not None
    assert 30 < locked.retry_after <= 60
    await world.rows("update sign_in_failures set locked_until = now() where email_hash = $1", email_hash)
    await world.sign_in(email)
    assert await world.rows("select from sign_in_failures where email_hash = $1", email_hash) == []


async def test_many_guesses_at_once_learn_no_more_than_five(world: World, home: Home) -> None:
    async def guess(password: str) -> str:
        return (await refusal_of(world, home.email("admin"), password)).reason

    reasons = await asyncio.gather(*(guess(f"guess number {i}") for i in range(12)))
    assert reasons.count("SIGN_IN_REFUSED") == 5
    assert reasons.count("SIGN_IN_LOCKED") == 7


async def test_old_failures_are_forgotten(world: World, home: Home) -> None:
    old = world.operations.pepper.digest(home.email("old"))
    await refusal_of(world, home.email("old"))
    await world.rows("update sign_in_failures set last_failed_at = now() - interval '25 h' where email_hash = $1", old)
    await refusal_of(world, home.email("new"))
    assert await world.rows("select from sign_in_failures where email_hash = $1", old) == []


async def test_an_address_in_several_tenants_needs_the_tenant(world: World, home: Home) -> None:
    other = await world.tenant()
    for tenant, password in ((home, PASSWORD), (other, "another password entirely")):
        request = CreateUserRequest(email=home.email("both"), name="Both", password=password)
        await tenant.admin.create_user(request)
    ambiguous = await refusal_of(world, home.email("both"), "another password entirely")
    assert (ambiguous.reason, [error.path for error in ambiguous.errors]) == ("TENANT_REQUIRED", ["tenant"])
    session = await world.sign_in(home.email("both"), "another password entirely", other.tenant.slug)
    assert session.user.tenant_id == other.id
    assert (await refusal_of(world, home.email("both"))).reason == "SIGN_IN_REFUSED"
    assert (await refusal_of(world, home.email("both"), PASSWORD, other.tenant.slug)).reason == "SIGN_IN_REFUSED"


@pytest.mark.parametrize(
    ("email", "password", "paths"), [("", "", ["email", "password"]), ("a", "x" * 257, ["password"])]
)
async def test_a_sign_in_that_cannot_be_right_is_told_what_is_wrong(
    world: World, email: str, password: str, paths: list[str]
) -> None:
    refusal = await refusal_of(world, email, password)
    assert (refusal.reason, [error.path for error in refusal.errors]) == ("REQUEST_INVALID", paths)


async def test_many_sessions_are_checked_in_one_call(world: World, home: Home) -> None:
    ann, ben = await home.person("ann"), await home.person("ben")
    await home.admin.create_group(CreateGroupRequest(group_id="support-l1", members=[ann]))
    ended = (await world.sign_in(home.email("ann"))).token
    tokens = [(await world.sign_in(home.email(name))).token for name in ("ann", "ben")]
    await world.nobody.sign_out(SignOutRequest(token=ended))
    states = await checked(world, [tokens[0], ended, "ors_unknown", tokens[1], tokens[0]])
    assert [state.is_good for state in states] == [True, False, False, True, True]
    assert states[0] == states[4]
    assert (states[0].subject, states[0].tenant_id, states[0].groups) == (ann, home.id, ["support-l1"])
    assert (states[3].subject, states[3].roles, states[3].groups) == (ben, [Role.MEMBER], [])
    assert states[1].subject is None
    await home.admin.disable_user(DisableUserRequest(user_id=ben))
    assert [state.is_good for state in await checked(world, tokens)] == [True, False]
    await world.as_role(Role.OPERATOR).suspend_tenant(SuspendTenantRequest(tenant_id=home.id))
    assert [state.is_good for state in await checked(world, tokens)] == [False, False]
    with pytest.raises(InvalidArgument):
        await checked(world, ["ors_x"] * 501)


async def checked(world: World, tokens: list[str]) -> list[SessionState]:
    return (await world.nobody.check_sessions(CheckSessionsRequest(tokens=tokens))).sessions
