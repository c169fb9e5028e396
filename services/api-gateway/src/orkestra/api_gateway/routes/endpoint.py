"""What is served where: each endpoint is one rpc of a room."""

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from orkestra.v1.identity import ApiKey, Group, IdentityServiceClient, Substitution, Tenant, User
from orkestra.v1.notification import NotificationServiceClient, Preferences, Webhook
from orkestra.v1.task import Calendar, EscalationPolicy, Task, TaskServiceClient, TaskSettings, View
from orkestra.v1.workflow import Retention, Schedule, WorkflowServiceClient
from orkestra.wire import Model, RpcClient

VERSIONED: tuple[type[Model], ...] = (
    Task,
    Calendar,
    View,
    EscalationPolicy,
    TaskSettings,
    Schedule,
    Retention,
    Tenant,
    User,
    Substitution,
    Group,
    ApiKey,
    Webhook,
    Preferences,
)
"""Resources whose version is their entity tag."""
MOST_WAIT = 50
"""Longest wait, in seconds, that a held call may ask for."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One method at one path.

    The request message is read from the path, and from the query of a GET or DELETE or the body of the others; the
    answer is the rpc's answer as it is.
    """

    verb: str
    path: str
    rpc: Callable[..., Awaitable[Model]]
    status: int = 200
    location: str | None = None
    """Where the new resource is, as a template over the answer's fields."""
    is_open: bool = False
    """Whether it is served without a credential."""
    holds: bool = False
    """Whether the request's `wait` keeps the call open."""
    credential_field: str | None = None
    """The field of the request message that the caller's own credential fills."""
    answer_field: str | None = None
    """The field of the rpc's answer that is the body, where a standard says what the body looks like."""

    @cached_property
    def room(self) -> type[RpcClient]:
        """The client of the room that is asked."""
        return next(room for room in ROOMS if vars(room).get(self.rpc.__name__) is self.rpc)

    @cached_property
    def takes(self) -> type[Model]:
        """The request message."""
        taken: type[Model] = inspect.signature(self.rpc, eval_str=True).parameters["request"].annotation
        return taken

    @cached_property
    def gives(self) -> type[Model]:
        """The answer."""
        given: type[Model] = inspect.signature(self.rpc, eval_str=True).return_annotation
        return given

    @cached_property
    def in_path(self) -> frozenset[str]:
        """Fields of the request message that are part of the path."""
        return frozenset(re.findall(r"{(\w+)}", self.path))

    @cached_property
    def open_fields(self) -> dict[str, Any]:
        """Fields of the request message that the query or the body may give."""
        taken = self.in_path | {self.credential_field}
        return {name: field for name, field in self.takes.model_fields.items() if name not in taken}

    @property
    def has_body(self) -> bool:
        """Whether the request message is read from a JSON body."""
        return self.verb in ("POST", "PUT", "PATCH")

    @property
    def takes_key(self) -> bool:
        """Whether an `Idempotency-Key` has an effect: a caller is known, and something is done."""
        return self.verb == "POST" and not self.is_open and self.rpc is not WorkflowServiceClient.query_workflow

    @property
    def is_decision(self) -> bool:
        """Whether `If-Match` may name the version that the caller saw."""
        return self.verb != "GET" and "version" in self.open_fields and self.gives in VERSIONED


ROOMS: tuple[type[RpcClient], ...] = (
    IdentityServiceClient,
    TaskServiceClient,
    WorkflowServiceClient,
    NotificationServiceClient,
)


def _get(path: str, rpc: Callable[..., Awaitable[Model]], *, holds: bool = False) -> Endpoint:
    return Endpoint(verb="GET", path=path, rpc=rpc, holds=holds)


def _post(path: str, rpc: Callable[..., Awaitable[Model]]) -> Endpoint:
    return Endpoint(verb="POST", path=path, rpc=rpc)


def _create(path: str, rpc: Callable[..., Awaitable[Model]], *, location: str | None = None) -> Endpoint:
    return Endpoint(verb="POST", path=path, rpc=rpc, status=201, location=location)


_identity, _tasks, _workflows = IdentityServiceClient, TaskServiceClient, WorkflowServiceClient
_notifications = NotificationServiceClient

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(verb="POST", path="/v1/sessions", rpc=_identity.sign_in, status=201, is_open=True),
    Endpoint(verb="DELETE", path="/v1/sessions/current", rpc=_identity.sign_out, status=204, credential_field="token"),
    Endpoint(verb="GET", path="/v1/sign-in-methods", rpc=_identity.list_sign_in_methods, is_open=True),
    _get("/v1/me", _identity.get_me),
    Endpoint(verb="PATCH", path="/v1/me", rpc=_identity.update_me),
    Endpoint(verb="POST", path="/v1/me/password", rpc=_identity.change_password, status=204, credential_field="token"),
    Endpoint(verb="POST", path="/v1/password-resets", rpc=_identity.request_password_reset, status=202, is_open=True),
    Endpoint(verb="POST", path="/v1/mail-links/redeem", rpc=_identity.redeem_mail_link, is_open=True),
    _get("/v1/workflow-definitions", _workflows.list_definitions),
    _get("/v1/workflow-definitions/{name}", _workflows.get_definition),
    _create("/v1/workflows", _workflows.start_workflow, location="/v1/workflows/{workflow_id}"),
    _get("/v1/workflows", _workflows.list_workflows),
    _get("/v1/workflows/{workflow_id}", _workflows.get_workflow),
    _get("/v1/workflows/{workflow_id}/result", _workflows.get_workflow_result, holds=True),
    _get("/v1/workflows/{workflow_id}/timeline", _workflows.get_timeline),
    _post("/v1/workflows/{workflow_id}/signal", _workflows.signal_workflow),
    _post("/v1/workflows/{workflow_id}/query", _workflows.query_workflow),
    _post("/v1/workflows/{workflow_id}/update", _workflows.update_workflow),
    _post("/v1/workflows/{workflow_id}/cancel", _workflows.cancel_workflow),
    _post("/v1/workflows/{workflow_id}/terminate", _workflows.terminate_workflow),
    _post("/v1/workflows/{workflow_id}/reset", _workflows.reset_workflow),
    _get("/v1/retention", _workflows.get_retention),
    Endpoint(verb="PUT", path="/v1/retention", rpc=_workflows.put_retention),
    _create("/v1/erasures", _workflows.erase_person, location="/v1/erasures/{erasure_id}"),
    _get("/v1/erasures", _workflows.list_erasures),
    _get("/v1/erasures/{erasure_id}", _workflows.get_erasure),
    _create("/v1/schedules", _workflows.create_schedule, location="/v1/schedules/{schedule_id}"),
    _get("/v1/schedules", _workflows.list_schedules),
    _get("/v1/schedules/{schedule_id}", _workflows.get_schedule),
    Endpoint(verb="PATCH", path="/v1/schedules/{schedule_id}", rpc=_workflows.update_schedule),
    Endpoint(verb="DELETE", path="/v1/schedules/{schedule_id}", rpc=_workflows.delete_schedule),
    _create("/v1/schedules/{schedule_id}/trigger", _workflows.trigger_schedule, location="/v1/workflows/{workflow_id}"),
    _create("/v1/tasks", _tasks.create_task, location="/v1/tasks/{task_id}"),
    _get("/v1/tasks", _tasks.list_tasks),
    _get("/v1/tasks/counts", _tasks.count_tasks),
    _post("/v1/tasks/bulk", _tasks.bulk_tasks),
    _get("/v1/tasks/{task_id}", _tasks.get_task),
    _get("/v1/tasks/{task_id}/history", _tasks.get_task_history),
    _get("/v1/tasks/{task_id}/history/verify", _tasks.verify_task_history),
    _get("/v1/tasks/{task_id}/form", _tasks.project_task_form),
    Endpoint(verb="PATCH", path="/v1/tasks/{task_id}", rpc=_tasks.update_task),
    _post("/v1/tasks/{task_id}/claim", _tasks.claim_task),
    _post("/v1/tasks/{task_id}/release", _tasks.release_task),
    _post("/v1/tasks/{task_id}/assign", _tasks.assign_task),
    _post("/v1/tasks/{task_id}/delegate", _tasks.delegate_task),
    _post("/v1/tasks/{task_id}/draft", _tasks.save_draft),
    _post("/v1/tasks/{task_id}/complete", _tasks.complete_task),
    _post("/v1/tasks/{task_id}/undo", _tasks.undo_task),
    _post("/v1/tasks/{task_id}/vote", _tasks.vote_task),
    _post("/v1/tasks/{task_id}/request-changes", _tasks.request_changes),
    _post("/v1/tasks/{task_id}/answer", _tasks.answer_task),
    _post("/v1/tasks/{task_id}/cancel", _tasks.cancel_task),
    _post("/v1/tasks/{task_id}/escalate", _tasks.escalate_task),
    _get("/v1/tasks/{task_id}/comments", _tasks.list_comments),
    _create("/v1/tasks/{task_id}/comments", _tasks.add_comment),
    _get("/v1/tasks/{task_id}/attachments", _tasks.list_attachments),
    _get("/v1/tasks/{task_id}/attachments/{attachment_id}", _tasks.get_attachment),
    Endpoint(verb="DELETE", path="/v1/tasks/{task_id}/attachments/{attachment_id}", rpc=_tasks.remove_attachment),
    _get("/v1/task-settings", _tasks.get_task_settings),
    Endpoint(verb="PUT", path="/v1/task-settings", rpc=_tasks.put_task_settings),
    _get("/v1/escalation-policies", _tasks.get_escalation_policy),
    Endpoint(verb="PUT", path="/v1/escalation-policies", rpc=_tasks.put_escalation_policy),
    _post("/v1/escalation-policies/check", _tasks.check_escalation),
    _get("/v1/escalation-policies/checks", _tasks.list_escalation_checks),
    _get("/v1/escalation-policies/checks/{check_id}", _tasks.get_escalation_check),
    _get("/v1/corrections", _tasks.list_corrections),
    _get("/v1/corrections/statistics", _tasks.get_correction_statistics),
    _get("/v1/metrics/tasks", _tasks.get_task_figures),
    _post("/v1/receipts/redeem", _tasks.redeem_receipt),
    Endpoint(verb="GET", path="/v1/receipts/jwks", rpc=_tasks.get_receipt_keys, is_open=True, answer_field="jwks"),
    _create("/v1/calendars", _tasks.create_calendar, location="/v1/calendars/{calendar_id}"),
    _get("/v1/calendars", _tasks.list_calendars),
    _get("/v1/calendars/{calendar_id}", _tasks.get_calendar),
    Endpoint(verb="PUT", path="/v1/calendars/{calendar_id}", rpc=_tasks.update_calendar),
    Endpoint(verb="DELETE", path="/v1/calendars/{calendar_id}", rpc=_tasks.delete_calendar),
    _create("/v1/views", _tasks.create_view, location="/v1/views/{view_id}"),
    _get("/v1/views", _tasks.list_views),
    _get("/v1/views/{view_id}", _tasks.get_view),
    Endpoint(verb="PUT", path="/v1/views/{view_id}", rpc=_tasks.update_view),
    Endpoint(verb="DELETE", path="/v1/views/{view_id}", rpc=_tasks.delete_view),
    _get("/v1/notifications", _notifications.list_notifications),
    _post("/v1/notifications/read", _notifications.mark_notifications_read),
    _get("/v1/preferences", _notifications.get_preferences),
    Endpoint(verb="PUT", path="/v1/preferences", rpc=_notifications.put_preferences),
    _create("/v1/webhooks", _notifications.create_webhook, location="/v1/webhooks/{webhook[webhook_id]}"),
    _get("/v1/webhooks", _notifications.list_webhooks),
    _get("/v1/webhooks/{webhook_id}", _notifications.get_webhook),
    Endpoint(verb="PATCH", path="/v1/webhooks/{webhook_id}", rpc=_notifications.update_webhook),
    Endpoint(verb="DELETE", path="/v1/webhooks/{webhook_id}", rpc=_notifications.delete_webhook),
    _post("/v1/webhooks/{webhook_id}/rotate", _notifications.rotate_webhook_secret),
    _get("/v1/webhooks/{webhook_id}/deliveries", _notifications.list_deliveries),
    _post("/v1/webhooks/{webhook_id}/redeliver", _notifications.redeliver),
    _create("/v1/tenants", _identity.create_tenant, location="/v1/tenants/{tenant_id}"),
    _get("/v1/tenants", _identity.list_tenants),
    _get("/v1/tenants/{tenant_id}", _identity.get_tenant),
    Endpoint(verb="PATCH", path="/v1/tenants/{tenant_id}", rpc=_identity.update_tenant),
    _post("/v1/tenants/{tenant_id}/suspend", _identity.suspend_tenant),
    _post("/v1/tenants/{tenant_id}/resume", _identity.resume_tenant),
    Endpoint(verb="DELETE", path="/v1/tenants/{tenant_id}", rpc=_identity.delete_tenant),
    _get("/v1/deleted-tenants", _identity.list_deleted_tenants),
    _create("/v1/users", _identity.create_user, location="/v1/users/{user_id}"),
    _get("/v1/users", _identity.list_users),
    _get("/v1/users/{user_id}", _identity.get_user),
    Endpoint(verb="PATCH", path="/v1/users/{user_id}", rpc=_identity.update_user),
    _post("/v1/users/{user_id}/disable", _identity.disable_user),
    _post("/v1/users/{user_id}/enable", _identity.enable_user),
    _post("/v1/users/{user_id}/invite", _identity.invite_user),
    _get("/v1/users/{user_id}/substitution", _identity.get_substitution),
    Endpoint(verb="PUT", path="/v1/users/{user_id}/substitution", rpc=_identity.set_substitution),
    _create("/v1/groups", _identity.create_group, location="/v1/groups/{group_id}"),
    _get("/v1/groups", _identity.list_groups),
    _get("/v1/groups/{group_id}", _identity.get_group),
    Endpoint(verb="PATCH", path="/v1/groups/{group_id}", rpc=_identity.update_group),
    Endpoint(verb="DELETE", path="/v1/groups/{group_id}", rpc=_identity.delete_group),
    _post("/v1/groups/{group_id}/members", _identity.add_member),
    Endpoint(verb="DELETE", path="/v1/groups/{group_id}/members/{user_id}", rpc=_identity.remove_member),
    _create("/v1/api-keys", _identity.create_api_key, location="/v1/api-keys/{api_key[key_id]}"),
    _get("/v1/api-keys", _identity.list_api_keys),
    _get("/v1/api-keys/{key_id}", _identity.get_api_key),
    Endpoint(verb="PATCH", path="/v1/api-keys/{key_id}", rpc=_identity.update_api_key),
    _post("/v1/api-keys/{key_id}/rotate", _identity.rotate_api_key),
    _post("/v1/api-keys/{key_id}/revoke", _identity.revoke_api_key),
    _create("/v1/linked-subjects", _identity.link_subject),
    _get("/v1/linked-subjects", _identity.list_linked_subjects),
    Endpoint(verb="DELETE", path="/v1/linked-subjects/{subject_id}", rpc=_identity.unlink_subject),
    _get("/v1/audit", _identity.list_audit),
)
