"""Where an issuer can send identity-service: to its own hosts and public ones, never into the network behind it."""

import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from orkestra.chassis.http import HttpServer
from orkestra.identity_service.operations import Provider, issuers
from orkestra.identity_service.operations.providers import Issuer
from orkestra.wire import Unauthenticated, Unavailable
from outside_issuers import OutsideIssuer, outside_issuer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

AUDIENCE = "https://api.acme.example"
PUBLIC, HERE = "93.184.216.34", "127.0.0.1"


@dataclass
class Inside:
    """A server of the network behind identity-service that nobody outside may reach through it."""

    port: int = 0
    keys: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        self.asked.append(request.url.path)
        return JSONResponse(self.keys)


@dataclass
class Outside:
    """An issuer at a name that a test gives addresses to; its metadata are what the test says."""

    issuer: OutsideIssuer
    inside: Inside
    port: int = 0
    named: dict[str, Any] = field(default_factory=dict)
    jwks: Callable[[], Response] | None = None
    names: dict[str, list[str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://issuer.test:{self.port}"

    async def answer(self, request: Request) -> Response:
        if request.url.path == "/.well-known/openid-configuration":
            own = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", "token_endpoint": f"{self.url}/token"}
            return JSONResponse(own | self.named)
        return self.jwks() if self.jwks else JSONResponse(self.issuer.jwks())

    async def look_up(self, host: str, _port: int) -> list[str]:
        """Return the next answer of a name; what is no name of the test is an address."""
        answers = self.names.get(host)
        return [host.strip("[]")] if answers is None else [answers.pop(0) if len(answers) > 1 else answers[0]]

    async def believes(self, **configured: Any) -> bool:
        """Whether a good token is believed, for which the issuer's keys have to be read."""
        provider = Provider(provider_id="corp", name="Corp", issuer=self.url, audience=AUDIENCE, **configured)
        known, http = issuers([provider], look_up=self.look_up)
        async with http:
            token = self.issuer.token(iss=self.url, aud=AUDIENCE, sub="ann")
            try:
                return bool((await known["corp"].claims(token, audience=AUDIENCE))["sub"] == "ann")
            except (Unavailable, Unauthenticated):
                return False


@asynccontextmanager
async def serving(answer: Callable[[Request], Any]) -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "POST"])])
    server = HttpServer(app, host=HERE, port=0, drain_seconds=1)
    await server.start()
    yield server.port
    await server.stop()


@pytest.fixture
async def outside() -> AsyncIterator[Outside]:
    async with outside_issuer() as issuer:
        world = Outside(issuer, Inside(keys=issuer.jwks()))
        world.names = {"issuer.test": [HERE], "inside.test": [HERE], "rebound.test": [PUBLIC, HERE]}
        async with serving(world.answer) as world.port, serving(world.inside.answer) as world.inside.port:
            yield world


async def test_the_host_that_is_configured_may_be_anywhere(outside: Outside) -> None:
    assert await outside.believes()


@pytest.mark.parametrize("host", ["inside.test", HERE, "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"])
async def test_keys_are_not_asked_for_inside_the_network(outside: Outside, host: str) -> None:
    outside.named["jwks_uri"] = f"http://{host}:{outside.inside.port}/keys"
    assert not await outside.believes()
    assert outside.inside.asked == []


async def test_a_name_that_leads_inside_when_it_is_connected_to_is_not_asked(outside: Outside) -> None:
    """What a name said a moment ago counts for nothing: the address that is checked is the one that is connected to."""
    outside.named["jwks_uri"] = f"http://rebound.test:{outside.inside.port}/keys"
    assert await outside.look_up("rebound.test", 443) == [PUBLIC]
    assert not await outside.believes()
    assert outside.inside.asked == []


async def test_a_redirect_into_the_network_is_not_followed(outside: Outside) -> None:
    outside.jwks = lambda: RedirectResponse(f"http://{HERE}:{outside.inside.port}/keys")
    assert not await outside.believes()
    assert outside.inside.asked == []


async def test_an_internal_host_that_the_configuration_names_is_asked(outside: Outside) -> None:
    outside.named["jwks_uri"] = f"http://inside.test:{outside.inside.port}/keys"
    assert await outside.believes(internal_hosts=("Inside.test",))
    assert outside.inside.asked == ["/keys"]


@pytest.mark.parametrize(
    "named",
    [{"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": 7}, {"authorization_endpoint": "javascript:alert(1)"}],
    ids=str,
)
async def test_an_address_of_another_kind_is_refused(outside: Outside, named: dict[str, Any]) -> None:
    outside.named |= named
    assert not await outside.believes()


def telling(metadata: dict[str, Any]) -> Callable[[httpx.Request], httpx.Response]:
    said = json.dumps(metadata).encode()
    return lambda _: httpx.Response(200, stream=httpx.ByteStream(said))


@pytest.mark.parametrize("endpoint", ["jwks_uri", "authorization_endpoint", "token_endpoint", "userinfo_endpoint"])
async def test_an_issuer_with_https_sends_nobody_to_http(endpoint: str) -> None:
    url = "https://issuer.example"
    said = {"issuer": url, "jwks_uri": f"{url}/jwks", "token_endpoint": f"{url}/token"}
    provider = Provider(provider_id="corp", name="Corp", issuer=url)
    for address, is_taken in ((f"{url}/there", True), ("http://issuer.example/there", False)):
        metadata = said | {endpoint: address}
        async with httpx.AsyncClient(transport=httpx.MockTransport(telling(metadata))) as http:
            try:
                await Issuer(provider, http).metadata()
            except Unavailable:
                assert not is_taken
            else:
                assert is_taken


@pytest.mark.parametrize(
    "answer",
    [
        Response(gzip.compress(b" " * 50_000_000), headers={"content-encoding": "gzip"}),
        Response(b"[" * 100_000),
        Response(b'{"keys": NaN}'),
        Response(b" " * 2_000_000 + b"{}"),
        JSONResponse({"keys": [7, None, {"kid": []}]}),
        JSONResponse({"keys": 7}),
    ],
    ids=["packed", "deep", "no JSON", "long", "no keys", "no list"],
)
async def test_keys_that_are_a_burden_or_none_let_nobody_in(outside: Outside, answer: Response) -> None:
    outside.jwks = lambda: answer
    assert not await outside.believes()
