"""What ask() and escalate_below() hand on to task()."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from orkestra.sdk.assignment import Assignee
from orkestra.sdk.sla import SLA, PriorityName
from orkestra.sdk.tasks import Reply


class TaskOptions(TypedDict, total=False):
    """Fields of the task, as task() takes them."""

    assign_to: Assignee | None
    context: Mapping[str, Any] | None
    type: str | None
    tags: Sequence[str]
    correlation: str | None
    key: str | None
    priority: PriorityName | None
    sla: SLA | None
    excluded_users: Sequence[str]
    approval_policy: Mapping[str, Any] | None
    four_eyes: bool | None
    max_revisions: int | None
    on_changes_requested: Reply | None
