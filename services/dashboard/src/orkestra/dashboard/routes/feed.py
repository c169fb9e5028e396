"""What is new for the caller, and the stream that open pages hear of it by."""

import asyncio
from collections.abc import AsyncIterator

from fastapi.responses import Response, StreamingResponse
from orkestra.chassis.credentials import principal_of
from orkestra.dashboard.routes.live import Listener, message_of, until_drained
from orkestra.dashboard.routes.pages import go
from orkestra.dashboard.routes.visit import Visit
from orkestra.rules import audiences_of
from orkestra.v1.notification import ListNotificationsRequest, MarkNotificationsReadRequest
from orkestra.wire import Error, Unauthenticated

PAGE = 50
CHECK_SECONDS = 1.0
BEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 1000


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
    return StreamingResponse(_stream(visit), media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def _stream(visit: Visit) -> AsyncIterator[str]:
    audiences = frozenset(audiences_of(principal_of(visit.access)))
    with visit.door.live.listening(visit.tenant_id, audiences) as listener:
        yield f"retry: {RETRY_MILLISECONDS}\n" + message_of("hello", {})
        checked = beaten = _now()
        async for message in until_drained(visit.door.drain, listener, seconds=CHECK_SECONDS):
            if _now() - checked >= CHECK_SECONDS:
                checked = _now()
                try:
                    await _check(visit, listener)
                except Unauthenticated:
                    yield message_of("session", {})
                    return
                except Error:
                    return  # identity cannot be asked: the page comes back by itself
            if message is not None:
                yield message
            elif _now() - beaten >= BEAT_SECONDS:
                beaten = _now()
                yield ": still here\n\n"


async def _check(visit: Visit, listener: Listener) -> None:
    """Takes the caller's audiences anew; raises where the session has ended."""
    access = await visit.door.credentials.exchange(visit.session)
    listener.audiences = frozenset(audiences_of(principal_of(access)))


def _now() -> float:
    return asyncio.get_running_loop().time()
