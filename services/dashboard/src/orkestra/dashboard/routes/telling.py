"""Notifications and webhooks in the settings: who is told of what, and how."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fastapi.responses import Response
from orkestra.dashboard.routes.happenings import undelivered
from orkestra.dashboard.routes.kinds import N_
from orkestra.dashboard.routes.settings import Trouble, attempt, page, time_zones, trouble_of
from orkestra.dashboard.routes.visit import Visit
from orkestra.dashboard.routes.words import LANGUAGE_NAMES
from orkestra.v1.identity import GetGroupRequest
from orkestra.v1.notification import (
    Channel,
    ChannelRule,
    CreatedWebhook,
    CreateWebhookRequest,
    DeleteWebhookRequest,
    GetPreferencesRequest,
    GetWebhookRequest,
    ListDeliveriesRequest,
    ListWebhooksRequest,
    NotificationKind,
    Preferences,
    PutPreferencesRequest,
    QuietHours,
    RedeliverRequest,
    RotateWebhookSecretRequest,
    UpdateWebhookRequest,
    WebhookStatus,
)
from orkestra.wire import Error, Unauthenticated

PAGE = 50
KINDS = {
    NotificationKind.ASSIGNED: N_("A task was assigned to me"),
    NotificationKind.GROUP_TASK: N_("A group of mine has a new task"),
    NotificationKind.MENTIONED: N_("Somebody mentioned me"),
    NotificationKind.ESCALATED: N_("A task was escalated to me"),
    NotificationKind.ANSWERED: N_("What I asked for was answered"),
    NotificationKind.REMINDER: N_("A task of mine is to be done"),
    NotificationKind.BREACHED: N_("A task of mine is past its due time"),
    NotificationKind.CHANGES: N_("Changes are wanted, or were made"),
    NotificationKind.RESULT: N_("A workflow that I started has ended"),
}
GROUP_KINDS = {
    NotificationKind.GROUP_TASK: N_("The group has a new task"),
    NotificationKind.ESCALATED: N_("A task was escalated to the group"),
    NotificationKind.REMINDER: N_("A task of the group is to be done"),
    NotificationKind.BREACHED: N_("A task of the group is past its due time"),
}
"""What a group itself is told of, in its channel; the rest concerns people."""
CHANNELS = {
    Channel.IN_APP: N_("Here"),
    Channel.EMAIL: N_("E-mail"),
    Channel.SLACK: N_("Slack"),
    Channel.TEAMS: N_("Teams"),
}
GROUP_CHANNELS = (Channel.SLACK, Channel.TEAMS)
DELIVERIES = {"pending": N_("On its way"), "delivered": N_("Delivered"), "failed": N_("Given up")}
REASONS = {
    "by_admin": N_("by an admin"),
    "failing": N_("it failed for too long"),
    "gone": N_("it said that it is gone"),
}


async def preferences(visit: Visit) -> Response:
    """Shows where news of which kind go."""
    return await _preferences(visit, Trouble())


async def put_preferences(visit: Visit) -> Response:
    """Replaces where news of which kind go."""

    async def act() -> Preferences:
        request = PutPreferencesRequest(
            rules=[ChannelRule(kind=kind, channels=_channels(visit, kind)) for kind in KINDS], **_wishes(visit)
        )
        return await visit.notifications.put_preferences(request)

    return await attempt(visit, act, _preferences, "/settings/notifications")


async def group_preferences(visit: Visit) -> Response:
    """Shows what a group is told of in its channels, and in which language."""
    return await _group_preferences(visit, Trouble())


async def put_group_preferences(visit: Visit) -> Response:
    """Replaces what a group is told of; what concerns people alone stays as it is."""
    group_id = _group_id(visit)

    async def act() -> Preferences:
        kept = await visit.notifications.get_preferences(GetPreferencesRequest(group_id=group_id))
        chosen = [ChannelRule(kind=kind, channels=_channels(visit, kind)) for kind in GROUP_KINDS]
        request = PutPreferencesRequest(
            group_id=group_id,
            rules=[*chosen, *(rule for rule in kept.rules if rule.kind not in GROUP_KINDS)],
            locale=visit.value("locale"),
            time_zone=visit.value("time_zone"),
            **_wishes(visit),
        )
        return await visit.notifications.put_preferences(request)

    return await attempt(visit, act, _group_preferences, f"/settings/groups/{group_id}/notifications")


def _wishes(visit: Visit) -> dict[str, Any]:
    """Returns what people and groups wish alike."""
    begins, ends = visit.value("begins"), visit.value("ends")
    return {
        "quiet_hours": QuietHours(begins=begins or "", ends=ends or "") if begins or ends else None,
        "digest_minutes": visit.number("digest_minutes"),
        "slack_url": "" if visit.value("forget_slack") else visit.value("slack_url"),
        "teams_url": "" if visit.value("forget_teams") else visit.value("teams_url"),
        "version": visit.number("version"),
    }


async def webhooks(visit: Visit) -> Response:
    """Lists the webhooks of the tenant."""
    return await _webhooks(visit, Trouble())


async def create_webhook(visit: Visit) -> Response:
    """Registers an address and shows its secret, this once."""
    request = CreateWebhookRequest(
        url=visit.value("url") or "",
        events=(visit.value("events") or "").split(),
        description=visit.value("description"),
    )
    try:
        made = await visit.notifications.create_webhook(request, request_id=visit.request_id)
    except Unauthenticated:
        raise
    except Error as refused:
        return await _webhooks(visit, trouble_of(visit, refused))
    return await _webhooks(visit, Trouble(), made)


async def webhook(visit: Visit) -> Response:
    """Shows one webhook with the log of what was sent to it."""
    return await _webhook(visit, Trouble())


async def change_webhook(visit: Visit) -> Response:
    """Changes a webhook, or switches it on or off."""
    status = visit.value("status")
    request = UpdateWebhookRequest(
        webhook_id=_webhook_id(visit),
        url=visit.value("url"),
        events=(visit.value("events") or "").split(),
        description=visit.value("description"),
        status=WebhookStatus(status) if status in list(WebhookStatus) else None,
        version=visit.number("version"),
    )
    here = f"/settings/webhooks/{_webhook_id(visit)}"
    return await attempt(visit, lambda: visit.notifications.update_webhook(request), _webhook, here)


async def rotate_webhook(visit: Visit) -> Response:
    """Gives a webhook a new secret and shows it, this once."""
    try:
        made = await visit.notifications.rotate_webhook_secret(
            RotateWebhookSecretRequest(webhook_id=_webhook_id(visit))
        )
    except Unauthenticated:
        raise
    except Error as refused:
        return await _webhook(visit, trouble_of(visit, refused))
    return await _webhook(visit, Trouble(), made)


async def delete_webhook(visit: Visit) -> Response:
    """Removes a webhook with its log."""
    request = DeleteWebhookRequest(webhook_id=_webhook_id(visit))
    return await attempt(visit, lambda: visit.notifications.delete_webhook(request), _webhook, "/settings/webhooks")


async def redeliver(visit: Visit) -> Response:
    """Sends one delivery again, or all that failed."""
    request = RedeliverRequest(webhook_id=_webhook_id(visit), delivery_ids=visit.values("delivery_id"))
    here = f"/settings/webhooks/{_webhook_id(visit)}"
    return await attempt(visit, lambda: visit.notifications.redeliver(request), _webhook, here)


async def _preferences(visit: Visit, trouble: Trouble) -> Response:
    kept = await visit.notifications.get_preferences(GetPreferencesRequest())
    choices = _choices(visit, kept, KINDS, tuple(CHANNELS))
    return await page(visit, "preferences", "settings_preferences.html", trouble, kept=kept, group=None, **choices)


async def _group_preferences(visit: Visit, trouble: Trouble) -> Response:
    group = await visit.identity.get_group(GetGroupRequest(group_id=_group_id(visit)))
    kept = await visit.notifications.get_preferences(GetPreferencesRequest(group_id=group.group_id))
    choices = _choices(visit, kept, GROUP_KINDS, GROUP_CHANNELS)
    typed = {"locale": visit.value("locale") or kept.locale, "time_zone": visit.value("time_zone") or kept.time_zone}
    more: dict[str, Any] = {"languages": LANGUAGE_NAMES, "zones": time_zones(), "typed": typed}
    return await page(visit, "groups", "settings_preferences.html", trouble, kept=kept, group=group, **choices, **more)


def _choices(
    visit: Visit, kept: Preferences, kinds: Mapping[NotificationKind, str], channels: Sequence[Channel]
) -> dict[str, Any]:
    chosen = {rule.kind: rule.channels for rule in kept.rules}
    text = visit.words.text
    return {
        "channels": [(channel.value, text(CHANNELS[channel])) for channel in channels],
        "kinds": [(kind.value, text(label), chosen.get(kind, [])) for kind, label in kinds.items()],
    }


async def _webhooks(visit: Visit, trouble: Trouble, made: CreatedWebhook | None = None) -> Response:
    found = await visit.notifications.list_webhooks(ListWebhooksRequest())
    typed = {name: visit.value(name) or "" for name in ("url", "events", "description")}
    return await page(
        visit,
        "webhooks",
        "settings_webhooks.html",
        trouble,
        found=found.webhooks,
        made=made,
        typed=typed,
        **_said(visit),
    )


async def _webhook(visit: Visit, trouble: Trouble, made: CreatedWebhook | None = None) -> Response:
    webhook_id = _webhook_id(visit)
    found = await visit.notifications.get_webhook(GetWebhookRequest(webhook_id=webhook_id))
    request = ListDeliveriesRequest(webhook_id=webhook_id, page_size=PAGE, page_token=visit.query("page_token"))
    log = await visit.notifications.list_deliveries(request)
    more = f"/settings/webhooks/{webhook_id}?page_token={log.next_page_token}" if log.next_page_token else None
    return await page(
        visit,
        "webhooks",
        "settings_webhook.html",
        trouble,
        webhook=found,
        log=log.deliveries,
        why=partial(undelivered, visit.words),
        next_href=more,
        made=made,
        **_said(visit),
    )


def _said(visit: Visit) -> dict[str, Any]:
    told = {"delivery_words": DELIVERIES, "reason_words": REASONS}
    return {name: {value: visit.words.text(label) for value, label in words.items()} for name, words in told.items()}


def _channels(visit: Visit, kind: NotificationKind) -> list[Channel]:
    return [Channel(each) for each in visit.values(f"rules.{kind.value}") if each in list(Channel)]


def _group_id(visit: Visit) -> str:
    return str(visit.request.path_params["group_id"])


def _webhook_id(visit: Visit) -> str:
    return str(visit.request.path_params["webhook_id"])
