"""Credentials exchanged with identity-service: cached briefly, refused rightly, Unavailable when it is away."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from orkestra.chassis.credentials import CredentialCache, TokenSource, _until_renewal
from orkestra.chassis.grpc import channel, server
from orkestra.chassis.tokens import Signer, Verifier
from orkestra.testkit import eventually
from orkestra.v1.identity import AccessToken, ExchangeCredentialRequest, PrincipalKind, SigningKeys
from orkestra.wire import Principal, Unauthenticated, Unavailable
from orkestra.wire.status import to_trailers

TENANT = "6b0e7a52-6a3b-4b55-9c0c-6f3f5c8c1a11"


class Identity:
    """An identity-service of two rpcs that counts what it is asked."""

    def __init__(self) -> None:
        self.signer = Signer(base64.b64encode(bytes(range(32))).decode())
        self.exchanged: list[tuple[str, str | None]] = []
        self.lifetime = timedelta(seconds=30)
        self.revoked: set[str] = set()
        self._server = server()
        rpcs = {"ExchangeCredential": self._exchange, "GetSigningKeys": self._keys}
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(rpc, bytes, lambda message: message.SerializeToString())
            for name, rpc in rpcs.items()
        }
        self._server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler("orkestra.v1.IdentityService", handlers),)
        )
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    async def start(self) -> None:
        await self._server.start()

    async def stop(self) -> None:
        await self._server.stop(0)

    async def _exchange(self, body: bytes, call: "grpc.aio.ServicerContext[bytes, object]") -> object:
        request = ExchangeCredentialRequest.from_pb(ExchangeCredentialRequest.pb.FromString(body))
        self.exchanged.append((request.credential, request.tenant_id))
        await asyncio.sleep(0.02)
        if request.credential in self.revoked:
            refusal = Unauthenticated("CREDENTIAL_REVOKED", "The key was revoked.")
            await call.abort(refusal.code, refusal.message, to_trailers(refusal))
        principal = Principal(subject="service", kind="service", tenant_id=request.tenant_id)
        token, _ = self.signer.sign(principal)
        return AccessToken(
            token=token,
            expires_at=datetime.now(UTC) + self.lifetime,
            subject=principal.subject,
            kind=PrincipalKind.SERVICE,
            tenant_id=request.tenant_id,
        ).to_pb()

    async def _keys(self, _body: bytes, _call: object) -> object:
        return SigningKeys(jwks=self.signer.jwks()).to_pb()


@pytest.fixture
async def identity() -> AsyncIterator[Identity]:
    running = Identity()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def to_identity(identity: Identity) -> AsyncIterator[grpc.aio.Channel]:
    opened = channel(f"127.0.0.1:{identity.port}")
    yield opened
    await opened.close(None)


async def test_a_token_is_fetched_once_for_each_tenant_and_is_good(
    identity: Identity, to_identity: grpc.aio.Channel
) -> None:
    source, verifier = TokenSource(to_identity, "key"), Verifier.of_identity(to_identity)
    tokens = await asyncio.gather(*(source(TENANT) for _ in range(20)))
    assert len(set(tokens)) == 1
    assert await source.of(TENANT)() == tokens[0]
    assert (await verifier.verify(tokens[0])).tenant_id == TENANT
    assert (await verifier.verify(await source())).tenant_id is None
    assert identity.exchanged == [("key", TENANT), ("key", None)]


async def test_a_token_that_is_about_to_end_is_replaced(identity: Identity, to_identity: grpc.aio.Channel) -> None:
    identity.lifetime = timedelta(seconds=5)
    source = TokenSource(to_identity, "key")
    for _ in range(2):
        await source(TENANT)
    assert len(identity.exchanged) == 2


async def test_a_token_that_a_service_did_not_take_is_replaced_but_no_more_than_one_a_second(
    identity: Identity, to_identity: grpc.aio.Channel
) -> None:
    source = TokenSource(to_identity, "key").of(TENANT)
    first = await source()
    for token in (first, "another"):
        source.drop(token)
        assert await source() == first
    assert len(identity.exchanged) == 1

    async def is_replaced() -> bool:
        source.drop(first)
        await source()
        return len(identity.exchanged) == 2

    await eventually(is_replaced)


async def test_a_door_asks_again_after_a_second_so_that_a_revoked_key_ends(
    identity: Identity, to_identity: grpc.aio.Channel
) -> None:
    credentials = CredentialCache(to_identity)
    for _ in range(5):
        await credentials.exchange("ork_key", ip="10.0.0.1")
    assert len(identity.exchanged) == 1
    identity.revoked.add("ork_key")
    await eventually(lambda: _is_refused(credentials, "ork_key"), timeout=2)


async def test_a_door_asks_for_each_address_by_itself(identity: Identity, to_identity: grpc.aio.Channel) -> None:
    credentials = CredentialCache(to_identity)
    for ip in ("10.0.0.1", "10.0.0.2", None):
        await credentials.exchange("ork_key", ip=ip)
    assert len(identity.exchanged) == 3


async def test_while_identity_is_away_a_door_says_so_instead_of_yes(
    identity: Identity, to_identity: grpc.aio.Channel
) -> None:
    credentials = CredentialCache(to_identity)
    await credentials.exchange("ork_key")
    await identity.stop()
    await eventually(lambda: _is_unavailable(credentials, "ork_key"), timeout=6)


async def test_of_many_askers_one_may_go_and_the_others_are_answered(
    identity: Identity, to_identity: grpc.aio.Channel
) -> None:
    credentials = CredentialCache(to_identity)
    asking = [asyncio.create_task(credentials.exchange("ork_key")) for _ in range(5)]
    await asyncio.sleep(0)
    asking[0].cancel()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert all(isinstance(answer, AccessToken) for answer in answers[1:])
    assert len(identity.exchanged) == 1


async def _is_refused(credentials: CredentialCache, credential: str) -> bool:
    try:
        await credentials.exchange(credential, ip="10.0.0.1")
    except Unauthenticated:
        return True
    return False


async def _is_unavailable(credentials: CredentialCache, credential: str) -> bool:
    try:
        await credentials.exchange(credential)
    except Unavailable as refused:
        return refused.reason == "IDENTITY_UNAVAILABLE"
    return False


def test_a_token_is_not_kept_beyond_its_life_where_this_machines_clock_is_slow() -> None:
    made_elsewhere = AccessToken(
        token="t",
        expires_at=datetime.now(UTC) + timedelta(hours=3, seconds=30),
        subject="service",
        kind=PrincipalKind.SERVICE,
    )
    assert 0 < _until_renewal(made_elsewhere) <= 22
