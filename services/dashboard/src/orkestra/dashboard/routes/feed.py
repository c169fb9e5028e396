"""What is new for the caller, and the stream that open pages hear of it by."""

from collections.abc import AsyncIterator

from fastapi.responses import Response, StreamingResponse
from orkestra.chassis.credentials import principal_of
from orkestra.dashboard.routes.live import Live, heard, message_of
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.visit import Visit
from orkestra.rules import audiences_of
from orkestra.v1.notification import ListNotificationsRequest, MarkNotificationsReadRequest

PAGE = 50
HELLO = b"retry: 1000\n" + message_of("hello", {})
"""Begins a stream, and says after how many milliseconds a page comes back to a broken one."""


async def notifications(visit: Visit) -> Response:
    """Lists the caller's feed, newest first."""
    request = ListNotificationsRequest(page_size=PAGE, page_token=visit.query("page_token"))
    page = await visit.notifications.list_notifications(request)
    more = f"/notifications?page_token={page.next_page_token}" if page.next_page_token else None
    return await visit.page("notifications.html", current="notifications", feed=page, next_href=more)


async def mark_read(visit: Visit) -> Response:
    """Marks entries as read: the one named, or all; then goes to its task where it has one."""
    one = visit.value("notification_id")
    request = MarkNotificationsReadRequest(notification_ids=[one] if one else [])
    await visit.notifications.mark_notifications_read(request)
    return go("/notifications")


async def live(visit: Visit) -> Response:
    """Streams what is new to an open page (server-sent events); the session is checked again every second."""
    audiences = frozenset(audiences_of(principal_of(visit.access)))
    stream = _stream(visit.door.live, visit.tenant_id, audiences, visit.session)
    return StreamingResponse(stream, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _stream(live: Live, tenant_id: str, audiences: frozenset[str], session: str) -> AsyncIterator[bytes]:
    async with live.listening(tenant_id, audiences, session=session) as listener:
        yield HELLO
        if live.draining:
            return
        async for message in heard(listener):
            yield message
