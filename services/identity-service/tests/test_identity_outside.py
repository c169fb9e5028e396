"""The providers that people sign in at: `orkestra doctor` names one that is away or is not who it should be."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from cli_examined import NOWHERE, examined, room
from identity_world import SERVICE_KEY, WORKER_KEY
from orkestra.identity_service.__main__ import build
from orkestra.identity_service.settings import IdentityServiceSettings
from outside_issuers import CLIENT, OutsideIssuer, outside_issuer

KNOWN = {
    "LOOKUP_DATABASE_URL": f"postgresql://lookup@{NOWHERE}/none",
    "TOKEN_SIGNING_KEY": base64.b64encode(b"s" * 32).decode(),
    "KEY_PEPPER": "the pepper of this test installation",
    "SERVICE_KEY": SERVICE_KEY,
    "WORKER_KEY": WORKER_KEY,
    "DEVELOPMENT": "true",
}


@pytest.fixture
async def issuer() -> AsyncIterator[OutsideIssuer]:
    async with outside_issuer() as one:
        yield one


async def found(*issuers: str) -> tuple[int, dict[str, tuple[str, str, str]]]:
    """Exit code, and of each provider how it is, what of it, and the remedy."""
    providers = [
        {"provider_id": f"corp-{number}", "name": "Corp", "issuer": issuer, "client_id": CLIENT}
        for number, issuer in enumerate(issuers)
    ]
    told = KNOWN | {"OIDC_PROVIDERS": json.dumps(providers)}
    async with room(build, IdentityServiceSettings, told) as health:
        code, findings = await examined(health, "IDENTITY")
    return code, {name: (one["status"], one["detail"], one["remedy"] or "") for name, one in findings.items()}


async def test_a_provider_that_publishes_itself_is_well_and_one_that_is_away_is_named_beside_it(
    issuer: OutsideIssuer,
) -> None:
    code, said = await found(issuer.url, f"http://{NOWHERE}")
    assert (code, said["provider corp-0"]) == (1, ("ok", "does its work", ""))
    status, detail, remedy = said["provider corp-1"]
    assert (status, "Corp does not answer" in detail, "ORKESTRA_OIDC_PROVIDERS" in remedy) == ("broken", True, True)
    assert (await found(issuer.url))[0] == 0
    assert await found() == (0, {})


@dataclass
class Case:
    """What is done to an issuer, and what is said then."""

    break_it: Callable[[OutsideIssuer], object]
    detail: str
    at: str = ""


def ill(issuer: OutsideIssuer) -> None:
    issuer.is_away = True


def keyless(issuer: OutsideIssuer) -> None:
    issuer.jwks = lambda: {"keys": [{"kty": "oct", "kid": "shared"}]}  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "case",
    [
        Case(ill, "Corp does not answer"),
        Case(lambda _: None, "Corp does not publish itself under the issuer that is configured", at="/"),
        Case(keyless, "Corp publishes no keys"),
    ],
    ids=["ill", "another issuer", "no keys"],
)
async def test_a_provider_that_nobody_can_sign_in_at_is_named(issuer: OutsideIssuer, case: Case) -> None:
    case.break_it(issuer)
    code, said = await found(issuer.url + case.at)
    status, detail, remedy = said["provider corp-0"]
    assert (code, status, case.detail in detail) == (1, "broken", True), detail
    assert "letter by letter" in remedy
