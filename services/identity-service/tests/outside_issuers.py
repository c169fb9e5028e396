"""Outside issuers for tests: Canaille as a process of its own, and one in process that can be made to lie."""

import asyncio
import base64
import hashlib
import html
import re
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from orkestra.chassis.http import HttpServer
from orkestra.cli.ports import free_port
from orkestra.testkit.waiting import eventually
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

BACK = "http://127.0.0.1:9999/sign-in/callback"
CLIENT = "orkestra"
CANAILLE = Path(sys.prefix) / "clients" / "canaille"
ANNS_PASSWORD = "ann's own password"

Claims = dict[str, Any]


def unchanged(claims: Claims) -> Claims:
    return claims


@dataclass
class OutsideIssuer:
    """An issuer that tells of one person, as a test wants it."""

    url: str = ""
    person: Claims = field(default_factory=dict)
    userinfo: Claims = field(default_factory=dict)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    lie: Callable[[Claims], Claims] = unchanged
    sign: Callable[[Claims], str] | None = None
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    """What each code was asked with."""
    is_away: bool = False
    secrets: set[str] = field(default_factory=set)
    """Where there are some, a client has to say one of them (RFC 6749, 2.3.1)."""

    def agree(self, authorization_url: str) -> dict[str, str]:
        """What the browser brings back from a person who signed in."""
        asked = dict(parse_qsl(urlsplit(authorization_url).query))
        code = secrets.token_urlsafe(16)
        self.asked[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, **claims: Any) -> str:
        now = int(time.time())
        said = {"iss": self.url, "iat": now, "exp": now + 300, **claims}
        return self.signed({name: value for name, value in said.items() if value is not None})

    def signed(self, claims: Claims) -> str:
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"kid": "k1"})

    def jwks(self) -> Claims:
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "k1", "use": "sig"}, {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"}]}

    async def answer(self, request: Request) -> JSONResponse:
        if self.is_away:
            return JSONResponse({}, 503)
        match request.url.path:
            case "/.well-known/openid-configuration":
                endpoints = {
                    f"{name}_endpoint": f"{self.url}/{name}" for name in ("authorization", "token", "userinfo")
                }
                return JSONResponse({"issuer": self.url, "jwks_uri": f"{self.url}/jwks", **endpoints})
            case "/jwks":
                return JSONResponse(self.jwks())
            case "/userinfo":
                return JSONResponse(self.userinfo)
            case "/token":
                return await self._redeem(request)
        return JSONResponse({}, 404)

    async def _redeem(self, request: Request) -> JSONResponse:
        given = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        known = {f"Basic {base64.b64encode(f'{CLIENT}:{one}'.encode()).decode()}" for one in self.secrets}
        if known and request.headers.get("authorization") not in known:
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self.asked.pop(given["code"], None)
        digest = hashlib.sha256(given["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != given["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        now = int(time.time())
        said = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.person}
        id_token = (self.sign or self.signed)(self.lie(said))
        return JSONResponse({"access_token": "opaque", "token_type": "Bearer", "id_token": id_token})


@asynccontextmanager
async def outside_issuer() -> AsyncIterator[OutsideIssuer]:
    """An issuer on a port of its own."""
    issuer = OutsideIssuer()
    app = Starlette(routes=[Route("/{path:path}", issuer.answer, methods=["GET", "POST"])])
    server = HttpServer(app, host="127.0.0.1", port=0, drain_seconds=1)
    await server.start()
    issuer.url = f"http://127.0.0.1:{server.port}"
    try:
        yield issuer
    finally:
        await server.stop()


@asynccontextmanager
async def canaille(log: Path, back: str) -> AsyncIterator[str]:
    """Canaille's address; its client's people are sent back to `back`."""
    if not (CANAILLE / "complete").exists():
        pytest.skip("Canaille is not installed: make clients")
    port = free_port()
    program = Path(__file__).with_name("canaille_provider.py")
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            CANAILLE / "bin" / "python", program, str(port), back, stdout=out, stderr=out, cwd=log.parent
        )
    try:
        async with httpx.AsyncClient(timeout=20) as http:

            async def answers() -> bool:
                assert process.returncode is None, f"Canaille has ended; see {log}"
                try:
                    found = await http.get(f"http://127.0.0.1:{port}/.well-known/openid-configuration")
                except httpx.TransportError:
                    return False
                return found.status_code == 200

            await eventually(answers, timeout=60)
        yield f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def sign_in_at_canaille(authorization_url: str, back: str) -> dict[str, str]:
    """What Ann's browser brings back after she has typed her name and her password there."""
    typed = {"login": "ann", "password": ANNS_PASSWORD}
    async with httpx.AsyncClient(timeout=20) as http:
        answer = await http.get(authorization_url)
        for _ in range(8):
            if answer.is_redirect:
                place = str(answer.request.url.join(answer.headers["location"]))
                if place.startswith(back):
                    return dict(parse_qsl(urlsplit(place).query))
                answer = await http.get(place)
                continue
            hidden = re.findall(r'<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"', answer.text)
            form = {name: html.unescape(value) for name, value in hidden}
            form |= {name: value for name, value in typed.items() if f'name="{name}"' in answer.text}
            answer = await http.post(str(answer.request.url), data=form)
    raise AssertionError(f"Canaille did not send Ann back: {answer.status_code} {answer.text[:500]}")
