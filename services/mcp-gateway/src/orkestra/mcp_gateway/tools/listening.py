"""Who may listen to what: a stream is refused for what the caller may not see, and ends when that right ends."""

import itertools
from collections.abc import Mapping
from typing import Any

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.subscriptions import SUBSCRIPTION_ID_META_KEY
from mcp.shared.exceptions import MCPError
from mcp.types import INVALID_PARAMS, SubscriptionsListenResult
from orkestra.mcp_gateway.tools.following import Following
from orkestra.mcp_gateway.tools.resources import Resources
from orkestra.mcp_gateway.tools.rooms import Rooms
from orkestra.wire import Error, NotFound, PermissionDenied, Unauthenticated

MOST_TEXTS = 50
CHECK_SECONDS = 1.0
"""How often an open stream checks the caller's credential; every tenth time also what it listens to."""
FULL_CHECK = 10


class Listening:
    """MCP middleware around `subscriptions/listen`.

    A stream ends in order, so that its client listens and reads again, when this process ends and when events may
    have been missed; it ends with an error when the caller's key or right to see has ended.
    """

    def __init__(self, rooms: Rooms, resources: Resources, following: Following) -> None:
        self._rooms = rooms
        self._resources = resources
        self._following = following

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        if ctx.method != "subscriptions/listen":
            return await call_next(ctx)
        uris, handles = (_texts(ctx.params or {}, kind) for kind in ("resourceSubscriptions", "taskIds"))
        try:
            await self._check(uris)
            followed = await self._following.among(ctx, handles)
            tenant_id = (await self._rooms.caller()).tenant_id
        except Error as refusal:
            raise _refused(refusal) from refusal
        async with self._rooms.news.of_tenant(tenant_id, "task", "workflow"):
            return await self._listen(ctx, call_next, uris, followed)

    async def _listen(
        self, ctx: ServerRequestContext[Any, Any], call_next: CallNext, uris: list[str], handles: list[str]
    ) -> HandlerResult:
        result: HandlerResult = SubscriptionsListenResult(_meta={SUBSCRIPTION_ID_META_KEY: ctx.request_id})
        refusals: list[Error] = []
        async with anyio.create_task_group() as group:

            async def watch() -> None:
                try:
                    await self._until_over(uris)
                except Error as refusal:
                    refusals.append(refusal)
                group.cancel_scope.cancel()

            group.start_soon(watch)
            result = await call_next(self._following.beside(ctx, handles, group))
            group.cancel_scope.cancel()
        if refusals:
            raise _refused(refusals[0])
        return result

    async def _until_over(self, uris: list[str]) -> None:
        """Returns when the stream should end; raises why the caller may listen no longer."""
        losses = self._rooms.news.losses
        for count in itertools.count(1):
            with anyio.move_on_after(CHECK_SECONDS):
                await self._rooms.drain.wait()
            if self._rooms.drain.draining or self._rooms.news.losses != losses:
                return
            try:
                await self._check(uris if count % FULL_CHECK == 0 else [])
            except (Unauthenticated, PermissionDenied, NotFound):
                raise
            except Error:  # a room is away: nothing says that the right has ended
                continue

    async def _check(self, uris: list[str]) -> None:
        await self._rooms.caller()
        for uri in uris:
            await self._resources.check(uri)


def _texts(params: Mapping[str, Any], kind: str) -> list[str]:
    wanted = params.get("notifications")
    texts = wanted.get(kind) if isinstance(wanted, Mapping) else None
    if texts is None:
        return []
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts) or len(texts) > MOST_TEXTS:
        raise MCPError(INVALID_PARAMS, f"{kind} is a list of at most {MOST_TEXTS} texts")
    return texts


def _refused(refusal: Error) -> MCPError:
    return MCPError(INVALID_PARAMS, f"{refusal.reason}: {refusal}", data={"reason": refusal.reason})
