"""Generated from orkestra/v1/notification.proto by tools/generate.py; do not edit."""

from enum import StrEnum
from typing import Protocol

from grpc.aio import Server
from pydantic import Field

from orkestra.v1 import notification_pb2 as pb
from orkestra.wire import Authenticate, Context, Int32, Model, RpcClient, UtcDatetime, bind


class NotificationKind(StrEnum):
    """Why somebody is told."""

    ASSIGNED = "assigned"
    """A task was assigned to you."""
    GROUP_TASK = "group_task"
    """A group of yours has a new task."""
    MENTIONED = "mentioned"
    """Somebody mentioned you."""
    ESCALATED = "escalated"
    """A task was escalated to you or a group of yours."""
    ANSWERED = "answered"
    """What you asked for has been answered."""


class ListNotificationsRequest(Model, pb=pb.ListNotificationsRequest):
    """The page wanted."""

    unread_only: bool | None = Field(default=None)
    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class MarkNotificationsReadRequest(Model, pb=pb.MarkNotificationsReadRequest):
    """Which entries were read."""

    notification_ids: list[str] = Field(default_factory=list)


class Notification(Model, pb=pb.Notification):
    """One entry of a person's feed."""

    notification_id: str = Field(description="notification_ and 32 hexadecimal digits.")
    kind: NotificationKind
    text: str = Field(description="A sentence.")
    task_id: str | None = Field(default=None)
    title: str | None = Field(default=None, description="The title of the task.")
    created_at: UtcDatetime
    read_at: UtcDatetime | None = Field(default=None)


class ListNotificationsResponse(Model, pb=pb.ListNotificationsResponse):
    """A page of the feed."""

    notifications: list[Notification] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)
    unread: Int32 = Field(description="Counted up to 1000.")


class NotificationServiceServer(Protocol):
    """Who is told, and how."""

    async def list_notifications(self, ctx: Context, request: ListNotificationsRequest) -> ListNotificationsResponse:
        """Returns a page of the caller's feed, newest first, with the number of unread entries."""
        ...

    async def mark_notifications_read(
        self, ctx: Context, request: MarkNotificationsReadRequest
    ) -> ListNotificationsResponse:
        """Marks entries of the caller's feed as read; all of them where none is named."""
        ...


def add_notification_service(server: Server, operations: NotificationServiceServer, authenticate: Authenticate) -> None:
    """Serve the rpcs of NotificationService with `operations`."""
    bind(server, pb.DESCRIPTOR.services_by_name["NotificationService"], operations, authenticate)


class NotificationServiceClient(RpcClient, service="orkestra.v1.NotificationService"):
    """Who is told, and how."""

    async def list_notifications(
        self, request: ListNotificationsRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListNotificationsResponse:
        """Returns a page of the caller's feed, newest first, with the number of unread entries."""
        return await self._call(
            "ListNotifications",
            request,
            ListNotificationsResponse,
            request_id=request_id,
            timeout=timeout,
            idempotent=True,
        )

    async def mark_notifications_read(
        self, request: MarkNotificationsReadRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListNotificationsResponse:
        """Marks entries of the caller's feed as read; all of them where none is named."""
        return await self._call(
            "MarkNotificationsRead",
            request,
            ListNotificationsResponse,
            request_id=request_id,
            timeout=timeout,
            idempotent=True,
        )
