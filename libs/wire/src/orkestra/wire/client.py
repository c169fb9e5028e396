"""Call a service with models, and get its refusals back as exceptions."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import ClassVar, Protocol, TypeVar, cast, runtime_checkable

import grpc
from orkestra.wire.errors import (
    DeadlineExceeded,
    Error,
    Internal,
    InvalidArgument,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from orkestra.wire.model import Model, decoded
from orkestra.wire.server import AUTHORIZATION, DOOR, LOCALE, REPLAYED, REQUEST_ID
from orkestra.wire.status import Trailers, from_trailers
from orkestra.wire.tracing import client_span

M = TypeVar("M", bound=Model)
Token = str | Callable[[], Awaitable[str]]
TokensOf = Callable[[str | None], Token]
"""What brings the tokens that act in a tenant, or in none; a client keeps to one of them."""


@runtime_checkable
class KeptToken(Protocol):
    """A source of tokens that brings the same one for a while."""

    async def __call__(self) -> str:
        """Return a token that is still good as far as this machine knows."""

    def drop(self, token: str) -> None:
        """Bring `token` no more: a service has not taken it."""


class TokensByTenant(Protocol):
    """Tokens of one credential for any tenant."""

    async def __call__(self, tenant_id: str | None) -> str:
        """Return a token that acts in `tenant_id`, or in none."""

    def drop(self, tenant_id: str | None, token: str) -> None:
        """Bring `token` no more: a service has not taken it."""


class TokenOfTenant:
    """The tokens of one tenant; a `KeptToken`."""

    def __init__(self, tokens: TokensByTenant, tenant_id: str | None) -> None:
        self._tokens = tokens
        self._tenant_id = tenant_id

    async def __call__(self) -> str:
        """Return a token that acts in the tenant."""
        return await self._tokens(self._tenant_id)

    def drop(self, token: str) -> None:
        """Bring `token` no more."""
        self._tokens.drop(self._tenant_id, token)


FIRST_BACKOFF = 0.05
MAX_BACKOFF = 1.0
RECONNECT_SECONDS = 1.0
"""How long a call waits, before anything is sent, for a service that has just been started again."""
TOKEN_REFUSED = ("TOKEN_EXPIRED", "TOKEN_INVALID")
BEARER = "Bearer "

_replayed: ContextVar[bool] = ContextVar("orkestra_wire_replayed", default=False)


class RpcClient:
    """Calls one service on behalf of one caller.

    `token` is a token or a function that brings a fresh one; `door` names the door the caller came through, `locale`
    the language in which the caller reads; `timeout` is the deadline in seconds of a call that names none. An
    Unavailable is tried again within the deadline where the rpc is idempotent or the call has a request id. Where a
    token that the function has just brought is not taken, a clock was moved or a key replaced: that is Unavailable too,
    for it passes, and is no fault of the caller. A token that was kept is dropped first, and the call is made once more
    with the next.
    """

    service: ClassVar[str]

    def __init_subclass__(cls, *, service: str) -> None:
        super().__init_subclass__()
        cls.service = service

    def __init__(
        self,
        channel: grpc.aio.Channel,
        token: Token | None = None,
        *,
        door: str | None = None,
        locale: str | None = None,
        timeout: float = 5.0,
    ) -> None:
        self._channel = channel
        self._token = token
        self._door = door
        self._locale = locale
        self._timeout = timeout

    @property
    def replayed(self) -> bool:
        """Whether the last call made in this asyncio task was answered with the stored answer of its request id."""
        return _replayed.get()

    async def _call(
        self,
        method: str,
        request: Model,
        response: type[M],
        *,
        request_id: str | None,
        timeout: float | None,  # noqa: ASYNC109  becomes the deadline that travels with the call
        idempotent: bool,
    ) -> M:
        _replayed.set(False)
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        body = request.to_pb().SerializeToString()
        metadata = await self._metadata(request_id, deadline)
        with client_span(f"{self.service}/{method}", metadata) as span:
            try:
                answer = await self._try_with_the_next_token(
                    method, body, response, metadata, deadline, is_repeatable=idempotent or request_id is not None
                )
            except Error as exc:
                refusal = self._of_the_token(exc)
                span.end_with(refusal)
                if refusal is exc:
                    raise
                raise refusal from exc
            span.end_with(None)
            return answer

    def _of_the_token(self, refusal: Error) -> Error:
        """Return the refusal as its caller is to take it."""
        is_ours = callable(self._token) and isinstance(refusal, Unauthenticated) and refusal.reason in TOKEN_REFUSED
        if not is_ours:
            return refusal
        message = f"{self._short} does not take a token that was just made; try again shortly."
        return Unavailable("TOKEN_REFUSED", message, retry_after=1.0)

    async def _metadata(self, request_id: str | None, deadline: float) -> dict[str, str]:
        metadata: dict[str, str] = {}
        if self._token is not None:
            metadata[AUTHORIZATION] = BEARER + await self._fresh_token(self._token, deadline)
        if request_id is not None:
            metadata[REQUEST_ID] = request_id
        if self._door is not None:
            metadata[DOOR] = self._door
        if self._locale is not None:
            metadata[LOCALE] = self._locale
        return metadata

    async def _fresh_token(self, token: Token, deadline: float) -> str:
        if isinstance(token, str):
            return token
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                return await token()
        except TimeoutError as exc:
            raise DeadlineExceeded("DEADLINE_EXCEEDED", f"No token for {self._short} came in time.") from exc

    async def _try_with_the_next_token(
        self,
        method: str,
        body: bytes,
        response: type[M],
        metadata: dict[str, str],
        deadline: float,
        *,
        is_repeatable: bool,
    ) -> M:
        """Try, and where the token was kept and is not taken, once more; whoever keeps it drops it in any case."""
        try:
            return await self._try(method, body, response, metadata, deadline, is_repeatable=is_repeatable)
        except Unauthenticated as exc:
            if exc.reason not in TOKEN_REFUSED or not isinstance(self._token, KeptToken):
                raise
            refused = metadata[AUTHORIZATION].removeprefix(BEARER)
            self._token.drop(refused)
            if not is_repeatable:  # what the service asked another with our token may have happened
                raise
            token = await self._fresh_token(self._token, deadline)
            if token == refused:
                raise
        again = metadata | {AUTHORIZATION: BEARER + token}
        return await self._try(method, body, response, again, deadline, is_repeatable=is_repeatable)

    async def _try(
        self,
        method: str,
        body: bytes,
        response: type[M],
        metadata: dict[str, str],
        deadline: float,
        *,
        is_repeatable: bool,
    ) -> M:
        backoff = FIRST_BACKOFF
        while True:
            try:
                return await self._once(method, body, response, metadata, deadline)
            except Unavailable as exc:
                pause = exc.retry_after or backoff * random.uniform(0.5, 1.5)  # noqa: S311  spreads retries, no secret
                if not is_repeatable or time.monotonic() + pause >= deadline:
                    raise
            await asyncio.sleep(pause)
            backoff = min(backoff * 2, MAX_BACKOFF)

    async def _once(self, method: str, body: bytes, response: type[M], metadata: dict[str, str], deadline: float) -> M:
        rpc = self._channel.unary_unary(
            f"/{self.service}/{method}", request_serializer=None, response_deserializer=None
        )
        await self._connect_again(deadline)
        call = rpc(body, metadata=tuple(metadata.items()), timeout=max(deadline - time.monotonic(), 0.001))
        try:
            answer = await call
        except grpc.aio.AioRpcError as exc:
            raise self._refusal(method, exc) from exc
        trailers = dict(cast("Trailers", await call.trailing_metadata() or ()))
        _replayed.set(trailers.get(REPLAYED) == "1")
        try:
            return response.from_pb(decoded(response.pb, answer))
        except InvalidArgument as exc:
            raise Internal("ANSWER_UNREADABLE", f"The answer of {self._short}.{method} cannot be read: {exc}") from exc

    async def _connect_again(self, deadline: float) -> None:
        """Wait a moment where the connection is lost; gRPC refuses calls at once until its next try."""
        state = self._channel.get_state(try_to_connect=True)
        if state is not grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            return
        try:
            async with asyncio.timeout(min(RECONNECT_SECONDS, deadline - time.monotonic())):
                while state is not grpc.ChannelConnectivity.READY:
                    await self._channel.wait_for_state_change(state)
                    state = self._channel.get_state(try_to_connect=True)
        except TimeoutError:
            return

    def _refusal(self, method: str, exc: grpc.aio.AioRpcError) -> Error:
        code, details = exc.code(), exc.details() or ""
        refusal = from_trailers(code, details, cast("Trailers", exc.trailing_metadata() or ()))
        if refusal is not None:
            return refusal
        rpc = f"{self._short}.{method}"
        match code:
            case grpc.StatusCode.UNAVAILABLE | grpc.StatusCode.CANCELLED:
                return Unavailable("SERVICE_UNAVAILABLE", f"{self._short} cannot be reached; try again shortly.")
            case grpc.StatusCode.DEADLINE_EXCEEDED:
                return DeadlineExceeded("DEADLINE_EXCEEDED", f"{rpc} did not answer in time.")
            case grpc.StatusCode.RESOURCE_EXHAUSTED:
                return TooLarge("MESSAGE_TOO_LARGE", f"{rpc} was asked with, or answered, more than one message holds.")
            case grpc.StatusCode.UNIMPLEMENTED:
                return Internal("RPC_UNKNOWN", f"{rpc} is not served; the service is older than its client.")
        return Internal("INTERNAL", f"{rpc} failed with {code.name}.")

    @property
    def _short(self) -> str:
        return self.service.rpartition(".")[2]
