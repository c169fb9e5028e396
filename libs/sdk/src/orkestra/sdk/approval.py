"""approve(): a person's decision on one action with exact arguments."""

from collections.abc import Mapping, Sequence
from typing import Any

from orkestra.forms import Form, outcome, textarea
from orkestra.sdk.assignment import Assignee
from orkestra.sdk.context import Context
from orkestra.sdk.receipts import APPROVED, Receipt
from orkestra.sdk.sla import SLA, PriorityName
from orkestra.sdk.tasks import Reply, task
from temporalio.exceptions import ApplicationError


class Approval(
    Form,
    outcomes=[outcome(APPROVED, "Approve", style="primary"), outcome("reject", "Reject", require=["comment"])],
):
    """What the person fills in."""

    comment: str | None = textarea()


async def approve(  # noqa: PLR0913 - each is a field of the task
    ctx: Context | None,
    action: str,
    args: Mapping[str, Any] | None = None,
    *,
    assign_to: Assignee | None = None,
    title: str | None = None,
    description: str | None = None,
    context: Mapping[str, Any] | None = None,
    type: str | None = "approval",
    tags: Sequence[str] = (),
    correlation: str | None = None,
    key: str | None = None,
    priority: PriorityName | None = None,
    sla: SLA | None = None,
    excluded_users: Sequence[str] = (),
    approval_policy: Mapping[str, Any] | None = None,
    on_changes_requested: Reply | None = None,
) -> Receipt:
    """Ask people to approve an action with exactly these arguments, and return what they decided as a receipt.

    Whoever asked for the run, or on whose behalf, cannot decide. With an `approval_policy` people vote, as in task().
    Before the action is done, let the receipt `verify(action, args)`, which refuses what was not approved, and
    `redeem()` it.

    Raises what task() raises, and ApplicationError NOBODY_DECIDED where the SLA's default has ended it.
    """
    result = await task(
        ctx,
        title=title or f"Approve {action}?",
        description=description,
        form=Approval,
        assign_to=assign_to,
        context={**(context or {}), "action": {"name": action, "args": dict(args or {})}},
        type=type,
        tags=tags,
        correlation=correlation,
        key=key,
        priority=priority,
        sla=sla,
        excluded_users=excluded_users,
        approval_policy=approval_policy,
        on_changes_requested=on_changes_requested,
    )
    if result.receipt is None:
        raise ApplicationError(
            f"No person has decided on {action}, so there is no receipt of it.",
            type="NOBODY_DECIDED",
            non_retryable=True,
        )
    return result.receipt.with_comment(result.data.comment)
