"""The examples in the OpenAPI document; each fits its message, which a test holds."""

from typing import Any

from orkestra.api_gateway.routes.problems import Problem
from orkestra.v1.identity import (
    AddMemberRequest,
    ChangePasswordRequest,
    CreateApiKeyRequest,
    CreateGroupRequest,
    CreateTenantRequest,
    CreateUserRequest,
    LinkSubjectRequest,
    ListAuditResponse,
    RedeemMailLinkRequest,
    RequestPasswordResetRequest,
    ResumeTenantRequest,
    RotateApiKeyRequest,
    Session,
    SetSubstitutionRequest,
    SignInRequest,
    SuspendTenantRequest,
    UpdateApiKeyRequest,
    UpdateGroupRequest,
    UpdateMeRequest,
    UpdateTenantRequest,
    UpdateUserRequest,
)
from orkestra.v1.notification import (
    CreateWebhookRequest,
    ListNotificationsResponse,
    MarkNotificationsReadRequest,
    PutPreferencesRequest,
    RedeliverRequest,
    UpdateWebhookRequest,
)
from orkestra.v1.task import (
    AddCommentRequest,
    AnswerTaskRequest,
    AssignTaskRequest,
    BulkTasksRequest,
    Calendar,
    CancelTaskRequest,
    CheckEscalationRequest,
    ClaimTaskRequest,
    CompleteTaskRequest,
    CreateCalendarRequest,
    CreateTaskRequest,
    CreateViewRequest,
    DelegateTaskRequest,
    EscalateTaskRequest,
    EscalationCheck,
    PutEscalationPolicyRequest,
    PutTaskSettingsRequest,
    ReceiptKeys,
    RedeemReceiptRequest,
    ReleaseTaskRequest,
    RequestChangesRequest,
    SaveDraftRequest,
    Task,
    TaskCounts,
    UndoTaskRequest,
    UpdateCalendarRequest,
    UpdateTaskRequest,
    UpdateViewRequest,
    View,
    VoteTaskRequest,
)
from orkestra.v1.workflow import (
    CancelWorkflowRequest,
    CreateScheduleRequest,
    ErasePersonRequest,
    PutRetentionRequest,
    QueryWorkflowRequest,
    QueryWorkflowResponse,
    ResetWorkflowRequest,
    Schedule,
    SignalWorkflowRequest,
    StartWorkflowRequest,
    TerminateWorkflowRequest,
    Timeline,
    UpdateScheduleRequest,
    UpdateWorkflowRequest,
    UpdateWorkflowResponse,
    Workflow,
)
from pydantic import BaseModel

Example = dict[str, Any]

_TENANT = "0198a1b2-0000-7000-8000-000000000001"
_USER = "user_0198a1b2c3d47e8f9a0b1c2d3e4f5a6b"
_WORKFLOW = "wf_0198a1b2c3d47e8f9a0b1c2d3e4f5a6c"
_TASK = "task_0198a1b2c3d47e8f9a0b1c2d3e4f5a6d"
_QUESTION = {"question": "May I return it?", "conversation_id": "conv-17", "customer_id": "cust-4"}
_KEY = "key_0198a1b2c3d47e8f9a0b1c2d3e4f5a6f"
_NOTIFICATION = "notification_0198a1b2c3d47e8f9a0b1c2d3e4f5a6e"
_OPTIONS = [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}]
_CONVERSATION = {"role": "user", "text": "I opened the box. May I still return it?", "at": None}
_OFFICE = {
    "time_zone": "Europe/Berlin",
    "hours": [
        {"weekday": "monday", "opens": "09:00", "closes": "17:30"},
        {"weekday": "tuesday", "opens": "09:00", "closes": "17:30"},
    ],
    "holidays": [{"date": "12-25", "name": "Christmas Day"}, {"date": "2030-04-22", "name": "Easter Monday"}],
}

REQUESTS: dict[type[BaseModel], Example] = {
    SignInRequest: {"email": "ana@demo.example", "password": "correct horse battery staple"},
    StartWorkflowRequest: {
        "definition": "customer-support",
        "input": _QUESTION,
        "handoff": {
            "summary": "An opened headset.",
            "conversation": [{"role": "user", "text": "I opened the box. May I still return it?"}],
            "agent": {"name": "support-bot", "confidence": 0.41},
        },
        "business_id": "case-2041",
    },
    CancelWorkflowRequest: {"reason": "The customer found the answer."},
    ClaimTaskRequest: {"version": 1},
    ReleaseTaskRequest: {"version": 2},
    CompleteTaskRequest: {"data": {"answer": "Yes, within 30 days.", "sentiment": "positive"}, "version": 2},
    VoteTaskRequest: {"choice": "approve", "data": {"answer": "Within the budget."}, "revision": 1},
    UndoTaskRequest: {"reason": "The wrong order."},
    PutTaskSettingsRequest: {"undo_seconds": 30, "version": 1},
    CancelTaskRequest: {"reason": "Asked twice."},
    SignalWorkflowRequest: {"signal": "payment_received", "payload": {"amount": "20.00", "currency": "EUR"}},
    QueryWorkflowRequest: {"query": "progress"},
    UpdateWorkflowRequest: {"update": "raise_limit", "payload": {"limit": "500.00"}},
    PutRetentionRequest: {"task_days": 365, "run_days": 90, "delivery_days": 30},
    ErasePersonRequest: {"user_id": "user_0198a1b2c3d47e8f9a0b1c2d3e4f5a6b", "reason": "Asked for on 2030-01-31."},
    CreateScheduleRequest: {
        "definition": "customer-support",
        "input": _QUESTION,
        "cron": "0 9 * * mon-fri",
        "time_zone": "Europe/Berlin",
    },
    UpdateScheduleRequest: {"paused": True, "note": "Closed over the holidays."},
    ResetWorkflowRequest: {"point": "last_step", "reason": "The bank answers again."},
    TerminateWorkflowRequest: {"reason": "The worker is broken and cleans up nothing."},
    CreateTaskRequest: {
        "title": "Refund €20 for order 2041?",
        "candidate_groups": ["support-l1"],
        "form": {"decision": {"type": "select", "required": True, "options": _OPTIONS}},
        "context": {"summary": "The parcel came late."},
        "priority": "high",
        "sla": {"complete": "2h"},
    },
    UpdateTaskRequest: {"priority": "urgent", "complete_by": "2030-01-31T16:00:00Z", "add_tags": ["vip"], "version": 2},
    AssignTaskRequest: {"candidate_groups": ["support-l2"], "reason": "Needs the warehouse.", "version": 2},
    DelegateTaskRequest: {"assignee": "ben@acme.example", "reason": "Ben knows this customer.", "version": 2},
    EscalateTaskRequest: {"reason": "The customer has called.", "version": 2},
    CreateCalendarRequest: {"calendar_id": "office", "name": "Office hours", "working_hours": _OFFICE},
    UpdateCalendarRequest: {"name": "Office hours", "group_id": "support-l1", "working_hours": _OFFICE, "version": 1},
    BulkTasksRequest: {
        "operation": "assign",
        "tasks": [{"task_id": _TASK, "version": 2}],
        "candidate_groups": ["support-l2"],
        "reason": "First line is away.",
    },
    CreateViewRequest: {"name": "Late refunds", "filter": {"q": "refund", "scope": "groups"}},
    UpdateViewRequest: {"name": "Late refunds", "group_id": "support-l1", "filter": {"q": "refund"}, "version": 1},
    SaveDraftRequest: {"data": {"answer": "Yes, within"}},
    RequestChangesRequest: {"message": "Which order is this about?", "answer_within": "4h", "version": 2},
    AnswerTaskRequest: {"message": "Order 2041.", "version": 3},
    AddCommentRequest: {"text": "@ben, have you seen this before?"},
    PutEscalationPolicyRequest: {
        "rules": [{"topic": "refunds", "threshold": 0.9, "sample_rate": 0.05}, {"topic": "*", "threshold": 0.7}],
        "version": 1,
    },
    CheckEscalationRequest: {"topic": "returns/opened", "confidence": 0.41, "agent": "support-bot"},
    RedeemReceiptRequest: {"token": "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl", "use_id": "refund-2041"},
    MarkNotificationsReadRequest: {"notification_ids": [_NOTIFICATION]},
    PutPreferencesRequest: {
        "rules": [
            {"kind": "group_task", "channels": ["in_app"]},
            {"kind": "assigned", "channels": ["in_app", "email"]},
        ],
        "quiet_hours": {"begins": "22:00", "ends": "07:00"},
        "digest_minutes": 30,
        "version": 1,
    },
    CreateWebhookRequest: {
        "url": "https://example.com/hooks/orkestra",
        "events": ["task.completed", "workflow.*"],
        "description": "The customers' system.",
    },
    UpdateWebhookRequest: {"events": ["task.*"], "status": "active", "version": 2},
    RedeliverRequest: {"delivery_ids": ["delivery_0198a1b2c3d47e8f9a0b1c2d3e4f5a70"]},
    CreateTenantRequest: {"slug": "acme", "name": "Acme", "admin": {"email": "root@acme.example", "name": "Root"}},
    CreateUserRequest: {"email": "ana@acme.example", "name": "Ana", "roles": ["member"], "groups": ["support-l1"]},
    SetSubstitutionRequest: {
        "substitute": "ben@acme.example",
        "begins_at": "2030-07-01T00:00:00Z",
        "ends_at": "2030-07-15T00:00:00Z",
        "task_types": ["refund-approval"],
    },
    CreateGroupRequest: {"group_id": "support-l1", "name": "Support, first line", "members": ["ana@acme.example"]},
    UpdateGroupRequest: {"strategy": "least_loaded", "max_open_tasks": 10, "add_skills": ["german"], "version": 2},
    ChangePasswordRequest: {"current_password": "correct horse battery", "new_password": "staple battery horse"},
    RequestPasswordResetRequest: {"email": "ann@acme.example", "tenant": "acme"},
    RedeemMailLinkRequest: {"token": "orl_4Xq…", "password": "staple battery horse"},
    UpdateTenantRequest: {"name": "Acme and Sons", "version": 1},
    SuspendTenantRequest: {"reason": "The contract has ended."},
    ResumeTenantRequest: {"reason": "The contract goes on."},
    UpdateMeRequest: {"locale": "de", "time_zone": "Europe/Berlin"},
    UpdateUserRequest: {"name": "Ann Agent", "roles": ["manager"], "time_zone": "Europe/Berlin", "version": 3},
    RotateApiKeyRequest: {"overlap_seconds": 3600},
    UpdateApiKeyRequest: {
        "add_on_behalf_of": ["ben@acme.example"],
        "remove_allowed_ips": ["10.1.0.0/16"],
        "version": 1,
    },
    LinkSubjectRequest: {"issuer": "https://login.acme.example", "subject": "client-7", "principal": _KEY},
    AddMemberRequest: {"user_id": "ana@acme.example"},
    CreateApiKeyRequest: {"name": "support-bot", "kind": "agent", "on_behalf_of": ["*"]},
}

ANSWERS: dict[type[BaseModel], Example] = {
    Schedule: Schedule.model_validate(
        {
            "schedule_id": "schedule_0198a1b2c3d47e8f9a0b1c2d3e4f5a6f",
            "tenant_id": _TENANT,
            "definition": "customer-support",
            "input": _QUESTION,
            "cron": "0 9 * * mon-fri",
            "time_zone": "Europe/Berlin",
            "overlap": "skip",
            "paused": False,
            "requested_by": _USER,
            "created_at": "2030-01-31T12:00:00Z",
            "updated_at": "2030-01-31T12:00:00Z",
            "version": 1,
            "next_at": "2030-02-01T08:00:00Z",
        }
    ).model_dump(mode="json"),
    QueryWorkflowResponse: {"result": {"step": "waiting for approval", "percent": 60}},
    UpdateWorkflowResponse: {"result": {"limit": "500.00"}},
    Session: {
        "token": "ors_…",
        "expires_at": "2030-01-31T20:00:00Z",
        "user": {
            "user_id": _USER,
            "tenant_id": _TENANT,
            "email": "ana@acme.example",
            "name": "Ana",
            "roles": ["member"],
            "groups": ["support-l1"],
            "status": "active",
            "locale": None,
            "time_zone": "Europe/Berlin",
            "created_at": "2030-01-01T08:00:00Z",
            "version": 1,
        },
    },
    Workflow: Workflow.model_validate(
        {
            "workflow_id": _WORKFLOW,
            "tenant_id": _TENANT,
            "definition": "customer-support",
            "version": 1,
            "status": "completed",
            "input": _QUESTION,
            "result": {"answer": "Yes, within 30 days.", "handled_by": "human"},
            "started_at": "2030-01-31T12:00:00Z",
            "closed_at": "2030-01-31T12:07:30Z",
            "updated_at": "2030-01-31T12:07:30Z",
            "resource_version": 3,
        }
    ).model_dump(mode="json"),
    Task: Task.model_validate(
        {
            "task_id": _TASK,
            "tenant_id": _TENANT,
            "workflow_id": _WORKFLOW,
            "title": "Customer needs help",
            "description": "May I return it?",
            "context": {"conversation": [_CONVERSATION]},
            "input": _QUESTION,
            "candidate_groups": ["support-l1"],
            "priority": "normal",
            "status": "claimed",
            "assignee": _USER,
            "version": 2,
            "revision": 1,
            "created_at": "2030-01-31T12:00:00Z",
            "updated_at": "2030-01-31T12:05:00Z",
            "claimed_at": "2030-01-31T12:05:00Z",
        }
    ).model_dump(mode="json"),
    Calendar: Calendar.model_validate(
        {
            "calendar_id": "office",
            "tenant_id": _TENANT,
            "name": "Office hours",
            "working_hours": _OFFICE,
            "version": 1,
            "created_at": "2030-01-01T08:00:00Z",
            "updated_at": "2030-01-01T08:00:00Z",
            "updated_by": _USER,
        }
    ).model_dump(mode="json"),
    View: View.model_validate(
        {
            "view_id": "view_0198a1b2c3d47e8f9a0b1c2d3e4f5a70",
            "tenant_id": _TENANT,
            "name": "Late refunds",
            "owner": _USER,
            "group_id": "support-l1",
            "filter": {"scope": "groups", "q": "refund"},
            "version": 1,
            "created_at": "2030-01-31T12:00:00Z",
            "updated_at": "2030-01-31T12:00:00Z",
            "updated_by": _USER,
        }
    ).model_dump(mode="json"),
    TaskCounts: {"mine": 2, "groups": 7, "all": 31},
    EscalationCheck: EscalationCheck.model_validate(
        {
            "check_id": "check_0198a1b2c3d47e8f9a0b1c2d3e4f5a6f",
            "decision": "escalate",
            "reason": "0.41 is below the threshold of 0.7 for returns/opened.",
            "threshold": 0.7,
            "sampled": False,
            "policy_version": 1,
            "checked_at": "2030-01-31T12:00:00Z",
            "topic": "returns/opened",
            "confidence": 0.41,
            "checked_by": "key_0198a1b2c3d47e8f9a0b1c2d3e4f5a6f",
            "task_id": _TASK,
            "task_status": "completed",
            "decided_by": "person",
            "kept_draft": False,
            "ended_at": "2030-01-31T12:09:00Z",
        }
    ).model_dump(mode="json"),
    ReceiptKeys: {"jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "receipts-1", "x": "11qYAYKxCrfVS_7T…"}]}},
    Timeline: Timeline.model_validate(
        {
            "entries": [
                {
                    "at": "2030-01-31T12:00:00Z",
                    "kind": "task",
                    "event": "created",
                    "text": "A person is asked: Customer needs help.",
                    "task_id": _TASK,
                }
            ]
        }
    ).model_dump(mode="json"),
    ListNotificationsResponse: ListNotificationsResponse.model_validate(
        {
            "notifications": [
                {
                    "notification_id": _NOTIFICATION,
                    "kind": "group_task",
                    "text": "support-l1 has something new: Customer needs help.",
                    "task_id": _TASK,
                    "title": "Customer needs help",
                    "created_at": "2030-01-31T12:00:00Z",
                }
            ],
            "unread": 1,
        }
    ).model_dump(mode="json"),
    ListAuditResponse: ListAuditResponse.model_validate(
        {
            "entries": [
                {
                    "entry_id": "audit_0198a1b2c3d47e8f9a0b1c2d3e4f5a71",
                    "tenant_id": _TENANT,
                    "at": "2030-01-31T12:00:00Z",
                    "actor": _USER,
                    "actor_kind": "user",
                    "action": "update_user",
                    "resource": "user",
                    "resource_id": _USER,
                    "before": {"roles": ["member"], "version": 2},
                    "after": {"roles": ["manager"], "version": 3},
                    "door": "rest",
                }
            ]
        }
    ).model_dump(mode="json"),
    Problem: {
        "type": "urn:orkestra:error:REQUEST_INVALID",
        "title": "Request invalid",
        "status": 422,
        "detail": "data.answer: This field is required.",
        "code": "REQUEST_INVALID",
        "errors": [{"path": "data.answer", "code": "required", "message": "This field is required."}],
    },
}
