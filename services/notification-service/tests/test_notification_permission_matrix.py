"""Every rpc by every role and kind of caller, against a table of its own; an unlisted rpc fails here."""

from datetime import UTC, datetime

import pytest
from notification_world import Reader, Tenant, World, world
from orkestra.v1 import notification_pb2
from orkestra.v1.notification import (
    CreateWebhookRequest,
    DeleteWebhookRequest,
    EraseMessagesRequest,
    ForgetDeliveriesRequest,
    GetWebhookRequest,
    ListDeliveriesRequest,
    ListNotificationsRequest,
    ListWebhooksRequest,
    MarkNotificationsReadRequest,
    RedeliverRequest,
    RotateWebhookSecretRequest,
    UpdateWebhookRequest,
)
from orkestra.wire import Error, Model, PermissionDenied
from orkestra.wire.server import snake

__all__ = ["world"]

NONE = "webhook_" + "0" * 32
OF_ADMINS: dict[str, Model] = {
    "create_webhook": CreateWebhookRequest(url="no address"),
    "get_webhook": GetWebhookRequest(webhook_id=NONE),
    "list_webhooks": ListWebhooksRequest(),
    "update_webhook": UpdateWebhookRequest(webhook_id=NONE, description="x"),
    "delete_webhook": DeleteWebhookRequest(webhook_id=NONE),
    "rotate_webhook_secret": RotateWebhookSecretRequest(webhook_id=NONE),
    "list_deliveries": ListDeliveriesRequest(webhook_id=NONE),
    "redeliver": RedeliverRequest(webhook_id=NONE),
}
OF_PEOPLE: dict[str, Model] = {
    "list_notifications": ListNotificationsRequest(),
    "mark_notifications_read": MarkNotificationsReadRequest(notification_ids=[]),
}
OF_THE_INSTALLATION: dict[str, Model] = {
    "forget_deliveries": ForgetDeliveriesRequest(created_before=datetime(2000, 1, 1, tzinfo=UTC)),
    "erase_messages": EraseMessagesRequest(user_id="user_none"),
}
"""Requests that get past the permission and then name nothing that exists, or change nothing."""
ELSEWHERE = {"get_preferences", "put_preferences", "get_confirmation", "use_confirmation"}
"""Of oneself, one's group, or one link's recipient: test_notification_mail.py, test_notification_verdict.py."""
CALLERS = {
    **{role: ("user", f"user_{role}") for role in ("admin", "manager", "member", "auditor")},
    "agent": ("agent", "key_agent"),
    "system": ("service", "key_system"),
    "worker": ("service", "worker"),
}


def test_every_rpc_is_listed() -> None:
    rpcs = {
        snake(method.name) for method in notification_pb2.DESCRIPTOR.services_by_name["NotificationService"].methods
    }
    assert sorted([*OF_ADMINS, *OF_PEOPLE, *OF_THE_INSTALLATION, *ELSEWHERE]) == sorted(rpcs)


async def is_denied(caller: Reader, rpc: str, request: Model) -> bool:
    try:
        await getattr(caller, rpc)(request)
    except Error as refused:
        return isinstance(refused, PermissionDenied)
    return False


@pytest.mark.parametrize("role", CALLERS)
async def test_a_caller_is_denied_all_but_what_is_theirs(world: World, role: str) -> None:
    kind, subject = CALLERS[role]
    caller = world.tenant().reader(kind, subject, role)
    for rpc, request in OF_ADMINS.items():
        assert await is_denied(caller, rpc, request) is (role != "admin"), rpc
    for rpc, request in OF_PEOPLE.items():
        assert await is_denied(caller, rpc, request) is (kind != "user"), rpc
    for rpc, request in OF_THE_INSTALLATION.items():
        assert await is_denied(caller, rpc, request), rpc


async def test_nobody_takes_the_installations_place_by_a_name(world: World) -> None:
    tenant: Tenant = world.tenant()
    for kind, subject in (("user", "service"), ("agent", "service"), ("service", "key_service")):
        caller = tenant.reader(kind, subject, "admin", "system")
        for rpc, request in OF_THE_INSTALLATION.items():
            assert await is_denied(caller, rpc, request), (kind, subject, rpc)
    own = tenant.reader("service", "service", "system")
    for rpc, request in OF_THE_INSTALLATION.items():
        assert not await is_denied(own, rpc, request), rpc
