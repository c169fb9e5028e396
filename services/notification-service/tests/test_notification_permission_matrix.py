"""Every rpc by every role and kind of caller, against a table of its own; an unlisted rpc fails here."""

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from notification_world import Reader, Tenant, World, world
from orkestra.v1 import notification_pb2
from orkestra.v1.notification import (
    CreateWebhookRequest,
    DeleteWebhookRequest,
    EraseMessagesRequest,
    ForgetDeliveriesRequest,
    GetConfirmationRequest,
    GetPreferencesRequest,
    GetWebhookRequest,
    ListDeliveriesRequest,
    ListNotificationsRequest,
    ListWebhooksRequest,
    MarkNotificationsReadRequest,
    PutPreferencesRequest,
    RedeliverRequest,
    RotateWebhookSecretRequest,
    UpdateWebhookRequest,
    UseConfirmationRequest,
)
from orkestra.wire import Error, FailedPrecondition, Model, NotFound, PermissionDenied
from orkestra.wire.server import snake
from test_notification_mail import mailed, text_of

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
    "erase_messages": EraseMessagesRequest(user_id="user_none", version=2),
}
"""Requests that get past the permission and then name nothing that exists, or change nothing."""
GROUP = "support-l1"
OF_ONESELF_OR_A_GROUP: dict[str, tuple[Callable[[str | None], Model], set[str]]] = {
    "get_preferences": (lambda group: GetPreferencesRequest(group_id=group), {"admin", "manager", "colleague"}),
    "put_preferences": (lambda group: PutPreferencesRequest(group_id=group), {"admin", "manager"}),
}
"""Every person's own; of a group for those named here."""
OF_THE_RECIPIENT: dict[str, Callable[[str], Model]] = {
    "get_confirmation": lambda token: GetConfirmationRequest(token=token),
    "use_confirmation": lambda token: UseConfirmationRequest(token=token),
}
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
    listed = [*OF_ADMINS, *OF_PEOPLE, *OF_THE_INSTALLATION, *OF_ONESELF_OR_A_GROUP, *OF_THE_RECIPIENT]
    assert sorted(listed) == sorted(rpcs)


async def refusal(caller: Reader, rpc: str, request: Model) -> Error | None:
    try:
        await getattr(caller, rpc)(request)
    except Error as refused:
        return refused
    return None


async def is_denied(caller: Reader, rpc: str, request: Model) -> bool:
    return isinstance(await refusal(caller, rpc, request), PermissionDenied)


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


@pytest.mark.parametrize("rpc", OF_ONESELF_OR_A_GROUP)
async def test_preferences_are_a_persons_own_and_a_groups_managers(world: World, rpc: str) -> None:
    tenant = world.tenant()
    tenant.group(GROUP)
    request, may = OF_ONESELF_OR_A_GROUP[rpc]
    callers = {who: tenant.reader(kind, subject, who) for who, (kind, subject) in CALLERS.items()}
    callers["colleague"] = tenant.reader("user", "user_colleague", "member", groups=[GROUP])
    for who, caller in callers.items():
        assert await is_denied(caller, rpc, request(None)) is (who in ("agent", "system", "worker")), who
        assert await is_denied(caller, rpc, request(GROUP)) is (who not in may), who


async def test_a_link_is_its_recipients_and_to_everybody_else_as_one_that_does_not_exist(world: World) -> None:
    tenant = world.tenant()
    ana, address = mailed(tenant)
    await tenant.tells("assigned", tenant.task(assignee=ana.id))
    [mail] = await world.mailbox.arrived(address)
    found = re.search(r"/confirm/(\S+)", text_of(mail))
    assert found is not None
    callers = {who: tenant.reader(kind, subject, who) for who, (kind, subject) in CALLERS.items()}
    callers["colleague"] = tenant.reader("user", "user_colleague", "member", groups=[GROUP])
    callers["same id elsewhere"] = world.tenant().reader("user", ana.id, "admin")
    for rpc, request in OF_THE_RECIPIENT.items():
        for who, caller in callers.items():
            came = [await refusal(caller, rpc, request(token)) for token in (found[1], found[1][::-1])]
            assert [type(one) for one in came] == [NotFound, NotFound], (rpc, who)
            assert str(came[0]) == str(came[1]), (rpc, who)
    assert await refusal(ana, "get_confirmation", GetConfirmationRequest(token=found[1])) is None
    use = UseConfirmationRequest(token=found[1])
    assert await refusal(ana, "use_confirmation", use) is None
    assert isinstance(await refusal(ana, "use_confirmation", use), FailedPrecondition)
