"""Rpcs that no REST route stands for, and what is tried at them with what belongs to another tenant.

The others are tried as their routes are (rest_matrix.py): a route is one rpc.
"""

from typing import Any

from rest_matrix import BODY, INSTALLATION, THEIR_ID, Tried

MATRIX: dict[str, Tried] = {
    "ExchangeCredential": INSTALLATION,  # a credential is its input; that a key chooses no other tenant is tried apart
    "GetSigningKeys": INSTALLATION,
    "BeginSignIn": INSTALLATION,
    "CompleteSignIn": INSTALLATION,
    "GetMailLinkToken": THEIR_ID,
    "GetConfirmation": THEIR_ID,
    "UseConfirmation": THEIR_ID,
    "AdvanceClock": THEIR_ID,
    "ConfirmWakeUps": BODY,
    "FireSchedule": THEIR_ID,
    "RegisterDefinitions": INSTALLATION,
    "ReportProgress": THEIR_ID,
    "ReportEnd": THEIR_ID,
}

REQUESTS: dict[str, dict[str, Any]] = {  # words in braces are ids: theirs first, then made-up ones
    "GetMailLinkToken": {"link_id": "{link_id}"},
    "GetConfirmation": {"token": "{confirmation}"},
    "UseConfirmation": {"token": "{confirmation}"},
    "AdvanceClock": {"task_id": "{task_id}"},
    "ConfirmWakeUps": {"ends": [{"task_id": "{task_id}", "version": 1}]},
    "FireSchedule": {"schedule_id": "{schedule_id}"},
    "ReportProgress": {"workflow_id": "{workflow_id}", "progress": "ours"},
    "ReportEnd": {"workflow_id": "{workflow_id}", "run_id": "r", "status": "completed", "result": "ours"},
}
"""What is sent to those that are tried with an id or a body."""
