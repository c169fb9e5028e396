"""The lists of the settings and of what is new as CSV: what their pages show, all of it, for whom their pages are."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import suppress
from typing import Any

from fastapi.responses import Response
from orkestra.dashboard.routes.exporting import csv_answer, every
from orkestra.dashboard.routes.visit import Visit
from orkestra.v1.identity import (
    GetGroupRequest,
    GetUserRequest,
    Group,
    ListApiKeysRequest,
    ListGroupsRequest,
    ListUsersRequest,
)
from orkestra.v1.notification import (
    ListDeliveriesRequest,
    ListNotificationsRequest,
    ListWebhooksRequest,
)
from orkestra.v1.task import (
    Calendar,
    GetEscalationPolicyRequest,
    GetTaskHistoryRequest,
    ListCalendarsRequest,
    TaskHistoryEntry,
)
from orkestra.v1.workflow import GetTimelineRequest, GetWorkflowRequest, TimelineEntry
from orkestra.wire import Model, NotFound

PAGE = 100

PEOPLE = ("user_id", "name", "email", "roles", "groups", "status", "locale", "time_zone", "created_at")
GROUPS = ("group_id", "name", "members", "strategy", "max_open_tasks", "skills", "created_at")
KEYS = (
    *("key_id", "name", "prefix", "kind", "roles", "on_behalf_of", "allowed_ips", "created_at"),
    *("last_used_at", "expires_at", "revoked_at"),
)
WEBHOOKS = ("webhook_id", "url", "events", "description", "status", "disabled_reason", "failing_since", "created_at")
DELIVERIES = (
    *("delivery_id", "event_id", "event_type", "status", "attempts", "created_at", "last_attempt_at"),
    *("next_try_at", "delivered_at", "response_status", "error"),
)
HISTORY = ("sequence", "at", "event", "actor", "acted_for", "door", "reason", "changed")
TIMELINE = ("at", "kind", "event", "text", "task_id", "actor")
NEWS = ("created_at", "kind", "title", "text", "task_id", "workflow_id", "read_at")


async def people_csv(visit: Visit) -> Response:
    """Writes the people of the tenant."""
    found = every(visit.identity.list_users, ListUsersRequest(page_size=PAGE), of="users")
    return await csv_answer("people", PEOPLE, _columns(found, PEOPLE))


async def groups_csv(visit: Visit) -> Response:
    """Writes the groups of the tenant; members are counted."""
    found = every(visit.identity.list_groups, ListGroupsRequest(page_size=PAGE), of="groups")
    return await csv_answer("groups", GROUPS, _groups(found))


async def members_csv(visit: Visit) -> Response:
    """Writes the members of one group."""
    asked = GetGroupRequest(group_id=str(visit.request.path_params["group_id"]))
    return await csv_answer("members", PEOPLE, _members(visit, asked))


async def keys_csv(visit: Visit) -> Response:
    """Writes the keys of the tenant, never a secret."""
    found = every(visit.identity.list_api_keys, ListApiKeysRequest(page_size=PAGE), of="api_keys")
    return await csv_answer("api-keys", KEYS, _columns(found, KEYS))


async def webhooks_csv(visit: Visit) -> Response:
    """Writes the webhooks of the tenant, never a secret."""
    found = (await visit.notifications.list_webhooks(ListWebhooksRequest())).webhooks
    return await csv_answer("webhooks", WEBHOOKS, _columns(_each(found), WEBHOOKS))


async def deliveries_csv(visit: Visit) -> Response:
    """Writes what was sent to one webhook."""
    asked = ListDeliveriesRequest(webhook_id=str(visit.request.path_params["webhook_id"]), page_size=PAGE)
    found = every(visit.notifications.list_deliveries, asked, of="deliveries")
    return await csv_answer("deliveries", DELIVERIES, _columns(found, DELIVERIES))


async def news_csv(visit: Visit) -> Response:
    """Writes the caller's feed."""
    found = every(visit.notifications.list_notifications, ListNotificationsRequest(page_size=PAGE), of="notifications")
    return await csv_answer("news", NEWS, _columns(found, NEWS))


async def history_csv(visit: Visit) -> Response:
    """Writes what happened to one task; of a change the names of the fields, their values stay on the page."""
    asked = GetTaskHistoryRequest(task_id=str(visit.request.path_params["task_id"]))
    found = (await visit.tasks.get_task_history(asked)).entries
    return await csv_answer("history", HISTORY, _changes(found))


async def timeline_csv(visit: Visit) -> Response:
    """Writes what happened in one run; nothing where its timeline is no longer kept."""
    workflow_id = str(visit.request.path_params["workflow_id"])
    await visit.workflows.get_workflow(GetWorkflowRequest(workflow_id=workflow_id))
    found: list[TimelineEntry] = []
    with suppress(NotFound):
        found = (await visit.workflows.get_timeline(GetTimelineRequest(workflow_id=workflow_id))).entries
    return await csv_answer("timeline", TIMELINE, _columns(_each(found), TIMELINE))


async def calendars_csv(visit: Visit) -> Response:
    """Writes the calendars of the tenant: a row for each stretch of open hours and each holiday."""
    found = every(visit.tasks.list_calendars, ListCalendarsRequest(page_size=PAGE), of="calendars")
    columns = ("calendar_id", "name", "group_id", "time_zone", "day", "opens", "closes", "holiday")
    return await csv_answer("calendars", columns, _calendars(found))


async def policy_csv(visit: Visit) -> Response:
    """Writes the rules of the escalation policy, in their order."""
    policy = await visit.tasks.get_escalation_policy(GetEscalationPolicyRequest())
    columns = ("topic", "threshold", "sample_rate")
    return await csv_answer("escalation-policy", columns, _columns(_each(policy.rules), columns))


async def _columns(found: AsyncIterator[Model], names: Sequence[str]) -> AsyncIterator[list[Any]]:
    async for each in found:
        yield [getattr(each, name) for name in names]


async def _each(found: Iterable[Model]) -> AsyncIterator[Model]:
    for each in found:
        yield each


async def _changes(found: Iterable[TaskHistoryEntry]) -> AsyncIterator[list[Any]]:
    for entry in found:
        changed = sorted({*(entry.before or {}), *(entry.after or {})})
        yield [changed if name == "changed" else getattr(entry, name) for name in HISTORY]


async def _groups(found: AsyncIterator[Group]) -> AsyncIterator[list[Any]]:
    async for group in found:
        yield [len(group.members) if name == "members" else getattr(group, name) for name in GROUPS]


async def _members(visit: Visit, asked: GetGroupRequest) -> AsyncIterator[list[Any]]:
    for user_id in (await visit.identity.get_group(asked)).members:
        try:
            user = await visit.identity.get_user(GetUserRequest(user_id=user_id))
        except NotFound:
            continue  # gone meanwhile
        yield [getattr(user, name) for name in PEOPLE]


async def _calendars(found: AsyncIterator[Calendar]) -> AsyncIterator[list[Any]]:
    async for each in found:
        named = [each.calendar_id, each.name, each.group_id, each.working_hours.time_zone]
        for hours in each.working_hours.hours:
            yield [*named, hours.weekday, hours.opens, hours.closes, None]
        for holiday in each.working_hours.holidays:
            yield [*named, holiday.date, None, None, holiday.name]
