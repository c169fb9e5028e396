"""Tokens: good ones say who calls, all others are refused."""

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from orkestra.chassis.tokens import Signer, Verifier
from orkestra.wire import Principal, Unauthenticated, Unavailable

SEED = base64.b64encode(bytes(range(32))).decode()
OTHER_SEED = base64.b64encode(bytes(range(1, 33))).decode()
ANNA = Principal(
    subject="user_1",
    kind="user",
    tenant_id="6b0e7a52-6a3b-4b55-9c0c-6f3f5c8c1a11",
    roles=frozenset({"member"}),
    groups=frozenset({"support-l1"}),
    on_behalf_of=frozenset({"*"}),
    name="Anna",
)


class Keys:
    """A source of keys that counts how often it is asked."""

    def __init__(self, *signers: Signer) -> None:
        self.signers = list(signers)
        self.asked = 0
        self.away = False

    async def __call__(self) -> dict[str, Any]:
        self.asked += 1
        if self.away:
            raise Unavailable("SERVICE_UNAVAILABLE", "away")
        return {"keys": [key for signer in self.signers for key in signer.jwks()["keys"]]}


def signed(claims: dict[str, Any], signer: Signer, *, kid: str | None = None) -> str:
    """A token with exactly these claims, by the key of `signer`."""
    return jwt.encode(claims, signer._key, algorithm="EdDSA", headers={"kid": kid or signer.kid})


def good_claims(signer: Signer) -> dict[str, Any]:
    token, _ = signer.sign(ANNA)
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


async def refused(verifier: Verifier, token: str) -> str:
    with pytest.raises(Unauthenticated) as refusal:
        await verifier.verify(token)
    return refusal.value.reason


async def test_a_token_says_who_calls() -> None:
    signer = Signer(SEED)
    token, _ = signer.sign(ANNA)
    assert await signer.verifier().authenticate({"authorization": f"Bearer {token}"}, "rpc") == ANNA


async def test_a_call_without_a_token_is_nobodys() -> None:
    assert await Signer(SEED).verifier().authenticate({}, "rpc") is None


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer ", "Bearer not.a.token", "Bearer x"])
async def test_what_is_no_token_is_refused(header: str) -> None:
    with pytest.raises(Unauthenticated) as refusal:
        await Signer(SEED).verifier().authenticate({"authorization": header}, "rpc")
    assert refusal.value.reason == "TOKEN_INVALID"


async def test_an_expired_token_is_refused_also_when_it_was_seen_before() -> None:
    signer = Signer(SEED)
    verifier = signer.verifier()
    token, _ = signer.sign(ANNA, lifetime=timedelta(seconds=-3))
    assert await refused(verifier, token) == "TOKEN_EXPIRED"
    verifier._seen[token] = (ANNA, 0.0)
    assert await refused(verifier, token) == "TOKEN_EXPIRED"


@pytest.mark.parametrize(
    "change", [{"aud": "another"}, {"iss": "another"}, {"aud": None}, {"exp": None}, {"kind": "god"}]
)
async def test_a_token_for_someone_else_or_without_an_end_is_refused(change: dict[str, Any]) -> None:
    signer = Signer(SEED)
    claims = {name: value for name, value in (good_claims(signer) | change).items() if value is not None}
    assert await refused(signer.verifier(), signed(claims, signer)) == "TOKEN_INVALID"


async def test_a_token_without_a_signature_is_refused() -> None:
    signer = Signer(SEED)

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    for algorithm in ("none", "None", "EdDSA"):
        header = part({"alg": algorithm, "kid": signer.kid, "typ": "JWT"})
        assert await refused(signer.verifier(), f"{header}.{part(good_claims(signer))}.") == "TOKEN_INVALID"


async def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused() -> None:
    signer = Signer(SEED)
    public = base64.urlsafe_b64decode(signer.jwks()["keys"][0]["x"] + "=")
    token = jwt.encode(good_claims(signer), public, algorithm="HS256", headers={"kid": signer.kid})
    assert await refused(signer.verifier(), token) == "TOKEN_INVALID"


async def test_a_token_of_another_key_under_a_known_key_id_is_refused() -> None:
    signer, other = Signer(SEED), Signer(OTHER_SEED)
    assert await refused(signer.verifier(), signed(good_claims(signer), other, kid=signer.kid)) == "TOKEN_INVALID"


async def test_unknown_key_ids_fetch_the_keys_once_and_not_again_at_once() -> None:
    signer, keys = Signer(SEED), Keys(Signer(SEED))
    verifier = Verifier(keys)
    for number in range(20):
        assert await refused(verifier, signed(good_claims(signer), signer, kid=f"made-up-{number}")) == "TOKEN_INVALID"
    assert keys.asked == 1


async def test_a_new_signing_key_is_found() -> None:
    old, new = Signer(SEED), Signer(OTHER_SEED)
    keys = Keys(old)
    verifier = Verifier(keys)
    await verifier.verify(old.sign(ANNA)[0])
    keys.signers = [old, new]
    verifier._fetched_at = float("-inf")
    assert await verifier.verify(new.sign(ANNA)[0]) == ANNA


async def test_while_identity_is_away_known_keys_serve_and_unknown_ones_are_unavailable() -> None:
    signer, other = Signer(SEED), Signer(OTHER_SEED)
    keys = Keys(signer)
    verifier = Verifier(keys)
    await verifier.verify(signer.sign(ANNA)[0])
    keys.away = True
    verifier._fetched_at = float("-inf")
    assert await verifier.verify(signer.sign(ANNA, lifetime=timedelta(seconds=20))[0]) == ANNA
    with pytest.raises(Unavailable) as refusal:
        await verifier.verify(other.sign(ANNA)[0])
    assert refusal.value.reason == "IDENTITY_UNAVAILABLE"


@pytest.mark.parametrize("seed", ["", "not base64", base64.b64encode(b"short").decode()])
def test_a_signing_key_that_is_not_32_bytes_is_refused(seed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - base64's own words differ
        Signer(seed)
