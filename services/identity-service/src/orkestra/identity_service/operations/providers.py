"""Outside issuers: what is configured of them, what they publish, and whether a token is really theirs."""

import asyncio
import json
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import jwt
from orkestra.chassis.logs import get_logger
from orkestra.chassis.outbound import LookUp, public_addresses, system_look_up
from orkestra.identity_service.operations.reaching import GuardedTransport
from orkestra.wire import InvalidArgument, Unauthenticated, Unavailable, loads
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

logger = get_logger(__name__)

Claims = Mapping[str, Any]

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Never `none`, and nothing with a shared secret."""
ENDPOINTS: Final = ("jwks_uri", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP"})
LEEWAY: Final = 30
FETCH_SECONDS: Final = 5.0
METADATA_SECONDS: Final = 3600.0
KEYS_SECONDS: Final = 600.0
REFETCH_SECONDS: Final = 10.0
LARGEST: Final = 1024 * 1024


class Provider(BaseModel):
    """One issuer whose people sign in, or whose access tokens are accepted, here."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    provider_id: str = Field(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")
    name: str = Field(min_length=1, max_length=100)
    issuer: str = Field(min_length=1, max_length=500)
    client_id: str | None = None
    client_secret: SecretStr | None = None
    tenant: str | None = None
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    email_is_trusted: bool = False
    creates_people: bool = False
    groups_claim: str | None = None
    groups: Mapping[str, str] = {}
    audience: str | None = None
    agent_audience: str | None = None
    scope: str | None = "orkestra"
    internal_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Metadata:
    """What an issuer publishes of itself (OpenID Connect Discovery, RFC 8414)."""

    jwks_uri: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str | None
    token_endpoint_auth_methods: Sequence[str]
    names_itself: bool
    """Whether its answers say who answers (RFC 9207)."""


def read_providers(text: str, *, may_be_plain: bool) -> tuple[Provider, ...]:
    """The providers of a JSON list; ValueError says what is wrong, and shows no secret."""
    try:
        found = TypeAdapter(tuple[Provider, ...]).validate_python(json.loads(text))
    except json.JSONDecodeError:
        raise ValueError("it needs to be a JSON list of providers") from None
    except ValidationError as refused:
        faults = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in refused.errors(include_input=False)]
        raise ValueError("; ".join(faults)) from None
    ids = [provider.provider_id for provider in found]
    meant = [(one.issuer, name) for one in found for name in (one.audience, one.agent_audience) if name]
    if len(set(ids)) < len(ids) or len(set(meant)) < len(meant):
        raise ValueError("each provider_id, and each audience of an issuer, stands there once")
    for provider in found:
        _check(provider, may_be_plain=may_be_plain)
    return found


def _check(provider: Provider, *, may_be_plain: bool) -> None:
    parts = urlsplit(provider.issuer)
    if parts.scheme != "https" and not (may_be_plain and parts.scheme == "http"):
        raise ValueError(f"{provider.provider_id}: the issuer needs to be an https address")
    if provider.client_id and provider.client_id in (provider.audience, provider.agent_audience):
        raise ValueError(f"{provider.provider_id}: an audience is a resource, not the client that people sign in by")
    if provider.creates_people and provider.tenant is None:
        raise ValueError(f"{provider.provider_id}: creates_people needs the tenant that people are created in")


@dataclass
class Issuer:
    """A provider and what is known of it at the moment; every call to it is bounded."""

    provider: Provider
    http: httpx.AsyncClient
    _metadata: Metadata | None = None
    _metadata_at: float = 0.0
    _keys: dict[str | None, dict[str, Any]] = field(default_factory=dict)
    _keys_at: float = float("-inf")
    _fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def metadata(self) -> Metadata:
        """What the issuer publishes of itself, at most an hour old; it has to name itself as it is configured."""
        if self._metadata is not None and time.monotonic() - self._metadata_at < METADATA_SECONDS:
            return self._metadata
        try:
            self._metadata = await self._discover()
        except Unavailable:
            if self._metadata is None:
                raise
            logger.warning("an issuer could not be read anew", issuer=self.provider.issuer)
        self._metadata_at = time.monotonic()
        return self._metadata

    async def claims(self, token: str, *, audience: str) -> Claims:
        """What a token says whose signature, issuer, audience and time are right; Unauthenticated for any other."""
        try:
            header = jwt.get_unverified_header(token)
            key = jwt.PyJWK(await self._key(header), algorithm=header["alg"])
            required = {"require": ["exp", "iss", "aud", "sub"]}
            claims: Claims = jwt.decode(
                token,
                key,
                algorithms=[header["alg"]],
                issuer=self.provider.issuer,
                audience=audience,
                leeway=LEEWAY,
                options=required,  # type: ignore[arg-type]  # a TypedDict in name only
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("ACCESS_TOKEN_EXPIRED", "This access token has expired; get a new one.") from None
        except (jwt.PyJWTError, KeyError, ValueError, TypeError) as refused:
            raise invalid_token() from refused
        if not isinstance(claims["sub"], str) or not 1 <= len(claims["sub"]) <= 255:
            raise invalid_token()
        return claims

    async def redeem(self, code: str, *, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        """The tokens that a code is worth (RFC 6749, RFC 7636)."""
        known = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        secret = self.provider.client_secret
        basic = None
        if secret is not None and "client_secret_basic" in known.token_endpoint_auth_methods:
            basic = httpx.BasicAuth(self.provider.client_id or "", secret.get_secret_value())
        else:
            form["client_id"] = self.provider.client_id or ""
            form |= {} if secret is None else {"client_secret": secret.get_secret_value()}
        return await self._json("POST", known.token_endpoint, data=form, auth=basic, refuses=True)

    async def person(self, access_token: str) -> Claims:
        """What the issuer's userinfo endpoint says of whoever the token is of; nothing where it has none."""
        known = await self.metadata()
        if known.userinfo_endpoint is None:
            return {}
        bearer = {"authorization": f"Bearer {access_token}"}
        return await self._json("GET", known.userinfo_endpoint, headers=bearer)

    async def check(self) -> None:
        """Read anew what the issuer publishes of itself, and its keys; raises Unavailable where it cannot be used."""
        found = await self._json("GET", (await self._discover()).jwks_uri)
        if not any(key.get("kty") in KEY_TYPES for key in _listed(found.get("keys"))):
            raise _away(self.provider, "publishes no keys")

    async def _discover(self) -> Metadata:
        parts = urlsplit(self.provider.issuer)
        place, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
        found: Mapping[str, Any] | None = None
        for address in (
            f"{place}{path}/.well-known/openid-configuration",
            f"{place}/.well-known/oauth-authorization-server{path}",
        ):
            found = await self._json("GET", address, absent={})
            if found:
                break
        if not found or found.get("issuer") != self.provider.issuer:
            raise _away(self.provider, "does not publish itself under the issuer that is configured")
        if any(found.get(name) and not self._is_as_safe(found[name]) for name in ENDPOINTS):
            raise _away(self.provider, "names an address that is not as safe as its own")
        try:
            return Metadata(
                jwks_uri=found["jwks_uri"],
                authorization_endpoint=found.get("authorization_endpoint", ""),
                token_endpoint=found.get("token_endpoint", ""),
                userinfo_endpoint=found.get("userinfo_endpoint"),
                token_endpoint_auth_methods=found.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]),
                names_itself=bool(found.get("authorization_response_iss_parameter_supported")),
            )
        except KeyError:
            raise _away(self.provider, "publishes no keys") from None

    def _is_as_safe(self, address: object) -> bool:
        """Whether an address that the issuer names is reached by HTTPS, or by HTTP where the issuer itself is."""
        schemes = {"https", urlsplit(self.provider.issuer).scheme}
        return isinstance(address, str) and urlsplit(address).scheme in schemes

    async def _key(self, header: Mapping[str, Any]) -> dict[str, Any]:
        """The published key that a token names; an unknown name has the keys read anew, at most every 10 seconds."""
        if header["alg"] not in ALGORITHMS:
            raise invalid_token()
        kid = header.get("kid")
        async with self._fetching:
            age = time.monotonic() - self._keys_at
            if age > KEYS_SECONDS or (kid not in self._keys and age > REFETCH_SECONDS):
                await self._fetch_keys()
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys[kid]

    async def _fetch_keys(self) -> None:
        try:
            known = await self.metadata()
            found = await self._json("GET", known.jwks_uri)
            keys = [
                key for key in _listed(found.get("keys")) if key.get("kty") in KEY_TYPES and key.get("use") != "enc"
            ]
        except Unavailable:
            if not self._keys:
                raise
            logger.warning("the keys of an issuer could not be read anew", issuer=self.provider.issuer)
        else:
            self._keys = {key.get("kid"): key for key in keys}
        self._keys_at = time.monotonic()

    async def _json(
        self, method: str, address: str, *, refuses: bool = False, absent: dict[str, Any] | None = None, **values: Any
    ) -> dict[str, Any]:
        """A JSON object from the issuer. `refuses`: a 4xx is a refusal. `absent`: what a 404 stands for."""
        try:
            async with asyncio.timeout(FETCH_SECONDS), self.http.stream(method, address, **values) as answer:
                body = b""
                async for piece in answer.aiter_raw():  # nothing is unpacked: none of it was asked for
                    body += piece
                    if len(body) > LARGEST:
                        raise _away(self.provider, "sends too much")
                if answer.status_code == httpx.codes.NOT_FOUND and absent is not None:
                    return absent
                if refuses and answer.is_client_error:
                    raise Unauthenticated("SIGN_IN_REFUSED", "The provider did not accept this sign-in; try again.")
                answer.raise_for_status()
            found = loads(body)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as away:
            raise _away(self.provider, "does not answer") from away
        except InvalidArgument as unreadable:
            raise _away(self.provider, "answers with something else than JSON") from unreadable
        if not isinstance(found, dict):
            raise _away(self.provider, "answers with something else than a JSON object")
        return found


def issuers(
    providers: Sequence[Provider],
    *,
    ca_file: str | None = None,
    development: bool = False,
    look_up: LookUp = system_look_up,
) -> tuple[dict[str, Issuer], httpx.AsyncClient]:
    """The issuers by provider id, and what they are asked with, to be closed at the end.

    Hosts that the configuration names may be anywhere; what an issuer names besides is at public addresses alone.
    """
    named = {urlsplit(provider.issuer).hostname for provider in providers}
    named |= {host.lower() for provider in providers for host in provider.internal_hosts}

    async def addresses(host: str, port: int) -> list[str]:
        if host in named:
            return await look_up(host, port)
        return await public_addresses(look_up, host, port, development=development)

    trust = ssl.create_default_context(cafile=ca_file)
    http = httpx.AsyncClient(
        timeout=FETCH_SECONDS,
        follow_redirects=False,
        trust_env=False,
        headers={"accept-encoding": "identity"},
        transport=GuardedTransport(addresses, trust),
    )
    return {provider.provider_id: Issuer(provider, http) for provider in providers}, http


def _listed(keys: object) -> list[dict[str, Any]]:
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []


def invalid_token() -> Unauthenticated:
    """What a caller is told whose token is not one that is accepted here, whatever it is that is wrong with it."""
    return Unauthenticated(
        "ACCESS_TOKEN_INVALID",
        "This access token is not accepted here: its issuer, signature, audience or form is not right. "
        "Ask the issuer for one that is meant for this door.",
    )


def _away(provider: Provider, what: str) -> Unavailable:
    return Unavailable("PROVIDER_UNAVAILABLE", f"{provider.name} {what} right now; try again.", retry_after=5.0)
