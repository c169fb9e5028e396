"""What the author of a workflow imports.

What needs Temporal's library is imported when it is first named, so that programs with the client alone start at once.
"""

from typing import TYPE_CHECKING, Any

from orkestra.forms import (
    Attachment,
    DateRange,
    Form,
    Json,
    Money,
    Signature,
    boolean,
    checkboxes,
    data,
    date_,
    date_range,
    datetime_,
    diff,
    email,
    file_,
    group_,
    group_picker,
    heading,
    image,
    integer,
    json_,
    link,
    markdown,
    money,
    multiselect,
    note,
    number,
    outcome,
    phone,
    radio,
    rating,
    select,
    signature,
    slider,
    table,
    text,
    textarea,
    time_,
    url,
    user_,
)
from orkestra.sdk.assignment import Group, User, group, user
from orkestra.sdk.client import Client
from orkestra.sdk.sla import SLA, escalate, timeout
from orkestra.sdk.stream import Happened
from orkestra.v1.task import ChangeRequest

if TYPE_CHECKING:
    from orkestra.sdk.approval import approve
    from orkestra.sdk.asking import ask
    from orkestra.sdk.context import Context
    from orkestra.sdk.definition import Definition, WorkflowClass, workflow
    from orkestra.sdk.escalation import escalate_below
    from orkestra.sdk.given import Proposal
    from orkestra.sdk.receipts import Receipt, receipt_of, redeem
    from orkestra.sdk.several import Quorum, all_of, first_of, quorum
    from orkestra.sdk.tasks import Answer, TaskCancelled, TaskExpired, TaskResult, task

__all__ = [
    "SLA",
    "Answer",
    "Attachment",
    "ChangeRequest",
    "Client",
    "Context",
    "DateRange",
    "Definition",
    "Form",
    "Group",
    "Happened",
    "Json",
    "Money",
    "Proposal",
    "Quorum",
    "Receipt",
    "Signature",
    "TaskCancelled",
    "TaskExpired",
    "TaskResult",
    "User",
    "WorkflowClass",
    "all_of",
    "approve",
    "ask",
    "boolean",
    "checkboxes",
    "data",
    "date_",
    "date_range",
    "datetime_",
    "diff",
    "email",
    "escalate",
    "escalate_below",
    "file_",
    "first_of",
    "group",
    "group_",
    "group_picker",
    "heading",
    "image",
    "integer",
    "json_",
    "link",
    "markdown",
    "money",
    "multiselect",
    "note",
    "number",
    "outcome",
    "phone",
    "quorum",
    "radio",
    "rating",
    "receipt_of",
    "redeem",
    "select",
    "signature",
    "slider",
    "table",
    "task",
    "text",
    "textarea",
    "time_",
    "timeout",
    "url",
    "user",
    "user_",
    "workflow",
]

_BY_NAME = {
    **dict.fromkeys(("Answer", "TaskCancelled", "TaskExpired", "TaskResult", "task"), "tasks"),
    **dict.fromkeys(("Definition", "WorkflowClass", "workflow"), "definition"),
    **dict.fromkeys(("Quorum", "all_of", "first_of", "quorum"), "several"),
    **dict.fromkeys(("Receipt", "receipt_of", "redeem"), "receipts"),
    "Context": "context",
    "Proposal": "given",
    "approve": "approval",
    "ask": "asking",
    "escalate_below": "escalation",
}
"""Where stands what needs Temporal's library. No module may be called as one of these names: it would hide it."""

if not TYPE_CHECKING:  # to a type checker a name that is not there shall be none

    def __getattr__(name: str) -> Any:
        """Import a name when it is first asked for (PEP 562)."""
        if name not in _BY_NAME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = __import__(f"{__name__}.{_BY_NAME[name]}", fromlist=[name])  # Temporal's sandbox guards this builtin
        found = globals()[name] = getattr(module, name)
        return found
