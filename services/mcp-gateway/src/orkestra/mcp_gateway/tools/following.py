"""notifications/tasks of the tasks extension (SEP-2663): handles tell where they stand on the stream of who listens."""

from dataclasses import replace
from typing import Any, Literal, cast

import anyio
from anyio.abc import TaskGroup
from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import require_client_extension
from mcp.server.session import ServerSession
from mcp.server.subscriptions import SUBSCRIPTION_ID_META_KEY
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    Notification,
    RequestId,
    ServerNotification,
    SubscriptionFilter,
    SubscriptionsAcknowledgedNotification,
)
from orkestra.mcp_gateway.tools.handles import TASKS, Handle, Handles
from orkestra.mcp_gateway.tools.news import News

LOOK_SECONDS = 1.0
"""A handle whose task cannot be read is looked at again after this."""
LAST = frozenset({"completed", "cancelled", "failed"})

RequestContext = ServerRequestContext[Any, Any]


class TaskNotification(Notification[dict[str, Any], Literal["notifications/tasks"]]):
    """What `tasks/get` would answer now, on a stream."""

    method: Literal["notifications/tasks"] = "notifications/tasks"
    params: dict[str, Any]


class Following:
    """Tells on the stream of `subscriptions/listen` where each handle of `taskIds` stands, first and at each change.

    What has ended is told once. Whoever listens need not poll: the first state comes after the acknowledgement, and
    streams end when news may have been missed, so that nothing between two states is lost.
    """

    def __init__(self, handles: Handles, news: News) -> None:
        self._handles = handles
        self._news = news

    async def among(self, ctx: RequestContext, wanted: list[str]) -> list[str]:
        """Returns which of these handles the caller holds; raises MCPError for a client without the extension."""
        if wanted:
            require_client_extension(ctx, TASKS)
        return [handle for handle in dict.fromkeys(wanted) if await self._is_held(ctx, handle)]

    def beside(self, ctx: RequestContext, handles: list[str], group: TaskGroup) -> RequestContext:
        """Returns the context in which a stream's acknowledgement names these handles, and starts telling of them."""
        if not handles:
            return ctx

        def follow() -> None:
            for handle in handles:
                group.start_soon(self._follow, ctx, handle)

        return replace(ctx, session=cast("ServerSession", _Acknowledging(ctx.session, handles, follow)))

    async def _is_held(self, ctx: RequestContext, handle: str) -> bool:
        try:
            await self._handles.state(ctx, handle)
        except MCPError as refusal:
            if refusal.error.code == INVALID_PARAMS:
                return False
            raise
        return True

    async def _follow(self, ctx: RequestContext, handle: str) -> None:
        told: dict[str, Any] = {}
        with self._news.of(Handle.read(handle).task_id) as news:
            while told.get("status") not in LAST:
                news.clear()
                try:
                    state = await self._handles.state(ctx, handle)
                except MCPError as refusal:
                    if refusal.error.code == INVALID_PARAMS:  # the task is gone
                        return
                    await anyio.sleep(LOOK_SECONDS)
                    continue
                if state != told:
                    told = state
                    await _tell(ctx, state)
                if state["status"] not in LAST:
                    await news.wait()


class _Acknowledging:
    """A session whose acknowledgement of a stream names handles too, after which `follow` is called."""

    def __init__(self, session: ServerSession, handles: list[str], follow: Any) -> None:
        self._session = session
        self._handles = handles
        self._follow = follow

    async def send_notification(
        self, notification: ServerNotification, related_request_id: RequestId | None = None
    ) -> None:
        if not isinstance(notification, SubscriptionsAcknowledgedNotification):
            await self._session.send_notification(notification, related_request_id)
            return
        honored = notification.params.notifications.model_dump(by_alias=True, exclude_none=True)
        named = SubscriptionFilter.model_validate({**honored, "taskIds": self._handles})
        params = notification.params.model_copy(update={"notifications": named})
        await self._session.send_notification(notification.model_copy(update={"params": params}), related_request_id)
        self._follow()


async def _tell(ctx: RequestContext, state: dict[str, Any]) -> None:
    params = {**state, "_meta": {SUBSCRIPTION_ID_META_KEY: ctx.request_id}}
    notification = cast("ServerNotification", TaskNotification(params=params))
    await ctx.session.send_notification(notification, related_request_id=ctx.request_id)
