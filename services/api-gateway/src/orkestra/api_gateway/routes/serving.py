"""Serves endpoints: who asks, how often, what; then the room is asked and its answer given as it is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from fastapi import Request
from fastapi.responses import Response
from orkestra.api_gateway.routes.endpoint import MOST_WAIT, VERSIONED, Endpoint
from orkestra.api_gateway.routes.reading import idempotency_key, language, read_message
from orkestra.api_gateway.routes.stream import EventStream
from orkestra.chassis import ratelimit
from orkestra.chassis.credentials import CredentialCache
from orkestra.chassis.drain import Drain
from orkestra.chassis.metrics import held
from orkestra.chassis.ratelimit import Limit, RateLimits
from orkestra.v1.identity import AccessToken
from orkestra.wire import DeadlineExceeded, Model, RpcClient, Unauthenticated, Unavailable, dumps

ANSWER_SECONDS = 5.0
"""How much longer than its wait a held call may take."""
CHECK_SECONDS = 1.0
"""How often the caller of a held call is checked again, so that it ends within 2 s of a revocation."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Door:
    """What serving needs: the rooms, who is who, how much is allowed."""

    rooms: Mapping[type[RpcClient], grpc.aio.Channel]
    credentials: CredentialCache
    limits: RateLimits
    drain: Drain
    per_key: Limit
    per_tenant: Limit
    per_address: Limit
    """For what is served without a credential."""
    body_limit: int
    request_seconds: float
    transfer_seconds: float
    """For a file on its way."""
    events: EventStream


def serve(endpoint: Endpoint, door: Door) -> Callable[[Request], Awaitable[Response]]:
    """Returns the function that answers requests for `endpoint`."""

    async def answer(request: Request) -> Response:
        call = _Call(endpoint, door, request)
        async with bounded(door.request_seconds + (MOST_WAIT if endpoint.holds else 0)):
            reply, replayed = await call.ask(await call.admit())
        return _respond(endpoint, reply, request, replayed=replayed)

    answer.__name__ = endpoint.rpc.__name__
    return answer


class Caller:
    """Whoever sends one request."""

    def __init__(self, door: Door, request: Request) -> None:
        self.address = None if request.client is None else request.client.host
        self.credential = ""
        self.token: str | None = None
        self._door = door
        self._request = request

    async def admit(self) -> AccessToken:
        """Returns who the caller is; raises where nobody knows, or the caller is too fast."""
        self.credential = _bearer(self._request)
        access = await self.check()
        claims = [(self._door.per_key, access.subject)]
        if access.tenant_id is not None:
            claims.append((self._door.per_tenant, access.tenant_id))
        await self.count(*claims)
        return access

    async def check(self) -> AccessToken:
        """Returns who the caller is at this moment; what is asked from now on is asked with that token."""
        access = await self._door.credentials.exchange(self.credential, ip=self.address)
        self.token = access.token
        return access

    async def current(self) -> str:
        """Returns the token of the last check."""
        return self.token or ""

    async def count(self, *claims: tuple[Limit, str]) -> None:
        """Counts the request; raises where a limit is reached."""
        standings = await self._door.limits.take(*claims)
        self._request.state.limit_headers = ratelimit.headers(standings)
        ratelimit.refuse_excess(standings)


class _Call:
    """One request on its way to a room."""

    def __init__(self, endpoint: Endpoint, door: Door, request: Request) -> None:
        self._endpoint = endpoint
        self._door = door
        self._request = request
        self._caller = Caller(door, request)
        self._request_id: str | None = None

    async def admit(self) -> Model:
        """Returns the message for the room; raises where the caller is unknown, too fast or unclear."""
        credential: str | None = None
        if self._endpoint.is_open:
            await self._caller.count((self._door.per_address, ratelimit.counted_as(self._caller.address)))
        else:
            await self._caller.admit()
            credential = self._caller.credential
        self._request_id = idempotency_key(self._request)
        return await read_message(
            self._request, self._endpoint, credential=credential, body_limit=self._door.body_limit
        )

    async def ask(self, message: Model) -> tuple[Model, bool]:
        """Returns the room's answer, and whether it is the stored answer of an earlier request."""
        room = self._endpoint.room
        token = None if self._caller.token is None else self._caller.current
        client = room(self._door.rooms[room], token, door="rest", locale=language(self._request))
        if self._endpoint.holds:
            return await self._hold(client, message), False
        reply = await self._endpoint.rpc(client, message, request_id=self._request_id)
        return reply, client.replayed

    async def _hold(self, client: RpcClient, message: Model) -> Model:
        """Waits with the room, and asks it for the state so far where this process ends meanwhile.

        Raises as soon as the caller's credential is no longer good.
        """
        wait = getattr(message, "wait", None) or 0
        asking = asyncio.ensure_future(self._endpoint.rpc(client, message, timeout=wait + ANSWER_SECONDS))
        with held():
            reply = await _unless(asking, self._door.drain.wait(), self._watch())
        if reply is None:
            reply = await self._endpoint.rpc(client, message.model_copy(update={"wait": 0}))
        return reply

    async def _watch(self) -> None:
        """Checks the caller again and again; ends only by raising."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            with suppress(Unavailable):  # identity is away: nothing says that the right has ended
                await self._caller.check()


def _bearer(request: Request) -> str:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Unauthenticated(
            "CREDENTIAL_REQUIRED", "Send an API key or a session token as Authorization: Bearer <credential>."
        )
    return credential.strip()


@asynccontextmanager
async def bounded(seconds: float) -> AsyncIterator[None]:
    """Raises DeadlineExceeded where what is inside takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise DeadlineExceeded("REQUEST_TIMED_OUT", f"The request was not served within {seconds:g} seconds.") from None


async def _unless(asking: "asyncio.Future[T]", *events: Coroutine[None, None, None]) -> T | None:
    """Returns what `asking` brings, or None where one of `events` happens first; raises what that event raises."""
    happening = [asyncio.create_task(event) for event in events]
    every: list[asyncio.Future[Any]] = [asking, *happening]
    try:
        await asyncio.wait(every, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        for event in happening:
            if event.done():
                event.result()
        return None
    finally:
        for one in every:
            one.cancel()


def _respond(endpoint: Endpoint, reply: Model, request: Request, *, replayed: bool) -> Response:
    headers = dict(getattr(request.state, "limit_headers", {}))
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    if endpoint.location is not None:
        headers["Location"] = endpoint.location.format_map(reply.model_dump())
    if isinstance(reply, VERSIONED):
        headers["ETag"] = f'"{vars(reply)["version"]}"'
    headers["Cache-Control"] = "no-store"
    if endpoint.status == 204:
        return Response(status_code=204, headers=headers)
    if endpoint.answer_field is not None:
        body = dumps(reply.model_dump(mode="json")[endpoint.answer_field])
    else:
        body = reply.model_dump_json()
    return Response(body, endpoint.status, headers=headers, media_type="application/json")
