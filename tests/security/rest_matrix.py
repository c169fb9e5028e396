"""Every REST route and what is tried at it with what belongs to another tenant; a route that is not here fails."""

from enum import StrEnum
from typing import Any

Body = dict[str, Any]


class Tried(StrEnum):
    """What a route is tried with."""

    THEIR_ID = "their id"
    """Their id stands in the path: the answer is that of an id which does not exist, and nothing of theirs changes."""
    LIST = "list"
    """A list, asked whole and with their ids as filters: nothing of theirs is in it."""
    BODY = "body"
    """Their ids stand in the body (BODIES): answered as made-up ones are, and nothing of theirs changes."""
    STREAM = "stream"
    """What is told is filtered by tenant and audience: test_rest_events.py listens as people of two tenants."""
    FILE = "file"
    """A file on its way in or out: their ids answer as ids that do not exist."""
    OWN = "own"
    """Names nothing: it can only meet what is the caller's or the caller's tenant's."""
    INSTALLATION = "installation"
    """The installation's, the same for every tenant, or about whoever holds a credential or mailed secret."""


THEIR_ID, LIST, BODY, STREAM, FILE, OWN, INSTALLATION = Tried

MATRIX: dict[str, Tried] = {
    "POST /v1/sessions": INSTALLATION,
    "DELETE /v1/sessions/current": INSTALLATION,
    "GET /v1/sign-in-methods": INSTALLATION,
    "GET /v1/me": OWN,
    "PATCH /v1/me": OWN,
    "POST /v1/me/password": INSTALLATION,
    "POST /v1/password-resets": INSTALLATION,
    "POST /v1/mail-links/redeem": INSTALLATION,
    "GET /v1/workflow-definitions": INSTALLATION,
    "GET /v1/workflow-definitions/{name}": INSTALLATION,
    "POST /v1/workflows": BODY,
    "GET /v1/workflows": LIST,
    "GET /v1/workflows/{workflow_id}": THEIR_ID,
    "GET /v1/workflows/{workflow_id}/result": THEIR_ID,
    "GET /v1/workflows/{workflow_id}/timeline": THEIR_ID,
    "POST /v1/workflows/{workflow_id}/signal": THEIR_ID,
    "POST /v1/workflows/{workflow_id}/query": THEIR_ID,
    "POST /v1/workflows/{workflow_id}/update": THEIR_ID,
    "POST /v1/workflows/{workflow_id}/cancel": THEIR_ID,
    "POST /v1/workflows/{workflow_id}/terminate": THEIR_ID,
    "POST /v1/workflows/{workflow_id}/reset": THEIR_ID,
    "GET /v1/retention": OWN,
    "PUT /v1/retention": OWN,
    "POST /v1/erasures": BODY,
    "GET /v1/erasures": LIST,
    "GET /v1/erasures/{erasure_id}": THEIR_ID,
    "POST /v1/schedules": OWN,
    "GET /v1/schedules": LIST,
    "GET /v1/schedules/{schedule_id}": THEIR_ID,
    "PATCH /v1/schedules/{schedule_id}": THEIR_ID,
    "DELETE /v1/schedules/{schedule_id}": THEIR_ID,
    "POST /v1/schedules/{schedule_id}/trigger": THEIR_ID,
    "POST /v1/tasks": BODY,
    "GET /v1/tasks": LIST,
    "GET /v1/tasks/counts": LIST,
    "POST /v1/tasks/bulk": BODY,
    "GET /v1/tasks/{task_id}": THEIR_ID,
    "GET /v1/tasks/{task_id}/form": THEIR_ID,
    "GET /v1/tasks/{task_id}/history": THEIR_ID,
    "GET /v1/tasks/{task_id}/history/verify": THEIR_ID,
    "PATCH /v1/tasks/{task_id}": THEIR_ID,
    "POST /v1/tasks/{task_id}/claim": THEIR_ID,
    "POST /v1/tasks/{task_id}/release": THEIR_ID,
    "POST /v1/tasks/{task_id}/assign": THEIR_ID,
    "POST /v1/tasks/{task_id}/delegate": THEIR_ID,
    "POST /v1/tasks/{task_id}/draft": THEIR_ID,
    "POST /v1/tasks/{task_id}/complete": THEIR_ID,
    "POST /v1/tasks/{task_id}/undo": THEIR_ID,
    "POST /v1/tasks/{task_id}/vote": THEIR_ID,
    "POST /v1/tasks/{task_id}/request-changes": THEIR_ID,
    "POST /v1/tasks/{task_id}/answer": THEIR_ID,
    "POST /v1/tasks/{task_id}/cancel": THEIR_ID,
    "POST /v1/tasks/{task_id}/escalate": THEIR_ID,
    "GET /v1/tasks/{task_id}/comments": THEIR_ID,
    "POST /v1/tasks/{task_id}/comments": THEIR_ID,
    "GET /v1/tasks/{task_id}/attachments": THEIR_ID,
    "POST /v1/tasks/{task_id}/attachments": FILE,
    "GET /v1/tasks/{task_id}/attachments/{attachment_id}/content": FILE,
    "GET /v1/tasks/{task_id}/attachments/{attachment_id}": THEIR_ID,
    "DELETE /v1/tasks/{task_id}/attachments/{attachment_id}": THEIR_ID,
    "GET /v1/task-settings": OWN,
    "PUT /v1/task-settings": OWN,
    "GET /v1/escalation-policies": OWN,
    "PUT /v1/escalation-policies": OWN,
    "POST /v1/escalation-policies/check": OWN,
    "GET /v1/escalation-policies/checks": LIST,
    "GET /v1/escalation-policies/checks/{check_id}": THEIR_ID,
    "GET /v1/corrections": LIST,
    "GET /v1/corrections/statistics": LIST,
    "POST /v1/receipts/redeem": BODY,
    "GET /v1/receipts/jwks": INSTALLATION,
    "POST /v1/calendars": BODY,
    "GET /v1/calendars": LIST,
    "GET /v1/calendars/{calendar_id}": THEIR_ID,
    "PUT /v1/calendars/{calendar_id}": THEIR_ID,
    "DELETE /v1/calendars/{calendar_id}": THEIR_ID,
    "POST /v1/views": BODY,
    "GET /v1/views": LIST,
    "GET /v1/views/{view_id}": THEIR_ID,
    "PUT /v1/views/{view_id}": THEIR_ID,
    "DELETE /v1/views/{view_id}": THEIR_ID,
    "GET /v1/notifications": LIST,
    "POST /v1/notifications/read": BODY,
    "GET /v1/metrics/tasks": LIST,
    "POST /v1/webhooks": OWN,
    "GET /v1/webhooks": LIST,
    "GET /v1/webhooks/{webhook_id}": THEIR_ID,
    "PATCH /v1/webhooks/{webhook_id}": THEIR_ID,
    "DELETE /v1/webhooks/{webhook_id}": THEIR_ID,
    "GET /v1/webhooks/{webhook_id}/deliveries": THEIR_ID,
    "POST /v1/webhooks/{webhook_id}/rotate": THEIR_ID,
    "POST /v1/webhooks/{webhook_id}/redeliver": THEIR_ID,
    "GET /v1/preferences": LIST,
    "PUT /v1/preferences": BODY,
    "POST /v1/tenants": OWN,
    "GET /v1/tenants": LIST,
    "GET /v1/tenants/{tenant_id}": THEIR_ID,
    "PATCH /v1/tenants/{tenant_id}": THEIR_ID,
    "POST /v1/tenants/{tenant_id}/suspend": THEIR_ID,
    "POST /v1/tenants/{tenant_id}/resume": THEIR_ID,
    "DELETE /v1/tenants/{tenant_id}": THEIR_ID,
    "GET /v1/deleted-tenants": INSTALLATION,
    "POST /v1/users": BODY,
    "GET /v1/users": LIST,
    "GET /v1/users/{user_id}": THEIR_ID,
    "PATCH /v1/users/{user_id}": THEIR_ID,
    "POST /v1/users/{user_id}/disable": THEIR_ID,
    "POST /v1/users/{user_id}/enable": THEIR_ID,
    "POST /v1/users/{user_id}/invite": THEIR_ID,
    "GET /v1/users/{user_id}/substitution": THEIR_ID,
    "PUT /v1/users/{user_id}/substitution": THEIR_ID,
    "POST /v1/groups": BODY,
    "GET /v1/groups": LIST,
    "GET /v1/groups/{group_id}": THEIR_ID,
    "PATCH /v1/groups/{group_id}": THEIR_ID,
    "DELETE /v1/groups/{group_id}": THEIR_ID,
    "POST /v1/groups/{group_id}/members": THEIR_ID,
    "DELETE /v1/groups/{group_id}/members/{user_id}": THEIR_ID,
    "POST /v1/api-keys": BODY,
    "GET /v1/api-keys": LIST,
    "GET /v1/api-keys/{key_id}": THEIR_ID,
    "PATCH /v1/api-keys/{key_id}": THEIR_ID,
    "POST /v1/api-keys/{key_id}/rotate": THEIR_ID,
    "POST /v1/api-keys/{key_id}/revoke": THEIR_ID,
    "POST /v1/linked-subjects": BODY,
    "GET /v1/linked-subjects": LIST,
    "DELETE /v1/linked-subjects/{subject_id}": THEIR_ID,
    "GET /v1/audit": LIST,
    "GET /v1/events": STREAM,
}

BODIES: dict[str, Body] = {  # words in braces are ids: theirs first, then made-up ones
    "POST /v1/erasures": {"user_id": "{user_id}"},
    "POST /v1/workflows": {
        "definition": "customer-support",
        "input": {"question": "q", "conversation_id": "c", "customer_id": "d"},
        "on_behalf_of": "{user_id}",
    },
    "POST /v1/tasks": {"title": "Ours", "assignee": "{user_id}", "candidate_groups": ["{group_id}"]},
    "POST /v1/tasks/bulk": {"operation": "cancel", "tasks": [{"task_id": "{task_id}"}], "reason": "r"},
    "POST /v1/receipts/redeem": {"token": "{receipt}", "use_id": "theirs"},
    "POST /v1/calendars": {
        "calendar_id": "ours-{number}",
        "name": "Ours",
        "group_id": "{group_id}",
        "working_hours": {"time_zone": "UTC", "hours": [{"weekday": "monday", "opens": "09:00", "closes": "17:00"}]},
    },
    "POST /v1/views": {"name": "Ours", "group_id": "{group_id}", "filter": {"assignee": "{user_id}"}},
    "POST /v1/notifications/read": {"notification_ids": ["{notification_id}"]},
    "PUT /v1/preferences": {"group_id": "{group_id}", "digest_minutes": 60},
    "POST /v1/linked-subjects": {"issuer": "https://idp.example", "subject": "ours", "principal": "{user_id}"},
    "POST /v1/users": {"email": "ours-{number}@demo.example", "name": "Ours", "groups": ["{group_id}"]},
    "POST /v1/groups": {"group_id": "ours-{number}", "members": ["{user_id}"]},
    "POST /v1/api-keys": {"name": "Ours", "kind": "agent", "on_behalf_of": ["{user_id}"]},
}
"""What is sent to the routes that are tried with a body."""
