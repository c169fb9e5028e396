"""How long work may take, and what happens on the way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from orkestra.forms import Form
from orkestra.sdk.assignment import Assignee, Group, User, assignment_of
from orkestra.v1.task import EscalationStep, Priority, SlaClock, SlaEnd, SlaPolicy

PriorityName = Literal["low", "normal", "high", "urgent"]


def escalate(
    *,
    after: str,
    clock: Literal["claim", "complete"] | None = None,
    assign_to: Assignee | None = None,
    add_group: str | None = None,
    priority: PriorityName | None = None,
    remind: bool | None = None,
    notify: Sequence[Group | User] = (),
) -> EscalationStep:
    """One step of an escalation chain, `after` a duration such as 30m or a share such as 50% of its clock."""
    return EscalationStep(
        clock=None if clock is None else SlaClock(clock),
        after=after,
        remind=remind,
        priority=None if priority is None else Priority(priority),
        assign_to=None if assign_to is None else assignment_of(assign_to),
        add_group=add_group,
        notify=[f"group:{one.group_id}" if isinstance(one, Group) else f"user:{one.user}" for one in notify],
    )


@dataclass(frozen=True)
class SLA:
    """Time to claim and time to complete, a chain of escalations and what the end of the chain does.

    `calendar` names the hours in which all of it is counted: a calendar of the tenant, or `group:<id>` for a group's;
    without one the clocks always run. With a `default`, as a dictionary or as the form itself, that value becomes the
    result when the time is over (`default_outcome` goes with it where the form has outcomes); otherwise the task
    expires, or stays open where `at_end` is keep.
    """

    claim: str | None = None
    complete: str | None = None
    escalate: Sequence[EscalationStep] = ()
    calendar: str | None = None
    at_end: Literal["expire", "default", "keep"] | None = None
    default: Mapping[str, Any] | Form | None = None
    default_outcome: str | None = None

    def to_policy(self) -> SlaPolicy:
        """Return the policy as task-service keeps it."""
        at_end = self.at_end or ("default" if self.default is not None else None)
        default = self.default
        if isinstance(default, Form):
            default = default.model_dump(mode="json", exclude_none=True)
        return SlaPolicy(
            claim=self.claim,
            complete=self.complete,
            calendar=self.calendar,
            escalate=list(self.escalate),
            at_end=None if at_end is None else SlaEnd(at_end),
            default_result=None if default is None else dict(default),
            default_outcome=self.default_outcome,
        )


def timeout(complete: str) -> SLA:
    """One clock, such as 30m, with TaskExpired at its end."""
    return SLA(complete=complete)
