"""The codec endpoint: decrypts payloads for Temporal's pages and command line, for admins of the tenant alone.

The protocol is Temporal's for remote codecs: POST /decode and /encode, each with `Payloads` as JSON, and the namespace
in X-Namespace.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from orkestra.chassis.credentials import CredentialCache, principal_of
from orkestra.chassis.door import Application, Envelope, read_body
from orkestra.chassis.logs import get_logger
from orkestra.sdk.converter import marked
from orkestra.sdk.payloads import tenant_of
from orkestra.wire import Error, InvalidArgument, NotFound, PermissionDenied, Principal, Unauthenticated
from orkestra.workflow_worker import rules
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.converter import PayloadCodec

MOST_BYTES = 8 * 1024 * 1024
"""Of one request: an event's payloads are 2 MiB at most, and a third more as base64."""
HEADERS = ("authorization", "content-type", "x-namespace")

logger = get_logger(__name__)
Work = Callable[[Principal, Sequence[Payload]], Awaitable[Sequence[Payload]]]


@dataclass(frozen=True)
class CodecRoutes:
    """What the endpoint works with."""

    codec: PayloadCodec
    namespace: str
    credentials: CredentialCache

    async def decode(self, principal: Principal, payloads: Sequence[Payload]) -> Sequence[Payload]:
        """Decrypt what is the caller's tenant's; what is no tenant's stays as it is."""
        owners = [tenant_of(payload) for payload in payloads]
        if any(owner not in (None, principal.tenant_id) for owner in owners):
            raise PermissionDenied("PAYLOAD_OF_ANOTHER_TENANT", "This payload belongs to another tenant.")
        return [
            payload if owner is None else (await self.codec.decode([payload]))[0]
            for owner, payload in zip(owners, payloads, strict=True)
        ]

    async def encode(self, principal: Principal, payloads: Sequence[Payload]) -> Sequence[Payload]:
        """Encrypt for the caller's tenant, whatever a payload says of itself."""
        return await self.codec.encode([marked(payload, principal.tenant_id or "") for payload in payloads])

    async def answer(self, request: Request, work: Work) -> Response:
        """Do the work on what an admin of a tenant sends; refuses everybody else."""
        try:
            principal = await self._admin(request)
            payloads = await self._payloads(request)
            done = await work(principal, payloads)
        except Error as refusal:
            told = {"reason": refusal.reason, "message": str(refusal)}
            headers = {"cache-control": "no-store"}
            if refusal.retry_after is not None:
                headers["retry-after"] = str(math.ceil(refusal.retry_after))
            return JSONResponse(told, refusal.http_status, headers=headers)
        logger.info(
            "payloads",
            work=work.__name__,
            subject=principal.subject,
            tenant_id=principal.tenant_id,
            payloads=len(payloads),
        )
        answer = MessageToJson(Payloads(payloads=done), indent=None)
        return Response(answer, media_type="application/json", headers={"cache-control": "no-store"})

    async def _admin(self, request: Request) -> Principal:
        scheme, _, credential = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not credential:
            raise Unauthenticated("CREDENTIAL_REQUIRED", "Send an API key or a session: Authorization: Bearer …")
        address = request.client.host if request.client else None
        principal = principal_of(await self.credentials.exchange(credential, ip=address))
        rules.check_may("read_payloads", principal)
        if principal.tenant_id is None:
            raise PermissionDenied("TENANT_REQUIRED", "Payloads belong to tenants, and this credential to none.")
        return principal

    async def _payloads(self, request: Request) -> Sequence[Payload]:
        named = request.headers.get("x-namespace", self.namespace)
        if named != self.namespace:
            raise NotFound("NAMESPACE_UNKNOWN", f"This endpoint serves the namespace {self.namespace}.")
        declared = request.headers.get("content-length", "")
        body = await read_body(request.stream(), declared=declared, limit=MOST_BYTES)
        try:
            return Parse(body, Payloads()).payloads
        except (ParseError, UnicodeDecodeError) as wrong:
            raise InvalidArgument("REQUEST_INVALID", f"The body is not Payloads as JSON: {wrong}") from None


def build_codec(routes: CodecRoutes, *, origin: str | None) -> Application:
    """Return the endpoint as an ASGI application; a browser may call it from `origin` alone."""

    async def decode(request: Request) -> Response:
        return await routes.answer(request, routes.decode)

    async def encode(request: Request) -> Response:
        return await routes.answer(request, routes.encode)

    cors = Middleware(
        CORSMiddleware,
        allow_origins=[] if origin is None else [origin],
        allow_methods=["POST"],
        allow_headers=HEADERS,
    )
    paths = [Route("/decode", decode, methods=["POST"]), Route("/encode", encode, methods=["POST"])]
    return Envelope(Starlette(routes=paths, middleware=[cors]))
