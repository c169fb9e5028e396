"""Who may talk to the MCP door, and how often."""

from contextvars import ContextVar

from orkestra.chassis import ratelimit
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.ratelimit import Limit, RateLimits
from orkestra.mcp_gateway.tools.refusing import respond
from orkestra.mcp_gateway.tools.resource import Resource
from orkestra.wire import Error, Unauthenticated
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

address: ContextVar[str | None] = ContextVar("address", default=None)
"""Where the running request comes from, for keys that are good from some addresses only."""

NO_CREDENTIAL = "Connect with an API key, or an access token of a named issuer: Authorization: Bearer <credential>."


class Admission:
    """ASGI: exchanges the bearer credential, counts the request, and only then lets it in."""

    def __init__(
        self,
        app: ASGIApp,
        credentials: CredentialCache,
        limits: RateLimits,
        *,
        per_key: Limit,
        per_tenant: Limit,
        resource: Resource,
    ) -> None:
        self._app = app
        self._credentials = credentials
        self._limits = limits
        self._per_key = per_key
        self._per_tenant = per_tenant
        self._resource = resource

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[str, str] = {}
        request = Request(scope)
        try:
            await self._count(request, headers)
        except Error as refusal:
            challenge = self._resource.challenge(refusal, presented="authorization" in request.headers)
            if challenge is not None:
                headers["WWW-Authenticate"] = challenge
            await respond(refusal, headers)(scope, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
                message["headers"] = [*message.get("headers", ()), *added]
            await send(message)

        await self._app(scope, receive, answer)

    async def _count(self, request: Request, headers: dict[str, str]) -> None:
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not credential.strip():
            raise Unauthenticated("CREDENTIAL_REQUIRED", NO_CREDENTIAL)
        address.set(None if request.client is None else request.client.host)
        caller = await self._credentials.exchange(credential.strip(), ip=address.get())
        claims = [(self._per_key, caller.subject)]
        if caller.tenant_id is not None:
            claims.append((self._per_tenant, caller.tenant_id))
        standings = await self._limits.take(*claims)
        headers.update(ratelimit.headers(standings))
        ratelimit.refuse_excess(standings)
