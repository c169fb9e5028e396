"""API keys: made once, listed without secrets, revoked for good."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from identity_world import Home, World, home, world
from orkestra.v1.identity import (
    ApiKey,
    CreateApiKeyRequest,
    CreateUserRequest,
    ListApiKeysRequest,
    PrincipalKind,
    RevokeApiKeyRequest,
    Role,
)
from orkestra.wire import InvalidArgument, NotFound

__all__ = ["home", "world"]


async def test_a_key_has_what_was_asked_and_defaults_by_kind(home: Home) -> None:
    ann = await home.person("ann")
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    request = CreateApiKeyRequest(
        name="Shop",
        kind=PrincipalKind.SERVICE,
        on_behalf_of=[home.email("ANN"), ann],
        allowed_ips=["10.0.0.0/8", "192.0.2.7"],
        expires_at=until,
    )
    created = await home.admin.create_api_key(request)
    assert created.api_key == ApiKey(
        key_id=created.api_key.key_id,
        tenant_id=home.id,
        prefix=created.secret[:12],
        name="Shop",
        kind=PrincipalKind.SERVICE,
        roles=[Role.SYSTEM],
        on_behalf_of=[ann],
        allowed_ips=["10.0.0.0/8", "192.0.2.7"],
        created_at=created.api_key.created_at,
        expires_at=until,
        version=1,
    )


async def test_a_key_may_be_granted_everybody(home: Home) -> None:
    request = CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT, on_behalf_of=["*", home.email("admin")])
    assert (await home.admin.create_api_key(request)).api_key.on_behalf_of == ["*"]


BAD_KEYS: list[tuple[dict[str, Any], list[tuple[str, str]]]] = [
    ({"name": ""}, [("name", "required")]),
    ({"kind": "user"}, [("kind", "not_allowed")]),
    *(({"roles": [role]}, [("roles[0]", "not_allowed")]) for role in Role if role is not Role.AGENT),
    *(
        ({"kind": "service", "roles": [role]}, [("roles[0]", "not_allowed")])
        for role in (Role.OPERATOR, Role.WORKER, Role.AGENT, Role.MEMBER)
    ),
    ({"allowed_ips": ["10.0.0.1/8"]}, [("allowed_ips[0]", "malformed")]),
    (
        {"allowed_ips": ["::/0", "nonsense", "10.0.0.0/33"]},
        [("allowed_ips[1]", "malformed"), ("allowed_ips[2]", "malformed")],
    ),
    ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, [("expires_at", "past")]),
    (
        {"on_behalf_of": ["user_none", "*", "no@body.example"]},
        [("on_behalf_of[0]", "unknown"), ("on_behalf_of[2]", "unknown")],
    ),
    ({"on_behalf_of": ["*", "*"]}, [("on_behalf_of[1]", "duplicate")]),
    ({"on_behalf_of": [f"user_{i}" for i in range(51)]}, [("on_behalf_of", "length")]),
    (
        {
            "name": "",
            "kind": "user",
            "allowed_ips": ["x"],
            "expires_at": datetime(2020, 1, 1, tzinfo=UTC),
            "on_behalf_of": ["y"],
        },
        [
            ("name", "required"),
            ("kind", "not_allowed"),
            ("allowed_ips[0]", "malformed"),
            ("expires_at", "past"),
            ("on_behalf_of[0]", "unknown"),
        ],
    ),
]


@pytest.mark.parametrize(("values", "expected"), BAD_KEYS)
async def test_a_bad_key_is_refused_with_every_error_and_nothing_stored(
    world: World, home: Home, values: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    before = await world.counts()
    request = CreateApiKeyRequest.model_validate({"name": "Bot", "kind": "agent"} | values)
    with pytest.raises(InvalidArgument) as refusal:
        await home.admin.create_api_key(request, request_id="bad")
    assert refusal.value.reason == "REQUEST_INVALID"
    assert [(error.path, error.code) for error in refusal.value.errors] == expected
    assert await world.counts() == before


async def test_a_repeated_request_answers_the_key_without_its_secret(world: World, home: Home) -> None:
    request = CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT)
    first = await home.admin.create_api_key(request, request_id="one")
    again = await home.admin.create_api_key(request, request_id="one")
    assert home.admin.replayed
    assert (again.api_key, again.secret) == (first.api_key, "")
    kept = await world.rows("select answer from request_keys where tenant_id = $1", home.id)
    assert [first.secret.encode() in row["answer"] for row in kept] == [False]
    assert len(await world.rows("select from api_keys where tenant_id = $1", home.id)) == 1
    with pytest.raises(InvalidArgument) as refusal:
        await home.admin.create_api_key(request.model_copy(update={"name": "Other"}), request_id="one")
    assert refusal.value.reason == "REQUEST_ID_REUSED"


async def test_what_is_kept_of_a_request_does_not_let_its_password_be_guessed(world: World, home: Home) -> None:
    request = CreateUserRequest(email=home.email("ann"), name="Ann", password="twelve letters")
    await home.admin.create_user(request, request_id="ann")
    [row] = await world.rows("select request_hash from request_keys where tenant_id = $1", home.id)
    assert row["request_hash"] != sha256(request.model_dump_json().encode()).digest()


async def test_keys_are_listed_newest_first_page_by_page_without_secrets(home: Home) -> None:
    made = [
        (await home.admin.create_api_key(CreateApiKeyRequest(name=f"Bot {i}", kind=PrincipalKind.AGENT))).api_key
        for i in range(5)
    ]
    auditor = home.as_role("auditor")
    listed: list[ApiKey] = []
    token = None
    for _ in range(3):
        answer = await auditor.list_api_keys(ListApiKeysRequest(page_size=2, page_token=token))
        listed += answer.api_keys
        token = answer.next_page_token
    assert token is None
    assert listed == made[::-1]


async def test_a_key_is_revoked_once(world: World, home: Home) -> None:
    created = await home.admin.create_api_key(CreateApiKeyRequest(name="Bot", kind=PrincipalKind.AGENT))
    request = RevokeApiKeyRequest(key_id=created.api_key.key_id)
    revoked = await home.admin.revoke_api_key(request)
    assert (revoked.version, revoked.revoked_at is not None) == (2, True)
    assert await home.admin.revoke_api_key(request) == revoked
    assert (await world.events(home.id)).count("key_revoked") == 1


async def test_a_key_that_does_not_exist_cannot_be_revoked(home: Home) -> None:
    with pytest.raises(NotFound) as refusal:
        await home.admin.revoke_api_key(RevokeApiKeyRequest(key_id="key_none"))
    assert refusal.value.reason == "API_KEY_NOT_FOUND"
