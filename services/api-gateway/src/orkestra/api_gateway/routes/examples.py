"""The examples in the OpenAPI document; each fits its message, which a test holds."""

from typing import Any

from orkestra.api_gateway.routes.problems import Problem
from orkestra.v1.identity import (
    AddMemberRequest,
    CreateApiKeyRequest,
    CreateGroupRequest,
    CreateTenantRequest,
    CreateUserRequest,
    Session,
    SignInRequest,
)
from orkestra.v1.task import CancelTaskRequest, ClaimTaskRequest, CompleteTaskRequest, ReleaseTaskRequest, Task
from orkestra.v1.workflow import CancelWorkflowRequest, StartWorkflowRequest, Workflow
from pydantic import BaseModel

Example = dict[str, Any]

_TENANT = "0198a1b2-0000-7000-8000-000000000001"
_USER = "user_0198a1b2c3d47e8f9a0b1c2d3e4f5a6b"
_WORKFLOW = "wf_0198a1b2c3d47e8f9a0b1c2d3e4f5a6c"
_TASK = "task_0198a1b2c3d47e8f9a0b1c2d3e4f5a6d"
_QUESTION = {"question": "May I return it?", "conversation_id": "conv-17", "customer_id": "cust-4"}
_CONVERSATION = {"role": "user", "text": "I opened the box. May I still return it?", "at": None}

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
    CancelTaskRequest: {"reason": "Asked twice."},
    CreateTenantRequest: {"slug": "acme", "name": "Acme", "admin": {"email": "root@acme.example", "name": "Root"}},
    CreateUserRequest: {"email": "ana@acme.example", "name": "Ana", "roles": ["member"], "groups": ["support-l1"]},
    CreateGroupRequest: {"group_id": "support-l1", "name": "Support, first line", "members": ["ana@acme.example"]},
    AddMemberRequest: {"user_id": "ana@acme.example"},
    CreateApiKeyRequest: {"name": "support-bot", "kind": "agent", "on_behalf_of": ["*"]},
}

ANSWERS: dict[type[BaseModel], Example] = {
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
    Problem: {
        "type": "urn:orkestra:error:REQUEST_INVALID",
        "title": "Request invalid",
        "status": 422,
        "detail": "data.answer: This field is required.",
        "code": "REQUEST_INVALID",
        "errors": [{"path": "data.answer", "code": "required", "message": "This field is required."}],
    },
}
