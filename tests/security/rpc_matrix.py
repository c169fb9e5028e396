"""Rpcs that no REST route stands for, and what is tried at them with what belongs to another tenant.

The others are tried as their routes are (rest_matrix.py): a route is one rpc.
"""

from typing import Any

from rest_matrix import BODY, INSTALLATION, OWN, THEIR_ID, Tried

MATRIX: dict[str, Tried] = {
    "ExchangeCredential": INSTALLATION,  # a credential is its input; that a key chooses no other tenant is tried apart
    "GetSigningKeys": INSTALLATION,
    "CheckSessions": INSTALLATION,  # credentials are its input
    "BeginSignIn": INSTALLATION,
    "CompleteSignIn": INSTALLATION,
    "GetMailLinkToken": THEIR_ID,
    "GetConfirmation": THEIR_ID,
    "UseConfirmation": THEIR_ID,
    "BeginAttachment": THEIR_ID,
    "AddAttachmentPart": THEIR_ID,
    "FinishAttachment": THEIR_ID,
    "DropAttachment": THEIR_ID,
    "ReadAttachment": THEIR_ID,
    "AdvanceClock": THEIR_ID,
    "ConfirmWakeUps": BODY,
    "AwaitEnds": INSTALLATION,
    "FireSchedule": THEIR_ID,
    "RegisterDefinitions": INSTALLATION,
    "ReportProgress": THEIR_ID,
    "ReportEnd": THEIR_ID,
    "ApplyRetention": OWN,
    "ErasePart": THEIR_ID,
    "EraseUser": THEIR_ID,
    "RepublishPeople": OWN,
    "ListForgettableTasks": OWN,
    "ForgetTasks": BODY,
    "EraseWords": BODY,
    "ForgetDeliveries": OWN,
    "EraseMessages": BODY,
}

REQUESTS: dict[str, dict[str, Any]] = {  # words in braces are ids: theirs first, then made-up ones
    "GetMailLinkToken": {"link_id": "{link_id}"},
    "GetConfirmation": {"token": "{confirmation}"},
    "UseConfirmation": {"token": "{confirmation}"},
    "BeginAttachment": {"task_id": "{task_id}", "name": "ours.txt"},
    "AddAttachmentPart": {
        "task_id": "{task_id}",
        "attachment_id": "{attachment_id}",
        "number": 1,
        "content": "b3Vycw==",
    },
    "FinishAttachment": {"task_id": "{task_id}", "attachment_id": "{attachment_id}", "sha256": "0"},
    "DropAttachment": {"task_id": "{task_id}", "attachment_id": "{attachment_id}"},
    "ReadAttachment": {"task_id": "{task_id}", "attachment_id": "{attachment_id}"},
    "AdvanceClock": {"task_id": "{task_id}"},
    "ConfirmWakeUps": {"ends": [{"task_id": "{task_id}", "version": 1}]},
    "FireSchedule": {"schedule_id": "{schedule_id}"},
    "ReportProgress": {"workflow_id": "{workflow_id}", "progress": "ours"},
    "ApplyRetention": {},
    "ErasePart": {"erasure_id": "{erasure_id}", "part": "identity"},
    "EraseUser": {"user_id": "{user_id}"},
    "RepublishPeople": {},
    "ListForgettableTasks": {"ended_before": "2030-01-01T00:00:00Z"},
    "ForgetTasks": {"task_ids": ["{task_id}"], "ended_before": "2030-01-01T00:00:00Z"},
    "EraseWords": {"user_id": "{user_id}"},
    "ForgetDeliveries": {"created_before": "2000-01-01T00:00:00Z"},
    "EraseMessages": {"user_id": "{user_id}", "version": 1},
    "ReportEnd": {"workflow_id": "{workflow_id}", "run_id": "r", "status": "completed", "result": "ours"},
}
"""What is sent to those that are tried with an id or a body."""
