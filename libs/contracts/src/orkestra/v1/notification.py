"""Generated from orkestra/v1/notification.proto by tools/generate.py; do not edit."""

from enum import StrEnum
from typing import Protocol

from grpc.aio import Server
from pydantic import Field

from orkestra.v1 import notification_pb2 as pb
from orkestra.wire import Authenticate, Context, Int32, Int64, Model, RpcClient, UtcDatetime, bind


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
    REMINDER = "reminder"
    """A task that you hold, or may take, is to be done."""
    BREACHED = "breached"
    """A task that you hold, or may take, is past its due time."""
    CHANGES = "changes"
    """Changes to what you asked are wanted, or what you wanted changed was answered."""
    RESULT = "result"
    """A workflow that you started has ended."""


class WebhookStatus(StrEnum):
    """Whether a webhook is told of events."""

    ACTIVE = "active"
    DISABLED = "disabled"
    """Switched off, by an admin or after a long failure; nothing is sent."""


class DeliveryStatus(StrEnum):
    """How a delivery stands."""

    PENDING = "pending"
    """Not yet sent, or to be tried again."""
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up."""


class Channel(StrEnum):
    """Ways to tell somebody."""

    IN_APP = "in_app"
    """The feed, which the dashboard shows."""
    EMAIL = "email"
    SLACK = "slack"
    TEAMS = "teams"


class ListNotificationsRequest(Model, pb=pb.ListNotificationsRequest):
    """The page wanted."""

    unread_only: bool | None = Field(default=None)
    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class MarkNotificationsReadRequest(Model, pb=pb.MarkNotificationsReadRequest):
    """Which entries were read."""

    notification_ids: list[str] = Field(default_factory=list)


class CreateWebhookRequest(Model, pb=pb.CreateWebhookRequest):
    """A webhook to be."""

    url: str
    events: list[str] = Field(
        default_factory=list,
        description="Types of events, such as task.completed, or task.* for all of a kind, or *; * where empty.",
    )
    description: str | None = Field(default=None, description="At most 200 characters.")


class GetWebhookRequest(Model, pb=pb.GetWebhookRequest):
    """Which webhook."""

    webhook_id: str


class ListWebhooksRequest(Model, pb=pb.ListWebhooksRequest):
    """All of the tenant: at most 50."""


class DeleteWebhookRequest(Model, pb=pb.DeleteWebhookRequest):
    """Which webhook."""

    webhook_id: str
    version: Int64 | None = Field(default=None)


class RotateWebhookSecretRequest(Model, pb=pb.RotateWebhookSecretRequest):
    """Which webhook."""

    webhook_id: str


class RedeliverRequest(Model, pb=pb.RedeliverRequest):
    """What is sent again."""

    webhook_id: str
    delivery_ids: list[str] = Field(default_factory=list, description="At most 200; all that failed where empty.")


class RedeliverResponse(Model, pb=pb.RedeliverResponse):
    """How much is sent again."""

    deliveries: Int32


class QuietHours(Model, pb=pb.QuietHours):
    """When nothing but what is urgent is sent; the feed has it at once."""

    begins: str = Field(description="Such as 22:00, in the person's or group's time zone.")
    ends: str = Field(description="Such as 07:00; of the next day where it is not after begins.")


class GetPreferencesRequest(Model, pb=pb.GetPreferencesRequest):
    """Whose."""

    group_id: str | None = Field(default=None, description="The caller's own where absent.")


class Confirmation(Model, pb=pb.Confirmation):
    """What a link in a message is about."""

    task_id: str
    version: Int64 = Field(
        description="The version of the task that the message was about; what is decided is decided on that one."
    )
    expires_at: UtcDatetime
    used_at: UtcDatetime | None = Field(default=None)


class GetConfirmationRequest(Model, pb=pb.GetConfirmationRequest):
    """Which link."""

    token: str


class UseConfirmationRequest(Model, pb=pb.UseConfirmationRequest):
    """Which link."""

    token: str


class ForgetDeliveriesRequest(Model, pb=pb.ForgetDeliveriesRequest):
    """Which deliveries are forgotten."""

    created_before: UtcDatetime


class ForgetDeliveriesResponse(Model, pb=pb.ForgetDeliveriesResponse):
    """How many were forgotten, and whether there may be more."""

    forgotten: Int32
    more: bool


class EraseMessagesRequest(Model, pb=pb.EraseMessagesRequest):
    """Names the person."""

    user_id: str
    version: Int64 = Field(
        description="The person's version; what tells of an older one is not kept, also where it comes late."
    )


class EraseMessagesResponse(Model, pb=pb.EraseMessagesResponse):
    """How many records a step has changed, and whether there may be more."""

    erased: Int32
    more: bool


class Notification(Model, pb=pb.Notification):
    """One entry of a person's feed."""

    notification_id: str = Field(description="notification_ and 32 hexadecimal digits.")
    kind: NotificationKind
    text: str = Field(description="A sentence.")
    task_id: str | None = Field(default=None)
    title: str | None = Field(default=None, description="The title of the task.")
    created_at: UtcDatetime
    read_at: UtcDatetime | None = Field(default=None)
    workflow_id: str | None = Field(default=None)


class Webhook(Model, pb=pb.Webhook):
    """An address of an outside system that is told of events, signed as Standard Webhooks 1.0 says."""

    webhook_id: str = Field(description="webhook_ and 32 hexadecimal digits.")
    tenant_id: str
    url: str = Field(description="https://…; loopback and http only in development.")
    events: list[str] = Field(
        default_factory=list, description="Types of events, such as task.completed, or task.* for all of a kind, or *."
    )
    description: str | None = Field(default=None)
    status: WebhookStatus
    disabled_reason: str | None = Field(default=None, description="Why it is disabled: by_admin, failing or gone.")
    disabled_at: UtcDatetime | None = Field(default=None)
    failing_since: UtcDatetime | None = Field(default=None, description="Since when every delivery has failed.")
    old_secret_until: UtcDatetime | None = Field(
        default=None, description="Until when deliveries are signed with the secret before this one as well."
    )
    created_at: UtcDatetime
    updated_at: UtcDatetime
    version: Int64


class UpdateWebhookRequest(Model, pb=pb.UpdateWebhookRequest):
    """What changes of a webhook; what is absent stays."""

    webhook_id: str
    url: str | None = Field(default=None)
    events: list[str] = Field(
        default_factory=list, description="What it is told of from now on; as it was where empty."
    )
    description: str | None = Field(default=None)
    status: WebhookStatus | None = Field(
        default=None, description="Active starts anew: what waits is sent, and failures are forgotten."
    )
    version: Int64 | None = Field(default=None)


class Delivery(Model, pb=pb.Delivery):
    """One event on its way to one receiver."""

    delivery_id: str = Field(description="delivery_ and 32 hexadecimal digits.")
    webhook_id: str
    event_id: str = Field(description="The id that the receiver sees with every try, so that it takes the event once.")
    event_type: str = Field(description="Such as task.completed.")
    status: DeliveryStatus
    attempts: Int32
    created_at: UtcDatetime
    next_try_at: UtcDatetime | None = Field(default=None, description="When it is tried next.")
    last_attempt_at: UtcDatetime | None = Field(default=None)
    delivered_at: UtcDatetime | None = Field(default=None)
    response_status: Int32 | None = Field(default=None, description="What the receiver answered last.")
    error: str | None = Field(default=None, description="Why the last attempt failed.")


class ListDeliveriesRequest(Model, pb=pb.ListDeliveriesRequest):
    """The page wanted."""

    webhook_id: str
    status: DeliveryStatus | None = Field(default=None)
    page_size: Int32 | None = Field(default=None)
    page_token: str | None = Field(default=None)


class ChannelRule(Model, pb=pb.ChannelRule):
    """Where news of one kind go."""

    kind: NotificationKind
    channels: list[Channel] = Field(default_factory=list, description="Nowhere where empty.")


class ListNotificationsResponse(Model, pb=pb.ListNotificationsResponse):
    """A page of the feed."""

    notifications: list[Notification] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)
    unread: Int32 = Field(description="Counted up to 1000.")


class CreatedWebhook(Model, pb=pb.CreatedWebhook):
    """A webhook and its secret."""

    webhook: Webhook
    secret: str = Field(
        description="whsec_ and 32 bytes in base64; shown here only, and empty where the request is answered again."
    )


class ListWebhooksResponse(Model, pb=pb.ListWebhooksResponse):
    """The tenant's webhooks."""

    webhooks: list[Webhook] = Field(default_factory=list)


class WebhookEvent(Model, pb=pb.WebhookEvent):
    """What happened to a webhook: created, updated, deleted, secret_rotated, disabled."""

    webhook: Webhook = Field(
        description="Its url ends with the host: what follows may be a credential of the receiver's."
    )
    audience: list[str] = Field(default_factory=list, description="Who may see it: nobody but admins, who ask.")
    actor: str | None = Field(default=None, description="The principal; absent where a long failure did it.")


class ListDeliveriesResponse(Model, pb=pb.ListDeliveriesResponse):
    """A page of the log."""

    deliveries: list[Delivery] = Field(default_factory=list)
    next_page_token: str | None = Field(default=None)


class Preferences(Model, pb=pb.Preferences):
    """How a person or a group is told of what."""

    owner: str = Field(description="user:<id> or group:<id>.")
    rules: list[ChannelRule] = Field(
        default_factory=list, description="Where which news go: every kind, those too that nobody has chosen for."
    )
    quiet_hours: QuietHours | None = Field(default=None)
    digest_minutes: Int32 | None = Field(default=None, description="Messages are gathered and sent this often.")
    slack_host: str | None = Field(
        default=None, description="The host of the Slack address that is kept; the address is a secret and never shown."
    )
    teams_host: str | None = Field(default=None, description="The same, of Microsoft Teams.")
    locale: str | None = Field(default=None, description="Of a group; a person's are kept with the person.")
    time_zone: str | None = Field(default=None)
    updated_at: UtcDatetime | None = Field(default=None)
    version: Int64


class PutPreferencesRequest(Model, pb=pb.PutPreferencesRequest):
    """How from now on."""

    group_id: str | None = Field(default=None, description="The caller's own where absent.")
    rules: list[ChannelRule] = Field(default_factory=list)
    quiet_hours: QuietHours | None = Field(default=None)
    digest_minutes: Int32 | None = Field(default=None, description="1..1440.")
    slack_url: str | None = Field(
        default=None, description="Of an incoming webhook; as it was where absent, and forgotten where empty."
    )
    teams_url: str | None = Field(default=None, description="The same, of Microsoft Teams.")
    locale: str | None = Field(default=None, description="Of a group: en, de or fr.")
    time_zone: str | None = Field(default=None, description="Of a group: an IANA name such as Europe/Berlin.")
    version: Int64 | None = Field(default=None)


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

    async def create_webhook(self, ctx: Context, request: CreateWebhookRequest) -> CreatedWebhook:
        """Registers an address of an outside system that is told of events, and shows its secret once. For admins."""
        ...

    async def get_webhook(self, ctx: Context, request: GetWebhookRequest) -> Webhook:
        """Returns a webhook. For admins."""
        ...

    async def list_webhooks(self, ctx: Context, request: ListWebhooksRequest) -> ListWebhooksResponse:
        """Returns the tenant's webhooks, the oldest first. For admins."""
        ...

    async def update_webhook(self, ctx: Context, request: UpdateWebhookRequest) -> Webhook:
        """Changes what is given of a webhook, and switches it on or off. For admins."""
        ...

    async def delete_webhook(self, ctx: Context, request: DeleteWebhookRequest) -> Webhook:
        """Removes a webhook with its log and returns it as it was. For admins."""
        ...

    async def rotate_webhook_secret(self, ctx: Context, request: RotateWebhookSecretRequest) -> CreatedWebhook:
        """Gives a webhook a new secret and shows it once; the old one signs beside it for 24 hours. For admins."""
        ...

    async def list_deliveries(self, ctx: Context, request: ListDeliveriesRequest) -> ListDeliveriesResponse:
        """Returns a page of what was sent to a webhook and how it went, newest first. For admins."""
        ...

    async def redeliver(self, ctx: Context, request: RedeliverRequest) -> RedeliverResponse:
        """Sends deliveries of a webhook again: those named, or all that failed. For admins."""
        ...

    async def get_preferences(self, ctx: Context, request: GetPreferencesRequest) -> Preferences:
        """Returns how the caller is told of what, or a group is: for its members, managers and admins."""
        ...

    async def put_preferences(self, ctx: Context, request: PutPreferencesRequest) -> Preferences:
        """Replaces how the caller is told of what, or a group is: for managers and admins."""
        ...

    async def get_confirmation(self, ctx: Context, request: GetConfirmationRequest) -> Confirmation:
        """Returns what a link in a message is about; only for the person or group that the message was for."""
        ...

    async def forget_deliveries(self, ctx: Context, request: ForgetDeliveriesRequest) -> ForgetDeliveriesResponse:
        """Deletes the next of the deliveries that ended and are older than a time. For workflow-worker."""
        ...

    async def erase_messages(self, ctx: Context, request: EraseMessagesRequest) -> EraseMessagesResponse:
        """Erases what a person was told, how they are reached, and what others were told of who they are. For
        workflow-worker.
        """
        ...

    async def use_confirmation(self, ctx: Context, request: UseConfirmationRequest) -> Confirmation:
        """Uses a link up. It decides nothing itself: whoever has decided uses it up, and it opens nothing
        afterwards.
        """
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

    async def create_webhook(
        self, request: CreateWebhookRequest, request_id: str | None = None, timeout: float | None = None
    ) -> CreatedWebhook:
        """Registers an address of an outside system that is told of events, and shows its secret once. For admins."""
        return await self._call(
            "CreateWebhook", request, CreatedWebhook, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_webhook(
        self, request: GetWebhookRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Webhook:
        """Returns a webhook. For admins."""
        return await self._call("GetWebhook", request, Webhook, request_id=request_id, timeout=timeout, idempotent=True)

    async def list_webhooks(
        self, request: ListWebhooksRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListWebhooksResponse:
        """Returns the tenant's webhooks, the oldest first. For admins."""
        return await self._call(
            "ListWebhooks", request, ListWebhooksResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def update_webhook(
        self, request: UpdateWebhookRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Webhook:
        """Changes what is given of a webhook, and switches it on or off. For admins."""
        return await self._call(
            "UpdateWebhook", request, Webhook, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def delete_webhook(
        self, request: DeleteWebhookRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Webhook:
        """Removes a webhook with its log and returns it as it was. For admins."""
        return await self._call(
            "DeleteWebhook", request, Webhook, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def rotate_webhook_secret(
        self, request: RotateWebhookSecretRequest, request_id: str | None = None, timeout: float | None = None
    ) -> CreatedWebhook:
        """Gives a webhook a new secret and shows it once; the old one signs beside it for 24 hours. For admins."""
        return await self._call(
            "RotateWebhookSecret", request, CreatedWebhook, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def list_deliveries(
        self, request: ListDeliveriesRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ListDeliveriesResponse:
        """Returns a page of what was sent to a webhook and how it went, newest first. For admins."""
        return await self._call(
            "ListDeliveries", request, ListDeliveriesResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def redeliver(
        self, request: RedeliverRequest, request_id: str | None = None, timeout: float | None = None
    ) -> RedeliverResponse:
        """Sends deliveries of a webhook again: those named, or all that failed. For admins."""
        return await self._call(
            "Redeliver", request, RedeliverResponse, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_preferences(
        self, request: GetPreferencesRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Preferences:
        """Returns how the caller is told of what, or a group is: for its members, managers and admins."""
        return await self._call(
            "GetPreferences", request, Preferences, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def put_preferences(
        self, request: PutPreferencesRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Preferences:
        """Replaces how the caller is told of what, or a group is: for managers and admins."""
        return await self._call(
            "PutPreferences", request, Preferences, request_id=request_id, timeout=timeout, idempotent=False
        )

    async def get_confirmation(
        self, request: GetConfirmationRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Confirmation:
        """Returns what a link in a message is about; only for the person or group that the message was for."""
        return await self._call(
            "GetConfirmation", request, Confirmation, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def forget_deliveries(
        self, request: ForgetDeliveriesRequest, request_id: str | None = None, timeout: float | None = None
    ) -> ForgetDeliveriesResponse:
        """Deletes the next of the deliveries that ended and are older than a time. For workflow-worker."""
        return await self._call(
            "ForgetDeliveries",
            request,
            ForgetDeliveriesResponse,
            request_id=request_id,
            timeout=timeout,
            idempotent=True,
        )

    async def erase_messages(
        self, request: EraseMessagesRequest, request_id: str | None = None, timeout: float | None = None
    ) -> EraseMessagesResponse:
        """Erases what a person was told, how they are reached, and what others were told of who they are. For
        workflow-worker.
        """
        return await self._call(
            "EraseMessages", request, EraseMessagesResponse, request_id=request_id, timeout=timeout, idempotent=True
        )

    async def use_confirmation(
        self, request: UseConfirmationRequest, request_id: str | None = None, timeout: float | None = None
    ) -> Confirmation:
        """Uses a link up. It decides nothing itself: whoever has decided uses it up, and it opens nothing
        afterwards.
        """
        return await self._call(
            "UseConfirmation", request, Confirmation, request_id=request_id, timeout=timeout, idempotent=False
        )
