"""Serve the methods of an object as the rpcs of a service."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_type_hints
from uuid import uuid4

import grpc
from google.protobuf.descriptor import Descriptor, MethodDescriptor, ServiceDescriptor
from orkestra.wire.context import ANONYMOUS, Context, Principal
from orkestra.wire.errors import Error, Internal, InvalidArgument, Unauthenticated
from orkestra.wire.model import Model, decoded, message_name
from orkestra.wire.status import to_message, to_trailers
from orkestra.wire.tracing import server_span

logger = logging.getLogger("orkestra.wire")

AUTHORIZATION = "authorization"
REQUEST_ID = "x-orkestra-request-id"
DOOR = "x-orkestra-door"
LOCALE = "x-orkestra-locale"
_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
REPLAYED = "x-orkestra-replayed"

Authenticate = Callable[[Mapping[str, str], str], Awaitable[Principal | None]]
Operation = Callable[[Context, Any], Awaitable[Model]]


def bind(
    server: grpc.aio.Server, descriptor: ServiceDescriptor, implementation: object, authenticate: Authenticate
) -> None:
    """Serve each rpc of the service with the method of `implementation` that bears its name in snake case.

    `authenticate` says who a call's metadata speak for; None is enough only for the rpcs that
    `implementation.open_rpcs` names. A call without a deadline is refused. Raises TypeError where a method is missing
    or takes or returns another message than the rpc.
    """
    open_rpcs = frozenset(getattr(implementation, "open_rpcs", ()))
    if unknown := open_rpcs - {method.name for method in descriptor.methods}:
        named = ", ".join(sorted(unknown))
        raise TypeError(f"{_name(implementation)}.open_rpcs names {named}, which {descriptor.name} does not have")
    handlers = {
        method.name: _Endpoint(
            rpc=f"{descriptor.full_name}/{method.name}",
            request_model=_request_model(implementation, method),
            operation=getattr(implementation, snake(method.name)),
            authenticate=authenticate,
            is_open=method.name in open_rpcs,
        ).handler()
        for method in descriptor.methods
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(descriptor.full_name, handlers),))


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """One rpc as it is served."""

    rpc: str
    request_model: type[Model]
    operation: Operation
    authenticate: Authenticate
    is_open: bool

    def handler(self) -> "grpc.RpcMethodHandler[Any, Any]":
        return grpc.unary_unary_rpc_method_handler(self._serve)

    async def _serve(self, body: bytes, call: "grpc.aio.ServicerContext[Any, Any]") -> bytes:
        metadata = {key: value for key, value in call.invocation_metadata() or () if isinstance(value, str)}
        with server_span(self.rpc, metadata) as span:
            try:
                ctx = await self._admit(metadata, call.time_remaining())
                span.set_tenant(ctx.principal.tenant_id)
                answer = await self._answer(ctx, body)
                refusal = None
            except Error as exc:
                refusal = exc
            except Exception:
                refusal = _internal(self.rpc)
            span.end_with(refusal)
            logger.debug("%s %s", self.rpc, "OK" if refusal is None else refusal.reason)
        if refusal is not None:
            await call.abort(refusal.code, to_message(refusal), to_trailers(refusal))
        if ctx.reply.replayed:
            call.set_trailing_metadata(((REPLAYED, "1"),))
        return answer

    async def _admit(self, metadata: Mapping[str, str], time_remaining: float | None) -> Context:
        if time_remaining is None:
            raise InvalidArgument("DEADLINE_REQUIRED", "Every call needs a deadline; set a timeout in the client.")
        principal = await self.authenticate(metadata, self.rpc)
        if principal is None and not self.is_open:
            raise Unauthenticated("CREDENTIAL_REQUIRED", "This call needs a credential.")
        return Context(
            principal=principal or ANONYMOUS,
            token=bearer(metadata) or "",
            rpc=self.rpc,
            request_id=metadata.get(REQUEST_ID),
            door=metadata.get(DOOR),
            locale=_locale(metadata.get(LOCALE)),
        )

    async def _answer(self, ctx: Context, body: bytes) -> bytes:
        request = self.request_model.from_pb(decoded(self.request_model.pb, body))
        answer = await self.operation(ctx, request)
        try:
            return answer.to_pb().SerializeToString()
        except InvalidArgument as exc:  # the answer is ours, so its fault is not the caller's
            raise ValueError(f"the answer of {self.rpc} cannot travel: {exc.errors}") from exc


def _locale(tag: str | None) -> str:
    """Return a language tag as it is used here; of what is none, English."""
    return tag if tag is not None and _TAG.fullmatch(tag) else "en"


def bearer(metadata: Mapping[str, str]) -> str | None:
    """Return the bearer token of a call's metadata (RFC 6750), None where there is none."""
    scheme, _, token = metadata.get(AUTHORIZATION, "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def snake(name: str) -> str:
    """Turn an rpc's name into its method's: GetApiKey becomes get_api_key."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def _internal(rpc: str) -> Internal:
    error_id = uuid4().hex
    logger.exception("%s failed; error id %s", rpc, error_id, extra={"rpc": rpc, "error_id": error_id})
    return Internal("INTERNAL", f"Something went wrong on our side; error id {error_id}.")


def _request_model(implementation: object, rpc: MethodDescriptor) -> type[Model]:
    name = f"{_name(implementation)}.{snake(rpc.name)}"
    operation = getattr(implementation, snake(rpc.name), None)
    if operation is None:
        raise TypeError(f"{name} is missing: the rpc {rpc.full_name} needs it")
    hints = get_type_hints(operation)
    request = _checked(hints.get("request"), rpc.input_type, f"{name} must take `request` as")
    _checked(hints.get("return"), rpc.output_type, f"{name} must return")
    return request


def _checked(hint: Any, message: Descriptor, must: str) -> type[Model]:
    if isinstance(hint, type) and issubclass(hint, Model) and message_name(hint) == message.full_name:
        return hint
    found = getattr(hint, "__name__", hint)
    raise TypeError(f"{must} the model of {message.full_name}, not {found}")


def _name(implementation: object) -> str:
    return type(implementation).__name__
