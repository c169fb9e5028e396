"""identity-service as a process: settings, readiness, events on NATS, a clean end."""

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import nats
import pytest
from identity_world import PASSWORD, SERVICE_KEY, WORKER_KEY
from orkestra.chassis.credentials import CredentialCache, TokenSource
from orkestra.chassis.events import Event, read_event
from orkestra.chassis.grpc import channel
from orkestra.chassis.settings import SettingsError, load, redacted
from orkestra.identity_service.settings import IdentityServiceSettings
from orkestra.testkit import eventually, free_port
from orkestra.testkit.databases import Schema, migrated
from orkestra.v1.events import ApiKeyEvent, GroupEvent, MembershipEvent, TenantEvent, UserEvent
from orkestra.v1.identity import (
    AddMemberRequest,
    CreateApiKeyRequest,
    CreateGroupRequest,
    CreateTenantRequest,
    CreateUserRequest,
    IdentityServiceClient,
    PrincipalKind,
    RemoveMemberRequest,
    RevokeApiKeyRequest,
    SignInRequest,
)
from orkestra.wire import AlreadyExists, InvalidArgument

CLIENT_SECRET = "a client's secret that nobody else knows"
PAYLOADS: dict[str, Any] = {
    "tenant_created": TenantEvent,
    "user_changed": UserEvent,
    "group_changed": GroupEvent,
    "membership_changed": MembershipEvent,
    "key_revoked": ApiKeyEvent,
}


def providers(**values: object) -> str:
    """One provider as the installation is told of it."""
    one = {"provider_id": "corp", "name": "Corp", "issuer": "https://idp.example", "client_id": "orkestra"}
    return json.dumps([{**one, "client_secret": CLIENT_SECRET, **values}])


def environment(**values: str) -> dict[str, str]:
    return {
        "ORKESTRA_DATABASE_URL": "postgresql://identity_app@127.0.0.1:1/none",
        "ORKESTRA_RELAY_DATABASE_URL": "postgresql://identity_relay@127.0.0.1:1/none",
        "ORKESTRA_SWEEP_DATABASE_URL": "postgresql://identity_sweep@127.0.0.1:1/none",
        "ORKESTRA_LOOKUP_DATABASE_URL": "postgresql://identity_lookup@127.0.0.1:1/none",
        "ORKESTRA_NATS_URL": "nats://127.0.0.1:1",
        "ORKESTRA_TOKEN_SIGNING_KEY": base64.b64encode(b"s" * 32).decode(),
        "ORKESTRA_KEY_PEPPER": "the pepper of this test installation",
        "ORKESTRA_SERVICE_KEY": SERVICE_KEY,
        "ORKESTRA_WORKER_KEY": WORKER_KEY,
        "ORKESTRA_GRPC_PORT": "0",
        "ORKESTRA_HEALTH_PORT": "0",
    } | values


@asynccontextmanager
async def identity_process(schema: Schema, nats_url: str, log: Path) -> AsyncIterator[tuple[str, int]]:
    """Run `python -m orkestra.identity_service` until the block ends; yields its address and process id."""
    grpc_port, health_port = free_port(), free_port()
    values = environment(
        ORKESTRA_DATABASE_URL=schema.app_url,
        ORKESTRA_RELAY_DATABASE_URL=schema.relay_url,
        ORKESTRA_SWEEP_DATABASE_URL=schema.sweep_url,
        ORKESTRA_LOOKUP_DATABASE_URL=schema.url("lookup"),
        ORKESTRA_NATS_URL=nats_url,
        ORKESTRA_GRPC_PORT=str(grpc_port),
        ORKESTRA_HEALTH_PORT=str(health_port),
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORKESTRA_")}
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "orkestra.identity_service", env=kept | values, stdout=out, stderr=out
        )
    try:
        async with httpx.AsyncClient() as http:

            async def is_ready() -> bool:
                try:
                    return (await http.get(f"http://127.0.0.1:{health_port}/readyz")).status_code == 200
                except httpx.TransportError:
                    return False

            await eventually(is_ready, timeout=30)
        yield f"127.0.0.1:{grpc_port}", process.pid
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(15):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def everything(nats_url: str, tenant_id: str, *, until: int) -> list[Event]:
    """The first so many events of a tenant, as a consumer gets them."""
    connection = await nats.connect(nats_url)
    try:
        subscription = await connection.jetstream().subscribe(f"orkestra.v1.{tenant_id}.>", ordered_consumer=True)
        messages = [await subscription.next_msg(timeout=10) for _ in range(until)]
        return [read_event(message.headers or {}, message.data) for message in messages]
    finally:
        await connection.close()


async def test_what_is_committed_is_told_and_what_is_refused_is_not(
    empty_database: str, nats_url: str, tmp_path: Path
) -> None:
    schema = await migrated(empty_database, "orkestra.identity_service", "identity", extra_roles=("lookup",))
    log = tmp_path / "log"
    async with identity_process(schema, nats_url, log) as (address, _), channel(address) as connection:
        operator = IdentityServiceClient(connection, TokenSource(connection, SERVICE_KEY).of(None))
        root = CreateUserRequest(email="root@t.example", name="Root", password=PASSWORD)
        tenant = await operator.create_tenant(CreateTenantRequest(slug="t", name="T", admin=root))
        session = await IdentityServiceClient(connection).sign_in(SignInRequest(email=root.email, password=PASSWORD))
        credentials = CredentialCache(connection)

        async def token() -> str:
            return (await credentials.exchange(session.token)).token

        admin = IdentityServiceClient(connection, token)
        await admin.create_group(CreateGroupRequest(group_id="g"))
        with pytest.raises(AlreadyExists):
            await admin.create_group(CreateGroupRequest(group_id="g"))
        with pytest.raises(InvalidArgument):
            await admin.create_user(CreateUserRequest(email="", name="", groups=["none"]))
        ann = await admin.create_user(CreateUserRequest(email="ann@t.example", name="Ann", groups=["g"]))
        for _ in range(2):
            await admin.add_member(AddMemberRequest(group_id="g", user_id=ann.user_id))
        left = await admin.remove_member(RemoveMemberRequest(group_id="g", user_id=ann.user_id))
        created = await admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
        revoked = await admin.revoke_api_key(RevokeApiKeyRequest(key_id=created.api_key.key_id))
        events = await everything(nats_url, tenant.tenant_id, until=7)
    names = [
        "tenant_created",
        "user_changed",
        "group_changed",
        "membership_changed",
        "user_changed",
        "membership_changed",
        "key_revoked",
    ]
    assert [(event.aggregate, event.event) for event in events] == [("identity", name) for name in names]
    payloads = [event.payload(PAYLOADS[event.event]) for event in events]
    assert payloads[0] == TenantEvent(tenant=tenant)
    assert payloads[1] == UserEvent(user=session.user)
    assert payloads[4] == UserEvent(user=ann)
    assert payloads[5] == MembershipEvent(group=left, user_id=ann.user_id, member=False)
    assert payloads[6] == ApiKeyEvent(api_key=revoked)
    keys = [tenant.tenant_id, session.user.user_id, "g", "g", ann.user_id, "g", revoked.key_id]
    assert [event.key for event in events] == keys
    assert [event.version for event in events] == [1, 1, 1, 2, 1, 3, 2]
    secrets = (PASSWORD, SERVICE_KEY, WORKER_KEY, created.secret, session.token)
    assert not any(secret in log.read_text("utf-8") for secret in secrets)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"ORKESTRA_KEY_PEPPER": "short"}, "ORKESTRA_KEY_PEPPER is not accepted"),
        ({"ORKESTRA_TOKEN_SIGNING_KEY": "AAAA"}, "ORKESTRA_TOKEN_SIGNING_KEY is not accepted"),
        ({"ORKESTRA_TOKEN_SIGNING_KEY": "not base64!"}, "ORKESTRA_TOKEN_SIGNING_KEY is not accepted"),
        ({"ORKESTRA_WORKER_KEY": SERVICE_KEY}, "need to differ"),
        ({"ORKESTRA_OIDC_PROVIDERS": "corp"}, "it needs to be a JSON list of providers"),
        ({"ORKESTRA_OIDC_PROVIDERS": '[{"provider_id": "corp"}]'}, "0.name: Field required"),
        ({"ORKESTRA_OIDC_PROVIDERS": providers(tennant="acme")}, "0.tennant: Extra inputs are not permitted"),
        ({"ORKESTRA_OIDC_PROVIDERS": providers(issuer="http://idp.example")}, "corp: the issuer needs to be an https"),
        ({"ORKESTRA_OIDC_PROVIDERS": providers(creates_people=True)}, "corp: creates_people needs the tenant"),
        ({"ORKESTRA_OIDC_PROVIDERS": providers(audience="orkestra")}, "corp: an audience is a resource"),
        ({"ORKESTRA_OIDC_PROVIDERS": json.dumps(json.loads(providers()) * 2)}, "stands there once"),
        ({"ORKESTRA_PASSWORD_SIGN_IN": "false"}, "ORKESTRA_PASSWORD_SIGN_IN=false needs a provider"),
        ({"ORKESTRA_PASSWORD_SIGN_IN": "false", "ORKESTRA_OIDC_PROVIDERS": providers(client_id=None)}, "a provider"),
        ({"ORKESTRA_WORKER_KEYS": "x"}, "did you mean ORKESTRA_WORKER_KEY?"),
    ],
)
def test_bad_settings_stop_the_start_with_a_sentence(values: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        load(IdentityServiceSettings, environment(**values))
    assert sentence in str(refusal.value)
    assert SERVICE_KEY not in str(refusal.value)
    assert CLIENT_SECRET not in str(refusal.value)


def test_providers_may_be_plain_http_where_only_developers_are() -> None:
    plain = environment(ORKESTRA_OIDC_PROVIDERS=providers(issuer="http://127.0.0.1:9"), ORKESTRA_DEVELOPMENT="true")
    [provider] = load(IdentityServiceSettings, plain).providers
    assert (provider.issuer, provider.scopes) == ("http://127.0.0.1:9", ("openid", "email", "profile"))


def test_a_client_secret_is_in_no_log_of_the_settings() -> None:
    settings = load(IdentityServiceSettings, environment(ORKESTRA_OIDC_PROVIDERS=providers()))
    assert CLIENT_SECRET not in str(redacted(settings))
    assert CLIENT_SECRET not in repr(settings.providers)
